"""Reports without what tells about a person, a machine or the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from refscope.exceptions import ArgumentTypeError
from refscope.reports import (
    AllocationSite,
    Cycle,
    CycleGroup,
    CycleReport,
    DiffReport,
    HeapObject,
    Reference,
    Report,
    Traceback,
    TrackReport,
)

from ._page import last_parts


R = TypeVar("R", bound=Report)


def redacted(report: R) -> R:
    """Return the report without labels, tags, keys and folders.

    Names of files, functions and types stay, and so do the sentences of ``limits``.
    """
    redact: Callable[[R], R] | None = _REDACTORS.get(type(report))
    if redact is None:
        raise ArgumentTypeError(f"a {type(report).__name__} cannot be redacted")
    return redact(report)


def _track(report: TrackReport) -> TrackReport:
    return attrs.evolve(
        report, label=None, tags={}, sites=tuple(map(_site, report.sites))
    )


def _site(site: AllocationSite) -> AllocationSite:
    return attrs.evolve(site, traceback=_traceback(site.traceback))


def _traceback(traceback: Traceback) -> Traceback:
    frames = tuple(
        attrs.evolve(frame, filename=last_parts(frame.filename, 1))
        for frame in traceback.frames
    )
    return Traceback(frames, traceback.total_nframe)


def _cycles(report: CycleReport) -> CycleReport:
    return attrs.evolve(report, groups=tuple(map(_group, report.groups)))


def _group(group: CycleGroup) -> CycleGroup:
    cycle: Cycle = attrs.evolve(
        group.example,
        references=tuple(map(_reference, group.example.references)),
        break_at=tuple(map(_reference, group.example.break_at)),
        advice=_without_keys(group.example.advice),
    )
    return attrs.evolve(group, example=cycle)


def _reference(reference: Reference) -> Reference:
    return attrs.evolve(
        reference,
        holder=_object(reference.holder),
        target=_object(reference.target),
        name=_without_keys(reference.name),
    )


def _object(thing: HeapObject) -> HeapObject:
    """Return what is said of an object, without the folder of a frame's file."""
    traceback, detail = thing.traceback, thing.detail
    if detail is not None:
        what, found, place = detail.partition(" at ")
        detail = what + found + last_parts(place, 1)
    return attrs.evolve(
        thing,
        traceback=None if traceback is None else _traceback(traceback),
        detail=detail,
    )


def _without_keys(name: str) -> str:
    """Return the name of a reference, or advice, with no key that is data.

    >>> _without_keys("['card 4711']"), _without_keys(".cart"), _without_keys("[3]")
    ('[...]', '.cart', '[3]')
    """
    return _KEYS.sub(lambda match: match[0][0] + "..." + match[0][-1], name)


_KEYS = re.compile(
    r"""
    \[ (?! \d+ \] ) .* \]  # a subscript that is no index
    | \{ .* \}               # an element
    """,
    re.VERBOSE | re.DOTALL,
)


def _diff(report: DiffReport) -> DiffReport:
    # A key is a path and a line or a function, and no function's name has a slash.
    rows = tuple(attrs.evolve(row, key=last_parts(row.key, 1)) for row in report.rows)
    return attrs.evolve(report, before_label=None, after_label=None, rows=rows)


_REDACTORS: Mapping[type[Report], Callable[[Any], Any]] = {
    TrackReport: _track,
    DiffReport: _diff,
    CycleReport: _cycles,
}
