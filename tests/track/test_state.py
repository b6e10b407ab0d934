"""The interpreter is as it was after a block, however the block ended."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
import tracemalloc

import pytest

import refscope
from refscope import track, tracker_of
from refscope._measure.blocks import account, lifecycle
from refscope._measure.blocks.lifecycle import _probes
from refscope._measure.session import tracing
from refscope.exceptions import ReportNotReadyError, TrackingError

from .helpers import sites_in
from .kinds import plain


LIGHT = {
    "types": False,
    "survivors": False,
    "cycles": False,
    "collect": False,
}
LARGE = 1_000_000


@pytest.fixture(autouse=True)
def nothing_stays_open():
    """After each test no block is open, so no tracing of ours goes on."""
    yield
    assert not _probes


class Unexpected(Exception):  # noqa: N818  # it is no error of the program
    """What leaves a block."""


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Unexpected, f"{__name__}.Unexpected"),
        (KeyboardInterrupt, "KeyboardInterrupt"),
        (SystemExit, "SystemExit"),
        (GeneratorExit, "GeneratorExit"),
    ],
)
def test_what_leaves_a_block_is_named(kind, name):
    """An exception of any kind goes on, its type is in the report, tracing is off."""
    with pytest.raises(kind), track("x", **LIGHT) as block:
        raise kind

    assert block.report.exception == name
    assert not tracemalloc.is_tracing()


@pytest.mark.needs_threads
@pytest.mark.parametrize("time", [1, 2])
@pytest.mark.parametrize(
    "name", ["fold", "read", "settle", "hold", "mark", "let_go", "take", "close"]
)
def test_ctrl_c_in_our_own_work_stops_no_other_thread(name, time):
    """Wherever it comes, others can go on, and nothing stays switched on."""
    left = [time]

    def interrupt(frame, event, _):
        code = frame.f_code
        if event == "call" and code.co_name == name and "_measure" in code.co_filename:
            left[0] -= 1
            if not left[0]:
                sys.setprofile(None)
                raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        sys.setprofile(interrupt)
        with track("x"):
            pass
    sys.setprofile(None)
    thread = threading.Thread(target=plain, daemon=True)
    thread.start()
    thread.join(60)

    assert left[0] <= 0 or time > 1
    assert not thread.is_alive()


@pytest.mark.parametrize("kind", [Unexpected, KeyboardInterrupt])
def test_what_leaves_a_function_is_named(kind):
    """The same holds for a decorated function, which raises as before."""

    @track("x", **LIGHT)
    def function():
        raise kind

    with pytest.raises(kind):
        function()
    report = refscope.tracker_of(function).report

    assert report.exception in {f"{__name__}.Unexpected", "KeyboardInterrupt"}
    assert not tracemalloc.is_tracing()


def test_the_exception_does_not_live_on():
    """Nobody of refscope's holds the exception or its frames."""

    @track("x", **LIGHT)
    def function():
        raise Unexpected

    try:
        function()
    except Unexpected as error:
        with track("y", **LIGHT) as block:
            pass
        holders = [
            type(holder).__module__
            for holder in gc.get_referrers(error)
            if type(holder).__module__.startswith("refscope")
        ]

    assert holders == []
    assert block.report.exception is None


def test_a_cancelled_task_ends_its_blocks():
    """Cancelling ends the block with the exception, and goes on."""

    async def main():
        blocks = []

        async def waits():
            async with track("with", **LIGHT) as block:
                blocks.append(block)
                await decorated()

        @track("decorated", **LIGHT)
        async def decorated():
            await asyncio.sleep(60)

        task = asyncio.ensure_future(waits())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return blocks[0].report, refscope.tracker_of(decorated).reports[0]

    reports = asyncio.run(main())

    assert [report.exception for report in reports] == [
        "asyncio.exceptions.CancelledError"
    ] * 2
    assert not tracemalloc.is_tracing()


# -- Tracing in other hands.
def _stop():
    tracemalloc.stop()


def _clear():
    tracemalloc.clear_traces()


def _restart():
    tracemalloc.stop()
    tracemalloc.start(5)


def _restart_alike():
    tracemalloc.stop()
    tracemalloc.start(1)


@pytest.mark.parametrize("meddle", [_stop, _clear, _restart, _restart_alike])
@pytest.mark.parametrize("is_nested", [False, True])
def test_lost_traces_are_said(meddle, is_nested):
    """Whoever stops, clears or restarts tracing gets no "0 bytes" from us."""
    outer = track("outer", **LIGHT).start() if is_nested else None
    with track("x", **LIGHT) as block:
        kept = bytes(LARGE)
        meddle()
    if outer is not None:
        outer.stop()
    tracemalloc.stop()

    for report in [block.report] + ([outer.report] if outer else []):
        memory = report.memory
        assert (memory.size_diff, memory.count_diff, memory.peak) == (None, None, None)
        assert report.measured == ("gc",)
        assert report.sites == ()
        assert account.LOST in report.limits
    assert len(kept) == LARGE


