"""One component explained: a shortest loop, where to cut it, what hangs on it."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from itertools import chain, compress, islice
from types import FrameType

from refscope.reports import Cycle, Reference
from refscope.reports._cycles import loop_fingerprint

from .advice import Loop, advice_on
from .algorithms.components import components
from .algorithms.feedback import (
    EFFORT,
    Edge,
    edges_of,
    is_opened,
    minimum_feedback,
    without,
)
from .algorithms.loops import loop_through, shortest_loop
from .algorithms.packing import has_more_loops
from .budget import Budget
from .classes import get_members, get_mro, is_one_of
from .cuts import SUSPENDED, costs_of
from .hanging import hanging_on
from .heap import Graph
from .interpreter import count_elements
from .managed import is_dict_of
from .wiring import UNKNOWN, Wiring, best_name, wire


MOST_NAMED = 500
"""Members of a component of which every reference is named."""
MOST_SHOWN = 100
"""References of a loop that are shown."""
MOST_CUTS = 16
"""References to remove that are shown."""
_STARTS = 24
"""Members of a large component from which a shortest loop is looked for."""
_EXACT = 400
"""References of a component up to which the smallest set of cuts is looked for."""
_FEW_LOOPS = 32
"""Loops without a reference in common up to which it is looked for in any other."""
_LONG = 16
"""References of one object that are gone through once for all of them."""
_TRIES = 3
"""References that may be tried instead of one that is to be removed."""
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


def explain(
    graph: Graph,
    nodes: Sequence[int],
    size: int,
    budget: Budget,
    known: Container[str] = (),
) -> Explained:
    """Return the cycle of a component.

    Args:
        graph: Where it is.
        nodes: Its members.
        size: Their bytes.
        budget: How much time there is.
        known: Fingerprints of which there is an example: where to cut another small
            one is not looked for.
    """
    parts = (
        _small(graph, nodes, budget, known)
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
    known: Container[str],
) -> _Parts:
    """Name everything, then look for the loop and the cuts."""
    wiring = wire(graph, nodes)
    loop = _best_loop(wiring, budget) or _nameless_loop(graph, nodes, wiring)
    if loop_fingerprint(_shown(wiring, loop)) in known:
        return _Parts(wiring, loop, len(loop), [], 0, is_smallest=False)
    successors = wiring.successors(2)
    is_few = len(wiring.names) <= _EXACT or not has_more_loops(successors, _FEW_LOOPS)
    effort = EFFORT if is_few else 0
    cuts, is_smallest = minimum_feedback(
        successors,
        costs_of(wiring),
        effort=effort,
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
    for level in (0, 1, 2):
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
        cuts, is_smallest = _cuts(graph, nodes, successors, budget)
        if is_smallest and len(cuts) <= MOST_CUTS:
            cuts, materialised = _preferred(graph, nodes, successors, cuts)
    count = _times(successors, cuts)
    path, shown = loop[: 2 * MOST_SHOWN + 2], cuts[:MOST_CUTS]
    owners = _owners(graph, nodes, successors, shown)
    chosen = list(dict.fromkeys([*path, *chain.from_iterable(shown), *owners.values()]))
    wiring = wire(graph, [nodes[place] for place in chosen])
    number_of = {place: number for number, place in enumerate(chosen)}
    steps = _named_steps(wiring, map(number_of.__getitem__, path))
    if len(path) < len(loop):
        del steps[-1:]  # the way back to the start, which is not shown
    if is_ring:
        costs = costs_of(wiring)
        best = min(steps, key=lambda edge: costs[edge])
        return _Parts(wiring, steps, len(loop), [best], 1, is_smallest=True)
    named = dict.fromkeys(
        (number_of[owners.get(holder, holder)], number_of[target])
        for holder, target in shown
    )
    known = [edge for edge in named if edge in wiring.names]
    return _Parts(
        wiring,
        steps,
        len(loop),
        known,
        count,
        is_smallest=is_smallest and len(known) == len(shown),
        materialised=materialised,
    )


def _cuts(
    graph: Graph,
    nodes: Sequence[int],
    successors: Sequence[Sequence[int]],
    budget: Budget,
) -> tuple[list[Edge], bool]:
    """Return the cuts of a large component, and whether there are no fewer.

    That they open it needs no other look: all references that are left lead forward in
    one order of the nodes, or no loop was found that avoids them.
    """
    if has_more_loops(successors, _FEW_LOOPS):
        return minimum_feedback(successors, effort=0)
    costs = _costs(graph, nodes, successors)
    return minimum_feedback(successors, costs, is_over=lambda: budget.is_out_of_time)


def _costs(
    graph: Graph, nodes: Sequence[int], successors: Sequence[Sequence[int]]
) -> dict[Edge, int]:
    """Return by reference what removing it costs, where that is not one.

    As many as there are between two objects.  A ``__dict__`` or the frame of a
    generator cannot be removed, so it costs more than all that is in it.
    """
    costs: dict[Edge, int] = {}
    parts = _possible_parts(graph, nodes, range(len(nodes)))
    for node, following in enumerate(successors):
        if len(following) > len(set(following)):
            counts: dict[int, int] = {}
            count_elements(counts, following)
            costs.update({(node, other): number for other, number in counts.items()})
        for part in parts.intersection(following):
            if _is_part_of(graph.object_of(nodes[node]), graph.object_of(nodes[part])):
                costs[node, part] = len(successors[part]) + 1
    return costs


def _possible_parts(
    graph: Graph, nodes: Sequence[int], places: Iterable[int]
) -> set[int]:
    """Return those of some places where there is what one object may have as its part.

    They are no steps of their own: see ``wire``.
    """
    return {
        place
        for place in places
        if graph.counts[nodes[place]] == 1
        and _can_be_part(type(graph.object_of(nodes[place])))
    }


def _can_be_part(kind: type) -> bool:
    """Return whether it is one of two types, by identity: ``==`` is a metaclass's."""
    return kind is dict or kind is FrameType


