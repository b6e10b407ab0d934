"""Survivors of a block, against an oracle of what the program still holds."""

from __future__ import annotations

import contextlib
import functools
import gc
import random
import re
import sys
import threading
import tracemalloc
import weakref
from collections import deque
from typing import NamedTuple

import pytest

import refscope
from refscope._measure.heap.holding import held_by
from refscope._measure.session import born
from refscope.reports import TrackReport, merge


class Node:
    """What lives or dies."""

    def greet(self):
        """Be a method."""


OLD = []


def _count(report):
    return sum(
        group.count for group in report.survivors if group.type_name.endswith(".Node")
    )


def _churn(numbers, kept, turns=4_000):
    """Make and drop nodes so that addresses are used again."""
    pool = []
    for turn in range(turns):
        node = Node()
        pool.append(node)
        if turn % 7 == 0:
            kept.append(node)
        if len(pool) > 100:
            del pool[::2]
        if turn % 500 == 0:
            gc.collect(numbers.randrange(3))
        OLD[numbers.randrange(len(OLD) // 2)] = None if turn % 2 else Node()
    del node


@pytest.mark.parametrize(
    "options", [{}, {"collect": False, "sites": False}, {"sites": False}]
)
@pytest.mark.parametrize("seed", range(3))
def test_survivors_are_exact(options, seed):
    """Neither missed nor invented amid address reuse and collections."""
    numbers, kept = random.Random(seed), []  # noqa: S311
    OLD[:] = [Node() for _ in range(400)]
    old = set(map(id, OLD))
    before = [*OLD]
    with refscope.track("churn", survivors=True, **options) as block:
        _churn(numbers, kept)
    alive = {id(node) for node in OLD if node is not None}
    alive |= set(map(id, kept))

    assert _count(block.report) == len(alive - set(map(id, before)))
    assert old
    OLD.clear()


def test_nothing_kept_is_nothing_reported():
    """Also again and again, and nested."""
    for _ in range(2):
        with (
            refscope.track("outer", survivors=True) as outer,
            refscope.track("inner", survivors=True) as inner,
        ):
            pass

    assert outer.report.survivors == inner.report.survivors == ()


def test_nested_blocks_see_their_own():
    """What the inner block kept is in both, what came before it in the outer only."""
    kept = []
    with refscope.track("outer", survivors=True) as outer:
        kept.append(Node())
        with refscope.track("inner", survivors=True) as inner:
            kept.append(Node())

    assert (_count(outer.report), _count(inner.report)) == (2, 1)


def test_an_outer_block_listens_on():
    """When an inner one ends, collections are still noted for the outer one."""
    kept = []
    with refscope.track("outer", survivors=True, sites=False) as outer:
        with refscope.track("inner", survivors=True, sites=False) as inner:
            kept.append(Node())
        gc.collect()
        kept.append(Node())
        gc.collect()

    assert (_count(outer.report), _count(inner.report)) == (2, 1)


def test_garbage_is_no_survivor():
    """With collect=True what waits for the collector is gone at the end."""
    with refscope.track("ring", survivors=True) as block:
        ring = Node()
        ring.self = ring
        del ring

    assert _count(block.report) == 0


def test_survivors_die_when_the_program_lets_go():
    """Nothing that the block or its report needed holds them any longer."""
    kept = []
    with refscope.track("hold", survivors=True) as block:
        kept.append(Node())
    died = weakref.ref(kept[0])
    kept.clear()

    assert _count(block.report) == 1
    assert died() is None


class Slots:
    """Has no room for a dictionary."""

    __slots__ = ("one", "two")


class Derived(functools.partial):
    """Has a base that C made, at run time."""


class Point(NamedTuple):
    """Has a base that was there from the beginning."""

    x: object


MAKERS = {
    "list": lambda: [Node],
    "dict": lambda: {"node": Node},
    "tuple": lambda: (Node, Node),
    "set": lambda: {Node},
    "collections.deque": lambda: deque([Node]),
    f"{__name__}.Node": Node,
    f"{__name__}.Slots": Slots,
    f"{__name__}.Derived": lambda: Derived(Node),
    f"{__name__}.Point": lambda: Point(Node),
    "generator": lambda: (Node for _ in "x"),
    "method": lambda: Node().greet,
    "function": lambda: lambda: None,
    "weakref.ReferenceType": lambda: weakref.ref(Node, print),
}


_BROUGHT = {f"{__name__}.Node", "function", "dict"}


@pytest.mark.parametrize("collect", [True, False])
@pytest.mark.parametrize("generation", [None, 1, 2])
def test_all_kinds_survive_collections(generation, collect):
    """In their second life too: dead ones wait for reuse when the block begins."""
    makers = [*MAKERS.values()]
    spare = [make() for make in makers for _ in range(90)]
    del spare
    kept = [None] * 50 * len(makers)
    place = 0
    with refscope.track("kinds", collect=collect, cycles=False) as block:
        for make in makers:
            for _ in range(50):  # no comprehension: its list is one too
                kept[place] = make()
                place += 1
        if generation is not None:
            gc.collect(generation)
    found, groups = {}, {}
    for group in block.report.survivors:
        name = group.type_name
        found[name] = found.get(name, 0) + group.count
        groups[name] = groups.get(name, 0) + 1

    # Methods, generators and partials bring such of their own.
    more = {name: max(found[name], 50) for name in MAKERS if name in _BROUGHT}
    expected = dict.fromkeys(MAKERS, 50) | more
    assert {name: found[name] for name in MAKERS} == expected
    # Without collecting those with a second life have no line.
    alone = [groups[name] for name in MAKERS if name not in _BROUGHT]
    assert not collect or max(alone) == 1


class Pair:
    """A ring whose end lets go of something else."""

    def __init__(self, registry):
        self.registry, self.self = registry, self

    def __del__(self):
        """Drop what was alive while the collection began."""
        self.registry.clear()


@pytest.mark.parametrize("sites", [True, False])
def test_what_a_finalizer_drops_is_no_survivor(sites):
    """It was alive until the collection at the end of the block ran that."""
    registry, kept = [], []
    with refscope.track("drop", survivors=True, sites=sites) as block:
        registry.append(Node())
        kept.append(Node())
        died = weakref.ref(registry[0])
        Pair(registry)

    assert died() is None
    assert _count(block.report) == 1
    assert kept


@pytest.mark.parametrize("phase", ["start", "stop"])
def test_a_block_inside_a_collection(phase):
    """That of the block does not run then; what the block made is known all the same.

    Nor does anything hold it afterwards.
    """
    kept, reports = [], []

    def callback(now, info):
        if now == phase and info["generation"] == 2 and not reports:
            with refscope.track("inside", survivors=True) as block:
                kept.append(Node())
            reports.append(block.report)

    gc.callbacks.append(callback)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(callback)
    died = weakref.ref(kept[0])
    kept.clear()

    assert _count(reports[0]) == 1
    assert died() is None


@pytest.mark.needs_threads
def test_threads_count():
    """A block is about the whole process."""
    kept = []
    with refscope.track("threads", survivors=True) as block:
        threads = [
            threading.Thread(target=lambda: kept.append(Node())) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        del threads, thread

    assert _count(block.report) == 4


def test_a_group_has_place_path_and_size():
    """One group for each type and line, with what holds it."""
    OLD.clear()
    with refscope.track("groups", survivors=True) as block:
        OLD.extend(Node() for _ in range(5))
    [group] = [
        group for group in block.report.survivors if group.type_name.endswith(".Node")
    ]

    assert (group.count, group.by_design) == (5, None)
    assert group.traceback.innermost.filename == __file__
    assert [step.name for step in group.held_by.references[:1]] == [".OLD"]
    assert group.retained_size >= group.size > 0
    assert not block.report.is_clean
    OLD.clear()


def test_design_is_told_apart():
    """A class that is made keeps itself, and so does what it brings."""
    kept = []
    with refscope.track("class", survivors=True) as block:
        kept.append(type("Made", (), {}))
    reasons = {
        group.by_design for group in block.report.survivors if group.type_name == "type"
    }

    assert any(reason and "was made" in reason for reason in reasons)


def test_an_import_is_design(tmp_path, monkeypatch):
    """What a module brings is kept by it, and the report says so."""
    (tmp_path / "imported_in_block.py").write_text("THINGS = [[], []]\n")
    monkeypatch.syspath_prepend(tmp_path)
    with refscope.track("import", survivors=True) as block:
        import imported_in_block
    reasons = {group.by_design for group in block.report.survivors}
    del sys.modules["imported_in_block"]

    assert imported_in_block.THINGS
    assert "module imported_in_block was imported" in reasons


def test_caches_of_the_standard_library_are_design():
    """A pattern that re has compiled is kept by re, not by the program."""
    re.purge()
    with refscope.track("re", survivors=True) as block:
        re.compile("a+(b|c)*x{3}")
    found = {
        group.type_name: group.by_design
        for group in block.report.survivors
        if group.type_name == "re.Pattern" or group.by_design
    }

    assert "a cache of re" in found.values(), found


def test_atoms_are_nobodys_holders():
    """No number is made for each of the strings that a block keeps."""
    inner = []

    assert held_by([[inner, "text", 7.5], {"key": inner}]) == {id(inner)}


def test_the_holder_comes_before_what_is_no_longer_tracked():
    """A collection stops tracking such dictionaries, up to 3.13."""
    kept = []
    with refscope.track("rows") as block:
        rows = [{"point": (number, number + 1)} for number in range(500)]
        kept.append(rows)
        del rows
    found = [group for group in block.report.survivors if group.count in {1, 500}]

    assert [group.type_name for group in found][:2] == ["list", "dict"]


def test_thousands_of_survivors_are_not_added_up():
    """What would die with them is not known then, which is not nothing."""
    kept = []
    with refscope.track("many", survivors=True) as block:
        kept.extend([Node() for _ in range(2_001)])
    [group] = [
        group for group in block.report.survivors if group.type_name.endswith(".Node")
    ]

    assert group.count == 2_001
    assert group.retained_size is None


def test_what_a_frozen_heap_hides_is_said():
    """Without collecting, young objects of before cannot be told from new ones."""
    young, kept = [], []
    gc.freeze()
    try:
        young.extend(Node() for _ in range(5))
        with refscope.track(
            "doubt", survivors=True, collect=False, sites=False
        ) as block:
            kept.append(Node())
        with refscope.track("inside", survivors=True) as inside:
            gc.freeze()
    finally:
        gc.unfreeze()

    assert _count(block.report) <= 1
    assert any("young objects were there before" in x for x in block.report.limits)
    assert any("gc.freeze() was called" in x for x in inside.report.limits)


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("sites", [True, False])
def test_collections_inside_an_inner_block(sites, generation):
    """It is in a traced one, so traces are not its own; it hears what becomes old."""
    kept = []
    with (
        refscope.track("outer", sites=sites) as outer,
        refscope.track("inner", sites=sites) as inner,
    ):
        kept.append(Node())
        gc.collect(generation)

    assert (_count(outer.report), _count(inner.report)) == (1, 1)
    said = [*outer.report.limits, *inner.report.limits]
    assert not any("survivors" in limit for limit in said)


def test_a_witness_that_was_never_sent():
    """A collection may be interrupted before; there is nothing to recall then."""
    stretch = born.Born(is_traced=False)
    garbage = [Node()]
    stretch.recall_witness(garbage)

    assert len(garbage) == 1
    assert stretch.is_at_hand


def test_tracing_that_is_stopped_inside_is_said():
    """What had a trace was not noted, and has none any more."""
    kept = []
    with refscope.track("stopped", survivors=True) as block:
        kept.append(Node())
        gc.collect()
        tracemalloc.stop()
        kept.append(Node())

    assert _count(block.report) == 1
    assert any("tracing was stopped" in limit for limit in block.report.limits)


@pytest.mark.parametrize("generation", [0, 1])
def test_old_objects_that_are_mixed_inside_are_no_survivors(generation):
    """Freezing and thawing puts them behind what is new; then that is not known."""
    kept = []
    with refscope.track("mixed", survivors=True, collect=False) as block:
        kept.append(Node())
        gc.collect(generation)
        gc.freeze()
        gc.unfreeze()
        gc.collect(1)

    # The incremental collector makes objects old at once, which is noted.
    is_known = generation == 1 or born._INCREMENTAL
    assert _count(block.report) == is_known
    assert sum(group.count for group in block.report.survivors) < 1_000
    is_said = any("gc.freeze() was called" in x for x in block.report.limits)
    assert is_said is not is_known


def test_collections_that_are_not_heard():
    """Without the callback the order of old objects is not known, and not used."""
    kept, hooks = [], gc.callbacks[:]
    with refscope.track("deaf", survivors=True, collect=False) as block:
        kept.append(Node())
        gc.callbacks.clear()
        gc.collect()
    gc.callbacks[:] = hooks

    assert sum(group.count for group in block.report.survivors) < 1_000
    assert any("gc.callbacks was changed" in limit for limit in block.report.limits)


@pytest.mark.parametrize("sites", [True, False])
def test_collections_of_all_kinds_one_after_another(sites):
    """A full one loses the mark, and the next of another kind sets it again."""
    kept = []
    with refscope.track("order", sites=sites) as block:
        for generation in (1, 2, 1, 0, 1, 2, 2, 1):
            kept.append(Node())
            gc.collect(generation)
        kept.append(Node())

    assert _count(block.report) == 9


def test_what_is_noted_is_bounded(monkeypatch):
    """A block that never ends notes each place in memory once."""
    monkeypatch.setattr(born, "_TIDY", 100)
    kept = []
    block = refscope.track("long", survivors=True, sites=False).start()
    [stretch] = born._Open.stretches
    for _ in range(25):
        kept[:] = [Node() for _ in range(20)]
        gc.collect()
    noted = len(stretch._promoted)
    block.stop()

    assert 20 <= noted < 400
    assert _count(block.report) == 20


def test_frozen_processes():
    """What is frozen was there before; what is frozen inside is not known."""
    kept = []
    gc.freeze()
    try:
        with refscope.track("frozen", survivors=True) as block:
            kept.append(Node())
    finally:
        gc.unfreeze()

    assert _count(block.report) == 1


def test_survivors_can_be_left_out():
    """They are not measured then."""
    with refscope.track("none", survivors=False) as block:
        pass

    assert "survivors" not in block.report.measured


def test_groups_add_up():
    """Merging adds the counts of equal fingerprints."""
    kept = []
    reports = []
    for _ in range(2):
        with refscope.track("same", survivors=True) as block:
            kept.append(Node())
        reports.append(block.report)
    merged = merge(reports)

    assert _count(merged) == 2
    with contextlib.suppress(IndexError):
        assert merged.survivors[0].count == 2
    assert merge([TrackReport(), TrackReport()]).survivors == ()


def test_the_search_for_holders_is_bounded():
    """What the caller allows is all that is looked at, and it is said."""

    class Other:
        """Of a group of its own."""

    kept = []
    with refscope.track("x", max_objects=1, cycles=False) as block:
        kept += [Node(), Other()]

    assert not block.report.complete
    assert len(block.report.survivors) == len(kept) == 2
    assert block.report.limits[-2:] == (
        "stopped after max_objects=1 while searching for holders",
        "what holds the survivors was searched for the first 1 of 2 groups only",
    )


def test_no_time_at_all_for_the_search():
    """A deadline of 0 is one, and not the one that is there without."""
    kept = []
    with refscope.track("x", deadline=0, cycles=False) as block:
        kept.append(Node())

    assert kept
    assert any("deadline=0 " in limit for limit in block.report.limits)


def test_a_search_for_all_groups_that_ends_early():
    """Nobody is told of the first one of one."""
    kept = []
    with refscope.track("x", max_objects=1, sites=False, cycles=False) as block:
        kept += [Node() for _ in range(50)]

    assert not block.report.complete
    assert len(block.report.survivors) == 1
    assert not any("groups only" in limit for limit in block.report.limits)
    assert any("max_objects" in limit for limit in block.report.limits)
