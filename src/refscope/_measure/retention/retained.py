"""What would die with an object: sizes over a part of the heap, by dominators."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from gc import is_tracked
from itertools import chain, compress, filterfalse, repeat
from operator import is_, not_
from types import FrameType, FunctionType, ModuleType

from refscope._measure.algorithms.dominators import dominators
from refscope._measure.budget import CHUNK, Budget
from refscope._measure.cpython.classes import makes_classes_or_modules
from refscope._measure.cpython.hazards import referents_of
from refscope._measure.cpython.interpreter import count_elements
from refscope._measure.names.attributes import get_module_dict
from refscope._measure.names.containers import dict_keys
from refscope._measure.names.describe import sizes_of


_STAGE = "adding up what would die with it"
_NOTHING: Mapping[int, int] = {}


def closure(starts: Sequence[object], budget: Budget) -> list[object]:
    """Return the objects that these lead to, themselves first, each once.

    Modules, what is in their namespaces, and classes are not followed: they lead to
    everything, and nearly always stay.
    """
    known = dict(zip(map(id, starts), starts, strict=True))
    level = list(known.values())
    found = [*level]
    namespaces: set[int] | None = None  # they take as long as a small search
    while level and budget.spend(len(level), _STAGE):
        if namespaces is None and _lead_to_namespaces(level):
            namespaces = _namespaces_but(set(map(id, starts)))
        following: dict[int, object] = {}
        for start in range(0, len(level), CHUNK):
            referents = referents_of(level[start : start + CHUNK])
            following.update(zip(map(id, referents), referents, strict=True))
        new = list(filterfalse(known.__contains__, following))
        known.update(zip(new, map(following.__getitem__, new), strict=True))
        if namespaces is not None:
            new = list(filterfalse(namespaces.__contains__, new))
        level = _not_apart(list(map(following.__getitem__, new)))
        found += level
    return found


def retained_sizes(
    subjects: Sequence[object],
    budget: Budget,
    ours: Mapping[int, int] = _NOTHING,
    made: Collection[int] | None = None,
) -> list[int] | None:
    """Return for each subject the bytes that would die with it; None if cut short.

    ``ours`` says of objects how often lists of refscope's hold them, by identity.
    With ``made`` no others than these that the collector tracks are added up, such as
    the older rest of a chain, nor what they hold.

    The graph is that of all objects that the subjects lead to.  Which of them are
    held from elsewhere as well is known by their reference counts; the subjects
    themselves count as held by one reference from outside.
    """
    objects = closure(subjects, budget)
    if budget.is_spent:
        return None
    number = dict(zip(map(id, objects), range(1, len(objects) + 1), strict=True))
    successors: list[list[int]] = [[]]
    apart: list[int] = []
    for node, thing in enumerate(objects, 1):
        is_apart = made is not None and id(thing) not in made and is_tracked(thing)
        apart += [node] * is_apart
        held = () if is_apart else map(number.get, map(id, referents_of([thing])))
        successors.append(list(filter(None, held)))
    thing = None
    inside: dict[int, int] = {}
    count_elements(inside, chain.from_iterable(successors))
    successors[0] = [*range(1, len(subjects) + 1)]
    for node in range(len(subjects) + 1, len(successors)):
        known = inside.get(node, 0) + ours.get(id(objects[node - 1]), 0)
        if sys.getrefcount(objects[node - 1]) - _OWN > known:
            successors[0].append(node)
    sizes = [0, *sizes_of(objects)]
    for node, thing in enumerate(objects, 1):
        if issubclass(type(thing), dict):  # not isinstance(), which asks the object
            sizes[node] += _size_of_keys(thing, number, ours)
    thing = None
    for node in apart:
        sizes[node] = 0
    totals = dominators(successors, 0).totals(sizes)
    return totals[1 : len(subjects) + 1]


def _size_of_keys(
    holder: object, known: Collection[int], ours: Mapping[int, int]
) -> int:
    """Return the bytes of texts that only this dictionary has, as keys.

    If all its keys are texts, it does not show them to the collector.
    """
    keys = dict_keys(holder)
    size = 0
    for place, kind in enumerate(map(type, keys)):
        if kind is str and id(keys[place]) not in known:
            held = sys.getrefcount(keys[place]) - _OWN
            if held == 1 + ours.get(id(keys[place]), 0):
                size += sys.getsizeof(keys[place])
    return size


_NAMESPACED = frozenset(map(id, (FunctionType, FrameType)))


def _lead_to_namespaces(things: Sequence[object]) -> bool:
    return not _NAMESPACED.isdisjoint(map(id, map(type, things)))


def _namespaces_but(apart: Collection[int]) -> set[int]:
    """Return the identities of the dictionaries of all modules but some."""
    modules = list(sys.modules.values())
    plain = compress(modules, map(is_, map(type, modules), repeat(ModuleType)))
    return {id(get_module_dict(module)) for module in plain if id(module) not in apart}


def _not_apart(things: Sequence[object]) -> list[object]:
    """Return what is no module and no class; each step for all of them is in C."""
    types = list(map(type, things))
    keys = list(map(id, types))
    kinds = dict(zip(keys, types, strict=True))
    apart = {key for key, kind in kinds.items() if makes_classes_or_modules(kind)}
    return list(compress(things, map(not_, map(apart.__contains__, keys))))


def _own_references() -> int:
    """Return what a count shows for an object that only a list of ours holds."""
    objects = [object()]
    return sys.getrefcount(objects[0])


_OWN = _own_references()
