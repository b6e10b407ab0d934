"""The one order of rows: largest change first, ties in an order that never varies."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import TypeAlias

from ._cycles import CycleGroup
from ._heap import AllocationSite, Frame, Traceback
from ._retention import SurvivorGroup
from ._track import TypeChange


_FrameKey: TypeAlias = tuple[str, int, bool, str]
_Place: TypeAlias = tuple[bool, tuple[_FrameKey, ...], int]
_DULL = frozenset(
    (
        "_contextvars.Context",
        "_thread.RLock",
        "_thread.lock",
        "functools._lru_list_elem",
        "functools.partial",
        "multiprocessing.util.Finalize",
        "weakref.KeyedRef",
        "weakref.ReferenceType",
        "weakref.WeakMethod",
        "weakref.finalize",
        "weakref.finalize._Info",
    )
)
EXCEPTIONS = frozenset(
    name
    for name, thing in vars(builtins).items()
    if isinstance(thing, type) and issubclass(thing, BaseException)
)


def is_dull(type_name: str) -> bool:
    """Return whether a type tells little about a program.

    An exception is none of those: by its traceback it holds all that leaks beside it.
    """
    is_builtin = "." not in type_name and type_name not in EXCEPTIONS
    return is_builtin or type_name in _DULL


def sorted_sites(sites: Iterable[AllocationSite]) -> tuple[AllocationSite, ...]:
    """Return the sites by bytes, then blocks, then place."""
    return tuple(sorted(sites, key=_site_key))


def sorted_types(types: Iterable[TypeChange]) -> tuple[TypeChange, ...]:
    """Return the types by number of objects, then name."""
    return tuple(sorted(types, key=_type_key))


def sorted_groups(groups: Iterable[CycleGroup]) -> tuple[CycleGroup, ...]:
    """Return cycles of a program's types first, then by bytes, number and shape.

    What a shape weighs is told by its bytes in all, so that sums stay in order.
    """
    return tuple(sorted(groups, key=_group_key))


def sorted_survivors(groups: Iterable[SurvivorGroup]) -> tuple[SurvivorGroup, ...]:
    """Return a program's classes first, then by number, type, place and shape.

    What stays by design comes last.  Which of them hold others is no longer known: a
    block's own report says that by its order.
    """
    return tuple(sorted(groups, key=_survivor_key))


def _survivor_key(
    group: SurvivorGroup,
) -> tuple[bool, bool, int, str, _Place, str, str]:
    name = group.type_name
    place = _traceback_key(group.traceback)
    kept = group.by_design
    shape = group.fingerprint
    most = -group.count
    stays = kept is not None
    return stays, is_dull(name), most, name, place, shape, kept or ""


def _traceback_key(traceback: Traceback | None) -> _Place:
    """Return a key that differs between all tracebacks, none at all included."""
    if traceback is None:
        return False, (), -1
    total = traceback.total_nframe
    frames = tuple(map(_frame_key, traceback.frames))
    return True, frames, -1 if total is None else total


def _group_key(group: CycleGroup) -> tuple[bool, int, int, str, str]:
    named = any("." in name for name in group.type_names)
    return not named, -group.size, -group.count, group.kind, group.fingerprint


def _site_key(site: AllocationSite) -> tuple[int, int, tuple[_FrameKey, ...]]:
    frames = tuple(_frame_key(frame) for frame in site.traceback.frames)
    return -abs(site.size_diff), -abs(site.count_diff), frames


def _frame_key(frame: Frame) -> _FrameKey:
    # None and text do not compare, so a flag in front keeps them apart.
    known = frame.function is not None
    return frame.filename, frame.lineno, known, frame.function or ""


def _type_key(change: TypeChange) -> tuple[int, str]:
    return -abs(change.count_diff), change.type_name
