"""Ctrl-C in refscope's own work, and what others find afterwards."""

from __future__ import annotations

import gc
import sys
import threading
import time
import tracemalloc

import pytest

import refscope
from refscope import track
from refscope._measure.blocks import collecting, lifecycle
from refscope._measure.cpython import interpreter
from refscope._measure.session import boundary, gcstate, tracing
from refscope.exceptions import ReportNotReadyError

from . import interrupted
from .helpers import run_python
from .interrupted import LIGHT, light


pytestmark = pytest.mark.needs_threads


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    """Nobody waits long for a lock that was left."""
    monkeypatch.setattr(boundary, "_PATIENCE", 0.01)


def in_thread(function):
    """Run a function in a thread, and return what it returned, or None if it hangs."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()), daemon=True)
    thread.start()
    thread.join(60)
    return results[0] if results else None


def interrupting(function, *, before=False, times=1):
    """Return a function that Ctrl-C comes into, before or after its work."""
    left = [times]

    def interrupted_function(*args, **kwargs):
        left[0] -= 1
        if before and left[0] >= 0:
            raise KeyboardInterrupt
        result = function(*args, **kwargs)
        if left[0] >= 0:
            raise KeyboardInterrupt
        return result

    return interrupted_function


def listener(*_):
    """Be the program's callback."""


def is_free():
    """Return whether nobody has the lock, nothing is open, and gc is on."""
    is_mine = boundary.lock.acquire(blocking=False)
    if is_mine:
        boundary.lock.release()
    return is_mine and not lifecycle._probes and gc.isenabled() and not gc.garbage


@pytest.mark.apart
@pytest.mark.needs_subprocess
@pytest.mark.parametrize("way", interrupted.WAYS)
def test_ctrl_c_at_any_call_stops_nobody(way):
    """Others go on, the next block is silent, and nothing is left switched on."""
    said = run_python(f"from tests.track import interrupted; interrupted.main({way!r})")

    assert (said.stdout, said.stderr) == ("True\n", "")


def test_a_lock_that_was_left_is_taken_by_its_thread():
    """It is in no work of refscope's any more."""
    boundary.step_in()
    boundary.collector.borrow()

    assert light() is not None
    assert boundary.Boundary.depth == 0
    assert is_free()


@pytest.mark.exact
def test_a_block_is_silent_after_a_lock_was_left():
    """The next one is measured as if nothing had been."""
    boundary.step_in()
    boundary.collector.borrow()

    memory = light().memory

    assert (memory.size_diff, memory.peak) == (0, 0)
    assert boundary.Boundary.depth == 0
    assert is_free()


def test_a_lock_that_was_left_is_taken_by_others():
    """They wait a while, and see that its thread does something else."""
    boundary.step_in()
    boundary.collector.borrow()

    assert in_thread(light) is not None
    assert is_free()


def test_a_lock_is_taken_from_a_thread_that_has_ended():
    """Nobody can ask it any more."""
    in_thread(boundary.step_in)

    assert light() is not None
    assert is_free()


def test_a_lock_is_not_taken_from_a_thread_at_work():
    """Who waits for it goes on when the work is done."""
    begun, order = threading.Event(), []

    def work():
        boundary.begin_own()
        begun.set()
        time.sleep(0.2)
        order.append("worked")
        boundary.end_own()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    light()
    order.append("tracked")
    thread.join()

    assert order == ["worked", "tracked"]
    assert not boundary._is_left()


def test_a_lock_is_not_taken_from_what_cannot_be_seen(monkeypatch):
    """Beside other interpreters frames of threads are not asked for (3.12, 3.13)."""
    monkeypatch.setattr(interpreter, "_CROSSING", (sys.version_info[:2],))
    in_thread(boundary.step_in)
    is_left = boundary._is_left()
    monkeypatch.setattr(interpreter, "list_interpreters", lambda: (0, 1))

    assert is_left
    assert list(interpreter.top_frames()) == [threading.get_ident()]
    assert not boundary._is_left()
    monkeypatch.undo()
    assert light() is not None
    assert is_free()


@pytest.mark.parametrize("what", ["acquire", "fold"])
def test_ctrl_c_as_our_work_begins(monkeypatch, what):
    """The lock is free at once."""
    if what == "fold":
        fold = interrupting(tracing.Session.fold)
        monkeypatch.setattr(tracing.Session, "fold", fold)
    else:
        lock = _Lock(acquire=interrupting(boundary.lock.acquire))
        monkeypatch.setattr(boundary, "lock", lock)
    with pytest.raises(KeyboardInterrupt):
        track("x")
    monkeypatch.undo()

    assert boundary.Boundary.depth == 0
    assert is_free()


