"""One component explained: a shortest loop, where to cut it, what hangs on it."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, compress, islice

from refscope._measure.algorithms.components import components
from refscope._measure.algorithms.feedback import (
    EFFORT,
    Edge,
    edges_of,
    is_opened,
    minimum_feedback,
)
from refscope._measure.algorithms.loops import loop_through, shortest_loop
from refscope._measure.algorithms.packing import has_more_loops
from refscope._measure.budget import Budget
from refscope._measure.cpython.classes import MISSING, static_lookup
from refscope._measure.heap.graphs import Graph
from refscope.reports import Cycle, Reference
from refscope.reports._cycles import loop_fingerprint

from .advice import advice_on
from .costs import costs_of, leads_back
from .cutting import FEW_LOOPS, MOST_CUTS, by_back_pointers, cuts_of, owners_of
from .hanging import hanging_on
from .phrases import Loop
from .wiring import UNKNOWN, Likely, Wiring, best_name, wire


MOST_NAMED = 500
"""Members of a component of which every reference is named."""
MOST_SHOWN = 100
"""References of a loop that are shown."""
_STARTS = 24
"""Members of a large component from which a shortest loop is looked for."""
_EXACT = 400
"""References of a component up to which the smallest set of cuts is looked for."""
_LONG = 16
"""References of one object that are gone through once for all of them."""
_STAGE = "looking for the best place to cut a cycle"


class Explained:
    """A cycle of a report, and what the report has to say beside it."""

    __slots__ = ("cycle", "fingerprint", "materialised", "type_names")

    def __init__(
        self,
        cycle: Cycle,
        fingerprint: str,
        type_names: tuple[str, ...],
        materialised: int,
    ) -> None:
        self.cycle: Cycle = cycle
        self.fingerprint: str = fingerprint
        self.type_names: tuple[str, ...] = type_names
        self.materialised: int = materialised


class _Parts:
    """What was found of a component, in numbers of its wiring."""

    __slots__ = (
        "cut_count",
        "cuts",
        "is_smallest",
        "length",
        "loop",
        "materialised",
        "wiring",
    )

    def __init__(  # noqa: PLR0913  # as many as there are
        self,
        wiring: Wiring,
        loop: list[Edge],
        length: int,
        cuts: list[Edge],
        cut_count: int,
        *,
        is_smallest: bool,
        materialised: int = 0,
    ) -> None:
        self.wiring: Wiring = wiring
        self.loop: list[Edge] = loop
        self.length: int = length
        self.cuts: list[Edge] = cuts
        self.cut_count: int = cut_count
        self.is_smallest: bool = is_smallest
        self.materialised: int = materialised


def explain(  # noqa: PLR0913  # what one component has, and what others of it had
    graph: Graph,
    nodes: Sequence[int],
    size: int,
    budget: Budget,
    known: Collection[str] = frozenset(),
    *,
    likely: Likely | None = None,
) -> Explained:
    """Return the cycle of a component.

    Args:
        graph: Where it is.
        nodes: Its members.
        size: Their bytes.
        budget: How much time there is.
        known: Fingerprints of which there is an example: where to cut another small
            one is not looked for.
        likely: What names others had; it is added to.
    """
    parts = (
        _small(graph, nodes, budget, known, likely)
        if len(nodes) <= MOST_NAMED
        else _large(graph, nodes, budget)
    )
    wiring, loop = parts.wiring, parts.loop
    wiring.name_unknown([*loop, *parts.cuts])
    cuts = _in_order(parts)
    references = _shown(wiring, loop)
    hanging = hanging_on(graph, nodes)
    finalizers = _finalizers(graph, nodes)
    on_loop = [edge for edge in cuts if edge in loop]
    cycle = Cycle(
        references=references,
        length=parts.length,
        component_size=len(nodes),
        held=None if hanging is None else hanging[0],
        size=size,
        retained_size=None if hanging is None else size + hanging[1],
        finalizers=len(finalizers),
        finalized=sum(map(gc.is_finalized, finalizers)),
        break_at=_first_of(wiring, cuts),
        cuts=parts.cut_count,
        is_smallest=parts.is_smallest,
        advice=advice_on(Loop(wiring, loop, next(iter([*on_loop, *cuts]), None))),
    )
    names = dict.fromkeys(reference.holder.type_name for reference in references)
    print_of_loop = loop_fingerprint(references, is_whole=parts.length == len(loop))
    materialised = parts.materialised + wiring.materialised
    return Explained(cycle, print_of_loop, tuple(names), materialised)


def _small(
    graph: Graph,
    nodes: Sequence[int],
    budget: Budget,
    known: Collection[str],
    likely: Likely | None,
) -> _Parts:
    """Name everything, then look for the loop and the cuts."""
    wiring = wire(graph, nodes, likely=likely)
    loop = _best_loop(wiring, budget) or _nameless_loop(graph, nodes, wiring)
    if known and loop_fingerprint(_shown(wiring, loop)) in known:
        return _Parts(wiring, loop, len(loop), [], 0, is_smallest=False)
    successors = wiring.successors(3)
    is_few = len(wiring.names) <= _EXACT or not has_more_loops(successors, FEW_LOOPS)
    cuts = [] if is_few else by_back_pointers(successors, _back_pointers(wiring))
    is_smallest = False
    if not cuts:
        cuts, is_smallest = minimum_feedback(
            successors,
            costs_of(wiring),
            effort=EFFORT if is_few else 0,
            is_over=lambda: budget.is_out_of_time,
        )
    if budget.is_out_of_time and not is_smallest:
        budget.spend(0, _STAGE)
    count = sum([len(wiring.names[edge]) for edge in cuts])
    return _Parts(
        wiring,
        loop,
        len(loop),
        cuts,
        count if is_opened(successors, cuts) else 0,
        is_smallest=is_smallest,
    )


def _back_pointers(wiring: Wiring) -> list[list[Edge]]:
    """Return the references that lead to owners, those of a type and name together."""
    groups: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge, names in wiring.names.items():
        if all(leads_back(wiring, edge[0], name) for name in names):
            groups[wiring.types[edge[0]], names[0]].append(edge)
    return [groups[key] for key in sorted(groups)]


def _best_loop(wiring: Wiring, budget: Budget) -> list[Edge]:
    """Return a shortest loop that is not the bookkeeping of Python, if there is one.

    Of loops that are equally short the one whose shape sorts first: it is the same on
    every Python, where addresses and the order of objects are not.
    """
    successors, on_loops = _without_structure(wiring)
    starts = sorted(
        chain.from_iterable(on_loops), key=lambda node: (wiring.types[node], node)
    )
    if len(on_loops) == 1 and _is_ring(map(successors.__getitem__, starts)):
        del starts[1:]  # the others are on the same loop
    best: list[Edge] = []
    best_shape: list[tuple[str, str]] = []
    for start in starts[:MOST_NAMED]:
        if best and budget.is_out_of_time:
            break
        bound = len(best) + 1 if best else None
        loop = edges_of(loop_through(successors, start, shorter_than=bound))
        if loop and (not best or len(loop) <= len(best)):
            shape = _turned([wiring.shape(edge) for edge in loop])
            if len(loop) < len(best) or not best or shape < best_shape:
                best, best_shape = loop, shape
    return _from_instance(wiring, best) if best else []


def _nameless_loop(graph: Graph, nodes: Sequence[int], wiring: Wiring) -> list[Edge]:
    """Return a loop that was there, of which some references have gone since."""
    loop = edges_of(loop_through(_inside(graph, nodes), 0))
    for edge in loop:
        wiring.names.setdefault(edge, [UNKNOWN])
    return loop


def _without_structure(wiring: Wiring) -> tuple[list[list[int]], list[list[int]]]:
    """Return the graph with no more bookkeeping than a loop needs; its components."""
    successors: list[list[int]] = []
    found: list[list[int]] = []
    for level in (0, 1, 2, 3):
        successors = wiring.successors(level)
        found = components(successors)
        if found:
            break
    return successors, found


def _is_ring(successors: Iterable[Sequence[int]]) -> bool:
    """Return whether each member of a component refers once, so to the next."""
    return all(map((1).__eq__, map(len, successors)))


def _turned(shape: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if len(shape) > MOST_SHOWN:
        return shape
    return min(shape[start:] + shape[:start] for start in range(len(shape)))


def _from_instance(wiring: Wiring, loop: list[Edge]) -> list[Edge]:
    """Return the loop turned so that it begins with what a program would name first.

    An instance of a class of the program, whose names have a dot, and else the name
    that sorts first.
    """
    shape = [wiring.shape(edge) for edge in loop]

    def key(start: int) -> tuple[bool, list[tuple[str, str]]]:
        return "." not in shape[start][0], shape[start:] + shape[:start]

    start = min(range(len(loop)), key=key)
    return loop[start:] + loop[:start]


def _large(graph: Graph, nodes: Sequence[int], budget: Budget) -> _Parts:
    """Look for loop and cuts first, and name only what is shown of them."""
    successors = _inside(graph, nodes)
    is_ring = is_smallest = _is_ring(successors)
    starts = [0] if is_ring else range(0, len(nodes), len(nodes) // _STARTS + 1)
    loop = shortest_loop(successors, starts)
    cuts: list[Edge] = []
    materialised = 0
    if is_ring:
        cuts = edges_of(loop)[:1]
    elif budget.is_out_of_time:
        budget.spend(0, _STAGE)
    else:
        cuts, is_smallest, materialised = cuts_of(graph, nodes, successors, budget)
    count = _times(successors, cuts)
    path, shown = loop[: 2 * MOST_SHOWN + 2], cuts[:MOST_CUTS]
    owners = owners_of(graph, nodes, successors, [holder for holder, _ in shown])
    chosen = list(dict.fromkeys([*path, *chain.from_iterable(shown), *owners.values()]))
    wiring = wire(graph, [nodes[place] for place in chosen])
    number_of = {place: number for number, place in enumerate(chosen)}
    steps = _named_steps(wiring, map(number_of.__getitem__, path))
    length = len(steps)
    if len(path) < len(loop):
        del steps[-1:]  # the way back to the start, which is not shown
        length = len(loop) - len(owners_of(graph, nodes, successors, loop))
    if is_ring:
        costs = costs_of(wiring)
        best = min(steps, key=lambda edge: costs[edge])
        return _Parts(wiring, steps, length, [best], 1, is_smallest=True)
    named = dict.fromkeys(
        (number_of[owners.get(holder, holder)], number_of[target])
        for holder, target in shown
    )
    known = [edge for edge in named if edge in wiring.names]
    return _Parts(
        wiring,
        steps,
        length,
        known,
        count,
        is_smallest=is_smallest and len(known) == len(shown),
        materialised=materialised,
    )


def _inside(graph: Graph, nodes: Sequence[int]) -> list[list[int]]:
    """Return the graph between some nodes, numbered by their places."""
    places = dict(zip(nodes, range(len(nodes)), strict=True))
    return [
        [places[other] for other in graph.successors[node] if other in places]
        for node in nodes
    ]


def _times(successors: Sequence[Sequence[int]], edges: Iterable[Edge]) -> int:
    """Return how many references there are between these pairs, all together.

    A long row is gone through once: it is that of a hub, where most cuts may be.
    """
    count = 0
    of_hubs: defaultdict[int, set[int]] = defaultdict(set)
    for node, other in edges:
        row = successors[node]
        if len(row) > _LONG:
            of_hubs[node].add(other)
        else:
            count += row.count(other)
    for node, others in of_hubs.items():
        count += sum(map(others.__contains__, successors[node]))
    return count


def _named_steps(wiring: Wiring, path: Iterable[int]) -> list[Edge]:
    """Return a loop without the objects that are no steps of their own."""
    present = set(chain.from_iterable(wiring.names))
    return edges_of([node for node in path if node in present])


def _in_order(parts: _Parts) -> list[Edge]:
    """Return the cuts, the best first; none if they would not do.

    The best of the loop is among those that are shown: it is what the advice is about.
    """
    if not parts.cut_count:
        return []
    costs = costs_of(parts.wiring, parts.cuts)
    places = {edge: place for place, edge in enumerate(parts.loop)}
    last = len(places)
    cuts = sorted(
        parts.cuts, key=lambda edge: (costs[edge], places.get(edge, last), edge)
    )
    of_loop = next((place for place, edge in enumerate(cuts) if edge in places), 0)
    names = [parts.wiring.names[edge] for edge in cuts[:of_loop]]
    first = [cuts.pop(of_loop)] if sum(map(len, names)) >= MOST_CUTS else []
    return [*first, *cuts]


def _shown(wiring: Wiring, loop: Sequence[Edge]) -> tuple[Reference, ...]:
    return tuple(
        [
            wiring.reference(edge, best_name(wiring.names[edge]))
            for edge in loop[:MOST_SHOWN]
        ]
    )


def _first_of(wiring: Wiring, edges: Iterable[Edge]) -> tuple[Reference, ...]:
    named = ((edge, name) for edge in edges for name in sorted(wiring.names[edge]))
    return tuple(
        [wiring.reference(edge, name) for edge, name in islice(named, MOST_CUTS)]
    )


def _finalizers(graph: Graph, nodes: Sequence[int]) -> list[object]:
    """Return the objects that have a ``__del__``."""
    kind_of = graph.kinds.__getitem__
    wanted = {
        kind
        for kind in set(map(kind_of, nodes))
        if static_lookup(graph.types[kind], "__del__") is not MISSING
    }
    if not wanted:
        return []
    chosen = compress(nodes, map(wanted.__contains__, map(kind_of, nodes)))
    return list(map(graph.object_of, chosen))
