"""Live objects to a graph of integers, by identity, and back.

Everything per object happens in C: a chain of ``map``, ``filter`` and ``tuple`` that
runs to its end without a step of Python in between.  That is fast, and it is a lock:
under the global interpreter lock no other thread can change anything meanwhile.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, filterfalse, repeat
from operator import methodcaller, sub
from typing import Any, cast

from refscope._measure.cpython.interpreter import (
    IS_SUPPORTED,
    count_elements,
    getrefcount,
)
from refscope._typing import Self


# ``map`` of ``map`` and the like, which no type checker follows.
each = cast("Callable[..., Iterator[Any]]", map)
_call: Callable[[Callable[[], object]], object] = methodcaller("__call__")

_PART = 1024
"""Nodes that are looked at together for what they refer to."""


class Graph:
    """Objects as nodes, and which node refers to which, as often as it does.

    Node 0 is nobody: it has no references, and no object.
    """

    __slots__ = ("_kinds", "counts", "nodes", "objects", "successors", "types")

    def __init__(
        self,
        objects: list[object],
        successors: list[tuple[int, ...]],
        counts: list[int],
    ) -> None:
        self.objects: list[object] = objects
        """The objects, None for those dropped; that of node ``v`` is at ``v - 1``."""
        self.successors: list[tuple[int, ...]] = successors
        """Nodes by node, in the order of ``gc.get_referents``."""
        self.counts: list[int] = counts
        """Reference counts by node, without those that the list is the cause of."""
        self.nodes: Sequence[int] = range(1, len(successors))
        """The nodes that matter; no other has references."""
        self.types: dict[int, type] = {}
        """By identity the types of the objects, as soon as ``kinds`` was asked for."""
        self._kinds: list[int] = []

    @property
    def kinds(self) -> list[int]:
        """Identities of the objects' types by node, 0 for nobody.

        From then on the graph holds the types: a new count of them is one too high.
        """
        if not self._kinds:
            kinds = list(map(id, map(type, self.objects)))
            known: set[int] = set()
            for start in range(0, len(kinds), _PART):
                part = kinds[start : start + _PART]
                if not known.issuperset(part):
                    things = self.objects[start : start + _PART]
                    self.types.update(zip(part, map(type, things), strict=True))
                    known.update(part)
            self._kinds = [0, *kinds]
        return self._kinds

    def __len__(self) -> int:
        return len(self.successors)

    def object_of(self, node: int) -> object:
        """Return the object of a node."""
        return self.objects[node - 1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the objects.

        A variable of our own functions may be among them, in its cell, and refer to
        this graph: that would be a cycle of refscope's making.
        """
        self.objects.clear()
        self.types.clear()

    def drop(self, nodes: set[int]) -> None:
        """Forget nodes: they refer to nothing any more, and nothing to them."""
        for node in nodes:
            self.successors[node] = ()
            self.objects[node - 1] = None
        self._kinds = []
        self.types.clear()
        is_dropped = nodes.__contains__
        self.nodes = list(filterfalse(is_dropped, self.nodes))
        for start in range(0, len(self), _PART):
            part = self.successors[start : start + _PART]
            if not nodes.isdisjoint(chain.from_iterable(part)):
                kept = map(tuple, map(filterfalse, repeat(is_dropped), part))
                self.successors[start : start + _PART] = kept


def capture(objects: list[object], holders: Sequence[Sequence[object]] = ()) -> Graph:
    """Return the graph of these objects at one moment.

    Nothing else of the caller's may refer to them, or their counts are too high, but
    for the holders, which are taken off.
    On a build without the global interpreter lock it is no single moment.
    """
    graph = _capture(objects)
    graph.counts[1:] = map(sub, graph.counts[1:], repeat(_EXTRA))
    if holders:
        held: dict[int, int] = {}
        count_elements(held, map(id, chain.from_iterable(holders)))
        ours = map(held.get, map(id, objects), repeat(0))
        graph.counts[1:] = map(sub, graph.counts[1:], ours)
    return graph


def counts_of(objects: Sequence[object]) -> Iterator[int]:
    """Return reference counts as in a graph of the same objects, nobody's first."""
    return chain((0,), map(sub, map(getrefcount, objects), repeat(_EXTRA)))


def _capture(objects: list[object]) -> Graph:
    number_of = dict(
        zip(map(id, objects), range(1, len(objects) + 1), strict=False)
    ).get
    ids = each(map, repeat(id), _referents_of(objects))
    known = each(filter, repeat(None), each(map, repeat(number_of), ids))
    successors: list[tuple[int, ...]] = [()]
    counts = [0]
    steps: tuple[Callable[[], object], ...] = (
        partial(successors.extend, each(tuple, known)),
        partial(counts.extend, map(getrefcount, objects)),
    )
    deque(map(_call, steps), maxlen=0)
    return Graph(objects, successors, counts)


def _referents_of(objects: Iterable[object]) -> Iterator[list[object]]:
    return map(gc.get_referents, objects)


_EXTRA = _capture([object()]).counts[1] if IS_SUPPORTED else 0
"""References to an object that nobody refers to, as ``_capture`` counts them."""
