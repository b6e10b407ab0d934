"""Reports add up."""

from __future__ import annotations

import math
import sys

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refscope.exceptions import ArgumentTypeError, MergeError
from refscope.reports import (
    AllocationSite,
    DiffReport,
    Environment,
    Frame,
    GcActivity,
    HeapObject,
    LeakReport,
    MemoryChange,
    RetentionReport,
    Traceback,
    TrackReport,
    TypeChange,
    merge,
)

from .by_hand import site
from .strategies import cycle_reports, track_reports


SUBJECT = HeapObject(type_name="shop.Item", address=1, size=16)


def _types(*rows):
    return tuple(
        TypeChange(type_name=name, count_diff=count, size_diff=size)
        for name, count, size in rows
    )


@given(st.lists(track_reports(), min_size=3, max_size=5), st.data())
def test_grouping_does_not_matter(reports, data):
    """Reports merged in any two steps equal reports merged in one."""
    start = data.draw(st.integers(0, len(reports) - 1))
    stop = data.draw(st.integers(start + 1, len(reports)))
    group = merge(reports[start:stop])

    assert merge([*reports[:start], group, *reports[stop:]]) == merge(reports)


@given(track_reports(), track_reports(), track_reports())
def test_merging_three_is_associative(first, second, third):
    """Left first, right first and all at once are the same."""
    at_once = merge([first, second, third])

    assert merge([first, merge([second, third])]) == at_once
    assert merge([merge([first, second]), third]) == at_once


@given(cycle_reports(), cycle_reports(), cycle_reports())
def test_merging_cycles_is_associative(first, second, third):
    """Cycles of a shape are counted together, in whatever grouping."""
    at_once = merge([first, second, third])

    assert merge([first, merge([second, third])]) == at_once
    assert merge([merge([first, second]), third]) == at_once
    assert at_once.count == first.count + second.count + third.count


@given(track_reports())
def test_one_report_stays_as_it_is(report):
    """A merge of one changes nothing, also not its times below a nanosecond."""
    assert merge([report]) == report


@given(st.lists(track_reports(), min_size=2, max_size=4))
def test_rows_add_up_as_a_naive_sum_does(reports):
    """Sizes by place and objects by type are the sums over all reports."""
    merged = merge(iter(reports))
    rows = [row for report in reports for row in report.sites]
    changes = [row for report in reports for row in report.types]

    for row in merged.sites:
        frames = row.traceback.frames
        alike = [other for other in rows if other.traceback.frames == frames]
        assert row.size_diff == sum(other.size_diff for other in alike)
        assert row.count_diff == sum(other.count_diff for other in alike)
    assert sum(row.size_diff for row in merged.sites) == sum(
        row.size_diff for row in rows
    )
    assert sum(row.count_diff for row in merged.types) == sum(
        row.count_diff for row in changes
    )


def test_every_field_is_merged():
    """Each field of the sum is what its rule says; none falls back to a default."""
    environment = Environment(
        python="3.13.0",
        implementation="cpython",
        free_threaded=False,
        platform="linux-64",
        refscope="0.1.0",
    )
    report = TrackReport(
        complete=False,
        limits=("cut",),
        environment=environment,
        overhead=0.25,
        label="load",
        tags={"host": "a"},
        calls=2,
        calls_seen=20,
        duration=1.5,
        exception="ValueError",
        measured=("memory", "sites", "types", "gc"),
        memory=MemoryChange(
            size_diff=10,
            count_diff=2,
            peak=30,
            blocks_diff=3,
            rss_diff=4096,
            shared=True,
        ),
        sites=(site("a.py", 1, "f", 10, 2),),
        types=_types(("T", 1, 48)),
        gc=GcActivity(
            collections=(1, 2, 3),
            pause=0.5,
            longest_pause=0.25,
            collected=7,
            uncollectable=1,
        ),
    )
    expected = TrackReport(
        complete=False,
        limits=("cut",),
        environment=environment,
        overhead=0.5,
        label="load",
        tags={"host": "a"},
        calls=4,
        calls_seen=40,
        duration=3.0,
        exception="ValueError",
        measured=("memory", "sites", "types", "gc"),
        memory=MemoryChange(
            size_diff=20,
            count_diff=4,
            peak=30,
            blocks_diff=6,
            rss_diff=8192,
            shared=True,
        ),
        sites=(site("a.py", 1, "f", 20, 4),),
        types=_types(("T", 2, 96)),
        gc=GcActivity(
            collections=(2, 4, 6),
            pause=1.0,
            longest_pause=0.25,
            collected=14,
            uncollectable=2,
        ),
    )
    untouched = {
        field.name
        for field in attrs.fields(TrackReport)
        if getattr(expected, field.name) == getattr(TrackReport(), field.name)
    }

    assert merge([report, report]) == expected
    assert untouched == {"survivors", "cycles"}


