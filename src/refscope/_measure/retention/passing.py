"""How objects die: of their last reference, or by the collector."""

from __future__ import annotations

import gc
from typing import Literal
from weakref import ref

from refscope._measure.cpython.classes import is_heap_type, type_name
from refscope._measure.heap import census
from refscope._measure.heap.keeping import KeptById, KeptWeakly
from refscope.exceptions import ArgumentTypeError
from refscope.reports import Verdict


FreedBy = Literal["refcount", "gc"]


class _Collection:
    """Whether the collector is at work; listened to while something is waited for."""

    is_running = False


def _on_collection(phase: str, _: dict[str, int]) -> None:
    _Collection.is_running = phase == "start"


def charge_on(thing: object) -> Verdict | None:
    """Return the verdict on an object that is expected to be gone; else None."""
    reasons = [
        passing.reason
        for each in [*_waiting.values()]
        if (passing := each()) is not None and passing.subject() is thing
    ]
    return Verdict("yes", reasons[-1]) if reasons else None


class Passing:
    """A weak hold on an object, and how it died.

    While the object lives, a callback in ``gc.callbacks`` tells whether a collection
    is going on.  The last passing that ends takes it away.
    """

    __slots__ = (
        "__weakref__",
        "_reference",
        "freed_by",
        "is_waiting",
        "reason",
        "type_name",
    )

    def __init__(self, subject: object, reason: str) -> None:
        self.type_name: str = type_name(type(subject))
        self.reason: str = reason
        self.freed_by: FreedBy | None = None
        self.is_waiting: bool = False
        # No cycle: a dropped expectation listens no longer.
        mine: KeptWeakly[Passing] = KeptWeakly(self)
        try:
            self._reference: ref[object] | None = KeptWeakly(subject, _OnDeath(mine))
        except TypeError:
            slots = ", or add '__weakref__' to the __slots__ of its class"
            raise ArgumentTypeError(
                f"an object of type {self.type_name} cannot be held weakly, so nobody "
                "can tell when it is gone: expect the object that holds it to be gone "
                f"instead{slots if is_heap_type(type(subject)) else ''}"
            ) from None
        self.is_waiting = True
        if not _waiting:
            _Collection.is_running = False
            gc.callbacks.append(_on_collection)
        _waiting[id(self)] = mine

    def subject(self) -> object | None:
        """Return the object, None when it is gone."""
        return None if self._reference is None else self._reference()

    def end(self) -> None:
        """Stop listening for collections."""
        if not self.is_waiting:
            return
        self.is_waiting = False
        _waiting.pop(id(self), None)
        if not _waiting:
            gc.callbacks[:] = [
                hook for hook in gc.callbacks if hook is not _on_collection
            ]

    def die(self) -> None:
        """Note how the object died."""
        self.freed_by = "gc" if _Collection.is_running else "refcount"
        self._reference = None
        self.end()

    def __del__(self) -> None:
        self.end()


class _OnDeath:
    """What a dead object calls."""

    __slots__ = ("_mine",)

    def __init__(self, mine: ref[Passing]) -> None:
        self._mine = mine

    def __call__(self, _: object) -> None:
        passing = self._mine()
        if passing is not None:  # pragma: no branch  # threads may come between
            passing.die()


_waiting: dict[int, ref[Passing]] = KeptById()
"""Those whose objects live, by identity."""

census.own(Passing, _OnDeath)
