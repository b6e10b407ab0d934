"""How many objects of each type there are, counted without touching one.

Objects are those that the collector tracks.  What is refscope's own is left out: its
handles and reports with the containers in them, its generators, bound methods and
frames.
"""

from __future__ import annotations

import gc
import marshal
from array import array
from collections.abc import Callable, Iterable, Iterator
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from itertools import compress, repeat
from operator import not_
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FrameType,
    GeneratorType,
    MethodType,
    TracebackType,
)
from typing import cast
from weakref import ref

from refscope._measure.cpython.classes import object_size, type_name
from refscope._measure.cpython.frozen import frozen_count
from refscope._measure.cpython.interpreter import count_elements
from refscope._measure.cpython.listed import finished, listed

from . import ours
from .tally import Tally


Census = dict[str, tuple[int, int]]
"""Objects by the full name of their type, and the size of one (-1 if it varies)."""

_CODE_OWNERS: dict[type, str] = {
    GeneratorType: "gi_code",
    CoroutineType: "cr_code",
    AsyncGeneratorType: "ag_code",
    FrameType: "f_code",
}
_WRAPPED = ("args", "kwargs")
"""How the wrapper of a decorated function names its arguments."""
_IS_SUSPENDED = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
_HELD_TYPES = (tuple, list, dict, array, ref)
_HELD = frozenset(map(id, _HELD_TYPES))
_own_types: set[int] = set()  # identities: a hostile metaclass must not be hashed
_holders_of_others: set[int] = set()
_suspects: set[type] = {*_CODE_OWNERS, MethodType, TracebackType}


def own(*kinds: type, holds_ours: bool = True) -> None:
    """Leave objects of these types, which are refscope's, out of every census.

    So are the containers in them, unless they hold what is the program's.
    """
    _own_types.update(map(id, kinds))
    _suspects.update(kinds)
    if not holds_ours:
        _holders_of_others.update(map(id, kinds))


def own_types() -> frozenset[int]:
    """Return the identities of refscope's types."""
    return frozenset(_own_types)


def is_own(thing: object) -> bool:
    """Return whether an object is refscope's by its type."""
    return id(type(thing)) in _own_types


def foreign(objects: list[object]) -> list[object]:
    """Return those that are not refscope's, without tuples that settle."""
    tally = Tally(objects)
    mine = _settling(finished(_tuples(tally)))
    mine.update(map(id, _own_objects(tally.of(*_suspects), mine)))
    return [thing for thing in objects if id(thing) not in mine]


def without_own(objects: list[object]) -> Iterator[object]:
    """Return those that are neither refscope's nor containers in what is."""
    mine = set(map(id, _own_objects(Tally(objects).of(*_suspects), set())))
    return compress(objects, map(not_, map(mine.__contains__, map(id, objects))))


def take() -> Census:
    """Count the objects of this process by type name.

    On 3.12 constants that the collector has frozen by itself are to be thawed before.
    """
    tally = Tally(listed())
    settling = _settling(finished(_tuples(tally)))
    mine: dict[int, int] = {id(tuple): len(settling)}
    own_objects = _own_objects(tally.of(*_suspects), settling)
    if frozen_count():
        counted = {*map(id, tally.of(*_HELD_TYPES, *_suspects))}
        own_objects = [thing for thing in own_objects if id(thing) in counted]
    count_elements(mine, map(id, map(type, own_objects)))
    census: Census = {}
    for kind, number in tally.counts():
        name = type_name(kind)
        size = object_size(kind)
        before, known = census.get(name, (0, size))
        total = before + number - mine.get(id(kind), 0)
        census[name] = (total, size if known == size else -1)
    return census


def freeze(census: Census) -> bytes:
    """Return the census as one block that no collector sees."""
    return marshal.dumps(census)


def difference(baseline: bytes) -> list[tuple[str, int, int | None]]:
    """Return type name, objects more, and their bytes (None if they vary in size)."""
    after = take()
    before: Census = marshal.loads(baseline)  # noqa: S302  # our own bytes
    rows: list[tuple[str, int, int | None]] = []
    for name in {**before, **after}:
        old, old_size = before.get(name, (0, 0))
        new, size = after.get(name, (0, old_size))
        if new != old:
            fixed = size >= 0 and old_size in {0, size}
            rows.append((name, new - old, (new - old) * size if fixed else None))
    return rows


