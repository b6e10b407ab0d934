"""R1, R2 and R3: what a count, an address and a search for holders cost.

R1 is one ``refcount()`` by making the report that it returns; the peers, which give a
bare number, stand beside it by the same measure.  R2 and R3 run in a heap of a million
tracked objects, against a walk over it and against one ``gc.get_referrers``.

objgraph and python-leak-hunter count no references: they count objects by type.  Both
follow ``gc.get_referrers`` upwards, and are measured where they find one holder of one
object, which is the first step of theirs and the whole of ours.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from importlib.util import find_spec

import _pairs

import refscope
from refscope.reports import RefCount


_OBJECTS = 1_000_000
_ON_A_SHELF = 1000
_CALLS = 20_000
_FEW = 20
_R1 = 3
_R2_HIT, _R2_MISS = 2, 12
_R3 = 3


class Item:
    """One of a million, with a text behind a slot."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Cart:
    """Holds by an attribute."""

    def __init__(self, item: Item) -> None:
        self.item = item


def main() -> None:
    """Measure each row beside its peers."""
    rows_of_counts()
    shelves = [
        [Item(str(number)) for number in range(_ON_A_SHELF)]
        for _ in range(_OBJECTS // _ON_A_SHELF)
    ]
    gc.collect()
    gc.disable()
    rows_of_addresses(shelves[-1])
    rows_of_holders(shelves[0])
    rows_of_holders([item for shelf in shelves for item in shelf])


def repeated(work: Callable[[], object], calls: int = _CALLS) -> Callable[[], float]:
    """Return the cost of one call among many as a function."""

    def many() -> None:
        for _ in range(calls):
            work()

    return lambda: _pairs.cost_of(many) / calls


def rows_of_counts() -> None:
    """R1: a count against the making of its report, and what the peers cost."""
    thing = Item("x")
    made = refscope.refcount(thing)

    def one_report() -> RefCount:
        return RefCount(
            count=1,
            sys_count=2,
            stored=1,
            immortal=False,
            exact=True,
            type_name="Item",
            address=1,
            limits=(),
            environment=made.environment,
        )

    # The variable is in a cell, since the functions below use it.
    _pairs.check(int(refscope.refcount(thing)) == 1, "count")
    _pairs.check(sys.getrefcount(thing) == 2, "sys.getrefcount")
    _pairs.check(ctypes.c_uint32.from_address(id(thing)).value == 1, "ctypes")
    _pairs.check(len(gc.get_referrers(thing)) == 1, "gc.get_referrers")
    base = repeated(one_report)
    works: list[tuple[str, Callable[[], object], float | None]] = [
        ("R1 refcount(o)", lambda: refscope.refcount(thing), _R1),
        ("   sys.getrefcount(o)", lambda: sys.getrefcount(thing), None),
        (
            "   ctypes from_address(id(o))",
            lambda: ctypes.c_uint32.from_address(id(thing)).value,
            None,
        ),
    ]
    rows = [
        _pairs.Row(what, _pairs.in_turns(repeated(work), base), bar)
        for what, work, bar in works
    ]
    ratios = _pairs.in_turns(repeated(lambda: len(gc.get_referrers(thing)), _FEW), base)
    rows.append(_pairs.Row("   len(gc.get_referrers(o)), an empty heap", ratios))
    _pairs.show("One count, by making one RefCount", rows)


def rows_of_addresses(items: list[Item]) -> None:
    """R2: an address that is found, and one that is not."""
    last = items[-1]
    text = items[0].name
    _pairs.check(refscope.object_at(id(last)) is last, "hit")
    _pairs.check(refscope.object_at(id(text)) is text, "hit behind a slot")

    def miss() -> None:
        try:
            refscope.object_at(8)
        except refscope.AddressError:
            return
        raise SystemExit("wrong answer: 8 is no object")

    base = cost_function(lambda: list(map(id, gc.get_objects())))
    works: list[tuple[str, Callable[[], object], float | None]] = [
        ("R2 hit", lambda: refscope.object_at(id(last)), _R2_HIT),
        ("   hit behind a slot", lambda: refscope.object_at(id(text)), None),
        ("R2 miss", miss, _R2_MISS),
    ]
    rows = [
        _pairs.Row(what, _pairs.in_turns(cost_function(work), base), bar)
        for what, work, bar in works
    ]
    _pairs.show(f"An address among {_OBJECTS:,}, by list(map(id, ...))", rows)


def rows_of_holders(items: list[Item]) -> None:
    """R3: who holds an instance, against the bare question to the collector."""
    item = items[0]
    cart = Cart(item)
    basket = {"item": item, 1: [item]}
    report = refscope.referrers(item)
    names = {reference.name for reference in report.references}
    wanted = {"[0]", ".item", "['item']", "<local item in rows_of_holders>"}
    _pairs.check(names == wanted and report.unaccounted == 0, names)
    _pairs.check(cart.item is item, report)
    _pairs.check(bool(basket), basket)

    base = cost_function(lambda: gc.get_referrers(items[0]))
    works: list[tuple[str, Callable[[], object], float | None]] = [
        (
            "R3 referrers(o)",
            lambda: refscope.referrers(items[0]),
            _R3,
        ),
        *peers(items),
    ]
    rows = [
        _pairs.Row(what, _pairs.in_turns(cost_function(work), base), bar)
        for what, work, bar in works
    ]
    title = f"Holders among {_OBJECTS:,}, one a list of {len(items):,}"
    _pairs.show(f"{title}, by gc.get_referrers(o)", rows)


def peers(items: list[Item]) -> list[tuple[str, Callable[[], object], float | None]]:
    """Return what other tools do with the same object, those that are installed."""
    found: list[tuple[str, Callable[[], object], float | None]] = []
    if find_spec("objgraph"):
        import objgraph

        def by_objgraph() -> None:
            chain = objgraph.find_backref_chain(items[0], _is_list, max_depth=2)
            _pairs.check(type(chain[0]) is list and chain[-1] is items[0], chain)

        found.append(("   objgraph.find_backref_chain, 1 step", by_objgraph, None))
    else:
        print("objgraph: skipped, it is not installed")
    if find_spec("leak_hunter"):
        import leak_hunter

        def by_leak_hunter() -> None:
            # Without a variable of a running function it has to look for a holder.
            [(path, _)] = leak_hunter.why_alive(items[1]).paths
            _pairs.check("list[1]" in path.steps[0], path)
            _pairs.check("variable items in " in path.root, path)

        found.append(("   leak_hunter.why_alive, 1 step", by_leak_hunter, None))
    else:
        print("python-leak-hunter: skipped, it is not installed")
    return found


def _is_list(thing: object) -> bool:
    return type(thing) is list


def cost_function(work: Callable[[], object]) -> Callable[[], float]:
    """Return the cost of one run as a function."""
    return lambda: _pairs.cost_of(work)


if __name__ == "__main__":
    main()