def test_a_restart_of_another_depth_goes_on():
    """Who stops our tracing and starts their own keeps it."""
    with track("x", **LIGHT):
        _restart()
    depth = tracemalloc.is_tracing() and tracemalloc.get_traceback_limit()
    tracemalloc.stop()

    assert depth == 5


def test_cleared_traces_are_still_ours_to_stop():
    """After clear_traces() the tracing that we started ends with the block."""
    with track("x", **LIGHT):
        tracemalloc.clear_traces()

    assert not tracemalloc.is_tracing()


@pytest.mark.parametrize("meddle", [_stop, _clear, _restart, _restart_alike])
def test_traces_lost_in_a_finalizer_are_said(meddle):
    """So it is if refscope's own collection at the end runs what meddles."""

    class Meddler:
        def __init__(self):
            self.me = self

        def __del__(self):
            meddle()

    kept = []
    with track("x", types=False, survivors=False, cycles=False) as block:
        kept.append(bytes(LARGE))
        Meddler()
    is_tracing = tracemalloc.is_tracing()
    tracemalloc.stop()

    assert block.report.memory.size_diff is None
    assert account.LOST in block.report.limits
    assert is_tracing == (meddle is _restart)
    with track("next", **LIGHT) as after:
        kept.append(bytes(LARGE))
    assert after.report.memory.size_diff >= LARGE


def test_traces_lost_in_a_search_that_fails_are_ours_to_stop(monkeypatch):
    """A block that is dropped looks whether its tracing is still its own."""

    class Meddler:
        def __init__(self):
            self.me = self

        def __del__(self):
            tracemalloc.clear_traces()

    block = track("x", **LIGHT).start()
    Meddler()
    gc.collect()
    lifecycle.give_up(block)

    assert not tracemalloc.is_tracing()


def test_a_block_after_the_loss_is_whole():
    """Blocks that begin after somebody cleared the traces are measured again."""
    with track("outer", **LIGHT) as outer:
        tracemalloc.clear_traces()
        with track("inner", **LIGHT) as inner:
            kept = bytes(LARGE)

    [site] = [
        site for site in sites_in(inner.report, __file__) if site.size_diff >= LARGE
    ]
    spare = site.size_diff - sys.getsizeof(kept)
    assert 0 <= spare < 100  # the tuple of the argument, if no free list had one
    assert outer.report.memory.size_diff is None
    assert not tracemalloc.is_tracing()


def test_a_block_after_a_stop_starts_again():
    """A block that begins after somebody stopped tracing inside another is measured."""
    with track("outer", **LIGHT) as outer:
        tracemalloc.stop()
        with track("inner", **LIGHT) as inner:
            kept = bytes(LARGE)

    assert inner.report.memory.size_diff >= LARGE
    assert outer.report.memory.size_diff is None
    assert len(kept) == LARGE
    assert not tracemalloc.is_tracing()


def test_a_lost_block_can_be_peeked_at():
    """What was lost is unknown in the middle too."""
    with track("x", **LIGHT) as block:
        tracemalloc.clear_traces()
        report = block.peek()

    assert report.memory.size_diff is None
    assert account.LOST in report.limits


def test_tracing_that_starts_inside_is_ours_to_stop():
    """A start() while we trace does nothing, so the end of the block stops it."""
    with track("x", **LIGHT) as block:
        tracemalloc.start(9)

    assert block.report.memory.size_diff is not None
    assert not tracemalloc.is_tracing()


@pytest.mark.parametrize("depth", [1, 5])
def test_the_programs_tracing_goes_on(depth):
    """Tracing that ran before keeps its traces, its depth and its peak."""
    tracemalloc.start(depth)
    kept = bytes(LARGE)
    gone = bytes(5 * LARGE)
    del gone
    _, peak = tracemalloc.get_traced_memory()
    with track("x", **LIGHT):
        pass
    with track("outer", **LIGHT), track("inner", **LIGHT):
        pass
    _, later = tracemalloc.get_traced_memory()
    limit = tracemalloc.get_traceback_limit()
    trace = tracemalloc.get_object_traceback(kept)
    tracemalloc.stop()

    assert later >= peak > 6 * LARGE
    assert limit == depth
    assert trace is not None


