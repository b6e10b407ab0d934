"""Borrow the collector and give it back as it was; note what it does meanwhile."""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable
from itertools import compress, repeat
from operator import is_not
from time import perf_counter_ns
from typing import Literal, TypeAlias, cast

from refscope._measure.cpython.classes import method_of
from refscope._measure.cpython.frozen import frozen_count
from refscope._measure.heap.keeping import Kept

from .born import remember


Callback: TypeAlias = Callable[[Literal["start", "stop"], dict[str, int]], object]
"""What ``gc.callbacks`` holds."""


# Indices of the numbers of the log; in an array, since kept ints are traced blocks.
GEN0, GEN1, GEN2, PAUSE, COLLECTED, UNCOLLECTABLE, _STARTED = range(7)
SIZE = 6
LONGEST = SIZE  # one more in each block's own array


_garbage: list[object] = gc.garbage
"""The collector's own list; the program may put another one in its place."""
_list_size = cast("Callable[[object], int]", method_of(list, "__sizeof__"))


def collect_nothing() -> bool:
    """Empty the free lists by a collection that finds everything frozen.

    Where the program has frozen something, which must not be thawed, it does nothing
    and returns False.
    """
    if frozen_count():
        return False
    try:
        gc.freeze()
        gc.collect()
    finally:
        gc.unfreeze()
    return True


