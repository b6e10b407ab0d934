"""Shortest loops."""

from __future__ import annotations

import networkx as nx
from hypothesis import assume, given
from hypothesis import strategies as st

from refscope._measure.algorithms.loops import loop_through, shortest_loop

from .graphs import digraph, graphs


def length_by_networkx(successors, start):
    """Return how long the shortest loop through a node is; 0 if there is none."""
    backwards = digraph(successors).reverse()
    known = nx.single_source_shortest_path_length(backwards, start)
    return min(
        (known[node] + 1 for node in successors[start] if node in known), default=0
    )


def assert_is_loop(successors, loop):
    """Every node refers to the next, and the last to the first."""
    assert len(set(loop)) == len(loop)
    for node, other in zip(loop, [*loop[1:], *loop[:1]], strict=True):
        assert other in successors[node]


@given(graphs(), st.data())
def test_no_loop_through_a_node_is_shorter(successors, data):
    """The loop begins at the node and is as long as the shortest way back."""
    assume(successors)
    start = data.draw(st.integers(0, len(successors) - 1))

    loop = loop_through(successors, start)

    assert_is_loop(successors, loop)
    assert loop[:1] in ([start], [])
    assert len(loop) == length_by_networkx(successors, start)


@given(graphs(), st.data())
def test_loops_that_are_too_long_are_not_looked_for(successors, data):
    """With a bound there is the same loop, or none."""
    assume(successors)
    start = data.draw(st.integers(0, len(successors) - 1))
    bound = data.draw(st.integers(1, 6))
    loop = loop_through(successors, start)

    expected = loop if len(loop) < bound else []
    assert loop_through(successors, start, shorter_than=bound) == expected


@given(graphs(most_nodes=12, most_edges=40))
def test_no_loop_is_shorter(successors):
    """The shortest loop of a graph is the shortest over all its nodes."""
    nodes = range(len(successors))

    loop = shortest_loop(successors, nodes)

    assert_is_loop(successors, loop)
    lengths = [length_by_networkx(successors, node) for node in nodes]
    assert len(loop) == min(filter(None, lengths), default=0)