def test_the_programs_peak_of_the_block_is_kept():
    """What the program's own tracing sees as peak includes that of the block."""
    tracemalloc.start()
    tracemalloc.reset_peak()
    with track("x", **LIGHT):
        gone = bytes(5 * LARGE)
        del gone
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak > 5 * LARGE


def test_fewer_frames_than_asked_for_is_said():
    """The depth of tracing that already runs stays; the report says so."""
    tracemalloc.start(2)
    with track("x", frames=7, **LIGHT) as block:
        kept = bytes(LARGE)
    with track("x", frames=2, **LIGHT) as enough:
        pass
    tracemalloc.stop()

    [site] = [site for site in block.report.sites if site.size_diff >= LARGE]
    assert len(site.traceback.frames) == 2
    assert [limit for limit in block.report.limits if "2 frame(s): 7" in limit]
    assert not [limit for limit in enough.report.limits if "frame(s)" in limit]
    assert len(kept) == LARGE


def test_an_inner_block_with_more_frames_gets_what_is_there():
    """The outer block's depth holds for the inner one, which says so."""
    with track("outer", frames=1, **LIGHT), track("inner", frames=3, **LIGHT) as inner:
        pass

    assert [limit for limit in inner.report.limits if "1 frame(s): 3" in limit]


# -- The collector.
def test_the_collector_is_given_back():
    """Its switch, thresholds, flags and callbacks are the program's to change."""
    before = (gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.callbacks[:])
    with track("x", types=False):
        gc.disable()
        gc.set_threshold(11, 12, 13)
        gc.set_debug(gc.DEBUG_SAVEALL)
        inside = gc.get_threshold()
    after = (gc.isenabled(), gc.get_threshold(), gc.get_debug())
    gc.set_debug(before[2])
    gc.set_threshold(*before[1])
    gc.enable()
    gc.garbage.clear()

    assert after == (False, inside, gc.DEBUG_SAVEALL)
    assert inside[:2] == (11, 12)
    assert gc.callbacks == before[3]


def test_a_collector_that_was_off_stays_off():
    """A block does not switch it on, nor does a collection of ours."""
    gc.disable()
    with track("x"):
        inside = gc.isenabled()
    after = gc.isenabled()
    gc.enable()

    assert (inside, after) == (False, False)


def test_saved_garbage_stays_the_programs():
    """With DEBUG_SAVEALL on, what we collect is where the program wants it."""
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    with track("x", types=False):
        ring = []
        ring.append(ring)
        identity = id(ring)
        del ring
    gc.set_debug(0)
    found = any(id(thing) == identity for thing in gc.garbage)
    gc.garbage.clear()

    assert found


def test_nothing_is_collected_unasked():
    """With collect=False garbage is still there after the block."""
    gc.disable()
    gc.collect()
    with track("x", collect=False):
        ring = []
        ring.append(ring)
        del ring
    found = gc.collect()
    gc.enable()

    assert found > 0


# -- Functions that never end.
def test_a_generator_that_is_closed_early_ends_its_block():
    """Closing a decorated generator ends its block with GeneratorExit."""

    @track("x", **LIGHT)
    def function():
        yield bytes(LARGE)
        yield None

    generator = function()
    next(generator)
    with pytest.raises(ReportNotReadyError):
        refscope.tracker_of(function).report
    generator.close()

    assert refscope.tracker_of(function).report.exception == "GeneratorExit"
    assert not tracemalloc.is_tracing()


def _abandoned(function):
    """Take one item of a generator, and leave it."""
    for _ in function():
        break
    return refscope.tracker_of(function).report


@pytest.mark.exact
def test_a_generator_that_is_left_keeps_nothing():
    """Neither its variables nor what told it to end are kept, as is so without us."""

    @track("x")
    def function():
        items = [bytes(LARGE)]
        yield None
        yield len(items)

    _abandoned(function)
    report = _abandoned(function)

    assert report.exception == "GeneratorExit"
    assert (report.memory.size_diff, report.types, report.survivors) == (0, (), ())
    assert report.is_clean
    assert report.memory.peak > LARGE


@pytest.mark.exact
def test_a_coroutine_that_is_closed_keeps_nothing():
    """Nor do a coroutine's, which waits for something that is not a function."""

    class Waiting:
        def __await__(self):
            return iter([None])

    @track("x")
    async def function():
        items = [bytes(LARGE)]
        await Waiting()
        return items

    for _ in range(2):
        coroutine = function()
        coroutine.send(None)
        coroutine.close()
    report = refscope.tracker_of(function).report

    assert report.exception == "GeneratorExit"
    assert (report.memory.size_diff, report.types, report.survivors) == (0, (), ())


