"""A smallest set of references whose removal leaves no loop: minimum feedback arcs.

Exact for small graphs, by the method of A. Baharev, H. Schichl, A. Neumaier and
T. Achterberg, "An Exact Method for the Minimum Feedback Arc Set Problem", ACM Journal
of Experimental Algorithmics 26 (2021): hit every loop known so far as cheaply as
possible (branch and bound), look for a loop that is left, begin again.  The answer is
a smallest one, because no set that hits all loops hits fewer of them.  Where the search
takes too long it goes on with what hits most loops, and the answer is not proved.

For others the order of P. Eades, X. Lin and W. F. Smyth, "A fast and effective
heuristic for the feedback arc set problem", Information Processing Letters 47 (1993):
what refers backwards in it is removed, then put back where that closes no loop.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heapreplace
from itertools import chain
from operator import mul, sub
from typing import TypeAlias

from .components import Successors, components
from .loops import loop_through


Edge: TypeAlias = tuple[int, int]
Cost: TypeAlias = Callable[[Edge], int]

EFFORT = 60_000
"""Loops looked at before the exact search is given up; about a tenth of a second."""
_TAKEN_BACK = 100_000
"""Steps that may be spent on putting references back; about a twentieth of a second."""
_LEAST_LOOKS, _MOST_LOOKS = 8, 400
"""How often it is looked for the loops that are left: more often in smaller graphs."""
_WORK = 4_000_000
"""Nodes and references that are looked at on that; about a second."""
_FEW = 100
"""If not even one in so many references could be put back, none is tried."""


def minimum_feedback(
    successors: Successors,
    costs: Mapping[Edge, int] | None = None,
    *,
    effort: int = EFFORT,
    is_over: Callable[[], bool] = bool,
) -> tuple[list[Edge], bool]:
    """Return references to remove, and whether no cheaper set exists.

    Args:
        successors: The graph.
        costs: What removing a reference costs; 1 where nothing is said.
        effort: How long to look for the cheapest set; with 0 a good one is returned
            at once.
        is_over: Whether there is no time left to look for it.
    """

    def cost(edge: Edge) -> int:
        return 1 if costs is None else costs.get(edge, 1)

    size = len(successors) + sum(map(len, successors))
    looks = 0
    if effort > 0:
        looks = min(max(_WORK // max(size, 1), _LEAST_LOOKS), _MOST_LOOKS)
    chosen: list[Edge] = []
    known: list[list[Edge]] = []
    is_open = is_smallest = False
    while looks > 0 and not (is_open or is_over()):
        loops, used = _loops_left(successors, chosen, looks, is_over)
        looks -= used
        if loops:
            known += loops
            chosen, effort = _cheapest_hits(known, cost, effort)
        else:
            is_open, is_smallest = True, effort > 0
    if is_smallest:
        return sorted(chosen), True
    good = _good_enough(successors, cost)
    if is_open:
        known_good = _needed(successors, set(chosen), cost)
        good = min(known_good, good, key=lambda found: sum(map(cost, found)))
    return good, False


def is_opened(successors: Successors, removed: Iterable[Edge]) -> bool:
    """Return whether no loop is left once these references are gone."""
    return not components(without(successors, removed))


def without(successors: Successors, removed: Iterable[Edge]) -> list[Sequence[int]]:
    """Return the graph without these references."""
    cut: defaultdict[int, set[int]] = defaultdict(set)
    for node, other in removed:
        cut[node].add(other)
    left = list(successors)
    for node, others in cut.items():
        left[node] = [other for other in left[node] if other not in others]
    return left


def _loops_left(
    successors: Successors,
    removed: Iterable[Edge],
    looks: int,
    is_over: Callable[[], bool],
) -> tuple[list[list[Edge]], int]:
    """Return loops that avoid these references, and how often it was looked for them.

    No two have a reference in common.  None are returned only if there are none.
    """
    found: list[list[Edge]] = []
    rest = without(successors, removed)
    used = 1
    while left := components(rest):
        taken: set[Edge] = set()
        for component in left:
            loop = edges_of(loop_through(rest, min(component)))
            found.append(loop)
            taken.update(loop)
        if used >= looks or is_over():
            break
        rest = without(rest, taken)
        used += 1
    return found, used


def edges_of(loop: Sequence[int]) -> list[Edge]:
    """Return the references of a loop, from each node to the next."""
    return list(zip(loop, [*loop[1:], *loop[:1]], strict=True))


def _cheapest_hits(
    loops: Sequence[Sequence[Edge]], cost: Cost, effort: int
) -> tuple[list[Edge], int]:
    """Return the cheapest references that hit every loop, and what effort is left."""
    best: list[Edge] = _cheap_hits(loops, cost)
    if effort <= 0:
        return best, effort
    loops = _worth_trying(loops, cost)
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


def _worth_trying(loops: Sequence[Sequence[Edge]], cost: Cost) -> list[list[Edge]]:
    """Return the loops without references that another one makes superfluous.

    That one costs no more and is on all the loops that this one is on.
    """
    through: dict[Edge, int] = {}  # a bit for each loop
    for number, loop in enumerate(loops):
        for edge in loop:
            through[edge] = through.get(edge, 0) | 1 << number
    kept: dict[int, Edge] = {}

    def order(edge: Edge) -> tuple[int, int, Edge]:
        return cost(edge), -through[edge].bit_count(), edge

    for edge in sorted(through, key=order):
        bits = through[edge]
        if bits not in kept and not any(bits | other == other for other in kept):
            kept[bits] = edge
    chosen = set(kept.values())
    return [[edge for edge in loop if edge in chosen] for loop in loops]


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
    """Return references that hit every loop: those that hit most for their cost.

    What was hit meanwhile makes others worth less, never more: so they are looked at
    in the order of what they were worth, and put back where that has changed.
    """
    through: defaultdict[Edge, list[int]] = defaultdict(list)
    for number, loop in enumerate(loops):
        for edge in loop:
            through[edge].append(number)
    hits = {edge: len(numbers) for edge, numbers in through.items()}
    order = [(cost(edge) / count, edge, count) for edge, count in hits.items()]
    heapify(order)
    missed = set(range(len(loops)))
    chosen: list[Edge] = []
    while missed:
        _, best, count = order[0]
        if hits[best] != count:
            if hits[best]:
                heapreplace(order, (cost(best) / hits[best], best, hits[best]))
            else:
                heappop(order)
            continue
        chosen.append(best)
        for number in missed.intersection(through[best]):
            missed.remove(number)
            for edge in loops[number]:
                hits[edge] -= 1
    return chosen


def _good_enough(successors: Successors, cost: Cost) -> list[Edge]:
    """Return a set from which nothing can be left out, or nearly so."""
    places = [0] * len(successors)
    heads, tails = _ends(successors)
    for place, node in enumerate(_good_order(successors, heads, tails)):
        places[node] = place
    removed = {
        edge
        for edge in zip(heads, tails, strict=True)
        if places[edge[0]] >= places[edge[1]]
    }
    return _needed(successors, removed, cost)


def _needed(successors: Successors, removed: set[Edge], cost: Cost) -> list[Edge]:
    """Return the references without those that close no loop, the dearest first."""
    tries = _TAKEN_BACK // (len(successors) + sum(map(len, successors)) + 1)
    if tries * _FEW > len(removed):
        dearest = sorted(removed, key=lambda edge: (-cost(edge), edge))
        for edge in dearest[:tries]:
            if not _leads_to(successors, removed, edge[1], edge[0]):
                removed.discard(edge)
    return sorted(removed)


def _ends(successors: Successors) -> tuple[list[int], list[int]]:
    """Return who refers and to whom, reference by reference."""
    heads = [node for node, row in enumerate(successors) for _ in row]
    return heads, list(chain.from_iterable(successors))


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
