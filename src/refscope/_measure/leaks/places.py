"""Where traced memory is, at the ends of two stretches of equally many calls."""

from __future__ import annotations

from refscope._measure.cpython.interpreter import get_traceback_limit, get_traces
from refscope._measure.heap import census
from refscope._measure.heap.tracebacks import FRAMES, Place
from refscope._measure.session import tracing


_NONE: tracing.Totals = {}


class Places:
    """Blocks and bytes by the place that made them: three looks at all traces."""

    __slots__ = ("_totals", "calls")

    def __init__(self) -> None:
        self._totals: list[tracing.Totals] = []
        self.calls: int = 0
        """In each of the two stretches."""

    def begin(self) -> None:
        """Note that nothing is traced yet, and make nothing that would be."""
        self._totals.append(_NONE)

    def note(self) -> None:
        """Note what is there now."""
        depth = min(FRAMES, get_traceback_limit())
        self._totals.append(tracing.by_place(get_traces(), depth))

    def clear(self) -> None:
        """Begin again."""
        self._totals.clear()

    @property
    def size_per_call(self) -> float:
        """Bytes more after each call of the second stretch."""
        _, before, after = map(_total, self._totals)
        return (after - before) / self.calls

    @property
    def most_per_call(self) -> float:
        """Bytes more after each call, of the stretch with more of them."""
        before, middle, after = map(_total, self._totals)
        return max(middle - before, after - middle) / self.calls

    def growing(self, least: float) -> list[tuple[Place, int, int]]:
        """Return place, blocks and bytes where both stretches left more.

        Fewer blocks than ``least`` are none: the last of what was there before may be
        replaced only now.
        """
        first, second, third = self._totals
        found: list[tuple[Place, int, int]] = []
        for place, (size, count) in third.items():
            size_1, count_1 = second.get(place, (0, 0))
            size_0, count_0 = first.get(place, (0, 0))
            if count_1 <= count_0 or not size_0 < size_1 < size:
                continue
            if count - count_1 >= least:
                found.append((place, count - count_1, size - size_1))
        return found


def _total(places: tracing.Totals) -> int:
    return sum([size for size, _ in places.values()])


census.own(Places)
