"""What can be reached from where, breadth first, a whole level at a time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from .components import Successors


def reachable(successors: Successors, roots: Iterable[int]) -> set[int]:
    """Return the roots and every node that they lead to."""
    seen = set(roots)
    level = seen
    while level:
        # One pass in C per level; a chain of single nodes costs a few steps each.
        level = set(chain.from_iterable(map(successors.__getitem__, level))) - seen
        seen |= level
    return seen


def predecessors(successors: Successors) -> list[list[int]]:
    """Return the graph with every reference turned round."""
    turned: list[list[int]] = [[] for _ in successors]
    for node, following in enumerate(successors):
        for other in following:
            turned[other].append(node)
    return turned
