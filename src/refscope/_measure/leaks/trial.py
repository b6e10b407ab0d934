"""Calls once more with tracing, to name the line and the holder of what grows.

Two stretches of calls: what was made in the first and is still there after the
second is leaked, and no cache that has turned over meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from itertools import chain, compress, repeat
from operator import is_

from refscope._measure.budget import Budget
from refscope._measure.cpython.classes import (
    class_known_by,
    type_name,
)
from refscope._measure.cpython.interpreter import (
    callbacks_at_exit,
    get_traceback_limit,
    get_traces,
    is_tracing,
    start,
    stop,
)
from refscope._measure.heap import census
from refscope._measure.heap.keeping import Kept
from refscope._measure.heap.roots import C_ONLY
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
from refscope._measure.names.spelling import element
from refscope._measure.retention.retained import closure, retained_sizes
from refscope._measure.retention.search import Trail, find_trails, path_of
from refscope._measure.retention.whole import Seen
from refscope._measure.session import tracing
from refscope._measure.session.born import Born

from .blame import first_born, is_thread, most_telling, without_names
from .caches import not_full, room_in
from .evidence import Evidence, without_passing
from .rounds import collect, empty_free_lists


_MOST_SAMPLES = 400
_MOST_HOLDERS = 4
_MOST_LINES = 4
_LEAST_SHARE = 20
_MOST_RETAINED = 20_000
_MOST_EXPLAINED = 200_000

AT_EXIT = "functions of atexit"


_NO_PLACES: tracing.Totals = {}


class Trial:
    """The traced calls, and what they left.

    Whatever asks for traces comes first; then tracing stops, as it makes the search
    for holders many times slower.
    """

    __slots__ = (
        "_atexit",
        "_born",
        "_given",
        "_ids",
        "_is_ours",
        "_kinds",
        "_lines",
        "_places",
        "_seen",
        "_unexplained",
        "_visible",
        "alive",
        "budget",
        "calls",
        "size_per_call",
    )

    def __init__(self, given: object, kinds: Collection[str], budget: Budget) -> None:
        self._given = given
        self._kinds = kinds
        """Names of the types that grow."""
        self._is_ours = not is_tracing()
        self._born = Born(is_traced=self._is_ours)
        self._ids: dict[int, int] = {}
        """Identities of what the first calls left, and those of its types."""
        self._places: list[tracing.Totals] = []
        self._lines: dict[int, Place] = {}
        self._unexplained: dict[Place, tuple[int, int]] = {}
        self._visible = Untracked()
        self._atexit: int = 0
        self._seen = Seen()
        self.alive: Kept[object] = Kept()
        """What the calls made and left alive; the older half first."""
        self.budget: Budget = budget
        self.calls: int = 0
        self.size_per_call: float | None = None

    def run(self, calls: int) -> Generator[int, None, None]:
        """Make the calls, twice, with tracing on."""
        self.calls = calls
        tracing.refuse_other_interpreters()
        collect()
        self._atexit = callbacks_at_exit()
        if self._is_ours:
            # Nothing of ours may be made between this and the beginning.
            self._places.append(_NO_PLACES)
            start(FRAMES)
        else:
            self._note_places()
        self._born.begin(is_settled=True)
        try:
            # What refscope has just dropped would be given out again, untraced.
            empty_free_lists()
            yield calls
            collect()
            first = Kept(self._born.look())
            self._ids = dict(
                zip(map(id, first), map(id, map(type, first)), strict=True)
            )
            first.clear()
            self._note_places()
            empty_free_lists()
            yield calls
            collect()
            self._keep(Kept(self._born.look()))
            self._note_places()
        finally:
            self._born.abandon()
        self._atexit = callbacks_at_exit() - self._atexit
        self._note_lines()
        self._stop()

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

    def _note_places(self) -> None:
        self._places.append(tracing.by_place(get_traces(), self._depth()))

    def _depth(self) -> int:
        return min(FRAMES, get_traceback_limit())

    def _note_lines(self) -> None:
        """Note where leaked objects were made, and what they do not explain."""
        _, before, after = self._places
        self.size_per_call = (_total(after) - _total(before)) / self.calls
        explained: dict[Place, int] = {}
        objects = Kept(closure(self._of_kinds(), Budget(_MOST_EXPLAINED)))
        for thing, place in traced(objects, lines_of):
            self._lines[id(thing)] = place
            explained[place] = explained.get(place, 0) + 1
        for place, count, size in self._growing():
            # Both stretches are in the closure, one of them in the count.
            if count - explained.get(place, 0) / 2 >= max(1, count / 2):
                self._unexplained[place] = count, size
        if self._unexplained:
            # What an object has beside itself is made where it is made.
            are_keys = not explained.keys() >= self._unexplained.keys()
            self._visible.look_for(self._unexplained, are_keys=are_keys)

    @property
    def most_per_call(self) -> float:
        """Bytes more after each call, of the stretch with more of them."""
        before, middle, after = map(_total, self._places)
        return max(middle - before, after - middle) / self.calls

    def _of_kinds(self) -> Kept[object]:
        """Return what the calls left of types that grow.

        A container that was put in the place of an older one is alive as well, and
        explains nothing: what it took over leaks without it.
        """
        kinds = {id(type(thing)): type(thing) for thing in self.alive}
        grow = {key for key, kind in kinds.items() if type_name(kind) in self._kinds}
        return Kept([thing for thing in self.alive if id(type(thing)) in grow])

    def _growing(self) -> Iterator[tuple[Place, int, int]]:
        """Yield place, blocks and bytes where both stretches left more."""
        first, second, third = self._places
        for place, (size, count) in third.items():
            size_1, count_1 = second.get(place, (0, 0))
            size_0, count_0 = first.get(place, (0, 0))
            if count > count_1 > count_0 and size > size_1 > size_0:
                yield place, count - count_1, size - size_1

    def of_types(self, names: Collection[str]) -> list[tuple[str, Evidence]]:
        """Return what is known of leaked objects of these types, by their lines."""
        found: list[tuple[str, Evidence]] = []
        samples: Kept[object] = Kept()
        groups: list[tuple[int, ...]] = []  # what is held would be left out of sizes
        for name in names:
            for group, total in self._of_type(name):
                found.append((name, self._of_group(name, group, total)))
                samples.append(self._sample(group))
                groups.append(tuple(map(id, group)))
        self._hold_all([known for _, known in found], samples)
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
        self._hold_all([other], Kept([self._sample(rest)]))
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
        untraced = by_line.pop(None, None)  # from free lists: nobody knows their line
        groups = sorted(by_line.values(), key=len, reverse=True)
        if untraced is not None:
            groups[:1] = [Kept([*(groups[0] if groups else ()), *untraced])]
        for group in groups[:_MOST_LINES]:
            if len(group) * _LEAST_SHARE >= len(things):
                yield group, len(things)
        if not things:
            yield things, 0

    def _of_group(self, name: str, things: Kept[object], total: int) -> Evidence:
        known = Evidence(name)
        known.samples, known.samples_in_all = len(things), total
        if things:
            known.share = len(things) / total
            known.traceback = traceback_of_place(self._place_of(things))
            ours = frozenset(map(id, self.alive))
            known.retained = _each(things, ours)
            known.is_thread = is_thread(type(things[0]))
        return known

    def _place_of(self, things: Kept[object]) -> Place | None:
        return commonest([self._lines.get(id(thing)) for thing in things])

    def _leaked(self, name: str) -> Iterator[object]:
        """Yield objects of a type, of the older half if there are some."""
        names: dict[int, str] = {}
        found: Kept[object] = Kept()
        for thing in self.alive:
            kind = type(thing)
            known = names.get(id(kind)) or names.setdefault(id(kind), type_name(kind))
            if known == name:
                found.append(thing)
        settled = Kept([thing for thing in found if self._is_settled(thing)])
        yield from (settled or found)[:_MOST_SAMPLES]

    def _is_of_base(self, thing: object) -> bool:
        """Return whether it is by what a base knows a class that leaks as well."""
        known = class_known_by(thing)
        return known is not None and any(map(is_, self.alive, repeat(known)))

    def _sample(self, things: Kept[object]) -> object:
        """Return one of those from the commonest place, None if there is none."""
        if not things:
            return None
        place = self._place_of(things)
        some = [thing for thing in things if self._lines.get(id(thing)) == place]
        return some[len(some) // 2]

    def _hold_all(self, found: Sequence[Evidence], samples: Kept[object]) -> None:
        """Find out who holds the samples, which are None where there is none.

        What is seen meanwhile is held: no references may be counted.
        """
        try:
            for number, known in enumerate(found):  # ``zip`` would hold the sample
                if samples[number] is not None:
                    self._hold(known, samples[number])
        finally:
            self._seen.clear()

    def _hold(self, known: Evidence, sample: object) -> None:
        """Find out who holds a leaked object, and what grows."""
        trails = self._trails(sample)
        if self.budget.is_spent and not trails:
            return
        # Another holder that is younger was put in the place of an older one.
        born = {*self._ids, *map(id, self._of_kinds()), id(sample)}
        trail = most_telling(trails, born)
        if trail is None or trail.root == C_ONLY:
            trail = self._trail_to_key(sample) or without_names(trail)
        since = first_born(trail, born) if trail else 0
        if trail is None or (trail.root == C_ONLY and since == 0):
            self._hold_in_c(known, trail)
            return
        known.verdict = "held"
        if trail.root == C_ONLY and self._atexit > 0:
            trail.root = AT_EXIT  # 3.14 has a list for them
        known.path = trail.report()
        if since > 0:
            known.grows_at = since - 2
        owner = since - 1
        if owner > 0 and trail.names[owner - 1] == ".__dict__":
            owner -= 1
        known.container = id(trail.objects[max(0, owner)])
        known.bound = not_full(trail.objects[:since])
        known.is_in_full_cache = room_in(trail.objects[:since]) == 0

    def _trail_to_key(self, sample: object) -> Trail | None:
        """Return a path to a text that is a key of a dictionary, None if it is none."""
        holder = self._visible.dict_of_key.get(id(sample))
        if holder is None:
            return None
        for trail in self._trails(holder)[:1]:
            trail.objects.append(sample)
            trail.names.append(element(sample))
            return trail
        return None

    def _trails(self, thing: object) -> list[Trail]:
        return find_trails(
            thing,
            self.budget,
            given=self._given,
            most_holders=_MOST_HOLDERS,
            seen=self._seen,
        ).trails

    def _hold_in_c(self, known: Evidence, trail: Trail | None) -> None:
        """Say that nothing in Python holds it, unless it is in a list of C's."""
        known.verdict = "native"
        if self._atexit > 0:
            known.verdict = "held"
            known.grows_at = -1
            references = () if trail is None else trail.report().references
            known.path = path_of(AT_EXIT, references, None)
        elif trail is not None and len(trail.objects) > 1:
            known.path = trail.report()

    def of_places(self, kinds: Collection[Evidence]) -> list[Evidence]:
        """Return what is known of memory that leaked objects do not explain."""
        found: list[Evidence] = []
        samples: Kept[object] = Kept()
        containers = {known.container for known in kinds}
        total = sum([count for _, count, _ in self._growing()])
        ours = frozenset(map(id, chain.from_iterable(self._visible.by_place.values())))
        for place, (count, size) in self._unexplained.items():
            known = Evidence("")
            known.traceback = traceback_of_place(place)
            known.retained = size / count
            known.share = count / max(1, total)
            visible = self._visible.by_place.get(place, Kept())
            kind, things = most_of_a_type(visible)
            # Both stretches are visible, but for what free lists gave out untraced.
            if len(things) * 2 >= count and len(things) > 1:
                known.type_name = type_name(kind)
                known.per_call = len(things) / (2 * self.calls)
                known.retained = _each(things, ours)
                samples.append(things[len(things) // 2])
            elif not kinds:
                self._hold_in_c(known, None)
                samples.append(None)
            else:
                continue
            found.append(known)
        self._hold_all(found, samples)
        return [
            known
            for known in found
            if known.container not in containers and not known.is_in_full_cache
        ]


def _each(things: Kept[object], ours: frozenset[int]) -> float | None:
    """Return the bytes that die with one of them; None if they hold too much."""
    sizes = retained_sizes(things, Budget(_MOST_RETAINED), ours, is_of_ours=True)
    return None if sizes is None else sum(sizes) / len(sizes)


def _total(places: tracing.Totals) -> int:
    return sum([size for size, _ in places.values()])


census.own(Trial)
