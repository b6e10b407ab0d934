"""Rows have one order."""

from __future__ import annotations

from refscope.reports import (
    Frame,
    SurvivorGroup,
    Traceback,
    TrackReport,
    TypeChange,
    merge,
)
from refscope.reports._order import sorted_sites, sorted_survivors, sorted_types

from .by_hand import site


def test_sites_are_sorted_by_size_then_blocks_then_place():
    """The largest change comes first, be it growth or not; ties go by place."""
    expected = (
        site("b.py", 1, "f", -30),
        site("b.py", 1, "f", 20, 5),
        site("a.py", 1, None, 20, 1),
        site("a.py", 1, "", 20, 1),
        site("a.py", 1, "f", 20, 1),
        site("a.py", 2, None, 20, 1),
        site("b.py", 1, None, 20, 1),
    )

    assert sorted_sites(_shuffled(expected)) == expected


def test_types_are_sorted_by_count_then_name():
    """The largest change comes first; ties go by name."""
    expected = (
        TypeChange(type_name="z", count_diff=-3, size_diff=None),
        TypeChange(type_name="a", count_diff=2, size_diff=None),
        TypeChange(type_name="b", count_diff=-2, size_diff=8),
    )

    assert sorted_types(_shuffled(expected)) == expected


PLACE = Traceback((Frame("shop.py", 41, "sell"),))


def _group(type_name, count, traceback=None, **more):
    return SurvivorGroup(
        type_name=type_name,
        count=count,
        size=8,
        traceback=traceback,
        **{"held_by": None, "fingerprint": "0", **more},
    )


def test_survivors_are_sorted_by_class_then_count_then_the_rest():
    """A program's classes, lists, what stays; ties go by name, place, shape."""
    expected = (
        _group("shop.Big", 50_000),
        _group("shop.A", 1),
        _group("shop.B", 1, fingerprint="0"),
        _group("shop.B", 1, fingerprint="1"),
        _group("shop.B", 1, PLACE),
        _group("shop.B", 1, Traceback(PLACE.frames, 3)),
        _group("list", 90_000),
        _group("weakref.ReferenceType", 9),
        _group("shop.B", 1, fingerprint="1", by_design=""),
        _group("shop.B", 1, fingerprint="1", by_design="a cache of re"),
        _group("list", 1, by_design="module shop was imported"),
    )

    assert sorted_survivors(_shuffled(expected)) == expected


def test_survivors_of_merged_reports_are_sorted():
    """What there is most of comes first, in whichever report it was."""
    few = [TrackReport(survivors=(_group(f"shop.A{n}", 1),)) for n in range(3)]
    many = TrackReport(survivors=(_group("shop.Big", 9), _group("list", 90)))
    merged = merge([*few, many, few[1]])

    assert [(group.type_name, group.count) for group in merged.survivors] == [
        ("shop.Big", 9),
        ("shop.A1", 2),
        ("shop.A0", 1),
        ("shop.A2", 1),
        ("list", 90),
    ]


def test_frames_without_traceback_are_unknown():
    """A site without frames has a place all the same."""
    nowhere = site("a.py", 1, None, 1).traceback.__class__(())

    assert nowhere.innermost == Frame("<unknown>", 0)


def _shuffled(rows):
    return [*rows[1::2], *rows[::2]]
