"""What tells of a leak: its nearest path, where that begins, and where it was made."""

from __future__ import annotations

from collections.abc import Sequence

from refscope._measure.cpython.classes import get_mro, is_dict, type_name
from refscope._measure.heap.roots import C_ONLY
from refscope._measure.heap.tracebacks import with_functions
from refscope._measure.heap.untracked import is_interned
from refscope._measure.retention.search import Trail
from refscope.reports import Cycle, Traceback

from .caches import room_in
from .naming import THREAD


def without_names(trail: Trail | None) -> Trail | None:
    """Return no path where it begins at the interpreter's names, which keep nothing."""
    if trail is not None and is_dict(trail.objects[0]):
        return None if is_interned(trail.objects[0]) else trail
    return trail


def first_born(trail: Trail, born: set[int]) -> int:
    """Return the place of the first object on a path that the calls made."""
    are_born = [*map(born.__contains__, map(id, trail.objects))]
    return are_born.index(True)  # at the latest that which is held


def room_on(trail: Trail, born: set[int], made: set[int]) -> int | None:
    """Return how many more take what holds a leaked object, None if it has no bound.

    What leaks is ``born``.  All that the calls ``made`` matters too: an entry of a full
    cache is in the place of an older one, with all that hangs on it.
    """
    room = room_in(trail.objects[: first_born(trail, born)])
    return room_in(trail.objects[: first_born(trail, made)]) if room is None else room


def most_telling(
    trails: Sequence[Trail], born: set[int], made: set[int]
) -> Trail | None:
    """Return the nearest path by what may grow for ever, if there is one.

    What is in a cache as well leaks by its other holder: a cache that is full holds
    the latest only, and one that is not would let them go in the end.
    """

    def reluctance(trail: Trail) -> tuple[bool, float]:
        room = room_on(trail, born, made)
        return trail.root == C_ONLY, 0.0 if room is None else 1 / (1 + room)

    return min(trails, key=reluctance, default=None)


def made_at(cycle: Cycle, name: str) -> Traceback | None:
    """Return where an object of a type was made, or else any on the loop."""
    things = [reference.holder for reference in cycle.references]
    things.sort(key=lambda thing: thing.type_name != name)
    known = [thing.traceback for thing in things if thing.traceback is not None]
    return with_functions(known[0]) if known else None


def is_thread(kind: type) -> bool:
    """Return whether a class is that of threads, or derives from it."""
    return THREAD in map(type_name, get_mro(kind))
