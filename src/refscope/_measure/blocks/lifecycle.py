"""One measured block: what is read at its two ends, in which order.

What keeps refscope's own work apart from the program's is in ``boundary``.

    enter:  fold | collect | census | places, or tracing on | mark, clocks
    leave:  clocks, fold | collect | census | places, tracing off | report | mark
"""

from __future__ import annotations

import atexit
import os
from _thread import get_ident
from array import array
from time import perf_counter_ns

from refscope import reports
from refscope._measure.cpython import activity
from refscope._measure.cpython.frozen import (
    forget,
    frozen_count,
    hold,
    let_go,
    was_frozen,
)
from refscope._measure.cpython.interpreter import IS_SUPPORTED, allocated_blocks, refuse
from refscope._measure.cpython.listed import is_alone
from refscope._measure.heap import census, ours
from refscope._measure.heap.keeping import Kept
from refscope._measure.session import boundary, tracing
from refscope._measure.session.born import Born, abandon_all, thaw_constants
from refscope._measure.session.boundary import (
    begin_own,
    end_own,
    heal,
    is_owned,
    step_in,
    step_out,
)

from .collecting import collect, look
from .litter import Litter
from .probes import (
    BLOCKS,
    END_BLOCKS,
    END_TIME,
    FROZEN,
    PROCESS,
    RSS,
    THREAD,
    TIME,
    WORK,
    Client,
    Findings,
    Plan,
    Probe,
    R_co,
)


_LONGEST_WAIT = 5.0  # seconds

# Not imported by name: a method of an imported name is bound before it is called
# (is_import_originated, Python/codegen.c), in the program's time.
_session = boundary.session
_collector = boundary.collector
_lock = boundary.lock

_forking: Kept[int] = Kept()
"""Who has the lock in order to fork."""
_probes: list[Probe] = []
census.own(tracing.Span, tracing.Traced)
census.own(*[kind for kind in vars(reports).values() if isinstance(kind, type)])


def enter(plan: Plan, client: object, *, is_call: bool = False) -> Probe:
    """Begin to measure; raises TrackingError where tracing is not possible.

    A call of a plain function ends before any other task runs.
    """
    if not IS_SUPPORTED:  # pragma: no cover  # PyPy, GraalPy
        refuse()
    before = -1
    probe: Probe | None = None
    try:
        before = step_in()
        if not before:
            _session.fold()
        hold()
        probe = Probe(
            plan, client, is_call=is_call
        )  # most of it goes before its block's end
        ours.disown(probe)
        probe.numbers[WORK] = perf_counter_ns()
        if probe.plan.collect:
            collect(plan, _litters())
        _collector.borrow()
        try:
            _open(probe)
            if plan.collect and plan.sites:
                _collector.empty_free_lists()
                ours.leave_spares()
            if probe.born is not None:
                probe.born.begin(is_settled=plan.collect)
        finally:
            _collector.give_back()
        _start_clocks(probe.numbers)
        let_go()
    except BaseException:
        if probe is not None:
            _drop(probe)
        let_go()
        _clean(before)
        raise
    finally:
        step_out(before)
    return probe


def open_clients(owner: int | None = None) -> list[object]:
    """Return who has a block open, in one thread or task or in any, newest first."""
    return [each.client for each in reversed(_probes) if owner in {None, each.owner}]


def leave(probe: Probe, client: Client[R_co], *, end: bool) -> R_co:
    """Return the report of a block so far, and close it if ``end``.

    The counters are read before anything is allocated.
    """
    before = -1
    try:
        before = step_in()
        _session.read()
        probe.numbers[END_BLOCKS] = allocated_blocks()
        probe.numbers[END_TIME] = perf_counter_ns()
        _session.settle()
        hold()
        report = _finish(probe, client, end=end)
        if not end:
            _leave_out(probe.numbers)
    except BaseException:  # Ctrl-C, out of memory: nobody ends this block any more
        _drop(probe)
        _clean(before)
        raise
    finally:
        try:
            let_go()
        finally:
            if before >= 0:  # pragma: no branch  # else an error goes on from here
                end_own()
    return report


def _clean(before: int) -> None:
    """Give the collector back, where the work that borrowed it was cut short."""
    if not before:
        _collector.reclaim()


def give_up(client: object) -> None:
    """Close what a client has open, if an exception kept it from doing so itself."""
    begin_own()  # takes the lock from itself, if it was left
    try:
        for probe in [*_probes]:
            if probe.client is client:
                _drop(probe)
    finally:
        end_own()


def _forget(probe: Probe) -> None:
    """Take a probe off the list, if the interpreter's end has not done so."""
    _probes[:] = [other for other in _probes if other is not probe]


def _drop(probe: Probe) -> None:
    """Close a block without looking at it."""
    probe.is_abandoned = True
    if probe.born is not None:
        probe.born.abandon()
    _forget(probe)
    _collector.ignore(probe.numbers)
    if probe.span is not None:
        _session.discard(probe.span)


def _leave_out(numbers: array[int]) -> None:
    """Count the time of a look at an open block as refscope's, not as the block's."""
    spent = perf_counter_ns() - numbers[END_TIME]
    numbers[TIME] += spent
    numbers[WORK] += spent


def pause(probe: Probe, slack: int) -> None:
    """End a stretch of a generator or coroutine."""
    if probe.is_abandoned:
        return
    begin_own(slack)
    try:
        if probe.span is not None:
            _session.pause(probe.span)
    finally:
        end_own()


def resume(probe: Probe) -> None:
    """Begin a stretch of a generator or coroutine."""
    if probe.is_abandoned:
        return
    begin_own()
    try:
        if probe.span is not None:
            _session.resume(probe.span)
    finally:
        end_own()


