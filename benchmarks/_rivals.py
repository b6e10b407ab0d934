"""What other tools say of a leak, and of who holds an object: those that are installed.

Each answer is brought into the same form, so that it can be checked.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import repeat
from typing import Any


CALLS = 10
"""Calls between two looks, where the tool leaves it to its user."""

Work = Callable[[], object]


def find_leaks() -> dict[str, Callable[[Work, str], float]]:
    """Return for each tool: how many objects of a type each call of a work leaves."""
    return dict(
        _installed(
            ("objgraph.growth()", "objgraph", _grown_by_objgraph),
            ("guppy heap()", "guppy", _grown_by_guppy),
            ("pympler SummaryTracker", "pympler", _grown_by_pympler),
            ("memalot without referrers", "memalot", _grown_by_memalot),
            ("leak_hunter.measure_growth", "leak_hunter", _grown_by_leak_hunter),
        )
    )


def why_alive() -> dict[str, Callable[[list[object]], str]]:
    """Return for each tool: what it says of who holds the object in a list."""
    return dict(
        _installed(
            ("objgraph.find_backref_chain", "objgraph", _held_by_objgraph),
            ("pympler ConsoleBrowser", "pympler", _held_by_pympler),
            ("memalot (referrers)", "memalot", _held_by_memalot),
            ("leak_hunter.why_alive", "leak_hunter", _held_by_leak_hunter),
            # The last, since pympler compares by == with objects that guppy leaves.
            ("guppy shpaths", "guppy", _held_by_guppy),
        )
    )


def _installed(*rows: tuple[str, str, Any]) -> Iterator[tuple[str, Any]]:
    for what, module, function in rows:
        if find_spec(module):
            yield what, function
        else:
            print(f"{what}: skipped, {module} is not installed")


def _grown_by_objgraph(work: Work, name: str) -> float:
    import objgraph

    peak: dict[str, int] = {}
    objgraph.growth(peak_stats=peak)
    for _ in repeat(None, CALLS):
        work()
    rows = objgraph.growth(limit=None, peak_stats=peak)
    return sum(more for kind, _, more in rows if kind == name) / CALLS


def _grown_by_guppy(work: Work, name: str) -> float:
    import guppy

    heap = guppy.hpy()
    heap.setrelheap()
    for _ in repeat(None, CALLS):
        work()
    rows = heap.heap().bytype.stat.get_rows()
    return sum(row.count for row in rows if row.name.endswith(f".{name}")) / CALLS


def _grown_by_pympler(work: Work, name: str) -> float:
    from pympler.tracker import SummaryTracker

    tracker = SummaryTracker()
    for _ in repeat(None, CALLS):
        work()
    rows = tracker.diff()
    return sum(more for kind, more, _ in rows if kind.endswith(f".{name}")) / CALLS


def _grown_by_memalot(work: Work, name: str) -> float:
    import memalot

    said: list[str] = []
    monitor = memalot.create_leak_monitor(
        output_func=said.append, save_reports=False, check_referrers=False
    )
    for _ in range(2):  # the first is for warming up
        with monitor:
            for _ in repeat(None, CALLS):
                work()
    found = re.search(rf"\.{name}\W+(\d+)", "".join(said))
    return int(found[1]) / CALLS if found else 0


def _grown_by_leak_hunter(work: Work, name: str) -> float:
    import leak_hunter

    report = leak_hunter.measure_growth(work, iterations=CALLS)
    rows = report.growing
    return sum(row.per_call for row in rows if row.type_name.endswith(f".{name}"))


def _held_by_objgraph(box: list[object]) -> str:
    import objgraph

    chain = objgraph.find_backref_chain(
        box[0], objgraph.is_proper_module, extra_ignore=[id(box)]
    )
    return str([*map(objgraph._short_repr, chain)])


def _held_by_guppy(box: list[object]) -> str:
    import guppy

    return str(guppy.hpy().iso(box[0]).shpaths)


def _held_by_pympler(box: list[object]) -> str:
    from pympler.refbrowser import ConsoleBrowser

    with contextlib.redirect_stdout(io.StringIO()) as said:
        ConsoleBrowser(
            box[0], maxdepth=6, str_func=lambda one: str(type(one))
        ).print_tree()
    return said.getvalue()


def _held_by_memalot(box: list[object]) -> str:
    import referrers

    return str(
        referrers.get_referrer_graph(
            box[0], exclude_object_ids=[id(box)], module_prefixes={"shop"}
        )
    )


def _held_by_leak_hunter(box: list[object]) -> str:
    import leak_hunter

    return leak_hunter.why_alive(box[0]).format()
