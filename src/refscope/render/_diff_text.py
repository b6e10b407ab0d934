"""A comparison as text."""

from __future__ import annotations

from refscope import _units as units
from refscope.reports import DiffReport, DiffRow

from ._common_text import (
    environment_lines,
    head_lines,
    limit_lines,
    more_rows,
    short_label,
)
from ._page import LINES, WIDTH, Page, columns, without_folders


def diff_lines(report: DiffReport, page: Page) -> list[str]:
    """Return the lines of a comparison: verdict, rows, limits."""
    head = [*head_lines(report, page), *_compared(report, page)]
    foot = [*environment_lines(report, page), *limit_lines(report, page)]
    space = LINES - len(head) - len(foot) - 2
    body = _row_lines(report, page, space)
    return [*head, "", *body, "", *foot] if body else [*head, *foot]


def _compared(report: DiffReport, page: Page) -> list[str]:
    labels = (report.before_label, report.after_label)
    if labels == (None, None):
        return []
    before, after = (
        "no label" if label is None else repr(short_label(label, page))
        for label in labels
    )
    return page.paragraph(f"before: {before}, after: {after}")[:2]


def _row_lines(report: DiffReport, page: Page, space: int) -> list[str]:
    shown = page.first(report.rows, space)
    keys = [row.key for row in shown]
    names = {key: key for key in keys} if page.full else without_folders(keys)
    cells = [_cells(row, page, names[row.key]) for row in shown]
    return [*columns(cells), *more_rows(report.rows, shown, "rows", page)]


def _cells(row: DiffRow, page: Page, name: str) -> tuple[str, str, str, str]:
    return (
        page.printable(row.status),
        units.size(row.change, sign=True),
        f"{units.size(row.before)} -> {units.size(row.after)}",
        page.end(name, WIDTH // 2),
    )
