"""Strongly connected components.

H. N. Gabow, "Path-based depth-first search for strong and biconnected components",
Information Processing Letters 74 (2000): two stacks, one of the nodes of the path and
one of the bounds between the components on it.  Before it, chains of nodes with one
successor each are followed to their end: a ring is taken whole, and only what leads
to a fork is left to the search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress, repeat
from operator import eq


Successors = Sequence[Sequence[int]]


def components(successors: Successors) -> list[list[int]]:
    """Return the components that hold a cycle: two nodes or more, or a self-loop.

    The nodes of each are in no particular order.
    """
    # Where a node stands on the path; None is not visited, and the number of nodes,
    # which no path can reach, is done.
    places: list[int | None] = [None] * len(successors)
    found: list[list[int]] = []
    _follow_chains(successors, places, found)
    _search_paths(successors, places, found)
    return found


def _follow_chains(
    successors: Successors, places: list[int | None], found: list[list[int]]
) -> None:
    """Settle every node from which no fork can be reached."""
    size, done = len(successors), len(successors)
    counts = list(map(len, successors))
    single = list(compress(range(size), map(eq, counts, repeat(1))))
    following: list[int | None] = [None] * size
    for node in single:
        following[node] = successors[node][0]
    runs: list[int | None] = [None] * size  # the run that passed a node first
    for start in single:
        if runs[start] is not None:
            continue
        node, after = start, following[start]
        while after is not None and runs[node] is None:
            runs[node] = start
            node, after = after, following[after]
        if after is not None and runs[node] == start and places[node] is None:
            ring = [node]
            while after is not None and after != node:
                ring.append(after)
                after = following[after]
            for member in ring:
                places[member] = done
            found.append(ring)
        elif counts[node] and places[node] is None:
            continue  # it leads to a fork
        step: int | None = start
        while step is not None and places[step] is None:
            places[step] = done
            step = following[step]


def _search_paths(  # noqa: C901, PLR0912  # one algorithm, one function
    successors: Successors, places: list[int | None], found: list[list[int]]
) -> None:
    """Settle the other nodes by depth-first search."""
    done = len(successors)
    path: list[int] = []
    bounds: list[int] = []
    inner: list[Iterator[int]] = []
    outer: list[int] = []
    enter, bound, unbound = path.append, bounds.append, bounds.pop
    for root in range(done):
        if places[root] is not None:
            continue
        if not successors[root]:
            places[root] = done
            continue
        places[root] = here = 0
        enter(root)
        bound(0)
        left = iter(successors[root])
        while True:
            for node in left:
                place = places[node]
                if place is None:
                    following = successors[node]
                    if not following:
                        places[node] = done
                        continue
                    outer.append(here)
                    inner.append(left)
                    places[node] = here = len(path)
                    enter(node)
                    bound(here)
                    left = iter(following)
                    break
                while bounds[-1] > place:
                    unbound()
            else:
                if bounds[-1] == here:
                    unbound()
                    if here + 1 == len(path):
                        node = path.pop()
                        places[node] = done
                        if node in successors[node]:
                            found.append([node])
                    else:
                        component = path[here:]
                        del path[here:]
                        for node in component:
                            places[node] = done
                        found.append(component)
                if not outer:
                    break
                here = outer.pop()
                left = inner.pop()
