"""What the collector lists, without tuples that C is still building.

The collector tracks a tuple as soon as there is room for it, so it lists those with
places that hold nothing yet: ``tuple(f(x) for x in ...)`` up the stack (up to 3.13), or
a row that another thread waits for a database to fill.  Two things end badly then:

- Reading an empty place in plain Python (``for``, ``[0]``, ``==``, ``hash``) is a
  segmentation fault.  ``gc.get_referents`` leaves it out.
- Who builds a tuple may resize it, which raises SystemError in the *program* if anybody
  else holds a reference to it meanwhile (``_PyTuple_Resize``, Objects/tupleobject.c):
  so does a list of all objects in one thread, to ``tuple(...)`` in another.
"""

from __future__ import annotations

import _thread
import gc
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import copy_context
from itertools import chain, compress, count, filterfalse, repeat, starmap
from operator import delitem, eq, getitem, indexOf, is_, mul, ne, not_
from types import BuiltinMethodType, MethodWrapperType
from typing import TypeVar, cast

from refscope._measure.budget import CHUNK, Budget

from .classes import is_heap_type
from .frozen import frozen_count
from .hazards import hazard, referents_of


Tuple = tuple[object, ...]
T = TypeVar("T", bound=Sequence[object])

_TOOLS = {
    chain,
    compress,
    count,
    map,
    repeat,
    starmap,
    list,
    tuple,
    *map(type, (iter(()), iter([]), iter(int, 0))),
}


def listed(generation: int | None = None) -> list[object]:
    """Return the objects of a generation, or of all, as ``gc.get_objects`` does.

    If there are other threads, tuples with empty places are taken out before any of
    them can run: not one line of Python runs between the list and that, all of it is
    one call in C.  (A tuple that is full, and about to grow, looks like any other.)

    Beside that nothing is made for each object, not even an int: while memory is
    traced, that would take most of the time.
    """
    if is_alone():
        return gc.get_objects(generation)
    # One list of all, from the collector itself: a copy would count all references
    # again.  What holds it is the oldest of what the steps are made of.
    lists: list[list[object]] = []
    tuples: list[Tuple] = []
    places: list[int] = []
    unfinished: list[int | None] = [None]
    have_gaps = map(
        ne,
        map(len, _tuples_at(places, lists)),
        map(len, map(gc.get_referents, _tuples_at(places, lists))),
    )
    # Which tuples these are is asked only where there are any.
    counts = chain.from_iterable(map(mul, ([count()],), map(not_, _are_full(tuples))))
    steps: Iterable[object] = chain(
        map(lists.append, map(gc.get_objects, (generation,))),
        map(tuples.extend, (_tuples_in(lists),)),
        map(places.extend, map(compress, counts, repeat(_are_tuples(lists)))),
        starmap(tuples.clear, ((),)),
        map(unfinished.extend, (compress(places, have_gaps),)),
        map(delitem, _again(lists), iter(unfinished.pop, None)),  # the last one first
    )
    sink = deque[object](maxlen=0)
    tools = _tools(steps)
    sink.extend(steps)
    found = lists.pop()
    _take_out([lists, sink, tools, *tools], found, generation)
    return found


# -- What is asked of a list that is not there yet, as the only item of another.
def _are_tuples(lists: list[list[object]]) -> Iterator[bool]:
    return map(is_, map(type, chain.from_iterable(lists)), repeat(tuple))


def _tuples_in(lists: list[list[object]]) -> Iterator[Tuple]:
    tuples = compress(chain.from_iterable(lists), _are_tuples(lists))
    return cast("Iterator[Tuple]", tuples)


def _tuples_at(places: list[int], lists: list[list[object]]) -> Iterator[Tuple]:
    return cast("Iterator[Tuple]", map(getitem, _again(lists), places))


def _again(lists: list[list[object]]) -> Iterator[list[object]]:
    return map(lists.__getitem__, repeat(0))


