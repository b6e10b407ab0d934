"""Survivors of a block, against an oracle of what the program still holds."""

from __future__ import annotations

import contextlib
import gc
import random
import re
import sys
import threading

import pytest

import refscope
from refscope.reports import TrackReport, merge


class Node:
    """What lives or dies."""


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
    for _ in range(3):
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


def test_collections_that_an_inner_block_does_not_hear_are_said():
    """It is in a traced one, so traces are not its own; the outer block has all."""
    kept = []
    with (
        refscope.track("outer", survivors=True) as outer,
        refscope.track("inner", survivors=True) as inner,
    ):
        kept.append(Node())
        gc.collect()

    assert _count(outer.report) == 1
    assert any("collections ran inside" in limit for limit in inner.report.limits)


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
    with refscope.track("x", max_objects=1, cycles=False) as block:
        kept = [Node() for _ in range(3)]

    assert not block.report.complete
    assert any("was searched for" in said for said in block.report.limits)
    assert len(kept) == 3
