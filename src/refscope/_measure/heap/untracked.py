"""Objects that the collector does not track, found by the place where they were made.

They are met in the containers that hold them.  Keys that are texts are no referents:
a dictionary with no other keys shows the collector its values only (dict_traverse,
Objects/dictobject.c).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator
from itertools import chain, compress, filterfalse, repeat, starmap
from operator import is_, itemgetter
from typing import cast

from refscope._measure.budget import CHUNK
from refscope._measure.cpython.hazards import referents_of
from refscope._measure.cpython.interpreter import count_elements, get_object_traceback
from refscope._measure.cpython.listed import listed
from refscope._measure.names.containers import dict_items, dict_keys

from . import census
from .holding import containers_among
from .keeping import Kept, KeptById
from .tracebacks import FRAMES, Place


class Untracked:
    """What was found; live objects."""

    __slots__ = ("_are_keys", "_places", "by_place", "dict_of_key")

    def __init__(self) -> None:
        self._places: Collection[Place] = ()
        self._are_keys: bool = False
        self.by_place: dict[Place, Kept[object]] = {}
        self.dict_of_key: KeptById[object] = KeptById()
        """A dictionary that has it as a key, by the identity of a text."""

    def clear(self) -> None:
        """Let go of everything."""
        self.by_place.clear()
        self.dict_of_key.clear()

    def ids(self) -> set[int]:
        """Return the identities of what was found at the places."""
        return {*map(id, chain.from_iterable(self.by_place.values()))}

    def count_in(self, held: dict[int, int]) -> None:
        """Count what this holds, by identity; a dictionary once for each key."""
        count_elements(held, self.ids())
        count_elements(held, map(id, self.dict_of_key.values()))

    def look_for(self, places: Collection[Place], *, are_keys: bool) -> None:
        """Find the untracked objects of these places among what objects hold.

        Among the keys of all dictionaries only if asked to: it takes much longer.
        """
        self._places = places
        self._are_keys = are_keys
        # Little per object but in C: while tracing is on, each int would be traced.
        level = Kept(census.without_own(listed()))
        seen: set[int] = set()  # tracked objects are not: they are met only here
        while level:
            hidden: KeptById[object] = KeptById()
            for first in range(0, len(level), CHUNK):
                containers = self._look_in(Kept(level[first : first + CHUNK]))
                hidden.update(zip(map(id, containers), containers, strict=True))
            new = [*filterfalse(seen.__contains__, hidden)]
            level = Kept(map(hidden.__getitem__, new))
            seen.update(new)
        for place, found in self.by_place.items():
            self.by_place[place] = Kept({id(thing): thing for thing in found}.values())

    def _look_in(self, holders: Kept[object]) -> Kept[object]:
        """Note what these hold, and return the untracked containers among it."""
        plain = Kept(filterfalse(gc.is_tracked, referents_of(holders)))
        self._note(plain)
        if self._are_keys:
            self._look_at_keys(holders)
        return Kept(containers_among(plain))

    def _look_at_keys(self, holders: Kept[object]) -> None:
        """Note keys of the dictionaries among these."""
        # Not isinstance(), which asks what has another type for its ``__class__``.
        are_dicts = map(issubclass, map(type, holders), repeat(dict))
        for holder in compress(holders, are_dicts):
            keys = self._note(Kept(dict_keys(holder)))
            if keys and not is_interned(holder):
                self.dict_of_key.update(zip(keys, repeat(holder)))

    def _note(self, things: Kept[object]) -> list[int]:
        """Note those that were made at one of the places; return their identities."""
        noted: list[int] = []
        for thing, place in traced(things, get_object_traceback):
            if place in self._places:
                self.by_place.setdefault(place, Kept()).append(thing)
                noted.append(id(thing))
        return noted


def is_interned(holder: object) -> bool:
    """Return whether it is the interpreter's own dictionary of names.

    From 3.14 on it is listed, as every dictionary is.  Each name is its own value, and
    is not kept by it.
    """
    return all(starmap(is_, dict_items(holder)))


def most_of_a_type(things: Kept[object]) -> tuple[type, Kept[object]]:
    """Return the commonest type, and the things of this type."""
    by_type: dict[int, Kept[object]] = {}
    for thing in things:
        by_type.setdefault(id(type(thing)), Kept()).append(thing)
    nothing: Kept[object] = Kept()
    most = max(by_type.values(), key=_length, default=nothing)
    return (type(most[0]) if most else object), most


def _length(things: Kept[object]) -> int:
    return len(things)


def traced(
    things: Kept[object], lines_of_one: Callable[[object], Place | None]
) -> Iterator[tuple[object, Place]]:
    """Yield those that have a traceback, with it; the others are passed by in C."""
    pairs = zip(things, map(lines_of_one, things), strict=True)
    found = filter(itemgetter(1), pairs)  # one at a time: they may be millions
    for thing, lines in cast("Iterator[tuple[object, Place]]", found):
        yield thing, lines[:FRAMES]


census.own(Untracked)
