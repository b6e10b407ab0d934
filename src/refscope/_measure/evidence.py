"""Calls once more with tracing, to name the line and the holder of what grows.

Two stretches of calls: what was made in the first and is still there after the
second is leaked, and no cache that has turned over meanwhile.
"""

from __future__ import annotations

import atexit
import gc
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from typing import cast

from refscope.reports import Frame, ReferencePath, Traceback

from . import census, ours, tracing
from .born import Born
from .budget import Budget
from .classes import get_members, get_mro, type_name
from .describe import lines_of, traceback_of
from .interpreter import get_traceback_limit, get_traces, is_tracing, start, stop
from .keeping import Kept
from .places import frames_of
from .retained import closure, retained_sizes
from .retention import Trail, find_trails
from .rounds import collect
from .roots import C_ONLY


FRAMES = 12
_MOST_SAMPLES = 400
_MOST_HOLDERS = 4

Place = tuple[tuple[str, int], ...]


class Evidence:
    """What is known about one type or place that grows; no live objects."""

    __slots__ = (
        "bound",
        "grows_at",
        "path",
        "retained",
        "traceback",
        "type_name",
        "verdict",
    )

    def __init__(self, name: str) -> None:
        self.type_name: str = name
        self.traceback: Traceback | None = None
        self.path: ReferencePath | None = None
        self.grows_at: int | None = None
        """Which reference of the path leads to what grows, -1 for the root."""
        self.verdict: str = "unknown"
        self.retained: float | None = None
        """Bytes that die with one of them, of what the calls made."""
        self.bound: str | None = None
        """The limit of a cache that is not full yet, in words."""