def _are_full(things: Sequence[Sequence[object]]) -> Iterator[bool]:
    """Tell once, when asked, whether some tuples and lists have no empty places.

    All are visited at once, and one list of what they hold is made.
    """
    sizes = map(sum, (map(len, things),))
    return map(eq, sizes, map(len, starmap(gc.get_referents, (things,))))


def _take_out(
    tools: list[object], objects: list[object], generation: int | None
) -> None:
    """Take the tools that made a list out of it; the first is the oldest.

    The collector's lists are in the order of age, so the others come behind it, unless
    a collection came between.  If it is not there, it is young, and they are as well.
    """
    ours = {*map(id, filter(gc.is_tracked, tools))}
    places = [slice(None)]
    try:
        start = indexOf(map(is_, objects, repeat(tools[0])), True)  # noqa: FBT003  # what is looked for
        places.insert(0, slice(start, start + 4 * len(ours)))
    except ValueError:
        if generation == 2:
            return
    for place in places:
        if ours:
            part = objects[place]
            are_ours = [*map(ours.__contains__, map(id, part))]
            ours.difference_update(map(id, compress(part, are_ours)))
            objects[place] = compress(part, map(not_, are_ours))


def is_alone() -> bool:
    """Return whether this process has no other thread of Python."""
    return not _thread._count()


def everything(
    wanted: Callable[[list[object]], list[object]], budget: Budget
) -> list[object]:
    """Return what the collector lists, and what ``gc.freeze`` took from its lists.

    Frozen objects are found by following references, from modules, the values of this
    thread's context and all that is listed.

    Args:
        wanted: Takes out of some objects what is to be left alone.
        budget: Ends the search for frozen ones when its time is over.
    """
    objects = wanted(listed())
    if not frozen_count():
        return objects
    seen = {*map(id, objects), id(hazard())}
    level = [*sys.modules.values(), *gc.get_referents(copy_context()), *objects]
    objects += _not_in(seen, level, wanted)
    while level and not budget.is_out_of_time:
        found = referents_of(level[:CHUNK])
        del level[:CHUNK]
        fresh = _not_in(seen, found, wanted)
        level += fresh
        objects += fresh
    return objects


def _not_in(
    seen: set[int],
    things: list[object],
    wanted: Callable[[list[object]], list[object]],
) -> list[object]:
    """Return what the collector tracks and was not seen yet; it is seen then."""
    known = dict(zip(map(id, things), things, strict=True))
    new = map(known.__getitem__, filterfalse(seen.__contains__, known))
    tracked = [*filter(gc.is_tracked, new)]
    seen.update(map(id, tracked))
    return wanted(tracked)


def _tools(steps: object) -> list[object]:
    """Return what the steps are made of, which the collector will list too."""
    tools, known = [steps], {id(steps)}
    for tool in tools:  # it grows
        for part in gc.get_referents(tool):
            is_tool = type(part) in _TOOLS or _is_method_of_list(part)
            if is_tool and id(part) not in known:
                known.add(id(part))
                tools.append(part)
    return tools


def _is_method_of_list(thing: object) -> bool:
    is_method = type(thing) is BuiltinMethodType or type(thing) is MethodWrapperType
    return is_method and type(getattr(thing, "__self__")) is list  # noqa: B009


def finished(things: list[T]) -> list[T]:
    """Return the plain tuples and lists of these that have no empty places."""
    if next(_are_full(things)):
        return things
    sizes, found = map(len, things), map(len, map(gc.get_referents, things))
    return [*compress(things, map(eq, sizes, found))]


def items_of(holder: object, size: int) -> list[object]:
    """Return the items of a tuple or list; none if it has empty places.

    They are visited last, from the end (tuple_traverse, Objects/tupleobject.c, and
    list_traverse, Objects/listobject.c).
    """
    found = gc.get_referents(holder)
    first = len(found) - size
    if first < is_heap_type(type(holder)):  # then it refers to its class, too
        return []
    del found[:first]
    found.reverse()
    return found