def _is_part_of(holder: object, thing: object) -> bool:
    """Return whether it is the ``__dict__`` or the suspended frame of an object."""
    if type(thing) is FrameType:
        return is_one_of(holder, SUSPENDED)
    return is_dict_of(holder, thing)


def _preferred(
    graph: Graph,
    nodes: Sequence[int],
    successors: Sequence[Sequence[int]],
    cuts: Sequence[Edge],
) -> tuple[list[Edge], int]:
    """Return the references that a person would remove, if they do as well.

    And how many objects were changed a little to name what is in them.
    """
    chosen = list(cuts)
    materialised = 0
    for place, cut in enumerate(cuts):
        rest = without(successors, [*chosen[:place], *chosen[place + 1 :]])
        # All loops that are left lead through the one to remove.
        way = loop_through(rest, cut[0])
        if len(way) <= MOST_NAMED:
            wiring = wire(graph, [nodes[each] for each in way], at_any_price=False)
            materialised += wiring.materialised
            for edge in _ranked(wiring, way, rest, cut)[:_TRIES]:
                if edge == cut or is_opened(rest, [edge]):
                    chosen[place] = edge
                    break
    return chosen, materialised


def _ranked(
    wiring: Wiring, way: Sequence[int], successors: Sequence[Sequence[int]], cut: Edge
) -> list[Edge]:
    """Return the references of a loop that are no more than one of them, best first."""
    most = successors[cut[0]].count(cut[1])
    costs = costs_of(wiring)
    ranked: list[tuple[int, Edge]] = []
    for place, (node, other) in enumerate(edges_of(way)):
        target = (place + 1) % len(way)
        # What is in a __dict__ is named as its owner's.
        for holder in (place, (place - 1) % len(way)):
            if (holder, target) in costs and successors[node].count(other) <= most:
                ranked.append((costs[holder, target], (node, other)))
                break
    return [edge for _, edge in sorted(ranked)]


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


def _owners(
    graph: Graph,
    nodes: Sequence[int],
    successors: Sequence[Sequence[int]],
    cuts: Sequence[Edge],
) -> dict[int, int]:
    """Return whose part it is that a cut begins at."""
    wanted = _possible_parts(graph, nodes, {holder for holder, _ in cuts})
    return {
        other: node
        for node, following in enumerate(successors)
        if not wanted.isdisjoint(following)
        for other in wanted.intersection(following)
        if _is_part_of(graph.object_of(nodes[node]), graph.object_of(nodes[other]))
    }


def _in_order(parts: _Parts) -> list[Edge]:
    """Return the cuts, the best first; none if they would not do."""
    if not parts.cut_count:
        return []
    costs = costs_of(parts.wiring, parts.cuts)
    places = {edge: place for place, edge in enumerate(parts.loop)}
    last = len(places)
    return sorted(
        parts.cuts, key=lambda edge: (costs[edge], places.get(edge, last), edge)
    )


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
        if any("__del__" in get_members(base) for base in get_mro(graph.types[kind]))
    }
    if not wanted:
        return []
    chosen = compress(nodes, map(wanted.__contains__, map(kind_of, nodes)))
    return list(map(graph.object_of, chosen))
