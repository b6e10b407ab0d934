"""The one order of rows: largest change first, ties in an order that never varies."""

from __future__ import annotations

from collections.abc import Iterable

from ._cycles import CycleGroup
from ._heap import AllocationSite, Frame
from ._track import TypeChange


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


def _group_key(group: CycleGroup) -> tuple[bool, int, int, str, str]:
    named = any("." in name for name in group.type_names)
    return not named, -group.size, -group.count, group.kind, group.fingerprint


def _site_key(
    site: AllocationSite,
) -> tuple[int, int, tuple[tuple[str, int, bool, str], ...]]:
    frames = tuple(_frame_key(frame) for frame in site.traceback.frames)
    return -abs(site.size_diff), -abs(site.count_diff), frames


def _frame_key(frame: Frame) -> tuple[str, int, bool, str]:
    # None and text do not compare, so a flag in front keeps them apart.
    known = frame.function is not None
    return frame.filename, frame.lineno, known, frame.function or ""


def _type_key(change: TypeChange) -> tuple[int, str]:
    return -abs(change.count_diff), change.type_name
