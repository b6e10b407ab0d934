"""Random graphs of live objects against a model too simple to be wrong."""

from __future__ import annotations

import functools
import gc

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import refscope
from tests.cycles.helpers import assert_true, found_ids


pytestmark = pytest.mark.usefixtures("no_garbage")


class Plain:
    """An instance with a dictionary."""


class Slots:
    """An instance with slots."""

    __slots__ = ("a", "b", "c", "d", "e", "f", "g", "h")


def _closure():
    held = []

    def function():
        return held

    return function, held


def _waiting():
    held = yield
    while True:
        yield held


def _generator():
    generator = _waiting()
    next(generator)
    held = []
    generator.send(held)
    return generator, held


def _error():
    held = []
    error = ValueError()
    error.held = held
    return error, held


def _method():
    plain = Plain()
    plain.held = []
    return functools.partial(print, plain), plain.held


class Node:
    """An object of some kind, and how to make it refer to others."""

    KINDS = (
        "plain",
        "slots",
        "list",
        "dict",
        "closure",
        "generator",
        "error",
        "partial",
    )

    def __init__(self, kind):
        self.kind = kind
        self.held = None
        if kind == "plain":
            self.thing = Plain()
        elif kind == "slots":
            self.thing = Slots()
        elif kind == "list":
            self.thing = self.held = []
        elif kind == "dict":
            self.thing = {"tracked": []}
        else:
            makers = {
                "closure": _closure,
                "generator": _generator,
                "error": _error,
                "partial": _method,
            }
            self.thing, self.held = makers[kind]()

    def refer(self, other, name):
        """Make the object refer to another one."""
        if self.held is not None:
            self.held.append(other)
        elif self.kind == "dict":
            self.thing[name] = other
        else:
            setattr(self.thing, name, other)


NODE_NAMES = "abcdefgh"


@st.composite
def programs(draw):
    """Draw kinds of objects, who refers to whom, and which are held."""
    kinds = draw(st.lists(st.sampled_from(Node.KINDS), min_size=1, max_size=8))
    places = st.integers(0, len(kinds) - 1)
    pairs = st.tuples(places, places)
    edges = draw(st.lists(pairs, max_size=14, unique=True))
    roots = draw(st.sets(places, max_size=2))
    return kinds, edges, roots


def expected_garbage(kinds, edges, roots):
    """Return which nodes are garbage, and which die at once."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(kinds)))
    graph.add_edges_from(edges)
    alive = set(roots)
    for root in roots:
        alive |= nx.descendants(graph, root)
    on_cycles = {
        node
        for component in nx.strongly_connected_components(graph)
        for node in component
        if len(component) > 1 or graph.has_edge(node, node)
    } - alive
    garbage = set(on_cycles)
    for node in on_cycles:
        garbage |= nx.descendants(graph, node) - alive
    return garbage, set(range(len(kinds))) - alive - garbage


def build(kinds, edges, roots):
    """Return identities of the objects, and those that are held."""
    nodes = [Node(kind) for kind in kinds]
    for start, end in edges:
        nodes[start].refer(nodes[end].thing, NODE_NAMES[end])
    ids = [id(node.thing) for node in nodes]
    return ids, [nodes[root].thing for root in roots]


@settings(max_examples=150)
@given(programs())
def test_garbage_is_what_the_model_says(program):
    """Exactly what nothing leads to and what does not die by itself."""
    kinds, edges, roots = program
    gc.collect()
    gc.freeze()
    ids, held = build(*program)

    found = found_ids()
    garbage, dead = expected_garbage(kinds, edges, roots)
    expected = {ids[node] for node in garbage}
    judged = {ids[node] for node in range(len(kinds)) if node not in dead}
    assert found & judged == expected
    assert len(held) == len(roots)


@settings(max_examples=60)
@given(programs())
def test_every_loop_is_real_and_every_cut_opens(program):
    """Whatever refers to whom: names lead on, and cuts leave no loop."""
    gc.collect()
    gc.freeze()
    ids, held = build(*program)

    report = refscope.find_cycles()
    assert_true(report)
    assert ids
    assert isinstance(held, list)


@settings(max_examples=30)
@given(programs())
def test_live_cycles_are_those_of_the_model(program):
    """Held objects are searched through, and those on loops are found."""
    kinds, edges, _ = program
    gc.collect()
    gc.freeze()
    ids, held = build(kinds, edges, range(len(kinds)))

    report = refscope.find_cycles(through=held)
    graph = nx.DiGraph(edges)
    on_cycles = [
        component
        for component in nx.strongly_connected_components(graph)
        if len(component) > 1 or graph.has_edge(*[*component] * 2)
    ]
    assert report.count == len(on_cycles)
    assert all(group.kind == "live" for group in report.groups)
    assert ids
