"""Graphs for Hypothesis, and oracles too slow to be anything else."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
from hypothesis import strategies as st


@st.composite
def graphs(draw, most_nodes=9, most_edges=20):
    """Draw successors of a graph with self-loops, in any order, none twice."""
    size = draw(st.integers(0, most_nodes))
    if not size:
        return []
    node = st.integers(0, size - 1)
    edges = draw(st.lists(st.tuples(node, node), unique=True, max_size=most_edges))
    successors = [[] for _ in range(size)]
    for start, end in edges:
        successors[start].append(end)
    return successors


def edges_of(successors):
    """Return every reference of a graph."""
    return [(node, other) for node, row in enumerate(successors) for other in row]


def digraph(successors):
    """Return the graph as networkx has it."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(successors)))
    graph.add_edges_from(edges_of(successors))
    return graph


def reach_by_closure(successors):
    """Return which nodes each node leads to, by Warshall's closure of the matrix."""
    size = len(successors)
    leads = [
        [other in successors[node] for other in range(size)] for node in range(size)
    ]
    for middle in range(size):
        for node in range(size):
            for other in range(size):
                leads[node][other] |= leads[node][middle] and leads[middle][other]
    return leads


def components_by_closure(successors):
    """Return the components with a cycle: who leads to itself, and to whom and back."""
    leads = reach_by_closure(successors)
    nodes = [node for node in range(len(successors)) if leads[node][node]]
    return {
        frozenset(other for other in nodes if leads[node][other] and leads[other][node])
        for node in nodes
    }


def cheapest_by_trial(successors, cost):
    """Return what the cheapest set costs that leaves no loop, trying every set."""
    edges = edges_of(successors)
    return min(
        sum(map(cost, removed))
        for count in range(len(edges) + 1)
        for removed in combinations(edges, count)
        if is_acyclic(successors, removed)
    )


def is_acyclic(successors, removed=()):
    """Return whether networkx finds no loop once these references are gone."""
    graph = digraph(successors)
    graph.remove_edges_from(removed)
    return nx.is_directed_acyclic_graph(graph)
