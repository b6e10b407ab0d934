"""Caches in use: what goes from them was made before tracing, and nobody sees it go.

What came in its place would look like growth until all of it has been replaced.
"""

from __future__ import annotations

from collections.abc import Generator
from operator import itemgetter
from time import perf_counter

from refscope._measure.cpython import activity
from refscope._measure.cpython.interpreter import allocated_blocks, get_traces
from refscope._measure.heap import census

from .rounds import ENOUGH_CALLS, MOST_MEMORY, PATIENCE, collect, empty_free_lists


_LEAST_RATE = 0.05
_LARGEST = 512
"""Bytes of the largest blocks that are counted (SMALL_REQUEST_THRESHOLD in
Objects/obmalloc.c)."""

_size_of = itemgetter(1)


class Turnover:
    """Counts the untraced blocks that go while calls are made."""

    __slots__ = ("_blocks", "_last", "_traced", "calls", "freed")

    def __init__(self) -> None:
        self._blocks: int = 0
        self._traced: int = 0
        self.calls: int = 0
        """How many were made in all."""
        self.freed: int = 0
        """Untraced blocks that went with the last calls."""
        self._last: int = 0

    def run(self, calls: int) -> Generator[int, None, None]:
        """Make calls, and collect their garbage."""
        empty_free_lists()  # spare blocks that are traced would seem to go
        self._traced = _traced_blocks()
        # What refscope has just dropped would be given out again, untraced.
        empty_free_lists()
        self._blocks = allocated_blocks()
        yield calls
        collect()
        blocks = allocated_blocks() - self._blocks
        self.freed = _traced_blocks() - self._traced - blocks
        self._last = calls
        self.calls += calls

    @property
    def goes_on(self) -> bool:
        """Whether what comes is in part in the place of what was there before.

        One block may be that of a table which has got larger.
        """
        return self.freed > max(1, _LEAST_RATE * self._last) and self._blocks > 0

    def end(self, calls: int) -> Generator[int, None, None]:
        """Make calls and more calls, until most of what was there before is gone."""
        started, resident = perf_counter(), activity.resident_size()
        yield from self.run(calls)
        while (
            self.goes_on
            and self.calls < ENOUGH_CALLS
            and perf_counter() - started < PATIENCE
            and activity.resident_size() - resident < MOST_MEMORY
        ):
            yield from self.run(self.calls)


def _traced_blocks() -> int:
    return sum([size <= _LARGEST for size in map(_size_of, get_traces())])


census.own(Turnover)
