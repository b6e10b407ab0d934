"""How long buffers, lists and texts are: one that gets ever longer is no object more.

Only exact built-in types are measured, which run no code of the program.  A text that
gets longer is another one each time: it is known by what went as it came.
"""

from __future__ import annotations

import gc
from array import array
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import chain, compress, pairwise
from operator import not_
from sys import getsizeof
from typing import cast

from refscope._measure.budget import CHUNK, Budget
from refscope._measure.cpython.classes import identities, type_name
from refscope._measure.cpython.hazards import referents_of
from refscope._measure.cpython.listed import listed
from refscope._measure.heap import census
from refscope._measure.heap.keeping import Kept
from refscope._measure.retention.search import find_trails

from .caches import not_full
from .evidence import Evidence


_BUFFERS = identities(bytearray, array)
_CONTAINERS = identities(list, dict, set, deque, OrderedDict, defaultdict)
_TEXTS = identities(str, bytes)
_DICT = identities(dict)
_UNTRACKED = _BUFFERS | _TEXTS | _DICT
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
        self.containers: dict[int, int] = {}
        self.buffers: dict[int, int] = {}
        self.texts: dict[int, int] = {}
        for containers, buffers, texts in _measured(objects):
            _note(self.containers, containers)
            _note(self.buffers, buffers)
            _note(self.texts, compress(texts, map(_SHORTEST.__le__, map(len, texts))))

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
        held = _of(_UNTRACKED, referents_of(part))
        # Of atoms alone: the __dict__ of an object up to 3.10, others up to 3.13.
        dicts = _of(_DICT, held)
        hidden = Kept(compress(dicts, map(not_, map(gc.is_tracked, dicts))))
        held += _of(_UNTRACKED, referents_of(hidden))
        containers = _of(_CONTAINERS, part)
        containers += hidden
        yield containers, _of(_BUFFERS, held), _of(_TEXTS, held)


def _note(lengths: dict[int, int], things: Iterable[Sized]) -> None:
    things = Kept(things)
    lengths.update(zip(map(id, things), map(len, things), strict=True))


def _of(kinds: frozenset[int], things: Sequence[object]) -> Kept[Sized]:
    is_one = map(kinds.__contains__, map(id, map(type, things)))
    return Kept(cast("Iterator[Sized]", compress(things, is_one)))


def grown(looks: Sequence[Look], *, is_alone: bool = True) -> dict[int, list[int]]:
    """Return by how much each got longer between the looks, if between all of them.

    Where something else leaks (``is_alone`` is false), containers grow by that.
    """
    kinds = [[look.buffers for look in looks]]
    if is_alone:
        kinds.append([look.containers for look in looks])
    found: dict[int, list[int]] = {}
    for lengths_of in kinds:
        for key, last in lengths_of[-1].items():
            if last > lengths_of[0].get(key, last):
                found[key] = _steps([known.get(key, 0) for known in lengths_of])
    found[TEXT] = _steps([look.text for look in looks])
    return {key: steps for key, steps in found.items() if min(steps) > 0}


def _steps(lengths: Iterable[int]) -> list[int]:
    return [after - before for before, after in pairwise(lengths)]


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


census.own(Look)
