"""What a block left alive, grouped, with a path to one of each group."""

from __future__ import annotations

import gc
import sys
from array import array
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from itertools import compress, filterfalse, islice, repeat
from operator import is_, not_
from types import AsyncGeneratorType, FrameType, ModuleType
from typing import TypeAlias, cast

from refscope._measure.budget import Budget
from refscope._measure.cpython.classes import class_known_by, is_class, type_name
from refscope._measure.heap import census, ours
from refscope._measure.heap.graphs import counts_of
from refscope._measure.heap.keeping import Kept
from refscope._measure.heap.roots import running_frames
from refscope._measure.heap.tracebacks import (
    Place,
    all_with_functions,
    traceback_of_place,
)
from refscope._measure.names.describe import detail_of, lines_of, sizes_of
from refscope._measure.retention.nearby import nearby
from refscope._measure.retention.retained import retained_sizes
from refscope._measure.retention.search import Trail, find_nearest, shape_of_path
from refscope._measure.retention.whole import Seen
from refscope._measure.session.born import LATE_DICTS, Born
from refscope.reports import ReferencePath, SurvivorGroup, Traceback
from refscope.reports._fingerprint import fingerprint
from refscope.reports._order import is_dull

from .ordering import Group, in_order, made_again


_MOST_BESIDES = 20_000
_MOST_PATHS = 5
_MOST_SECONDS = 1.0
_MOST_RETAINED = 2_000

_UNSEARCHED = "what holds the survivors was searched for the first {} of {} groups only"
_MADE = "class {} was made"
_RUNNING = frozenset(map(id, (FrameType, ours.AsyncItem)))
_Lead: TypeAlias = "tuple[int, ReferencePath]"
_CACHES = ("cache", "registry", "_abc_data", "memo", "interned")


def _is_ours(group: Group) -> bool:
    """Return whether refscope made them."""
    place = group.place
    return place is not None and place[0][0].startswith(ours.FILES)


class Survivors:
    """The groups of a block, and what is known of them in the end."""

    __slots__ = ("groups", "is_whole", "limits", "rows")

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.rows: tuple[SurvivorGroup, ...] = ()
        self.limits: tuple[str, ...] = ()
        self.is_whole: bool = True

    @property
    def objects(self) -> list[object]:
        """All of them, after ``take``."""
        return [thing for group in self.groups for thing in group.things]

    def take(self, born: Born, waiting: bytes) -> None:
        """Group what was made in the block, while tracebacks are there.

        Without what waits for the collector, of which the identities are given.
        """
        objects = Kept(born.look())  # before anything is made here
        if waiting:
            # No comprehension with a variable of ours: up to 3.11 its cell is young.
            garbage = map(set(array("Q", waiting)).__contains__, map(id, objects))
            objects = Kept(compress(objects, map(not_, garbage)))
        objects = Kept(_without_running(objects))
        alike: defaultdict[tuple[int, Place | None], Kept[object]] = defaultdict(Kept)
        keys = zip(map(id, map(type, objects)), map(lines_of, objects), strict=True)
        deque(map(Kept[object].append, map(alike.__getitem__, keys), objects), maxlen=0)
        groups = [Group(place, things) for (_, place), things in alike.items()]
        self.groups = in_order(filterfalse(_is_ours, groups))
        self.limits = born.limits
        if not any(map(is_, map(type, objects), repeat(dict))):
            self.limits = tuple([said for said in self.limits if said != LATE_DICTS])

    def explain(self, max_objects: int | None, deadline: float | None) -> None:
        """Search for what holds the groups, and let go of the objects."""
        budget = Budget(max_objects, _MOST_SECONDS if deadline is None else deadline)
        mine = frozenset([id(thing) for group in self.groups for thing in group.things])
        held = dict.fromkeys(mine, 1)
        defined = mine - made_again(self.groups)
        rows: list[SurvivorGroup] = []
        places = [traceback_of_place(group.place or ()) for group in self.groups]
        tracebacks = all_with_functions([each for each in places if each is not None])
        found, lead = self._holders(budget, defined, tracebacks)
        searched = len(found)
        for number, group in enumerate(self.groups):
            if number >= len(found):
                path = lead[1] if lead and lead[0] == number else None
                found.append((path, _design(group.things[0], defined)))
            rows.append(_row(group, *found[number], held, tracebacks[number]))
        if lead is not None:
            rows.insert(0, rows.pop(lead[0]))
        said = list(budget.limits)
        if searched < len(self.groups):
            said.append(_UNSEARCHED.format(searched, f"{len(self.groups):,}"))
        self.limits = (*self.limits, *said)
        self.is_whole = not budget.is_spent
        self.rows = tuple(sorted(rows, key=_stays))
        self.groups = []

    def _holders(
        self, budget: Budget, defined: frozenset[int], places: Sequence[Traceback]
    ) -> tuple[list[tuple[ReferencePath | None, str | None]], _Lead | None]:
        """Return for the first groups a path to one of each, and why it is there.

        As data: whatever is held here would count as held by the program later.  Also
        which group the first path comes to first, and how.
        """
        found: list[tuple[ReferencePath | None, str | None]] = []
        lead: _Lead | None = None
        first = self.groups[:_MOST_PATHS]
        if not first:  # a look at variables leaves a dictionary in each frame (3.10)
            return found, lead
        # Counted while nothing else of ours holds them.
        counts = [list(islice(counts_of(group.things), 2))[1] for group in first]
        near = nearby(self.objects[:_MOST_BESIDES])
        # Where there is much to see, each search has rather little of it to look at.
        seen = Seen() if near is None else None
        try:
            for group, count, place in zip(first, counts, places, strict=False):
                if budget.is_spent:
                    break
                thing = group.things[0]
                trail = find_nearest(thing, count, budget, near, seen)
                held_by = None if trail is None else trail.report()
                function = place.innermost.function
                design = _design(thing, defined, trail, is_made_by_call=bool(function))
                lead = lead or (self._lead(trail) if trail and not found else None)
                found.append((held_by, design))
                trail = None
        finally:
            for shared in (near, seen):
                if shared is not None:
                    shared.clear()
        return found, lead

    def _lead(self, trail: Trail) -> _Lead | None:
        """Return which group the path to the first one comes to first, and how.

        Where objects of many types are in one ring, none is the owner of the others:
        it is the one that is held from outside.
        """
        for steps, thing in enumerate(trail.objects[:-1]):
            number = self._telling_group_of(thing)
            if number is not None:
                way = Kept(trail.objects[: steps + 1])
                return number, Trail(trail.root, way, trail.names[:steps]).report()
        return None

    def _telling_group_of(self, thing: object) -> int | None:
        """Return which group has a thing, of those that are as large as the first."""
        name, most = type_name(type(thing)), len(self.groups[0].things)
        if is_dull(name):
            return None
        for number, group in enumerate(self.groups):
            is_alike = group.type_name == name and len(group.things) >= most
            if is_alike and any(map(is_, group.things, repeat(thing))):
                return number
        return None


