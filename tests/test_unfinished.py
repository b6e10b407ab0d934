"""Tuples and lists that C is still building: listed by the collector, with gaps."""

from __future__ import annotations

import gc
import itertools
import marshal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import refscope
from refscope._measure.cpython.listed import _are_full, finished, items_of, listed


ANYWHERE = Path(__file__).with_name("anywhere.py")


class _Shared:
    """What everybody refers to."""


_shared = _Shared()


class _File:
    """Data for ``marshal.load``, which makes a container first and reads then."""

    def __init__(self, value, call):
        self._data = marshal.dumps(value)
        self._call = call

    def read(self, size):
        return self._data[:size]

    def readinto(self, buffer):
        size = len(buffer)
        buffer[:] = self._data[:size]
        self._data = self._data[size:]
        self._call()
        return size


def _gaps(kind):
    return [
        thing
        for thing in gc.get_objects()
        if type(thing) is kind and len(gc.get_referents(thing)) < len(thing)
    ]


def _object_at():
    # No list of them: it would be one more who refers to them.
    for address in [*map(id, _gaps(tuple)), *map(id, _gaps(list))]:
        with pytest.raises(refscope.AddressError):
            refscope.object_at(address)


def _in_a_block():
    with refscope.track("block", frames=2) as block:
        kept = [_Shared() for _ in range(3)]
        block.peek()
    assert len(kept) in [group.count for group in block.report.survivors]


def _watched():
    with refscope.watch(_shared):
        pass


_types_only = refscope.track("types", sites=False, survivors=False, cycles=False)

CALLS = {
    "track": _in_a_block,
    "track without sites": lambda: _types_only.start().stop(),
    "find_cycles": refscope.find_cycles,
    "find_cycles, live": lambda: refscope.find_cycles(live=True),
    "find_cycles, through": lambda: refscope.find_cycles(through=[_shared]),
    "find_cycles, from a call": lambda: refscope.find_cycles(from_call=list),
    "referrers": lambda: refscope.referrers(_shared),
    "why_alive": lambda: refscope.why_alive(_shared),
    "watch": _watched,
    "object_at": _object_at,
    "find_leaks": lambda: refscope.find_leaks(list, warmup=1, rounds=3),
}


@pytest.mark.apart
@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_tuples_and_lists_with_gaps_crash_nobody(call):
    """Whatever is asked for while ``marshal`` is reading into them."""
    met = set()

    def look():
        met.update(kind for kind in (tuple, list) if _gaps(kind))
        if at.pop() is not None:
            call()

    value = [("text " * 3, 1.5), ["text " * 3, 2.5]]
    # At three of the reads is enough: in one of the list, and two of the tuple.
    at = [None] * 100 + [1, None, None, None, 2, 3, None]
    assert marshal.load(_File(value, look)) == value  # noqa: S302  # our own bytes
    assert met == {tuple, list}


@pytest.mark.apart
@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_tuple_is_made_of_what_calls_return(call):
    """``tuple(f() for ...)``, which is listed with its places up to 3.13."""
    assert tuple(call() is call for _ in range(2)) == (False, False)


@pytest.mark.needs_threads
@pytest.mark.parametrize(
    "call",
    [CALLS["find_cycles"], CALLS["track without sites"]],
    ids=["find_cycles", "track"],
)
def test_other_threads_go_on_building_tuples(call):
    """A list of all objects holds none of theirs, which they resize in the end."""
    errors = []
    numbers = []
    ended = threading.Event()

    def build():
        try:
            while not ended.is_set():
                numbers.append(len(tuple([item] * 50 for item in range(8))))
        except SystemError as error:
            errors.append(error)

    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            call()
    finally:
        ended.set()
        for thread in threads:
            thread.join()

    assert numbers
    assert errors == []


@pytest.mark.needs_threads
def test_the_list_is_that_of_the_collector():
    """Beside another thread too, when it is made in another way."""
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    gc.disable()
    try:
        for generation in (None, 0, 2):
            ours = set(map(id, listed(generation)))
            theirs = set(map(id, gc.get_objects(generation)))
            assert len(theirs - ours) <= 9  # what these lines made
            assert len(ours - theirs) <= 9
        found = listed()
        assert not any(thing is found for thing in found)
        tools = {itertools.chain, itertools.compress, itertools.starmap}
        assert tools.isdisjoint(map(type, found))
    finally:
        gc.enable()
        ended.set()
        thread.join()


@pytest.mark.needs_threads
def test_a_collection_may_come_while_a_list_is_prepared(monkeypatch):
    """What makes the list is of two generations then, and in none of it."""
    made = []

    def prepared(things):
        gc.collect(0)
        made.append(_are_full(things))
        return made[-1]

    monkeypatch.setattr("refscope._measure.cpython.listed._are_full", prepared)
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    gc.disable()
    try:
        for generation in (None, 0, 1, 2):
            found = listed(generation)
            assert id(made.pop()) not in map(id, found)
            assert made == []
            tools = {itertools.chain, itertools.compress, itertools.starmap}
            assert tools.isdisjoint(map(type, found))
    finally:
        gc.enable()
        ended.set()
        thread.join()


@pytest.mark.needs_threads
def test_what_another_thread_is_building_is_not_listed():
    """Among all objects and in its generation; nothing else is left out."""
    met, ended = threading.Event(), threading.Event()

    def look():
        if _gaps(tuple):  # not at the first read
            met.set()
            ended.wait()

    value = ("text " * 3, 1.5)
    thread = threading.Thread(target=marshal.load, args=(_File(value, look),))
    gc.disable()
    thread.start()
    met.wait()
    try:
        [gap] = map(id, _gaps(tuple))
        for generation in (None, 0):
            ours = set(map(id, listed(generation)))
            theirs = set(map(id, gc.get_objects(generation)))
            assert gap in theirs - ours
            assert len(theirs - ours) <= 9  # what these lines made
            assert len(ours - theirs) <= 9
        assert gap not in map(id, listed(1) + listed(2))
    finally:
        gc.enable()
        ended.set()
        thread.join()


def test_items_of_what_has_gaps_are_not_given():
    """Since their places are not known; nor is the whole by its address."""
    given = []

    def look():
        if not given and (_gaps(tuple) or _gaps(list)):
            _object_at()
        for thing in _gaps(tuple) + _gaps(list):
            given.append((items_of(thing, len(thing)), finished([thing])))  # noqa: PERF401

    marshal.load(_File([("text " * 3, 1.5)], look))  # noqa: S302  # our own bytes

    assert given
    assert all(pair == ([], []) for pair in given)


@pytest.mark.parametrize("kind", [list, tuple], ids=lambda kind: kind.__name__)
def test_items_of_subclasses_are_their_items(kind):
    """Behind the class and whatever else an instance refers to."""
    child = type("Child", (kind,), {})
    thing = child([1, "two", _shared])
    thing.extra = [3]

    assert items_of(thing, 3) == [1, "two", _shared]
    assert items_of(child(), 0) == []
    assert items_of(kind([_shared]), 1) == [_shared]


@pytest.mark.apart
@pytest.mark.needs_subprocess
def test_everything_can_be_asked_from_anywhere():
    """From finalizers, hooks, keys and classes that are not finished."""
    said = subprocess.run(
        [sys.executable, "-X", "faulthandler", ANYWHERE],
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )

    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
