"""What removing a reference costs the programmer who has to do it.

The smallest set of cuts is wanted; among sets of the same size, the one that a person
would choose.  So each reference costs a thousand and a little, and what cannot be
removed (a frame's traceback, an item of a tuple) as much as three others.  References
back to an owner or parent, of one type and name, cost as much as one together: they
are one line of the program.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterable
from types import (
    AsyncGeneratorType,
    CellType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    TracebackType,
)
from typing import cast

from refscope._measure.algorithms.feedback import Edge
from refscope._measure.cpython.classes import (
    can_be_weak,
    get_flags,
    get_mro,
    identities,
    is_class,
    is_heap_type,
    is_one_of,
    is_standard,
    static_lookup,
    type_name,
)
from refscope._measure.cpython.interpreter import count_elements
from refscope._measure.names.attributes import compiled_names

from .wiring import UNKNOWN, Wiring, level_of


_ONE = 1_000
_STRUCTURE = 3 * _ONE
_BACK = 900

_BACK_WORDS = frozenset(
    {
        "back",
        "backref",
        "boss",
        "container",
        "controller",
        "host",
        "manager",
        "master",
        "outer",
        "owner",
        "parent",
        "prev",
        "previous",
        "root",
        "up",
    }
)
"""Attributes, without underscores, that mostly lead from a part to its whole."""

_HIDDEN = ".__dict__['"
"""How the name of an attribute begins that only the ``__dict__`` leads to."""

OWN_OBJECT = "<local self "
"""How the name of the variable begins by which a method has its object."""

_BASE_EXCEPTION = 1 << 30  # Include/object.h
_CALLBACKS = identities(MethodType, FunctionType, functools.partial)
_CONTAINERS = identities(list, dict, set, deque)
SUSPENDED = identities(GeneratorType, CoroutineType, AsyncGeneratorType)
_RUNNING = SUSPENDED | identities(FrameType)
_FIXED = identities(
    *(MethodType, functools.partial, TracebackType, tuple, frozenset),
    *(property, classmethod, staticmethod, slice),
)
_TUPLES = identities(tuple)
_OF_C = identities(GetSetDescriptorType, MemberDescriptorType)
_FUTURES = frozenset(
    ("_asyncio.Future", "asyncio.futures.Future", "concurrent.futures._base.Future")
)
_OF_EXCEPTIONS = {
    ".args": _STRUCTURE,
    ".exceptions": _STRUCTURE,
    ".__context__": _ONE + 15,
    ".__cause__": _ONE + 15,
    ".__traceback__": _ONE + 20,
}


def costs_of(wiring: Wiring, edges: Iterable[Edge] | None = None) -> dict[Edge, int]:
    """Return what removing references of a component costs, of all if not said."""
    backs: dict[tuple[str, str], int] = {}  # no Counter, which asks abstract classes
    count_elements(
        backs,
        [
            (wiring.types[node], name)
            for (node, _), names in wiring.names.items()
            for name in names
            if leads_back(wiring, node, name)
        ],
    )
    return {
        edge: sum(
            [
                max(1, _BACK // backs[wiring.types[edge[0]], name])
                if leads_back(wiring, edge[0], name)
                else cost_of(name, *map(wiring.objects.__getitem__, edge))
                for name in wiring.names[edge]
            ]
        )
        for edge in (wiring.names if edges is None else edges)
    }


def leads_back(wiring: Wiring, node: int, name: str) -> bool:
    """Return whether an object has a reference to its owner that can be removed.

    A field of a named tuple has its value for good.
    """
    return is_back_pointer(name) and not is_one_of(wiring.objects[node], _TUPLES)


def is_back_pointer(name: str) -> bool:
    """Return whether an attribute's name says that it leads to an owner.

    >>> is_back_pointer("._parent"), is_back_pointer(".parent_node")
    (True, True)
    >>> is_back_pointer(".parentNode"), is_back_pointer(".transparent")
    (True, False)
    >>> is_back_pointer(".__context__"), is_back_pointer("['owner']")
    (False, False)
    >>> is_back_pointer(".f_back"), is_back_pointer(".__parent")
    (False, True)
    >>> is_back_pointer(".__dict__['parent']")
    True
    """
    name = _as_attribute(name)
    if name[:1] != "." or _is_special(name) or level_of(name):
        return False
    text = "".join([f"_{c.lower()}" if c.isupper() else c for c in name[1:]])
    words = text.strip("_").split("_")
    return words[0] in _BACK_WORDS or words[-1] in _BACK_WORDS


def _as_attribute(name: str) -> str:
    """Return the name of what a property hides as if it were not hidden.

    Who removes it has as little to do.
    """
    key = name[len(_HIDDEN) : -2]
    is_hidden = name == f"{_HIDDEN}{key}']" and key.isidentifier() and key[:2] != "__"
    return f".{key}" if is_hidden else name


def _is_special(name: str) -> bool:
    """Return whether an attribute is one of Python's own, or a part of such a one."""
    return name[:3] == ".__" and (name[-2:] == "__" or not name[1:].isidentifier())


