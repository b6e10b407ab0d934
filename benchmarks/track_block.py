"""T3: what entering and leaving a block costs, by the number of live objects.

Each size of process is a process of its own; in it the blocks and what they are
compared with run by turns.  Every report is checked to say that nothing happened.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import tracemalloc
from collections.abc import Callable
from functools import partial

import _pairs

import refscope


SIZES = (10_000, 100_000, 1_000_000)
_BARS = {"track()": 8.0, "track(types=False)": 3.0}
_NO_SEARCH = {"survivors": False, "cycles": False}
_SETTINGS: dict[str, dict[str, bool]] = {
    "track()": {},
    "track(types=False)": {"types": False},
    "track(sites=False)": {"sites": False},
    "track(survivors=False, cycles=False)": _NO_SEARCH,
    "track(types=False, collect=False)": {"types": False, "collect": False},
}


def main() -> None:
    """Print one table for each number of live objects, and one for a small process."""
    for size in SIZES:
        ratios = _pairs.run_child("collect", str(size))
        rows = [
            _pairs.Row(
                name,
                tuple(ratios[name]),
                _BARS.get(name) if size == SIZES[-1] else None,
            )
            for name in ratios
        ]
        _pairs.show(f"T3: empty block, {size:,} live objects, / gc.collect()", rows)
    ratios = _pairs.run_child("small")
    rows = [
        _pairs.Row(
            "track(), only sites, collect=False", tuple(ratios["sites only"]), 1.0
        ),
        _pairs.Row("track(every=1_000)", tuple(ratios["skipped"])),
        _pairs.Row("track(), only types, collect=False", tuple(ratios["types only"])),
    ]
    title = "T3: empty block, small process, / start + 2 snapshots + compare_to"
    _pairs.show(title, rows)


class _Node:
    """An object of a program's heap."""

    __slots__ = ("items", "other")

    def __init__(self, number: int) -> None:
        self.items = [number]
        self.other = {"number": number, "node": self}


def _heap(size: int) -> list[_Node]:
    """Return objects that together are ``size`` for the collector."""
    return [_Node(number) for number in range(size // 3)]


def _against_collection(size: int) -> dict[str, tuple[float, ...]]:
    """Return the ratios of one process to ``gc.collect()``."""
    kept = _heap(size)
    gc.collect()
    _pairs.check(len(gc.get_objects()) >= size, f"heap of {len(kept)} nodes")
    base = partial(_pairs.cost_of, gc.collect)
    ratios = {
        name: _pairs.in_turns(_blocks(1, **settings), base)
        for name, settings in _SETTINGS.items()
    }
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    ratios["track() beside a thread"] = _pairs.in_turns(_blocks(1), base)
    ended.set()
    thread.join()
    return ratios


def _against_snapshots() -> dict[str, tuple[float, ...]]:
    """Return the ratios of a small process to tracemalloc's own way."""
    rounds = 200
    base = partial(_pairs.cost_of, partial(_repeat, rounds, _snapshots))
    return {
        name: _pairs.in_turns(_blocks(rounds, **settings), base, 11)
        for name, settings in {
            "sites only": {"types": False, "collect": False, **_NO_SEARCH},
            "skipped": {"every": 1_000},
            "types only": {"sites": False, "collect": False, **_NO_SEARCH},
        }.items()
    }


def _blocks(rounds: int, **settings: int) -> Callable[[], float]:
    """Return what enters and leaves blocks and tells what it cost."""
    tracker = refscope.track("bench", **settings)  # type: ignore[arg-type]
    return partial(_pairs.cost_of, partial(_repeat, rounds, partial(_block, tracker)))


def _block(tracker: refscope.Tracker) -> None:
    with tracker as block:
        pass
    if block.measured:
        report = block.report
        _pairs.check(report.is_clean and not report.sites, report)


def _snapshots() -> None:
    tracemalloc.start(1)
    before = tracemalloc.take_snapshot()
    after = tracemalloc.take_snapshot()
    after.compare_to(before, "lineno")
    tracemalloc.stop()


def _repeat(rounds: int, work: Callable[[], object]) -> None:
    for _ in range(rounds):
        work()


def _child(what: str, size: int = 0) -> None:
    ratios = _against_collection(size) if what == "collect" else _against_snapshots()
    print(json.dumps(ratios))


if __name__ == "__main__":
    if sys.argv[1:]:
        _child(sys.argv[1], *map(int, sys.argv[2:]))
    else:
        main()
