"""Shared objects whose reference count creeps up though nothing else grows.

A list that gets the same object again and again grows by no object and by hardly a
block; a reference leaked in C to something shared grows by nothing at all.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Generator
from itertools import compress, repeat
from operator import is_, ne
from sys import getrefcount

from . import census
from .budget import Budget
from .classes import type_name
from .evidence import Evidence
from .keeping import Kept
from .listed import listed
from .retention import find_trails
from .rounds import collect


_IMMORTAL = 1 << 28
_MOST = 3
_MOST_HOLDERS = 16


class Counts:
    """Reference counts of all tracked objects, at three moments."""

    __slots__ = ("_looks", "calls", "growth")

    def __init__(self, calls: int) -> None:
        self.calls: int = calls
        self.growth: dict[int, tuple[int, int]] = {}
        """What each object gained in the two stretches, by identity."""
        self._looks: list[tuple[array[int], array[int]]] = []

    def run(self) -> Generator[int, None, None]:
        """Look, and make calls in between."""
        for calls in (self.calls, self.calls, 0):
            collect()
            self._look()
            if calls:
                yield calls
        (ids, first), (ids_1, second), (ids_2, third) = self._looks
        middle = dict(zip(ids_1, second, strict=True))
        last = dict(zip(ids_2, third, strict=True))
        now = array("q", map(middle.get, ids, first))
        changed = compress(zip(ids, first, now, strict=True), map(ne, first, now))
        for key, count, count_1 in changed:
            steps = count_1 - count, last.get(key, count_1) - count_1
            if steps[0] == steps[1] >= self.calls and count < _IMMORTAL:
                self.growth[key] = steps
        self._looks.clear()

    def _look(self) -> None:
        objects = Kept(listed())
        self._looks.append(
            (array("Q", map(id, objects)), array("q", map(getrefcount, objects)))
        )

    def evidence(self, given: object, budget: Budget) -> list[Evidence]:
        """Return what is known of the objects that gained references."""
        things = Kept([o for o in listed() if id(o) in self.growth])
        things = Kept(census.foreign(things))
        del things[_MOST:]
        return [self._of(thing, given, budget) for thing in things]

    def _of(self, thing: object, given: object, budget: Budget) -> Evidence:
        known = Evidence(type_name(type(thing)))
        gained = sum(self.growth[id(thing)])
        trails, _ = find_trails(thing, budget, given=given, most_holders=_MOST_HOLDERS)
        for trail in trails:
            holder = trail.objects[-2] if len(trail.objects) > 1 else None
            if sum(map(is_, gc.get_referents(holder), repeat(thing))) >= gained:
                known.verdict = "held"
                known.path = trail.report()
                known.grows_at = len(trail.names) - 2
                return known
        known.verdict = "unknown" if budget.is_spent else "native"
        return known


census.own(Counts)