def test_what_differs_is_none():
    """Label, exception and environment are kept only if all agree."""
    merged = merge(
        [
            TrackReport(label="a", exception="E", tags={"x": "1", "y": "1"}),
            TrackReport(label="b", tags={"x": "1", "y": "2"}),
        ]
    )

    assert (merged.label, merged.exception, merged.environment) == (None, None, None)
    assert dict(merged.tags) == {"x": "1"}


def test_what_one_did_not_measure_is_not_known_of_the_sum():
    """None absorbs: a sum of something and not measured is not a number."""
    known = MemoryChange(size_diff=1, count_diff=1, peak=1, blocks_diff=1, rss_diff=1)
    merged = merge([TrackReport(memory=known), TrackReport()])

    assert merged.memory == MemoryChange()


def test_generations_are_padded():
    """Builds with fewer generations add up with those that have more."""
    merged = merge(
        [
            TrackReport(gc=GcActivity(collections=(1, 2, 3))),
            TrackReport(gc=GcActivity(collections=(10,))),
        ]
    )

    assert merged.gc.collections == (11, 2, 3)


def test_times_add_up_exactly():
    """Ten times a tenth of a second is one second, which float sums miss."""
    merged = merge([TrackReport(duration=0.1)] * 10)

    assert merged.duration == 1.0


def test_sites_meet_by_frames_and_lose_their_depth():
    """The same lines reached over stacks of different depth are one place."""
    frames = (Frame("a.py", 1, "f"),)
    merged = merge(
        [
            TrackReport(sites=(AllocationSite(Traceback(frames, 5), 1, 1),)),
            TrackReport(sites=(AllocationSite(Traceback(frames, 7), 2, 1),)),
        ]
    )

    assert merged.sites == (AllocationSite(Traceback(frames), 3, 2),)


def test_rows_that_cancel_out_are_dropped():
    """What one block kept and the next freed did not change."""
    kept = TrackReport(sites=(site("a.py", 1, "f", 5),), types=_types(("T", 1, 48)))
    freed = TrackReport(
        sites=(site("a.py", 1, "f", -5, -1),), types=_types(("T", -1, -48))
    )
    merged = merge([kept, freed])

    assert (merged.sites, merged.types) == ((), ())


def test_a_type_of_unknown_size_stays():
    """As many objects came as went, but their sizes may differ: that is not zero."""
    merged = merge(
        [
            TrackReport(types=_types(("T", 1, None))),
            TrackReport(types=_types(("T", -1, -48))),
        ]
    )

    assert merged.types == _types(("T", 0, None))


def test_limits_are_an_ordered_union():
    """Each sentence is said once, where it came first."""
    merged = merge([TrackReport(limits=("a", "b")), TrackReport(limits=("c", "a"))])

    assert merged.limits == ("a", "b", "c")


def test_a_section_that_only_some_measured_is_a_limit():
    """The rows stay, the section is no longer called measured, and limits say so."""
    rows = (site("a.py", 1, "f", 5),)
    full = TrackReport(measured=("memory", "sites"), sites=rows, limits=("z",))
    merged = merge([full, TrackReport(measured=("memory",)), full])

    assert merged.measured == ("memory",)
    assert merged.sites[0].size_diff == 10
    assert merged.limits == (
        "z",
        "Not every merged block measured sites: its numbers are of some blocks.",
    )


