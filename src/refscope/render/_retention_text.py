"""Why an object is alive, as text."""

from __future__ import annotations

from refscope import _units as units
from refscope.reports import ExpectationReport, RetentionReport, Verdict

from ._common_text import environment_lines, head_lines, limit_lines
from ._page import LINES, Page
from ._path_text import path_lines, place_of


_INDENT = "   "


def retention_lines(report: RetentionReport, page: Page) -> list[str]:
    """Return the lines: verdict, the object, one path for each holder, limits."""
    foot = [*environment_lines(report, page), *limit_lines(report, page)]
    head = [*head_lines(report, page), *_subject(report, page)]
    space = LINES - len(head) - len(foot) - 1
    return [*head, *paths(report, page, space), *foot]


def paths(report: RetentionReport, page: Page, space: int) -> list[str]:
    """Return as many paths as there is room for."""
    lines: list[str] = []
    for number, path in enumerate(report.paths, 1):

        def judge(place: int, path=path) -> Verdict:  # type: ignore[no-untyped-def]
            references = path.references
            if not references:
                return Verdict("unknown")
            things = [references[0].holder, *[step.target for step in references]]
            return report.verdict_of(things[place])

        shown = path_lines(path, judge, page, suspects=report.suspects)
        rows = [f"#{number} [{path.fingerprint}]"]
        rows += [f"{_INDENT}{line}" for line in shown]
        if path.expression is not None and len(path.references) < 12:
            rows.append(f"{_INDENT}see {page.start(path.expression, 90)}")
        is_cut = page.limit is None and not page.full and len(lines) + len(rows) > space
        if (is_cut and lines) or (page.limit is not None and number > page.limit):
            more = len(report.paths) - number + 1
            lines.append(f"... {units.plural(more, 'more path')} (full=True shows all)")
            break
        lines += rows
    return lines


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
    head = head_lines(report, page)
    foot = [*environment_lines(report, page), *limit_lines(report, page)]
    if report.waited:
        head.append(f"waited {units.seconds(report.waited)}")
    if report.retention is None:
        return [*head, *foot]
    head += _subject(report.retention, page)
    space = LINES - len(head) - len(foot) - 1
    return [*head, *paths(report.retention, page, space), *foot]
