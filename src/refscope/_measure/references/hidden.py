"""Holders that the collector does not list: untracked ones, and those of a frozen heap.

Tuples, dictionaries and frozen sets of atoms are not tracked, nor is code; what
``gc.freeze`` put aside is not listed.  All of them are found behind what is listed.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from itertools import chain, compress, filterfalse, repeat
from operator import is_, not_
from types import CodeType, FrameType
from typing import cast

from refscope._measure.budget import CHUNK, Budget
from refscope._measure.cpython.classes import is_dict
from refscope._measure.cpython.frames import has_variables, variables_in
from refscope._measure.cpython.frozen import frozen_count
from refscope._measure.cpython.hazards import referents_of
from refscope._measure.names.containers import dict_keys
from refscope._measure.names.spelling import element

from .holders import Held
from .refcounts import IS_OLD, Box


_STAGE = "looking behind what the collector tracks"

_LEAVES = frozenset(
    map(id, (str, int, float, complex, bytes, bytearray, bool, type(None)))
)
_CODE_PARTS = (
    *("co_consts", "co_names", "co_filename", "co_name", "co_linetable"),
    # Later versions make these when they are asked for.
    *(
        ("co_code", "co_varnames", "co_freevars", "co_cellvars")
        if IS_OLD
        else ("co_qualname", "co_exceptiontable")
    ),
)


class Chunk:
    """Part of a search behind what the collector lists."""

    __slots__ = ("referents", "unlisted")

    def __init__(self, referents: list[object], unlisted: list[object]) -> None:
        self.referents: list[object] = referents
        """What some objects refer to."""
        self.unlisted: list[object] = unlisted
        """Those that were not listed and not met before, and may hold others."""


class Listed:
    """Tells what the collector lists from what it does not."""

    __slots__ = ("_listed",)

    def __init__(self, things: list[object]) -> None:
        # What is frozen is tracked and not listed; only then it takes all identities.
        self._listed = set(map(id, things)) if frozen_count() else None

    def others(self, things: list[object]) -> Iterator[object]:
        """Return those that are not listed, except for atoms.

        Millions go through here: all of it runs in C.
        """
        if self._listed is None:
            unlisted = list(filterfalse(gc.is_tracked, things))
        else:
            are_listed = map(self._listed.__contains__, map(id, things))
            unlisted = list(compress(things, map(not_, are_listed)))
        kinds = map(id, map(type, unlisted))
        return compress(unlisted, map(not_, map(_LEAVES.__contains__, kinds)))


def behind(
    objects: list[object], local: list[object], budget: Budget
) -> Iterator[Chunk]:
    """Yield what objects refer to, and what that refers to if it is not listed.

    Args:
        objects: What the collector lists.
        local: What running frames refer to.
        budget: The bounds of the search.
    """
    listed = Listed(objects)
    known = set(map(id, (objects, local, listed)))
    first = _fresh(listed.others(local), known)
    yield Chunk(local, first)
    level = objects
    following = first
    while level:
        for start in range(0, len(level), CHUNK):
            chunk = level[start : start + CHUNK]
            parts = code_parts(chunk)
            found = referents_of(chunk) + parts
            # The constants of code may be tracked and frozen from the start (3.12).
            tuples = compress(parts, map(is_, map(type, parts), repeat(tuple)))
            unlisted = _fresh(chain(listed.others(found), tuples), known)
            following += unlisted
            known.update(map(id, (found, unlisted, following)))
            yield Chunk(found, unlisted)
            if not budget.spend(len(chunk), _STAGE):
                return
        level, following = following, []


def _fresh(things: Iterable[object], known: set[int]) -> list[object]:
    """Return the things that are met for the first time."""
    fresh: list[object] = []
    for thing in things:
        if id(thing) not in known:
            known.add(id(thing))
            fresh.append(thing)
    return fresh


def code_parts(things: list[object]) -> list[object]:
    """Return the parts of those things that are code, of which no collector knows."""
    are_code = map(is_, map(type, things), repeat(CodeType))
    return [
        part
        for code in compress(things, are_code)
        for _, part in parts_of(cast("CodeType", code))
    ]


def parts_of(code: CodeType) -> list[tuple[str, object]]:
    """Return the parts of code that it keeps as they are."""
    return [(f".{name}", getattr(code, name)) for name in _CODE_PARTS]


def frame_values(frames: Iterable[FrameType]) -> list[object]:
    """Return what running frames refer to, and is not to be found from elsewhere."""
    found: list[object] = []
    for frame, variables in variables_in(frames, lambda _: True):
        code = frame.f_code
        found += [frame, code, *[part for _, part in parts_of(code)]]
        found += [value for _, value in variables]
        if not has_variables(code):
            found.append(frame.f_locals)
    return found


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
