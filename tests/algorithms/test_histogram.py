"""How often each byte occurs."""

from __future__ import annotations

from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from refscope._measure.algorithms.histogram import histogram


@given(st.binary(max_size=300))
@example(b"")
@example(bytes(range(256)) * 3)
@example(b"\xff" * 70_000)
def test_all_bytes_are_counted(data):
    """It says of each byte what counting one by one says."""
    expected = Counter(data)

    assert histogram(data) == [expected[value] for value in range(256)]
