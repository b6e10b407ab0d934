"""What grows with every call, as a colleague would paste it into an issue."""

from __future__ import annotations

from functools import partial

import attrs

from refscope import _units as units
from refscope.reports import Leak, LeakReport, Reference, ReferencePath, Verdict
from refscope.reports._leaks import amount

from ._common_text import environment_lines, head_lines, limit_lines
from ._cycles_text import other_cuts
from ._expressions import spelled
from ._page import LINES, WIDTH, Page
from ._path_text import MOST_STEPS, fitting, path_lines, place_of


_INDENT = "   "
_NATIVE = "held by nothing that Python can see: a reference was leaked in C"
_LOST = "nothing that Python can see holds it: memory of C, or names of attributes"

_ADVICE = WIDTH - len(_INDENT)
_MOST_ADVICE = 4
_FEW_CALLS = 100
"""The resident set grows by whole pages, and not before spare ones are used up."""


def leak_lines(report: LeakReport, page: Page) -> list[str]:
    """Return the lines: verdict, the leaks with their holders, totals, limits."""
    head = head_lines(report, page)
    foot = [_totals(report), *environment_lines(report, page)]
    foot += limit_lines(report, page)
    space = LINES - len(head) - len(foot) - 1
    body = _leaks(report, page, space)
    return [*head, "", *body, *foot] if body else [*head, *foot]


def _leaks(report: LeakReport, page: Page, space: int) -> list[str]:
    lines: list[str] = []
    for number, leak in enumerate(report.leaks, 1):
        rows_of = partial(_leak, leak, number, page)
        rest = len(report.leaks) - number
        rows = rows_of() if lines else fitting(rows_of, page, space - bool(rest))
        if page.limit is not None:
            is_cut = number > page.limit
        else:
            is_cut = (
                not page.full
                and bool(lines)
                and (len(lines) + len(rows) + bool(rest) > space)
            )
        if is_cut:
            names = ", ".join(
                [page.end(one.type_name, 30) for one in report.leaks[number - 1 :]]
            )
            count = units.plural(rest + 1, "more leak")
            lines.append(page.start(f"... {count} (full=True shows all): {names}", 100))
            break
        lines += rows
    return lines


def _leak(leak: Leak, number: int, page: Page, most: int = MOST_STEPS) -> list[str]:
    state = "NEW" if leak.known is None else f"known ({page.start(leak.known, 40)})"
    what = amount(attrs.evolve(leak, type_name=page.end(leak.type_name, 50)))
    size = leak.size_per_call
    cost = "" if size is None else f", {units.average_size(size)}"
    rows = [
        f"#{number} {state} [{leak.fingerprint}] {leak.verdict}: {what}{cost} per call"
    ]
    rows += [f"{_INDENT}{row}" for row in _holder(leak, page, most)]
    place = place_of(leak.traceback, page)
    if place is not None:
        rows.append(f"{_INDENT}made at {place}")
    if leak.parts:
        parts = page.paragraph(_parts(leak), _ADVICE)
        shown = parts[:_MOST_ADVICE] if page.is_bounded else parts
        rows += [f"{_INDENT}{row}" for row in shown]
    if leak.held_by is not None:
        see = _container(leak.held_by, leak.grows_at)
        if see is not None:
            rows.append(f"{_INDENT}see {page.start(see, 90)}")
    return rows


def _parts(leak: Leak) -> str:
    """Return what hangs on a leak, added up by type."""
    rates: dict[str, float] = {}
    for part in leak.parts:
        rates[part.type_name] = rates.get(part.type_name, 0) + part.per_call
    return "with it: " + ", ".join([f"{rate:+,.3g} {n}" for n, rate in rates.items()])


def _holder(leak: Leak, page: Page, most: int) -> list[str]:
    if leak.cycle is not None:
        advice = page.paragraph(leak.cycle.advice, _ADVICE)
        shown = advice[:_MOST_ADVICE] if page.is_bounded else advice
        return [*_loop(leak, page), *shown, *other_cuts(leak.cycle, page)]
    if leak.verdict == "native":
        return [_NATIVE if leak.type_name else _LOST]
    if leak.held_by is None:
        return []
    path, grows_at = leak.held_by, leak.grows_at
    last = len(path.references)
    rate = f"{leak.per_call:+,.3g}"

    def judge(place: int) -> Verdict:
        if place == last:
            is_longer = leak.kind == "length"
            more = "longer" if is_longer else _more(leak.per_call)
            return Verdict("yes", f"{more} after each call")
        if grows_at is not None and place == grows_at + 1:
            # What is further inside may be several to each item, or one to several.
            is_item = place == last - 1 or rate == "+1"
            return Verdict("unknown", f"grows {rate} per call" if is_item else "grows")
        if place == 0:
            return _root_verdict(path.root)
        return Verdict("unknown")

    shape_from = None if grows_at is None else grows_at + 1
    suspects: tuple[Reference, ...] = ()
    if grows_at is not None:
        suspects = path.references[: grows_at + 1]
    return path_lines(
        path, judge, page, suspects=suspects, shape_from=shape_from, most=most
    )


def _more(rate: float) -> str:
    shown = f"{rate:,.3g}"
    return f"{'one' if shown == '1' else shown} more"


def _root_verdict(root: str) -> Verdict:
    if root.startswith("module ") or root == "builtins":
        return Verdict("no", "modules stay")
    return Verdict("no", "a running function" if root.startswith("thread ") else "")


def _loop(leak: Leak, page: Page) -> list[str]:
    references = () if leak.cycle is None else leak.cycle.references
    return [
        f"{page.end(step.holder.type_name, 40)} {page.start(step.name, 30)}"
        f" -> {page.end(step.target.type_name, 40)}"
        for step in (references if page.full else references[:6])
    ]


def _container(path: ReferencePath, grows_at: int | None) -> str | None:
    """Return Python for the container that grows.

    Also where the last step has no spelling, as an element of a set.
    """
    if grows_at is None:
        return path.expression
    return spelled(path, grows_at + 1)


def _totals(report: LeakReport) -> str:
    rss = report.rss_per_call
    shown = "unknown" if rss is None else units.size(round(rss), sign=True)
    shown += " per call"
    if rss == 0 and report.total_calls < _FEW_CALLS:
        shown += " (too few calls to tell)"
    known = sum(leak.known is not None for leak in report.leaks)
    return (
        f"RSS {shown}. {units.plural(report.total_calls, 'call')} in all. "
        f"Known leaks: {known}."
    )
