"""Who holds what, for many objects at once; every step of it is in C."""

from __future__ import annotations

import gc
from collections import defaultdict, deque
from collections.abc import Iterator
from itertools import chain, compress, filterfalse, repeat


_append = list[object].append
_CONTAINERS = frozenset(map(id, (tuple, dict, frozenset)))
"""Types of containers that the collector may not track."""


def note_holders(
    holders: defaultdict[int, list[object]], things: list[object]
) -> list[object]:
    """Note who of these holds what; return containers that no list of objects has."""
    referents = list(map(gc.get_referents, things))
    held = list(chain.from_iterable(referents))
    owners = chain.from_iterable(map(repeat, things, map(len, referents)))
    entries = map(holders.__getitem__, map(id, held))
    deque(map(_append, entries, owners), maxlen=0)
    return list(containers_among(list(filterfalse(gc.is_tracked, held))))


def containers_among(things: list[object]) -> Iterator[object]:
    """Return those of untracked things that may hold others."""
    kinds = map(id, map(type, things))
    return compress(things, map(_CONTAINERS.__contains__, kinds))
