"""One measured block: what is read at its two ends, in which order.

The program's stretch ends with ``session.fold()`` before refscope allocates anything,
and begins with ``session.mark()`` after everything of refscope's that stays has been
allocated.  Between the two refscope works; nothing there is the program's, except
what a collection runs: finalizers.  So collections run outside of the lock, and the
level is read again after them.

Ctrl-C may come at the start of each function and after each call, also in a
``finally``.  So whoever finds the lock taken looks whether its holder is still at work.

    enter:  fold | collect | census | places, or tracing on | mark, clocks
    leave:  clocks, fold | collect | census | places, tracing off | report | mark
"""

from __future__ import annotations

import atexit
import os
import sys
from _thread import RLock, allocate_lock, get_ident
from array import array
from collections.abc import Callable
from time import perf_counter_ns
from types import FrameType
from typing import ClassVar

from refscope import reports
from refscope.reports._record import changed

from . import activity, census, cycles, gcstate, litter, ours, tracing
from .born import Born, abandon_all, guard, remember, thaw_constants
from .budget import Budget
from .frozen import forget, frozen_count, hold, let_go, was_frozen
from .interpreter import IS_SUPPORTED, allocated_blocks, refuse
from .keeping import Kept
from .listed import is_alone
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
from .survivors import Survivors


_LONGEST_WAIT = 5.0  # seconds
_PATIENCE = 1.0  # seconds
_HERE = os.path.join(os.path.dirname(__file__), "")  # noqa: PTH118, PTH120  # as in co_filename

_session = tracing.Session()
_collector = gcstate.Collector()
_lock = RLock()
_is_owned: Callable[[], bool] = getattr(_lock, "_is_owned")  # noqa: B009  # as threading does
_reset: Callable[[], None] = getattr(_lock, "_at_fork_reinit")  # noqa: B009
_healing = allocate_lock()
_probes: list[Probe] = []
census.own(tracing.Span, tracing.Traced)
census.own(*[kind for kind in vars(reports).values() if isinstance(kind, type)])


class _Boundary:
    """Where in refscope's own work threads are, which the holder of the lock notes."""

    depth: ClassVar[int] = 0
    """How deep in it the holder of the lock is."""
    forking: ClassVar[Kept[int]] = Kept()
    """Who has the lock in order to fork."""


def begin_own(slack: int = 0) -> None:
    """End the program's stretch: what follows is refscope's.  Needs ``end_own``.

    A rise of up to ``slack`` bytes that was over by now does not count.
    """
    before = _step_in()
    try:
        if not before:
            _session.fold(slack)
    except BaseException:  # Ctrl-C: other threads must not wait for this one for ever
        _step_out(before)
        raise


def end_own() -> None:
    """Begin the program's stretch; what was allocated since ``begin_own`` is ours."""
    before = _Boundary.depth - 1
    try:
        _Boundary.depth = before
        if not before:
            _session.mark()
    finally:
        if not before:
            _lock.release()


def _step_in() -> int:
    """Take the lock, or go deeper; return how deep in our own work this thread was."""
    try:
        if _Boundary.depth:
            _queue()
        else:
            _lock.acquire()
        before = _Boundary.depth
        _Boundary.depth = before + 1
    except BaseException:
        if _is_owned() and not _Boundary.depth:
            _lock.release()
        raise
    return before


def _step_out(before: int) -> None:
    """Undo ``_step_in``, if it took place and nobody has undone it."""
    if before >= 0 and _is_owned():
        _Boundary.depth = before
        if not before:
            _lock.release()


def _queue() -> None:
    """Take the lock, where somebody is at work, unless this thread has it.

    Ctrl-C can lead a thread out of refscope's work without the lock being released.
    """
    if _is_owned():
        frame = sys._getframe(3)  # its f_back: who wants the lock is not at work yet
        ours.disown_new_frame(frame)
        if _is_at_work(frame.f_back):
            return
        with _healing:
            if _is_owned():  # pragma: no branch  # else another thread was faster
                _heal()
    while not _lock.acquire(True, _PATIENCE):  # noqa: FBT003  # keywords make a dict
        with _healing:
            if _is_left():
                _heal()
    _Boundary.depth = 0


def _is_left() -> bool:
    """Return whether the thread that has the lock is in no work of refscope's."""
    holder = repr(_lock)
    owner = int(holder.partition("owner=")[2].split()[0])
    frame = sys._current_frames().get(owner)  # the only way to them
    return bool(owner) and not _is_at_work(frame) and repr(_lock) == holder


def _is_at_work(frame: FrameType | None) -> bool:
    """Return whether this frame, or one that waits for it, does refscope's work."""
    while frame is not None:
        ours.disown_new_frame(frame)
        code = frame.f_code
        if code.co_filename.startswith(_HERE) or "begin_own" in code.co_names:
            return True
        frame = frame.f_back
    return False


def _heal() -> None:
    """Make the lock free, and undo what whoever left it did not."""
    _collector.reclaim()
    _Boundary.depth = 0
    _reset()


