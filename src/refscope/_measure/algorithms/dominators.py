"""Who dominates whom in a graph, and what would die with each node.

A node dominates another when every path from the root to the other leads through it:
free the one, and the other goes too.  The algorithm is SEMI-NCA (L. Georgiadis,
"Linear-Time Algorithms for Dominators and Related Problems", Princeton 2005, chapter
2.3): semidominators as Lengauer and Tarjan find them (ACM TOPLAS 1(1), 1979), with
simple path compression, then a walk up the tree so far.  Nodes are numbers, and
nothing recurses.
"""

from __future__ import annotations

from collections.abc import Sequence


class Dominators:
    """The dominator tree of what can be reached from the root."""

    __slots__ = ("order", "parents")

    def __init__(self, order: list[int], parents: list[int]) -> None:
        self.order: list[int] = order
        """The nodes that can be reached, a dominator before all that it dominates."""
        self.parents: list[int] = parents
        """The immediate dominator of each; -1 if unreachable, the root's is itself."""

    def totals(self, sizes: Sequence[int]) -> list[int]:
        """Return what each node and all that it dominates add up to."""
        totals, parents = [*sizes], self.parents
        for node in self.order[:0:-1]:
            totals[parents[node]] += totals[node]
        return totals


def dominators(successors: Sequence[Sequence[int]], root: int) -> Dominators:
    """Return the dominator tree of a graph given by the successors of each node."""
    number, order, parents = _depth_first(successors, root)
    idoms = _immediate(parents, _predecessors(successors, number, order))
    result = [-1] * len(successors)
    for node, idom in zip(order, idoms, strict=True):
        result[node] = order[idom]
    return Dominators(order, result)


def _depth_first(
    successors: Sequence[Sequence[int]], root: int
) -> tuple[list[int], list[int], list[int]]:
    """Return the number of each node, the nodes by number, and parents by number."""
    number = [-1] * len(successors)
    number[root] = 0
    order, parents, path = [root], [0], [0]
    branches = [iter(successors[root])]
    while branches:
        for node in branches[-1]:
            if number[node] < 0:
                number[node] = len(order)
                parents.append(path[-1])
                path.append(len(order))
                order.append(node)
                branches.append(iter(successors[node]))
                break
        else:
            branches.pop()
            path.pop()
    return number, order, parents


def _predecessors(
    successors: Sequence[Sequence[int]], number: list[int], order: list[int]
) -> list[list[int]]:
    """Return the predecessors by number."""
    result: list[list[int]] = [[] for _ in order]
    for place, node in enumerate(order):
        for successor in successors[node]:
            result[number[successor]].append(place)
    return result


def _immediate(parents: list[int], predecessors: list[list[int]]) -> list[int]:
    """Return immediate dominators by number."""
    semi = _semidominators([*parents], predecessors)
    idoms = parents
    for node in range(1, len(idoms)):
        above, limit = idoms[node], semi[node]
        while above > limit:
            above = idoms[above]
        idoms[node] = above
    return idoms


def _semidominators(ancestors: list[int], predecessors: list[list[int]]) -> list[int]:
    """Return the semidominator of each number; ``ancestors`` are compressed."""
    semi = [*range(len(ancestors))]
    lowest = [*semi]  # semidominator seen on the compressed way up, itself included
    trail: list[int] = []
    for node in range(len(ancestors) - 1, 0, -1):
        best = ancestors[node]
        for before in predecessors[node]:
            if before <= node:  # not linked yet: the way up is itself
                best = min(best, before)
                continue
            place = before
            while ancestors[place] > node:
                trail.append(place)
                place = ancestors[place]
            top, least = ancestors[place], lowest[place]
            while trail:
                place = trail.pop()
                ancestors[place] = top
                least = lowest[place] = min(least, lowest[place])
            best = min(best, least)
        semi[node] = lowest[node] = best
    return semi
