"""How built-in containers refer to what is in them.

Contents are read by the methods of the built-in type itself: a subclass may have
overridden them.
"""

from __future__ import annotations

import builtins
import functools
import gc
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import cast

from .classes import get_members, get_mro
from .referents import Referents
from .spelling import attribute, element, place, subscript


FROZEN_DICT = getattr(builtins, "frozendict", None)
"""The type of 3.15, or None."""

CACHE = type(functools.lru_cache(lambda: None))
"""The type of a function with a cache."""

_ATTEMPTS = 3


def snapshot(items: Callable[[], Iterable[object]]) -> list[object]:
    """Return the items of a container that another thread may be changing."""
    for _ in range(_ATTEMPTS):
        try:
            return list(items())
        except RuntimeError:  # changed size during iteration
            continue
    return []


def name_dict(refs: Referents) -> None:
    """Name values by their keys, then keys."""
    holder = cast("dict[object, object]", refs.holder)
    _name_pairs(refs, snapshot(lambda: dict.items(holder)))


def name_frozen_dict(refs: Referents) -> None:
    """Name values and keys of the frozendict of 3.15, which is no dict."""
    _name_pairs(refs, snapshot(lambda: FROZEN_DICT.items(refs.holder)))


def _name_pairs(refs: Referents, pairs: list[object]) -> None:
    items = cast("list[tuple[object, object]]", pairs)
    keys = [key for key, _ in items]
    refs.take_items(subscript, keys, [value for _, value in items])
    refs.take_items(element, keys, keys)


def name_default_dict(refs: Referents) -> None:
    """Name the function that makes what is missing."""
    refs.take_members(defaultdict, ("default_factory",))


def name_list(refs: Referents) -> None:
    """Name items by their place."""
    items = list(list.__iter__(cast("list[object]", refs.holder)))
    refs.take_items(place, range(len(items)), items)


def name_tuple(refs: Referents) -> None:
    """Name items by their place, or by the field of a named tuple."""
    items = list(tuple.__iter__(cast("tuple[object, ...]", refs.holder)))
    fields = _fields_of(refs.kind)
    if len(fields) == len(items):
        refs.take_items(attribute, fields, items)
    else:
        refs.take_items(place, range(len(items)), items)


def _fields_of(kind: type) -> tuple[str, ...]:
    """Return the fields of a named tuple; nothing for other tuples."""
    for base in get_mro(kind):
        if base is tuple:
            break
        fields = get_members(base).get("_fields")
        if type(fields) is tuple:
            texts = cast("tuple[object, ...]", fields)
            if all(type(text) is str for text in texts):
                return cast("tuple[str, ...]", texts)
    return ()


def name_deque(refs: Referents) -> None:
    """Name items by their place."""
    holder = cast("deque[object]", refs.holder)
    items = snapshot(lambda: deque.__iter__(holder))
    refs.take_items(place, range(len(items)), items)


def name_set(refs: Referents) -> None:
    """Name elements by themselves."""
    holder = cast("set[object]", refs.holder)
    items = snapshot(lambda: set.__iter__(holder))
    refs.take_items(element, items, items)


def name_frozen_set(refs: Referents) -> None:
    """Name elements by themselves."""
    items = list(frozenset.__iter__(cast("frozenset[object]", refs.holder)))
    refs.take_items(element, items, items)


def name_cache(refs: Referents) -> None:
    """Name what ``functools.lru_cache`` keeps.

    Of a bounded cache the collector sees keys and results by turns, in the order of
    their use (lru_cache_tp_traverse, Modules/_functoolsmodule.c).
    """
    everything = gc.get_referents(refs.holder)
    own = [thing for thing in everything if type(thing) is dict]
    for cache in own:
        keys = {id(key): key for key in snapshot(lambda: dict.keys(cache))}  # noqa: B023
        for thing, result in zip(everything, everything[1:], strict=False):
            if id(thing) in keys:
                refs.take(f"<cached result for {element(thing)[1:-1]}>", result)
                refs.take(f"<cached key {element(thing)[1:-1]}>", thing)


def name_context_node(refs: Referents) -> None:
    """Name values of context variables in a node of the tree of a context.

    The collector sees them in pairs (Python/hamt.c): the value, then its variable.
    """
    everything = gc.get_referents(refs.holder)
    for value, variable in zip(everything, everything[1:], strict=False):
        if type(variable) is ContextVar:
            refs.take(f"<context variable {variable.name}>", value)
            refs.take("<context variable>", variable)
