"""Threads that share one process, one tracemalloc and one tracker."""

from __future__ import annotations

import gc
import random
import sys
import threading
import time
import tracemalloc

import pytest

from refscope import track
from refscope._measure.blocks import account
from refscope.exceptions import ReportNotReadyError


pytestmark = pytest.mark.needs_threads

LIGHT = {
    "types": False,
    "survivors": False,
    "cycles": False,
    "collect": False,
}
MANY = 30
SECONDS = 1.0


def in_thread(function, *arguments):
    """Run a function in a thread to its end and return what it returned."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function(*arguments)))
    thread.start()
    thread.join()
    [result] = results
    return result


def test_a_block_alone_is_not_shared():
    """With no other thread at work the numbers are the block's own."""
    with track("x", **LIGHT) as block:
        sum(range(100_000))

    assert not block.report.memory.shared
    assert not any("other" in sentence for sentence in block.report.limits)


def test_threads_that_work_are_said():
    """A thread that ran meanwhile makes the numbers shared, and its bytes count."""
    kept = []

    def work():
        kept.append(bytes(1_000_000))
        sum(range(300_000))

    with track("x", **LIGHT) as block:
        in_thread(work)

    assert block.report.memory.shared
    assert account.THREADS in block.report.limits
    assert block.report.memory.size_diff > 1_000_000


def test_a_block_that_ends_in_another_thread_is_shared():
    """Both threads were at work in it, whatever their clocks say."""
    block = in_thread(track("x", **LIGHT).start)
    report = block.stop()

    assert report.memory.shared
    assert account.THREADS in report.limits


def test_sleeping_threads_are_not_said():
    """A thread that waits the whole time does not count."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    time.sleep(0.05)
    with track("x", **LIGHT) as block:
        pass
    done.set()
    thread.join()

    assert not block.report.memory.shared


def test_blocks_of_other_threads_are_said():
    """Blocks that are open at the same time in two threads know of each other."""
    begun, done = threading.Event(), threading.Event()
    reports = []

    def other():
        with track("other", **LIGHT) as block:
            begun.set()
            done.wait()
        reports.append(block.report)

    thread = threading.Thread(target=other)
    with track("before", **LIGHT) as before:
        thread.start()
        begun.wait()
        with track("inside", **LIGHT) as inside:
            pass
    done.set()
    thread.join()

    for report in (before.report, inside.report, reports[0]):
        assert report.memory.shared
        assert account.OVERLAP in report.limits


def test_a_block_ends_in_another_thread():
    """A handle may be handed on; the report has both threads' work."""
    kept = []
    block = track("x", **LIGHT).start()
    kept.append(bytes(1_000_000))

    report = in_thread(block.stop)

    assert report.memory.size_diff > 1_000_000
    assert block.report is report
    assert not tracemalloc.is_tracing()


def test_each_thread_has_its_own_report():
    """tracker.report is what this thread finished last; reports has all."""
    tracker = track("x", keep=10, **LIGHT)

    def run():
        with tracker as block:
            pass
        return block.report, tracker.report

    with tracker as mine:
        pass
    pairs = [in_thread(run) for _ in range(3)]

    assert all(block is latest for block, latest in pairs)
    assert tracker.report is mine.report
    assert tracker.reports == (mine.report, *(block for block, _ in pairs))


def test_a_thread_without_a_block_has_no_report():
    """What other threads finished is not this one's."""
    tracker = track("x", **LIGHT)
    with tracker:
        pass

    def run():
        with pytest.raises(ReportNotReadyError, match="in this thread"):
            tracker.report
        return True

    assert in_thread(run)


def test_a_new_thread_is_not_taken_for_a_dead_one():
    """Many threads that come and go never see the report of one before them."""
    tracker = track("x", **LIGHT)

    def run(finish):
        try:
            tracker.report
        except ReportNotReadyError:
            found = False
        else:
            found = True
        if finish:
            with tracker:
                pass
        return found

    assert not any(in_thread(run, turn % 3 == 0) for turn in range(60))


def test_one_tracker_in_many_threads_counts_right():
    """Entries with every=n are counted over all threads."""
    tracker = track("x", keep=1000, every=5, **LIGHT)

    def run():
        for _ in range(20):
            with tracker:
                pass

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(tracker.reports) == 10 * 20 // 5
    assert {report.calls_seen for report in tracker.reports} == {5}


@pytest.mark.apart
def test_threads_in_and_out_of_blocks_at_random():
    """Afterwards tracing is off, nothing is hooked, and each report was kept."""
    tracker = track("x", keep=10**6, **LIGHT)
    hooks = gc.callbacks[:]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    entered = []
    errors = []
    end = time.monotonic() + SECONDS

    def run(seed):
        choose = random.Random(seed)  # noqa: S311  # no secret
        count = 0
        try:
            while not count or time.monotonic() < end:
                kept = []
                depth = choose.randrange(1, 4)
                blocks = [tracker.start() for _ in range(depth)]
                kept.append(bytes(choose.randrange(100_000)))
                choose.shuffle(blocks)
                time.sleep(choose.random() / 100)
                for block in blocks:
                    report = block.stop()
                    assert report.memory.peak >= max(0, report.memory.size_diff)
                count += depth
        except BaseException as error:  # noqa: BLE001  # shown by the test
            errors.append(error)
        entered.append(count)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(MANY)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)

    assert errors == []
    assert len(entered) == MANY
    assert len(tracker.reports) == sum(entered)
    assert not tracemalloc.is_tracing()
    assert gc.callbacks == hooks
    with tracker as last:
        pass
    assert last.report.memory.size_diff is not None
    assert account.OVERLAP not in last.report.limits