@pytest.mark.exact
def test_an_asynchronous_generator_that_is_closed_keeps_nothing():
    """What closes it is on its way still, its variables are gone."""

    @track("x")
    async def function():
        items = [bytes(LARGE)]
        yield None
        yield len(items)

    async def main():
        for _ in range(2):
            generator = function()
            await generator.__anext__()
            await generator.aclose()
        return refscope.tracker_of(function).report

    report = asyncio.run(main())
    kept = {change.type_name for change in report.types}
    kept.update(group.type_name for group in report.survivors)

    assert report.exception == "GeneratorExit"
    assert report.memory.size_diff < 1000
    assert kept == {"async_generator_asend", "async_generator_athrow"}


def test_a_generator_that_is_told_to_end_by_throw():
    """``throw`` closes what it delegates to as well, and ends with the same error."""

    @track("x", **LIGHT)
    def function():
        yield

    generator = function()
    next(generator)
    with pytest.raises(GeneratorExit):
        generator.throw(GeneratorExit)

    assert refscope.tracker_of(function).report.exception == "GeneratorExit"


def test_a_generator_that_dies_ends_its_block():
    """So does letting it go."""

    @track("x", **LIGHT)
    def function():
        yield

    generator = function()
    next(generator)
    del generator
    gc.collect()

    assert refscope.tracker_of(function).report.exception == "GeneratorExit"
    assert not tracemalloc.is_tracing()


def test_a_generator_that_never_began_has_no_block():
    """One that was made and dropped measured nothing."""

    @track("x", **LIGHT)
    def function():
        yield

    function().close()

    assert refscope.tracker_of(function).reports == ()
    assert not tracemalloc.is_tracing()


@pytest.mark.parametrize(
    ("close", "name"),
    [(True, "GeneratorExit"), (False, "asyncio.exceptions.CancelledError")],
)
def test_an_asynchronous_generator_that_is_left_ends_its_block(close, name):
    """The program closes it, or the event loop does, as without the decorator."""

    @track("x", **LIGHT)
    async def function():
        yield 1
        yield 2

    async def main():
        generator = function()
        async for item in generator:
            assert item == 1
            break
        if close:
            await generator.aclose()

    asyncio.run(main())

    assert refscope.tracker_of(function).reports[0].exception == name
    assert not tracemalloc.is_tracing()


def test_an_asynchronous_generator_without_a_loop_ends_its_block():
    """One that no event loop knows ends its block when it dies."""

    @track("x", **LIGHT)
    async def function():
        yield 1
        yield 2

    generator = function()
    with pytest.raises(StopIteration):
        generator.asend(None).send(None)
    del generator
    gc.collect()

    assert not tracemalloc.is_tracing()


def test_a_coroutine_that_dies_ends_its_block():
    """One that is left waiting ends its block with GeneratorExit when it dies."""

    class Forever:
        """Waits for ever."""

        def __await__(self):
            yield

    @track("x", **LIGHT)
    async def function():
        await Forever()

    waiting = function()
    waiting.send(None)
    waiting.close()

    assert refscope.tracker_of(function).report.exception == "GeneratorExit"
    assert not tracemalloc.is_tracing()


def test_a_finalizer_may_stop_tracing_between_two_blocks():
    """It runs in the collection at the entry of the inner one, which traces anew."""

    class Stopping:
        def __init__(self):
            self.me = self

        def __del__(self):
            tracemalloc.stop()

    with track("outer", types=False) as outer:
        Stopping()
        with track("inner", types=False) as inner:
            kept = bytes(10_000)

    assert outer.report.memory.size_diff is None
    assert inner.report.memory.size_diff >= len(kept)


def test_tracing_that_ends_while_a_generator_waits():
    """What it does later is not measured, and that is said."""

    @track("x", types=False)
    def function():
        yield 1
        yield 2

    waiting = function()
    next(waiting)
    tracemalloc.stop()
    rest = list(waiting)
    report = tracker_of(function).report

    assert rest == [2]
    assert report.memory.size_diff is None
    assert any("stopped" in limit for limit in report.limits)


def test_a_block_may_begin_inside_refscopes_own_work():
    """A finalizer can run there, if the collector comes by."""
    lifecycle.begin_own()
    try:
        with track("inside") as block:
            pass
    finally:
        lifecycle.end_own()

    assert block.report.label == "inside"


@pytest.mark.skipif(sys.version_info >= (3, 15), reason="tracing is safe there")
def test_other_interpreters_are_refused(monkeypatch):
    """The message says how many there are, and the way out."""
    monkeypatch.setattr(tracing, "list_interpreters", lambda: (0, 1, 2))

    with (
        pytest.raises(TrackingError, match=r"2 other .* use track\(sites=False\)"),
        track("x"),
    ):
        pass

    assert not _probes
