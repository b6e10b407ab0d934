"""Who holds what in the whole heap: also what no list of the collector has.

That is containers which the collector does not track, and frozen objects.  A look at
all of it for a few objects takes a sixth of the time that it takes to note the holders
of everything, which pays where the way to a root is long.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import filterfalse

from refscope._measure.budget import CHUNK, Budget
from refscope._measure.cpython.hazards import referents_of
from refscope._measure.cpython.listed import everything
from refscope._measure.heap import census
from refscope._measure.heap.holding import containers_among, note_holders
from refscope._measure.heap.keeping import Kept


_MOST_LOOKS = 4
"""Before everything is turned around."""
STAGE = "searching for holders"


class Whole:
    """All objects of one moment, looked at a few times or turned around once."""

    __slots__ = ("_beside", "_budget", "_foreign", "_holders_of", "_looks", "_things")

    def __init__(
        self,
        foreign: Callable[[list[object]], list[object]],
        budget: Budget,
        variables: list[object],
    ) -> None:
        """Take a function that leaves out what is refscope's, and bounds.

        Also what variables of running frames have: no object that is listed may.
        """
        self._foreign = foreign
        self._budget = budget
        untracked = list(filterfalse(gc.is_tracked, variables))
        containers = {id(one): one for one in containers_among(untracked)}
        self._beside: Kept[object] = Kept(containers.values())
        self._looks: int = 0
        self._things: Kept[object] = Kept()
        self._holders_of: dict[int, list[object]] | None = None

    def holders(self, wanted: set[int]) -> list[object]:
        """Return who refers to any of these objects."""
        if self._looks < _MOST_LOOKS:
            self._looks += 1
            return Kept(self._looked_up(wanted))  # it is there when all is listed
        if self._holders_of is None:
            self._holders_of = self._turned_around()
        known = self._holders_of
        found = {id(h): h for node in wanted for h in known.get(node, ())}
        return list(found.values())

    def clear(self) -> None:
        """Let go of everything: it may hold what holds it."""
        self._things.clear()
        self._beside.clear()
        if self._holders_of is not None:
            self._holders_of.clear()  # it holds whoever may still hold it

    def _looked_up(self, wanted: set[int]) -> Iterator[object]:
        for part, held in self._parts() if self._things else self._first_parts():
            if not wanted.isdisjoint(map(id, held)):
                for thing in part:
                    if not wanted.isdisjoint(map(id, referents_of([thing]))):
                        yield thing

    def _first_parts(self) -> Iterator[tuple[list[object], list[object]]]:
        """Yield things and what they refer to, and note what there is."""
        met = set(map(id, self._beside))
        level = everything(self._foreign, self._budget)  # no list of ours may be begun
        level += self._beside
        while level and self._budget.spend(len(level), STAGE):
            self._things += level
            later: dict[int, object] = {}
            for start in range(0, len(level), CHUNK):
                part = level[start : start + CHUNK]
                held = referents_of(part)
                yield part, held
                hidden = list(containers_among(list(filterfalse(gc.is_tracked, held))))
                later.update(zip(map(id, hidden), hidden, strict=True))
            new = list(filterfalse(met.__contains__, later))
            met.update(new)
            level = list(map(later.__getitem__, new))

    def _parts(self) -> Iterator[tuple[list[object], list[object]]]:
        for start in range(0, len(self._things), CHUNK):
            part = self._things[start : start + CHUNK]
            yield part, referents_of(part)

    def _turned_around(self) -> dict[int, list[object]]:
        holders: defaultdict[int, list[object]] = defaultdict(Kept)
        for start in range(0, len(self._things), CHUNK):
            note_holders(holders, self._things[start : start + CHUNK])
        return holders


class Seen:
    """What searches of one moment share: how often they looked, and the whole heap.

    Nothing but refscope works between them.
    """

    __slots__ = ("_by_given", "looks", "whole")

    def __init__(self) -> None:
        self._by_given: Seen | None = None
        self.looks: int = 0
        """How often all that is tracked was looked at for a few objects."""
        self.whole: Whole | None = None

    def clear(self) -> None:
        """Let go of everything."""
        if self.whole is not None:
            self.whole.clear()
        if self._by_given is not None:
            self._by_given.clear()
        self.whole = self._by_given = None

    def by_given(self) -> Seen:
        """Return what searches share to which what the caller gave is no wall."""
        if self._by_given is None:
            self._by_given = Seen()
        return self._by_given


census.own(Whole, Seen)
