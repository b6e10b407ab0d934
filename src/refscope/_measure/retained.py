"""What would die with an object: sizes over a part of the heap, by dominators."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from types import ModuleType

from .algorithms.dominators import dominators
from .budget import CHUNK, Budget
from .describe import size_of
from .hazards import referents_of


_STAGE = "adding up what would die with it"


def closure(starts: Sequence[object], budget: Budget) -> list[object]:
    """Return the objects that these lead to, themselves first, each once.

    What cannot die (modules, and types of C) is not followed: it holds everything.
    """
    found: list[object] = []
    seen: set[int] = set()
    level: list[object] = [*starts]
    while level:
        fresh: list[object] = []
        for thing in level:
            if id(thing) not in seen:
                seen.add(id(thing))
                fresh.append(thing)
        found += fresh
        if not budget.spend(len(fresh), _STAGE):
            break
        level = []
        for start in range(0, len(fresh), CHUNK):
            level += filter(_may_die, referents_of(fresh[start : start + CHUNK]))
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
    sizes = [0, *map(size_of, objects)]
    totals = dominators(successors, 0).totals(sizes)
    return totals[1 : len(subjects) + 1]


def _may_die(thing: object) -> bool:
    return type(thing) is not ModuleType and type(thing) is not type


def _own_references() -> int:
    """Return what a count shows for an object that only a list of ours holds."""
    objects = [object()]
    return sys.getrefcount(objects[0])


_OWN = _own_references()
