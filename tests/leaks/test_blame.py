"""What grows meanwhile and is not the function's: refscope's own, other threads'."""

from __future__ import annotations

import asyncio
import queue
import threading
import time

import pytest

import refscope
from refscope._measure.algorithms.series import Phase
from refscope._measure.leaks.control import without_others
from refscope._measure.leaks.rounds import Pause


class Item:
    """What leaks."""


KEPT = []
SUSPECTS = {"a": "steady"}


@refscope.track(survivors=False)
def _decorated():
    return Item()


@refscope.track(on_report=bool, survivors=True, cycles=True)
def _reported():
    return Item()


def _with_a_block():
    with refscope.track("block", survivors=True):
        pass


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("f", [_decorated, _reported, _with_a_block])
def test_blocks_of_refscope_are_no_leak(f):
    """What they send into a collection is no garbage of the function."""
    report = refscope.find_leaks(f, rounds=3)

    assert report.leaks == ()
    assert not any("garbage" in limit for limit in report.limits)


@pytest.mark.usefixtures("small_heap")
def test_a_leak_beside_blocks_of_refscope():
    """The function's own garbage is still seen."""

    def f():
        with refscope.track("block"):
            ring = [Item()]
            ring.append(ring)

    report = refscope.find_leaks(f, rounds=2)

    assert [leak.kind for leak in report.leaks] == ["cycles"]


@pytest.mark.needs_threads
@pytest.mark.usefixtures("small_heap")
def test_what_another_thread_leaves():
    """It grows in proportion to the calls, and without them as well."""
    done = threading.Event()

    def work():
        while not done.wait(0.001):
            KEPT.append(Item())

    thread = threading.Thread(target=work)
    thread.start()
    report = refscope.find_leaks(lambda: time.sleep(0.005), rounds=3)
    done.set()
    thread.join()
    KEPT.clear()

    assert not report.is_leaking
    assert any("Item grew as fast in pauses" in limit for limit in report.limits)


@pytest.mark.needs_threads
@pytest.mark.usefixtures("small_heap")
def test_what_another_thread_leaves_for_the_function():
    """A worker that leaks by each job leaks by the function that gives the jobs."""
    jobs, answers = queue.SimpleQueue(), queue.SimpleQueue()

    def work():
        while jobs.get():
            KEPT.append(Item())
            answers.put(sum(range(20_000)))

    def call():
        jobs.put(1)
        answers.get()

    thread = threading.Thread(target=work)
    thread.start()
    report = refscope.find_leaks(call, rounds=2)
    jobs.put(0)
    thread.join()
    KEPT.clear()

    assert report.leaks[0].type_name.endswith(".Item")


@pytest.mark.usefixtures("small_heap")
def test_what_another_task_leaves():
    """It works in the pauses, too."""

    async def work():
        while True:
            KEPT.append(Item())
            await asyncio.sleep(0.001)

    async def main():
        task = asyncio.create_task(work())
        report = await refscope.find_leaks_async(lambda: asyncio.sleep(0.01), rounds=2)
        task.cancel()
        return report

    report = asyncio.run(main())
    KEPT.clear()

    assert not report.is_leaking


class _Rounds:
    """Stands for a ledger: five units of each in a second of calls."""

    is_alone = False

    def __init__(self, grown):
        phase = Phase(1)
        phase.growth.extend([5, 5])
        self.phases = [dict.fromkeys(["a"], phase)]
        self.spans = [1.0, 1.0]
        self._grown = grown

    def look(self):
        """Do nothing."""

    def wait(self, seconds):
        """Return what grew in two seconds."""
        self.spans.append(seconds)
        yield Pause(seconds)
        return {"a": self._grown} if self._grown else {}


@pytest.mark.parametrize(
    ("grown", "is_left", "said"),
    [(10, False, "as fast"), (5, True, "more slowly"), (1, True, ""), (0, True, "")],
)
def test_how_much_is_others(grown, is_left, said):
    """All of it is left out, a part is said, a little is by chance."""
    limits = {}
    left = {}

    def search():
        left.update((yield from without_others(_Rounds(grown), SUSPECTS, limits)))

    assert {pause.seconds for pause in search()} == {2.0}
    assert [*left] == (["a"] if is_left else [])
    assert [said in limit for limit in limits] == ([True] if said else [])
