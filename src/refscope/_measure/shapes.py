"""Which cycles look alike, told without naming each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .describe import sizes_of
from .heap import Graph


NAMED_EACH = 64
"""Cycles of a report of which each is named."""
_FINE = 64
"""Members of a component whose wiring is compared, not only their types."""

Component = list[int]


class Shapes:
    """Types and sizes of all nodes of a graph."""

    __slots__ = ("_graph", "kinds", "sizes")

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.kinds: list[int] = [0, *map(id, map(type, graph.objects))]
        """Identity of the type by node."""
        self.sizes: list[int] = [0, *sizes_of(graph.objects)]
        """Shallow bytes by node."""

    def size(self, nodes: Iterable[int]) -> int:
        """Return the shallow bytes of some nodes."""
        return sum(map(self.sizes.__getitem__, nodes))

    def alike(self, components: Sequence[Component]) -> list[list[Component]]:
        """Return the components, those that look alike together, the largest first."""
        if len(components) <= NAMED_EACH:
            groups = [[component] for component in components]
        else:
            by_key: dict[object, list[Component]] = {}
            key_of = self._key_function()
            for component in components:
                by_key.setdefault(key_of(component), []).append(component)
            groups = list(by_key.values())
        return sorted(groups, key=self._weight)

    def _weight(self, group: list[Component]) -> tuple[int, int]:
        return -sum(map(self.size, group)), -len(group)

    def _key_function(self) -> Callable[[Component], object]:
        """Return what is equal for two components that look alike.

        In small ones: how many members of each type refer to which types, in order.
        """
        kind_of = self.kinds.__getitem__
        successors = self._graph.successors
        referred = [tuple(map(kind_of, following)) for following in successors]
        wired = list(map(hash, zip(self.kinds, referred, strict=True)))

        def key_of(component: Component) -> object:
            of_member = wired if len(component) <= _FINE else self.kinds
            return tuple(sorted(map(of_member.__getitem__, component)))

        return key_of
