"""Two reports are compared row by row."""

from __future__ import annotations

import pytest

from refscope.exceptions import ArgumentTypeError, InvalidArgumentError, MergeError
from refscope.reports import (
    DiffReport,
    DiffRow,
    Environment,
    Frame,
    LeakReport,
    TrackReport,
    diff,
)
from refscope.reports._fingerprint import fingerprint

from .by_hand import site


def _report(*rows, **fields):
    return TrackReport(measured=("memory", "sites"), sites=rows, **fields)


def _row(key, status, before, after):
    return DiffRow(key=key, status=status, before=before, after=after)


def test_rows_say_what_happened_to_each_place():
    """New, gone, grew and shrank, largest change first; equal rows are left out."""
    before = _report(
        site("a.py", 1, "gone", 10),
        site("a.py", 2, "grew", 10),
        site("a.py", 3, "shrank", 10),
        site("a.py", 4, "same", 10),
    )
    after = _report(
        site("a.py", 2, "grew", 12),
        site("a.py", 3, "shrank", 9),
        site("a.py", 4, "same", 10),
        site("a.py", 5, "new", 9),
    )

    assert diff(before, after).rows == (
        _row("a.py:gone", "gone", 10, 0),
        _row("a.py:new", "new", 0, 9),
        _row("a.py:grew", "grew", 10, 12),
        _row("a.py:shrank", "shrank", 10, 9),
    )


def test_a_place_that_only_frees_shrinks_when_it_appears():
    """The status follows the memory: less is never called new, more never gone."""
    freeing = _report(site("a.py", 1, "f", -5))
    nothing = _report()

    assert diff(nothing, freeing).rows == (_row("a.py:f", "shrank", 0, -5),)
    assert diff(freeing, nothing).rows == (_row("a.py:f", "grew", -5, 0),)


def test_by_site_tells_lines_apart_and_adds_their_callers():
    """Several tracebacks with the same innermost line are one row."""
    callers = (Frame("x.py", 1, "one"), Frame("y.py", 1, "two"))
    inner = Frame("a.py", 3, "f")
    rows = [
        site("a.py", 3, "f", 10).__class__(
            traceback=site("a.py", 3, "f", 0).traceback.__class__((caller, inner)),
            size_diff=10,
            count_diff=1,
        )
        for caller in callers
    ]
    after = _report(*rows, site("a.py", 4, "f", 1))

    assert diff(_report(), after, by="site").rows == (
        _row("a.py:3", "new", 0, 20),
        _row("a.py:4", "new", 0, 1),
    )


def test_by_function_falls_back_to_the_line():
    """Where the function is unknown, the line stands in."""
    rows = diff(_report(), _report(site("a.py", 3, None, 1))).rows

    assert rows == (_row("a.py:3", "new", 0, 1),)


def test_a_fingerprint_survives_folders_systems_and_shifted_lines():
    """Only the file's last name and the function count."""
    before = _report(site("/home/ann/shop/orders.py", 41, "place", 10))
    after = _report(site("C:\\work\\shop\\orders.py", 57, "place", 12))
    rows = diff(before, after, by="fingerprint").rows

    assert rows == (_row(fingerprint("orders.py", "place"), "grew", 10, 12),)


def test_fingerprints_never_change():
    """They are committed in baselines, so these digits are part of the format."""
    assert fingerprint("orders.py", "place") == "22437581"
    assert fingerprint("\ud800", "é") == "c9bb1f93"


def test_a_fingerprint_of_an_unknown_function_takes_the_line():
    """Different lines stay apart where nothing better is known."""
    after = _report(site("a.py", 1, None, 1), site("a.py", 2, None, 1))

    assert len(diff(_report(), after, by="fingerprint").rows) == 2


def test_labels_and_the_common_environment_are_kept():
    """Who was compared with whom stands in the report."""
    here = Environment(
        python="3.13.0",
        implementation="cpython",
        free_threaded=False,
        platform="linux-64",
        refscope="0.1.0",
    )
    report = diff(
        _report(label="a", environment=here), _report(label="b", environment=here)
    )

    assert report == DiffReport(
        by="function", before_label="a", after_label="b", environment=here
    )
    assert report.complete


def test_what_makes_a_comparison_doubtful_is_a_limit():
    """Limits of both, then unmeasured sites, unequal calls, unequal places."""
    here = Environment(
        python="3.13.0",
        implementation="cpython",
        free_threaded=False,
        platform="linux-64",
        refscope="0.1.0",
    )
    report = diff(
        TrackReport(limits=("a", "b"), calls=1),
        _report(limits=("b", "c"), calls=10, environment=here),
    )

    assert report.environment is None
    assert not report.complete
    assert report.limits == (
        "a",
        "b",
        "c",
        "The first report did not measure sites.",
        (
            "The first report adds up 1 call and the second 10 calls: "
            "sums are compared, not sizes per call."
        ),
        "The reports were measured in different environments.",
    )


def test_an_incomplete_report_makes_an_incomplete_diff():
    """What one search did not reach may be missing from the rows."""
    assert not diff(_report(complete=False), _report()).complete
    assert not diff(_report(), _report(complete=False)).complete


def test_an_unknown_key_is_refused_with_the_choices():
    """The message has the value and the way out."""
    with pytest.raises(
        InvalidArgumentError, match=r"by='line' .* 'site', 'function', 'fingerprint'"
    ):
        diff(_report(), _report(), by="line")
    with pytest.raises(InvalidArgumentError, match=r"by=\[\] is unknown"):
        diff(_report(), _report(), by=[])


def test_what_is_no_report_is_named_by_type():
    """Whichever of the two it is."""
    with pytest.raises(ArgumentTypeError, match="this is an int"):
        diff(_report(), 3)
    with pytest.raises(ArgumentTypeError, match="this is a NoneType"):
        diff(None, None)


def test_kinds_do_not_mix():
    """The message names both kinds."""
    with pytest.raises(MergeError, match=r"a TrackReport .* with a DiffReport"):
        diff(_report(), DiffReport(by="site"))


def test_diffs_are_not_compared():
    """A kind without sites is refused by name."""
    with pytest.raises(MergeError, match="two reports of kind DiffReport"):
        diff(DiffReport(by="site"), DiffReport(by="site"))


def test_leaks_are_told_apart_by_find_leaks():
    """The message says how new leaks are told from old ones."""
    with pytest.raises(MergeError, match=r"LeakReport cannot .* find_leaks\(f, known="):
        diff(LeakReport(), LeakReport())
