"""What Python itself keeps of classes, modules and functions, and what is refscope's.

Every class is in a cycle with its methods, every module with its functions.  In a
search for live cycles these would join nearly everything into one component, so they
are kept apart: nothing leads through them.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from itertools import compress, filterfalse, repeat
from operator import is_
from types import FunctionType
from typing import cast

from refscope._measure.algorithms.reach import reachable
from refscope._measure.budget import CHUNK, Budget
from refscope._measure.cpython.classes import (
    MODULES,
    derives_from,
    is_class,
    is_metaclass,
    makes_classes_or_modules,
    type_name,
)
from refscope._measure.heap.graphs import Graph
from refscope._measure.names.attributes import get_module_dict

from .shapes import Component


STAGE = "following live objects"
_MAKERS = ("attr._make._ClassBuilder", "attr._make.Converter")
"""Types of what attrs leaves behind when it has made a class."""
_FUNCTIONS = repeat(FunctionType)


class Bookkeeping:
    """Knows which objects are to be kept apart."""

    __slots__ = ("_kinds", "_namespaces")

    def __init__(self) -> None:
        self._kinds: dict[int, bool] = {}
        self._namespaces: set[int] = set()
        self.note(list(cast("dict[str, object]", sys.modules).values()))

    def without(self, objects: Sequence[object]) -> list[object]:
        """Return the objects that are the program's."""
        self.note(objects)
        return [
            thing
            for thing in objects
            if not self._is_apart(type(thing)) and id(thing) not in self._namespaces
        ]

    def note(self, objects: Sequence[object]) -> None:
        """Remember the namespaces of functions and modules, which are plain dicts."""
        kinds = dict(zip(map(id, map(type, objects)), map(type, objects), strict=True))
        modules = {key for key, kind in kinds.items() if derives_from(kind, MODULES)}
        namespaces = self._namespaces
        for thing in compress(objects, map(is_, map(type, objects), _FUNCTIONS)):
            namespaces.add(id(cast("FunctionType", thing).__globals__))
        if modules:
            are_modules = map(modules.__contains__, map(id, map(type, objects)))
            for thing in compress(objects, are_modules):
                namespaces.add(id(get_module_dict(thing)))

    def _is_apart(self, kind: type) -> bool:
        """Return whether instances are classes or modules, or refscope's."""
        known = self._kinds.get(id(kind))
        if known is None:
            known = self._kinds[id(kind)] = makes_classes_or_modules(
                kind
            ) or is_own_type(kind)
        return known

    def reached_from(self, roots: Sequence[object], budget: Budget) -> list[object]:
        """Return the roots and what they lead to, not by way of what is kept apart."""
        seen = dict(zip(map(id, roots), roots, strict=True))
        level = list(seen.values())
        self.note(level)
        while level and budget.spend(len(level), STAGE):
            found: dict[int, object] = {}
            for start in range(0, len(level), CHUNK):
                referents = gc.get_referents(*level[start : start + CHUNK])
                found.update(zip(map(id, referents), referents, strict=True))
            # Not a difference of their keys, which goes through all that was seen.
            new = [*map(found.__getitem__, filterfalse(seen.__contains__, found))]
            level = self.without(new)
            seen.update(zip(map(id, level), level, strict=True))
        return list(seen.values())


def is_own_type(kind: type) -> bool:
    """Return whether a class is refscope's; those of its demo stand for a program's."""
    name = type_name(kind)
    return name.startswith("refscope.") and not name.startswith("refscope._demo.")


def own_nodes(graph: Graph, found: Sequence[Component]) -> set[int]:
    """Return nodes of garbage that refscope left, with what only that leads to.

    Each attrs class leaves another one, made on the way, when it is defined, and what
    made it.
    """
    kinds = graph.kinds
    wanted = {
        key
        for key, kind in graph.types.items()
        if is_metaclass(kind) or is_own_type(kind) or type_name(kind) in _MAKERS
    }
    if not wanted:
        return set()
    chosen = map(wanted.__contains__, kinds)
    own = {
        node
        for node in compress(range(len(graph)), chosen)
        if _is_own(graph.object_of(node))
    }
    if not own:
        return own
    ours = [component for component in found if not own.isdisjoint(component)]
    others = [component for component in found if own.isdisjoint(component)]
    theirs = reachable(graph.successors, [node for each in others for node in each])
    return {
        node
        for node in reachable(graph.successors, [n for each in ours for n in each])
        if node not in theirs
    }


def _is_own(thing: object) -> bool:
    if type_name(type(thing)) in _MAKERS:
        return any(map(_is_part_of_ours, gc.get_referents(thing)))
    return is_own_type(cast("type", thing) if is_class(thing) else type(thing))


def _is_part_of_ours(thing: object) -> bool:
    """Return whether it is a class of refscope's, or a function that makes a field."""
    if type(thing) is FunctionType:
        name: object = thing.__module__
        return type(name) is str and name.startswith("refscope.reports.")
    return is_class(thing) and is_own_type(cast("type", thing))