class Collector:
    """What automatic and explicit collections of the program did while we listened.

    Its callback runs inside every collection, so it only adds to numbers in place.
    """

    __slots__ = (
        "_away",
        "_borrowed",
        "_callback",
        "_is_owed",
        "_is_own",
        "_is_quiet",
        "_listeners",
        "_passes",
        "_was_enabled",
        "numbers",
    )

    def __init__(self, is_own: Callable[[], bool] = bool) -> None:
        """Listen, but for collections that come while ``is_own`` tells so."""
        self._callback = self._on_collection
        self._is_own = is_own
        self.numbers = array("q", bytes(8 * 7))
        self._is_quiet = False
        # Each pass stops tracking tuples that hold only what is not tracked, so the
        # first time a few are needed until nested ones have settled.
        self._passes = 2
        self._listeners: list[array[int]] = []
        self._borrowed = 0
        self._away: set[int] = set()
        self._was_enabled = False
        self._is_owed = False

    def borrow(self) -> None:
        """Keep automatic collections away while refscope works; may be nested.

        What is to be undone is noted first, as Ctrl-C may come after each call.
        """
        is_first = self._is_at_home
        self._borrowed += 1
        if is_first:
            gc.disable()

    @property
    def _is_at_home(self) -> bool:
        """Whether nobody keeps it away, and note then how it was."""
        if self._borrowed or self._away:
            return False
        self._was_enabled = gc.isenabled() or self._is_owed
        return True

    def __enter__(self) -> None:
        self.borrow()

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def give_back(self) -> None:
        """Switch automatic collections on again if they were on."""
        if self._borrowed == 1 and self._was_enabled and not self._away:
            self._is_owed = False
            gc.enable()
        self._borrowed -= 1

    def reclaim(self) -> None:
        """Give it back for those that were kept from it."""
        while self._borrowed:
            self.give_back()

    def send_away(self, who: int) -> None:
        """Keep automatic collections away, also while the program works."""
        is_first = self._is_at_home
        self._away.add(who)
        if is_first:
            gc.disable()

    def call_back(self, who: int) -> None:
        """Undo ``send_away``; needs ``come_back``, before which others may borrow."""
        if self._was_enabled and who in self._away:
            self._is_owed = True
        self._away.discard(who)

    def come_back(self) -> None:
        """Switch automatic collections on again if nobody keeps them away."""
        if self._is_owed and not (self._away or self._borrowed):
            self._is_owed = False
            gc.enable()

    def forget_away(self) -> None:
        """Call it back for threads that are not there any more."""
        for who in [*self._away]:
            self.call_back(who)
        self.come_back()

    def collect(self) -> int:
        """Run one full collection that is not reported as the program's.

        Nothing may be allocated here: finalizers run, so this is the program's time.
        So it is for the others of its kind; they return the bytes they had to take.
        """
        self._is_quiet = True
        try:
            gc.collect()
            while self._passes:
                self._passes -= 1
                gc.collect()
        finally:
            self._is_quiet = False
        return 0

    def collect_once(self) -> int:
        """Run one full collection that is not reported; return what it found."""
        self._is_quiet = True
        try:
            return gc.collect()
        finally:
            self._is_quiet = False

    def collect_and_keep(self) -> int:
        """Do the same, but let what is found live on; return the bytes that takes.

        ``gc.DEBUG_SAVEALL``: it is put into ``gc.garbage`` after its finalizers ran.
        """
        flags = gc.get_debug()
        room = _list_size(_garbage)
        try:
            gc.set_debug(flags | gc.DEBUG_SAVEALL)
            self.collect()
        finally:
            gc.set_debug(flags)
        return _list_size(_garbage) - room

    @property
    def is_keeping(self) -> bool:
        """Whether the program itself lets nothing be freed."""
        return bool(gc.get_debug() & gc.DEBUG_SAVEALL)

    def in_garbage(self) -> int:
        """Return how many objects are in ``gc.garbage``."""
        return len(_garbage)

    def take_back(self, into: list[object], before: int) -> None:
        """Move what is there beyond that many objects: the next collection frees it."""
        into += _garbage[before:]
        del _garbage[before:]

    def empty_free_lists(self) -> None:
        """Give the interpreter's spare objects back, where nothing is frozen.

        Blocks on a free list keep their trace, or have none, whoever takes them next.
        A full collection empties the lists, and collects nothing and takes no time
        while everything is frozen.  Where the program has frozen something the lists
        stay as they are, and our own work is only taken out of the count that makes
        the next collection come.
        """
        remember()
        aside: Kept[Callback] = Kept()
        try:
            self.step_aside(aside)
            if not collect_nothing():
                gc.collect(0)
        finally:
            try:
                self.step_back(aside)
            except BaseException:  # Ctrl-C: they are the program's
                self.step_back(aside)
                raise

    def step_aside(self, into: Kept[Callback]) -> None:
        """Take all callbacks away for a collection of ours, into an empty list.

        They are the program's code, and what they allocate in a collection that the
        program did not ask for is no news.  With none, gc makes no ``info`` either.
        They are no plain list, which would be the first on the emptied free list
        in the end, perhaps with no trace.
        """
        into[:], gc.callbacks[:] = gc.callbacks, ()  # no call, so all at once

    def step_back(self, aside: Kept[Callback]) -> None:
        """Let the callbacks listen again, before those that came meanwhile."""
        mine = self._callback
        if self._place() is not None or not self._listeners:  # it came, or has to go
            aside[:] = compress(aside, map(is_not, aside, repeat(mine)))
        gc.callbacks[:0], aside[:] = aside, ()

    def listen(self, into: array[int]) -> None:
        """Note the present numbers in a block's array; longest pauses go there."""
        if self._place() is None:
            gc.callbacks.append(self._callback)
        self._listeners.append(into)
        into[:SIZE] = self.numbers[:SIZE]
        into[LONGEST] = 0

    def since(self, noted: array[int]) -> list[int] | None:
        """Return what was added since ``listen``; None if somebody removed us."""
        if self._place() is None:
            return None
        added = [
            now - then for now, then in zip(self.numbers[:SIZE], noted, strict=False)
        ]
        return [*added, noted[LONGEST]]

    def ignore(self, noted: array[int]) -> None:
        """Stop noting pauses for a block; the last one takes the callback away."""
        self._listeners[:] = [other for other in self._listeners if other is not noted]
        if not self._listeners:
            self.abandon()

    def abandon(self) -> None:
        """Take the callback away; for the exit of the interpreter."""
        self._listeners.clear()
        place = self._place()
        if place is not None:
            del gc.callbacks[place]

    def _place(self) -> int | None:
        """Return where our callback stands; by identity, the others are strangers."""
        for place, callback in enumerate(gc.callbacks):
            if callback is self._callback:
                return place
        return None

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        numbers = self.numbers
        if self._is_quiet or self._is_own():
            return
        if phase == "start":
            numbers[_STARTED] = perf_counter_ns()
            return
        pause = perf_counter_ns() - numbers[_STARTED]
        numbers[min(info["generation"], 2)] += 1
        numbers[PAUSE] += pause
        numbers[COLLECTED] += info["collected"]
        numbers[UNCOLLECTABLE] += info["uncollectable"]
        for listener in self._listeners:
            listener[LONGEST] = max(listener[LONGEST], pause)
