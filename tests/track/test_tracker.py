"""Trackers, and the blocks that their entries make."""

from __future__ import annotations

import asyncio
import enum
import gc
import pickle
import sys
import tracemalloc
import weakref
from contextlib import AsyncExitStack, ExitStack
from functools import cached_property

import pytest

import refscope
from refscope import Block, Tracker, _track, track
from refscope._measure.blocks import account, lifecycle
from refscope._measure.cpython import places
from refscope.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    NotMeasuredError,
    RefscopeError,
    ReportNotReadyError,
    TrackingError,
)
from refscope.render import from_json, to_json

from .helpers import line_of, quiet_collector, sites_in


LIGHT = {
    "types": False,
    "survivors": False,
    "cycles": False,
    "collect": False,
}
LARGE = 1_000_000


class Mute:
    """An object that does not say what it is."""

    def __repr__(self):
        raise AssertionError


def grown(report):
    """Return how many large blocks' worth this file's large sites have.

    Coverage allocates beside them, on the same lines.
    """
    large = [
        site.size_diff for site in sites_in(report, __file__) if site.size_diff >= LARGE
    ]
    return round(sum(large) / LARGE)


# -- Ways in and out.
def test_with_binds_a_block():
    """What `as` binds has the report after the end, and not before."""
    with track("x", **LIGHT) as block:
        with pytest.raises(ReportNotReadyError, match=r"'x' has not ended: use peek"):
            block.report
        kept = bytes(LARGE)

    assert isinstance(block, Block)
    assert block.measured
    assert grown(block.report) == len(kept) // LARGE
    assert block.report.label == "x"


def test_async_with_binds_a_block():
    """So does the asynchronous statement."""

    async def main():
        async with track("x", **LIGHT) as block:
            await asyncio.sleep(0)
            kept = bytes(LARGE)
        return block, kept

    block, kept = asyncio.run(main())

    assert grown(block.report) == len(kept) // LARGE


def test_async_with_passes_exceptions_on():
    """An exception leaves the asynchronous block, which names it."""

    async def main():
        async with track("x", **LIGHT) as block:
            blocks.append(block)
            raise LookupError

    blocks = []
    with pytest.raises(LookupError):
        asyncio.run(main())

    assert blocks[0].report.exception == "LookupError"


def test_start_and_stop():
    """A block that was started is stopped once; then its report is there."""
    tracker = track("x", **LIGHT)
    block = tracker.start()
    kept = bytes(LARGE)
    report = block.stop()

    assert grown(report) == len(kept) // LARGE
    assert block.stop() is report is block.report is tracker.report
    assert not tracemalloc.is_tracing()


def test_stop_inside_with_ends_the_block_there():
    """What comes after stop() is not counted; leaving the statement does nothing."""
    with track("x", **LIGHT) as block:
        first = bytes(LARGE)
        report = block.stop()
        second = bytes(LARGE)

    assert grown(report) == len(first) // LARGE == len(second) // LARGE
    assert block.report is report
    assert report.exception is None


def test_peek_goes_on():
    """A report so far, as often as one likes; the block goes on."""
    with track("x", **LIGHT) as block:
        before = block.peek()
        one = bytes(LARGE)
        first = block.peek()
        two = bytes(2 * LARGE)
        second = block.peek()
        two = None

    assert grown(before) == 0
    assert grown(first) == len(one) // LARGE
    assert grown(second) == 3
    assert second.memory.peak >= 3 * LARGE
    assert grown(block.report) == len(one) // LARGE
    assert block.report.memory.peak >= 3 * LARGE
    assert two is None


def test_the_time_of_a_peek_is_refscopes(monkeypatch):
    """It is no part of the block's duration."""
    clock = [0]
    finish = lifecycle._finish

    def slow(*args, **kwargs):
        report = finish(*args, **kwargs)
        clock[0] += 5_000_000_000
        return report

    monkeypatch.setattr(lifecycle, "_finish", slow)
    for module in (lifecycle, account):
        monkeypatch.setattr(module, "perf_counter_ns", lambda: clock[0])
    with track("x") as block:
        block.peek()
        clock[0] += 1_000_000_000

    assert block.report.duration == 1
    assert block.report.overhead == 5


