"""Strongly connected components."""

from __future__ import annotations

import random
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    assert sets_of(components(successors)) == components_by_networkx(successors)


@given(graphs(most_nodes=30, most_edges=30))
def test_chains_and_rings(successors):
    """Where each node has one successor at most, chains lead into rings."""
    single = [row[:1] for row in successors]

    assert sets_of(components(single)) == components_by_closure(single)


@given(graphs(), st.randoms())
def test_references_in_any_number_and_order(successors, order):
    """What is referred to more often, or later, does not matter."""
    rows = [row + row[: order.randrange(3)] for row in successors]
    for row in rows:
        order.shuffle(row)

    assert sets_of(components(rows)) == components_by_closure(successors)


@given(
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), min_size=1, max_size=6),
    st.randoms(),
)
def test_components_that_lead_to_each_other(sizes, order):
    """Rings with chords, chains into them, between them and out of them stay apart."""
    rows, expected = chained_rings(sizes, order)

    assert sets_of(components(rows)) == expected


def chained_rings(sizes, order):
    """Return rings, each after a chain, with references onwards only, shuffled."""
    rows, rings = [], []
    for ring, chain in sizes:
        first = len(rows) + chain
        rows += [[node + 1] for node in range(len(rows), first)]
        members = range(first, first + ring)
        rows += [[node + 1] for node in members]
        rows[-1] = [first]
        rows[order.choice(members)].append(order.choice(members))
        rings.append(members)
    for nodes, following in pairwise(rings):
        rows[order.choice(nodes)].append(order.randrange(nodes.stop, following.stop))
    rows.append([])
    rows[order.randrange(len(rows) - 1)].append(len(rows) - 1)
    names = list(range(len(rows)))
    order.shuffle(names)
    named = [[] for _ in rows]
    for node, row in enumerate(rows):
        named[names[node]] = [names[other] for other in order.sample(row, len(row))]
    return named, {frozenset(names[node] for node in nodes) for nodes in rings}


def components_by_networkx(successors):
    """Return the components with a cycle that networkx finds."""
    graph = digraph(successors)
    return {
        frozenset(nodes)
        for nodes in nx.strongly_connected_components(graph)
        if len(nodes) > 1 or graph.has_edge(*[*nodes] * 2)
    }


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


@pytest.mark.parametrize("mean", [1, 2, 6])
def test_large_graphs(mean):
    """A component of thousands, with what leads to it and what it leads to."""
    order = random.Random(mean)  # noqa: S311
    successors = [[] for _ in range(5_000)]
    for _ in range(5_000 * mean):
        successors[order.randrange(5_000)].append(order.randrange(5_000))

    assert sets_of(components(successors)) == components_by_networkx(successors)


def test_several_large_components():
    """Two tangles of thousands, one of which leads to the other, are two."""
    order = random.Random(7)  # noqa: S311
    rows, expected = chained_rings([(3_000, 100), (3_000, 0), (1, 5)], order)
    for component in expected:
        members = sorted(component)
        for node in members:
            rows[node] += order.choices(members, k=2)

    assert sets_of(components(rows)) == expected


@pytest.mark.apart
def test_a_long_chain_of_pairs():
    """Nodes that refer to both neighbours are one component, however many."""
    size = 100_000
    rows = [[node - 1, node + 1] for node in range(size)]
    rows[0], rows[-1] = [1], [size - 2]

    [component] = components(rows)

    assert sorted(component) == list(range(size))


def test_the_order_is_always_the_same():
    """Nothing hangs on addresses: the answer is the same list each time."""
    rows, _ = chained_rings([(30, 3)] * 5, random.Random(1))  # noqa: S311

    assert components(rows) == components([tuple(row) for row in rows])
