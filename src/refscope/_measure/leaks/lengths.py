"""How long buffers, lists and texts are: one that gets ever longer is no object more.

Only exact built-in types are measured, which run no code of the program.  A text that
gets longer is another one each time: it is known by what went as it came.
"""

from __future__ import annotations

import gc
from array import array
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import chain, compress, filterfalse, pairwise
from sys import getsizeof
from typing import cast

from refscope._measure.algorithms.readings import Readings, changes
from refscope._measure.budget import CHUNK, Budget
from refscope._measure.cpython.classes import type_name
from refscope._measure.cpython.hazards import referents_of
from refscope._measure.cpython.listed import listed
from refscope._measure.heap import census
from refscope._measure.heap.keeping import Kept
from refscope._measure.heap.tally import Tally
from refscope._measure.retention.search import find_trails

from .caches import not_full
from .evidence import Evidence


_BUFFERS = bytearray, array
_CONTAINERS = list, dict, set, deque, OrderedDict, defaultdict
_TEXTS = str, bytes
_SHORTEST = 256
"""Characters or bytes of a text that is looked at: there are very many others."""
_TOLERANCE = 0.1
_MOST_HOLDERS = 16
TEXT = 0
"""Stands for the texts among identities."""


class Look:
    """Lengths by identity at one moment."""

    __slots__ = ("buffers", "containers", "texts")

    def __init__(self, objects: Kept[object]) -> None:
        self.containers: Readings = Readings()
        self.buffers: Readings = Readings()
        self.texts: dict[int, int] = {}
        for containers, buffers, texts in _measured(objects):
            _note(self.containers, containers)
            _note(self.buffers, buffers)
            long = Kept(compress(texts, map(_SHORTEST.__le__, map(len, texts))))
            self.texts.update(zip(map(id, long), map(len, long), strict=True))

    @property
    def text(self) -> int:
        """Length of all texts."""
        return sum(self.texts.values())


def _measured(
    objects: Kept[object],
) -> Iterator[tuple[Kept[Sized], Kept[Sized], Kept[Sized]]]:
    """Yield containers, buffers and texts, part by part.

    Whatever is tracked is among the objects; what is not is what they refer to.
    """
    for first in range(0, len(objects), CHUNK):
        part = objects[first : first + CHUNK]
        held = Tally(referents_of(part))
        # Of atoms alone: the __dict__ of an object up to 3.10, others up to 3.13.
        hidden = Kept(filterfalse(gc.is_tracked, held.of(dict)))
        below = Tally(referents_of(hidden))
        yield (
            _all(chain(Tally(part).of(*_CONTAINERS), hidden)),
            _all(chain(held.of(*_BUFFERS), below.of(*_BUFFERS))),
            _all(chain(held.of(*_TEXTS), below.of(*_TEXTS))),
        )


def _all(things: Iterable[object]) -> Kept[Sized]:
    return Kept(cast("Iterable[Sized]", things))


def _note(lengths: Readings, things: Kept[Sized]) -> None:
    lengths.keys.extend(map(id, things))
    lengths.numbers.extend(map(len, things))


def grown(looks: Sequence[Look], *, is_alone: bool = True) -> dict[int, list[int]]:
    """Return by how much each got longer between the looks, if between all of them.

    Where something else leaks (``is_alone`` is false), containers grow by that.
    """
    kinds = [[look.buffers for look in looks]]
    if is_alone:
        kinds.append([look.containers for look in looks])
    found: dict[int, list[int]] = {}
    for lengths in kinds:
        gains = [_gains(before, after) for before, after in pairwise(lengths)]
        for key in {*gains[0]}.intersection(*gains):
            found[key] = [gain[key] for gain in gains]
    steps = [after - before for before, after in pairwise(look.text for look in looks)]
    if min(steps) > 0:
        found[TEXT] = steps
    return found


def _gains(before: Readings, after: Readings) -> dict[int, int]:
    """Return by how much each got longer that did."""
    return {
        key: later - length
        for key, length, later in changes(before, after)
        if later > length
    }


def longer_text(looks: Sequence[Look], growth: int) -> int | None:
    """Return the identity of the text that came as one went, longer by about that.

    Only the longest of each: others come and go by chance.
    """
    before, after = looks[-2].texts, looks[-1].texts
    gone = [size for key, size in before.items() if after.get(key) != size]
    came = {size: key for key, size in after.items() if before.get(key) != size}
    shorter, longer = max(gone, default=0), max(came, default=0)
    is_so = abs(longer - shorter - growth) <= growth * _TOLERANCE
    return came[longer] if is_so and 2 * shorter >= growth > 0 else None


def evidence(
    keys: set[int], given: object, budget: Budget
) -> Iterator[tuple[int, Evidence]]:
    """Yield what is known of those that get longer."""
    if not keys:  # the heap is large
        return
    for thing in _with_ids(keys):
        yield id(thing), _of_one(thing, given, budget)


def _with_ids(keys: set[int]) -> Kept[object]:
    """Return what has these identities, in no list that a search would find."""
    things: Kept[object] = Kept()
    left = {*keys}
    for part in chain.from_iterable(_measured(Kept(listed()))):
        for thing in part:
            if id(thing) in left:
                left.discard(id(thing))
                things.append(thing)
    return Kept(census.foreign(things))


def _of_one(thing: object, given: object, budget: Budget) -> Evidence:
    known = Evidence(type_name(type(thing)))
    known.container = id(thing)
    known.retained = getsizeof(thing) / len(cast("Sized", thing))
    known.bound = not_full([thing])
    found = find_trails(thing, budget, given=given, most_holders=_MOST_HOLDERS)
    for trail in found.trails[:1]:
        if trail.names[-1:] == ["<cache>"]:
            known.bound = not_full(trail.objects[-2:-1])
        known.verdict = "held"
        known.path = trail.report()
    return known


census.own(Look, Readings)
