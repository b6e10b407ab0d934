"""What a row of growths says: steady, over, or not decided yet.

Pure: numbers in, a word out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Literal


Trend = Literal["over", "open", "steady"]

_TOLERANCE = 0.25
"""By how much the rate may change from one phase to the next."""

_LEAST_RATE = 0.1
"""Units per call below which a round has to grow by some units to be believed."""

_ENOUGH_UNITS = 5


def median(numbers: Sequence[float]) -> float:
    """Return the one in the middle.

    Not by ``statistics``, which imports decimals, fractions and random numbers.
    """
    ordered = sorted(numbers)
    half = len(ordered) // 2
    return (ordered[half] + ordered[~half]) / 2


def weighted_median(pairs: Iterable[tuple[float, int]]) -> float:
    """Return the number in the middle, where each counts as often as is said."""
    ordered = sorted(pairs)
    ends = [*accumulate([weight for _, weight in ordered])]
    half = ends[-1] / 2
    middle = [
        number
        for (number, weight), end in zip(ordered, ends, strict=True)
        if end - weight <= half <= end
    ]
    return sum(middle) / len(middle)


class Phase:
    """Rounds of equally many calls, and what grew in each of them."""

    __slots__ = ("calls", "growth")

    def __init__(self, calls: int) -> None:
        self.calls: int = calls
        self.growth: list[int] = []

    @property
    def rate(self) -> float:
        """Growth per call over all rounds of the phase."""
        return sum(self.growth) / (self.calls * max(1, len(self.growth)))

    @property
    def median_rate(self) -> float:
        """Growth per call in the middle one of the rounds."""
        return median(self.growth) / self.calls


def trend(before: Phase, now: Phase) -> Trend:
    """Return what a phase with more calls makes of a suspicion.

    Steady is what grew in every round and in proportion to the calls.  What grew in
    some rounds only is open: it may come with every third call.
    """
    is_rare = now.rate < _LEAST_RATE
    if sum(now.growth) <= 0 or (is_rare and min(now.growth) < _ENOUGH_UNITS):
        return "over"
    if min(now.growth) <= 0:
        return "open"
    # One more or less in a round is how the calls fell, not another rate.
    slack = before.rate * _TOLERANCE + 1 / now.calls
    slack += 0 if is_rare else 1 / before.calls
    return "steady" if abs(now.rate - before.rate) <= slack else "open"


def per_call(phases: Sequence[Phase]) -> float:
    """Return the median growth per call in the phase with the most calls."""
    longest = max(phases, key=_calls)
    return longest.median_rate


def _calls(phase: Phase) -> int:
    return phase.calls


def keeps_growing(rate: float, growth: int, calls: int) -> bool:
    """Return whether a long round still grew as fast as before."""
    return growth >= rate * calls * (1 - _TOLERANCE) - 1