class _Lock:
    """The lock of the boundary, with one of its methods replaced."""

    def __init__(self, acquire):
        self.acquire = acquire
        self.release = boundary.lock.release


def test_ctrl_c_before_the_lock_is_there(monkeypatch):
    """What another thread has is left alone."""
    lock = _Lock(acquire=interrupting(boundary.lock.acquire, before=True))
    monkeypatch.setattr(boundary, "lock", lock)
    with pytest.raises(KeyboardInterrupt):
        track("x")
    monkeypatch.undo()

    assert is_free()


def test_ctrl_c_after_a_block_was_entered(monkeypatch):
    """A block that nobody got is closed."""
    monkeypatch.setattr(lifecycle, "enter", interrupting(lifecycle.enter))
    with pytest.raises(KeyboardInterrupt), track("x"):
        pass

    assert not tracemalloc.is_tracing()
    assert is_free()


def test_ctrl_c_closes_the_block_that_it_met(monkeypatch):
    """Others that are open go on."""
    other = track("other", **LIGHT).start()
    monkeypatch.setattr(lifecycle, "enter", interrupting(lifecycle.enter))
    with pytest.raises(KeyboardInterrupt), track("x", **LIGHT):
        pass

    assert [probe.client for probe in lifecycle._probes] == [other]
    other.stop()
    assert is_free()


@pytest.mark.parametrize("name", ["enter", "leave"])
def test_ctrl_c_before_work_has_begun(monkeypatch, name):
    """What did not take place is not undone."""
    block = track("x", **LIGHT).start()
    step_in = interrupting(boundary.step_in, before=True)
    if name == "enter":
        monkeypatch.setattr(lifecycle, "step_in", step_in)
        with pytest.raises(KeyboardInterrupt):
            lifecycle.enter(block.tracker.plan, block)
        assert lifecycle._probes[0].client is block
        block.stop()
    else:
        [probe] = lifecycle._probes
        monkeypatch.setattr(lifecycle, "step_in", step_in)
        with pytest.raises(KeyboardInterrupt):
            lifecycle.leave(probe, block, end=True)

    assert is_free()


def test_ctrl_c_in_work_within_work(monkeypatch):
    """The outer work goes on with what it has."""
    plan = track("x", **LIGHT).plan
    opened = interrupting(lifecycle._open, before=True)
    monkeypatch.setattr(lifecycle, "_open", opened)

    def within():
        with pytest.raises(KeyboardInterrupt):
            lifecycle.enter(plan, None)

    boundary.begin_own()
    within()

    assert boundary.Boundary.depth == 1
    boundary.end_own()
    assert is_free()


def test_ctrl_c_before_a_collection(monkeypatch):
    """The lock is not waited for, as it was not released."""
    emptied = interrupting(tracing.Session.mark_emptied, before=True)
    monkeypatch.setattr(tracing.Session, "mark_emptied", emptied)
    boundary.begin_own()
    with pytest.raises(KeyboardInterrupt):
        collecting._collect_unlocked(int)
    monkeypatch.undo()

    assert boundary.Boundary.depth == 1
    boundary.end_own()
    assert is_free()


@pytest.mark.parametrize("before", [True, False])
def test_ctrl_c_around_the_end_of_a_block(monkeypatch, before):
    """A block that cannot be ended again is closed."""
    block = track("x").start()
    monkeypatch.setattr(
        lifecycle, "leave", interrupting(lifecycle.leave, before=before)
    )
    with pytest.raises(KeyboardInterrupt):
        block.stop()

    assert not tracemalloc.is_tracing()
    assert is_free()


def test_a_block_that_was_cut_short_says_so(monkeypatch):
    """Nobody is told to end a block once more that has no report to come."""
    at_exit, unlucky = track("x", **LIGHT).start(), track("x", **LIGHT).start()
    lifecycle._drop(at_exit._probe)  # as a fork and the end of Python do
    monkeypatch.setattr(lifecycle, "leave", interrupting(lifecycle.leave, before=True))
    with pytest.raises(KeyboardInterrupt):
        unlucky.stop()

    for block in (at_exit, unlucky):
        assert repr(block) == "<Block 'x' cut short>"
        for ask in (block.peek, block.stop, lambda: block.report):  # noqa: B023
            with pytest.raises(
                ReportNotReadyError, match=r"'x' has no report: .*short"
            ):
                ask()


