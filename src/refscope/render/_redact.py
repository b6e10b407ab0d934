"""Reports without what tells about a person, a machine or the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from refscope.exceptions import ArgumentTypeError
from refscope.reports import AllocationSite, DiffReport, Report, Traceback, TrackReport

from ._page import last_parts


R = TypeVar("R", bound=Report)


def redacted(report: R) -> R:
    """Return the report without labels, tags and folders.

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
    frames = tuple(
        attrs.evolve(frame, filename=last_parts(frame.filename, 1))
        for frame in site.traceback.frames
    )
    traceback = Traceback(frames, site.traceback.total_nframe)
    return attrs.evolve(site, traceback=traceback)


def _diff(report: DiffReport) -> DiffReport:
    # A key is a path and a line or a function, and no function's name has a slash.
    rows = tuple(attrs.evolve(row, key=last_parts(row.key, 1)) for row in report.rows)
    return attrs.evolve(report, before_label=None, after_label=None, rows=rows)


_REDACTORS: Mapping[type[Report], Callable[[Any], Any]] = {
    TrackReport: _track,
    DiffReport: _diff,
}
