"""Locals of other threads as holders, and the names of these threads."""

from __future__ import annotations

import _thread
import itertools
import queue
import threading
import time
import weakref

import pytest

import refscope
from refscope._measure.leaks import lingering, rounds
from refscope._measure.leaks.naming import folded
from refscope.render import from_json, to_json, to_text
from refscope.reports import HeapObject, Leak, Reference, ReferencePath


class Item:
    """The subject."""


class Nameless(threading.Thread):
    """A thread whose name is code of the program."""

    is_asked = 0

    @property
    def _name(self):
        Nameless.is_asked += 1
        return "worker"

    @_name.setter
    def _name(self, name):
        pass


@pytest.mark.needs_threads
@pytest.mark.parametrize("kind", ["named", "unknown", "nameless"])
def test_locals_of_other_threads_hold(kind):
    """The root is the thread by its name, or its number where there is no name."""
    ready, done, told = threading.Event(), threading.Event(), []

    def work():
        item = Item()
        told.extend([weakref.ref(item), threading.get_ident()])
        ready.set()
        done.wait(60)
        del item

    if kind == "unknown":
        _thread.start_new_thread(work, ())
    else:
        thread = (Nameless if kind == "nameless" else threading.Thread)(target=work)
        thread.name = "worker"
        thread.start()
    ready.wait(60)
    if kind == "unknown":
        threading._active.pop(told[1], None)  # up to 3.13 an Event has put it there
    before = Nameless.is_asked
    roots = {path.root for path in refscope.why_alive(told[0]()).paths}
    asked = Nameless.is_asked - before
    done.set()
    while told[0]() is not None:
        time.sleep(0.001)
    if kind != "unknown":
        thread.join()

    assert not asked
    assert roots == {"thread worker" if kind == "named" else f"thread {told[1]}"}


@pytest.mark.needs_threads
@pytest.mark.usefixtures("small_heap")
def test_a_leaked_thread_is_one_leak():
    """What hangs on it is told with it."""
    events = []

    def call():
        event = threading.Event()
        events.append(event)
        threading.Thread(target=event.wait, daemon=True).start()

    report = refscope.find_leaks(call, rounds=2)
    for event in events:
        event.set()
    leak = report.leaks[0]

    assert leak.type_name == "threading.Thread"
    assert "threading.Condition" in {part.type_name for part in leak.parts}
    assert [one.type_name for one in report.leaks] == [leak.type_name], str(report)
    assert "with it: " in to_text(report)
    assert from_json(to_json(report)) == report


class Worker(threading.Thread):
    """A thread that waits for work that does not come."""

    def __init__(self):
        super().__init__(daemon=True)
        self.jobs = queue.Queue()

    def run(self):
        """Wait."""
        self.jobs.get()


@pytest.mark.needs_threads
@pytest.mark.usefixtures("small_heap")
def test_a_leaked_thread_of_a_class_of_its_own_is_one_leak():
    """It has what every thread has, and its own attributes."""
    workers = []

    def call():
        worker = Worker()
        workers.append(weakref.ref(worker))
        worker.start()

    report = refscope.find_leaks(call, rounds=2)
    for worker in workers:
        worker().jobs.put(None)
    leak = report.leaks[0]
    parts = {part.type_name for part in leak.parts}

    assert leak.type_name.endswith(".Worker")
    assert {"queue.Queue", "threading.Event", "method"} <= parts
    others = {one.type_name for one in report.leaks[1:]}
    assert others == {"weakref.ReferenceType"}, str(report)  # in the list of workers


def _leak(name, root=None, names=(), grows_at=-1, **more):
    things = [
        HeapObject(type_name=each, address=place, size=16)
        for place, each in enumerate(names)
    ]
    steps = [
        Reference(holder=holder, target=target, name=".x")
        for holder, target in itertools.pairwise(things)
    ]
    path = None if root is None else ReferencePath(root=root, references=tuple(steps))
    return Leak(kind="objects", type_name=name, held_by=path, grows_at=grows_at, **more)


THREAD = "threading.Thread"
OWNER = _leak(THREAD, "thread T-1", ["frame", THREAD], per_call=1.0)
HANGING = [
    _leak("shop.Item", "thread T-1", ["frame", "shop.Item"], per_call=1.0),
    _leak("list", "module shop", ["module", "list", THREAD, "list"], 0, per_call=2.0),
    _leak("method", verdict="native", per_call=1.0),
    _leak("weakref.ReferenceType", "module threading", ["module", "set"], 0),
]
OTHERS = [
    _leak("shop.Item", "module shop", ["module", THREAD, "list", "shop.Item"], 1),
    _leak("shop.Item", "module shop", ["module", "list", THREAD, "x"], 0, per_call=0.1),
    _leak("shop.Item", "module threading", ["module", "set"], 0),
    _leak("shop.Item", verdict="native"),
    _leak("shop.Item", "module shop", ["module", "shop.Item"], None),
]


def test_what_hangs_on_a_thread():
    """What it or its frames hold; not what an old thread holds, or nobody."""
    (owner, *rest) = folded([OWNER, *HANGING, *OTHERS], {THREAD})

    assert [part.type_name for part in owner.parts] == [
        leak.type_name for leak in HANGING
    ]
    assert rest == OTHERS
    assert folded(OTHERS, {THREAD}) == OTHERS


@pytest.mark.exact  # coverage keeps something for each thread
@pytest.mark.needs_threads
@pytest.mark.usefixtures("small_heap")
def test_what_a_thread_holds_that_is_about_to_end_is_no_leak():
    """It outlives the call by a moment, and is waited for before anybody looks."""

    def work():
        held = [object() for _ in range(500)]
        time.sleep(0.02)
        held.clear()

    def call():
        threading.Thread(target=work).start()

    report = refscope.find_leaks(call, rounds=3)

    assert not report.is_leaking, str(report)
    assert report.total_calls < 40  # nothing was suspected for long


def test_threads_that_stay_are_waited_for_once(monkeypatch):
    """And what the search returns is passed on, as is its end."""
    counts = iter([1, 2, 2, 1, 1, 1, 3, 3, 3, 3, 3])
    monkeypatch.setattr(lingering, "count_threads", lambda: next(counts))
    ended = []

    def search():
        try:
            yield from (5, 5, 5, rounds.Pause(1))
            ended.append(None)
            return "found"
        finally:
            ended.append(None)

    steps = lingering.without_lingering(search())
    found = []

    def passed_on():
        found.append((yield from steps))

    asked = [*passed_on()]
    pauses = [step for step in asked if isinstance(step, rounds.Pause)]
    assert [step for step in asked if step == 5] == [5, 5, 5]
    assert len(pauses) == 3
    assert len(ended) == 2
    assert found == ["found"]
