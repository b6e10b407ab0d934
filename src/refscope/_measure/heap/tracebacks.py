"""Places as tracemalloc has them, made into tracebacks with the names of functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from refscope._measure.cpython.places import frames_of
from refscope.reports import Frame, Traceback

from . import ours


Place = tuple[tuple[str, int], ...]
"""File and line of each frame, innermost first."""

FRAMES = 12
"""How many frames of each trace ``find_leaks`` asks for and tells apart."""


def commonest(places: Iterable[Place | None]) -> Place | None:
    """Return the place that comes most often; the first of those."""
    counts: dict[Place | None, int] = {}
    for place in places:
        counts[place] = counts.get(place, 0) + 1
    return max(counts, key=counts.__getitem__)


def traceback_of_place(place: Place | None) -> Traceback | None:
    """Return a place as a traceback, outermost frame first."""
    if place is None:
        return None
    return Traceback(tuple([Frame(name, line) for name, line in reversed(place)]))


def with_functions(traceback: Traceback | None) -> Traceback | None:
    """Return a traceback with the names of the functions."""
    return None if traceback is None else all_with_functions([traceback])[0]


def all_with_functions(tracebacks: Sequence[Traceback]) -> list[Traceback]:
    """Return tracebacks with the names of the functions, looked up once for all."""
    known = frames_of(
        [(frame.filename, frame.lineno) for each in tracebacks for frame in each.frames]
    )
    return [
        Traceback(
            tuple(
                [
                    known[frame.filename, frame.lineno]
                    for frame in each.frames
                    if not frame.filename.startswith(ours.FILES)
                ]
            ),
            each.total_nframe,
        )
        for each in tracebacks
    ]
