"""Which build this is: how it stores a count, and what such a number says.

Counts are read by ``sys.getrefcount``, which knows the build best.  The header of an
object is read by address once at import, to see that both agree here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from .classes import FREE_THREADED, WORD


if TYPE_CHECKING:

    class CountReader(Protocol):
        """Reads the count in the header of the live object at an address."""

        def __call__(self, address: int, /) -> int: ...


HEADER = object.__basicsize__
"""Bytes of ``PyObject``: two words, four where there is no global lock."""

_CHECKED = (1, 2, 3, 8, 301, 70_001)
_NEVER = sys.maxsize


def immortal_from(version: tuple[int, int], word: int) -> int:
    """Return the least stored number that stands for an immortal object.

    By Include/refcount.h: on 64 bit the sign of a 32 bit number; on 32 bit the value
    0x3FFFFFFF in 3.12, and 1 << 30 since 3.14.  3.11 starts static objects at
    999,999,999 and counts on from there.
    """
    if version < (3, 11):
        return _NEVER
    if version < (3, 12):
        return 500_000_000
    return 1 << 31 if word == 8 else (1 << 30) - 1


def count_layout(version: tuple[int, int], word: int, order: str) -> tuple[int, int]:
    """Return where the count is: bytes before the type pointer, and its size.

    Up to 3.11, and on 32 bit, it is a word.  Since 3.12 it is 32 bits of one, and
    since 3.14 flags are in the other half.
    """
    if word == 4 or version < (3, 12):
        return -word, word
    return (-4, 4) if order == "big" else (-word, 4)


def header_reader() -> CountReader | None:
    """Return how to read a count by address, or None where this build is not known."""
    try:
        import ctypes  # noqa: PLC0415  # absent from some embedded builds
    except ImportError:  # pragma: no cover  # no such build here
        return None
    try:  # 3.14+
        exported = ctypes.pythonapi.Py_REFCNT
    except AttributeError:
        return None if FREE_THREADED else _offset_reader()
    exported.restype = ctypes.c_ssize_t
    exported.argtypes = (ctypes.c_void_p,)
    read: CountReader = exported
    return read


def _offset_reader() -> CountReader:
    """Return a reader of headers whose layout is in the table."""
    import ctypes  # noqa: PLC0415

    before, size = count_layout(VERSION, WORD, sys.byteorder)
    offset = HEADER - WORD + before
    cell = {4: ctypes.c_uint32, 8: ctypes.c_ssize_t}[size]
    return lambda address: cell.from_address(address + offset).value


def header_problem(
    read: CountReader | None, _getrefcount: Callable[[object], int] = sys.getrefcount
) -> str | None:
    """Return why the header and ``sys.getrefcount`` do not agree; None if they do."""
    if read is None:
        return "the header of objects cannot be read here"
    thing = object()
    for number in _CHECKED:
        held = [thing] * (number - 1)
        stored, told = read(id(thing)), _getrefcount(held[0]) if held else number + 1
        del held
        if (stored, told) != (number, number + 1):
            return (
                f"the header of an object with {number} references reads as {stored}, "
                f"and sys.getrefcount says {told}"
            )
    return None


VERSION = sys.version_info[:2]
IMMORTAL_FROM = immortal_from(VERSION, WORD)
"""A stored number from here on is no count."""

DEFERRED = sys.maxsize // 8 if FREE_THREADED else _NEVER
"""What is added to counts that are kept elsewhere too (_Py_REF_DEFERRED, 3.14)."""

PROBLEM = header_problem(header_reader())
"""Why what the header holds is not told; None if it is known."""
