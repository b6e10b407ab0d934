"""Rows L1 to L4: paths, survivors, rounds and dominators, beside their rivals.

``python benchmarks/leaks.py [objects]``
"""

from __future__ import annotations

import contextlib
import gc
import io
import random
import sys
import types
from collections.abc import Callable

from _pairs import Row, check, cost_of, in_turns, show

import refscope
from refscope._measure.algorithms.dominators import dominators


class Node:
    """What heaps are made of."""

    __slots__ = ("held",)

    def __init__(self, held: object) -> None:
        self.held = held


class Shop:
    """The holder whose name must be found."""


def fill(count: int) -> list[Node]:
    """Return objects of several sizes, each with a list."""
    return [Node([number]) for number in range(count // 2)]


def rivals() -> dict[str, object]:
    """Return the modules of rivals that are installed."""
    found: dict[str, object] = {}
    for name in ("objgraph", "guppy", "pympler.muppy"):
        with contextlib.suppress(ImportError):
            __import__(name)
            found[name] = sys.modules[name]
    return found


def paths(known: dict[str, object]) -> list[Row]:
    """Return L1: one object at the end of a chain of five, 131 k objects."""
    objgraph = known.get("objgraph")
    if objgraph is None:
        return []
    module = types.ModuleType("shop")
    sys.modules["shop"] = module
    heap = fill(131_000)
    module.cart = Shop()
    module.cart.by_id = {"a": [Node("target")]}

    def ours() -> float:
        return cost_of(lambda: refscope.why_alive(module.cart.by_id["a"][0]))

    def theirs() -> float:
        return cost_of(
            lambda: objgraph.find_backref_chain(
                module.cart.by_id["a"][0], objgraph.is_proper_module
            )
        )

    report = refscope.why_alive(module.cart.by_id["a"][0])
    names = [step.name for step in report.paths[0].references]
    check(names == [".cart", ".by_id", "['a']", "[0]"], names)
    check(len(heap) == 65_500, len(heap))
    row = Row("L1 why_alive / objgraph.find_backref_chain", in_turns(ours, theirs), 1.2)
    del sys.modules["shop"]
    return [row]


def survivors(objects: int) -> list[Row]:
    """Return L2: 10 k survivors among many objects."""
    heap = fill(objects)
    kept: list[Node] = []

    def block(*, collect: bool) -> float:
        kept.clear()
        tracker = refscope.track("x", sites=False, types=False, collect=collect)

        def work() -> None:
            with tracker as block:
                kept.extend([Node(None) for _ in range(10_000)])
            found = sum(group.count for group in block.report.survivors)
            check(found == 10_000, found)

        return cost_of(work)

    base = in_turns
    rows = [
        Row(
            "L2 block with 10 k survivors / gc.collect()",
            base(lambda: block(collect=True), lambda: cost_of(gc.collect)),
            3,
        ),
        Row(
            "L2 the same with collect=False",
            base(lambda: block(collect=False), lambda: cost_of(gc.collect)),
            0.5,
        ),
    ]
    check(len(heap) == objects // 2, len(heap))
    return rows


def rounds(known: dict[str, object]) -> list[Row]:
    """Return L3: what find_leaks adds to each round of calls that leave nothing."""
    objgraph = known.get("objgraph")
    if objgraph is None:
        return []
    count = 10

    def ours() -> float:
        return cost_of(lambda: refscope.find_leaks(list, rounds=count)) / count

    def theirs() -> float:
        return cost_of(lambda: objgraph.growth(peak_stats=peak))

    peak: dict[str, int] = {}
    check(not refscope.find_leaks(list).is_leaking, "a leak of list()")
    rows = [
        Row("L3 a round of find_leaks / objgraph.growth()", in_turns(ours, theirs), 3)
    ]
    for name in ("guppy", "pympler.muppy"):
        module = known.get(name)
        if module is None:
            continue
        look = module.hpy().heap if name == "guppy" else module.get_objects

        def rival(look: Callable[[], object] = look) -> float:
            with contextlib.redirect_stdout(io.StringIO()):
                return cost_of(look)

        rows.append(Row(f"   {name} / objgraph.growth()", in_turns(rival, theirs)))
    return rows


def dominated(count: int) -> list[Row]:
    """Return L4: dominators and sizes against building the graph of a heap."""
    numbers = random.Random(1)
    heap: list[object] = []
    for number in range(count // 3):
        other = heap[numbers.randrange(len(heap))] if heap else None
        heap.append(Node([number, {"other": [other]}]))
    graph: list[list[int]] = []

    def build() -> float:
        graph.clear()
        return cost_of(lambda: graph.extend(_graph()))

    def solve() -> float:
        def work() -> None:
            found = dominators(graph, len(graph) - 1)
            totals = found.totals([1] * len(graph))
            check(totals[len(graph) - 1] == len(found.order), "totals")

        return cost_of(work)

    build()
    return [Row("L4 dominators and sizes / their graph", in_turns(solve, build), 2)]


def _graph() -> list[list[int]]:
    objects = gc.get_objects()
    number = dict(zip(map(id, objects), range(len(objects)), strict=True)).get
    rows = [
        [
            place
            for place in map(number, map(id, gc.get_referents(o)))
            if place is not None
        ]
        for o in objects
    ]
    return [*rows, [*range(0, len(rows), 7)]]


def main() -> None:
    """Run all rows."""
    objects = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    known = rivals()
    rows = [*rounds(known), *paths(known), *dominated(300_000), *survivors(objects)]
    show("Leaks", rows)


if __name__ == "__main__":
    main()
