"""Lines that every report has."""

from __future__ import annotations

from collections.abc import Sequence

from refscope import _units as units
from refscope.reports import Report

from ._page import INDENT, WIDTH, Page, titled


_HEAD_LINES = 3
_LIMIT_LINES = 5
_LABEL_WIDTH = 40


def head_lines(report: Report, page: Page) -> list[str]:
    """Return the verdict and what measuring it cost."""
    text = report.headline
    if report.overhead:
        text += f" (+{units.seconds(report.overhead)} refscope)"
    lines = page.paragraph(text)
    if not page.full and len(lines) > _HEAD_LINES:
        lines[_HEAD_LINES - 1 :] = [f"{lines[_HEAD_LINES - 1][: WIDTH - 3]}..."]
    return lines


def short_label(label: str | None, page: Page) -> str | None:
    """Return a label that leaves room for the verdict."""
    if label is None or page.full or len(page.printable(label)) <= _LABEL_WIDTH:
        return label
    shown = label[:_LABEL_WIDTH]
    while len(page.printable(shown)) > _LABEL_WIDTH - 3:
        shown = shown[:-1]
    return shown + "..."


def limit_lines(report: Report, page: Page) -> list[str]:
    """Return what the report does not know."""
    limits = list(report.limits)
    if not report.complete:
        limits.insert(0, "Incomplete: there may be more than is reported.")
    width = WIDTH - INDENT
    lines = [line for limit in limits for line in page.paragraph(limit, width)]
    if not page.full and len(lines) > _LIMIT_LINES:
        count = units.plural(len(limits), "limit")
        more = f"... {count} in all (full=True shows them)"
        lines[_LIMIT_LINES - 1 :] = [more]
    return titled("Limits", lines or ["none"])


def environment_lines(report: Report, page: Page) -> list[str]:
    """Return where it was measured; only on request."""
    place = report.environment
    if place is None or not page.full:
        return []
    threading = ", free-threaded" if place.free_threaded else ""
    text = (
        f"{place.python} {place.implementation} {place.platform}{threading}, "
        f"refscope {place.refscope}"
    )
    return titled("Python", [page.printable(text)])


def more_rows(
    rows: Sequence[object],
    shown: Sequence[object],
    nouns: str,
    page: Page,
) -> list[str]:
    """Return the line that counts the rows cut off, if any were.

    It says how to see them, unless the page has a limit that was asked for.
    """
    missing = len(rows) - len(shown)
    if not missing:
        return []
    text = "... " + units.plural(missing, f"more {nouns.removesuffix('s')}")
    hint = " (full=True shows all)" if page.is_bounded else ""
    return [f"{text}{hint}"]
