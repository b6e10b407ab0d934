"""What the tests of cycles share: proofs that a report tells the truth."""

from __future__ import annotations

import gc
import graphlib
import sys
import types

import attrs

import refscope
from refscope._measure.budget import Budget
from refscope._measure.cycles import garbage


def found_ids():
    """Return the identities of all garbage, as refscope finds it."""
    graph = garbage.find_garbage(Budget())
    ids = {id(graph.object_of(node)) for node in graph.nodes}
    graph.close()
    return ids


def saved_ids():
    """Return the identities of all garbage, as the collector saves it; free it."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return {id(thing) for thing in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.collect()


def names_of(cycle):
    """Return the names on the loop, in order."""
    return [reference.name for reference in cycle.references]


def only(report):
    """Return the example of the only group."""
    [group] = report.groups
    return group.example


def assert_true(report, among=None):
    """Each loop is a loop of the program, and the cuts open its component.

    Members are looked for among the garbage, or the objects that are given.
    """
    ids = found_ids() if among is None else set(map(id, among))
    by_id = {id(thing): thing for thing in gc.get_objects() if id(thing) in ids}
    whole = heap_graph(by_id)
    for group in report.groups:
        references = group.example.references
        for reference, after in zip(
            references, [*references[1:], *references[:1]], strict=True
        ):
            assert reference.target.address == after.holder.address
            assert_leads(reference, by_id)
        assert_opened(whole, group.example, by_id)


def assert_leads(reference, by_id):
    """What the name says leads from the holder to the target."""
    holder = by_id[reference.holder.address]
    target = by_id[reference.target.address]
    name = reference.name
    if name.startswith("<local "):
        frame = getattr(holder, "gi_frame", None) or getattr(holder, "cr_frame", holder)
        variables = frame.f_locals
        assert variables[name[7:].partition(" ")[0]] is target
    elif name.startswith("<cell "):
        assert type(target) is types.CellType
    elif name.startswith("<"):
        assert any(thing is target for thing in gc.get_referents(holder))
    elif name.startswith("{"):
        assert any(thing is target for thing in holder)
    else:
        assert eval(f"holder{name}", {"holder": holder}) is target  # noqa: S307


def heap_graph(by_id):
    """Return who refers to whom: what each refers to, by their addresses."""
    return {
        key: {id(other) for other in gc.get_referents(thing)} & by_id.keys()
        for key, thing in by_id.items()
    }


def assert_opened(whole, cycle, by_id):
    """Without the references to cut no loop is left in the component."""
    component = component_of(whole, cycle.references[0].holder.address)
    graph = {node: whole[node] & component for node in component}
    assert is_cyclic(graph)
    for cut in cycle.break_at:
        holder, target = cut.holder.address, cut.target.address
        carriers = [
            node
            for node in graph[holder]
            if type(by_id[node]) in (dict, types.FrameType)
        ]
        for node in (holder, *carriers):
            graph[node] = graph[node] - {target}
    left = [(type(by_id[a]), type(by_id[b])) for a in graph for b in graph[a]]
    assert not is_cyclic(graph), left


def component_of(graph, member):
    """Return what a node leads to that leads back to it, and the node."""
    backwards = {node: set() for node in graph}
    for node, others in graph.items():
        for other in others:
            backwards[other].add(node)
    return _reached(graph, member) & _reached(backwards, member)


def _reached(graph, start):
    found, todo = {start}, [start]
    while todo:
        fresh = graph[todo.pop()] - found
        found |= fresh
        todo.extend(fresh)
    return found


def is_cyclic(graph):
    """Tell whether any node leads back to itself."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError:
        return True
    return False


def find_true():
    """Return a report of the garbage that was proved, and is the same twice."""
    report = refscope.find_cycles()
    again = refscope.find_cycles()
    assert facts(again) == facts(report)
    assert_true(report)
    return report


def facts(report):
    """Return a report without what may differ when nothing else does.

    Before 3.12 the snapshot of a frame's variables stays behind, empty.
    """
    groups = report.groups
    if sys.version_info < (3, 12):
        groups = tuple(
            attrs.evolve(
                group, example=attrs.evolve(group.example, held=0, retained_size=0)
            )
            for group in groups
        )
        report = attrs.evolve(report, objects=0, size=0)
    return attrs.evolve(report, overhead=0, limits=(), groups=groups)
