"""Reports without what tells about a person, a machine or the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from refscope import _units as units
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
    RefCount,
    RefCountChange,
    Reference,
    ReferencePath,
    ReferrersReport,
    Report,
    RetentionReport,
    SurvivorGroup,
    Traceback,
    TrackReport,
)

from ._expressions import UNSPELLED, steps_of
from ._page import last_parts


R = TypeVar("R", bound=Report)


def redacted(report: R) -> R:
    """Return the report without labels, tags, keys, values, reasons, threads, folders.

    Names of files, functions, variables, attributes and types stay, and so do the
    sentences of ``limits``.
    """
    redact: Callable[[R], R] | None = _REDACTORS.get(type(report))
    if redact is None:
        raise ArgumentTypeError(
            f"{units.one(type(report).__name__)} cannot be redacted"
        )
    return redact(report)


def _track(report: TrackReport) -> TrackReport:
    return attrs.evolve(
        report,
        label=None,
        tags={},
        sites=tuple(map(_site, report.sites)),
        survivors=tuple(map(_survivors, report.survivors)),
        cycles=None if report.cycles is None else _cycles(report.cycles),
    )


def _survivors(group: SurvivorGroup) -> SurvivorGroup:
    return attrs.evolve(
        group,
        traceback=_perhaps_traceback(group.traceback),
        held_by=_perhaps_path(group.held_by),
    )


def _site(site: AllocationSite) -> AllocationSite:
    return attrs.evolve(site, traceback=_traceback(site.traceback))


def _perhaps_traceback(traceback: Traceback | None) -> Traceback | None:
    return None if traceback is None else _traceback(traceback)


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
        references=tuple(map(redacted_reference, cycle.references)),
        break_at=tuple(map(redacted_reference, cycle.break_at)),
        advice=_without_keys(cycle.advice),
    )


def _without_keys(advice: str) -> str:
    """Return advice without keys that are data.

    >>> _without_keys("del dict['card 4711']"), _without_keys("del dict[4711]")
    ('del dict[...]', 'del dict[...]')
    >>> _without_keys("del list[3]")
    'del list[3]'
    """
    return _KEYS.sub(_without_key, advice)


def _without_key(match: re.Match[str]) -> str:
    return match["index"] or f"{match[0][0]}...{match[0][-1]}"


_SERIES = ("list", "tuple", "collections.deque")


_KEYS = re.compile(
    r"""
    (?P<index> (?: \b list | \b tuple | \b deque ) \[ \d+ \] )  # stays
    | \[ .* \]   # a subscript
    | \{ .* \}  # an element
    """,
    re.VERBOSE | re.DOTALL,
)


def _perhaps_path(path: ReferencePath | None) -> ReferencePath | None:
    return None if path is None else _path(path)


_THREAD = "thread "


def _path(path: ReferencePath) -> ReferencePath:
    references = tuple(map(redacted_reference, path.references))
    steps = steps_of(path)
    expression = None
    if steps is not None:
        start, parts = steps
        expression = start + "".join(
            [
                part if part == UNSPELLED else each.name
                for part, each in zip(parts, references, strict=True)
            ]
        )
    root = path.root
    if root.startswith(_THREAD):
        root = f"{_THREAD}..."  # its name is the program's to choose
    return attrs.evolve(path, root=root, references=references, expression=expression)


def _leaks(report: LeakReport) -> LeakReport:
    return attrs.evolve(report, leaks=tuple(map(_leak, report.leaks)))


def _leak(leak: Leak) -> Leak:
    return attrs.evolve(
        leak,
        traceback=_perhaps_traceback(leak.traceback),
        held_by=_perhaps_path(leak.held_by),
        cycle=None if leak.cycle is None else _cycle(leak.cycle),
        known=None if leak.known is None else "",
    )


def _retention(report: RetentionReport) -> RetentionReport:
    return attrs.evolve(
        report,
        subject=redacted_object(report.subject),
        paths=tuple([_path(path) for path in report.paths]),
        suspects=tuple(map(redacted_reference, report.suspects)),
        # Inspectors of the program give reasons in words of their own.
        verdicts=tuple([attrs.evolve(one, reason="") for one in report.verdicts]),
    )


def _expectation(report: ExpectationReport) -> ExpectationReport:
    retention = report.retention
    if retention is not None:
        retention = _retention(retention)
    return attrs.evolve(report, reason="", retention=retention)


def _diff(report: DiffReport) -> DiffReport:
    # A key is a path and a line or a function, and no function's name has a slash.
    rows = tuple(attrs.evolve(row, key=last_parts(row.key, 1)) for row in report.rows)
    return attrs.evolve(report, before_label=None, after_label=None, rows=rows)


def _count(report: RefCount) -> RefCount:
    return attrs.evolve(report, value=None)


def _referrers(report: ReferrersReport) -> ReferrersReport:
    return attrs.evolve(
        report,
        refcount=_count(report.refcount),
        references=tuple(map(redacted_reference, report.references)),
    )


def _change(report: RefCountChange) -> RefCountChange:
    return attrs.evolve(
        report,
        before=_count(report.before),
        after=None if report.after is None else _count(report.after),
        gained=tuple(map(redacted_reference, report.gained)),
        lost=tuple(map(redacted_reference, report.lost)),
    )


def redacted_reference(reference: Reference) -> Reference:
    """Return a reference without keys and folders."""
    return attrs.evolve(
        reference,
        holder=redacted_object(reference.holder),
        target=redacted_object(reference.target),
        name=redacted_name(reference.name, reference.holder.type_name),
    )


def redacted_object(thing: HeapObject) -> HeapObject:
    """Return an object without folders."""
    detail = thing.detail
    return attrs.evolve(
        thing,
        traceback=_perhaps_traceback(thing.traceback),
        detail=None if detail is None else _without_folders(detail),
    )


def redacted_name(name: str, holder: str = "") -> str:
    """Return the name of a reference without its key; attributes stay.

    So do indices, of what surely is a series: the number in a mapping is data.

    >>> redacted_name("['secret']", "dict"), redacted_name(".x", "shop.Cart")
    ('[...]', '.x')
    >>> redacted_name("[3]", "list"), redacted_name("[4711]", "dict")
    ('[3]', '[...]')
    """
    if name[:1] == "[" and not (holder in _SERIES and name[1:-1].isdigit()):
        return "[...]"
    if name[:1] == "{":
        return "{...}"
    for start in (".__dict__[", "<cached result for ", "<cached key "):
        if name.startswith(start):
            return f"{start}...{name[-1]}"
    return name


def _without_folders(detail: str) -> str:
    """Return ``f at file:line`` without the folders; other details as they are."""
    function, separator, place = detail.partition(" at ")
    return f"{function}{separator}{last_parts(place, 1)}"


_REDACTORS: Mapping[type[Report], Callable[[Any], Any]] = {
    TrackReport: _track,
    DiffReport: _diff,
    CycleReport: _cycles,
    LeakReport: _leaks,
    RetentionReport: _retention,
    ExpectationReport: _expectation,
    RefCount: _count,
    RefCountChange: _change,
    ReferrersReport: _referrers,
}
