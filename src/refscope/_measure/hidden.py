"""Holders that the collector does not list: untracked ones, and those of a frozen heap.

Tuples, dictionaries and frozen sets of atoms are not tracked, nor is code; what
``gc.freeze`` put aside is not listed.  All of them are found behind what is listed.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import CodeType

from .budget import CHUNK, Budget
from .classes import is_dict
from .holders import Held
from .names_containers import dict_keys
from .refcounts import Box
from .spelling import element


_STAGE = "looking behind what the collector tracks"
_LEAVES = frozenset(
    map(id, (str, int, float, complex, bytes, bytearray, bool, type(None)))
)
_CODE_PARTS = (
    "co_consts",
    "co_names",
    "co_filename",
    "co_name",
    "co_qualname",
    "co_linetable",
    "co_exceptiontable",
)


def behind(things: list[object], budget: Budget) -> Iterator[list[object]]:
    """Yield what things refer to and the collector does not list, level by level.

    Args:
        things: What the collector lists; to be emptied.
        budget: The bounds of the search.
    """
    known = set(map(id, things))
    known.update((id(things), id(known)))
    while things:
        found: list[object] = []
        known.add(id(found))
        for start in range(0, len(things), CHUNK):
            if not budget.spend(min(CHUNK, len(things) - start), _STAGE):
                return
            for thing in referents(things[start : start + CHUNK]):
                if id(thing) not in known and id(type(thing)) not in _LEAVES:
                    known.add(id(thing))
                    found.append(thing)
        yield found
        things = found


def referents(things: list[object]) -> list[object]:
    """Return what things refer to, code included, which tells the collector nothing."""
    found = gc.get_referents(*things)
    for thing in things:
        if type(thing) is CodeType:
            found.extend(part for _, part in parts_of(thing))
    return found


def parts_of(code: CodeType) -> list[tuple[str, object]]:
    """Return the parts of code that it keeps as they are."""
    return [(f".{name}", getattr(code, name, None)) for name in _CODE_PARTS]


def holding(box: Box, things: list[object]) -> list[object]:
    """Return those of the things that refer to what is in the box."""
    wanted = id(box[0])
    return [thing for thing in things if wanted in map(id, gc.get_referents(thing))]


def held_by_code(box: Box, things: list[object]) -> list[Held]:
    """Return references from the parts of code."""
    return [
        Held(thing, name)
        for thing in things
        if type(thing) is CodeType
        for name, part in parts_of(thing)
        if part is box[0]
    ]


def held_as_keys(box: Box, things: list[object]) -> list[Held]:
    """Return references from keys of dictionaries that have only texts for keys.

    The collector is not told of these keys (dict_traverse, Objects/dictobject.c).
    """
    wanted = id(box[0])
    name = element(box[0])
    return [
        Held(thing, name)
        for thing in things
        if is_dict(thing)
        and wanted in map(id, dict_keys(thing))
        and wanted not in map(id, gc.get_referents(thing))
    ]
