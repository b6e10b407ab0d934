"""Rows have one order."""

from __future__ import annotations

from refscope.reports import Frame, TypeChange
from refscope.reports._order import sorted_sites, sorted_types

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


def test_frames_without_traceback_are_unknown():
    """A site without frames has a place all the same."""
    nowhere = site("a.py", 1, None, 1).traceback.__class__(())

    assert nowhere.innermost == Frame("<unknown>", 0)


def _shuffled(rows):
    return [*rows[1::2], *rows[::2]]
