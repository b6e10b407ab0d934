"""Shortest loops: breadth-first search from a node until it comes back.

The first way back is a shortest one (E. F. Moore, "The shortest path through a
maze", 1959).  The shortest loop of a whole graph is the best over all nodes.
"""

from __future__ import annotations

from collections.abc import Iterable

from .components import Successors


def loop_through(
    successors: Successors, start: int, *, shorter_than: int | None = None
) -> list[int]:
    """Return a shortest loop from a node back to it, the node first.

    Nodes are tried in the order of the successors, so the answer is always the same.

    Args:
        successors: The graph.
        start: The node.
        shorter_than: Give up at loops of this many nodes.

    Returns:
        The nodes in order; the last one refers to the first.  Empty if there is no
        such loop.
    """
    parents = {start: start}
    level = [start]
    length = 1
    while level and (shorter_than is None or length < shorter_than):
        following: list[int] = []
        for node in level:
            for other in successors[node]:
                if other == start:
                    return _way(parents, node)
                if other not in parents:
                    parents[other] = node
                    following.append(other)
        level = following
        length += 1
    return []


def shortest_loop(successors: Successors, starts: Iterable[int]) -> list[int]:
    """Return a loop that no loop through one of the starts is shorter than.

    The first start with a loop of that length wins.
    """
    best: list[int] = []
    for start in starts:
        loop = loop_through(successors, start, shorter_than=len(best) or None)
        if loop:
            best = loop
            if len(best) == 1:
                break
    return best


def _way(parents: dict[int, int], node: int) -> list[int]:
    """Return the way on which a node was found."""
    way = [node]
    while parents[node] != node:
        node = parents[node]
        way.append(node)
    return way[::-1]
