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

import _rivals
from _pairs import PAIRS, Row, check, cost_of, in_turns, show

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
    for name in ("objgraph", "guppy", "pympler.muppy", "leak_hunter"):
        with contextlib.suppress(ImportError):
            __import__(name)
            found[name] = sys.modules[name]
    return found


class Item:
    """What each call leaves."""


def paths() -> list[Row]:
    """Return L1: one object at the end of a chain of five, 131 k objects."""
    rivals = _rivals.why_alive()
    module = types.ModuleType("shop")
    sys.modules["shop"] = module
    heap = fill(131_000)
    module.cart = Shop()
    module.cart.by_id = {"a": [Node("target")]}

    def target() -> Node:
        return module.cart.by_id["a"][0]

    report = refscope.why_alive(target())
    names = [step.name for step in report.paths[0].references]
    check(names == [".cart", ".by_id", "['a']", "[0]"], names)
    for what, tell in rivals.items():
        said = tell([target()])
        check("shop" in said or "module" in said, f"{what}: {said}")
    check(len(heap) == 65_500, len(heap))

    def ours() -> float:
        return cost_of(lambda: refscope.why_alive(target()))

    def cost_function(tell: Callable[[list[object]], str]) -> Callable[[], float]:
        return lambda: cost_of(lambda: tell([target()]))

    base = "objgraph.find_backref_chain"
    if base not in rivals:
        return []
    theirs = cost_function(rivals.pop(base))
    rows = [Row(f"L1 why_alive / {base}", in_turns(ours, theirs), 1.2)]
    for what, tell in rivals.items():
        row = Row(f"   {what} / {base}", in_turns(cost_function(tell), theirs))
        rows.append(row)
    del sys.modules["shop"]
    return rows


def finders() -> dict[str, Callable[[_rivals.Work, str], float]]:
    """Return two ways of refscope and all rivals: what each call of a work leaves."""

    def by_find_leaks(work: _rivals.Work, name: str) -> float:
        [leak] = refscope.find_leaks(work).leaks
        check(leak.type_name.endswith(f".{name}"), leak)
        check(leak.held_by is not None, leak)
        return leak.per_call

    def by_survivors(work: _rivals.Work, name: str) -> float:
        with refscope.track("x", survivors=True, types=False) as block:
            for _ in range(_rivals.CALLS):
                work()
        [group] = block.report.survivors
        check(group.type_name.endswith(f".{name}"), group)
        return group.count / _rivals.CALLS

    return {
        "find_leaks, with line and holder": by_find_leaks,
        "track(survivors=True), the same": by_survivors,
        **_rivals.find_leaks(),
    }


def found(size: int = 20_000) -> list[Row]:
    """Return who finds one object per call in one small heap, and at what cost."""
    heap = fill(size)
    items: list[Item] = []

    def cost_function(
        find: Callable[[_rivals.Work, str], float],
    ) -> Callable[[], float]:
        def run() -> None:
            per_call = find(lambda: items.append(Item()), "Item")
            check(per_call == 1, f"{find}: {per_call}")

        return lambda: cost_of(run)

    contenders = finders()
    base = contenders.pop("objgraph.growth()", None)
    if base is None:
        return []
    rows = []
    for what, find in contenders.items():
        pairs = 1 if "memalot" in what else PAIRS  # it takes half a minute
        ratios = in_turns(cost_function(find), cost_function(base), pairs)
        rows.append(Row(what, ratios))
    check(len(heap) == size // 2, len(heap))
    return rows


def survivors(objects: int) -> list[Row]:
    """Return L2: 10 k survivors among many objects."""
    heap = fill(objects)
    kept: list[Node] = []

    def block(*, collect: bool) -> float:
        kept.clear()
        tracker = refscope.track(
            "x", sites=False, types=False, survivors=True, collect=collect
        )

        def work() -> None:
            with tracker as block:
                kept.extend(map(Node, range(10_000)))
            found = sum(group.count for group in block.report.survivors)
            check(found == 10_000, found)

        # Without collections of its own nothing is promoted.
        (gc.enable if collect else gc.disable)()
        try:
            return cost_of(work)
        finally:
            gc.enable()

    rows = [
        Row(
            "L2 block with 10 k survivors / gc.collect()",
            in_turns(lambda: block(collect=True), lambda: cost_of(gc.collect)),
            3,
        ),
        Row(
            "L2 the same with collect=False",
            in_turns(lambda: block(collect=False), lambda: cost_of(gc.collect)),
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
    looks: dict[str, Callable[[], object]] = {}
    if "leak_hunter" in known:
        looks["leak_hunter.count_objects"] = known["leak_hunter"].count_objects
    if "pympler.muppy" in known:
        looks["pympler.muppy.get_objects"] = known["pympler.muppy"].get_objects
    if "guppy" in known:
        looks["guppy heap()"] = known["guppy"].hpy().heap
    for name, look in looks.items():

        def rival(look: Callable[[], object] = look) -> float:
            with contextlib.redirect_stdout(io.StringIO()):
                return cost_of(look)

        rows.append(Row(f"   {name} / objgraph.growth()", in_turns(rival, theirs)))
    return rows


def dominated(count: int) -> list[Row]:
    """Return L4: dominators and sizes against building the graph of a heap.

    Without automatic collections, as always when refscope works.
    """
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

    gc.disable()
    try:
        build()
        ratios = in_turns(solve, build)
    finally:
        gc.enable()
    return [Row("L4 dominators and sizes / their graph", ratios, 2)]


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
    show("One object left by each call, heap of 20,000, / objgraph.growth()", found())
    rows = [*rounds(known), *paths(), *dominated(300_000), *survivors(objects)]
    show("Leaks", rows)


if __name__ == "__main__":
    main()
