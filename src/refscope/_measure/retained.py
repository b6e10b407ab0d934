"""What would die with an object: sizes over a part of the heap, by dominators."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import compress, filterfalse, tee
from operator import not_
from types import ModuleType

from .algorithms.dominators import dominators
from .budget import CHUNK, Budget
from .describe import sizes_of
from .hazards import referents_of


_STAGE = "adding up what would die with it"


def closure(starts: Sequence[object], budget: Budget) -> list[object]:
    """Return the objects that these lead to, themselves first, each once.

    What cannot die (modules, and types of C) is not followed: it holds everything.
    """
    known = dict(zip(map(id, starts), starts, strict=True))
    level = list(known.values())
    found = [*level]
    while level and budget.spend(len(level), _STAGE):
        following: dict[int, object] = {}
        for start in range(0, len(level), CHUNK):
            referents = referents_of(level[start : start + CHUNK])
            following.update(zip(map(id, referents), referents, strict=True))
        new = list(filterfalse(known.__contains__, following))
        known.update(zip(new, map(following.__getitem__, new), strict=True))
        level = list(_mortal(map(following.__getitem__, new)))
        found += level
    return found


def retained_sizes(
    subjects: Sequence[object], budget: Budget, ours: Collection[int] = ()
) -> list[int] | None:
    """Return for each subject the bytes that would die with it; None if cut short.

    ``ours`` are the identities of objects that a list of refscope's holds once more.

    The graph is that of all objects that the subjects lead to.  Which of them are
    held from elsewhere as well is known by their reference counts; the subjects
    themselves count as held by one reference from outside.
    """
    objects = closure(subjects, budget)
    if budget.is_spent:
        return None
    number = dict(zip(map(id, objects), range(1, len(objects) + 1), strict=True))
    successors: list[list[int]] = [[]]
    inside = [0] * (len(objects) + 1)
    for thing in objects:
        held = [number[key] for key in map(id, referents_of([thing])) if key in number]
        for node in held:
            inside[node] += 1
        successors.append(held)
    thing = None
    successors[0] = [*range(1, len(subjects) + 1)]
    for node in range(len(subjects) + 1, len(successors)):
        known = inside[node] + (id(objects[node - 1]) in ours)
        if sys.getrefcount(objects[node - 1]) - _OWN > known:
            successors[0].append(node)
    sizes = [0, *sizes_of(objects)]
    totals = dominators(successors, 0).totals(sizes)
    return totals[1 : len(subjects) + 1]


_IMMORTAL = frozenset(map(id, (ModuleType, type)))


def _mortal(things: Iterable[object]) -> Iterator[object]:
    """Return those that may die; each step of it is in C."""
    objects, types = tee(things)
    kinds = map(id, map(type, types))
    return compress(objects, map(not_, map(_IMMORTAL.__contains__, kinds)))


def _own_references() -> int:
    """Return what a count shows for an object that only a list of ours holds."""
    objects = [object()]
    return sys.getrefcount(objects[0])


_OWN = _own_references()
