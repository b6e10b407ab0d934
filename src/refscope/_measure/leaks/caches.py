"""Caches and queues that have a bound, also those that are plain dictionaries."""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, cast

from refscope._measure.cpython.classes import get_members, get_mro, type_name
from refscope._measure.names.attributes import get_module_dict
from refscope._measure.names.describe import detail_of


_LRU = "functools._lru_cache_wrapper"
_CACHES = (
    ("re", "_cache", 512),
    ("re", "_cache2", 256),  # from 3.12 on
    ("xml.etree.ElementPath", "_cache", 101),
)
"""Plain dictionaries: module, name, how many entries it takes (3.10 to 3.15)."""


def bounded(thing: object) -> tuple[str, int] | None:
    """Return the name of such a cache and how many entries it takes at most."""
    for module, name, most in _CACHES:
        namespace = get_module_dict(sys.modules.get(module, sys))
        if namespace.get(name) is thing:
            return f"cache {module}.{name}", most
    return None


def not_full(holders: Sequence[object]) -> str | None:
    """Return in words how much a holder takes at most, if it is not full yet."""
    for thing in holders:
        known = _filled(thing)
        if known is not None and known[2] < known[1]:
            name, most, now = known
            name += _function_of(thing) if name == _LRU else ""
            return f"{name} of at most {most:,} ({now:,} now)"
    return None


def room_in(holders: Sequence[object]) -> int | None:
    """Return how many more the last of some holders takes; None if it has no bound.

    That of a cache which is the last but one is in a dictionary of its own.
    """
    for thing in holders[:-3:-1]:
        known = _filled(thing)
        if known is not None and (thing is holders[-1] or known[0] == _LRU):
            return known[1] - known[2]
    return None


def _filled(thing: object) -> tuple[str, int, int] | None:
    """Return what has a bound by its name, how much it takes, and has now."""
    cache = bounded(thing)
    if cache is not None:
        return *cache, _ENTRIES(thing)
    for base in get_mro(type(thing)):
        if type_name(base) == _LRU:
            ask = cast(
                "Callable[[object], tuple[int, int, int | None, int]]",
                get_members(base)["cache_info"],
            )
            _, _, most, now = ask(thing)
        elif base is deque:
            queue = cast("deque[object]", thing)
            most, now = _LIMIT(queue), _WAITING(queue)
        else:
            continue
        return None if most is None else (type_name(base), most, now)
    return None


def _function_of(cache: object) -> str:
    """Return in brackets whose results a cache keeps, nothing for a function of C."""
    found = [held for held in gc.get_referents(cache) if type(held) is FunctionType]
    return f" ({detail_of(found[0])})" if found else ""


_LIMIT = cast(
    "Callable[[object], int | None]", cast("Any", get_members(deque)["maxlen"]).__get__
)
_ENTRIES = cast("Callable[[object], int]", get_members(dict)["__len__"])
_WAITING = cast("Callable[[object], int]", get_members(deque)["__len__"])
