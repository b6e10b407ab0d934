"""Which tracked objects were made in a stretch of time, exactly.

Comparing identities before and after is wrong, since addresses are used again.  But
the collector keeps young and old objects apart: at the start everything is made old
in O(1), by ``gc.freeze()`` and ``gc.unfreeze()``, and from then on only what is about
to become old is noted.  Noted identities of objects that died do no harm: whoever has
such an address later is new as well.

Older objects can look young in one way only: up to 3.13 a dictionary or tuple that
held nothing to track is not in any generation, and comes into the youngest when it
gets something.  Where memory is traced such a dictionary is known by having no trace.
"""

from __future__ import annotations

import gc
import sys
from array import array
from collections.abc import Callable
from itertools import compress
from operator import not_
from types import (
    CellType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import ClassVar
from weakref import ReferenceType

from . import census, ours
from .classes import FREE_THREADED, metaclasses_are_plain
from .describe import lines_of
from .interpreter import get_object_traceback, is_tracing
from .keeping import Kept
from .listed import listed


_INCREMENTAL = (3, 14) <= sys.version_info < (3, 14, 5)
_LATE_DICTS = sys.version_info < (3, 14)
_PART = 50_000
_RETRACED = sys.version_info >= (3, 12)
_NEVER_SPARE: frozenset[type] = frozenset(
    (
        CellType,
        FunctionType,
        GetSetDescriptorType,
        MemberDescriptorType,
        MethodDescriptorType,
        ModuleType,
        ReferenceType,
        WrapperDescriptorType,
        classmethod,
        property,
        staticmethod,
        type,
        *([dict] if _LATE_DICTS else []),  # one without a trace is left out anyway
    )
)
"""Much of a heap, and the interpreter keeps no dead ones of them for reuse."""

LATE_DICTS = (
    "dictionaries that were empty or held only atoms before the block, and hold more "
    "since, may be among the survivors: without sites they cannot be told apart"
)
UNSEEN_BORN = (
    "{} young objects were there before and some of their addresses may have been used "
    "again: as many survivors may be missing (with collect=True they would not be)"
)
UNMARKED = (
    "this build does not keep young and old objects apart: survivors are objects that "
    "tracing has seen, and it has not seen what came from free lists"
)
UNHEARD = (
    "collections ran inside this block, which is in another traced one: what they made "
    "old is not among the survivors (the outer block has it)"
)
FROZEN_INSIDE = "gc.freeze() was called inside the block: survivors are unknown"


def _nothing() -> None:
    """Stand where blocks puts its own functions."""


class _Open:
    """The stretches that are open, and what is done around each note."""

    stretches: ClassVar[Kept[Born]] = Kept()
    guards: ClassVar[list[Callable[[], None]]] = [_nothing, _nothing]
    numbers: ClassVar[array[int]] = array("q", bytes(24))


class Born:
    """A stretch of time, and what was made in it."""

    __slots__ = (
        "_collections",
        "_doubtful",
        "_frozen",
        "_is_settled",
        "_promoted",
        "is_listening",
        "is_traced",
    )

    def __init__(self, *, is_traced: bool, is_listening: bool = True) -> None:
        self._promoted: array[int] = array("Q")
        self._doubtful: array[int] = array("Q")
        self._frozen: int = 0
        self._collections: int = 0
        self._is_settled: bool = False
        self.is_listening: bool = is_listening
        """Whether to listen to collections.  It takes memory while the program runs,
        which its peak would show; traces know as much where they are fresh."""
        self.is_traced: bool = is_traced
        """Whether tracing began with the stretch, so that older objects have none."""

    def begin(self, *, is_settled: bool = False) -> None:
        """Begin; ``is_settled`` says that a full collection has just run."""
        self._is_settled = is_settled
        self._frozen = gc.get_freeze_count()
        if not self._frozen:
            remember()
            gc.freeze()
            gc.unfreeze()
        elif not is_settled:
            # Neither thawed nor collected behind the program's back: remembered.
            self._doubtful.extend(map(id, young_objects()))
        _Open.stretches.append(self)
        if self.is_listening and all(
            hook is not _on_collection for hook in gc.callbacks
        ):
            gc.callbacks.append(_on_collection)
        self._collections = _collections()

    def note(self, young: list[object]) -> None:
        """Note objects that are about to become old."""
        self._promoted.extend(map(id, young))
        ours.disown_buffer(self._promoted)

    def look(self, *, is_raw: bool = False) -> list[object]:
        """Return what was made since ``begin`` and is alive, and go on.

        Args:
            is_raw: With what is refscope's own, and dictionaries that look young.
        """
        if FREE_THREADED:  # pragma: no cover  # none at hand
            return [o for o in listed() if get_object_traceback(o) is not None]
        young = young_objects()
        by_trace = self._must_ask_traces()
        if self._promoted or by_trace:
            old = listed(2)
            if self.is_traced and is_tracing() and metaclasses_are_plain():
                old = _perhaps_new(old)
            promoted = set(self._promoted)
            if by_trace:
                promoted.update(map(id, filter(lines_of, old)))
            young += _those_of(promoted, old)
            del old
        if not is_raw:
            young = census.foreign(young)
        if self._doubtful:
            # No comprehension with a variable of ours: up to 3.11 its cell is young.
            doubtful = map(set(self._doubtful).__contains__, map(id, young))
            young = list(compress(young, map(not_, doubtful)))
        if self._knows_late and not is_raw and is_tracing():
            young = [thing for thing in young if not _is_late(thing)]
        return young

    @property
    def _knows_late(self) -> bool:
        """Whether each new dictionary has a trace.

        One from a free list has none up to 3.11, unless the lists were emptied.
        """
        return _LATE_DICTS and self.is_traced and (_RETRACED or self._is_settled)

    def _must_ask_traces(self) -> bool:
        """Return whether the program's collections made objects old meanwhile."""
        is_blind = not self.is_listening and _collections() != self._collections
        return is_blind and self.is_traced and is_tracing()

    def abandon(self) -> None:
        """Stop listening."""
        _Open.stretches[:] = [other for other in _Open.stretches if other is not self]
        if not any(map(_is_listening, _Open.stretches)):
            hooks = [hook for hook in gc.callbacks if hook is not _on_collection]
            gc.callbacks[:] = hooks

    @property
    def limits(self) -> tuple[str, ...]:
        """What may be missing or too much."""
        if FREE_THREADED:  # pragma: no cover  # none at hand
            return (UNMARKED,)
        if gc.get_freeze_count() > self._frozen:
            return (FROZEN_INSIDE,)
        if (
            not self.is_listening
            and not self.is_traced
            and (_collections() != self._collections)
        ):
            return (UNHEARD,)
        if self._doubtful:
            return (UNSEEN_BORN.format(f"{len(self._doubtful):,}"),)
        if _LATE_DICTS and not self._knows_late:
            return (LATE_DICTS,)
        return ()


def guard(
    begin: Callable[[], None], end: Callable[[], None], numbers: array[int]
) -> None:
    """Let what is noted inside a collection be nobody's memory.

    The numbers are the program's collections by generation, while a block is open.
    """
    _Open.guards[:] = [begin, end]
    _Open.numbers = numbers


def abandon_all() -> None:
    """Let every stretch stop listening; for the exit of the interpreter."""
    for stretch in [*_Open.stretches]:
        stretch.abandon()


def remember() -> None:
    """Note what is young for every open stretch: before all is made old."""
    if _Open.stretches:
        young = young_objects()
        for stretch in _Open.stretches:
            stretch.note(young)


def _on_collection(phase: str, info: dict[str, int]) -> None:
    """Note what is about to become old.

    A collection of the youngest generation leaves objects young, but for the
    incremental collector of 3.14.0 to 3.14.4, where there are only two.
    """
    if phase == "start" and (info["generation"] or _INCREMENTAL):
        _Open.guards[0]()
        try:
            remember()
        finally:
            _Open.guards[1]()


def _is_listening(stretch: Born) -> bool:
    return stretch.is_listening


def _collections() -> int:
    """Return how many collections of the program's made objects old."""
    numbers = _Open.numbers  # no slice of it, which stays on a free list
    return numbers[1] + numbers[2] + (numbers[0] if _INCREMENTAL else 0)


def young_objects() -> list[object]:
    """Return what the collector has not made old."""
    young = listed(0)  # the list itself is not among them
    young += listed(1)
    return young


def _those_of(wanted: set[int], old: list[object]) -> list[object]:
    """Return the old objects of some identities.

    What became old last is at the end of the list, mostly: from there, until all are
    found.
    """
    found: list[object] = []
    for end in range(len(old), 0, -_PART):
        part = old[max(0, end - _PART) : end]
        found[:0] = compress(part, map(wanted.__contains__, map(id, part)))
        if len(found) == len(wanted):
            break
    return found


def _perhaps_new(old: list[object]) -> list[object]:
    """Return those that have a trace, or may come from a free list without one.

    It is only for speed: while memory is traced, each identity is traced as well.
    """
    return [
        thing
        for thing in old
        if type(thing) not in _NEVER_SPARE or get_object_traceback(thing) is not None
    ]


def _is_late(thing: object) -> bool:
    kind = type(thing)
    return kind is dict and get_object_traceback(thing) is None


census.own(Born)
