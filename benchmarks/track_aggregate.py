"""T4: what a report of a million live traces costs, in time and in memory.

The least that any report costs is ``_tracemalloc._get_traces()``, which lists the
traces; ``Snapshot.statistics`` is what the standard library makes of the list.  Each
figure is of a process of its own, since a million objects leave their marks.
"""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from _tracemalloc import _get_traces
from functools import partial

import _pairs
import _workloads as workloads

import refscope


TRACES = 1_000_000
DEPTHS = (1, 25)
_TIME_BAR = 2.0
_MEMORY_BAR = 1.2
_PLACES = 2_000


def main() -> None:
    """Print a table for each depth."""
    for depth in DEPTHS:
        runs = [_pairs.run_child("time", str(depth)) for _ in range(_pairs.PAIRS)]
        rows = [
            _pairs.Row(
                what,
                tuple([run[key][0] for run in runs]),
                _TIME_BAR if key == "stop" else None,
            )
            for key, what in (
                ("stop", "block.stop(), time"),
                ("peek", "block.peek(), time"),
                ("statistics", "Snapshot.statistics, time"),
            )
        ]
        rows.append(_pairs.Row("block.stop(), memory", _memory(depth), _MEMORY_BAR))
        title = f"T4: {TRACES:,} live traces, depth {depth}, / _get_traces()"
        _pairs.show(title, rows)


def _memory(depth: int) -> tuple[float, ...]:
    """Return the rise of the resident set by that of listing the traces."""
    return _pairs.in_turns(
        lambda: _pairs.run_child("stop", str(depth))["bytes"][0],
        lambda: _pairs.run_child("list", str(depth))["bytes"][0],
    )


def _time(depth: int) -> dict[str, tuple[float, ...]]:
    """Return the ratios of one process; the list is made before and after."""
    block = _block(depth)
    kept = _live(depth)
    base = _pairs.cost_of(_list)
    peek = _pairs.cost_of(block.peek)
    snapshot = tracemalloc.take_snapshot()
    key = "lineno" if depth == 1 else "traceback"
    statistics = _pairs.cost_of(partial(snapshot.statistics, key))
    del snapshot
    base = (base + _pairs.cost_of(_list)) / 2
    stop = _pairs.cost_of(block.stop)
    _check(block.report, kept)
    return {
        "stop": (stop / base,),
        "peek": (peek / base,),
        "statistics": (statistics / base,),
    }


def _bytes(depth: int, what: str) -> dict[str, tuple[float, ...]]:
    """Return how far the resident set rises above what it was, at its highest."""
    block = _block(depth)
    kept = _live(depth)
    before = _pairs.resident_size()
    traces = _list() if what == "list" else []
    if what == "stop":
        _check(block.stop(), kept)
    rise = _pairs.peak_size() - before
    del traces
    return {"bytes": (float(rise),)}


def _block(depth: int) -> refscope.Block:
    gc.disable()  # on both sides: a list of a million tuples is no garbage
    only_sites = {"types": False, "survivors": False, "cycles": False}
    tracker = refscope.track("bench", frames=depth, collect=False, **only_sites)
    return tracker.start()


def _list() -> object:
    return _get_traces()


def _live(depth: int) -> list[bytes]:
    """Return as many traced objects, made at many places and under many callers."""
    makers = [
        eval(  # noqa: S307  # our own text, one line each
            compile(
                "\n" * line + "lambda n: [bytes(40) for _ in range(n)]", "f", "eval"
            )
        )
        for line in range(_PLACES)
    ]
    kept: list[bytes] = []
    for number, make in enumerate(makers):
        under = min(depth, number % workloads.DEPTH)
        kept += workloads.deep(make, TRACES // _PLACES, under)
    return kept


def _check(report: refscope.TrackReport, kept: list[bytes]) -> None:
    """Stop unless the report has every object that was made."""
    places = {site.traceback.innermost.filename for site in report.sites}
    found = sum(
        site.count_diff
        for site in report.sites
        if site.traceback.innermost.filename == "f"
    )
    wanted = len(kept)
    _pairs.check(wanted <= found <= wanted + 3 * _PLACES, (found, wanted, places))


if __name__ == "__main__":
    if sys.argv[1:]:
        what, depth = sys.argv[1], int(sys.argv[2])
        print(json.dumps(_time(depth) if what == "time" else _bytes(depth, what)))
    else:
        main()