def _without_running(objects: list[object]) -> list[object]:
    """Leave out what runs: it is no survivor, and not all of it is tracked."""
    if _RUNNING.isdisjoint(map(id, map(type, objects))):
        return objects  # asking for frames that run makes objects of them (3.11+)
    running = running_frames()
    return [
        thing for thing in objects if id(thing) not in running and not _is_asking(thing)
    ]


def _is_asking(thing: object) -> bool:
    """Return whether it awaits the next item of a generator that runs just now."""
    return type(thing) is ours.AsyncItem and any(
        type(held) is AsyncGeneratorType and held.ag_running
        for held in gc.get_referents(thing)
    )


def _row(
    group: Group,
    path: ReferencePath | None,
    design: str | None,
    held: Mapping[int, int],
    place: Traceback,
) -> SurvivorGroup:
    traceback = place if group.place is not None else None
    sizes = None
    if len(group.things) <= _MOST_RETAINED:
        sizes = retained_sizes(group.things, Budget(_MOST_RETAINED), held)
    steps = [] if path is None else shape_of_path(path.root, path.references)
    return SurvivorGroup(
        type_name=group.type_name,
        count=len(group.things),
        size=sum(sizes_of(group.things)),
        traceback=traceback,
        held_by=path,
        fingerprint=fingerprint(
            "survivor", group.type_name, _function_of(traceback), *steps
        ),
        retained_size=None if sizes is None else sum(sizes),
        by_design=design,
    )


def _stays(row: SurvivorGroup) -> bool:
    return row.by_design is not None


def _function_of(traceback: Traceback | None) -> str:
    function = None if traceback is None else traceback.innermost.function
    return (function or "").rpartition(".")[2]


def _design(
    thing: object,
    defined: frozenset[int],
    trail: Trail | None = None,
    *,
    is_made_by_call: bool = False,
) -> str | None:
    """Return why the program's design keeps an object, None if nothing says so.

    A module that was imported is no reason for what a call has put into a container
    of it, but those of the standard library fill theirs at once.  No class that is
    made again and again is among what is ``defined``.
    """
    path = [thing] if trail is None else trail.objects
    for left, holder in zip(range(len(path) - 1, -1, -1), path, strict=True):
        if id(holder) not in defined:
            continue
        if type(holder) is ModuleType:
            name = str(detail_of(holder))
            if left < 2 or not is_made_by_call or _is_standard(name):
                return f"module {name} was imported"
        elif is_class(holder):
            return _MADE.format(type_name(cast("type", holder)))
    known = class_known_by(thing)
    if id(known) in defined:
        return _MADE.format(type_name(cast("type", known)))
    if trail is None or not trail.root.startswith("module "):
        return None
    module = trail.root.removeprefix("module ")
    if _is_standard(module) and _is_cache(trail.names):
        return f"a cache of {module.partition('.')[0]}"
    return None


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _is_cache(names: Sequence[str]) -> bool:
    way = " ".join(names).lower()
    # What is registered for a finalizer is the program's.
    return "finalize" not in way and any(word in way for word in _CACHES)


census.own(Survivors)
