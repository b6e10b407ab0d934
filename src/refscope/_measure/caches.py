"""Caches and queues that have a bound, also those that are plain dictionaries."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

from .classes import get_members, get_mro, type_name
from .names_attributes import get_module_dict


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
        cache = bounded(thing)
        if cache is not None and _ENTRIES(thing) < cache[1]:
            return f"{cache[0]} of at most {cache[1]:,} ({_ENTRIES(thing):,} now)"
        for base in get_mro(type(thing)):
            if type_name(base) == "functools._lru_cache_wrapper":
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
            if most is not None and now < most:
                return f"{type_name(base)} of at most {most:,} ({now:,} now)"
    return None


_LIMIT = cast(
    "Callable[[object], int | None]", cast("Any", get_members(deque)["maxlen"]).__get__
)
_ENTRIES = cast("Callable[[object], int]", get_members(dict)["__len__"])
_WAITING = cast("Callable[[object], int]", get_members(deque)["__len__"])
