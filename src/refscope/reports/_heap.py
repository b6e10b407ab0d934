"""Where memory was allocated, which objects are there, and who refers to whom."""

from __future__ import annotations

import attrs

from refscope._typing import override

from ._record import Record


@attrs.frozen(eq=False, repr=False)
class Frame(Record):
    """One line of a traceback."""

    filename: str
    """As in ``code.co_filename``."""

    lineno: int
    """Line, counted from 1; 0 when unknown."""

    function: str | None = None
    """Qualified name of the function that has the line; None if unknown."""

    @override
    def __str__(self) -> str:
        """Return ``file:line``, and the function if it is known."""
        place = f"{self.filename}:{self.lineno}"
        return place if self.function is None else f"{place} in {self.function}"


@attrs.frozen(eq=False, repr=False)
class Traceback(Record):
    """The stack at an allocation, as deep as tracing recorded it."""

    frames: tuple[Frame, ...]
    """Outermost first, innermost last, as in ``tracemalloc.Traceback``."""

    total_nframe: int | None = None
    """Depth of the whole stack; None when allocations of several depths are here."""

    @property
    def innermost(self) -> Frame:
        """The line that allocated; ``<unknown>:0`` when there is no frame."""
        return self.frames[-1] if self.frames else Frame("<unknown>", 0)


@attrs.frozen(eq=False, repr=False)
class AllocationSite(Record):
    """What one place allocated and kept, or freed of what it had before."""

    traceback: Traceback
    """The place."""

    size_diff: int
    """Bytes alive at the end less bytes alive at the start."""

    count_diff: int
    """Memory blocks alive at the end less memory blocks alive at the start."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class HeapObject(Record):
    """One object, described without running any of its code."""

    type_name: str
    """Fully qualified: ``module.Class``; without a module for built-in types."""

    address: int
    """``id()`` of it when it was seen; another object may have it later."""

    size: int
    """Shallow bytes, the collector's header included, as ``sys.getsizeof`` counts."""

    traceback: Traceback | None = None
    """Where it was allocated; None when that was not traced."""

    detail: str | None = None
    """What else is safe to say: a function's qualified name, a module's name, the
    length of a built-in container; None when there is nothing."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Reference(Record):
    """One reference from an object (or a running frame, or C) to another."""

    holder: HeapObject
    """Who refers."""

    target: HeapObject
    """To what."""

    name: str
    """How the holder spells it: ``.attr``, ``['key']``, ``[3]``, ``{key}``,
    ``<cell x>``, ``<local x in f>``; ``<?>`` when Python cannot tell."""

    borrowed: bool = False
    """True for a local variable of 3.14 or later that does not count."""

    @property
    def shape(self) -> str:
        """The name with indices and keys that are no identifiers as ``[x]``."""
        return shape_of(self.name)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ReferencePath(Record):
    """How a root keeps an object alive, step by step."""

    root: str
    """``module shop``, ``thread MainThread``, ``builtins``, ..."""

    references: tuple[Reference, ...]
    """From the root's object to the one that is kept."""

    expression: str | None = None
    """Python that leads there, to paste; None where Python has no spelling."""

    fingerprint: str = ""
    """Eight hex digits for the shape of the path, the same in every run."""


def name_of(thing: HeapObject) -> str:
    """Return the type of an object, with its name if it has one, such as a function.

    What is known of others is a length or a place.
    """
    detail = thing.detail
    if detail is None or detail[:1].isdigit() or " at " in detail:
        return thing.type_name
    return f"{thing.type_name} {detail}"


def shape_of(name: str) -> str:
    """Return a reference's name without what differs from run to run.

    >>> shape_of("[3]"), shape_of("['cart']"), shape_of("['a b']"), shape_of(".x")
    ('[x]', "['cart']", '[x]', '.x')
    >>> shape_of("<local e in Shop.sell>"), shape_of("<cached result for 3>")
    ('<local e in sell>', '<cached result>')
    """
    if name[:1] == "[":
        key = name[2:-2]
        is_name = name[1:2] == "'" == name[-2:-1] and key.isidentifier()
        return name if is_name and key.isascii() else "[x]"
    if name[:1] == "<":
        return _shape_of_variable(name)
    return "{x}" if name[:1] == "{" else name


def _shape_of_variable(name: str) -> str:
    """Return a name in brackets with no more of a function than its own name.

    Python knows its qualified name since 3.11 only.  A key is left out.
    """
    inside = name[1:-1]
    for words in (" in ", " of "):
        what, found, function = inside.partition(words)
        if found:
            return f"<{what}{words}{function.rpartition('.')[2]}>"
    what, found, _ = inside.partition(" for ")
    if found:
        return f"<{what}>"
    return "<cached key>" if inside.startswith("cached key ") else name
