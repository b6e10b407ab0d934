"""Why an object is alive, as text."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from refscope import _units as units
from refscope.reports import (
    ExpectationReport,
    HeapObject,
    RetentionReport,
    Verdict,
)

from ._common_text import environment_lines, head_lines, limit_lines
from ._page import LINES, Page
from ._path_text import MOST_STEPS, fitting, path_lines, place_of


_INDENT = "   "
_LONG = 12
_NAME_WIDTH = 50
_REASON_WIDTH = 120


def retention_lines(report: RetentionReport, page: Page) -> list[str]:
    """Return the lines: verdict, the object, one path for each holder, limits."""
    foot = [*environment_lines(report, page), *limit_lines(report, page)]
    head = [*head_lines(report, page), *_subject(report, page)]
    space = LINES - len(head) - len(foot) - 1
    return [*head, *paths(report, page, space), *foot]


def paths(report: RetentionReport, page: Page, space: int) -> list[str]:
    """Return as many paths as there is room for."""
    lines: list[str] = []
    verdict_of = report.judge()
    for number in range(1, len(report.paths) + 1):
        rows_of = partial(_path, report, number, verdict_of, page)
        rows = rows_of() if lines else fitting(rows_of, page, space)
        if page.limit is not None:
            is_cut = number > page.limit
        else:
            is_cut = not page.full and bool(lines) and len(lines) + len(rows) > space
        if is_cut:
            more = units.plural(len(report.paths) - number + 1, "more path")
            return [*lines, f"... {more} (full=True shows all)"]
        lines += rows
    return lines


def _path(
    report: RetentionReport,
    number: int,
    verdict_of: Callable[[HeapObject], Verdict],
    page: Page,
    most: int = MOST_STEPS,
) -> list[str]:
    path = report.paths[number - 1]
    things = [each.holder for each in path.references[:1]]
    things += [each.target for each in path.references]

    def judge(place: int) -> Verdict:
        return verdict_of(things[place]) if things else Verdict("unknown")

    shown = path_lines(path, judge, page, suspects=report.suspects, most=most)
    rows = [f"#{number} [{path.fingerprint}]", *[f"{_INDENT}{row}" for row in shown]]
    if path.expression is not None and len(path.references) < _LONG:
        rows.append(f"{_INDENT}see {page.start(path.expression, 90)}")
    return rows


def _subject(report: RetentionReport, page: Page) -> list[str]:
    subject = report.subject
    text = f"{units.size(subject.size)} at {subject.address:#x}"
    if report.retained_size is not None:
        text += f", {units.size(report.retained_size)} would die with it"
    if subject.detail is not None:
        text += f", {page.start(subject.detail, 60)}"
    lines = [text]
    place = place_of(subject.traceback, page)
    return lines if place is None else [*lines, f"made at {place}"]


def expectation_lines(report: ExpectationReport, page: Page) -> list[str]:
    """Return the lines: verdict, and what keeps the object."""
    shown = attrs.evolve(
        report,
        type_name=page.end(report.type_name, _NAME_WIDTH),
        reason=page.start(report.reason, _REASON_WIDTH),
    )
    head = head_lines(shown, page)
    foot = [*environment_lines(report, page), *limit_lines(report, page)]
    if report.waited:
        head.append(f"waited {units.seconds(report.waited)}")
    if report.retention is None:
        return [*head, *foot]
    head += _subject(report.retention, page)
    space = LINES - len(head) - len(foot) - 1
    return [*head, *paths(report.retention, page, space), *foot]
