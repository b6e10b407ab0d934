"""What running code holds is found by asking a few objects who refers to them."""

from __future__ import annotations

import gc
import sys
import threading

import pytest

import refscope
from refscope._measure.budget import Budget
from refscope._measure.cpython.classes import FREE_THREADED
from refscope._measure.cycles import garbage, outside
from refscope._measure.cycles.outside import held_outside

from . import idioms
from .helpers import found_ids, saved_ids


pytestmark = pytest.mark.skipif(FREE_THREADED, reason="counts are not exact there")
MANY = 3_000


def make_list():
    return [[number] for number in range(MANY)]


def make_dictionary():
    return {number: [number] for number in range(MANY)}


def make_instance():
    """Four references above what is asked, or five with a ``__dict__`` between."""
    held = idioms.Cat()
    held.kittens = [idioms.Cat() for _ in range(MANY)]
    for kitten in held.kittens:
        kitten.toys = [kitten]
    return held


def make_generator():
    def wait():
        kept = make_list()
        yield kept

    held = wait()
    next(held)
    return held


MAKERS = [make_list, make_dictionary, make_instance, make_generator]


def new_from(make):
    """Return the identities of all that is older, and a new thing."""
    gc.collect()
    older = {*map(id, gc.get_objects())}
    return older, make()


@pytest.mark.parametrize("make", MAKERS)
def test_what_a_variable_holds(make):
    """The variable of a running function, some references above what is asked."""
    older, held = new_from(make)

    found = held_outside(gc.get_objects(), older, Budget())

    assert id(held) in map(id, found)


@pytest.mark.parametrize("make", MAKERS)
def test_what_garbage_holds(make):
    """It has no more references than the collector sees."""
    older, held = new_from(make)
    ring = [held]
    ring.append(ring)
    del held, ring

    found = {*map(id, held_outside(gc.get_objects(), older, Budget()))}

    garbage_ids = saved_ids()
    assert len(garbage_ids) >= 2  # a generator is closed, and lets go of the rest
    assert found.isdisjoint(garbage_ids)


def test_all_is_known():
    """Then nobody is asked."""
    objects = gc.get_objects()

    assert held_outside(objects, {*map(id, objects)}, Budget()) == []
    assert held_outside([], (), Budget()) == []


def test_bounds():
    """Time, and how many references are counted: then they may be any number."""
    older, held = new_from(make_list)
    objects = gc.get_objects()
    first = (held[0],)

    assert held_outside(objects, older, Budget(deadline=0)) == []
    for most, count in ((MANY - 1, sys.maxsize), (MANY, 1)):
        _, inner, holders = outside._held_in(first, {id(objects)}, most)
        assert inner == {id(held[0]): count}
        assert [id(holder) for holder in holders] == [id(held)]


def test_what_goes_away_between_two_looks(monkeypatch):
    """What a signal handler held for a moment makes no garbage seem alive."""
    older, _ = new_from(make_garbage)
    choose, look = outside._spread_out, outside._held_in
    held = []

    def choose_and_hold(things):
        chosen = choose(things)
        held.extend(chosen)
        return chosen

    def let_go_and_look(*args, **kwargs):
        held.clear()
        return look(*args, **kwargs)

    monkeypatch.setattr(outside, "_spread_out", choose_and_hold)
    monkeypatch.setattr(outside, "_held_in", let_go_and_look)
    found = {*map(id, held_outside(gc.get_objects(), older, Budget()))}
    held.clear()

    assert found.isdisjoint(saved_ids())


def make_garbage():
    """Leave a chain of objects that refer to each other both ways."""
    last = idioms.Cat()
    for _ in range(MANY):
        cat = idioms.Cat()
        cat.last, last.following = last, cat
        last = cat


@pytest.mark.skipif(sys.maxsize < 2**32, reason="less is many there")
@pytest.mark.parametrize("is_frozen", [False, True])
def test_the_rest_is_garbage(is_frozen):
    """Neither more nor less is found where much hangs on a variable."""
    if not is_frozen:
        gc.unfreeze()
    held = [[[number]] for number in range(2 * garbage._FEW)]
    ring = [[number] for number in range(MANY)]
    ring.append(ring)
    del ring

    found = found_ids()

    assert len(found) > MANY
    assert found == saved_ids()
    assert held[0] == [[0]]
    assert refscope.find_cycles().is_clean


@pytest.mark.needs_threads
def test_what_threads_hold():
    """And tuples that they make are not held meanwhile, or they fail (up to 3.13)."""
    things = make_list()
    stop = threading.Event()
    failed = []

    def build():
        try:
            while not stop.is_set():
                assert len(tuple(thing for thing in things)) == MANY
        except SystemError as error:
            failed.append(error)

    threads = [threading.Thread(target=build) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for _ in range(100):
            held_outside([*things], (), Budget())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)

    assert failed == []
