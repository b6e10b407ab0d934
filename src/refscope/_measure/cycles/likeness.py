"""Whether cycles that look alike have the same names in them.

Of very many cycles not each can be named.  Those whose members have the same types are
taken together, and some from all over them are named: if these differ, each one is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from refscope._measure.budget import Budget
from refscope._measure.heap.graphs import Graph

from .dissect import MOST_NAMED
from .shapes import Component
from .wiring import UNKNOWN, Likely, wire


_SAMPLE = 48
"""Cycles of a kind that are named to see whether they differ; fewer of large ones."""
_MEMBERS = 256
"""Members that these have together, if they are more than a few."""
_LEAST = 3
_RATIO = 0.6180339887498949
_MOST = 20_000
"""Members of cycles that are all named because some differ; about a second."""


class Sorted:
    """Cycles of one look, sorted by the names of their references."""

    __slots__ = ("groups", "has_unknown", "materialised", "unnamed")

    def __init__(self, group: list[Component]) -> None:
        self.groups: list[list[Component]] = [group]
        """Those with the same names, together."""
        self.unnamed: int = 0
        """How many there are beside these, for which there was no time."""
        self.has_unknown: bool = False
        """Whether not all references could be named."""
        self.materialised: int = 0
        """Objects that had to be changed a little to name what is in them."""


def sort_by_names(graph: Graph, group: list[Component], budget: Budget) -> Sorted:
    """Return cycles of one look, those that have the same names together."""
    found = Sorted(group)
    size = len(group[0])
    if len(group) == 1 or size > MOST_NAMED:
        return found
    most = max(_LEAST, min(_SAMPLE, _MEMBERS // size))
    # By the golden ratio: evenly, and in step with nothing.
    places = {int(number * _RATIO % 1 * len(group)) for number in range(most)}
    some = [group[place] for place in sorted(places)]
    if len(_by_mark(graph, some, budget, found)) > 1:
        all_named = group[: max(_MOST // size, most)]
        found.groups = list(_by_mark(graph, all_named, budget, found).values())
        found.unnamed = len(group) - sum(map(len, found.groups))
    return found


def _by_mark(
    graph: Graph, components: Sequence[Component], budget: Budget, found: Sorted
) -> dict[object, list[Component]]:
    """Return the components by the names in them, as long as there is time."""
    groups: defaultdict[object, list[Component]] = defaultdict(list)
    likely: Likely = defaultdict(dict)
    for number, component in enumerate(components):
        if number and budget.is_out_of_time:
            break
        wiring = wire(graph, component, at_any_price=False, likely=likely)
        found.materialised += wiring.materialised
        found.has_unknown |= [UNKNOWN] in wiring.names.values()
        groups[frozenset(map(wiring.shape, wiring.names))].append(component)
    return groups
