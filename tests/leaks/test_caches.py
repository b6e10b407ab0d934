"""Caches of the standard library that have a bound, and do not show it."""

from __future__ import annotations

import collections
import functools
import itertools
import re
import sys
from xml.etree import ElementTree as ET

import pytest

import refscope
from refscope._measure.leaks import growth
from refscope._measure.leaks.caches import bounded, room_in


@pytest.mark.usefixtures("small_heap")
def test_the_cache_of_regular_expressions_is_no_leak(monkeypatch):
    """It fills with hundreds of calls, more than a slow function gets."""
    monkeypatch.setattr(growth, "ENOUGH_CALLS", 0)
    re.purge()
    numbers = iter(range(10_000))
    report = refscope.find_leaks(lambda: re.compile(f"a{next(numbers)}"), rounds=2)
    re.purge()

    assert not report.is_leaking, str(report)
    assert any("inside a cache re._cache" in limit for limit in report.limits)


def test_the_bounds_are_those_of_the_modules():
    """Nothing is assumed of a cache that is not there, or is full."""
    assert bounded(re._cache) == ("cache re._cache", re._MAXCACHE)
    if sys.version_info >= (3, 12):
        assert bounded(re._cache2) == ("cache re._cache2", re._MAXCACHE2)
    path = sys.modules["xml.etree.ElementPath"]
    assert ET.ElementPath is path
    assert bounded(path._cache) == ("cache xml.etree.ElementPath._cache", 101)
    assert bounded({}) is None


class Item:
    """What leaks, and is in a cache as well."""


def _cached(most):
    return functools.lru_cache(most)(lambda _number: Item())


def _queued(queue):
    item = Item()
    queue.append(item)
    return item


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("kind", ["cache", "small cache", "queue", "small queue"])
def test_what_is_in_a_cache_as_well_leaks_by_its_other_holder(kind):
    """Full or not, the cache is no holder for ever, also if it is nearer."""
    numbers, shop = itertools.count(), Item()
    shop.a = Item()
    shop.a.b = Item()
    shop.a.b.kept = []
    queue = collections.deque(maxlen=8 if kind == "small queue" else 5_000)
    cached = _cached(8 if kind == "small cache" else 5_000)

    def call():
        item = cached(next(numbers)) if "cache" in kind else _queued(queue)
        shop.a.b.kept.append(item)

    report = refscope.find_leaks(call, rounds=2)
    leak = report.leaks[0]

    assert (leak.kind, leak.per_call) == ("objects", 1.0), str(report)
    assert [step.name for step in leak.held_by.references][-2:-1] == [".kept"]
    assert not any("Item grows" in limit for limit in report.limits)


@pytest.mark.usefixtures("small_heap")
def test_a_full_cache_beside_one_that_is_not_is_no_leak():
    """As that of ``re`` is with patterns of ``fnmatch``."""
    numbers, cached = itertools.count(), _cached(5_000)
    full = collections.deque([None] * 400, maxlen=400)

    def call():
        full.append(cached(next(numbers)))

    report = refscope.find_leaks(call, rounds=2)

    assert not report.is_leaking, str(report)
    assert any("Item grows" in limit for limit in report.limits)


def test_room_is_that_of_what_grows():
    """A list in a full queue has no bound, as a cache in a list has none."""
    full = collections.deque([[]], maxlen=1)
    table, cached = {}, _cached(5_000)

    assert room_in([full]) == 0
    assert room_in([full, full[0]]) is None
    assert room_in([cached, table]) == 5_000
    assert room_in([cached, [], table]) is None
    assert room_in([]) is None


@pytest.mark.usefixtures("small_heap")
def test_texts_in_a_full_cache_are_no_leak():
    """They take the place of others, from before anything was traced."""
    numbers, cached = itertools.count(), _cached(5_000)
    full = collections.deque([""] * 400, maxlen=400)

    def call():
        full.append(f"text {next(numbers)}")
        cached(next(numbers))

    report = refscope.find_leaks(call, rounds=2)

    assert not report.is_leaking, str(report)


@pytest.mark.usefixtures("small_heap")
def test_references_that_a_cache_holds_are_said_to_be_references():
    """No new object of that type is in it."""
    shared, queue = Item(), collections.deque(maxlen=5_000)
    report = refscope.find_leaks(lambda: queue.append(shared), rounds=2)
    (limit,) = [limit for limit in report.limits if "inside" in limit]

    assert not report.is_leaking, str(report)
    assert limit.startswith("the number of references to a tests.leaks.")


class Entry:
    """What a cache has, with a part of its own."""

    def __init__(self, number):
        self.text = f"entry {number}"


@pytest.mark.usefixtures("small_heap")
def test_what_an_entry_of_a_full_cache_holds_is_no_leak():
    """It went with an older entry, which nobody traced."""
    numbers, kept = itertools.count(), []
    cached = functools.lru_cache(100)(Entry)

    def call():
        cached(next(numbers))
        kept.append(f"text {next(numbers)}")

    for _ in range(100):
        call()
    report = refscope.find_leaks(call, rounds=3)
    [leak] = report.leaks

    assert (leak.kind, leak.type_name, leak.per_call) == ("memory", "str", 1.0)
    assert leak.traceback.innermost.lineno == call.__code__.co_firstlineno + 2
    assert leak.held_by.references[leak.grows_at].target.type_name == "list"


@pytest.mark.usefixtures("small_heap")
def test_memory_of_c_is_told_from_what_goes_through_a_full_cache(leak_in_c):
    """The cache has others of its line and type."""
    numbers = itertools.count()
    full = collections.deque([None] * 50, maxlen=50)

    def call():
        texts = [f"text {next(numbers)}" for _ in range(2)]
        full.append(texts[0])
        leak_in_c(texts[1])

    for _ in range(50):
        call()
    report = refscope.find_leaks(call, rounds=3)
    [leak] = [leak for leak in report.leaks if leak.verdict == "native"]

    assert (leak.kind, leak.per_call) == ("memory", 1.0)
    assert leak.type_name == ""
    assert leak.traceback.innermost.filename == __file__
    assert {leak.type_name for leak in report.leaks} <= {"", "int"}


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("kind", ["same line", "other line", "no other"])
def test_what_a_full_cache_holds_has_no_part_in_what_grows(kind):
    """As many of a type came into it as are kept for ever; they went as well."""
    full = collections.deque([Item() for _ in range(400)], maxlen=400)
    shop, make = Item(), Item
    shop.kept = []
    if kind == "same line":
        make = lambda: Item()  # noqa: E731, PLW0108  # a line of its own

    def call():
        full.append(make())
        if kind != "no other":
            shop.kept.append(make())

    report = refscope.find_leaks(call, rounds=2)

    assert report.is_leaking == (kind != "no other")
    for leak in report.leaks:
        assert (leak.kind, leak.per_call) == ("objects", 1.0), str(report)
        assert [step.name for step in leak.held_by.references][-2:-1] == [".kept"]
    assert len(report.leaks) <= 1
