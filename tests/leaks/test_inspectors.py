"""Verdicts on the objects of known types."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import socket
import subprocess
import threading
import types
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from refscope._measure.heap.inspectors import judge
from refscope.reports import Verdict


UNKNOWN = Verdict("unknown")


def test_files_are_asked_through_what_wraps_them():
    """A closed file is dead, whether it is raw, buffered or text."""
    opened = [
        open(os.devnull, mode)  # noqa: SIM115, PTH123
        for mode in ("rb", "wb", "r")
    ]
    opened += [io.FileIO(os.devnull), io.BytesIO(), io.StringIO()]
    before = [judge(file) for file in opened]
    for file in opened:
        file.close()

    assert before == [UNKNOWN] * 6
    assert [judge(file) for file in opened] == [
        Verdict("yes", "the file is closed")
    ] * 6


@pytest.mark.parametrize("mode", ["rb", "r"])
def test_a_detached_buffer_is_not_known(mode):
    """What it wrapped is gone; from 3.14 on it says so with an error."""
    file = open(os.devnull, mode)  # noqa: SIM115, PTH123
    file.detach().close()

    assert judge(file) == UNKNOWN


def test_buffers_of_unknown_files_are_not_known():
    """A raw file of the program's may run its code when it is asked."""

    class Raw(io.RawIOBase):
        """A file that can be read."""

        def readable(self):
            return True

    assert judge(io.BufferedReader(Raw())) == UNKNOWN


@pytest.mark.needs_subprocess
def test_sockets():
    """A closed socket has no number."""
    one = socket.socket()
    before = judge(one)
    one.close()

    assert before == UNKNOWN
    assert judge(one) == Verdict("yes", "the socket is closed")


def test_processes():
    """A process that has a return code has ended."""
    process = subprocess.Popen.__new__(subprocess.Popen)
    before = judge(process)
    process.returncode = 0

    assert before == UNKNOWN
    assert judge(process) == Verdict("yes", "the process has ended")


@pytest.mark.needs_threads
def test_executors_and_threads():
    """Shut down, not started, running and stopped."""
    executor = ThreadPoolExecutor()
    thread = threading.Thread(target=int)
    before = [judge(executor), judge(thread), judge(threading.main_thread())]
    executor.shutdown()
    thread.start()
    thread.join()

    assert before == [UNKNOWN, UNKNOWN, Verdict("no", "a live thread")]
    assert judge(executor) == Verdict("yes", "the executor is shut down")
    assert judge(thread) == Verdict("yes", "the thread has stopped")


def test_futures_of_threads():
    """Finished and cancelled ones are dead."""
    pending, finished, cancelled = Future(), Future(), Future()
    finished.set_result(1)
    cancelled.cancel()

    assert judge(pending) == UNKNOWN
    assert judge(finished) == Verdict("yes", "it is finished")
    assert judge(cancelled) == Verdict("yes", "it is cancelled")


def test_loops_and_what_runs_in_them():
    """A running loop is alive; closed loops and finished tasks are dead."""

    async def main():
        loop = asyncio.get_running_loop()
        task = loop.create_task(asyncio.sleep(0))
        future = asyncio.futures._PyFuture(loop=loop)
        before = [judge(loop), judge(task), judge(future)]
        await task
        future.set_result(None)
        return before, [judge(task), judge(future)], loop

    before, after, loop = asyncio.run(main())

    assert before == [Verdict("no", "a running event loop"), UNKNOWN, UNKNOWN]
    assert after == [Verdict("yes", "it is finished")] * 2
    assert judge(loop) == Verdict("yes", "the event loop is closed")


def test_a_loop_that_does_not_run_is_not_known():
    """It may run later; and attributes that a class computes are not asked."""

    class Computed(asyncio.BaseEventLoop):
        """A loop whose state is code of the program."""

        @property
        def _closed(self):
            raise AssertionError

        def is_closed(self):
            return True

    loop = asyncio.new_event_loop()
    strange = Computed.__new__(Computed)
    known = judge(loop), judge(strange)
    loop.close()

    assert known == (UNKNOWN, UNKNOWN)
    assert judge(Computed) == Verdict("no", "classes stay")
    assert judge(asyncio) == Verdict("no", "modules stay")


def test_generators_and_coroutines():
    """Suspended ones are not known, running ones alive, finished ones dead."""
    verdicts = []

    def generator():
        verdicts.append(judge(one))
        yield

    def frames():
        return [type(held) for held in gc.get_referents(one)].count(types.FrameType)

    one = generator()
    had = frames()
    before = judge(one)

    assert frames() == had  # none was made

    list(one)

    assert before == UNKNOWN
    assert verdicts == [Verdict("no", "a running generator")]
    assert judge(one) == Verdict("yes", "the generator has finished")
