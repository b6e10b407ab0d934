"""Garbage that is gone by its own finalizer: the collector counts none of it."""

from __future__ import annotations

import gc
import weakref
from multiprocessing.util import Finalize

import pytest

import refscope


pytestmark = pytest.mark.usefixtures("small_heap")


class Connection:
    """Lets go of its callback when it is finalized."""

    def __init__(self):
        self.on_data = self.received
        self.buffers = [[]]

    def __del__(self):
        self.on_data = None

    def received(self):
        """Do nothing."""


class Parser:
    """Keeps a generator that waits for more; the collector closes it."""

    def __init__(self):
        self.feed = self.steps().__next__
        self.feed()

    def steps(self):
        """Wait, with itself in a variable."""
        yield
        self.feed = None


class Reader:
    """Is kept by the finalizer that it registers for itself."""

    def __init__(self, register):
        self.finalizer = register(self)

    def close(self):
        """Do nothing."""


REGISTRIES = [
    lambda reader: weakref.finalize(reader, reader.close),
    lambda reader: Finalize(reader, reader.close, exitpriority=1),
]


@pytest.mark.parametrize("make", [Connection, Parser])
@pytest.mark.parametrize("number", [1, 3])
def test_it_is_a_leak_like_other_cycles(make, number):
    """Nothing but the collector frees it, whatever that says it has found."""
    gc.collect()
    make()
    assert gc.collect() == 0

    report = refscope.find_leaks(lambda: [make() for _ in range(number)] and None)

    [leak] = report.leaks
    assert (leak.kind, leak.type_name.rpartition(".")[2]) == ("cycles", make.__name__)
    assert (leak.per_call, leak.verdict) == (number, "cycle")
    assert leak.growth == (number * leak.growth_calls,) * 5
    assert leak.cycle.finalizers
    assert not [limit for limit in report.limits if "garbage" in limit]


def test_what_the_collector_leaves_alone_is_no_garbage():
    """It no longer tracks what holds nothing but atoms."""
    cache = {}

    def replace():
        cache["last"] = (id(cache), {"size": len(cache)}, (1.5, str(cache.keys())))

    report = refscope.find_leaks(replace)

    assert not report.is_leaking
    assert not [limit for limit in report.limits if "garbage" in limit]
    assert report.total_calls == 10


@pytest.mark.parametrize("register", REGISTRIES)
def test_what_a_finalizer_keeps_comes_first(register):
    """Who registered it is the leak, before what was made to register."""
    report = refscope.find_leaks(lambda: Reader(register) and None, rounds=3)
    _call_off()

    assert report.leaks[0].type_name.endswith(".Reader")
    assert {leak.per_call for leak in report.leaks} == {1.0}
    assert "_registry" in report.leaks[0].held_by.expression


def test_each_line_has_its_own_rate():
    """What is made where a thing of the first calls was, and is gone, is no older."""

    def work():
        Reader(lambda reader: weakref.finalize(reader, reader.close))
        Reader(lambda reader: weakref.finalize(reader, lambda: reader))

    report = refscope.find_leaks(work)
    _call_off()

    rates = [
        leak.per_call
        for leak in report.leaks
        if leak.type_name in {"weakref.finalize", f"{__name__}.Reader"}
    ]
    assert rates == [1.0] * 4


@pytest.mark.parametrize("register", REGISTRIES)
def test_what_a_finalizer_keeps_is_not_by_design(register):
    """The registry is the standard library's, what is in it is the program's."""
    with refscope.track("readers", deadline=60) as block:
        for _ in range(10):
            Reader(register)
    _call_off()

    assert [group.by_design for group in block.report.survivors] == [
        None for _ in block.report.survivors
    ]
    assert block.report.survivors[0].type_name.endswith(".Reader")
    assert "Suspect: 10 " in str(block.report)


def _call_off():
    for thing in gc.get_objects():
        if type(thing) is Reader:
            finalizer = thing.finalizer
            getattr(finalizer, "detach", getattr(finalizer, "cancel", None))()
