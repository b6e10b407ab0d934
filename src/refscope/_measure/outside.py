"""Objects that running code holds: a search for what is alive begins there as well.

A variable of a running function is in no object since 3.11, so who follows references
from the modules never comes to what ``main`` keeps in its own.  Such a thing has more
references than there are in all objects together, which is dear to ask of every
object.  So a few are asked, then those that refer to them, and so on: what most of
them hang on is found in a few steps.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection
from itertools import compress, repeat
from operator import gt, sub

from . import heap
from .hazards import hazard, referents_of
from .interpreter import count_elements


_SAMPLE = 256
"""Objects from all over the heap, of which those are asked that are not known."""
_WIDTH = 8
"""Objects that are asked together: each reference there is is compared with all."""
_STEPS = 5


def held_outside(objects: list[object], known: Collection[int]) -> list[object]:
    """Return some objects to which there are more references than in all objects.

    Nothing else may run meanwhile.

    Args:
        objects: All objects that the collector tracks, each of them once.
        known: Identities of those that are not to be asked.
    """
    outside: list[object] = []
    apart = {id(objects), id(outside), id(hazard()), *_running()}
    asked: set[int] = set()
    some = objects[:: len(objects) // _SAMPLE + 1]
    level = _spread_out([thing for thing in some if id(thing) not in known])
    del some  # it holds them
    for _ in range(_STEPS):
        if not level:
            break
        wanted = {*map(id, level)}
        asked |= wanted
        [_, *counts] = heap.counts_of(level)  # before others of ours hold them
        holders = [
            holder
            for holder in gc.get_referrers(*level)
            if holder is not level and id(holder) not in apart
        ]
        inner: dict[int, int] = {}
        held = map(id, referents_of(holders))
        count_elements(inner, filter(wanted.__contains__, held))
        others = map(sub, counts, repeat(1))  # from the list of all objects
        found = map(inner.get, map(id, level), repeat(0))
        outside += compress(level, map(gt, others, found))
        level = _spread_out([each for each in holders if id(each) not in asked])
        holders.clear()  # in the next step it would be one of them
    return outside


def _spread_out(things: list[object]) -> tuple[object, ...]:
    """Return a few things from all over these.

    A tuple, of which a call with these as arguments makes no other one.
    """
    return tuple(things[:: len(things) // _WIDTH + 1])


def _running() -> set[int]:
    """Return the frames that run; after 3.10 they do not tell what they hold."""
    frames: set[int] = set()
    frame = sys._getframe() if sys.version_info < (3, 11) else None
    while frame is not None:
        frames.add(id(frame))
        frame = frame.f_back
    return frames