def test_the_time_that_a_report_takes_is_refscopes(monkeypatch):
    """Names of functions are looked for after everything was measured."""
    clock = [0]
    frames_of = places.frames_of

    def slow(lines):
        clock[0] += 3_000_000_000
        return frames_of(lines)

    monkeypatch.setattr(places, "frames_of", slow)
    for module in (lifecycle, account):
        monkeypatch.setattr(module, "perf_counter_ns", lambda: clock[0])
    with track("x", **LIGHT) as block:
        kept = bytes(LARGE)

    assert block.report.overhead == 3
    assert kept


@pytest.mark.parametrize("is_traced", [True, False])
def test_the_first_tracker_is_a_quiet_guest(monkeypatch, is_traced):
    """What it loads is loaded once, and the program's callbacks hear of nothing."""
    heard = []
    monkeypatch.setattr(_track, "_unready", [True])
    if is_traced:
        tracemalloc.start()
    with quiet_collector():
        gc.callbacks.append(lambda *_: heard.append(1))
        track("x")
    tracemalloc.stop()

    assert _track._unready == []
    assert heard == []
    assert sys.modules["refscope.render._ready"]


def test_peek_after_the_end_is_the_report():
    """Before the beginning there is nothing to see; after the end it is final."""
    with track("x", **LIGHT) as block:
        pass

    assert block.peek() is block.report


def test_a_peeked_report_is_not_kept():
    """Only finished blocks count for the tracker and for on_report."""
    told = []
    tracker = track("x", on_report=told.append, **LIGHT)
    block = tracker.start()
    block.peek()

    assert tracker.reports == ()
    assert told == []

    block.stop()
    assert told == [block.report]


