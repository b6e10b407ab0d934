"""Counts of references and their holders as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby

from refscope import _units as units
from refscope.reports import (
    HeapObject,
    RefCount,
    RefCountChange,
    Reference,
    ReferrersReport,
    Report,
)

from ._common_text import environment_lines, head_lines, limit_lines, more_rows
from ._page import LINES, WIDTH, Page, columns, without_folders


_MOST_NAMES = 3
_UNACCOUNTED = (
    "UNACCOUNTED: held from C; if it grows per call, a Py_DECREF is missing",
    "(else it can be a call, an expression or a with block under way)",
)
_MODULE, _FRAME, _CLASS = "module", "frame", "type"


def count_lines(report: RefCount, page: Page) -> list[str]:
    """Return the lines of a count: the number, and how far it can be trusted."""
    return [*head_lines(report, page), *_trust_lines(report, report.exact, page)]


def referrers_lines(report: ReferrersReport, page: Page) -> list[str]:
    """Return the lines of a search: the count, who holds, what is left over."""
    head = head_lines(report, page)
    foot = _trust_lines(report, report.exact, page)
    most = LINES - len(head) - len(foot) - 2
    groups = list(_groups(report.references, page))
    if page.is_bounded and len(groups) > most:
        groups = list(_alike(report.references, page))
    shown = page.first(groups, most)
    rows = [(units.count(number), text) for number, text in shown]
    if report.unaccounted:
        rows.append((units.count(report.unaccounted), _UNACCOUNTED[0]))
        rows.append(("", _UNACCOUNTED[1]))
    body = [f"  {row}" for row in columns(rows)]
    body += [f"  {row}" for row in more_rows(groups, shown, "holders", page)]
    return [*head, *body, *foot]


def change_lines(report: RefCountChange, page: Page) -> list[str]:
    """Return the lines of a change: the difference, and each reference in it."""
    head = head_lines(report, page)
    foot = [*environment_lines(report, page), *limit_lines(report, page)]
    signed = [
        *[(f"+{number}", text) for number, text in _groups(report.gained, page)],
        *[(f"-{number}", text) for number, text in _groups(report.lost, page)],
    ]
    shown = page.first(signed, LINES - len(head) - len(foot) - 1)
    body = [f"  {row}" for row in columns(shown)]
    body += [f"  {row}" for row in more_rows(signed, shown, "holders", page)]
    return [*head, *body, *foot]


def _trust_lines(report: Report, exact: bool, page: Page) -> list[str]:  # noqa: FBT001  # of a report
    place = environment_lines(report, page)
    word = "yes" if exact else "no"
    if report.complete and not report.limits:
        return [f"Exact: {word}. Limits: none", *place]
    return [f"Exact: {word}.", *place, *limit_lines(report, page)]


def _groups(references: Sequence[Reference], page: Page) -> Iterator[tuple[int, str]]:
    """Yield how many references a holder has, and what is shown of them."""
    files = [_file_of(one.holder) for one in references]
    short = {name: name for name in files} if page.full else without_folders(files)
    for _, group in groupby(references, _holder_of):
        same = list(group)
        number = 0 if same[0].borrowed else len(same)
        yield number, page.start(_shown(same, short), WIDTH)


def _alike(references: Sequence[Reference], page: Page) -> Iterator[tuple[int, str]]:
    """Yield the same as ``_groups``, with holders of one shape together."""
    shapes: dict[tuple[object, ...], list[list[Reference]]] = {}
    for _, group in groupby(references, _holder_of):
        same = list(group)
        shapes.setdefault(_shape_of(same), []).append(same)
    for groups in shapes.values():
        everything = list(chain.from_iterable(groups))
        if len(groups) == 1:
            yield from _groups(everything, page)
        else:
            kind, names = everything[0].holder.type_name, _names_of(groups[0])
            text = f"{units.count(len(groups))} x {kind} {names}"
            yield len(everything), page.start(text, WIDTH)


def _shape_of(same: Sequence[Reference]) -> tuple[object, ...]:
    """Return what holders must have in common to be one row; variables are alone."""
    holder = same[0].holder
    if holder.type_name == _FRAME or _path_of(holder) is not None:
        return _holder_of(same[0])
    return holder.type_name, *(one.name for one in same)


def _holder_of(reference: Reference) -> tuple[int, str, bool]:
    holder = reference.holder
    is_frame = holder.type_name == _FRAME
    return holder.address, reference.name if is_frame else "", reference.borrowed


def _shown(same: Sequence[Reference], short: Mapping[str, str]) -> str:
    """Return who holds, and how."""
    first = same[0]
    if first.holder.type_name == _FRAME and first.name[:1] == "<":
        place = _place_of(first.holder, short)
        note = ", borrowed: does not count" if first.borrowed else ""
        return f"{first.name[1:-1]}{place}{note}"
    names = _names_of(same)
    path = _path_of(first.holder)
    if path is not None and len(same) == 1 and names[:1] in {".", "["}:
        return path + names
    return f"{path or _described(first.holder)} {names}"


def _names_of(same: Sequence[Reference]) -> str:
    known = [one.name for one in same]
    names = ", ".join(known[:_MOST_NAMES])
    if len(known) > _MOST_NAMES:
        names += f", ... {units.count(len(known) - _MOST_NAMES)} more"
    return names


def _path_of(holder: HeapObject) -> str | None:
    """Return Python that leads to a holder, as far as it is known without a search."""
    if holder.detail is None:
        return None
    if holder.type_name == _MODULE:
        return f"sys.modules[{holder.detail!r}]"
    return holder.detail if holder.type_name == _CLASS else None


def _described(holder: HeapObject) -> str:
    detail = "" if holder.detail is None else f" ({holder.detail})"
    return f"{holder.type_name}{detail} at {holder.address:#x}"


def _file_of(holder: HeapObject) -> str:
    """Return the file that a frame's detail names, as in ``f at file:line``."""
    if holder.type_name != _FRAME or holder.detail is None:
        return ""
    return holder.detail.partition(" at ")[2].rpartition(":")[0]


def _place_of(holder: HeapObject, short: Mapping[str, str]) -> str:
    name = _file_of(holder)
    line = (holder.detail or "").rpartition(":")[2]
    return f", {short[name]}:{line}" if name else ""
