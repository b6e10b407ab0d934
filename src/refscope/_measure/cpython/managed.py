"""Whether an instance has its ``__dict__`` already, told without asking for it.

Since 3.11 attributes lie in the instance, and asking for ``__dict__`` makes one that
stays.  The words before the object tell: three words before it (one without the global
lock) is the pointer to the dictionary, 0 or odd as long as there is none
(Include/internal/pycore_object.h, MANAGED_DICT_OFFSET).  The place is tried at import.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from itertools import compress

from .classes import WORD, get_dict_offset, has_managed_dict


WordReader = Callable[[int], int]


class Sample:
    """Has attributes, for the trial."""

    def __init__(self) -> None:
        self.number = 0


def word_reader() -> WordReader | None:
    """Return how to read a word of memory, or None."""
    try:
        from ctypes import c_size_t  # noqa: PLC0415  # absent from some embedded builds
    except ImportError:  # pragma: no cover  # no such build here
        return None
    return lambda address: c_size_t.from_address(address).value


def dict_place(read: WordReader | None) -> int | None:
    """Return how many bytes before an object its dictionary's address is.

    None where attributes are not kept in instances, or the place is not found.
    """
    if read is None or not has_managed_dict(Sample):
        return None
    for words in (3, 1):
        place = words * WORD
        sample = Sample()
        before = read(id(sample) - place)
        made = id(vars(sample))
        if (before == 0 or before & 1) and read(id(sample) - place) == made:
            return place
    return None


def hides_dict() -> bool:
    """Return whether an instance says nothing of its dictionary to the collector.

    As long as it has the attributes in itself: up to 3.13.12, and 3.14.3 (gh-130327).
    """
    sample = Sample()
    made = vars(sample)
    return all(thing is not made for thing in gc.get_referents(sample))


def owners_of(thing: object, objects: Sequence[object]) -> list[object]:
    """Return the instances among objects that have a thing for their ``__dict__``."""
    kinds = list(map(type, objects))
    managed = {
        key for key, kind in _by_identity(kinds).items() if has_managed_dict(kind)
    }
    candidates = compress(objects, map(managed.__contains__, map(id, kinds)))
    return [each for each in candidates if is_dict_of(each, thing)]


def _by_identity(kinds: list[type]) -> dict[int, type]:
    return dict(zip(map(id, kinds), kinds, strict=True))


_read = word_reader()
_place = dict_place(_read)


def has_dict(thing: object) -> bool:
    """Return whether an instance of a class with managed attributes has a dictionary.

    False also where that cannot be told.
    """
    if _read is None or _place is None:
        return False
    address = _read(id(thing) - _place)
    return address != 0 and not address & 1


def is_dict_of(holder: object, thing: object) -> bool:
    """Return whether a thing is the ``__dict__`` that an instance has.

    False also where that cannot be told.
    """
    kind = type(holder)
    if _read is None:  # pragma: no cover  # no such build here
        return False
    if has_managed_dict(kind):
        return _place is not None and _read(id(holder) - _place) == id(thing)
    offset = get_dict_offset(kind)
    return offset > 0 and _read(id(holder) + offset) == id(thing)


def may_be_dict_of(holder: object, thing: object) -> bool:
    """Return whether a dictionary is the ``__dict__``, True where that cannot be told.

    As where it lies behind what an object has a varying number of.
    """
    is_known = _read is not None and get_dict_offset(type(holder)) >= 0
    return not is_known or is_dict_of(holder, thing)


CAN_READ: bool = _read is not None
"""Whether ``is_dict_of`` knows the dictionary of each object that has one."""
HIDES_DICT = hides_dict()
