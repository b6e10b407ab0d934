"""Where to cut a large component, of which not every reference is named.

What an object has in its ``__dict__``, and a generator in its frame, are parts of one
thing: between the two there is nothing to cut.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from types import FrameType

from refscope._measure.algorithms.feedback import (
    Edge,
    edges_of,
    is_opened,
    minimum_feedback,
    without,
)
from refscope._measure.algorithms.loops import loop_through
from refscope._measure.algorithms.packing import has_more_loops
from refscope._measure.budget import Budget
from refscope._measure.cpython.classes import is_heap_type, is_one_of
from refscope._measure.cpython.interpreter import count_elements
from refscope._measure.cpython.managed import is_dict_of
from refscope._measure.heap.graphs import Graph
from refscope._measure.names.table import collapsed, edges

from .costs import SUSPENDED, costs_of, is_back_pointer
from .wiring import Wiring, wire


FEW_LOOPS = 32
"""Loops without a reference in common up to which the smallest set is looked for."""
MOST_CUTS = 16
"""References to remove that are shown."""
_LONGEST_WAY = 500
"""Members of a loop that are named to choose between its references."""
_TRIES = 3
"""References that may be tried instead of one that is to be removed."""
_MOST_HOLDERS = 20_000
"""Objects that are asked for references back to their owners."""
_MOST_LINES = 16
"""Types and names of such references of which it is tried to do without."""


def cuts_of(
    graph: Graph,
    nodes: Sequence[int],
    successors: Sequence[Sequence[int]],
    budget: Budget,
) -> tuple[list[Edge], bool, int]:
    """Return where to cut a large component, and whether there are no fewer.

    And how many objects were changed a little to name what is in them.  That the cuts
    open it needs no other look: all references that are left lead forward in one order
    of the nodes, or no loop was found that avoids them.
    """
    if has_more_loops(successors, FEW_LOOPS):
        return _many(graph, nodes, successors), False, 0
    costs = _costs(graph, nodes, successors)
    cuts, is_smallest = minimum_feedback(
        successors, costs, is_over=lambda: budget.is_out_of_time
    )
    if not is_smallest or len(cuts) > MOST_CUTS:
        return cuts, is_smallest, 0
    chosen, materialised = _preferred(graph, nodes, successors, cuts)
    return chosen, True, materialised


def by_back_pointers(
    successors: Sequence[Sequence[int]], groups: Sequence[list[Edge]]
) -> list[Edge]:
    """Return references back to owners that open a component, none if all do not.

    Args:
        successors: The component.
        groups: Those of one type and name together, which are one line of the program;
            as few as possible are taken, rather the last ones.
    """
    chosen = list(groups)
    if not groups or not is_opened(successors, chain.from_iterable(chosen)):
        return []
    for group in groups[:_MOST_LINES]:
        rest = [other for other in chosen if other is not group]
        if is_opened(successors, chain.from_iterable(rest)):
            chosen = rest
    return sorted(chain.from_iterable(chosen))


def _many(
    graph: Graph, nodes: Sequence[int], successors: Sequence[Sequence[int]]
) -> list[Edge]:
    """Return the references back to owners, if these do; else few of any kind."""
    kinds, part_kinds = graph.kinds, {id(dict), id(FrameType)}
    places = [at for at, node in enumerate(nodes) if kinds[node] in part_kinds]
    owners = owners_of(graph, nodes, successors, places)
    part_of = {owner: part for part, owner in owners.items()}
    merged = list(successors)
    for owner, part in part_of.items():
        rest = [other for other in successors[owner] if other != part]
        merged[owner] = [*rest, *successors[part]]
        merged[part] = []
    found = by_back_pointers(merged, _back_pointers(graph, nodes, part_of))
    if not found:
        found, _ = minimum_feedback(merged, effort=0)
    if not part_of:
        return found
    return [
        (holder, target)
        for owner, target in found
        for holder in dict.fromkeys((owner, part_of.get(owner, owner)))
        if target in successors[holder]
    ]


def _back_pointers(
    graph: Graph, nodes: Sequence[int], part_of: Mapping[int, int]
) -> list[list[Edge]]:
    """Return the references of instances whose names say that they lead to an owner.

    None if there are too many objects to ask.
    """
    groups: defaultdict[tuple[int, str], list[Edge]] = defaultdict(list)
    place_of: dict[int, int] = {}
    for key, places in _instances(graph, nodes).items():
        likely: dict[str, None] = {}
        samples = [places[0], places[len(places) // 2], places[-1]]
        if not any(_to_owners(graph, nodes, at, part_of, likely) for at in samples):
            continue
        if len(places) > _MOST_HOLDERS:
            return []
        if not place_of:
            place_of = {id(graph.object_of(node)): at for at, node in enumerate(nodes)}
        for place in places:
            for name, owner in _to_owners(graph, nodes, place, part_of, likely):
                if owner in place_of:
                    groups[key, name].append((place, place_of[owner]))
    return [groups[key] for key in sorted(groups, key=lambda key: key[1])]


def _instances(graph: Graph, nodes: Sequence[int]) -> dict[int, list[int]]:
    """Return the places of the instances of each class that was made at run time."""
    kinds = graph.kinds
    of_program = {key for key, kind in graph.types.items() if is_heap_type(kind)}
    by_kind: defaultdict[int, list[int]] = defaultdict(list)
    if not of_program.isdisjoint(map(kinds.__getitem__, nodes)):
        for place, node in enumerate(nodes):
            if kinds[node] in of_program:
                by_kind[kinds[node]].append(place)
    return by_kind


def _to_owners(
    graph: Graph,
    nodes: Sequence[int],
    place: int,
    part_of: Mapping[int, int],
    likely: dict[str, None],
) -> list[tuple[str, int]]:
    """Return the names of references of one object that lead to owners, and to whom."""
    named: list[tuple[str | None, object]]
    part = part_of.get(place)
    if part is None:
        named = edges(graph.object_of(nodes[place]), likely=likely)
    else:
        named = [
            (collapsed(".__dict__", key), thing)
            for key, thing in edges(graph.object_of(nodes[part]))
        ]
    return [
        (name, id(thing))
        for name, thing in named
        if name is not None and is_back_pointer(name)
    ]


def _costs(
    graph: Graph, nodes: Sequence[int], successors: Sequence[Sequence[int]]
) -> dict[Edge, int]:
    """Return by reference what removing it costs, where that is not one.

    As many as there are between two objects.  A ``__dict__`` or the frame of a
    generator cannot be removed, so it costs more than all that is in it.
    """
    costs: dict[Edge, int] = {}
    for node, following in enumerate(successors):
        if len(following) > len(set(following)):
            counts: dict[int, int] = {}
            count_elements(counts, following)
            costs.update({(node, other): number for other, number in counts.items()})
    for part, owner in owners_of(graph, nodes, successors, range(len(nodes))).items():
        costs[owner, part] = len(successors[part]) + 1
    return costs


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
        if len(way) <= _LONGEST_WAY:
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


def owners_of(
    graph: Graph,
    nodes: Sequence[int],
    successors: Sequence[Sequence[int]],
    places: Iterable[int],
) -> dict[int, int]:
    """Return whose ``__dict__`` or suspended frame there is at some places, and where.

    They are no steps of their own: see ``wire``.
    """
    wanted = {
        place
        for place in places
        if graph.counts[nodes[place]] == 1
        and _can_be_part(type(graph.object_of(nodes[place])))
    }
    return {
        other: node
        for node, following in enumerate(successors if wanted else ())
        if not wanted.isdisjoint(following)
        for other in wanted.intersection(following)
        if _is_part_of(graph.object_of(nodes[node]), graph.object_of(nodes[other]))
    }


def _can_be_part(kind: type) -> bool:
    """Return whether it is one of two types, by identity: ``==`` is a metaclass's."""
    return kind is dict or kind is FrameType
