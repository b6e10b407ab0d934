"""The ways to look: one call, through objects, the whole heap."""

from __future__ import annotations

import gc
import sys
import weakref
from itertools import chain

import pytest

import refscope
from refscope._measure.cycles import search
from refscope._measure.cycles.search import APART, RUNNING

from . import idioms
from .helpers import assert_true, facts, names_of, only


def test_what_one_call_leaves():
    """Older garbage is not blamed on it, and what it returns is let go."""
    idioms.bound_method()

    def call():
        cat = idioms.Cat()
        cat.me = cat
        return cat

    report = refscope.find_cycles(from_call=call)

    cycle = only(report)
    assert names_of(cycle) == [".me"]
    assert report.groups[0].count == 1
    assert [group.count for group in refscope.find_cycles().groups] == [1, 1]


def test_a_call_without_cycles():
    """It is clean, in a process full of garbage."""
    for _ in range(100):
        idioms.cousins()

    report = refscope.find_cycles(from_call=lambda: [idioms.Cat()])

    assert report.is_clean
    assert report.overhead > 0


def test_a_ring_that_is_closed_over_older_objects():
    """What the call made unreachable counts, also if it is older."""
    servy, whiky = idioms.Cat(), idioms.Cat()
    servy.cousin = whiky
    place = [servy]
    del servy, whiky

    def call():
        servy = place.pop()
        servy.cousin.cousin = servy

    assert names_of(only(refscope.find_cycles(from_call=call))) == [".cousin"] * 2


def test_no_automatic_collection_is_before_the_one_asked_for(monkeypatch):
    """It is counted what was freed, also where one is long due."""
    thresholds = gc.get_threshold()
    find = search.garbage_cycles

    def garbage_cycles(budget):
        report = find(budget)
        gc.set_threshold(1)
        return report

    monkeypatch.setattr(search, "garbage_cycles", garbage_cycles)
    idioms.cousins()
    gc.set_threshold(100_000)
    gc.enable()
    try:
        report = refscope.find_cycles(collect=True)
    finally:
        gc.disable()
        gc.set_threshold(*thresholds)

    assert report.freed == report.objects > 0


def test_a_call_that_collects():
    """What was freed meanwhile is counted and cannot be named."""

    def call():
        idioms.cousins()
        gc.collect()

    report = refscope.find_cycles(from_call=call)

    assert report.is_clean
    assert "gc ran inside the call and freed" in report.limits[-1]


def test_a_call_that_fails():
    """Its exception goes on, and the collector is as before."""
    gc.enable()
    with pytest.raises(ZeroDivisionError):
        refscope.find_cycles(from_call=lambda: 1 / 0)

    assert gc.isenabled()


def test_methods_can_be_called():
    """Anything that can be called without arguments will do."""
    assert refscope.find_cycles(from_call=idioms.Cat().meow).is_clean


def test_cycles_through_an_object():
    """The ring it is on, and those that it leads to, but no others."""
    servy, whiky, other = idioms.Cat(), idioms.Cat(), idioms.Cat()
    servy.cousin = whiky
    whiky.cousin = servy
    other.me = other
    way = [(servy,)]

    report = refscope.find_cycles(through=way)

    assert_true(report, [servy, whiky, *gc.get_referents(servy, whiky)])
    assert names_of(only(report)) == [".cousin", ".cousin"]
    assert report.groups[0].kind == "live"
    assert APART in report.limits
    assert refscope.find_cycles(through=[servy]).groups == report.groups
    assert refscope.find_cycles(through=[[1]]).is_clean
    names = {
        tuple(names_of(group.example))
        for group in refscope.find_cycles(through=[servy, other]).groups
    }
    assert names == {(".cousin", ".cousin"), (".me",)}


def test_classes_and_modules_are_kept_apart():
    """A function leads to its module, and that to everything else: not here."""
    report = refscope.find_cycles(through=[idioms.cousins, idioms])

    assert report.is_clean


def test_every_cycle_of_the_process():
    """Live ones and those that wait, each under its kind, and nothing of refscope's."""
    cat = idioms.Cat()
    cat.me = cat
    idioms.bound_method()

    report = refscope.find_cycles(live=True)

    by_kind = {
        kind: [
            tuple(names_of(group.example))
            for group in report.groups
            if group.kind == kind
        ]
        for kind in ("garbage", "live")
    }
    assert by_kind["garbage"] == [(".callback", ".__self__")]
    assert (".me",) in by_kind["live"]
    types = {name for group in report.groups for name in group.type_names}
    assert not any(name.startswith("refscope.") for name in types)
    assert report.objects == sum(group.objects for group in report.groups)


def test_live_cycles_within_bounds():
    """The search of the whole heap stops early too."""
    report = refscope.find_cycles(live=True, max_objects=10)

    assert not report.complete
    report = refscope.find_cycles(through=[idioms.Cat(), [[[]]]], max_objects=1)
    assert not report.complete


def test_two_looks_within_one_bound():
    """The same objects looked at twice count once, so nothing is left out unsaid."""
    cat = idioms.Cat()
    cat.me = cat
    size = len(gc.get_objects())

    for bound in (size + 500, size + size // 2):
        report = refscope.find_cycles(live=True, max_objects=bound)
        assert report.complete
        assert any("Cat" in group.type_names[0] for group in report.groups)
    report = refscope.find_cycles(live=True, max_objects=size // 2)
    assert not report.complete
    del cat
    gc.collect()

    report = refscope.find_cycles(from_call=idioms.slots, max_objects=size // 2)
    assert report.count == 1
    assert not report.complete


def test_no_cycle_in_a_part_is_not_clean():
    """What was not looked at is not said to be clean."""
    report = refscope.find_cycles(max_objects=5)

    assert report.headline == "no cycles so far: the search ended early"


def test_reports_hold_no_objects():
    """What a report describes can die while it lives."""
    cat = idioms.Cat()
    cat.me = cat
    watch = weakref.ref(cat)

    report = refscope.find_cycles(through=[cat])
    del cat
    gc.collect()
    assert watch() is None
    assert facts(report).count == 1


def test_a_function_that_still_runs():
    """What it has in variables is seen up to 3.10; later it is said that it is not."""
    error = None
    try:
        int("x")
    except ValueError as caught:
        error = caught

    report = refscope.find_cycles(through=[error])

    loops = [names_of(group.example) for group in report.groups]
    is_seen = any(name.startswith("<local error in") for name in chain(*loops))
    assert is_seen is (sys.version_info < (3, 11))
    assert (RUNNING in report.limits) is not is_seen
    assert RUNNING not in refscope.find_cycles(through=[idioms.Cat()]).limits
    error = None
