"""Reachability."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from refscope._measure.algorithms.reach import predecessors, reachable

from .graphs import edges_of, graphs, reach_by_closure


@given(graphs(), st.sets(st.integers(0, 8)))
def test_what_is_reachable(successors, chosen):
    """Reachable are the roots and what the closure says."""
    roots = {node for node in chosen if node < len(successors)}
    leads = reach_by_closure(successors)
    expected = {
        node
        for node in range(len(successors))
        if node in roots or any(leads[root][node] for root in roots)
    }

    assert reachable(successors, roots) == expected


@given(graphs())
def test_references_turned_round(successors):
    """Each reference stands once in the other direction."""
    turned = edges_of(predecessors(successors))

    assert sorted((end, start) for start, end in turned) == sorted(edges_of(successors))


def test_a_long_way():
    """A chain of 100,000 nodes is followed to its end."""
    size = 100_000

    assert len(reachable([(node + 1,) for node in range(size - 1)] + [()], [0])) == size
