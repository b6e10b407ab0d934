"""Generators and coroutines that run: their variables are those of a running frame.

Since 3.11 the collector is told of the variables of one that runs by the generator,
too.  Whoever reads running frames would have each of them twice.
"""

from __future__ import annotations

from collections.abc import Container
from operator import attrgetter
from types import AsyncGeneratorType, CoroutineType, GeneratorType


_STATES = {
    id(GeneratorType): attrgetter("gi_running", "gi_yieldfrom"),
    id(CoroutineType): attrgetter("cr_running", "cr_await"),
    id(AsyncGeneratorType): attrgetter("ag_running", "ag_await"),
}
_FRAMES = {
    id(GeneratorType): attrgetter("gi_frame"),
    id(CoroutineType): attrgetter("cr_frame"),
    id(AsyncGeneratorType): attrgetter("ag_frame"),
}
KINDS = _STATES.keys()
"""Identities of the types of what has a frame of its own, and can wait in it."""


def runs_in(thing: object, frames: Container[int]) -> bool:
    """Return whether a generator or coroutine runs now, in one of some frames.

    Args:
        thing: Anything.
        frames: Identities of frames that run.
    """
    kind = id(type(thing))
    if kind not in KINDS:
        return False
    is_running, awaited = _STATES[kind](thing)
    # An async generator that waits counts as running (ag_running), and to ask it for
    # its frame would make one that stays.
    return is_running and awaited is None and id(_FRAMES[kind](thing)) in frames
