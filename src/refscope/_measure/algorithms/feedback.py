"""A smallest set of references whose removal leaves no loop: minimum feedback arcs.

Exact for small graphs, by the method of A. Baharev, H. Schichl, A. Neumaier and
T. Achterberg, "An Exact Method for the Minimum Feedback Arc Set Problem", ACM Journal
of Experimental Algorithmics 26 (2021): hit every loop known so far as cheaply as
possible (branch and bound), look for a loop that is left, begin again.  The answer is
a smallest one, because no set that hits all loops hits fewer of them.

For others the order of P. Eades, X. Lin and W. F. Smyth, "A fast and effective
heuristic for the feedback arc set problem", Information Processing Letters 47 (1993):
what refers backwards in it is removed, then put back where that closes no loop.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, compress, repeat
from operator import ge, mul, sub
from typing import TypeAlias

from .components import Successors, components
from .loops import loop_through


Edge: TypeAlias = tuple[int, int]
Cost: TypeAlias = Callable[[Edge], int]

EFFORT = 60_000
"""Loops looked at before the exact search is given up; about a tenth of a second."""
_TAKEN_BACK = 100_000
"""Steps that may be spent on putting references back; about a twentieth of a second."""
_FEW = 100
"""If not even one in so many references could be put back, none is tried."""


def minimum_feedback(
    successors: Successors,
    costs: Mapping[Edge, int] | None = None,
    *,
    effort: int = EFFORT,
) -> tuple[list[Edge], bool]:
    """Return references to remove, and whether no cheaper set exists.

    Args:
        successors: The graph.
        costs: What removing a reference costs; 1 where nothing is said.
        effort: How long to look for the cheapest set; with 0 a good one is returned
            at once.
    """

    def cost(edge: Edge) -> int:
        return 1 if costs is None else costs.get(edge, 1)

    chosen: list[Edge] = []
    known: list[list[Edge]] = []
    while effort > 0:
        loops = _loops_left(successors, set(chosen))
        if not loops:
            return sorted(chosen), True
        known += loops
        chosen, effort = _cheapest_hits(known, cost, effort)
    return _good_enough(successors, cost), False


def is_opened(successors: Successors, removed: Iterable[Edge]) -> bool:
    """Return whether no loop is left once these references are gone."""
    return not components(_without(successors, set(removed)))


def _without(successors: Successors, removed: set[Edge]) -> list[Sequence[int]]:
    left = list(successors)
    for node in {node for node, _ in removed}:
        left[node] = [other for other in left[node] if (node, other) not in removed]
    return left


def _loops_left(successors: Successors, removed: set[Edge]) -> list[list[Edge]]:
    """Return loops that avoid these references, no two with a reference in common."""
    found: list[list[Edge]] = []
    taken = set(removed)
    while True:
        rest = _without(successors, taken)
        left = components(rest)
        if not left:
            return found
        for component in left:
            loop = edges_of(loop_through(rest, min(component)))
            found.append(loop)
            taken.update(loop)


def edges_of(loop: Sequence[int]) -> list[Edge]:
    """Return the references of a loop, from each node to the next."""
    return list(zip(loop, [*loop[1:], *loop[:1]], strict=True))


def _cheapest_hits(
    loops: Sequence[Sequence[Edge]], cost: Cost, effort: int
) -> tuple[list[Edge], int]:
    """Return the cheapest references that hit every loop, and what effort is left."""
    best: list[Edge] = _cheap_hits(loops, cost)
    least = sum(map(cost, best))
    # What is chosen, what that costs, and what must not be chosen any more.
    todo: list[tuple[tuple[Edge, ...], int, frozenset[Edge]]] = [((), 0, frozenset())]
    while todo and effort > 0:
        chosen, spent, banned = todo.pop()
        effort -= len(loops)
        missed = [loop for loop in loops if not any(edge in chosen for edge in loop)]
        if spent + _least_more(missed, cost, banned) >= least:
            continue
        if not missed:
            best, least = list(chosen), spent
            continue
        free = [[edge for edge in loop if edge not in banned] for loop in missed]
        ways = min(free, key=_length)
        ways.sort(key=lambda edge: (cost(edge), edge))
        # The cheapest last, so that it is tried first.
        todo += [
            ((*chosen, edge), spent + cost(edge), banned.union(ways[:number]))
            for number, edge in reversed(list(enumerate(ways)))
        ]
    return best, effort


def _length(loop: Sequence[Edge]) -> int:
    return len(loop)


def _least_more(
    missed: Sequence[Sequence[Edge]], cost: Cost, banned: frozenset[Edge]
) -> int:
    """Return what hitting these loops costs at least: some share no reference."""
    bound = 0
    seen: set[Edge] = set()
    for loop in missed:
        if seen.isdisjoint(loop):
            seen.update(loop)
            free = [cost(edge) for edge in loop if edge not in banned]
            if not free:
                return 1 << 62  # it cannot be hit any more
            bound += min(free)
    return bound


def _cheap_hits(loops: Sequence[Sequence[Edge]], cost: Cost) -> list[Edge]:
    """Return references that hit every loop: those that hit most for their cost."""
    missed = list(loops)
    chosen: list[Edge] = []
    while missed:
        hits: dict[Edge, int] = {}
        for loop in missed:
            for edge in loop:
                hits[edge] = hits.get(edge, 0) + 1
        chosen.append(min(hits, key=lambda edge: (cost(edge) / hits[edge], edge)))
        missed = [loop for loop in missed if chosen[-1] not in loop]
    return chosen


def _good_enough(successors: Successors, cost: Cost) -> list[Edge]:
    """Return a set from which nothing can be left out, or nearly so."""
    places = [0] * len(successors)
    heads, tails = _ends(successors)
    for place, node in enumerate(_good_order(successors, heads, tails)):
        places[node] = place
    place_of = places.__getitem__
    are_backwards = map(ge, map(place_of, heads), map(place_of, tails))
    removed = set(compress(zip(heads, tails, strict=True), are_backwards))
    tries = _TAKEN_BACK // max(len(successors) + len(heads), 1)
    if tries * _FEW > len(removed):
        dearest = sorted(removed, key=lambda edge: (-cost(edge), edge))
        for edge in dearest[:tries]:
            if not _leads_to(successors, removed, edge[1], edge[0]):
                removed.discard(edge)
    return sorted(removed)


def _ends(successors: Successors) -> tuple[list[int], list[int]]:
    """Return who refers and to whom, reference by reference."""
    nodes = range(len(successors))
    heads = chain.from_iterable(map(repeat, nodes, map(len, successors)))
    return list(heads), list(chain.from_iterable(successors))


def _leads_to(successors: Successors, removed: set[Edge], start: int, end: int) -> bool:
    """Return whether there is a way that avoids these references."""
    seen, todo = {start}, [start]
    while todo:
        node = todo.pop()
        if node == end:
            return True
        for other in successors[node]:
            if other not in seen and (node, other) not in removed:
                seen.add(other)
                todo.append(other)
    return False


def _good_order(  # noqa: C901, PLR0912  # one algorithm, one function
    successors: Successors, heads: Sequence[int], tails: Sequence[int]
) -> list[int]:
    """Return the nodes so that few references go backwards.

    Sinks are put last, sources first, and else the node that has most more references
    out than in.  Nodes are kept in stacks by that difference.  One that has fewer now
    is moved where it is found, one that has more is in both places.
    """
    turned: list[list[int]] = [[] for _ in successors]
    deque(map(list[int].append, map(turned.__getitem__, tails), heads), maxlen=0)
    outward = list(map(len, successors))
    inward = list(map(len, turned))
    stacks: defaultdict[int, list[int]] = defaultdict(list)
    for node, difference in enumerate(map(sub, outward, inward)):
        stacks[difference].append(node)
    first: list[int] = []
    last: list[int] = []
    ends = [node for node, both in enumerate(map(mul, outward, inward)) if not both]
    placed = bytearray(len(successors))
    best = max(stacks, default=0)
    while len(first) + len(last) < len(successors):
        if ends:
            node = ends.pop()
            if placed[node]:
                continue
        else:
            while not stacks[best]:
                best -= 1
            node = stacks[best].pop()
            if placed[node]:
                continue
            difference = outward[node] - inward[node]
            if difference < best:
                stacks[difference].append(node)
                continue
        placed[node] = 1
        (first if outward[node] else last).append(node)
        outward[node] = inward[node] = 0
        for other in successors[node]:
            if inward[other]:  # not placed, as this reference still counts
                inward[other] = left = inward[other] - 1
                if not left:
                    ends.append(other)
                    continue
                difference = outward[other] - left
                stacks[difference].append(other)
                if difference > best:  # noqa: PLR1730  # max() is slower here
                    best = difference
        for other in turned[node]:
            if outward[other]:
                outward[other] = left = outward[other] - 1
                if not left:
                    ends.append(other)
    return first + last[::-1]