@pytest.mark.parametrize("name", ["enter", "leave"])
def test_ctrl_c_as_the_collector_is_given_back(monkeypatch, name):
    """It is given back once more, by what called."""
    block = track("x", **LIGHT).start()
    if name == "enter":
        block.stop()
    give_back = interrupting(gcstate.Collector.give_back, before=True)
    monkeypatch.setattr(gcstate.Collector, "give_back", give_back)
    with pytest.raises(KeyboardInterrupt):
        (light if name == "enter" else block.stop)()
    monkeypatch.undo()

    assert is_free()


@pytest.mark.parametrize("is_block", [True, False])
def test_ctrl_c_keeps_no_callback_away(monkeypatch, is_block):
    """The program's are put back at the second attempt."""
    hooks = [*gc.callbacks, listener]
    step_back = interrupting(gcstate.Collector.step_back, before=True)
    work = gcstate.Collector().empty_free_lists
    if is_block:
        work = track("x", types=False, sites=False).start
    gc.callbacks.append(listener)
    monkeypatch.setattr(gcstate.Collector, "step_back", step_back)
    with pytest.raises(KeyboardInterrupt):
        work()
    monkeypatch.undo()
    left = [*gc.callbacks]
    gc.callbacks.remove(listener)

    assert left == hooks


def test_ctrl_c_leaves_no_garbage(monkeypatch):
    """What the collection kept is taken out at the second attempt."""

    def run():
        with track("x"):
            ring = []
            ring.append(ring)
            del ring

    take_back = interrupting(gcstate.Collector.take_back, before=True)
    monkeypatch.setattr(gcstate.Collector, "take_back", take_back)
    with pytest.raises(KeyboardInterrupt):
        run()
    monkeypatch.undo()

    assert is_free()


def test_ctrl_c_while_waiting_after_a_collection(monkeypatch):
    """The lock is waited for again, since it will be released."""
    monkeypatch.setattr(
        collecting, "step_in", interrupting(boundary.step_in, before=True)
    )
    boundary.Boundary.depth = 1
    boundary.lock.acquire()
    with pytest.raises(KeyboardInterrupt):
        collecting._collect_unlocked(int)
    monkeypatch.undo()

    assert boundary.is_owned()
    assert boundary.Boundary.depth == 1
    boundary.end_own()
    assert is_free()


@pytest.mark.parametrize("is_ours", [True, False])
def test_ctrl_c_as_tracing_begins(monkeypatch, is_ours):
    """It is stopped again, unless the program had begun."""
    if not is_ours:
        tracemalloc.start()
    read = "start" if is_ours else "get_traced_memory"
    times = interrupting(getattr(tracing, read))
    session = tracing.Session()
    monkeypatch.setattr(tracing, read, times)
    with pytest.raises(KeyboardInterrupt):
        session.open(tracing.Span(1))
    monkeypatch.undo()
    is_tracing = tracemalloc.is_tracing()
    tracemalloc.stop()

    assert is_tracing is not is_ours


def test_ctrl_c_as_a_search_ends(monkeypatch):
    """The collector comes back all the same."""
    call_back = interrupting(gcstate.Collector.call_back, before=True)
    monkeypatch.setattr(gcstate.Collector, "call_back", call_back)
    with pytest.raises(KeyboardInterrupt):
        refscope.find_cycles(from_call=list)

    assert is_free()


def test_the_collector_may_be_sent_away_by_many():
    """It comes back with the last."""
    collector = gcstate.Collector()
    collector.send_away(1)
    collector.send_away(2)
    collector.borrow()
    collector.call_back(1)
    collector.call_back(2)
    collector.come_back()
    inside = gc.isenabled()
    collector.give_back()

    assert not inside
    assert gc.isenabled()

    collector.send_away(1)
    collector.call_back(1)
    collector.borrow()  # another thread, before it has come back
    collector.come_back()
    inside = gc.isenabled()
    collector.give_back()
    collector.come_back()

    assert not inside
    assert gc.isenabled()

    collector.send_away(1)
    collector.forget_away()

    assert gc.isenabled()
