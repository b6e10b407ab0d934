"""Shared objects whose reference count creeps up.

A list that gets the same object again and again grows by no object and by hardly a
block; a reference leaked in C to something shared grows by nothing at all.  What else
grows has references too, which are subtracted.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from itertools import compress, repeat
from operator import is_
from sys import getrefcount
from types import FrameType

from refscope._measure.algorithms.readings import Readings, changes, gone
from refscope._measure.budget import CHUNK, Budget
from refscope._measure.cpython.classes import is_class, type_name
from refscope._measure.cpython.frames import running_frames
from refscope._measure.cpython.hazards import referents_of
from refscope._measure.cpython.interpreter import count_elements
from refscope._measure.cpython.listed import listed
from refscope._measure.heap import census
from refscope._measure.heap.keeping import Kept
from refscope._measure.names.table import names_of
from refscope._measure.references.refcounts import IS_OLD
from refscope._measure.retention.search import best_name, find_trails

from .caches import not_full
from .evidence import Evidence
from .lengths import Look
from .rounds import collect


_IMMORTAL = 1 << 28
_MOST = 3
_MOST_HOLDERS = 16


class Counts:
    """Reference counts of all tracked objects, at three moments."""

    __slots__ = ("_frames", "_looks", "calls", "growth", "lengths")

    def __init__(self, calls: int) -> None:
        self.calls: int = calls
        self.growth: dict[int, int] = {}
        """What each object gained in either of the two stretches, by identity."""
        self._looks: Kept[Readings] = Kept()
        self._frames: frozenset[int] = frozenset()
        self.lengths: Kept[Look] = Kept()
        """How long things were at the three moments."""

    def run(self) -> Generator[int, None, None]:
        """Look, and make calls in between."""
        self._frames = frozenset(map(id, _frames()))
        for calls in (self.calls, self.calls, 0):
            collect()
            self._look()
            if calls:
                yield calls
        first, second, third = self._looks
        self._looks.clear()
        steps = {key: after - before for key, before, after in changes(second, third)}
        for key, before, after in changes(first, second):
            step = after - before
            is_steady = steps.get(key) == step
            if is_steady and step >= self.calls and before < _IMMORTAL:
                self.growth[key] = step
        if self.growth:
            self._subtract_new(first, second)

    def _subtract_new(self, first: Readings, second: Readings) -> None:
        """Subtract the references from what the calls made and left.

        That is a leak of its own, and so each of them has a class that gains one.
        """
        objects = Kept(listed())
        now = Readings(map(id, objects))
        # Who was not there in between has an address that is used again.
        ids = gone(now, first) | gone(first, second)
        new = Kept(compress(objects, map(ids.__contains__, now.keys)))
        new += [frame for frame in _frames() if id(frame) not in self._frames]
        gained: dict[int, int] = {}
        for start in range(0, len(new), CHUNK):
            held = referents_of(new[start : start + CHUNK])
            count_elements(gained, map(id, held))
        rests = {
            key: (2 * step - gained.get(key, 0)) // 2
            for key, step in self.growth.items()
        }
        self.growth = {key: rest for key, rest in rests.items() if rest >= self.calls}

    def _look(self) -> None:
        objects = Kept(listed())
        self._looks.append(Readings(map(id, objects), map(getrefcount, objects)))
        self.lengths.append(Look(objects))

    def evidence(
        self, given: object, budget: Budget, *, is_alone: bool
    ) -> Generator[int, None, Kept[tuple[int, Evidence]]]:
        """Make some more calls and return whose the references are that came.

        With the identity of each object.  Where something else grows as well
        (``is_alone`` is false), a class may have gained them from objects of it that
        the collector does not see.
        """
        things = Kept([o for o in listed() if id(o) in self.growth])
        things = Kept(census.foreign(things))
        del things[_MOST:]
        before = Kept(map(_references, things))
        calls = max(1, self.calls // 2)
        if things:
            yield calls
            collect()
        found: Kept[tuple[int, Evidence]] = Kept()
        for thing, counts in zip(things, before, strict=True):
            gained = _gained(counts, _references(thing))
            known = Evidence(type_name(type(thing)))
            if sum(gained.values()) * self.calls < self.growth[id(thing)] * calls:
                known.verdict = "unknown" if budget.is_spent else "native"
            else:
                _tell(known, thing, gained, given, budget)
            if is_alone or known.path is not None or not is_class(thing):
                found.append((id(thing), known))
        return found


def _frames() -> list[FrameType]:
    """Return the frames of other threads where they own namespaces, and are unlisted.

    Since 3.11 the function has them, whose references are seen.
    """
    return running_frames(None) if IS_OLD else []


def _references(thing: object) -> dict[int, int]:
    """Return how many references each holder that is listed has, by identity."""
    holders = Kept(census.foreign(Kept(gc.get_referrers(thing))))
    return {
        id(holder): sum(map(is_, referents_of([holder]), repeat(thing)))
        for holder in holders
    }


def _gained(before: dict[int, int], after: dict[int, int]) -> dict[int, int]:
    """Return who has more references than before, and how many; the most first.

    Who is new does not count: what made it is a leak of its own.
    """
    more = [(after[key] - count, key) for key, count in before.items() if key in after]
    return {key: count for count, key in sorted(more, reverse=True) if count > 0}


def _tell(
    known: Evidence,
    thing: object,
    gained: dict[int, int],
    given: object,
    budget: Budget,
) -> None:
    """Say who holds what was gained, and which part of that has no bound."""
    holders = Kept([o for o in gc.get_referrers(thing) if id(o) in gained])
    holders.sort(key=lambda holder: -gained[id(holder)])
    free = total = sum(gained.values())
    for holder in holders[:_MOST]:
        bound = not_full([holder])
        if bound is not None:
            free -= gained[id(holder)]
            known.bound = bound
        elif known.path is None:
            _lead(known, holder, thing, given, budget)
    if free:
        known.bound = None
        known.share = free / total


def _lead(
    known: Evidence, holder: object, thing: object, given: object, budget: Budget
) -> None:
    """Note the path by way of a holder."""
    found = find_trails(holder, budget, given=given, most_holders=_MOST_HOLDERS)
    for trail in found.trails[:1]:
        trail.lead_on(best_name(names_of(holder, thing)), thing)
        known.verdict = "held"
        known.path = trail.report()
        known.grows_at = len(trail.names) - 2
        known.container = id(holder)


census.own(Counts)
