"""Strongly connected components."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given

from refscope._measure.algorithms.components import components

from .graphs import components_by_closure, digraph, graphs


def sets_of(found):
    """Return components as a set of sets; the same node is never in two."""
    sets = {frozenset(component) for component in found}
    assert sum(map(len, sets)) == sum(map(len, found))
    return sets


@given(graphs())
def test_the_answer_of_the_closure(successors):
    """Two nodes are in one component if each leads to the other."""
    assert sets_of(components(successors)) == components_by_closure(successors)


@given(graphs(most_nodes=60, most_edges=150))
def test_the_answer_of_networkx(successors):
    """Larger graphs agree with networkx."""
    graph = digraph(successors)
    expected = {
        frozenset(nodes)
        for nodes in nx.strongly_connected_components(graph)
        if len(nodes) > 1 or graph.has_edge(*[*nodes] * 2)
    }

    assert sets_of(components(successors)) == expected


@given(graphs(most_nodes=30, most_edges=30))
def test_chains_and_rings(successors):
    """Nodes with one successor, which are settled first, are settled right."""
    single = [row[:1] for row in successors]

    assert sets_of(components(single)) == components_by_closure(single)


@pytest.mark.parametrize("fork", [False, True])
def test_a_long_ring(fork):
    """A ring of 200,000 is one component, followed or searched, without recursion."""
    size = 200_000
    successors = [(node + 1,) for node in range(size - 1)] + [(0,)]
    if fork:
        successors[0] = (1, 2)

    [component] = components(successors)

    assert len(component) == size


def test_a_deep_structure_without_a_loop():
    """A chain of 200,000 with a fork at its start has no component."""
    size = 200_000
    successors = [(1, 2), *[(node + 1,) for node in range(1, size - 1)], ()]

    assert components(successors) == []
