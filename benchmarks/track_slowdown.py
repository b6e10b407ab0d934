"""T1 and T2: how much slower a program runs inside a block.

The work runs in one process under each tracker and its base by turns.  Two times are
taken: of the work alone, inside the block, and of the whole, with what entering and
leaving cost.  memray stops other tracing and the like, so it has a process of its own.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from time import process_time

import _pairs
import _workloads as workloads

import refscope


Enter = Callable[[], AbstractContextManager[object]]
DEPTHS = (1, 10, 25)
_T1 = 1.05
_T2 = 1.10
_ROUNDS = {1: 40, 10: 12, 25: 6}
_FREE_ROUNDS = 200  # without tracing, the same work takes a fraction of the time


def main() -> None:
    """Print a table for each workload."""
    for name, (_, needs) in workloads.WORKLOADS.items():
        absent = workloads.missing(needs)
        if absent:
            print(f"{name}: skipped, {absent} is not installed\n")
            continue
        _pairs.show(f"T1, T2: {name}", _rows(name))


def _rows(name: str) -> list[_pairs.Row]:
    against_bare = _pairs.run_child("tracing", name)
    free = _pairs.run_child("free", name)
    slow = _pairs.run_child("slowdown", name)
    is_bound = name != "computing"
    rows = [
        _pairs.Row(
            f"inside track(frames={depth}) / inside start({depth})",
            tuple(against_bare[f"inside {depth}"]),
            _T1,
        )
        for depth in DEPTHS
    ]
    rows.append(
        _pairs.Row(
            "inside track(sites=False) / untracked",
            tuple(free["inside"]),
            _T2 if is_bound else None,
        )
    )
    rows += [
        _pairs.Row(f"{what} / untracked, whole", tuple(ratios))
        for what, ratios in slow.items()
    ]
    if not workloads.missing(("memray",)):
        rows += [
            _pairs.Row(
                f"{what} / untracked, whole", tuple(_pairs.run_child(key, name)["all"])
            )
            for key, what in (
                ("memray", "memray.Tracker"),
                ("memray-all", "memray.Tracker(trace_python_allocators=True)"),
            )
        ]
    return rows


def _tracing(name: str) -> dict[str, tuple[float, ...]]:
    return {
        f"inside {depth}": _pairs.in_turns(
            partial(_inside, name, _ROUNDS[depth], partial(_track, frames=depth)),
            partial(_inside, name, _ROUNDS[depth], partial(_bare, depth)),
            9 if depth == 1 else 7,
        )
        for depth in DEPTHS
    }


def _free(name: str) -> dict[str, tuple[float, ...]]:
    ratios = _pairs.in_turns(
        partial(_inside, name, _FREE_ROUNDS, partial(_track, sites=False)),
        partial(_inside, name, _FREE_ROUNDS, nullcontext),
        9,
    )
    return {"inside": ratios}


def _slowdown(name: str) -> dict[str, tuple[float, ...]]:
    """Return what the whole costs, the entry and the exit of the block included."""
    enters: dict[str, Enter] = {
        "track(sites=False)": partial(_track, sites=False),
        **{f"track(frames={depth})": partial(_track, frames=depth) for depth in DEPTHS},
        **{
            f"start({depth}) + 2 snapshots + compare_to": partial(_snapshots, depth)
            for depth in DEPTHS
        },
    }
    return {
        what: _pairs.in_turns(
            partial(_whole, name, _ROUNDS[1], enter),
            partial(_whole, name, _ROUNDS[1], nullcontext),
            3 if "25" in what else _pairs.PAIRS,
        )
        for what, enter in enters.items()
    }


def _memray(name: str, *, every_allocator: bool) -> dict[str, tuple[float, ...]]:
    import memray

    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(1000))

        def enter() -> AbstractContextManager[object]:
            tracker: AbstractContextManager[object] = memray.Tracker(
                Path(folder) / f"{next(numbers)}.bin",
                trace_python_allocators=every_allocator,
            )
            return tracker

        ratios = _pairs.in_turns(
            partial(_whole, name, _ROUNDS[1], enter),
            partial(_whole, name, _ROUNDS[1], nullcontext),
        )
    return {"all": ratios}


def _inside(name: str, rounds: int, enter: Enter) -> float:
    """Return the processor's seconds for the work alone."""
    work = workloads.WORKLOADS[name][0]
    with enter():
        start = process_time()
        answer = workloads.deep(work, rounds)
        seconds = process_time() - start
    _pairs.check(answer == workloads.deep(work, rounds), name)
    return seconds


def _whole(name: str, rounds: int, enter: Enter) -> float:
    """Return the processor's seconds for the work, the entry and the exit."""
    work = workloads.WORKLOADS[name][0]
    start = process_time()
    with enter():
        workloads.deep(work, rounds)
    return process_time() - start


def _track(**settings: int) -> AbstractContextManager[object]:
    block: AbstractContextManager[object] = refscope.track("bench", **settings)  # type: ignore[arg-type]
    return block


@contextmanager
def _bare(frames: int):  # noqa: ANN202  # an iterator of nothing
    gc.collect()  # as the block does: what follows finds the free lists empty
    tracemalloc.start(frames)
    yield
    tracemalloc.stop()


@contextmanager
def _snapshots(frames: int):  # noqa: ANN202  # an iterator of nothing
    tracemalloc.start(frames)
    before = tracemalloc.take_snapshot()
    yield
    after = tracemalloc.take_snapshot()
    after.compare_to(before, "lineno" if frames == 1 else "traceback")
    tracemalloc.stop()


_CHILDREN: dict[str, Callable[[str], dict[str, tuple[float, ...]]]] = {
    "tracing": _tracing,
    "free": _free,
    "slowdown": _slowdown,
    "memray": partial(_memray, every_allocator=False),
    "memray-all": partial(_memray, every_allocator=True),
}


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(_CHILDREN[sys.argv[1]](sys.argv[2])))
    else:
        main()
