"""Numbers as people read them."""

from __future__ import annotations

import math
import sys

import pytest

from refscope import _units as units


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (-1_023, "-1,023 B"),
        (1_024, "1.0 KiB"),
        (1_048_575, "1.0 MiB"),  # it would be rounded to 1,024.0 KiB
        (2**40, "1.0 TiB"),
        (2**62, "4,096.0 PiB"),  # there is no larger unit
        (2**999, f"{2**949:,}.0 PiB"),
        (10**400, "2**1328 B"),  # no float holds it
        (-(10**400), "-2**1328 B"),
    ],
)
def test_bytes(number, text):
    """The unit leaves a number below 1024, as long as there are units."""
    assert units.size(number) == text


def test_signs():
    """A rise is marked where it is asked for, and nothing has no sign."""
    assert units.size(2_048, sign=True) == "+2.0 KiB"
    assert units.size(0, sign=True) == "0 B"
    assert units.count(2_001, sign=True) == "+2,001"
    assert units.count(0, sign=True) == "0"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (1e-9, "<1 us"),
        (0.0413, "41 ms"),
        (1.26, "1.3 s"),
        (4_000.0, "4,000 s"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),  # it would be rounded to 1,000 ms
        (0.000_999_99, "1.0 ms"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),  # and this to 10.0 s
        (0.001, "1.0 ms"),
        (0.000_001, "1.0 us"),
    ],
)
def test_seconds(seconds, text):
    """The largest unit that is not above the time, as it is rounded."""
    assert units.seconds(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.26, "-1.3 s"),
        (-1e-9, "<1 us"),
        (-0.0, "0 s"),
        (sys.float_info.max, f"{sys.float_info.max:,.0f} s"),
        (math.nan, "nan s"),
        (math.inf, "inf s"),
        (-math.inf, "-inf s"),
    ],
)
def test_times_that_no_clock_tells(seconds, text):
    """Reports made by hand may hold any number, and it is shown."""
    assert units.seconds(seconds) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("int", "an int"),
        ("list", "a list"),
        ("AllocationSite", "an AllocationSite"),
        ("uuid.UUID", "a uuid.UUID"),
        ("", "a "),
    ],
)
def test_articles(name, text):
    """Names of types are spoken of as in prose."""
    assert units.one(name) == text
