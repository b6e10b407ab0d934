"""C1 to C5: what finding cycles costs, beside those who do the like.

The garbage is that of ``performance.md``: pairs, long rings and a tangle, 100,000
objects beside as many live ones.  Everyone's answer is checked before it is timed.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from collections.abc import Callable
from functools import partial

import _pairs

import refscope
from refscope._measure.algorithms.components import components
from refscope._measure.budget import Budget
from refscope._measure.cycles.garbage import find_garbage


_GRAPH = 1_000_000


class Node:
    """One object of the program."""


def make_garbage(objects: int, *, tangled: bool = True) -> None:
    """Leave garbage behind: half in pairs, a quarter in rings, a quarter tangled."""
    for _ in range(objects // 4):
        first, second = Node(), Node()
        first.other, second.other = second, first
    for _ in range(objects // 400):
        ring = [Node() for _ in range(100)]
        for node, following in zip(ring, [*ring[1:], ring[0]], strict=True):
            node.next = following
    tangle = [[] for _ in range(objects // 4 if tangled else 0)]
    for number, node in enumerate(tangle):
        node.append(tangle[(number + 1) % len(tangle)])
        node.append(tangle[number * 7 % len(tangle)])


def main() -> None:
    """Print a table for each row of the bars."""
    gc.collect()
    gc.disable()
    live = [[number] for number in range(100_000)]
    _whole()
    _block()
    del live
    _growth()
    _show_components()


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _on_garbage(
    work: Callable[[], object], objects: int = 100_000, *, tangled: bool = True
) -> float:
    """Return the cost of work on fresh garbage, which is gone afterwards."""
    gc.collect()
    make_garbage(objects, tangled=tangled)
    cost = _timed(work)
    gc.collect()
    return cost


def _find() -> None:
    report = refscope.find_cycles()
    _pairs.check(report.objects >= 100_000, report)
    _pairs.check(report.count == 25_000 + 250 + 1, report)


def _find_and_collect() -> None:
    report = refscope.find_cycles(collect=True)
    _pairs.check(report.freed == report.objects >= 100_000, report)


def _refcycle() -> None:
    import refcycle

    graph = refcycle.garbage()
    found = graph.strongly_connected_components()
    _pairs.check(sum(len(each) > 1 for each in found) >= 25_251, "refcycle")
    gc.set_debug(0)
    gc.garbage.clear()


def _pympler() -> None:
    from pympler.garbagegraph import GarbageGraph

    graph = GarbageGraph(collectable=True)
    _pairs.check(len(graph.metadata) >= 75_000, "pympler")
    gc.set_debug(0)
    gc.garbage.clear()


def _objgraph() -> None:
    import objgraph

    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    leaking = objgraph.get_leaking_objects()
    _pairs.check(len(leaking) >= 1, "objgraph")
    del leaking
    gc.garbage.clear()


def _whole() -> None:
    """C1 and C2: the whole report, read-only and with collect=True."""
    find = partial(_on_garbage, _find)
    find_and_collect = partial(_on_garbage, _find_and_collect)
    refcycle = partial(_on_garbage, _refcycle)
    collect = partial(_on_garbage, gc.collect)
    # It takes the repr of each object, which never ends for lists that are tangled.
    untangled = [
        partial(_on_garbage, work, tangled=False)
        for work in (_pympler, refscope.find_cycles, gc.collect)
    ]
    _pairs.show(
        "C1: 100,000 garbage beside 100,000 live objects, / refcycle with components",
        [
            _pairs.Row("find_cycles()", _pairs.in_turns(find, refcycle), 0.5),
            _pairs.Row(
                "find_cycles(collect=True)",
                _pairs.in_turns(find_and_collect, refcycle),
                0.3,
            ),
        ],
    )
    _pairs.show(
        "C2: the same, / gc.collect()",
        [
            _pairs.Row("find_cycles()", _pairs.in_turns(find, collect), 30),
            _pairs.Row("refcycle", _pairs.in_turns(refcycle, collect)),
            _pairs.Row(
                "objgraph, no cycles",
                _pairs.in_turns(partial(_on_garbage, _objgraph), collect),
            ),
            *[
                _pairs.Row(what, _pairs.in_turns(work, untangled[-1]))
                for what, work in zip(
                    (
                        "without the tangle: pympler",
                        "without the tangle: find_cycles()",
                    ),
                    untangled,
                    strict=False,
                )
            ],
        ],
    )


def _block() -> None:
    """C3: a thousand garbage objects in a process of a million, the old set aside."""
    heap = [[number] for number in range(1_000_000)]

    def find() -> float:
        gc.collect()
        gc.freeze()
        make_garbage(1_000)
        cost = _timed(_find_only)
        gc.unfreeze()
        return cost

    def collect() -> float:
        make_garbage(1_000)
        return _timed(gc.collect)

    rows = [_pairs.Row("finding, without names", _pairs.in_turns(find, collect), 0.1)]
    _pairs.show(
        "C3: 1,000 garbage in 1,000,000 objects set aside, / gc.collect()", rows
    )
    del heap


def _find_only() -> None:
    graph = find_garbage(Budget())
    found = components(graph.successors)
    _pairs.check(len(found) == 250 + 2 + 1, found)
    graph.close()


def _growth() -> None:
    """C4: time from 10,000 to 1,000,000 objects, memory of a million."""
    small = partial(_on_garbage, refscope.find_cycles, 10_000)
    large = partial(_on_garbage, refscope.find_cycles, 1_000_000)
    ratios = _pairs.in_turns(large, small)
    rows = [_pairs.Row("time, / 100 times as much", tuple(r / 100 for r in ratios))]
    used = tuple(
        _pairs.run_child("memory")["bytes"][0] / 1_000_000 for _ in range(_pairs.PAIRS)
    )
    rows.append(_pairs.Row("memory, bytes per object", used, 400))
    _pairs.show("C4: 1,000,000 garbage objects, / 10,000", rows)


def _memory() -> dict[str, tuple[float, ...]]:
    gc.disable()
    make_garbage(1_000_000)
    before = _pairs.resident_size()
    report = refscope.find_cycles()
    _pairs.check(report.objects >= 1_000_000, report)
    return {"bytes": (float(_pairs.peak_size() - before),)}


def _garbage_graph(size: int) -> list[list[int]]:
    """Return the graph of garbage as it is made above, in an order without sense."""
    numbers = list(range(size))
    random.Random(5).shuffle(numbers)
    successors: list[list[int]] = [[] for _ in range(size)]
    for place in range(0, size // 2, 2):
        _ring(successors, numbers[place : place + 2])
    for place in range(size // 2, size * 3 // 4, 100):
        _ring(successors, numbers[place : place + 100])
    tangle = numbers[size * 3 // 4 :]
    _ring(successors, tangle)
    for place, node in enumerate(tangle):
        successors[node].append(tangle[place * 7 % len(tangle)])
    return successors


def _ring(successors: list[list[int]], nodes: list[int]) -> None:
    for node, following in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
        successors[node].append(following)


def _show_components() -> None:
    """C5: components alone, on a ready graph, in a process of its own."""
    ratios = _pairs.run_child("components")
    rows = [
        _pairs.Row(what, tuple(ratios[what]), 0.15 if what == "components" else None)
        for what in ratios
    ]
    _pairs.show("C5: components of a graph of 1,000,000 nodes, / networkx", rows)


def _components() -> dict[str, tuple[float, ...]]:
    """Return the ratios of C5.

    It is ready as integers: lists of successors for refscope, a list of edges for the
    others, which make their own form of graph of it.  The last row leaves that out.
    The collector is on, as in any program.
    """
    import networkx as nx
    import scipy.sparse

    successors = _garbage_graph(_GRAPH)
    edges = [(node, other) for node, row in enumerate(successors) for other in row]
    graph = nx.DiGraph(edges)

    def walk(graph: nx.DiGraph) -> int:
        found = nx.strongly_connected_components(graph)
        return sum(len(each) for each in found if len(each) > 1)

    def by_refscope() -> int:
        return sum(len(each) for each in components(successors) if len(each) > 1)

    def by_scipy() -> None:
        heads, tails = zip(*edges, strict=True)
        shape = (_GRAPH, _GRAPH)
        matrix = scipy.sparse.coo_matrix(([1] * len(edges), (heads, tails)), shape)
        scipy.sparse.csgraph.connected_components(matrix.tocsr(), connection="strong")

    _pairs.check(walk(graph) == by_refscope() == _GRAPH, "components")
    ours = partial(_timed, by_refscope)
    whole = partial(_timed, lambda: walk(nx.DiGraph(edges)))
    return {
        "components": _pairs.in_turns(ours, whole),
        "scipy": _pairs.in_turns(partial(_timed, by_scipy), whole, 3),
        "components, / its search alone": _pairs.in_turns(
            ours, partial(_timed, partial(walk, graph))
        ),
    }


if __name__ == "__main__":
    if sys.argv[1:]:
        children = {"memory": _memory, "components": _components}
        print(json.dumps(children[sys.argv[1]]()))
    else:
        main()