class collector_away:  # noqa: N801  # reads like the function that it might be
    """Keep automatic collections away, also while the program works; may be nested.

    As they come back one may run at once (up to 3.11), and take the garbage that was
    found: so this is the last thing that is done.  To leave it twice does no harm.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        begin_own()
        try:
            _collector.send_away(id(self))
        finally:
            end_own()

    def __exit__(self, *_: object) -> None:
        begin_own()
        try:
            _collector.call_back(id(self))
        finally:
            end_own()
        _collector.come_back()


def enter(plan: Plan, client: object, *, is_call: bool = False) -> Probe:
    """Begin to measure; raises TrackingError where tracing is not possible.

    A call of a plain function ends before any other task runs.
    """
    if not IS_SUPPORTED:  # pragma: no cover  # PyPy, GraalPy
        refuse()
    before = -1
    probe: Probe | None = None
    try:
        before = _step_in()
        if not before:
            _session.fold()
        hold()
        probe = Probe(
            plan, client, is_call=is_call
        )  # most of it goes before its block's end
        ours.disown(probe)
        probe.numbers[WORK] = perf_counter_ns()
        if probe.plan.collect:
            _collect(plan)
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
        _step_out(before)
    return probe


def open_clients(owner: int) -> list[object]:
    """Return who has a block open in this thread or task, newest first."""
    return [probe.client for probe in reversed(_probes) if probe.owner == owner]


def leave(probe: Probe, client: Client[R_co], *, end: bool) -> R_co:
    """Return the report of a block so far, and close it if ``end``.

    The counters are read before anything is allocated.
    """
    before = -1
    try:
        before = _step_in()
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


def _collect(plan: Plan, ending: Born | None = None) -> None:
    """Collect for a block, and note the cycles that this frees.

    Of a stretch that is ending it is seen what the collection left alive.
    """
    litters = [probe.litter for probe in _probes if probe.litter is not None]
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
    try:
        _run_collection(_collector.collect_and_keep, ending)
    finally:
        try:
            _collector.take_back(found, before)
        except BaseException:  # Ctrl-C: what is there would live for ever
            _collector.take_back(found, before)
            raise
        if ending is not None:
            ending.recall_witness(found)
    if found and litters:
        with _collector:  # a copy, since whoever looks at it empties it
            litter.note_kept(litters, found.copy(), noted, budget)
    return bool(found)


def _run_collection(collect: Callable[[], int], ending: Born | None = None) -> None:
    """Collect.  What finalizers do meanwhile is the program's: not locked."""
    remember(ending)
    aside: Kept[gcstate.Callback] = Kept()
    try:
        _collector.step_aside(aside)
        # What is ours on the free lists goes first, or it would seem the program's.
        gcstate.collect_nothing()
        if _Boundary.depth > 1:
            collect()
        else:
            _collect_unlocked(collect)
    finally:
        try:
            _collector.step_back(aside)
        except BaseException:  # Ctrl-C: they are the program's
            _collector.step_back(aside)
            raise


def _collect_unlocked(collect: Callable[[], int]) -> None:
    """Collect while others may have the lock."""
    extra = 0
    is_out = False
    try:
        _Boundary.depth = 0
        _session.mark_emptied()
        is_out = True
        _lock.release()
        extra = collect()
    finally:
        try:
            if is_out:
                _step_in()
                _session.relevel(extra)
        finally:
            if not _is_owned():  # Ctrl-C while waiting
                _step_in()
            _Boundary.depth = 1


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
        _collect(probe.plan, _to_witness(probe) if end else None)
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
    _search(probe, found)
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


def _search(probe: Probe, found: Findings) -> None:
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
    live = cycles.cycles_among(survivors.objects, probe.plan.budget())
    if live.groups or not live.complete:
        merged = reports.merge([found.cycles, live])
        found.cycles = changed(merged, freed=found.cycles.freed)
        ours.disown_report(found.cycles)


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
    _Boundary.forking.append(get_ident())
    if not _lock.acquire(timeout=_LONGEST_WAIT):
        _Boundary.forking.remove(get_ident())


def _after_fork_in_parent() -> None:
    """Let others go on."""
    if get_ident() in _Boundary.forking:
        _Boundary.forking.remove(get_ident())
        if _is_owned():  # pragma: no branch  # else Ctrl-C came before
            _lock.release()


def _after_fork_in_child() -> None:
    """Close the blocks of threads that the child does not have."""
    if get_ident() not in _Boundary.forking:  # somebody else has the lock
        _collector.forget_away()
        _heal()
        _lock.acquire()
    _Boundary.forking.clear()
    forget()
    for probe in [*_probes]:
        if probe.thread != get_ident():
            _drop(probe)
        else:  # it is another process, whose clocks begin anew
            probe.numbers[RSS] = -1
            probe.numbers[THREAD], probe.numbers[PROCESS] = activity.others_clock()
    _lock.release()


guard(begin_own, end_own)
atexit.register(_abandon)
if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
