"""Dominators, against naive removal and networkx."""

from __future__ import annotations

import random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refscope._measure.algorithms.dominators import dominators


def _graphs(most=12):
    """Return a strategy of graphs; node 0 is the root."""
    return st.integers(1, most).flatmap(
        lambda size: st.lists(
            st.lists(st.integers(0, size - 1), max_size=4),
            min_size=size,
            max_size=size,
        )
    )


def _reached(successors, root, without=None):
    todo, seen = [root], {root} - {without}
    while todo:
        node = todo.pop()
        if node == without:
            continue
        fresh = [n for n in successors[node] if n not in seen and n != without]
        seen.update(fresh)
        todo.extend(fresh)
    return seen


def _retained(successors, root, node):
    """Return what can be reached only through a node."""
    return _reached(successors, root) - _reached(successors, root, without=node)


@given(_graphs())
def test_a_dominator_is_on_every_path(successors):
    """What a node dominates is what cannot be reached when it is taken out."""
    found = dominators(successors, 0)
    totals = found.totals([1] * len(successors))

    for node in _reached(successors, 0):
        assert totals[node] == len(_retained(successors, 0, node))


@given(_graphs())
def test_only_what_can_be_reached_has_a_dominator(successors):
    """The order holds each reachable node once, dominators first."""
    found = dominators(successors, 0)
    place = {node: index for index, node in enumerate(found.order)}

    assert sorted(place) == sorted(_reached(successors, 0))
    for node, parent in enumerate(found.parents):
        assert (parent < 0) == (node not in place)
        assert node in {0} - set(place) or parent < 0 or place[parent] <= place[node]


@given(st.integers(0, 10**9), st.integers(2, 60))
def test_dominators_are_those_of_networkx(seed, size):
    """Another implementation of another algorithm finds the same tree."""
    numbers = random.Random(seed)  # noqa: S311
    successors = [
        [numbers.randrange(size) for _ in range(numbers.randrange(4))]
        for _ in range(size)
    ]
    graph = nx.DiGraph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from((a, b) for a in range(size) for b in successors[a])
    expected = {**nx.immediate_dominators(graph, 0), 0: 0}
    found = dominators(successors, 0)

    assert {node: found.parents[node] for node in found.order} == expected


@pytest.mark.apart
def test_depth_does_not_matter():
    """A chain of many nodes, with a way back from each, needs no recursion."""
    size = 50_000
    successors = [[node + 1, node // 2] for node in range(size - 1)] + [[0]]
    found = dominators(successors, 0)

    assert found.totals([1] * size)[:3] == [size, size - 1, size - 2]
