"""Who holds an object close to the roots, without a look at the whole heap.

Two facts make few objects enough.  All that modules and running functions refer to
is known from these alone.  And a reference count says how many references there are:
where so many were found, no other can be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence, Sized
from itertools import compress
from operator import not_
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType
from typing import cast

from . import census
from .budget import CHUNK
from .classes import FREE_THREADED
from .frames import variables_of
from .hazards import hazard, referents_of
from .keeping import Kept
from .roots import Roots


_LARGEST = 50_000
"""Entries of a container that is still looked into."""
_SIZED = frozenset(map(id, (list, tuple, dict, set, frozenset, deque)))
_RARELY = frozenset(map(id, (FunctionType, BuiltinFunctionType, CodeType, str)))
"""Types whose instances are many, and seldom what keeps something."""


class Nearby:
    """The roots of one moment, and what they refer to."""

    __slots__ = ("_rings_so_far", "_top", "roots")

    def __init__(self, roots: Roots, besides: Sequence[object]) -> None:
        """Take the roots, and other objects that are likely to hold each other."""
        self.roots: Roots = roots
        self._top: Kept[object] = Kept(roots.frames.values())
        avoided = hazard()
        for module in roots.module_of.values():
            if module is not avoided:
                self._top.append(module)
        self._top += roots.namespaces()
        self._rings_so_far: list[Kept[object]] = [_first_ring(roots, besides)]

    def roots_holding(self, wanted: Collection[int]) -> list[object]:
        """Return the roots, or their namespaces, that refer to any of these objects."""
        return [thing for thing, _ in _holding(self._top, frozenset(wanted))]

    def all_holding(self, node: int, count: int) -> list[object] | None:
        """Return who has these references to an object, None if some are not found."""
        if FREE_THREADED:  # pragma: no cover  # no exact counts there
            return None
        found: list[object] = []
        for ring in self._rings():
            for thing, times in _holding(ring, frozenset([node])):
                found.append(thing)
                count -= times
                if count <= 0:
                    return None if count else found
        return None

    def clear(self) -> None:
        """Let go of the program's objects."""
        self._top.clear()
        self._rings_so_far.clear()

    def _rings(self) -> Iterator[Kept[object]]:
        """Yield objects close by, each once: those that are most likely first."""
        yield from self._rings_so_far
        if len(self._rings_so_far) == 1:
            near: dict[int, object] = {}
            for start in range(0, len(self._top), CHUNK):
                _note(near, referents_of(self._top[start : start + CHUNK]))
            for thing in self._rings_so_far[0]:
                near.pop(id(thing), None)
            self._rings_so_far.append(Kept(near.values()))
            yield self._rings_so_far[1]


def _first_ring(roots: Roots, besides: Sequence[object]) -> Kept[object]:
    """Return the values of running functions, and some other objects."""
    near: dict[int, object] = {}
    for frame in roots.frames.values():
        if type(frame) is FrameType:
            _note(near, [value for _, value in variables_of(frame)])
    _note(near, besides)
    return Kept(near.values())


def _note(near: dict[int, object], things: Iterable[object]) -> None:
    """Note those of some things that may hold others, and are not too large."""
    things = list(things)
    rare = map(_RARELY.__contains__, map(id, map(type, things)))
    things = list(compress(things, map(not_, rare)))
    sized = map(_SIZED.__contains__, map(id, map(type, things)))
    containers = cast("Iterable[Sized]", compress(things, sized))
    large = {id(thing) for thing in containers if len(thing) > _LARGEST}
    near.update([(id(thing), thing) for thing in things if id(thing) not in large])


def _holding(
    things: Kept[object], wanted: frozenset[int]
) -> Iterator[tuple[object, int]]:
    """Yield which of some things refer to any that are wanted, and how often."""
    for start in range(0, len(things), CHUNK):
        some = things[start : start + CHUNK]
        if wanted.isdisjoint(map(id, referents_of(some))):
            continue
        for thing in some:
            held = map(wanted.__contains__, map(id, referents_of([thing])))
            times = sum(held)
            if times and not census.is_own(thing):
                yield thing, times


census.own(Nearby)