class Trial:
    """The traced calls, and what they left."""

    __slots__ = (
        "_atexit",
        "_born",
        "_given",
        "_ids",
        "_places",
        "alive",
        "budget",
        "calls",
        "is_ours",
        "size_per_call",
    )

    def __init__(self, given: object, budget: Budget) -> None:
        self._given = given
        self._born = Born()
        self._ids: frozenset[int] = frozenset()
        self._places: list[tracing.Totals] = []
        self._atexit: int = 0
        self.alive: Kept[object] = Kept()
        """What the calls made and left alive; the older half first."""
        self.budget: Budget = budget
        self.calls: int = 0
        self.is_ours: bool = False
        self.size_per_call: float | None = None

    def run(self, calls: int) -> Generator[int, None, None]:
        """Make the calls, with tracing on."""
        self.calls = calls
        tracing.refuse_other_interpreters()
        self.is_ours = not is_tracing()
        collect()
        if self.is_ours:
            start(FRAMES)
        self._born.is_traced = self.is_ours
        self._atexit = _callbacks_at_exit()
        self._note_places()
        self._born.begin(is_settled=True)
        try:
            yield calls
            collect()
            self._ids = frozenset(map(id, self._born.look()))
            self._note_places()
            yield calls
            collect()
            born = census.foreign(self._born.look())
            self._note_places()
        finally:
            self._born.abandon()
        last = [thing for thing in born if id(thing) not in self._ids]
        self.alive.extend([thing for thing in born if id(thing) in self._ids])
        self.alive.extend(last)
        before, after = self._places[1:]
        grown = _total(after) - _total(before)
        self.size_per_call = grown / calls
        self._atexit = _callbacks_at_exit() - self._atexit

    def end(self) -> None:
        """Stop tracing if it is ours, and let go of everything."""
        self.alive.clear()
        if self.is_ours and is_tracing():
            stop()

    def _note_places(self) -> None:
        self._places.append(tracing.by_place(get_traces(), self._depth()))

    def _depth(self) -> int:
        return min(FRAMES, get_traceback_limit())

    def of_type(self, name: str) -> Evidence:
        """Return what is known of the leaked objects of a type."""
        known = Evidence(name)
        things = Kept(self._leaked(name))
        if not things:
            return known
        known.traceback = commonest(traceback_of(thing) for thing in things)
        known.retained = self._retained(things)
        self._hold(known, self._sample(things, known.traceback))
        return known

    def _leaked(self, name: str) -> list[object]:
        names: dict[int, str] = {}
        found: list[object] = []
        for thing in self.alive:
            kind = type(thing)
            if id(kind) not in names:
                names[id(kind)] = type_name(kind)
            if names[id(kind)] == name:
                found.append(thing)
        settled = [thing for thing in found if id(thing) in self._ids]
        return (settled or found)[:_MOST_SAMPLES]

    def _retained(self, things: Sequence[object]) -> float | None:
        sizes = retained_sizes(things, Budget(20_000))
        return None if sizes is None else sum(sizes) / len(sizes)

    def _sample(self, things: Iterable[object], place: Traceback | None) -> object:
        """Return one of those from the commonest place."""
        some = [thing for thing in things if traceback_of(thing) == place]
        return some[len(some) // 2]

    def _hold(self, known: Evidence, sample: object) -> None:
        """Find out who holds a leaked object, and what grows."""
        trails, _ = find_trails(
            sample, self.budget, given=self._given, most_holders=_MOST_HOLDERS
        )
        if self.budget.is_spent and not trails:
            return
        trail = trails[0] if trails else None
        born = set(map(id, self.alive))
        first_born = _first_born(trail, born) if trail else 0
        if trail is None or (trail.root == C_ONLY and first_born == 0):
            self._hold_in_c(known, trail)
            return
        known.verdict = "held"
        known.path = trail.report()
        known.grows_at = first_born - 2
        known.bound = _bound(trail.objects[:first_born])

    def _hold_in_c(self, known: Evidence, trail: Trail | None) -> None:
        known.verdict = "native"
        if self._atexit > 0 and trail is not None:
            trail.root = "functions of atexit"
            known.verdict = "held"
            known.grows_at = -1
        if trail is not None and (len(trail.objects) > 1 or known.verdict == "held"):
            known.path = trail.report()

    def places(self) -> list[tuple[Place, int, int]]:
        """Return place, blocks and bytes where both stretches left more."""
        first, second, third = self._places
        rows: list[tuple[Place, int, int]] = []
        for place, (size, count) in third.items():
            size_1, count_1 = second.get(place, (0, 0))
            size_0, count_0 = first.get(place, (0, 0))
            if count > count_1 > count_0 and size > size_1 > size_0:
                rows.append((place, count - count_1, size - size_1))
        return rows

    def unexplained(self) -> list[tuple[Place, int, int]]:
        """Return the places that leaked objects and what they hold do not explain."""
        held = Kept(closure(self.alive, Budget(200_000)))
        known: dict[Place, int] = {}
        for thing in held:
            place = self._place_of(thing)
            if place is not None:
                known[place] = known.get(place, 0) + 1
        rows: list[tuple[Place, int, int]] = []
        for place, count, size in self.places():
            # Both stretches are in the closure, one of them in the count.
            left = count - known.get(place, 0) / 2
            if left >= max(1, count / 2):
                rows.append((place, count, size))
        return rows

    def of_place(self, place: Place, *, is_lone: bool) -> Evidence | None:
        """Return what is known of memory allocated at a place.

        The objects are looked for among all that tracked objects hold.  None if there
        are none, unless no leaked object can be whose buffer it is.
        """
        known = Evidence("")
        known.traceback = traceback_of_place(place)
        found = self._held_from(place)
        if found is not None:
            known.type_name = type_name(type(found[0]))
            self._hold(known, found.pop())
            return known
        if not is_lone:
            return None
        known.verdict = "native"
        return known

    def _held_from(self, place: Place) -> Kept[object] | None:
        """Return an object that was allocated at a place and is not tracked."""
        objects = Kept(gc.get_objects())
        for thing in objects:
            for held in gc.get_referents(thing):
                if not gc.is_tracked(held) and self._place_of(held) == place:
                    objects.clear()
                    return Kept([held])
        return None

    def _place_of(self, thing: object) -> Place | None:
        lines = lines_of(thing)
        return None if lines is None else lines[: self._depth()]


def _first_born(trail: Trail, born: set[int]) -> int:
    """Return the place of the first object on a path that the calls made."""
    for place, thing in enumerate(trail.objects):
        if id(thing) in born:
            return place
    return len(trail.objects) - 1


def _bound(holders: Sequence[object]) -> str | None:
    """Return in words how much a holder takes at most, if it is not full yet."""
    for thing in holders:
        for base in get_mro(type(thing)):
            if type_name(base) == "functools._lru_cache_wrapper":
                info = get_members(base)["cache_info"](thing)  # type: ignore[operator]
                most, now = info[2], info[3]
            elif base is deque:
                queue = cast("deque[object]", thing)
                most, now = deque.maxlen.__get__(queue), deque.__len__(queue)  # type: ignore[attr-defined]
            else:
                continue
            if most is not None and now < most:
                return f"{type_name(base)} of at most {most:,} ({now:,} now)"
    return None


def _callbacks_at_exit() -> int:
    count = getattr(atexit, "_ncallbacks", None)
    return 0 if count is None else cast("int", count())


def _total(places: tracing.Totals) -> int:
    return sum([size for size, _ in places.values()])


def commonest(tracebacks: Iterable[Traceback | None]) -> Traceback | None:
    """Return the traceback that comes most often; the first of those."""
    counts: dict[Traceback | None, int] = {}
    for traceback in tracebacks:
        counts[traceback] = counts.get(traceback, 0) + 1
    return max(counts, key=counts.__getitem__)


def traceback_of_place(place: Place) -> Traceback:
    """Return a place as a traceback, with the functions of its lines."""
    return Traceback(tuple([Frame(name, line) for name, line in reversed(place)]))


def with_functions(traceback: Traceback | None) -> Traceback | None:
    """Return a traceback with the names of the functions."""
    if traceback is None:
        return None
    lines = [(frame.filename, frame.lineno) for frame in traceback.frames]
    known = frames_of(lines)
    frames = tuple([known[line] for line in lines if not line[0].startswith(ours.FILES)])
    return Traceback(frames, traceback.total_nframe)




census.own(Trial, Evidence)
