"""Smallest sets of references whose removal leaves no loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refscope._measure.algorithms.feedback import is_opened, minimum_feedback
from refscope._measure.algorithms.packing import has_more_loops

from .graphs import cheapest_by_trial, edges_of, graphs, is_acyclic


@given(graphs(most_nodes=6, most_edges=10))
def test_no_set_is_smaller(successors):
    """The set opens every loop, and trying all sets finds none that is smaller."""
    removed, exact = minimum_feedback(successors)

    assert exact
    assert is_acyclic(successors, removed)
    assert len(removed) == cheapest_by_trial(successors, lambda _: 1)


@given(graphs(most_nodes=6, most_edges=9), st.data())
def test_no_set_is_cheaper(successors, data):
    """With costs the cheapest set is found, however many references it has."""
    edges = edges_of(successors)
    costs = {edge: data.draw(st.integers(1, 5)) for edge in edges}

    removed, exact = minimum_feedback(successors, costs)

    assert exact
    assert is_acyclic(successors, removed)
    cheapest = cheapest_by_trial(successors, costs.__getitem__)
    assert sum(map(costs.__getitem__, removed)) == cheapest


@given(graphs(most_nodes=30, most_edges=120))
def test_a_good_set_for_larger_graphs(successors):
    """Without effort the set opens every loop too, and no reference is for nothing."""
    removed, exact = minimum_feedback(successors, effort=0)

    assert not exact
    assert is_acyclic(successors, removed)
    assert set(removed) <= set(edges_of(successors))
    for edge in removed:
        assert not is_acyclic(successors, set(removed) - {edge})


@given(graphs(most_nodes=30, most_edges=60))
def test_a_good_set_is_not_far_from_the_smallest(successors):
    """It has at most three references for one of the smallest set."""
    good, _ = minimum_feedback(successors, effort=0)
    least, exact = minimum_feedback(successors, effort=20_000)

    assert len(least) <= len(good)
    assert not exact or len(good) <= 3 * len(least)


def test_the_search_is_given_up():
    """Fifteen nodes, each with a reference to or from every other, are too many."""
    size = 15
    successors = [
        [
            other
            for other in range(size)
            if other != node and (other - node) ** 2 % 7 in way
        ]
        for node, way in (
            (node, (1, 2, 4) if node % 2 else (0, 1, 4)) for node in range(size)
        )
    ]

    removed, exact = minimum_feedback(successors, effort=500)

    assert not exact
    assert is_acyclic(successors, removed)


@given(graphs())
def test_whether_a_set_opens_is_verified(successors):
    """What networkx calls acyclic is opened."""
    removed = edges_of(successors)[::2]

    assert is_opened(successors, removed) == is_acyclic(successors, removed)


def test_a_large_component():
    """A ring of 30,000 with 60,000 chords is opened, and not by trying."""
    size = 30_000
    successors = [
        ((node + 1) % size, node * 7 % size, node * 13 % size) for node in range(size)
    ]

    removed, _ = minimum_feedback(successors, effort=0)

    assert is_opened(successors, removed)
    assert len(removed) < size


def forward(size, ways):
    """Return a graph that leads from each node to later ones, and so has no loop."""
    return [
        [node + way for way in ways if node + way < size] for node in range(size - 1)
    ] + [[]]


@pytest.mark.apart
def test_few_cuts_of_a_large_graph():
    """Three references back in 9,000 are found, and proved to be the fewest."""
    successors = forward(3000, (1, 7, 50))
    backs = [(2999, 0), (2000, 900), (2500, 100)]
    for node, other in backs:
        successors[node].append(other)

    removed, exact = minimum_feedback(successors)

    assert exact
    assert removed == sorted(backs)


@pytest.mark.apart
def test_where_the_search_takes_too_long():
    """What hits most loops is far better than an order, if the loops have few cuts."""
    successors = forward(300, (1, 2, 9))
    for node in range(40, 300, 10):
        successors[node].append(node * 7 % 39)

    removed, exact = minimum_feedback(successors, effort=1)
    by_order, _ = minimum_feedback(successors, effort=0)

    assert not exact
    assert is_opened(successors, removed)
    assert len(removed) <= 26 < len(by_order) / 2


def test_no_time_is_left():
    """The order is what is found at once."""
    successors = forward(300, (1, 2, 9))
    for node in range(40, 300, 10):
        successors[node].append(node * 7 % 39)
    looks = iter([False, True, True])

    removed, exact = minimum_feedback(successors, is_over=lambda: next(looks))

    assert (removed, exact) == minimum_feedback(successors, effort=0)


@given(graphs(most_nodes=6, most_edges=10), st.integers(0, 4))
def test_more_loops_than_cuts(successors, most):
    """Each loop that has no reference of the others needs a cut of its own."""
    least = cheapest_by_trial(successors, lambda _: 1)

    assert not has_more_loops(successors, most) or least > most


@pytest.mark.parametrize("most", [0, 1, 99, 100])
def test_loops_that_are_counted(most):
    """A hundred pairs are a hundred loops, however they hang together."""
    pairs = [[node ^ 1] for node in range(200)]
    ring = [[(node + 1) % 200] for node in range(200)]

    assert has_more_loops(pairs, most) == (most < 100)
    assert has_more_loops(ring, most) == (most < 1)


def test_many_loops_through_one_node_are_looked_at_a_few_times():
    """As the methods of a mock: not all references again for each that is removed."""
    asked = []

    class Costs(dict):
        """Counts how often it is asked."""

        def get(self, key, default=None):
            asked.append(key)
            return default

    count = 300
    successors = [list(range(1, count)) * 2]
    successors += [[0, 1 + number % (count - 1)] for number in range(1, count)]
    removed, _ = minimum_feedback(successors, Costs())

    assert is_opened(successors, removed)
    assert len(asked) < 50 * count
