"""Whether the resident set grows by more than Python's allocators account for."""

from __future__ import annotations

from collections.abc import Generator

from refscope._measure.algorithms.series import weighted_median
from refscope._measure.budget import Budget
from refscope._measure.cpython import activity

from .rounds import RESIDENT, Ledger
from .trial import Trial


_LEAST_RESIDENT = 64 << 10

_NATIVE = (
    "the resident set grew by about {:,} bytes per call that Python's allocators do "
    "not account for: memory of C (malloc) may leak"
)
_GROWN = (
    "blocks of memory that were there before grew by about {:,} bytes per call: a "
    "buffer, list, dictionary or text that gets ever larger is not among the leaks"
)


def resident_per_call(ledger: Ledger) -> float | None:
    """Return the median growth per call, None where the system does not tell.

    The first rounds have few calls, and find spare pages: each call counts as one.
    """
    if activity.resident_size() < 0:  # pragma: no cover  # not Linux
        return None
    rounds = [phase[RESIDENT] for phase in ledger.phases]
    return weighted_median(
        (growth / each.calls, each.calls) for each in rounds for growth in each.growth
    )


def resident_words(
    ledger: Ledger, traced: float | None, given: object, budget: Budget
) -> Generator[int, None, list[str]]:
    """Return what is to be said where it grows round after round.

    Not in each: the system and other threads give pages back when they like.
    """
    resident = resident_per_call(ledger)
    if resident is None or not _has_grown(ledger):
        return []
    words: list[str] = []
    if traced is None:
        traced = yield from _traced(ledger, given, budget)
        if traced > resident / 2:
            words.append(_GROWN.format(round(min(traced, resident))))
    # Whole pages are resident, so large blocks seem to be a little larger.
    if resident - traced > resident / 10 and not words:
        words.append(_NATIVE.format(round(resident - traced)))
    return words


def _has_grown(ledger: Ledger) -> bool:
    rounds = [step for phase in ledger.phases for step in phase[RESIDENT].growth]
    still = sum([growth <= 0 for growth in rounds])
    return 4 * still <= len(rounds) and sum(rounds) > _LEAST_RESIDENT * len(rounds)


def _traced(
    ledger: Ledger, given: object, budget: Budget
) -> Generator[int, None, float]:
    """Return by how many bytes per call the blocks grow that Python has.

    One that was there before tracing, and is made larger, is traced as a whole from
    then on: that it grows by steps does not hide it.
    """
    trial = Trial(given, (), budget)
    try:
        yield from trial.run(max([phase.calls for phase in ledger.phases[-1].values()]))
    finally:
        trial.end()
    ledger.calls_made += trial.calls_made
    return trial.places.most_per_call
