"""Calls once more with tracing, to name the line and the holder of what grows.

Two stretches of calls: what was made in the first and is still there after the
second is leaked, and no cache that has turned over meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping
from itertools import compress, repeat
from operator import is_

from refscope._measure.budget import Budget
from refscope._measure.cpython.classes import (
    class_known_by,
    type_name,
)
from refscope._measure.cpython.interpreter import (
    callbacks_at_exit,
    is_tracing,
    start,
    stop,
)
from refscope._measure.heap import census
from refscope._measure.heap.keeping import Kept, KeptById
from refscope._measure.heap.tracebacks import (
    FRAMES,
    Place,
    commonest,
    traceback_of_place,
)
from refscope._measure.heap.untracked import (
    Untracked,
    most_of_a_type,
    traced,
)
from refscope._measure.names.describe import lines_of
from refscope._measure.retention.retained import closure, retained_sizes
from refscope._measure.session import tracing
from refscope._measure.session.born import Born

from .blame import is_thread
from .evidence import Evidence
from .holders import Holders, without_passing
from .places import Places
from .rounds import collect
from .turnover import Turnover


_MOST_SAMPLES = 400
_MOST_LINES = 4
_LEAST_SHARE = 20
_LEAST_RATE = 0.25
_MOST_RETAINED = 20_000
_MOST_EXPLAINED = 200_000


class Trial:
    """The traced calls, and what they left.

    Whatever asks for traces comes first; then tracing stops, as it makes the search
    for holders many times slower.
    """

    __slots__ = (
        "_atexit",
        "_born",
        "_has_turned_over",
        "_held",
        "_holders",
        "_ids",
        "_is_ours",
        "_is_turning_over",
        "_kinds",
        "_lines",
        "_unexplained",
        "_visible",
        "alive",
        "calls_made",
        "is_doubtful",
        "places",
    )

    def __init__(
        self,
        given: object,
        kinds: Collection[str],
        budget: Budget,
        *,
        after_turnover: bool = False,
    ) -> None:
        self._holders = Holders(given, budget)
        self._kinds = kinds
        """Names of the types that grow."""
        self._is_ours = not is_tracing()
        self._born = Born(is_traced=self._is_ours)
        self._held: dict[int, int] = {}
        """How often what is in lists of this trial is there, by identity."""
        self._has_turned_over: bool = after_turnover
        """Whether what was there before is replaced in caches: asked for, then so."""
        self._ids: dict[int, int] = {}
        """Identities of what the first calls left, and those of its types."""
        self.places: Places = Places()
        self._lines: dict[int, Place] = {}
        self._unexplained: dict[Place, tuple[int, int]] = {}
        self._visible = Untracked()
        self._atexit: int = 0
        self.alive: Kept[object] = Kept()
        """What the calls made and left alive; the older half first."""
        self.calls_made: int = 0
        self._is_turning_over: bool = False
        """Whether what is new may be in the place of what nobody saw go."""
        self.is_doubtful: bool = False
        """Whether something was found that may only be in such a place."""

    def run(self, calls: int) -> Generator[int, None, None]:
        """Make the calls, twice, with tracing on; before, if asked for, many more."""
        tracing.refuse_other_interpreters()
        collect()
        self._atexit = callbacks_at_exit()
        if self._is_ours:
            # Nothing of ours may be made between this and the beginning.
            self.places.begin()
            start(FRAMES)
        else:
            self.places.note()
        turnover = Turnover()
        if self._has_turned_over:
            yield from turnover.end(calls)
            self._has_turned_over = not turnover.goes_on
            self.places.clear()
            self.places.note()
            calls = max(calls, turnover.calls // 4)
        self._born.begin(is_settled=True)
        try:
            yield from turnover.run(calls)
            first = Kept(self._born.look())
            self._ids = dict(
                zip(map(id, first), map(id, map(type, first)), strict=True)
            )
            first.clear()
            self.places.note()
            yield from turnover.run(calls)
            self._keep(Kept(self._born.look()))
            self.places.note()
        finally:
            self._born.abandon()
        self.places.calls = calls
        self.calls_made = turnover.calls
        self._is_turning_over = turnover.goes_on
        self._note_lines()
        self._stop()
        self._holders.is_at_exit = callbacks_at_exit() > self._atexit
        self._holders.dict_of_key = self._visible.dict_of_key
        self._holders.born = {*self._ids, *map(id, self._of_kinds())}
        self._holders.made = {*map(id, self.alive)}
        self._held = dict.fromkeys(self._holders.made, 1)
        self._visible.count_in(self._held)

    def end(self) -> None:
        """Stop tracing if it is ours, and let go of everything."""
        self.alive.clear()
        self._visible.clear()
        self._stop()

    def _stop(self) -> None:
        if self._is_ours and is_tracing():
            stop()
        self._is_ours = False

    def _keep(self, born: Kept[object]) -> None:
        is_older = [self._is_settled(thing) for thing in born]
        self.alive.extend(compress(born, is_older))
        self.alive.extend(compress(born, [not older for older in is_older]))

    def _is_settled(self, thing: object) -> bool:
        """Return whether the first calls left it.

        Its type is asked for as well: what was at its address may be gone since.
        """
        return self._ids.get(id(thing)) == id(type(thing))

    def _note_lines(self) -> None:
        """Note where leaked objects were made, and what they do not explain."""
        least = self.places.calls * _LEAST_RATE if self._has_turned_over else 1
        growing = self.places.growing(least)
        explained: dict[Place, int] = {}
        objects = Kept(closure(self._of_kinds(), Budget(_MOST_EXPLAINED)))
        for thing, place in traced(objects, lines_of):
            self._lines[id(thing)] = place
            explained[place] = explained.get(place, 0) + 1
        for place, count, size in growing:
            # Both stretches are in the closure, one of them in the count.
            if count - explained.get(place, 0) / 2 >= max(1, count / 2):
                self._unexplained[place] = count, size
        if self._unexplained:
            # What an object has beside itself is made where it is made.
            are_keys = not explained.keys() >= self._unexplained.keys()
            self._visible.look_for(self._unexplained, are_keys=are_keys)

    def _of_kinds(self) -> Kept[object]:
        """Return what the calls left of types that grow.

        A container that was put in the place of an older one is alive as well, and
        explains nothing: what it took over leaks without it.
        """
        kinds = {id(type(thing)): type(thing) for thing in self.alive}
        grow = {key for key, kind in kinds.items() if type_name(kind) in self._kinds}
        return Kept([thing for thing in self.alive if id(type(thing)) in grow])

    def of_types(self) -> list[tuple[str, Evidence]]:
        """Return what is known of leaked objects of the types, by their lines."""
        found: list[tuple[str, Evidence]] = []
        groups: list[tuple[int, ...]] = []  # what is held would be left out of sizes
        chosen: list[int | None] = []
        for name in self._kinds:
            for group, total in self._of_type(name):
                found.append((name, self._of_group(name, group, total)))
                groups.append(tuple(map(id, group)))
                chosen.append(next(map(id, self._sample(group)), None))
        alive = KeptById(zip(map(id, self.alive), self.alive, strict=True))
        samples = Kept([Kept([alive[key]] if key else ()) for key in chosen])
        alive.clear()
        self._holders.name_all([known for _, known in found], samples)
        samples.clear()
        for number, (name, known) in enumerate(found[:]):
            if known.is_in_full_cache:
                others = self._elsewhere(known, groups[number])
                found += [(name, other) for other in others]
        return without_passing(found)

    def _elsewhere(self, known: Evidence, ids: tuple[int, ...]) -> list[Evidence]:
        """Return what is known of a group but for those like the one in a full cache.

        They can be made at the same line, called from somewhere else.
        """
        passing = commonest(map(self._lines.get, ids))
        others = {key for key in ids if self._lines.get(key) != passing}
        rest = Kept([thing for thing in self.alive if id(thing) in others])
        if not rest:
            return []
        known.samples -= len(rest)
        other = self._of_group(known.type_name, rest, known.samples_in_all)
        self._holders.name_all([other], Kept([self._sample(rest)]))
        return [other]

    def _of_type(self, name: str) -> Iterator[tuple[Kept[object], int]]:
        """Yield objects of a type that were made at one line, and how many are seen."""
        things = Kept(self._leaked(name))
        if things and all(map(self._is_of_base, things)):
            return
        by_line: dict[tuple[str, int] | None, Kept[object]] = {}
        for thing in things:
            place = self._lines.get(id(thing))
            line = place[0] if place else None
            by_line.setdefault(line, Kept()).append(thing)
        self._leave_replaced(name, by_line)
        untraced = by_line.pop(None, None)  # from free lists: nobody knows their line
        total = sum(map(len, by_line.values())) + len(untraced or ())
        groups = sorted(by_line.values(), key=len, reverse=True)
        if untraced is not None:
            groups[:1] = [Kept([*(groups[0] if groups else ()), *untraced])]
        for group in groups[:_MOST_LINES]:
            if len(group) * _LEAST_SHARE >= total:
                yield group, total
        if not things:
            yield things, 0

    def _leave_replaced(
        self, name: str, by_line: dict[tuple[str, int] | None, Kept[object]]
    ) -> None:
        """Leave out lines that one object is of at a time, if others are of more.

        It is at the address of the one before, as the handle that an event loop runs.
        """
        younger = [id(each) for each in self._named(name) if not self._is_settled(each)]
        places = map(self._lines.get, younger)
        grow = {place[0] if place else None for place in places}
        if grow.isdisjoint(by_line):
            return
        for line in [*by_line]:
            if line not in grow and len(by_line[line]) == 1:
                del by_line[line]

    def _of_group(self, name: str, things: Kept[object], total: int) -> Evidence:
        known = Evidence(name)
        known.samples, known.samples_in_all = len(things), total
        if things:
            known.share = len(things) / total
            known.traceback = traceback_of_place(self._place_of(things))
            known.retained = _each(things, self._held, self._holders.made)
            known.is_thread = is_thread(type(things[0]))
        return known

    def _place_of(self, things: Kept[object]) -> Place | None:
        return commonest([self._lines.get(id(thing)) for thing in things])

    def _leaked(self, name: str) -> Iterator[object]:
        """Yield objects of a type, of the older half if there are some."""
        found = Kept(self._named(name))
        settled = Kept([thing for thing in found if self._is_settled(thing)])
        yield from (settled or found)[:_MOST_SAMPLES]

    def _named(self, name: str) -> Iterator[object]:
        """Yield what the calls left of a type."""
        names: dict[int, str] = {}
        for thing in self.alive:
            kind = type(thing)
            known = names.get(id(kind)) or names.setdefault(id(kind), type_name(kind))
            if known == name:
                yield thing

    def _is_of_base(self, thing: object) -> bool:
        """Return whether it is by what a base knows a class that leaks as well."""
        known = class_known_by(thing)
        return known is not None and any(map(is_, self.alive, repeat(known)))

    def _sample(self, things: Kept[object]) -> Kept[object]:
        """Return one of those from the commonest place, if there is one."""
        if not things:
            return Kept()
        place = self._place_of(things)
        some = [thing for thing in things if self._lines.get(id(thing)) == place]
        return Kept(some[len(some) // 2 :][:1])

    def of_places(self, kinds: Collection[Evidence]) -> list[Evidence]:
        """Return what is known of memory that leaked objects do not explain."""
        found: list[Evidence] = []
        samples: Kept[Kept[object]] = Kept()
        places: list[Place] = []
        ours = self._visible.ids()
        for place in self._unexplained:
            known, things = self._of_place(place, ours)
            if things or not kinds:
                found.append(known)
                samples.append(things)
                places.append(place)
        self._holders.name_all(found, samples)
        self.is_doubtful = self._is_turning_over and any(map(_is_doubtful, found))
        for number, known in enumerate(found):
            if known.is_in_full_cache and self._has_turned_over:
                # It grows, so it is not what is seen there.
                found[number] = self._memory_of(places[number])
                found[number].verdict = "native"
        containers = {known.container for known in kinds}
        return [
            known
            for known in found
            if known.container not in containers and not known.is_in_full_cache
        ]

    def _of_place(
        self, place: Place, ours: Collection[int]
    ) -> tuple[Evidence, Kept[object]]:
        """Return what is known of memory from one place, and objects that may be it."""
        known = self._memory_of(place)
        kind, things = most_of_a_type(self._visible.by_place.get(place, Kept()))
        count, _ = self._unexplained[place]
        # Both stretches are visible, but for what free lists gave out untraced.
        if len(things) * 2 < count or len(things) <= 1:
            return known, Kept()
        known.type_name = type_name(kind)
        known.per_call = len(things) / self.calls_made
        known.retained = _each(things, self._held, ours)
        # What goes through a cache may be held by something else as well.
        samples = (len(things) // 2, 0, -1)
        return known, Kept([things[number] for number in samples])

    def _memory_of(self, place: Place) -> Evidence:
        count, size = self._unexplained[place]
        known = Evidence("")
        known.traceback = traceback_of_place(place)
        known.retained = size / count
        # Not all of it is in the blocks that are counted without tracing.
        known.per_call = count / self.places.calls
        return known


def _is_doubtful(known: Evidence) -> bool:
    is_memory_of_c = known.verdict == "native" and not known.type_name
    return known.is_in_full_cache or is_memory_of_c


def _each(
    things: Kept[object], ours: Mapping[int, int], made: Collection[int]
) -> float | None:
    """Return the bytes that die with one of them; None if they hold too much."""
    sizes = retained_sizes(things, Budget(_MOST_RETAINED), ours, made)
    return None if sizes is None else sum(sizes) / len(sizes)


census.own(Trial)
