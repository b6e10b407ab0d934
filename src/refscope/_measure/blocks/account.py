"""Raw findings of a block to its report, with what limits them in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter_ns

from refscope._measure.cpython import classes, places
from refscope._measure.cpython.environment import environment
from refscope._measure.heap import ours
from refscope._measure.session import gcstate, tracing
from refscope.reports import (
    AllocationSite,
    CycleReport,
    GcActivity,
    MemoryChange,
    Traceback,
    TrackReport,
    TypeChange,
)
from refscope.reports._order import sorted_sites, sorted_types
from refscope.reports._record import changed

from . import litter
from .probes import Findings


UNTRACKED = (
    "types counts what the collector tracks: strings, numbers and other atoms, and "
    "tuples and dictionaries that hold nothing else, are in sites only"
)
UNSEEN = (
    "sites=False: strings, bytes, numbers and all else that the collector does not "
    "track are not seen"
)
UNSETTLED = (
    "collect=False: what waits for the collector counts as kept, and tuples and "
    "dictionaries that it stopped or began to track count in types"
)
LOST = (
    "somebody else stopped, cleared or restarted tracemalloc inside the block: its "
    "bytes, blocks, peak and sites are unknown"
)
THREADS = "other threads ran meanwhile: what they allocated and freed is counted too"
TASKS = "other tasks may have run meanwhile: what they allocated is counted too"
OVERLAP = "blocks of other threads or tasks were open: what ran in them is counted too"
FROZEN = "gc.freeze() or gc.unfreeze() was called inside the block: types are unknown"
UNHEARD = "gc.callbacks was changed inside the block: the collector's part is unknown"
STRETCHES = (
    "memory sums the stretches in which the function ran; sites, types and gc span "
    "its first to its last resumption"
)
SUSPENDED = "the call returned a generator or coroutine: what that does is not measured"
DISTURBED = "count_diff is unknown: memory changed while the function was suspended"


_ENVIRONMENT = environment()


def track_report(
    found: Findings,
    *,
    label: str,
    tags: tuple[tuple[str, str], ...],
    calls_seen: int,
    exception: type[BaseException] | None,
) -> TrackReport:
    """Return the report of one block."""
    return TrackReport(
        complete=_is_complete(found),
        label=label,
        tags=tags,
        calls_seen=calls_seen,
        duration=found.duration_ns / 1e9,
        exception=None if exception is None else classes.type_name(exception),
        measured=_measured(found),
        memory=_memory(found),
        sites=_sites(found),
        types=_types(found),
        survivors=() if found.survivors is None else found.survivors.rows,
        cycles=_cycles(found),
        gc=_collector(found),
        limits=_limits(found),
        environment=_ENVIRONMENT,
        # Last, so that what the sections above took is in it.
        overhead=(perf_counter_ns() - found.work_began_ns) / 1e9,
    )


def _measured(found: Findings) -> tuple[str, ...]:
    """Return the names of the sections that hold an answer."""
    answered = {
        "memory": found.traced is not None,
        "sites": found.traced is not None,
        "types": found.types is not None,
        "survivors": found.survivors is not None,
        "cycles": found.cycles is not None,
        "gc": found.collector is not None,
    }
    return tuple([name for name, known in answered.items() if known])


def _memory(found: Findings) -> MemoryChange:
    traced = found.traced
    return MemoryChange(
        size_diff=None if traced is None else traced.size_diff,
        count_diff=None if traced is None else traced.count_diff,
        peak=None if traced is None else traced.peak,
        blocks_diff=found.blocks_diff,
        rss_diff=found.rss_diff,
        shared=found.threads_ran or found.tasks_ran or found.blocks_overlapped,
    )


def _sites(found: Findings) -> tuple[AllocationSite, ...]:
    """Return one site a place, with the functions that its lines are in."""
    if found.traced is None or not found.traced.rows:
        return ()
    sums = _by_program(found.traced.rows, min(found.frame_limit, found.plan.frames))
    frames = places.frames_of({line for stack in sums for line in stack})
    sites: list[AllocationSite] = []
    for stack, (total, size_diff, count_diff) in sums.items():
        lines = tuple([frames[line] for line in reversed(stack)])
        sites.append(AllocationSite(Traceback(lines, total), size_diff, count_diff))
    return sorted_sites(sites)


def _by_program(
    rows: Sequence[tuple[tracing.Stack, int, int]], depth: int
) -> dict[tracing.Stack, tuple[int | None, int, int]]:
    """Return depth, bytes and blocks by the lines of the program alone.

    Between these are lines of what runs a decorated function.  Ways that differ in
    them only are one.
    """
    sums: dict[tracing.Stack, tuple[int | None, int, int]] = {}
    files = {file for stack, _, _ in rows for file, _ in stack}  # few, in many lines
    mine = {file for file in files if file.startswith(ours.FILES)}
    for stack, size, count in rows:
        lines = tuple([line for line in stack if line[0] not in mine])
        # Cut at the depth asked for, so the whole is known only when it was less deep.
        total = len(lines) if len(stack) < depth else None
        known, size_before, count_before = sums.get(lines, (total, 0, 0))
        if known != total:
            total = None
        sums[lines] = total, size_before + size, count_before + count
    return {lines: row for lines, row in sums.items() if any(row[1:])}


def _types(found: Findings) -> tuple[TypeChange, ...]:
    changes = [
        TypeChange(type_name=name, count_diff=count, size_diff=size)
        for name, count, size in found.types or ()
    ]
    return sorted_types(changes)


def _is_complete(found: Findings) -> bool:
    """Return whether no search had to end early."""
    if found.survivors is not None and not found.survivors.is_whole:
        return False
    return found.cycles is None or found.cycles.complete


def _cycles(found: Findings) -> CycleReport | None:
    """Return what became of the cycles, and what is not known of them."""
    report = found.cycles
    if report is None:
        return None
    collected = 0 if found.collector is None else found.collector[gcstate.COLLECTED]
    sentences = {
        litter.UNSETTLED: not found.plan.collect,
        litter.UNNAMED.format(f"{collected:,}"): collected > 0,
    }
    said = [sentence for sentence, holds in sentences.items() if holds]
    return changed(
        report,
        limits=(*report.limits, *said),
        environment=_ENVIRONMENT,
    )


def _collector(found: Findings) -> GcActivity:
    if found.collector is None:
        return GcActivity()
    log = found.collector
    return GcActivity(
        collections=tuple(log[gcstate.GEN0 : gcstate.PAUSE]),
        pause=log[gcstate.PAUSE] / 1e9,
        longest_pause=log[gcstate.LONGEST] / 1e9,
        collected=log[gcstate.COLLECTED],
        uncollectable=log[gcstate.UNCOLLECTABLE],
    )


def _limits(found: Findings) -> tuple[str, ...]:
    """Return what the numbers do not say, in plain sentences."""
    plan, traced = found.plan, found.traced
    kept = bool(found.types) or (traced is not None and bool(traced.rows))
    fewer = 0 < found.frame_limit < plan.frames
    sentences = {
        LOST: plan.sites and traced is None,
        f"tracemalloc already ran with {found.frame_limit} frame(s): {plan.frames} "
        "were asked for": fewer,
        FROZEN: plan.types and found.types is None,
        UNTRACKED: plan.types and _has_untracked(found),
        UNSEEN: not plan.sites
        and (found.types is not None or found.survivors is not None),
        UNSETTLED: kept and not plan.collect,
        UNHEARD: found.collector is None,
        THREADS: found.threads_ran,
        TASKS: found.tasks_ran,
        OVERLAP: found.blocks_overlapped,
        STRETCHES: found.pauses > 0,
        SUSPENDED: found.is_suspended,
        DISTURBED: found.is_disturbed and traced is not None,
    }
    said = [sentence for sentence, holds in sentences.items() if holds]
    if found.survivors is not None:
        said += found.survivors.limits
    return tuple(said)


def _has_untracked(found: Findings) -> bool:
    """Return whether more blocks came or went than the objects in ``types``."""
    rows = found.traced.rows if found.traced is not None else ()
    blocks = sum([abs(count) for _, _, count in rows])
    objects = sum([abs(count) for _, count, _ in found.types or ()])
    return blocks > objects