def test_exit_stack():
    """An exit stack enters and leaves, the same tracker more than once."""
    tracker = track("x", keep=5, **LIGHT)
    with ExitStack() as stack:
        blocks = [stack.enter_context(tracker) for _ in range(3)]
        kept = bytes(LARGE)

    assert [grown(block.report) for block in blocks] == [len(kept) // LARGE] * 3
    assert tracker.reports == tuple(block.report for block in reversed(blocks))


def test_async_exit_stack():
    """So does an asynchronous one."""
    tracker = track("x", keep=5, **LIGHT)

    async def main():
        async with AsyncExitStack() as stack:
            blocks = [await stack.enter_async_context(tracker) for _ in range(3)]
            kept = bytes(LARGE)
        return blocks, kept

    blocks, kept = asyncio.run(main())

    assert [grown(block.report) for block in blocks] == [len(kept) // LARGE] * 3
    assert tracker.reports == tuple(block.report for block in reversed(blocks))


def test_a_skipped_entry_of_an_exit_stack():
    """Leaving it ends nothing: no block of the same tracker around it either."""
    tracker = track("x", every=2, **LIGHT)
    with tracker, tracker as outer:
        with ExitStack() as stack:
            skipped = stack.enter_context(tracker)
        with pytest.raises(ReportNotReadyError):
            outer.report

    assert not skipped.measured
    assert tracker.reports == (outer.report,)


def test_a_stopped_entry_of_an_exit_stack():
    """As with a statement, leaving it once more does nothing."""
    tracker = track("x", **LIGHT)
    outer = tracker.start()
    with ExitStack() as stack:
        report = stack.enter_context(tracker).stop()

    with pytest.raises(ReportNotReadyError):
        outer.report
    assert tracker.report is report
    outer.stop()


def test_exit_stacks_that_others_close():
    """A stack ends its own block, in another task, or in a loop that came later."""
    tracker = track("x", keep=5, **LIGHT)

    async def enter(stack):
        return await stack.enter_async_context(tracker)

    async def leave(stack):
        await stack.aclose()

    async def main():
        outside.close()
        stacks = [AsyncExitStack(), AsyncExitStack()]
        blocks = [await asyncio.create_task(enter(stack)) for stack in stacks]
        for stack in stacks:
            await asyncio.create_task(leave(stack))
        return blocks

    outside = ExitStack()
    first = outside.enter_context(tracker)
    second, third = asyncio.run(main())

    assert tracker.reports == (first.report, second.report, third.report)
    assert not tracemalloc.is_tracing()


def test_an_exit_stack_without_an_entry():
    """What was started is ended by a stack that only leaves."""
    tracker = track("x", **LIGHT)
    block = tracker.start()
    with ExitStack() as stack:
        stack.push(tracker)
        other = stack.enter_context(track("y", **LIGHT))

    assert (block.report.label, other.report.label) == ("x", "y")


def test_methods_of_the_class_can_be_kept():
    """Called again before their exit they pair by thread, newest first."""
    tracker = track("x", keep=5, **LIGHT)
    enter, leave = Tracker.__enter__, Tracker.__exit__
    alone = enter(tracker)
    leave(tracker, None, None, None)
    blocks = [enter(tracker), enter(tracker)]
    leave(tracker, None, None, None)
    leave(tracker, ValueError, ValueError(), None)

    second, first = [block.report for block in reversed(blocks)]
    assert tracker.reports == (alone.report, second, first)
    assert first.exception == "ValueError"


def test_an_exit_stack_keeps_no_ended_block():
    """What it entered is gone when it is."""
    tracker = track("x", **LIGHT)
    stack = ExitStack()
    watched = weakref.ref(stack.enter_context(tracker).stop())
    with tracker:
        pass
    assert watched() is not None

    stack.pop_all()
    assert watched() is None


def test_enter_and_exit_by_hand():
    """Calling the methods pairs the last entry with the first exit."""
    tracker = track("x", keep=5, **LIGHT)
    first = tracker.__enter__()
    second = tracker.__enter__()
    with tracker as third:
        pass
    assert tracker.reports == (third.report,)

    tracker.__exit__(None, None, None)
    assert tracker.reports == (third.report, second.report)

    tracker.__exit__(ValueError, ValueError(), None)
    assert first.report.exception == "ValueError"
    assert not tracemalloc.is_tracing()


@pytest.mark.exact
def test_entry_and_exit_by_hand_are_silent():
    """To find the block that is to be left takes nothing from its peak."""
    tracker = track("x", keep=3, **LIGHT)
    for _ in range(3):
        tracker.__enter__()
        tracker.__exit__(None, None, None)

    assert [report.memory.peak for report in tracker.reports] == [0, 0, 0]


def test_statements_around_an_entry_by_hand():
    """A `with` statement ends its own block, whatever was entered by hand in it."""
    tracker = track("x", **LIGHT)
    with tracker as block:
        inner = tracker.__enter__()

    assert block.report.label == "x"
    with pytest.raises(ReportNotReadyError):
        inner.report
    tracker.__exit__(None, None, None)
    assert inner.report.label == "x"


def test_async_enter_and_exit_by_hand():
    """The asynchronous methods can be called as well."""
    tracker = track("x", keep=5, **LIGHT)

    async def main():
        first = await tracker.__aenter__()
        second = await tracker.__aenter__()
        await tracker.__aexit__(None, None, None)
        assert tracker.report is second.report
        await tracker.__aexit__(None, None, None)
        return first, second

    first, second = asyncio.run(main())

    assert tracker.reports == (second.report, first.report)


def test_an_exit_by_hand_leaves_statements_alone():
    """It ends what was entered by hand, though a `with` statement is open inside."""
    tracker = track("x", keep=5, **LIGHT)
    outer = tracker.__enter__()
    with tracker as block:
        tracker.__exit__(None, None, None)
        assert tracker.reports == (outer.report,)

    assert tracker.reports == (outer.report, block.report)


def test_an_exit_that_is_kept_leaves_statements_alone():
    """Asked for with the entry, as for addCleanup, it does not become another's."""
    tracker = track("x", keep=5, **LIGHT)
    outer = tracker.__enter__()
    leave = tracker.__exit__
    with tracker as block:
        with tracker as inner:
            pass
        assert tracker.reports == (inner.report,)
    assert tracker.reports == (inner.report, block.report)
    leave(None, None, None)

    assert tracker.reports == (inner.report, block.report, outer.report)


def test_an_exit_that_is_asked_for_first():
    """It ends what is entered after it."""
    tracker = track("x", keep=5, **LIGHT)
    leave = tracker.__exit__
    block = tracker.__enter__()
    leave(None, None, None)

    assert tracker.reports == (block.report,)


def test_an_exit_by_hand_in_another_task():
    """Each of asyncSetUp and asyncTearDown runs in a task of its own in unittest."""
    tracker = track("x", keep=5, **LIGHT)

    async def enter():
        return await tracker.__aenter__()

    async def leave():
        await tracker.__aexit__(None, None, None)

    async def main():
        block = await asyncio.create_task(enter())
        with tracker as other:
            await asyncio.create_task(leave())
        return block, other

    block, other = asyncio.run(main())

    assert tracker.reports == (block.report, other.report)


def test_an_exit_by_hand_in_another_task_never_guesses():
    """Which of two blocks it is to end nobody can know."""
    tracker = track("x", **LIGHT)

    async def enter():
        return await tracker.__aenter__()

    async def leave():
        await tracker.__aexit__(None, None, None)

    async def main():
        tasks = [asyncio.create_task(enter()) for _ in range(2)]
        blocks = [await task for task in tasks]
        with pytest.raises(TrackingError, match="this thread or task to be left; stop"):
            await asyncio.create_task(leave())
        return blocks

    for block in asyncio.run(main()):
        assert block.is_open
        block.stop()


def test_an_exit_by_hand_passes_other_trackers_by():
    """It ends the newest block of its own tracker."""
    tracker = track("first")
    first = tracker.start()
    second = track("second").start()
    type(tracker).__exit__(tracker, None, None, None)

    assert first.report.label == "first"
    assert second.stop().label == "second"


def test_an_exit_without_entry_is_an_error():
    """There is nothing to leave, and afterwards everything works."""
    tracker = track("x", **LIGHT)
    for _ in range(2):
        with pytest.raises(TrackingError, match="no block of 'x' is open in this"):
            tracker.__exit__(None, None, None)
    with tracker as block:
        kept = bytes(LARGE)

    assert grown(block.report) == len(kept) // LARGE
    assert not tracemalloc.is_tracing()


def test_methods_of_the_class():
    """`Tracker.__enter__(tracker)` is what contextlib calls."""
    tracker = track("x", keep=5, **LIGHT)
    block = Tracker.__enter__(tracker)
    Tracker.__exit__(tracker, None, None, None)

    assert tracker.report is block.report


def test_interleaved_statements_of_one_thread_have_their_own_blocks():
    """Two generators that share a tracker leave in any order."""
    tracker = track("x", keep=5, **LIGHT)

    def run(size):
        with tracker as block:
            kept = bytes(size)
            yield block
        yield len(kept)

    first, second = run(LARGE), run(3 * LARGE)
    one, two = next(first), next(second)
    next(first)
    assert grown(one.report) == 4
    with pytest.raises(ReportNotReadyError):
        two.report

    next(second)
    assert grown(two.report) == 3


def test_a_tracker_nests_in_itself():
    """A recursive use makes one block for each level."""
    tracker = track("x", keep=10, **LIGHT)

    def run(depth):
        with tracker as block:
            kept = bytes(LARGE)
            inner = run(depth - 1) if depth else []
        assert len(kept) == LARGE
        return [*inner, block.report]

    reports = run(3)

    assert tracker.reports == tuple(reports)
    assert len({id(report) for report in reports}) == 4
    assert [round(report.memory.peak / LARGE) for report in reports] == [1, 2, 3, 4]


# -- What a tracker remembers.
def test_the_last_reports_are_kept():
    """`keep` bounds them, oldest first; by default it is one."""
    one, three = track("x", **LIGHT), track("x", keep=3, **LIGHT)
    seen = []
    for _ in range(5):
        with one, three as block:
            pass
        seen.append(block.report)

    assert three.reports == tuple(seen[-3:])
    assert len(one.reports) == 1
    assert three.report is seen[-1]


def test_many_reports_are_kept_without_being_copied():
    """One more costs no more where there are many, and they go without recursion."""
    many, few = [track("x", sites=False, keep=keep, **LIGHT) for keep in (5_000, 1)]
    for _ in range(5_000):
        with many:
            pass
    watched = weakref.ref(many.reports[0]), weakref.ref(many.reports[-1])
    tracemalloc.start()
    peaks = []
    for tracker in (many, few):
        with tracker:
            pass
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        with tracker:
            pass
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
    tracemalloc.stop()

    assert abs(peaks[0] - peaks[1]) < 10_000
    assert len(many.reports) == 5_000
    assert [each() is None for each in watched] == [True, False]
    del many, tracker
    assert watched[1]() is None


def test_the_oldest_reports_go_one_by_one(monkeypatch):
    """Also where they are kept in several parts."""
    monkeypatch.setattr("refscope._finished._CHUNK", 2)
    tracker = track("x", keep=3, **LIGHT)
    seen = []
    for _ in range(8):
        with tracker as block:
            pass
        seen.append(block.report)
        assert tracker.reports == tuple(seen[-3:])


def test_a_fresh_tracker_has_no_report():
    """Asking is an error with the way out, and reports is empty."""
    tracker = track("x")

    assert tracker.reports == ()
    with pytest.raises(ReportNotReadyError, match=r"'x' has ended in this thread"):
        tracker.report


def test_each_task_has_its_own_report():
    """tracker.report is what this task finished last, and the thread's outside."""
    tracker = track("x", keep=10, **LIGHT)

    async def run(turns):
        with pytest.raises(ReportNotReadyError, match="in this task"):
            tracker.report
        async with tracker as block:
            for _ in range(turns):
                await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        return block.report is tracker.report

    async def main():
        return await asyncio.gather(*[run(turns) for turns in (3, 1, 2)])

    assert asyncio.run(main()) == [True] * 3
    assert tracker.report is tracker.reports[-1]


def test_many_tasks_are_not_remembered():
    """Reports of tasks that are gone are let go."""
    tracker = track("x", sites=False, **LIGHT)
    reports = []

    async def run():
        with tracker as block:
            pass
        reports.append(weakref.ref(block.report))

    async def main():
        for _ in range(50):
            await asyncio.ensure_future(run())

    asyncio.run(main())
    gc.collect()

    assert sum(report() is not None for report in reports) < 20


def test_the_subject_dies_while_the_report_lives():
    """Neither block nor report keeps anything of the program alive."""

    class Thing:
        """What is watched."""

    with track("x") as block:
        thing = Thing()
        watched = weakref.ref(thing)
        del thing

    assert watched() is None
    assert block.report


def test_a_tracker_dies():
    """Nothing of refscope's holds on to trackers, blocks and reports."""
    tracker = track("x", **LIGHT)
    with tracker as block:
        pass
    watched = [weakref.ref(tracker), weakref.ref(block.report)]
    del tracker, block
    gc.collect()

    assert [each() for each in watched] == [None, None]


# -- Labels, tags and hooks.
def test_a_block_is_named_by_its_line():
    """Without a label it is the file and line of the call of track."""
    with track(**LIGHT) as block:  # named here
        pass

    assert block.report.label == f"{__file__}:{line_of(__file__, 'named here')}"


class Text(str):
    """Text of the program's: whatever it is asked, its own code runs."""

    __slots__ = ()

    def __str__(self):
        raise AssertionError

    __repr__ = __format__ = __len__ = __hash__ = __eq__ = __str__


def test_a_label_is_plain_text():
    """No report has an instance of a subclass of str, whose code would run."""

    @track(**LIGHT)
    def function():
        pass

    class Called:
        """Named by its class."""

        __qualname__ = Text("called")

        def __call__(self):
            pass

    function.__qualname__ = Text("renamed")
    tracked = [track(each) for each in (function, Called())]
    blocks = [track(Text("given"), **LIGHT).start(), track(label=Text("b")).start()]
    for each in tracked:
        each()
    reports = [block.stop() for block in blocks]
    reports += [refscope.tracker_of(each).report for each in tracked]

    labels = [report.label for report in reports]
    assert [type(label) for label in labels] == [str] * 4
    assert labels == ["given", "b", "renamed", "called"]
    assert "'given'" in str(reports[0])
    assert "'given'" in repr(blocks[0])


def test_tags_are_carried():
    """Any mapping of text, sorted; the report has it as a mapping."""
    with track("x", tags={"b": "2", "a": "1"}, **LIGHT) as block:
        pass

    assert dict(block.report.tags) == {"a": "1", "b": "2"}
    assert list(block.report.tags) == ["a", "b"]


def test_tags_may_be_of_a_kind_of_text():
    """As members of an enum are; the report has the text alone, and is data."""

    class Stage(str, enum.Enum):
        TEST = "test"

    report = track("x", tags={Stage.TEST: Stage.TEST}, **LIGHT).start().stop()

    assert [(type(key), key) for key in report.tags] == [(str, "test")]
    assert [(type(value), value) for value in report.tags.values()] == [(str, "test")]


def test_tags_are_those_of_the_call():
    """Changing the mapping later changes nothing."""
    tags = {"a": "1"}
    tracker = track("x", tags=tags, **LIGHT)
    tags["a"] = "2"

    assert tracker.start().stop().tags["a"] == "1"


def test_each_report_is_handed_on():
    """on_report sees every finished block, in the order of their ends."""
    told = []
    tracker = track("x", on_report=told.append, **LIGHT)
    with tracker as outer, tracker as inner:
        pass

    assert told == [inner.report, outer.report]


@pytest.mark.parametrize("kind", [ValueError, RefscopeError, AssertionError])
def test_a_hook_that_raises_is_logged(kind, caplog):
    """The program goes on as if nothing had been."""

    def hook(_):
        raise kind("no")

    with track("x", on_report=hook, **LIGHT) as block:
        pass

    [record] = caplog.records
    assert record.name == "refscope"
    assert "'x'" in record.getMessage()
    assert record.exc_info[0] is kind
    assert block.report.exception is None


def test_a_hook_that_interrupts_is_obeyed():
    """KeyboardInterrupt in a hook is the program's wish; the report is there."""

    def hook(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), track("x", on_report=hook, **LIGHT) as block:
        pass

    assert block.report.label == "x"
    assert not tracemalloc.is_tracing()


def test_a_hook_may_track():
    """A hook can open a block itself."""
    told = []

    def hook(_):
        with track("inner", **LIGHT) as inner:
            pass
        told.append(inner.report.label)

    with track("x", on_report=hook, **LIGHT):
        pass

    assert told == ["inner"]


# -- One entry in n.
def test_one_entry_in_n_is_measured():
    """It is the n-th, the 2n-th and so on; each says how many it stands for."""
    tracker = track("x", every=3, keep=10, **LIGHT)
    blocks = []
    for _ in range(7):
        with tracker as block:
            pass
        blocks.append(block)

    assert [block.measured for block in blocks] == [False, False, True] * 2 + [False]
    assert len(tracker.reports) == 2
    assert {report.calls_seen for report in tracker.reports} == {3}
    assert {report.calls for report in tracker.reports} == {1}


def test_a_skipped_block_has_no_report():
    """Asking for it in any way is an error that says why."""
    with track("x", every=10, **LIGHT) as block:
        pass

    assert not block.measured
    for ask in (lambda: block.report, block.peek, block.stop):
        with pytest.raises(NotMeasuredError, match="only one entry in 10"):
            ask()


def test_a_skipped_block_traces_nothing():
    """No tracing is started for it."""
    with track("x", every=2, **LIGHT):
        assert not tracemalloc.is_tracing()


def test_calls_are_skipped_too():
    """A decorated function is measured every n-th call."""

    @track("x", every=2, keep=10, **LIGHT)
    def function():
        return tracemalloc.is_tracing()

    assert [function() for _ in range(4)] == [False, True, False, True]
    assert len(refscope.tracker_of(function).reports) == 2


# -- What is not measured.
def test_without_sites_nothing_is_traced():
    """sites=False counts objects and the collector, no bytes."""
    with track("x", sites=False) as block:
        inside = tracemalloc.is_tracing()
        kept = [[] for _ in range(100)]
    report = block.report

    assert not inside
    assert report.measured == ("types", "survivors", "cycles", "gc")
    assert (report.memory.size_diff, report.memory.peak) == (None, None)
    assert [c.count_diff for c in report.types if c.type_name == "list"] == [101]
    if sys.getallocatedblocks():  # there are none without pymalloc
        assert report.memory.blocks_diff > 0
    else:
        assert report.memory.blocks_diff is None
    assert len(kept) == 100


def test_without_sites_the_verdict_covers_tracked_objects_only():
    """What the collector does not track may be kept, and limits say so."""
    kept = {"k": None}
    with track("x", sites=False) as block:
        kept["k"] = bytes(LARGE)
    with track("x", sites=False, types=False, cycles=False) as other:
        kept["k"] = bytes(LARGE)

    for report in (block.report, other.report):
        assert account.UNSEEN in report.limits
        assert report.headline.startswith("CLEAN")
    assert "numbers and all else" in str(block.report).replace("\n           ", " ")


def test_without_anything_there_is_no_verdict():
    """Nothing measured is not clean; nor is tracing that was lost."""
    kept = []
    with track("x", sites=False, **LIGHT) as block:
        kept.append(bytes(LARGE))
    with track("x", **LIGHT) as lost:
        kept.append(bytes(LARGE))
        tracemalloc.clear_traces()

    for report in (block.report, lost.report):
        assert not report.is_clean
        assert report.headline.startswith(
            "UNKNOWN 'x': neither bytes nor objects are known, "
        )
    assert account.UNSEEN not in block.report.limits
    assert account.LOST in lost.report.limits


def test_without_types_no_object_is_counted():
    """types=False leaves the section out."""
    with track("x", types=False, collect=False) as block:
        kept = [bytes(1000) for _ in range(100)]

    assert block.report.measured == (
        "memory",
        "sites",
        "survivors",
        "cycles",
        "gc",
    )
    assert block.report.types == ()
    assert block.report.memory.count_diff >= len(kept)


def test_with_neither_the_collector_is_heard():
    """What is left is the time, the collector and the resident set."""
    with track("x", sites=False, **LIGHT) as block:
        gc.collect()

    assert block.report.measured == ("gc",)
    assert sum(block.report.gc.collections) == 1
    assert block.report.duration > 0
    assert block.report.overhead > 0


def test_reports_are_values():
    """A report goes to JSON and through pickle unchanged."""
    with track("x", tags={"a": "b"}) as block:
        kept = [bytes(LARGE), {}]
    report = block.report

    assert from_json(to_json(report)) == report
    assert pickle.loads(pickle.dumps(report)) == report  # noqa: S301  # our own
    assert hash(report) == hash(pickle.loads(pickle.dumps(report)))  # noqa: S301
    assert len(kept) == 2


# -- Errors.
@pytest.mark.parametrize("name", ["frames", "keep", "every"])
@pytest.mark.parametrize("value", [0, -1])
def test_numbers_start_at_one(name, value):
    """The message has the name, the value and what is allowed."""
    with pytest.raises(InvalidArgumentError, match=rf"{name} takes 1 .*, not {value}"):
        track("x", **{name: value})


def test_frames_have_a_most():
    """More than 65,535 lines are never recorded."""
    with pytest.raises(InvalidArgumentError, match=r"1 to 65,535, not 65536"):
        track("x", frames=65_536)


@pytest.mark.parametrize("name", ["frames", "keep", "every"])
@pytest.mark.parametrize("value", [1.0, "1", None, True])
def test_numbers_are_whole(name, value):
    """What is no int is refused, a bool too."""
    with pytest.raises(ArgumentTypeError, match=f"{name} takes a whole number"):
        track("x", **{name: value})


@pytest.mark.parametrize("name", ["frames", "keep", "every"])
def test_what_is_no_number_is_not_asked_for_its_text(name):
    """The message names the type: a ``__repr__`` is code of the program."""
    with pytest.raises(ArgumentTypeError, match="not a Mute"):
        track("x", **{name: Mute()})


@pytest.mark.parametrize(
    "tags", [{"a": 1}, {1: "a"}, {"a": None}, {1: "a", "b": "c"}, 5, ["a"], "ab"]
)
def test_tags_are_text(tags):
    """Keys and values are text, so that they go to JSON and back."""
    with pytest.raises(ArgumentTypeError, match="tags map text to text"):
        track("x", tags=tags)


@pytest.mark.parametrize("hook", [5, "print", []])
def test_a_hook_can_be_called(hook):
    """What cannot is refused at once, not in the log of each block."""
    with pytest.raises(ArgumentTypeError, match="on_report is called with each report"):
        track("x", on_report=hook)


@pytest.mark.parametrize("is_ended", [False, True])
def test_a_block_begins_once(is_ended):
    """Each entry has a block of its own; what was begun stays as it is."""
    block = track("x", **LIGHT).start()
    if is_ended:
        block.stop()
    with pytest.raises(TrackingError, match=r"'x' was entered before.*tracker.start"):
        block.start()

    assert block.stop() is block.report
    assert not tracemalloc.is_tracing()


@pytest.mark.parametrize("thing", [5, b"label", object(), [], int, Block])
def test_only_functions_are_decorated(thing):
    """A label is text, and a class is tracked method by method."""
    with pytest.raises(ArgumentTypeError, match="track decorates functions"):
        track(thing)
    with pytest.raises(ArgumentTypeError, match="track decorates functions"):
        track("x")(thing)


@pytest.mark.parametrize("kind", [property, cached_property])
def test_what_holds_a_method_is_made_of_a_tracked_one(kind):
    """Who put track above it is told where it goes."""
    way_out = f"put @track below @{kind.__name__}"
    with pytest.raises(ArgumentTypeError, match=way_out):
        track(kind(len))

    class Thing:
        size = kind(track(lambda _self: 5))

    assert Thing().size == 5


@pytest.mark.parametrize("thing", [len, lambda: None, int, 5])
def test_only_tracked_functions_have_a_tracker(thing):
    """tracker_of says what to do."""
    with pytest.raises(ArgumentTypeError, match=r"decorate it with @refscope.track"):
        refscope.tracker_of(thing)


def test_a_failed_call_leaves_nothing():
    """After an error in the arguments blocks work as before."""
    with pytest.raises(ArgumentTypeError):
        track("x", tags={"a": 1})
    with track("x", **LIGHT) as block:
        pass

    assert block.report.memory.size_diff == 0 or sys.gettrace() is not None


# -- One line.
def test_repr_says_the_state():
    """Blocks and trackers are shown in one line."""
    tracker = track("x", every=2, **LIGHT)
    skipped = tracker.start()
    block = tracker.start()

    assert repr(tracker) == "<Tracker 'x'>"
    assert tracker.label == "x"
    assert repr(skipped) == "<Block 'x' skipped>"
    assert repr(block) == "<Block 'x' open>"

    block.stop()
    assert repr(block) == "<Block 'x' ended>"