def _tuples(tally: Tally) -> list[tuple[object, ...]]:
    return cast("list[tuple[object, ...]]", [*tally.of(tuple)])


_maps = cast("Callable[..., Iterator[Iterable[object]]]", map)
"""``map`` of ``map``, which no type checker can tell."""


def _settling(tuples: list[tuple[object, ...]]) -> set[int]:
    """Return which tuples hold only what the collector will not track.

    It stops tracking them sooner or later, nested ones a level at each collection
    (Modules/gcmodule.c, untrack_tuples): counted, they would seem to be freed.
    """
    # Heaps have tens of thousands of tuples: whatever looks at each is in C.
    is_open = [*map(any, _maps(map, repeat(gc.is_tracked), tuples))]
    closed = _without_dicts([*compress(tuples, map(not_, is_open))])
    settling = {*map(id, closed)}
    nested = [*compress(tuples, is_open)]
    if not all(map(settling.isdisjoint, _maps(map, repeat(id), nested))):
        _add_nested(settling, nested)
    return settling


def _add_nested(settling: set[int], nested: list[tuple[object, ...]]) -> None:
    """Add the tuples that will settle once those that they hold have settled."""
    tracked = _maps(filter, repeat(gc.is_tracked), nested)
    only_tuples = map({id(tuple)}.issuperset, _type_ids(tracked))
    unsettled: dict[int, int] = {}
    holders: dict[int, list[int]] = {}
    for items in _without_dicts([*compress(nested, only_tuples)]):
        tuples = [*map(id, filter(gc.is_tracked, items))]
        unsettled[id(items)] = len(tuples)
        for key in tuples:
            holders.setdefault(key, []).append(id(items))
    settled = [*settling]
    for key in settled:  # it grows
        for holder in holders.get(key, ()):
            unsettled[holder] -= 1
            if not unsettled[holder]:
                settled.append(holder)
    settling.update(settled)


def _without_dicts(tuples: list[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    """Leave out those that hold a dictionary, which may be tracked one day."""
    return compress(tuples, map({id(dict)}.isdisjoint, _type_ids(tuples)))


def _type_ids(groups: Iterable[Iterable[object]]) -> Iterator[Iterable[object]]:
    """Return the identities of the types of what is in each group."""
    return _maps(map, repeat(id), _maps(map, repeat(type), groups))


def _own_objects(suspects: Iterable[object], settling: set[int]) -> list[object]:
    """Return those that are refscope's, and the tracked containers that they hold.

    Settling tuples are left out of the count already.
    """
    mine: dict[int, object] = {}
    holders: list[object] = []
    for thing in suspects:
        if id(type(thing)) in _own_types:
            if id(type(thing)) not in _holders_of_others:
                holders.append(thing)
            mine[id(thing)] = thing
        elif runs_our_code(thing):
            mine[id(thing)] = thing
            for held in _arguments(thing):
                mine[id(held)] = held
    while holders:
        referents: list[object] = gc.get_referents(holders.pop())
        for held in referents:
            is_held = id(type(held)) in _HELD and gc.is_tracked(held)
            if is_held and id(held) not in mine:
                mine[id(held)] = held
                holders.append(held)
    return [thing for key, thing in mine.items() if key not in settling]


def _arguments(thing: object) -> list[object]:
    """Return the arguments as the wrapper of a decorated function got them.

    One that has not begun holds them (up to 3.10 its frame does), in a tuple and a
    dictionary of its own.
    """
    owner = _CODE_OWNERS.get(type(thing))
    if owner is None:
        return []
    code: CodeType = getattr(thing, owner)
    if code.co_varnames[:2] != _WRAPPED or not code.co_flags & _IS_SUSPENDED:
        return []
    known: set[int] = set()
    if type(thing) is FrameType:
        known = {id(thing.f_globals), id(thing.f_builtins)}
    referents: list[object] = gc.get_referents(thing)
    return [
        held
        for held in referents
        if id(held) not in known
        and gc.is_tracked(held)
        and (type(held) is tuple or type(held) is dict)
    ]


def runs_our_code(thing: object) -> bool:
    """Return whether a generator, frame, traceback or bound method is refscope's."""
    if type(thing) is MethodType:
        return id(type(thing.__self__)) in _own_types
    if type(thing) is TracebackType:
        thing = thing.tb_frame
    code = getattr(thing, _CODE_OWNERS[type(thing)])
    filename: str = code.co_filename
    return filename.startswith(ours.FILES)
