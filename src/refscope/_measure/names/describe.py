"""What can be said of any object without running its code."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import compress, repeat
from operator import add, gt, is_not
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
)
from typing import cast

from refscope import _units as units
from refscope._measure.cpython.classes import (
    get_members,
    get_mro,
    has_managed_dict,
    header_size,
    is_class,
    metaclasses_are_plain,
    method_of,
    object_size,
    type_name,
)
from refscope._measure.cpython.frames import place_in
from refscope._measure.cpython.interpreter import get_object_traceback
from refscope.reports import Frame, HeapObject, Traceback

from .attributes import get_module_dict


_Lines = tuple[tuple[str, int], ...]


def describe(thing: object) -> HeapObject:
    """Return what a report says of an object."""
    return HeapObject(
        type_name=type_name(type(thing)),
        address=id(thing),
        size=size_of(thing),
        traceback=traceback_of(thing),
        detail=detail_of(thing),
    )


def size_of(thing: object) -> int:
    """Return the shallow size, as ``sys.getsizeof`` would without a user's method.

    A ``__sizeof__`` written in Python is passed by for the one under it.
    """
    method, header = _size_method(type(thing))
    return method(thing) + header


def sizes_of(things: Sequence[object]) -> list[int]:
    """Return the shallow size of each, as ``size_of``, each type looked at once."""
    keys = list(map(id, map(type, things)))
    return sizes_by_type(things, keys, dict(zip(keys, map(type, things), strict=True)))


def sizes_by_type(
    things: Sequence[object], keys: Sequence[int], kinds: Mapping[int, type]
) -> list[int]:
    """Return the shallow size of each, whose types are known by identity."""
    fixed = {key: object_size(kind) for key, kind in kinds.items()}
    sizes = list(map(fixed.__getitem__, keys))
    places: dict[int, list[int]] = {key: [] for key, size in fixed.items() if size < 0}
    for place in compress(range(len(sizes)), map(gt, repeat(0), sizes)):
        places[keys[place]].append(place)
    for key, those in places.items():
        method, header = _size_method(kinds[key])
        found = map(method, map(things.__getitem__, those))
        whole = map(add, found, repeat(header))
        deque(map(sizes.__setitem__, those, whole), maxlen=0)
    return sizes


def _size_method(kind: type) -> tuple[Callable[[object], int], int]:
    """Return the first ``__sizeof__`` that is written in C, and what lies before it."""
    methods = (get_members(base).get("__sizeof__") for base in get_mro(kind))
    method = next(each for each in methods if type(each) is MethodDescriptorType)
    return cast("Callable[[object], int]", method), header_size(kind)


def traceback_of(thing: object) -> Traceback | None:
    """Return where an object was allocated, or None if that was not traced."""
    lines = lines_of(thing)
    if lines is None:
        return None
    # tracemalloc has the innermost frame first.
    return Traceback(tuple(Frame(name, line) for name, line in reversed(lines)))


def detail_of(thing: object) -> str | None:
    """Return a few safe words about an object, or None."""
    kind = type(thing)
    if is_class(thing):
        return type_name(cast("type", thing))
    for base in get_mro(kind):
        tell = _DETAILS.get(id(base))
        if tell is not None:
            return tell(thing)
    return None


def _length(measure: Callable[[object], int], unit: str) -> Callable[[object], str]:
    return lambda thing: units.plural(measure(thing), unit)


def _of_function(thing: object) -> str | None:
    return _text(cast("FunctionType", thing).__qualname__)


def _of_method(thing: object) -> str | None:
    function: object = cast("MethodType", thing).__func__
    if is_class(function):
        return type_name(cast("type", function))
    return _of_function(function) if type(function) is FunctionType else None


def _of_module(thing: object) -> str | None:
    name: object = get_module_dict(thing).get("__name__")
    return _text(name) if type(name) is str else None


def _of_code(thing: object) -> str | None:
    return place_in(cast("CodeType", thing))


def _of_frame(thing: object) -> str | None:
    frame = cast("FrameType", thing)
    code = frame.f_code
    return f"{place_in(code)} at {code.co_filename}:{frame.f_lineno}"


def _of_suspended(thing: object) -> str | None:
    return _text(cast("GeneratorType[object, object, object]", thing).__qualname__)


def _text(name: str) -> str:
    return str.__str__(name)


_LENGTHS: Mapping[type, str] = {
    **dict.fromkeys((list, tuple, dict, set, frozenset, deque), "item"),
    str: "character",
    bytes: "byte",
    bytearray: "byte",
}
_DETAILS: Mapping[int, Callable[[object], str | None]] = {
    **{
        id(kind): _length(
            cast("Callable[[object], int]", method_of(kind, "__len__")), unit
        )
        for kind, unit in _LENGTHS.items()
    },
    id(FunctionType): _of_function,
    id(MethodType): _of_method,
    id(ModuleType): _of_module,
    id(CodeType): _of_code,
    id(FrameType): _of_frame,
    id(GeneratorType): _of_suspended,
    id(CoroutineType): _of_suspended,
    id(AsyncGeneratorType): _of_suspended,
}


def _traceback_by_address() -> Callable[[int], _Lines | None] | None:
    """Return a reader of tracebacks by the address of a memory block, or None."""
    try:
        import ctypes  # noqa: PLC0415  # absent from some embedded builds

        read = ctypes.pythonapi._PyTraceMalloc_GetTraceback
        read.restype = ctypes.py_object
        read.argtypes = (ctypes.c_uint, ctypes.c_size_t)
    except (ImportError, AttributeError):  # pragma: no cover  # no such build here
        return None
    return lambda address: cast("_Lines | None", read(0, address))


_read_at = _traceback_by_address() if sys.version_info[:2] == (3, 11) else None


def _read_lines(thing: object) -> _Lines | None:
    """Return the traceback of an object where 3.11 itself forgets a part of it.

    It does not look at the words before the object (gh-101430).
    """
    kind = type(thing)
    if _read_at is not None and has_managed_dict(kind):
        return _read_at(id(thing) - header_size(kind))
    return get_object_traceback(thing)


# In C but on 3.11, as it is asked of each object there is.
lines_of: Callable[[object], _Lines | None] = (
    get_object_traceback if _read_at is None else _read_lines
)
"""Return the traceback of an object as tracemalloc has it, innermost first."""


def have_lines(things: list[object]) -> list[bool]:
    """Return of each object whether it has a traceback."""
    found = [*map(is_not, map(get_object_traceback, things), repeat(None))]
    if _read_at is not None:
        are_managed = _are_managed(things)
        place = are_managed.find(1)
        while place >= 0:
            found[place] = _read_lines(things[place]) is not None
            place = are_managed.find(1, place + 1)
    return found


def _are_managed(things: list[object]) -> bytes:
    """Return of each object whether its attributes lie, or may lie, in it.

    Not where those are, as each int would be traced.
    """
    if not metaclasses_are_plain():  # no class may be hashed
        return bytes([True]) * len(things)
    managed = {*filter(has_managed_dict, {*map(type, things)})}
    return bytes(map(managed.__contains__, map(type, things)))
