"""One object that gets ever longer is a leak, though it is no object more."""

from __future__ import annotations

import array
import collections
import threading
import time

import pytest

import refscope
from refscope._measure.leaks.lengths import longer_text
from refscope.render import from_json, to_json, to_text


class Holder:
    """What holds it."""

    thing = None


class Program:
    """What the functions share."""

    holder = Holder()


def _extend_a_text():
    Program.holder.thing += "x" * 1_000


LONGER = {
    "bytearray": (bytearray, lambda: Program.holder.thing.extend(b"x" * 1_000), 1_000),
    "array.array": (
        lambda: array.array("q"),
        lambda: Program.holder.thing.extend(range(9)),
        9,
    ),
    "list": (list, lambda: Program.holder.thing.append(None), 1),
    "collections.deque": (
        collections.deque,
        lambda: Program.holder.thing.extend([None] * 100),
        100,
    ),
    "str": (str, _extend_a_text, 1_000),
}


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("name", sorted(LONGER))
def test_one_object_gets_longer(name):
    """With how much per call, and who holds it."""
    make, f, number = LONGER[name]
    holder = Program.holder = Holder()  # made when the rest is frozen
    holder.thing = make()
    report = refscope.find_leaks(f, rounds=2)
    (leak,) = report.leaks

    assert (leak.kind, leak.type_name, leak.per_call) == ("length", name, number)
    assert leak.size_per_call > 0
    assert leak.verdict == "held"
    assert [step.name for step in leak.held_by.references][-1:] == [".thing"]
    assert f"in a{'n' if name[0] == 'a' else ''} {name}" in report.headline
    assert " longer" in to_text(report)
    assert from_json(to_json(report)) == report


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("most", [30, 400])
def test_what_stops_is_no_leak(most):
    """A list that fills up to a bound, and a deque that has one."""
    full, queue = [], collections.deque(maxlen=5_000)

    def fill():
        if len(full) < most:
            full.append(None)
        queue.append(None)

    report = refscope.find_leaks(fill, rounds=2)

    assert not report.is_leaking
    assert any("up to a bound" in limit for limit in report.limits)


@pytest.mark.usefixtures("small_heap")
def test_texts_that_are_more_are_no_longer_text():
    """They are blocks of memory, and no one of them is longer than before."""
    texts = []
    report = refscope.find_leaks(
        lambda: texts.append("text " * (len(texts) + 50)), rounds=3
    )

    assert [leak.kind for leak in report.leaks] == ["memory"]


@pytest.mark.needs_threads
@pytest.mark.usefixtures("small_heap")
def test_what_another_thread_writes():
    """It gets longer in a pause as well."""
    done, written = threading.Event(), []

    def work():
        while not done.wait(0.001):
            written.append(None)

    thread = threading.Thread(target=work)
    thread.start()
    report = refscope.find_leaks(lambda: time.sleep(0.01), rounds=2)
    done.set()
    thread.join()

    assert not report.is_leaking
    assert written


@pytest.mark.needs_threads
@pytest.mark.usefixtures("small_heap")
def test_what_a_thread_writes_for_the_calls():
    """Others are at work, but in a pause nothing gets longer."""
    buffer = bytearray()

    def write():
        buffer.extend(bytes(100) * (sum(range(50_000)) > 0))

    def call():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()

    report = refscope.find_leaks(call, rounds=2)

    # Coverage may keep something for each thread.
    [leak] = [leak for leak in report.leaks if leak.kind == "length"]
    assert (leak.type_name, leak.per_call) == ("bytearray", 100)
    assert not any("pauses" in limit for limit in report.limits), str(report)


@pytest.mark.needs_threads
@pytest.mark.usefixtures("small_heap")
def test_what_came_before_a_pause_is_not_of_it():
    """Calls are made between the last look and the pause."""
    done = threading.Event()
    before = threading.enumerate()

    def call():
        threading.Thread(target=done.wait).start()

    report = refscope.find_leaks(call, rounds=2)
    done.set()
    for thread in set(threading.enumerate()).difference(before):
        thread.join()

    assert report.leaks[0].type_name == "threading.Thread"
    assert not any("pauses" in limit for limit in report.limits), str(report)


class _Look:
    """Stands for a look at texts."""

    def __init__(self, **texts):
        self.texts = texts


@pytest.mark.parametrize(
    ("growth", "found"), [(30, "c"), (31, "c"), (40, None), (0, None), (-3, None)]
)
def test_the_text_that_is_longer(growth, found):
    """It came as one went that is shorter by about that."""
    before, after = _Look(a=100, b=50), _Look(b=50, c=130, d=7)

    assert longer_text([before, after], growth) == found


def test_a_text_that_is_new():
    """None went that could have been it."""
    assert longer_text([_Look(), _Look(a=30)], 30) is None
    assert longer_text([_Look(), _Look()], 0) is None
