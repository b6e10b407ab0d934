"""How many references an object has, whose they are, and how that changed."""

from __future__ import annotations

import attrs

from refscope import _units as units
from refscope._typing import override
from refscope.exceptions import ImmortalError

from ._base import Report
from ._heap import Reference, name_of


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefCount(Report):
    """The number of references to one object at one moment."""

    count: int | None
    """References that the caller's program holds, without refscope's own and those of
    the call; None when the object is immortal, which has no meaningful count."""

    sys_count: int
    """What ``sys.getrefcount`` would say in the place of the call: with the reference
    of its own argument, where that counts."""

    stored: int | None
    """What the header of the object holds without refscope's references, decoded for
    this build; None where the layout of the header is not known."""

    immortal: bool
    """True when the interpreter does not count references to this object."""

    exact: bool
    """False where the interpreter keeps parts of the count elsewhere."""

    type_name: str
    """Fully qualified: ``module.Class``; without a module for built-in types."""

    address: int
    """``id()`` of it when it was seen; another object may have it later."""

    value: str | None = None
    """The ``repr`` of an immortal object of an exact built-in type; None for others."""

    def __int__(self) -> int:
        """Return ``count``.

        Raises:
            ImmortalError: There is none.
        """
        if self.count is None:
            raise ImmortalError(
                f"{self.name} is immortal and has no count of references: "
                "look at .stored for what its header holds"
            )
        return self.count

    @property
    def name(self) -> str:
        """The type, and what tells the object apart from others."""
        shown = f"at {self.address:#x}" if self.value is None else self.value
        return f"{self.type_name} {shown}"

    @property
    @override
    def is_clean(self) -> bool:
        """A number alone is nothing to worry about."""
        return True

    @property
    @override
    def headline(self) -> str:
        """The verdict in one line."""
        return self._headline_of(self.name)

    def _headline_of(self, name: str) -> str:
        """Return the verdict in one line, with another name for the object."""
        if self.count is None:
            return f"{name} is immortal: no meaningful count"
        counted = units.plural(self.count, "reference")
        aside = f"sys.getrefcount: {units.count(self.sys_count)}"
        if self.sys_count == self.count + 1:
            aside += ", one is its argument"
        return f"{counted} to {name} ({aside})"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ReferrersReport(Report):
    """Who holds an object."""

    refcount: RefCount
    """How many references there are."""

    references: tuple[Reference, ...] = ()
    """Each reference that was found, with multiplicity; local variables last."""

    unaccounted: int | None
    """References that no object and no variable of Python explains: held from C or
    by an expression that is being evaluated.  Never negative; None for an immortal
    object, and where the search was cut short."""

    exact: bool = True
    """False when it cannot be told which of several variables own a reference, or
    when others changed references during the search."""

    @property
    @override
    def is_clean(self) -> bool:
        """Whether every reference has a name."""
        return self.unaccounted == 0

    @property
    @override
    def headline(self) -> str:
        """The verdict in one line; classes, functions and modules have their names."""
        target = self.references[0].target if self.references else None
        if target is None or name_of(target) == target.type_name:
            return self.refcount.headline
        return self.refcount._headline_of(f"{name_of(target)} at {target.address:#x}")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RefCountChange(Report):
    """What a block of code did to the references to one object."""

    before: RefCount
    """At the start of the block."""

    after: RefCount | None = None
    """At its end; None when the object died."""

    diff: int | None
    """``after.count - before.count``, with 0 for the count of a dead object; None for
    an immortal object."""

    died: bool
    """True when the object is gone; always False when it had to be held."""

    gained: tuple[Reference, ...] = ()
    """References that are there now and were not before."""

    lost: tuple[Reference, ...] = ()
    """References that were there before and are not now."""

    @property
    @override
    def is_clean(self) -> bool:
        """Whether the object has no more references than before."""
        return self.diff is None or self.diff <= 0

    @property
    @override
    def headline(self) -> str:
        """The verdict in one line."""
        name = self.before.name
        if self.died:
            return f"{name} died, with {units.plural(-(self.diff or 0), 'reference')}"
        if self.diff is None:
            return self.before.headline
        if self.diff == 0:
            return f"{units.plural(int(self.before), 'reference')} to {name}, as before"
        change = units.count(self.diff, sign=True)
        noun = "reference" if abs(self.diff) == 1 else "references"
        return f"{change} {noun} to {name}, {units.count(self._now)} now"

    @property
    def _now(self) -> int:
        return 0 if self.after is None else int(self.after)
