"""Reference cycles as text: each shape with one loop, and where to cut it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from refscope import _units as units
from refscope.reports import Cycle, CycleGroup, CycleReport, HeapObject, Reference

from ._common_text import environment_lines, head_lines, limit_lines, more_rows
from ._page import LINES, WIDTH, Page, short_type, without_folders


_STEPS = (12, 8, 4, 2)
_MOST_CUTS = 6
_MOST_ADVICE = 4
_PLACE_WIDTH = 40
_NAME_WIDTH = 30
_MARGIN = "   "


def cycle_lines(report: CycleReport, page: Page) -> list[str]:
    """Return the lines of a cycle report: verdict, shapes, limits."""
    head = head_lines(report, page)
    foot = [*environment_lines(report, page), *limit_lines(report, page)]
    body: list[str] = []
    shown = 0
    space = LINES - len(head) - len(foot) - 2
    for number, group in enumerate(report.groups, 1):
        if page.limit is not None and shown >= page.limit:
            break
        room = space - len(body) - (number < len(report.groups)) - 1
        lines = _fitting(number, group, page, room)
        if shown and page.is_bounded and len(lines) > room:
            break
        body += ["", *(lines[:room] if page.is_bounded else lines)]
        shown = number
    more = more_rows(report.groups, report.groups[:shown], "shapes", page)
    return [*head, *body, *more, "", *foot]


def _fitting(number: int, group: CycleGroup, page: Page, room: int) -> list[str]:
    """Return the lines of a shape, with fewer steps where there is no room."""
    lines: list[str] = []
    for steps in _STEPS if page.is_bounded else (None,):
        lines = [f"#{number} {_title(group)}", *_step_lines(group.example, page, steps)]
        if len(lines) <= room:
            break
    return lines


def _title(group: CycleGroup) -> str:
    cycle = group.example
    live = "live " if group.kind == "live" else ""
    each = " each" if group.count > 1 else ""
    facts = [
        units.plural(cycle.component_size, "object"),
        units.size(cycle.size) + each,
    ]
    if cycle.held:
        facts.append(f"holding {units.count(cycle.held)} more")
    if cycle.held and cycle.retained_size is not None:
        facts[-1] += f" ({units.size(cycle.retained_size - cycle.size)})"
    facts.append(_finalizers(cycle))
    return f"{live}x{units.count(group.count)} [{group.fingerprint}]  " + ", ".join(
        facts
    )


def _finalizers(cycle: Cycle) -> str:
    if not cycle.finalizers:
        return "no finalizers"
    text = units.plural(cycle.finalizers, "finalizer")
    return f"{text} ({units.count(cycle.finalized)} ran)" if cycle.finalized else text


def _step_lines(cycle: Cycle, page: Page, steps: int | None) -> Iterator[str]:
    """Yield one line for each reference, and a mark under the one to cut."""
    shown = cycle.references[:steps]
    types = [_type(step.holder, page) for step in shown]
    width = max(map(len, types), default=0)
    rows = [
        f"{name.ljust(width)} {_name(step, page)} -> {_type(step.target, page)}"
        for name, step in zip(types, shown, strict=True)
    ]
    places = _places([step.holder for step in shown], page)
    to_cut = cut_on_loop(cycle)
    for row, place, step in zip(_even(rows, places), places, shown, strict=True):
        yield f"{_MARGIN}{row}{place}".rstrip()
        if step == to_cut:
            mark = "^" * len(_name(step, page))
            start = " " * (len(_MARGIN) + width + 1)
            yield from _advice_lines(f"{start}{mark} ", "cut here", cycle, page)
    left = cycle.length - len(shown)
    if left > 0:
        yield f"{_MARGIN}... {units.plural(left, 'more reference')}, and back"
    if to_cut not in shown:
        yield from _advice_lines(_MARGIN, _where(cycle, page), cycle, page)
    yield from [f"{_MARGIN}{line}" for line in other_cuts(cycle, page)]


def _even(rows: Sequence[str], places: Sequence[str]) -> list[str]:
    """Return the rows as wide as the widest, if something stands behind them."""
    width = max(map(len, rows), default=0) + 3 if any(places) else 0
    return [row.ljust(width) for row in rows]


def cut_on_loop(cycle: Cycle) -> Reference | None:
    """Return the best reference to cut that is on the loop, or None."""
    steps = {(step.holder.address, step.target.address) for step in cycle.references}
    for cut in cycle.break_at:
        if (cut.holder.address, cut.target.address) in steps:
            return next(
                step
                for step in cycle.references
                if step.holder.address == cut.holder.address
                and step.target.address == cut.target.address
            )
    return None


def _advice_lines(start: str, where: str, cycle: Cycle, page: Page) -> Iterator[str]:
    """Yield where to cut and how; the advice on lines of its own if it is long."""
    checked = " (checked)" if cycle.cuts else ""
    line = f"{start}{where}{checked}: {cycle.advice}"
    if page.full or len(page.printable(line)) <= WIDTH:
        yield line
        return
    yield f"{start}{where}{checked}:"
    for text in page.paragraph(cycle.advice, WIDTH - 2 * len(_MARGIN))[:_MOST_ADVICE]:
        yield f"{_MARGIN}{_MARGIN}{text}"


def _where(cycle: Cycle, page: Page) -> str:
    if not cycle.break_at:
        return "where to cut was not found out"
    cut = cycle.break_at[0]
    return f"cut {_type(cut.holder, page)} {_name(cut, page)}"


def other_cuts(cycle: Cycle, page: Page) -> Iterator[str]:
    """Yield what must be cut besides, if one reference is not enough."""
    if cycle.cuts < 2:
        return
    kinds = Counter(
        f"{_type(cut.holder, page)} {_name(cut, page)}" for cut in cycle.break_at
    )
    names = [
        name if number == 1 else f"{name} x{units.count(number)}"
        for name, number in kinds.items()
    ]
    if cycle.cuts > len(cycle.break_at):
        names.append("...")
    most = None if page.full else _MOST_CUTS
    text = ", ".join(names[:most]) + (", ..." if names[most or len(names) :] else "")
    smallest = "no fewer will do" if cycle.is_smallest else "fewer may do"
    yield from page.paragraph(
        f"{units.count(cycle.cuts)} references to cut in all ({smallest}): {text}",
        WIDTH - len(_MARGIN),
    )


def _type(thing: HeapObject, page: Page) -> str:
    return page.start(short_type(thing.type_name, page), _NAME_WIDTH)


def _name(step: Reference, page: Page) -> str:
    return page.start(step.name, _NAME_WIDTH)


def _places(things: Sequence[HeapObject], page: Page) -> list[str]:
    """Return where the objects were made, or else what they are."""
    frames = [
        None if thing.traceback is None else thing.traceback.innermost
        for thing in things
    ]
    names = [frame.filename for frame in frames if frame is not None]
    short = (
        dict(zip(names, names, strict=True)) if page.full else without_folders(names)
    )
    return [
        page.end(thing.detail or "", _PLACE_WIDTH)
        if frame is None
        else page.end(f"{short[frame.filename]}:{frame.lineno}", _PLACE_WIDTH)
        for thing, frame in zip(things, frames, strict=True)
    ]
