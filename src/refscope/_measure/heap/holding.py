"""Who holds what, for many objects at once; every step of it is in C."""

from __future__ import annotations

import gc
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from itertools import chain, compress, filterfalse, repeat
from operator import is_

from refscope._measure.budget import CHUNK
from refscope._measure.cpython.hazards import referents_of


_append = list[object].append
_CONTAINERS = (tuple, dict, frozenset)
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


def held_by(things: Sequence[object], *, tracked: bool = True) -> set[int]:
    """Return the identities of what things refer to, of tracked objects only or of all.

    While memory is traced, each identity is an int that is traced.
    """
    held: set[int] = set()
    for start in range(0, len(things), CHUNK):
        referents = referents_of(things[start : start + CHUNK])
        held.update(map(id, filter(gc.is_tracked, referents) if tracked else referents))
    return held


def containers_among(things: list[object]) -> Iterator[object]:
    """Return those of untracked things that may hold others.

    No identities of types: while memory is traced, each would be an int that is traced.
    """
    return chain.from_iterable(
        [compress(things, map(is_, map(type, things), repeat(t))) for t in _CONTAINERS]
    )
