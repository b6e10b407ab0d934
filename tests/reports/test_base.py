"""What all reports have in common."""

from __future__ import annotations

import copy
import pickle

import attrs
import pytest
from hypothesis import given

from refscope.exceptions import InvalidArgumentError
from refscope.reports import (
    Cycle,
    CycleGroup,
    CycleReport,
    Frame,
    MemoryChange,
    Report,
    SurvivorGroup,
    TrackReport,
    Verdict,
)

from .strategies import any_reports


CYCLE = Cycle(references=(), length=1, component_size=1, size=48)
SHAPE = CycleGroup(
    kind="garbage",
    count=1,
    example=CYCLE,
    fingerprint="0",
    type_names=("list",),
    objects=1,
    size=48,
)
GARBAGE = CycleReport(groups=(SHAPE,), objects=1, size=48)


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

    report = TrackReport(measured=("survivors",), survivors=(by_design,))

    assert not attrs.evolve(report, survivors=(by_design, group)).is_clean
    assert report.is_clean
    assert report.headline == "CLEAN: 1 survivor, 0 s"


@pytest.mark.parametrize(
    ("report", "headline"),
    [
        (TrackReport(), "UNKNOWN: neither bytes nor objects are known, 0 s"),
        (
            TrackReport(measured=("gc", "cycles"), cycles=CycleReport()),
            "UNKNOWN: neither bytes nor objects are known, 0 s",
        ),
        (
            TrackReport(measured=("cycles",), cycles=GARBAGE),
            "CYCLES: 1 garbage cycle, 0 s",
        ),
        (TrackReport(measured=("types",)), "CLEAN: 0 objects, 0 s"),
        (TrackReport(measured=("survivors",)), "CLEAN: 0 survivors, 0 s"),
        (
            TrackReport(memory=MemoryChange(size_diff=0)),
            "CLEAN: kept 0 B, 0 s",
        ),
    ],
)
def test_a_block_of_which_nothing_is_known_is_not_clean(report, headline):
    """There is no verdict without bytes or objects."""
    assert report.headline == headline
    assert report.is_clean == headline.startswith("CLEAN")


def test_records_show_their_fields():
    """The repr of what a report is made of could be typed in."""
    frame = Frame("shop.py", 41, "load")

    assert repr(frame) == "Frame(filename='shop.py', lineno=41, function='load')"
    assert eval(repr(frame), {"Frame": Frame}) == frame  # noqa: S307  # our own
    assert frame != ("shop.py", 41, "load")


@pytest.mark.parametrize("leaking", ["maybe", "Yes", None, []])
def test_a_verdict_is_one_of_three_words(leaking):
    """Another one would pass for none of them, and nothing would say so."""
    with pytest.raises(InvalidArgumentError, match="'yes', 'no' or 'unknown', not "):
        Verdict(leaking)
    with pytest.raises(InvalidArgumentError):
        attrs.evolve(Verdict("no"), leaking=leaking)
