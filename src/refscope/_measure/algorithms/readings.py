"""Numbers of many things at one moment, and which of them are others later.

Pure: keys and numbers in, keys and numbers out.  A dictionary of a million numbers
takes longer to make than all else that is done with it, and a hundred bytes for each.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import compress, count
from operator import ne


_STRETCH = 4096
"""How much is compared at once, and how far ahead it is looked where they differ."""

_MOST_GAPS = 256


class Readings:
    """Numbers by key, in the order in which they were read."""

    __slots__ = ("keys", "numbers")

    def __init__(self, keys: Iterable[int] = (), numbers: Iterable[int] = ()) -> None:
        self.keys: array[int] = array("Q", keys)
        self.numbers: array[int] = array("q", numbers)

    def take(self, other: Readings, start: int, stop: int | None = None) -> None:
        """Add a part of others."""
        self.keys.extend(other.keys[start:stop])
        self.numbers.extend(other.numbers[start:stop])


def changes(before: Readings, after: Readings) -> Iterator[tuple[int, int, int]]:
    """Yield key, number and later number of all that both have, where they differ.

    A key that occurs again has the same number each time.
    """
    odd, odd_after = Readings(), Readings()
    for here, there, alike in _side_by_side(before, after, odd, odd_after):
        yield from _unequal(
            before.keys[here : here + alike],
            before.numbers[here : here + alike],
            after.numbers[there : there + alike],
        )
    known = dict(zip(odd_after.keys, odd_after.numbers, strict=True))
    later = array("q", map(known.get, odd.keys, odd.numbers))
    yield from _unequal(odd.keys, odd.numbers, later)


def gone(before: Readings, after: Readings) -> set[int]:
    """Return the keys that are in the first only."""
    odd, odd_after = Readings(), Readings()
    deque(_side_by_side(before, after, odd, odd_after), 0)
    return {*odd.keys}.difference(odd_after.keys)


def _side_by_side(
    before: Readings, after: Readings, odd: Readings, odd_after: Readings
) -> Iterator[tuple[int, int, int]]:
    """Yield where both go on alike, and for how long; the others are added to the odd.

    Most are in the same order in both, with some gone and some new in between.  None
    of them is looked for, but what is odd has to be.
    """
    here = there = gaps = 0
    while gaps <= _MOST_GAPS:
        alike = _alike(
            before.keys[here : here + _STRETCH], after.keys[there : there + _STRETCH]
        )
        yield here, there, alike
        here, there = here + alike, there + alike
        if here == len(before.keys) or there == len(after.keys):
            break
        if alike == _STRETCH:
            continue
        gaps += 1
        lost = _ahead(before.keys, here, after.keys[there])
        come = _ahead(after.keys, there, before.keys[here])
        if not (lost or come):
            lost = come = 1
        elif lost and come:  # some have changed places
            lost, come = (lost, 0) if lost < come else (0, come)
        odd.take(before, here, here + lost)
        odd_after.take(after, there, there + come)
        here, there = here + lost, there + come
    odd.take(before, here)
    odd_after.take(after, there)


def _alike(keys: array[int], others: array[int]) -> int:
    """Return how many keys are the same from the first on."""
    if keys == others:
        return len(keys)
    both = min(len(keys), len(others))
    return next(compress(count(), map(ne, keys, others)), both)


def _ahead(keys: array[int], start: int, key: int) -> int:
    """Return how far from a start a key is, 0 if not near."""
    try:
        return keys.index(key, start, start + _STRETCH) - start
    except ValueError:
        return 0


def _unequal(
    keys: array[int], numbers: array[int], later: array[int]
) -> Iterator[tuple[int, int, int]]:
    if numbers == later:
        return iter(())
    return compress(zip(keys, numbers, later, strict=False), map(ne, numbers, later))