ERROR, NONE = TrackReport(exception="E"), TrackReport()
EXCEPTIONS = "Merged blocks were left by different exceptions or by none."


@pytest.mark.parametrize(
    "reports",
    [
        [ERROR, NONE],
        [NONE, ERROR],
        [ERROR, TrackReport(exception="F")],
        [merge([ERROR, NONE]), NONE],
        [NONE, merge([ERROR, NONE])],
    ],
)
def test_a_call_that_failed_is_not_lost(reports):
    """No exception of all is not the same as no exception."""
    merged = merge(reports)

    assert (merged.exception, merged.limits) == (None, (EXCEPTIONS,))


@pytest.mark.parametrize("report", [ERROR, NONE])
def test_blocks_that_ended_alike(report):
    """What all agree on needs no limit."""
    merged = merge([report, report])

    assert (merged.exception, merged.limits) == (report.exception, ())


def test_limits_of_a_merge_have_their_places():
    """They come after all others, wherever they came from."""
    first = TrackReport(exception="E", measured=("gc",), limits=("z",))
    at_once = merge([first, NONE, TrackReport(limits=("a",))])
    sections = "Not every merged block measured gc: its numbers are of some blocks."

    assert at_once.limits == ("z", "a", sections, EXCEPTIONS)
    assert merge([merge([first, NONE]), TrackReport(limits=("a",))]) == at_once


@pytest.mark.parametrize(
    ("times", "total"),
    [
        ((math.inf, 0.5), math.inf),
        ((0.5, -math.inf), -math.inf),
        ((1e300, 1e300), 2e300),
        ((sys.float_info.max, sys.float_info.max), math.inf),
    ],
)
def test_endless_times(times, total):
    """What no clock tells adds up all the same, as reports can be made by hand."""
    merged = merge([TrackReport(duration=time) for time in times])

    assert merged.duration == total


def test_a_time_that_is_no_number():
    """It spoils the sum, and nothing else."""
    merged = merge([TrackReport(duration=math.nan, calls=1), TrackReport(duration=1.0)])

    assert math.isnan(merged.duration)
    assert merged.calls == 2


def test_nothing_cannot_be_merged():
    """There is no report of no blocks."""
    with pytest.raises(MergeError, match="needs one or more"):
        merge([])


def test_kinds_do_not_mix():
    """The message names both kinds."""
    with pytest.raises(MergeError, match=r"kinds .*: DiffReport, TrackReport"):
        merge([TrackReport(), DiffReport(by="site")])


def test_a_diff_does_not_add_up():
    """A diff leaves equal rows out, so a sum of two would be wrong."""
    with pytest.raises(MergeError, match="a DiffReport cannot be merged"):
        merge([DiffReport(by="site"), DiffReport(by="site")])


def test_leaks_do_not_add_up():
    """Rates are of one function each; the message says what can be done."""
    with pytest.raises(MergeError, match=r"a LeakReport cannot .* keep one for each"):
        merge([LeakReport(), LeakReport()])
    with pytest.raises(MergeError, match=r"a RetentionReport cannot .*: keep each"):
        merge([RetentionReport(subject=SUBJECT), RetentionReport(subject=SUBJECT)])


def test_a_single_report_is_told_to_come_in_a_list():
    """The likeliest slip gets its own sentence."""
    with pytest.raises(ArgumentTypeError, match="put the TrackReport in a list"):
        merge(TrackReport())


@pytest.mark.parametrize("reports", [None, 3])
def test_what_is_no_list_is_named_by_type(reports):
    """There is nothing in it to add up."""
    with pytest.raises(ArgumentTypeError, match=f"not an? {type(reports).__name__}"):
        merge(reports)


def test_a_stranger_is_named_by_type():
    """What is not a report is refused without being touched."""

    class Hostile:
        @property
        def __class__(self):
            pytest.fail("a stranger was asked for its class")

    with pytest.raises(ArgumentTypeError, match="this is a Hostile"):
        merge([Hostile()])
