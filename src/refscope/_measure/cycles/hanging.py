"""What lives only because of a few objects: freeing them, on paper.

As the interpreter would: a freed object gives back its references, and whatever has
none left goes with it.  Counts are exact, so the answer is; nothing is freed.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from itertools import chain, compress, filterfalse, repeat
from operator import eq, is_, sub

from refscope._measure.cpython.borrowing import GENERATORS, may_own_less
from refscope._measure.cpython.interpreter import (
    BORROWS,
    IS_SUPPORTED,
    count_elements,
    getrefcount,
)
from refscope._measure.heap.graphs import Graph
from refscope._measure.names.containers import dict_keys
from refscope._measure.names.describe import sizes_of


MOST = 200_000
"""Objects that are looked at; about half a second."""
_CHUNK = 512
"""Objects taken together: what they refer to fits a cache."""


def hanging_on(graph: Graph, nodes: Sequence[int]) -> tuple[int, int] | None:
    """Return how many objects live only because of these, and their shallow bytes.

    The nodes themselves are not among them.  None if there are too many to look at, or
    if a generator may own less of them than it has.
    """
    members, objects = set(nodes), graph.objects
    given: dict[int, int] = {}
    loose = _Loose()
    level: Iterable[int] = nodes
    dead: list[int] = []
    seen = len(members)
    known: dict[int, bool] = {}
    while level and seen <= MOST:
        level = list(level)
        if BORROWS:
            waiting = [node for node in level if graph.kinds[node] in GENERATORS]
            if any(_borrows(graph.object_of(node), known) for node in waiting):
                return None
        loose.take([objects[node - 1] for node in level])
        back: dict[int, int] = {}
        count_elements(
            back, chain.from_iterable(map(graph.successors.__getitem__, level))
        )
        level = []
        for node in filterfalse(members.__contains__, back):
            given[node] = given.get(node, 0) + back[node]
            if given[node] == graph.counts[node]:
                level.append(node)
        dead += level
        seen += len(level)
    if seen > MOST:
        return None
    freed = loose.freed()
    things = [*map(graph.object_of, dead), *freed]
    return len(things), sum(sizes_of(things))


def _borrows(thing: object, known: dict[int, bool]) -> bool:
    """Return whether an object has something twice that it may own once."""
    if not may_own_less(thing, known):
        return False
    referents = list(map(id, gc.get_referents(thing)))
    return len(referents) > len(set(referents))


class _Loose:
    """Objects that the collector does not track, and who gave them back."""

    def __init__(self) -> None:
        self._things: dict[int, object] = {}
        self._given: dict[int, int] = {}

    def take(self, holders: Sequence[object]) -> None:
        """Note the untracked objects that freed objects refer to."""
        found: list[object] = []
        for start in range(0, len(holders), _CHUNK):
            referents = gc.get_referents(*holders[start : start + _CHUNK])
            found += filterfalse(gc.is_tracked, referents)
        are_dicts = map(issubclass, map(type, holders), repeat(dict))
        for holder in compress(holders, are_dicts):
            found += _unshown_keys(holder)
        count_elements(self._given, map(id, found))
        self._things.update(zip(map(id, found), found, strict=True))

    def freed(self) -> list[object]:
        """Return those that nothing else refers to, and what goes with them."""
        freed: list[object] = []
        while new := self._unreferenced():
            freed += map(self._things.pop, new)
            self.take(freed[-len(new) :])
        return freed

    def _unreferenced(self) -> list[int]:
        counts = list(map(getrefcount, self._things.values()))
        left = map(sub, counts, repeat(_EXTRA))
        given = map(self._given.__getitem__, self._things)
        return list(compress(self._things, map(eq, left, given)))


def _unshown_keys(holder: object) -> list[object]:
    """Return the keys of a dictionary that has texts only: it does not show them."""
    keys = dict_keys(holder)
    return keys if all(map(is_, map(type, keys), repeat(str))) else []


_EXTRA = next(map(getrefcount, {0: object()}.values())) if IS_SUPPORTED else 0
"""References to an object that only a dictionary has, as they are counted here."""
