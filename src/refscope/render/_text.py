"""Reports as text for people: the verdict first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from refscope import _units as units
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError
from refscope.reports import (
    CycleReport,
    DiffReport,
    ExpectationReport,
    LeakReport,
    RefCount,
    RefCountChange,
    ReferrersReport,
    Report,
    RetentionReport,
    TrackReport,
)

from ._cycles_text import cycle_lines
from ._diff_text import diff_lines
from ._leaks_text import leak_lines
from ._page import Page
from ._redact import redacted
from ._references_text import change_lines, count_lines, referrers_lines
from ._retention_text import expectation_lines, retention_lines
from ._track_text import track_lines


def to_text(
    report: Report,
    *,
    full: bool = False,
    limit: int | None = None,
    unicode: bool = False,
    redact: bool = False,
) -> str:
    """Return the report as text, without a line break at its end.

    Args:
        report: Any report.
        full: Show every row, every frame and whole paths.  By default the text
            has at most 25 lines of at most 100 characters, and says what it cut.
        limit: Show that many rows of each list, no matter how many lines the text
            gets; by default as many as fit, or with ``full`` all.
        unicode: Show printable characters as they are; by default the text is
            ASCII and other characters are escaped as in a Python string.
        redact: Leave out labels, tags, keys, names of threads and folders of files.

    Raises:
        InvalidArgumentError: ``limit`` is below 0.
        ArgumentTypeError: ``limit`` is no whole number, or this no report.
    """
    check_count("limit", limit, "rows")
    lines_of: Callable[[Report, Page], list[str]] | None = _LINES.get(type(report))
    if lines_of is None:
        raise ArgumentTypeError(
            f"{units.one(type(report).__name__)} cannot be shown as text"
        )
    page = Page(full=full, unicode=unicode, limit=limit)
    lines = lines_of(redacted(report) if redact else report, page)
    return "\n".join(map(page.line, lines))


def check_count(name: str, value: object, things: str) -> None:
    """Raise an error unless the value is a number of things, or None."""
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise ArgumentTypeError(
            f"{name} takes a number of {things}, such as 2, or None, "
            f"not {units.one(type(value).__name__)}"
        )
    if value < 0:
        raise InvalidArgumentError(f"{name} takes 0 or more {things}, not {value}")


_LINES: Mapping[type[Report], Callable[[Any, Page], list[str]]] = {
    TrackReport: track_lines,
    DiffReport: diff_lines,
    CycleReport: cycle_lines,
    LeakReport: leak_lines,
    RetentionReport: retention_lines,
    ExpectationReport: expectation_lines,
    RefCount: count_lines,
    RefCountChange: change_lines,
    ReferrersReport: referrers_lines,
}
