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
from collections import deque
from collections.abc import Collection, Iterator
from itertools import chain, compress, islice, repeat, starmap
from operator import gt, is_not, not_, sub

from refscope._measure.budget import Budget
from refscope._measure.cpython.frames import running_frames
from refscope._measure.cpython.hazards import hazard
from refscope._measure.cpython.interpreter import count_elements
from refscope._measure.heap import graphs


_SAMPLE = 256
"""Objects from all over the heap, of which those are asked that are not known."""
_WIDTH = 8
"""Objects that are asked together: each reference there is is compared with all."""
_STEPS = 5


def held_outside(
    objects: list[object], known: Collection[int], budget: Budget
) -> list[object]:
    """Return some objects to which there are more references than in all objects.

    What is garbage is never among them: of that all references can be seen, whatever
    other threads do meanwhile.

    Args:
        objects: All objects that the collector tracks, each of them once.
        known: Identities of those that are not to be asked.
        budget: Ends the search when its time is over.
    """
    outside: list[object] = []
    apart = {id(objects), id(outside), id(hazard()), *_running()}
    asked: set[int] = set()
    some = objects[:: len(objects) // _SAMPLE + 1]
    level = _spread_out([thing for thing in some if id(thing) not in known])
    del some  # it holds them
    for _ in range(_STEPS):
        if not level or budget.is_out_of_time:
            break
        asked.update(map(id, level))
        counts, inner, holders = _held_in(level, apart, most=len(objects))
        others = map(sub, counts, repeat(1))  # from the list of all objects
        found = map(inner.get, map(id, level), repeat(0))
        outside += compress(level, map(gt, others, found))
        level = _spread_out([each for each in holders if id(each) not in asked])
        holders.clear()  # in the next step it would be one of them
    return outside


def _held_in(
    things: tuple[object, ...], apart: Collection[int], most: int
) -> tuple[list[int], dict[int, int], list[object]]:
    """Return reference counts of things, how often objects refer to each, and those.

    If those have more references than ``most`` in all it is taken for very often.

    Among those are no tuples: a thread may be making one, and fails if anybody
    else holds it meanwhile.  So nothing of Python runs between the look and that: all
    is one call in C, as in ``listed``.  Nor does a signal change what is counted.
    """
    inner: dict[int, int] = {}
    holders: list[object] = []
    lists: list[list[object]] = []
    more: list[int] = []
    apart = {*apart, id(things), id(holders)}
    are_apart = map(apart.__contains__, map(id, chain.from_iterable(lists)))
    theirs = compress(chain.from_iterable(lists), map(not_, are_apart))
    held = map(id, chain.from_iterable(map(gc.get_referents, theirs)))
    first = islice(held, most)
    wanted = {*map(id, things)}
    are_safe = map(is_not, map(type, chain.from_iterable(lists)), repeat(tuple))
    counts: list[int] = []
    steps: Iterator[object] = chain(
        map(counts.extend, (islice(graphs.counts_of(things), 1, None),)),
        map(lists.append, starmap(gc.get_referrers, (things,))),
        map(count_elements, (inner,), (filter(wanted.__contains__, first),)),
        map(more.extend, (islice(held, 1),)),
        map(holders.extend, (compress(chain.from_iterable(lists), are_safe),)),
        map(list[object].clear, lists),
    )
    deque(steps, maxlen=0)
    if more:
        inner = dict.fromkeys(wanted, sys.maxsize)
    return counts, inner, [holder for holder in holders if id(holder) not in apart]


def _spread_out(things: list[object]) -> tuple[object, ...]:
    """Return a few things from all over these.

    A tuple, of which a call with these as arguments makes no other one.
    """
    return tuple(things[:: len(things) // _WIDTH + 1])


def _running() -> set[int]:
    """Return the frames that run; after 3.10 they do not tell what they hold."""
    is_old = sys.version_info < (3, 11)
    return {*map(id, running_frames(sys._getframe()))} if is_old else set()