def _open(probe: Probe) -> None:
    """Take the baselines.  The census first: it must not count the others."""
    plan, numbers = probe.plan, probe.numbers
    probe.tasks_ran = not probe.is_call and activity.other_tasks()
    probe.owner, probe.thread = activity.owner(), get_ident()
    if plan.types:
        thaw_constants()
        probe.baseline = census.freeze(census.take())
    if plan.sites:
        ours.forget_names()
        probe.span = tracing.Span(plan.frames)
        _session.open(probe.span)
        probe.frame_limit = _session.limit()
        _session.resume(probe.span)
    if plan.survivors or plan.cycles:
        is_traced = plan.sites and _session.is_fresh
        probe.born = Born(is_traced=is_traced)
        if plan.cycles:
            probe.litter = Litter(probe.born, is_settled=plan.collect)
    for other in _probes:
        if other.owner != probe.owner:
            other.has_company = probe.has_company = True
    _probes.append(probe)
    numbers[RSS] = activity.resident_size()
    numbers[FROZEN] = frozen_count()
    numbers[THREAD], numbers[PROCESS] = activity.others_clock()
    _collector.listen(numbers)


def _start_clocks(numbers: array[int]) -> None:
    """Begin the program's stretch, then read what is read first at the end."""
    numbers[WORK] = perf_counter_ns() - numbers[WORK]
    _session.mark()
    numbers[TIME] = perf_counter_ns()
    numbers[BLOCKS] = allocated_blocks()
    _session.forget_peak()


def _finish(probe: Probe, client: Client[R_co], *, end: bool) -> R_co:
    """Take the second readings and build the report."""
    if probe.span is not None and end:
        _session.pause(probe.span)
    if probe.plan.collect:
        collect(probe.plan, _litters(), _to_witness(probe) if end else None)
    _collector.borrow()
    try:
        report = client.account(_compare(probe, end=end))
        ours.disown_report(report)
        if probe.plan.collect and _session.is_open:
            _collector.empty_free_lists()
            ours.leave_spares()
        if end:
            probe.clear()
        return report
    finally:
        _collector.give_back()


def _litters() -> list[Litter]:
    """Return what notes the cycles of the open blocks, of those that ask for them."""
    return [probe.litter for probe in _probes if probe.litter is not None]


def _to_witness(probe: Probe) -> Born | None:
    """Return the stretch of a block if one look after the last collection tells all.

    Beside other threads nobody holds their objects while finalizers run.
    """
    born = probe.born if probe.plan.survivors and is_alone() else None
    return born if born and born.is_at_hand else None


def _compare(probe: Probe, *, end: bool) -> Findings:
    """Return what changed since ``_open``.

    The census comes after the places: it is slow while tracing is on.
    """
    numbers, span = probe.numbers, probe.span
    found = Findings()
    found.plan = probe.plan
    found.is_final = end
    found.threads_ran = probe.thread != get_ident() or activity.others_ran(
        numbers[THREAD], numbers[PROCESS]
    )
    look(probe, found)
    if end and probe.born is not None:
        probe.born.abandon()
    found.traced = None
    if span is not None:
        ours.forget_names()
        found.traced = _session.close(span) if end else _session.look(span)
    found.types = None
    if probe.plan.types and not was_frozen(numbers[FROZEN]):
        thaw_constants()
        found.types = census.difference(probe.baseline)
    if found.survivors is not None:
        found.survivors.explain(probe.plan.max_objects, probe.plan.deadline)
    found.frame_limit = probe.frame_limit
    found.is_disturbed = span is not None and span.is_disturbed
    found.pauses = span.pauses - 1 if span is not None and end else 0
    found.collector = _collector.since(numbers)
    if end:
        _forget(probe)
        _collector.ignore(numbers)
    rss = activity.resident_size()
    is_known = rss >= 0 and numbers[RSS] >= 0
    found.rss_diff = rss - numbers[RSS] if is_known else None
    blocks = numbers[END_BLOCKS]
    # Without pymalloc (WebAssembly, some debug builds) there are none at all.
    found.blocks_diff = blocks - numbers[BLOCKS] if blocks else None
    found.duration_ns = numbers[END_TIME] - numbers[TIME]
    found.work_began_ns = numbers[END_TIME] - numbers[WORK]
    found.tasks_ran = not probe.is_call and (probe.tasks_ran or activity.other_tasks())
    found.blocks_overlapped = probe.has_company
    return found


def _abandon() -> None:
    """Leave the interpreter as it was found, whatever is still open at its exit."""
    for probe in _probes:
        probe.is_abandoned = True
    _probes.clear()
    abandon_all()
    _collector.abandon()
    _session.abandon()


def _before_fork() -> None:
    """Wait until no other thread is in the middle of refscope's work.

    The child would be in the middle of it for good.  Who is there may wait for what
    this thread has, in a finalizer, so not for ever.
    """
    _forking.append(get_ident())
    if not _lock.acquire(timeout=_LONGEST_WAIT):
        _forking.remove(get_ident())


def _after_fork_in_parent() -> None:
    """Let others go on."""
    if get_ident() in _forking:
        _forking.remove(get_ident())
        if is_owned():  # pragma: no branch  # else Ctrl-C came before
            _lock.release()


def _after_fork_in_child() -> None:
    """Close the blocks of threads that the child does not have."""
    if get_ident() not in _forking:  # somebody else has the lock
        _collector.forget_away()
        heal()
        _lock.acquire()
    _forking.clear()
    forget()
    for probe in [*_probes]:
        if probe.thread != get_ident():
            _drop(probe)
        else:  # it is another process, whose clocks begin anew
            probe.numbers[RSS] = -1
            probe.numbers[THREAD], probe.numbers[PROCESS] = activity.others_clock()
    _lock.release()


atexit.register(_abandon)
if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
