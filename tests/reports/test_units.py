"""Numbers as people read them."""

from __future__ import annotations

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
    ],
)
def test_seconds(seconds, text):
    """The largest unit that is not above the time."""
    assert units.seconds(seconds) == text
