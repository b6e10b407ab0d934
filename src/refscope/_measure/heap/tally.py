"""Objects told apart by their types, without touching one.

Each object is asked for its type once, and one byte stands for it from then on: they
are counted, and those of some types picked, without a look at the objects again.
Whole heaps go through here, so all that is done for each object is done in C, and
nothing is made for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from itertools import chain, compress, repeat
from typing import cast

from refscope._measure.algorithms.histogram import histogram
from refscope._measure.cpython.classes import metaclasses_are_plain
from refscope._measure.cpython.interpreter import count_elements


_COMMON = 255
"""How many types have a byte of their own; the last byte is that of all others."""

_OTHERS = bytes(_COMMON) + b"\1"


class Tally:
    """Some objects by type.

    Types are told apart by the plain hash of ``type``.  Where a metaclass has a hash
    or comparison of its own it is not asked: their identities are used then.
    """

    __slots__ = ("_by_identity", "_bytes", "_codes", "_objects", "_others")

    def __init__(self, objects: list[object]) -> None:
        self._objects: list[object] = objects
        self._by_identity: bool = not metaclasses_are_plain()
        next_code = chain(range(_COMMON), repeat(_COMMON)).__next__
        self._codes: defaultdict[Hashable, int] = defaultdict(next_code)
        self._bytes: bytes = bytes(
            map(self._codes.__getitem__, self._keys(map(type, objects)))
        )
        self._others: list[object] = []
        if len(self._codes) > _COMMON:
            self._others.extend(compress(objects, self._bytes.translate(_OTHERS)))

    def counts(self) -> list[tuple[type, int]]:
        """Return how many there are of each type."""
        numbers = histogram(self._bytes)
        counts = {
            key: numbers[code] for key, code in self._codes.items() if code < _COMMON
        }
        count_elements(counts, self._keys(map(type, self._others)))
        if not self._by_identity:
            return [*cast("dict[type, int]", counts).items()]
        kinds = [*map(type, self._objects)]
        kind_of: dict[Hashable, type] = dict(zip(map(id, kinds), kinds, strict=True))
        # Some other thread may have given an object another class in between.
        return [
            (kind_of[key], number) for key, number in counts.items() if key in kind_of
        ]

    def of(self, *kinds: type) -> Iterator[object]:
        """Return the objects of some types."""
        keys = {*self._keys(kinds)}
        chosen = bytearray(_COMMON + 1)
        for key in keys.intersection(self._codes):
            chosen[self._codes[key]] = 1
        chosen[_COMMON] = 0
        are_chosen = map(keys.__contains__, self._keys(map(type, self._others)))
        return chain(
            compress(self._objects, self._bytes.translate(chosen)),
            compress(self._others, are_chosen),
        )

    def _keys(self, kinds: Iterable[type]) -> Iterator[Hashable]:
        return map(id, kinds) if self._by_identity else iter(kinds)
