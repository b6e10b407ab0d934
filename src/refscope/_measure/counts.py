"""Shared objects whose reference count creeps up.

A list that gets the same object again and again grows by no object and by hardly a
block; a reference leaked in C to something shared grows by nothing at all.  What else
grows has references too, which are subtracted.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Generator
from itertools import compress, repeat
from operator import is_, ne, not_
from sys import getrefcount

from . import census
from .budget import CHUNK, Budget
from .classes import is_class, type_name
from .evidence import Evidence
from .hazards import referents_of
from .interpreter import count_elements
from .keeping import Kept
from .lengths import Look
from .listed import listed
from .retention import find_trails
from .rounds import collect


_IMMORTAL = 1 << 28
_MOST = 3
_MOST_HOLDERS = 16


class Counts:
    """Reference counts of all tracked objects, at three moments."""

    __slots__ = ("_looks", "calls", "growth", "lengths")

    def __init__(self, calls: int) -> None:
        self.calls: int = calls
        self.growth: dict[int, tuple[int, int]] = {}
        """What each object gained in the two stretches, by identity."""
        self._looks: Kept[tuple[array[int], array[int]]] = Kept()
        self.lengths: Kept[Look] = Kept()
        """How long things were at the three moments."""

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
        if self.growth:
            self._subtract_new(set(ids))

    def _subtract_new(self, before: set[int]) -> None:
        """Subtract the references from what the calls made and left.

        That is a leak of its own, and so each of them has a class that gains one.
        """
        objects = Kept(listed())
        is_old = map(before.__contains__, map(id, objects))
        new = Kept(compress(objects, map(not_, is_old)))
        gained: dict[int, int] = {}
        for first in range(0, len(new), CHUNK):
            held = referents_of(new[first : first + CHUNK])
            count_elements(gained, map(id, held))
        for key, steps in [*self.growth.items()]:
            rest = (sum(steps) - gained.get(key, 0)) // 2
            self.growth[key] = rest, rest
            if rest < self.calls:
                del self.growth[key]

    def _look(self) -> None:
        objects = Kept(listed())
        self._looks.append(
            (array("Q", map(id, objects)), array("q", map(getrefcount, objects)))
        )
        self.lengths.append(Look(objects))

    def evidence(
        self, given: object, budget: Budget, *, is_alone: bool
    ) -> list[Evidence]:
        """Return what is known of the objects that gained references.

        Where something else grows as well (``is_alone`` is false), a class may have
        gained them from objects of it that the collector does not see.
        """
        things = Kept([o for o in listed() if id(o) in self.growth])
        things = Kept(census.foreign(things))
        del things[_MOST:]
        found: list[Evidence] = []
        for thing in things:
            known = self._of(thing, given, budget)
            if is_alone or known.path is not None or not is_class(thing):
                found.append(known)
        return found

    def _of(self, thing: object, given: object, budget: Budget) -> Evidence:
        known = Evidence(type_name(type(thing)))
        gained = sum(self.growth[id(thing)])
        found = find_trails(thing, budget, given=given, most_holders=_MOST_HOLDERS)
        for trail in found.trails:
            holder = trail.objects[-2] if len(trail.objects) > 1 else None
            if sum(map(is_, gc.get_referents(holder), repeat(thing))) >= gained:
                known.verdict = "held"
                known.path = trail.report()
                known.grows_at = len(trail.names) - 2
                known.container = id(holder)
                return known
        known.verdict = "unknown" if budget.is_spent else "native"
        return known


census.own(Counts)
