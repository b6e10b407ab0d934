"""Collect at the ends of a block, and tell what was freed or left alive.

What a collection runs, finalizers, is the program's: so it runs outside of the lock,
and the level is read again after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from refscope import reports
from refscope._measure.budget import Budget
from refscope._measure.cycles import search
from refscope._measure.heap import ours
from refscope._measure.heap.keeping import Kept
from refscope._measure.session import boundary, gcstate
from refscope._measure.session.born import Born, remember
from refscope._measure.session.boundary import Boundary, is_owned, step_in
from refscope.reports._record import changed

from . import litter
from .litter import Litter
from .probes import Findings, Plan, Probe
from .survivors import Survivors


# Not imported by name: a method of an imported name is bound before it is called
# (is_import_originated, Python/codegen.c), in the program's time.
_session = boundary.session
_collector = boundary.collector
_lock = boundary.lock


def collect(plan: Plan, litters: list[Litter], ending: Born | None = None) -> None:
    """Collect for a block, and note the cycles that this frees.

    Of a stretch that is ending it is seen what the collection left alive.
    """
    noted: frozenset[int] = frozenset()
    if litters:
        with _collector:
            noted = litter.note_made(litters, plan.budget())
    keeps = ending is not None or any(each.is_settled for each in litters)
    if (
        not keeps
        or _collector.is_keeping
        or _collect_and_note(litters, noted, plan.budget(), ending)
    ):
        _run_collection(_collector.collect)


def _collect_and_note(
    litters: list[Litter], noted: frozenset[int], budget: Budget, ending: Born | None
) -> bool:
    """Collect, and note what was found besides; return whether it is still there."""
    before = _collector.in_garbage()
    found: list[object] = []
    seen: Sequence[object] = ()
    try:
        _run_collection(_collector.collect_and_keep, ending)
    finally:
        try:
            _collector.take_back(found, before)
        except BaseException:  # Ctrl-C: what is there would live for ever
            _collector.take_back(found, before)
            raise
        if ending is not None:
            seen = ending.recall_witness(found)
    if found and litters:
        with _collector:  # a copy, since whoever looks at it empties it
            litter.note_kept(litters, found.copy(), noted, budget, [found, seen])
    return bool(found)


def _run_collection(run: Callable[[], int], ending: Born | None = None) -> None:
    """Collect.  What finalizers do meanwhile is the program's: not locked."""
    remember(ending)
    aside: Kept[gcstate.Callback] = Kept()
    try:
        _collector.step_aside(aside)
        # What is ours on the free lists goes first, or it would seem the program's.
        gcstate.collect_nothing()
        if Boundary.depth > 1:
            run()
        else:
            _collect_unlocked(run)
    finally:
        try:
            _collector.step_back(aside)
        except BaseException:  # Ctrl-C: they are the program's
            _collector.step_back(aside)
            raise


def _collect_unlocked(run: Callable[[], int]) -> None:
    """Collect while others may have the _lock."""
    extra = 0
    is_out = False
    try:
        Boundary.depth = 0
        _session.mark_emptied()
        is_out = True
        _lock.release()
        extra = run()
    finally:
        try:
            if is_out:
                step_in()
                _session.relevel(extra)
        finally:
            if not is_owned():  # Ctrl-C while waiting
                step_in()
            Boundary.depth = 1


def look(probe: Probe, found: Findings) -> None:
    """Look for garbage, for what is alive, and for the cycles that the latter is on."""
    found.cycles = found.survivors = None
    waiting = b""
    if probe.litter is not None:
        found.cycles, waiting = probe.litter.now(probe.plan.budget())
    if probe.born is None or not probe.plan.survivors:
        return
    survivors = found.survivors = Survivors()
    survivors.take(probe.born, waiting)
    if found.cycles is None or not survivors.groups:
        return
    groups = [group.things for group in survivors.groups]
    live = search.cycles_among(groups, probe.plan.budget(), [probe.born.seen])
    if live.groups or not live.complete:
        merged = reports.merge([found.cycles, live])
        made = found.cycles
        found.cycles = changed(
            merged, freed=made.freed, uncollectable=made.uncollectable
        )
        ours.disown_report(found.cycles)
