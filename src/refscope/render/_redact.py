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
    ExpectationReport,
    HeapObject,
    Leak,
    LeakReport,
    Reference,
    ReferencePath,
    Report,
    RetentionReport,
    SurvivorGroup,
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
        report,
        label=None,
        tags={},
        sites=tuple(map(_site, report.sites)),
        survivors=tuple(map(_survivors, report.survivors)),
    )


def _survivors(group: SurvivorGroup) -> SurvivorGroup:
    traceback = group.traceback
    return attrs.evolve(
        group,
        traceback=None if traceback is None else _traceback(traceback),
        held_by=_perhaps_path(group.held_by),
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
    return attrs.evolve(group, example=_cycle(group.example))


def _cycle(cycle: Cycle) -> Cycle:
    return attrs.evolve(
        cycle,
        references=tuple(map(_reference, cycle.references)),
        break_at=tuple(map(_reference, cycle.break_at)),
        advice=_without_keys(cycle.advice),
    )


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


def _perhaps_path(path: ReferencePath | None) -> ReferencePath | None:
    return None if path is None else _path(path)


def _path(path: ReferencePath) -> ReferencePath:
    references = tuple(map(_reference, path.references))
    expression = path.expression
    if expression is not None:
        names = len("".join([each.name for each in path.references]))
        start = expression[: len(expression) - names]
        expression = start + "".join([each.name for each in references])
    return attrs.evolve(path, references=references, expression=expression)


def _leaks(report: LeakReport) -> LeakReport:
    return attrs.evolve(report, leaks=tuple(map(_leak, report.leaks)))


def _leak(leak: Leak) -> Leak:
    traceback = leak.traceback
    return attrs.evolve(
        leak,
        traceback=None if traceback is None else _traceback(traceback),
        held_by=_perhaps_path(leak.held_by),
        cycle=None if leak.cycle is None else _cycle(leak.cycle),
        known=None if leak.known is None else "",
    )


def _retention(report: RetentionReport) -> RetentionReport:
    return attrs.evolve(
        report,
        subject=_object(report.subject),
        paths=tuple([_path(path) for path in report.paths]),
        suspects=tuple(map(_reference, report.suspects)),
    )


def _expectation(report: ExpectationReport) -> ExpectationReport:
    retention = report.retention
    if retention is not None:
        verdicts = [
            attrs.evolve(one, reason="") if one.reason == report.reason else one
            for one in retention.verdicts
        ]
        retention = attrs.evolve(_retention(retention), verdicts=tuple(verdicts))
    return attrs.evolve(report, reason="", retention=retention)


def _diff(report: DiffReport) -> DiffReport:
    # A key is a path and a line or a function, and no function's name has a slash.
    rows = tuple(attrs.evolve(row, key=last_parts(row.key, 1)) for row in report.rows)
    return attrs.evolve(report, before_label=None, after_label=None, rows=rows)


_REDACTORS: Mapping[type[Report], Callable[[Any], Any]] = {
    TrackReport: _track,
    DiffReport: _diff,
    CycleReport: _cycles,
    LeakReport: _leaks,
    RetentionReport: _retention,
    ExpectationReport: _expectation,
}