def cost_of(name: str, holder: object, target: object) -> int:  # noqa: PLR0911  # a table
    """Return what removing one reference costs that is no back pointer."""
    name = _as_attribute(name)
    if level_of(name) or is_one_of(holder, _FIXED):
        return _STRUCTURE
    if name == UNKNOWN:
        return _ONE + 50
    if is_one_of(holder, _RUNNING):
        return _cost_of_variable(name, holder, target)
    if type(holder) is CellType:
        return _ONE + 3
    if is_exception(holder) and name in _OF_EXCEPTIONS:
        return _OF_EXCEPTIONS[name]
    if name[:8] == "<cached ":
        return _ONE + 4
    if name[:1] != "." and is_one_of(holder, _CONTAINERS):
        if type(target) is MethodType:  # it is registered somewhere
            return _ONE + 4
        return _ONE + (12 if "..." not in name[:4] else 14)  # no key to speak of
    if _is_special(name) or name[:1] != "." or _is_of_c(name, holder):
        return _STRUCTURE
    return _cost_of_attribute(name, holder, target)


def _is_of_c(name: str, holder: object) -> bool:
    """Return whether an attribute is private to a type of C, as a future's result."""
    is_private = name[:2] == "._"
    found = static_lookup(type(holder), name[1:]) if is_private else None
    if type(found) is not GetSetDescriptorType:
        return False
    return name[1:] not in compiled_names(found.__objclass__)


def _may_be_read_only(holder: object, name: str) -> bool:
    """Return whether an attribute is one of a type of C, as that of a match.

    The slots of a program's class have descriptors of the same type.
    """
    found = static_lookup(type(holder), name[1:])
    if not is_one_of(found, _OF_C):
        return False
    owner = cast("GetSetDescriptorType", found).__objclass__
    return is_standard(owner) or not is_heap_type(owner)


def _cost_of_variable(name: str, holder: object, target: object) -> int:
    if name[:7] != "<local " or name[7] == ".":  # what a comprehension goes through
        return _STRUCTURE
    if is_exception(target):
        return _ONE
    if type(holder) is FrameType:
        # What a future has as its exception is not the program's to clear.
        return _ONE + (0 if is_future(target) else 60)
    return _ONE + (11 if name[:12] == OWN_OBJECT else 5)


def _cost_of_attribute(name: str, holder: object, target: object) -> int:
    if is_class(holder):
        return _ONE + 25
    if is_exception(target):
        return _ONE + 1
    if is_one_of(target, _CALLBACKS):
        return _ONE + 2
    if _may_be_read_only(holder, name):
        return _ONE + 12
    cannot_be_weak = not can_be_weak(type(target)) or is_one_of(target, _CONTAINERS)
    if cannot_be_weak or is_kept_by_property(holder, name):
        return _ONE + 11
    return _ONE + (9 if _is_named_by_class(name, target) else 10)


def is_kept_by_property(holder: object, name: str) -> bool:
    """Return whether an attribute is what ``functools.cached_property`` keeps."""
    found = static_lookup(type(holder), name[1:])
    return type(found) is functools.cached_property


def is_future(thing: object) -> bool:
    """Return whether a thing is a future of the standard library."""
    return not _FUTURES.isdisjoint(map(type_name, get_mro(type(thing))))


def _is_named_by_class(name: str, target: object) -> bool:
    """Return whether an attribute has the name of a class of what it leads to.

    A whole names its part by what it is for, a part mostly says ``connection`` when it
    is given the Connection that made it.
    """
    word = name[1:].replace("_", "").lower()
    names = map(type_name, get_mro(type(target)))
    return word in {each.rpartition(".")[2].lower().replace("_", "") for each in names}


def is_exception(thing: object) -> bool:
    """Return whether a thing is an exception, by its type alone."""
    return bool(get_flags(type(thing)) & _BASE_EXCEPTION)
