"""What all reports have in common."""

from __future__ import annotations

import copy
import pickle

import attrs
import pytest
from hypothesis import given

from refscope.reports import Frame, Report, SurvivorGroup, TrackReport

from .strategies import any_reports


@given(any_reports())
def test_reports_are_values(report):
    """Copies are equal, have the same hash, and survive pickling."""
    copied = pickle.loads(pickle.dumps(copy.deepcopy(report)))  # noqa: S301  # our own

    assert copied == report
    assert hash(copied) == hash(report)


def test_the_repr_is_one_line():
    """It names the class and the verdict."""
    report = TrackReport(label="x\ny")

    assert repr(report) == f"<TrackReport {report.headline}>"
    assert "\n" not in repr(report)


@pytest.mark.parametrize("name", ["is_clean", "headline"])
def test_the_base_has_no_verdict(name):
    """Each kind of report gives its own."""
    with pytest.raises(NotImplementedError):
        getattr(Report(), name)


def test_a_block_with_survivors_is_not_clean():
    """Unless they are there by design."""
    group = SurvivorGroup(type_name="shop.Order", count=1, size=48)
    by_design = attrs.evolve(group, by_design="registered for good")

    assert not TrackReport(label="x", survivors=(by_design, group)).is_clean
    assert TrackReport(label="x", survivors=(by_design,)).is_clean


def test_records_show_their_fields():
    """The repr of what a report is made of could be typed in."""
    frame = Frame("shop.py", 41, "load")

    assert repr(frame) == "Frame(filename='shop.py', lineno=41, function='load')"
    assert eval(repr(frame), {"Frame": Frame}) == frame  # noqa: S307  # our own
    assert frame != ("shop.py", 41, "load")
