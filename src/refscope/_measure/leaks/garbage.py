"""Garbage that comes with every call: once more with tracing, to name its cycles."""

from __future__ import annotations

import gc
from collections.abc import Generator, Mapping

from refscope._measure.algorithms.series import per_call
from refscope._measure.budget import Budget
from refscope._measure.cpython.interpreter import is_tracing, start, stop
from refscope._measure.cycles.lines import noted_lines, with_lines
from refscope._measure.cycles.search import garbage_cycles
from refscope._measure.heap.tracebacks import FRAMES, Place
from refscope.reports import CycleGroup, Leak

from .blame import made_at
from .naming import alike, first_shown, telling
from .rounds import GARBAGE, Ledger, Step, collect, collected


_NO_CYCLE = "garbage came with every call, but its cycles were not found again"
_COLLECTED = (
    "gc was run by the function itself: cycles are counted by the share of its garbage "
    "that was left in the end"
)


def leaks_of_garbage(
    ledger: Ledger, budget: Budget
) -> Generator[Step, None, tuple[list[Leak], list[str]]]:
    """Make calls without automatic collections; return their garbage, and limits."""
    leaks: list[Leak] = []
    calls = max(6, ledger.phases[-1][GARBAGE].calls)
    was_enabled = gc.isenabled()
    collect()
    gc.disable()
    is_ours = not is_tracing()
    places: Mapping[int, Place] = {}
    try:
        if is_ours:
            start(FRAMES)
        freed = -collected()
        yield calls
        freed += collected()
        if is_ours:
            places = noted_lines()
            _stop()
        report = garbage_cycles(budget)
    finally:
        if is_ours:
            _stop()
        if was_enabled:
            gc.enable()
    collect()
    limits = [*report.limits]
    if freed and report.groups:
        limits.append(_COLLECTED)
        calls = max(1, round(calls * report.objects / (report.objects + freed)))
    phases = ledger.phases_of(GARBAGE)
    counted = per_call(phases) * calls
    for group in alike(with_lines(report.groups, places), calls):
        name = telling(group.type_names)
        # What was counted are objects, and weak references that callbacks dropped.
        share = group.count / counted
        shown = first_shown(phases, share)
        leaks.append(
            Leak(
                kind="cycles",
                type_name=name,
                growth=tuple([round(step * share) for step in shown.growth]),
                growth_calls=shown.calls,
                per_call=group.count / calls,
                size_per_call=_size_of(group) / calls,
                traceback=made_at(group.example, name),
                cycle=group.example,
                fingerprint=group.fingerprint,
                verdict="cycle",
            )
        )
    if not report.groups:
        limits.append(_NO_CYCLE)
    return leaks, limits


def _size_of(group: CycleGroup) -> int:
    """Return the bytes of the cycles, and of what they hold if all are as the example.

    What hangs on it was added up for that one only.
    """
    example = group.example
    all_of_it = example.retained_size
    held = 0 if all_of_it is None else all_of_it - example.size
    return group.size + held * group.count


def _stop() -> None:
    if is_tracing():
        stop()
