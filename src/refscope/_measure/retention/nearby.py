"""Who holds an object close to the roots, without a look at the whole heap.

Two facts make few objects enough.  All that modules and running functions refer to
is known from these alone.  And a reference count says how many references there are:
where so many were found, no other can be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence, Sized
from itertools import compress, repeat
from operator import gt, not_
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
)
from typing import cast

from refscope._measure.budget import CHUNK
from refscope._measure.cpython.classes import FREE_THREADED
from refscope._measure.cpython.frames import variables_of
from refscope._measure.cpython.hazards import hazard, referents_of
from refscope._measure.cpython.interpreter import allocated_blocks, is_tracing
from refscope._measure.cpython.listed import is_alone
from refscope._measure.heap import census
from refscope._measure.heap.keeping import Kept
from refscope._measure.heap.roots import Roots


_MANY = 600_000
"""Blocks of memory from which on a look at the heap takes longer."""
_RUNNING = frozenset(
    map(id, (GeneratorType, CoroutineType, AsyncGeneratorType, FrameType))
)
_LARGEST = 50_000
"""Entries of a container that is still looked into."""
_SIZED = frozenset(map(id, (list, tuple, dict, set, frozenset, deque)))
_RARELY = frozenset(map(id, (FunctionType, BuiltinFunctionType, CodeType, str)))
"""Types whose instances are many, and seldom what keeps something."""


class Nearby:
    """The roots of one moment, and what they refer to."""

    __slots__ = ("_besides", "_later", "_top", "_values", "roots")

    def __init__(self, roots: Roots, besides: Sequence[object]) -> None:
        """Take the roots, and other objects that are likely to hold each other."""
        self.roots: Roots = roots
        self._top: Kept[object] = Kept(roots.frames.values())
        avoided = hazard()
        for module in roots.module_of.values():
            if module is not avoided:
                self._top.append(module)
        self._top += roots.namespaces()
        near: dict[int, object] = {}
        for frame in roots.frames.values():
            if type(frame) is FrameType:
                _note(near, [value for _, value in variables_of(frame)])
        self._values: Kept[object] = Kept(near.values())
        """The values of running functions."""
        self._later: Kept[object] | None = None
        """What modules refer to."""
        near.clear()
        _note(near, besides)
        for thing in self._values:
            near.pop(id(thing), None)
        self._besides: Kept[object] = Kept(near.values())

    def roots_holding(self, wanted: Collection[int]) -> list[object]:
        """Return the roots, or their namespaces, that refer to any of these objects."""
        return [thing for thing, _ in _holding(self._top, frozenset(wanted))]

    def all_holding(self, node: int, count: int) -> list[object] | None:
        """Return who has these references to an object, None if some are not found.

        What is closest to the roots comes first.
        """
        wanted = frozenset([node])
        close: list[object] = []
        besides: list[object] = []
        for is_close, ring in self._rings():
            for thing, times in _holding(ring, wanted):
                if times > 1 and id(type(thing)) in _RUNNING:
                    return None  # one of them may be borrowed (3.14+)
                (close if is_close else besides).append(thing)
                count -= times
                if count <= 0:
                    return None if count else [*close, *besides]
        return None

    def clear(self) -> None:
        """Let go of the program's objects."""
        for things in (self._top, self._values, self._besides):
            things.clear()
        self._later = None

    def _rings(self) -> Iterator[tuple[bool, Kept[object]]]:
        """Yield whether things are close to the roots, and the things."""
        yield True, self._values
        yield False, self._besides
        yield True, self._of_modules()

    def _of_modules(self) -> Kept[object]:
        """Return what modules refer to and was not looked at, noted when needed."""
        if self._later is None:
            near: dict[int, object] = {}
            for start in range(0, len(self._top), CHUNK):
                _note(near, referents_of(self._top[start : start + CHUNK]))
            for thing in (*self._values, *self._besides):
                near.pop(id(thing), None)
            self._later = Kept(near.values())
        return self._later


def nearby(besides: Sequence[object]) -> Nearby | None:
    """Return what is near, None if a look at the heap is quicker, or safer.

    Other threads move references meanwhile; while memory is traced, each identity is an
    int that is traced.
    """
    is_small = allocated_blocks() < _MANY
    if FREE_THREADED or is_small or is_tracing() or not is_alone():
        return None
    return Nearby(Roots(), besides)


def _note(near: dict[int, object], things: Iterable[object]) -> None:
    """Note those of some things that may hold others, and are not too large."""
    things = list(things)
    rare = map(_RARELY.__contains__, map(id, map(type, things)))
    things = list(compress(things, map(not_, rare)))
    near.update(zip(map(id, things), things, strict=True))
    sized = map(_SIZED.__contains__, map(id, map(type, things)))
    containers = cast("list[Sized]", list(compress(things, sized)))
    are_large = map(gt, map(len, containers), repeat(_LARGEST))
    for thing in compress(containers, are_large):
        near.pop(id(thing), None)


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
