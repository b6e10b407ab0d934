"""Which cycles look alike, told without naming each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, repeat

from .describe import sizes_by_type
from .heap import Graph, each


NAMED_EACH = 64
"""Cycles of a report of which each is named."""
_FINE = 64
"""Members of a component whose wiring is compared, not only their types."""

Component = list[int]


class Shapes:
    """Sizes of all nodes of a graph, and which of its components look alike."""

    __slots__ = ("_graph", "sizes")

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        sizes = sizes_by_type(graph.objects, graph.kinds[1:], graph.types)
        self.sizes: list[int] = [0, *sizes]
        """Shallow bytes by node."""

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
            by_key: defaultdict[object, list[Component]] = defaultdict(list)
            for key, component in zip(self._keys(components), components, strict=True):
                by_key[key].append(component)
            groups = list(by_key.values())
        sized = [(group, self.size(chain.from_iterable(group))) for group in groups]
        return sorted(sized, key=_weight)

    def _keys(self, components: Sequence[Component]) -> Iterator[object]:
        """Yield what is equal for two components that look alike.

        In small ones: how many members of each type refer to which types, in order.
        """
        kind_of = self._graph.kinds.__getitem__
        small = [component for component in components if len(component) <= _FINE]
        members = list(chain.from_iterable(small))
        rows = map(self._graph.successors.__getitem__, members)
        referred = each(tuple, each(map, repeat(kind_of), rows))
        wired = map(hash, zip(map(kind_of, members), referred, strict=True))
        for component in components:
            size = len(component)
            of_each = islice(wired, size) if size <= _FINE else map(kind_of, component)
            yield tuple(sorted(of_each))


def _weight(sized: tuple[list[Component], int]) -> tuple[int, int]:
    group, size = sized
    return -size, -len(group)
