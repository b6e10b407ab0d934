"""Which cycles look alike, told without naming each of them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, compress, repeat
from operator import attrgetter
from types import (
    AsyncGeneratorType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
)
from typing import cast

from refscope._measure.heap.graphs import Graph
from refscope._measure.names.describe import size_of, sizes_by_type


NAMED_EACH = 64
"""Cycles of a report of which each is named."""
_FINE = 64
"""Members of a component whose wiring is compared, not only their types."""

Component = list[int]


def _keys(thing: object) -> tuple[str, ...]:
    """Return the keys of a small dictionary that are text."""
    keys = list(cast("dict[object, object]", thing))
    return tuple([key for key in keys[:_FEW_KEYS] if type(key) is str])


_FEW_KEYS = 16
_LOOKS: Mapping[int, Callable[[object], object]] = {
    id(dict): _keys,
    id(FunctionType): attrgetter("__code__"),
    id(FrameType): attrgetter("f_code"),
    id(GeneratorType): attrgetter("gi_code"),
    id(CoroutineType): attrgetter("cr_code"),
    id(AsyncGeneratorType): attrgetter("ag_code"),
}
"""How two objects of a type differ that have different names in them."""


class Shapes:
    """Sizes of all nodes of a graph, and which of its components look alike."""

    __slots__ = ("_graph", "_known", "sizes")

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: list[int] = []
        sizes = sizes_by_type(graph.objects, graph.kinds[1:], graph.types)
        self.sizes: list[int] = [0, *sizes]
        """Shallow bytes by node."""

    @property
    def whole(self) -> int:
        """Shallow bytes of all nodes that were not dropped: None stands for others."""
        dropped = len(self._graph) - 1 - len(self._graph.nodes)
        return sum(self.sizes) - dropped * size_of(None)

    def size(self, nodes: Iterable[int]) -> int:
        """Return the shallow bytes of some nodes."""
        return sum(map(self.sizes.__getitem__, nodes))

    def alike(
        self, components: Sequence[Component]
    ) -> list[tuple[list[Component], int]]:
        """Return the components that look alike together, and the bytes of these.

        Those with most bytes come first.
        """
        if len(components) <= NAMED_EACH:
            groups = [[component] for component in components]
        else:
            by_size: defaultdict[int, list[Component]] = defaultdict(list)
            for component in components:
                by_size[len(component)].append(component)
            groups = list(
                chain.from_iterable(map(self._of_a_size, by_size, by_size.values()))
            )
        sized = [(group, self.size(chain.from_iterable(group))) for group in groups]
        return sorted(sized, key=_weight)

    def _looks(self) -> list[int]:
        """Return by node its type, and where that says little what is known at once."""
        if not self._known:
            kinds, graph = self._graph.kinds, self._graph
            self._known = list(kinds)
            for key in _LOOKS.keys() & graph.types.keys():
                for node in compress(range(len(kinds)), map(key.__eq__, kinds)):
                    look = _LOOKS[key](graph.object_of(node))
                    self._known[node] = hash((key, look))
        return self._known

    def _of_a_size(
        self, size: int, components: Sequence[Component]
    ) -> Iterable[list[Component]]:
        """Return those of so many members each that look alike together.

        Small ones do if as many members of each type refer to which types, in order.
        """
        if len(components) == 1:
            return [[*components]]
        by_key: defaultdict[object, list[Component]] = defaultdict(list)
        kinds, successors = self._looks(), self._graph.successors
        members = list(chain.from_iterable(components))
        looks = map(kinds.__getitem__, members)
        referred: Iterable[object] = repeat((), len(members))
        if size <= _FINE:
            rows = map(successors.__getitem__, members)
            referred = [tuple([kinds[other] for other in row]) for row in rows]
        marks = map(hash, zip(looks, referred, strict=True))
        # Not their sums: hashes of tuples add up like what is in these.
        keys = map(tuple, map(sorted, zip(*repeat(marks, size), strict=True)))
        entries = map(by_key.__getitem__, keys)
        deque(map(list[Component].append, entries, components), maxlen=0)
        return by_key.values()


def _weight(sized: tuple[list[Component], int]) -> tuple[int, int]:
    group, size = sized
    return -size, -len(group)
