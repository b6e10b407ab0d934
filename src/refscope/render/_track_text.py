"""A tracked block as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import attrs

from refscope import _units as units
from refscope.reports import (
    AllocationSite,
    Cycle,
    Frame,
    ReferencePath,
    SurvivorGroup,
    TrackReport,
    TypeChange,
)

from ._common_text import (
    environment_lines,
    head_lines,
    limit_lines,
    more_rows,
    short_label,
)
from ._expressions import spelled
from ._page import (
    INDENT,
    LINES,
    WIDTH,
    Page,
    columns,
    last_parts,
    short_type,
    titled,
    without_folders,
)
from ._path_text import steps_in_line


T = TypeVar("T")

_MOST_SITES = 10
_FEWEST_SITES = 2
_MOST_STEPS = 4
_PATH_LINES = 2
_PATH_WIDTH = WIDTH - INDENT - 2
_ARROW = " -> "
_HELD = "held by "
_LOOP_WIDTH = 160
_NAME_WIDTH = 50
_PLACE_WIDTH = 40


class _Room(NamedTuple):
    """How many rows each list may have."""

    survivors: int = 3
    types: int = 6
    cycles: int = 2
    is_tight: bool = False
    """Whether a loop and its advice have a line each."""


_ROOMS = (
    _Room(),
    _Room(types=4, cycles=1),
    _Room(survivors=2, types=3, cycles=1, is_tight=True),
    _Room(survivors=1, types=1, cycles=1, is_tight=True),
)
"""From as many as are shown at best to those that always find room."""


def track_lines(report: TrackReport, page: Page) -> list[str]:
    """Return the lines of a block: verdict, sites, types, gc, limits."""
    shown = attrs.evolve(report, label=short_label(report.label, page))
    head = head_lines(shown, page)
    block = titled("Block", _joined(_block(report, page)))
    if _nothing_changed(report):
        return [*head, *block, *_measured_lines(report, page)]
    head += [*_suspect_lines(report, page), "", *block]
    foot = [
        *titled("Process", _joined(_process(report))),
        *titled("gc", [_gc(report)]),
        *environment_lines(report, page),
        *limit_lines(report, page),
    ]
    survivors: list[str] = []
    rest: list[str] = []
    space = 0
    for room in _ROOMS:  # pragma: no branch  # the last one always does
        survivors = _survivor_lines(report, page, room)
        rest = [*_type_lines(report, page, room), *_cycle_lines(report, page, room)]
        space = LINES - len(head) - len(survivors) - len(rest) - len(foot)
        if space >= _FEWEST_SITES or not page.is_bounded:
            break
    return [*head, *survivors, *_site_lines(report, page, space), *rest, *foot]


def _suspect_lines(report: TrackReport, page: Page) -> list[str]:
    """Return what to look at first: the most important objects, and where they are."""
    for group in report.survivors[:1]:
        path = group.held_by
        if group.by_design is not None or path is None:
            continue
        names = [step.name for step in path.references]
        is_inside = bool(names) and names[-1][:1] in ("[", "{")
        place = spelled(path, len(names) - is_inside)
        if place is None:
            continue
        what = f"{units.count(group.count)} {page.end(group.type_name, _NAME_WIDTH)}"
        where = f"{'in' if is_inside else 'at'} {page.start(place, WIDTH - INDENT)}"
        lines = page.paragraph(f"Suspect: {what} {where}   [{group.fingerprint}]")
        return lines[: None if page.full else _PATH_LINES]
    return []


def _nothing_changed(report: TrackReport) -> bool:
    rows = (report.sites, report.types, report.survivors)
    changed = any(rows) or report.memory.size_diff
    cycles = report.cycles is not None and bool(report.cycles.groups)
    return not (changed or cycles) and report.exception is None


def _measured_lines(report: TrackReport, page: Page) -> list[str]:
    sections = ", ".join(report.measured) or "nothing"
    if report.complete and not report.limits:
        return page.paragraph(f"Measured: {sections}. Limits: none")
    return [*page.paragraph(f"Measured: {sections}"), *limit_lines(report, page)]


def _block(report: TrackReport, page: Page) -> Iterator[str]:
    """Yield what there is to say about the block itself."""
    if (report.calls, report.calls_seen) != (1, 1):
        seen = units.plural(report.calls_seen, "call")
        yield f"{units.count(report.calls)} of {seen} measured"
    if report.exception is not None:
        yield f"left by {page.end(report.exception, _NAME_WIDTH)}"
    for name, value in report.tag_items:
        yield f"{name}={value}"


def _process(report: TrackReport) -> Iterator[str]:
    """Yield what the block did beyond the memory that is traced."""
    memory = report.memory
    if memory.rss_diff is not None:
        yield f"RSS {units.size(memory.rss_diff, sign=True)}"
    if memory.blocks_diff is not None:
        yield f"pymalloc {units.count(memory.blocks_diff, sign=True)} blocks"
    if memory.shared:
        yield "shared with other threads, tasks or blocks"


def _joined(facts: Iterator[str]) -> list[str]:
    text = ", ".join(facts)
    return [text] if text else []


def _gc(report: TrackReport) -> str:
    gc = report.gc
    total = sum(gc.collections)
    if not total and "gc" not in report.measured:
        return "not measured"
    text = f"{units.plural(total, 'collection')}, {units.seconds(gc.pause)}"
    if total > 1:
        text += f" (longest {units.seconds(gc.longest_pause)})"
    text += f", freed {units.count(gc.collected)}"
    if gc.uncollectable:
        text += f", {units.count(gc.uncollectable)} uncollectable"
    return text


def _few(rows: Sequence[T], most: int, page: Page) -> Sequence[T]:
    """Return the rows that fit, one at least."""
    shown = page.first(rows, max(most, 1))
    return shown or rows[:1] if page.is_bounded else shown


def _type_lines(report: TrackReport, page: Page, room: _Room) -> list[str]:
    # A merge can leave a row without objects, whose size alone is not known.
    counted = [row for row in report.types if page.full or row.count_diff]
    shown = _few(counted, room.types, page)
    rows = columns([_type_cells(row, page) for row in shown])
    rows += more_rows(counted, shown, "types", page)
    return titled("Types", rows or [_empty(report, "types")])


def _type_cells(row: TypeChange, page: Page) -> tuple[str, str]:
    name = page.end(row.type_name, _NAME_WIDTH)
    if row.size_diff is not None:
        name += f" ({units.size(row.size_diff, sign=True)})"
    return units.count(row.count_diff, sign=True), name


def _survivor_lines(report: TrackReport, page: Page, room: _Room) -> list[str]:
    """Return the groups with what holds them; nothing where there are none."""
    shown = _few(report.survivors, room.survivors, page)
    rows: list[str] = []
    for group in shown:
        rows.append(_survivor(group, page))
        if group.by_design is not None:
            rows.append(f"  by design: {page.start(group.by_design, 60)}")
        elif group.held_by is not None:
            rows += _held_lines(group.held_by, page, room)
    rows += more_rows(report.survivors, shown, "survivors", page)
    return titled("Survivors", rows)


def _held_lines(path: ReferencePath, page: Page, room: _Room) -> list[str]:
    """Return the way to a survivor, of a long one both ends."""
    steps = steps_in_line(path)
    if not steps[0].startswith(_HELD):
        steps[0] = f"{_HELD}{steps[0]}"
    most = 1 if room.is_tight else _PATH_LINES
    lines = page.paragraph(_ARROW.join(steps), _PATH_WIDTH)
    if page.is_bounded and len(lines) > most:
        lines = _ends(steps, page, most)
    return [f"  {line}" for line in lines]


def _ends(steps: Sequence[str], page: Page, most: int) -> list[str]:
    """Return where a long way begins, and as much of its end as there is room for.

    The first step says what in the program to look at, the last ones what it holds.
    """
    start = _ARROW.join(steps[:2])
    lines: list[str] = []
    for number in range(1, len(steps) - 1):
        text = _ARROW.join([start, "...", *steps[-number:]])
        longer = page.paragraph(text, _PATH_WIDTH)
        if len(longer) > most:
            break
        lines = longer
    if lines:
        return lines
    half = _PATH_WIDTH * most // 2
    has_start = bool(steps[2:]) and len(start) <= half
    shown = steps[: 2 if has_start else 1]
    gap = ["..."] if len(steps) > len(shown) + 1 else []
    end = page.end(steps[-1], half - len(_ARROW.join(["", *gap, ""])))
    return page.paragraph(_ARROW.join([*shown, *gap, end]), _PATH_WIDTH)[:most]


def _survivor(group: SurvivorGroup, page: Page) -> str:
    name = page.end(group.type_name, _NAME_WIDTH)
    text = f"{units.count(group.count)} {name}  {units.size(group.size)}"
    if group.traceback is None:
        return text
    frame = group.traceback.innermost
    file = frame.filename if page.full else last_parts(frame.filename, 2)
    return f"{text}  {page.end(f'{file}:{frame.lineno}', _PLACE_WIDTH)}"


def _cycle_lines(report: TrackReport, page: Page, room: _Room) -> list[str]:
    """Return each shape with one loop, and where to cut it."""
    if report.cycles is None:
        return []
    groups = report.cycles.groups
    shown = _few(groups, room.cycles, page)
    width = WIDTH - INDENT - 2
    rows: list[str] = []
    for group in shown:
        size = units.size(group.size)
        objects = units.plural(group.objects, "object")
        rows.append(
            f"{units.count(group.count)} {group.kind}  {objects}, {size}  "
            f"[{group.fingerprint}]"
        )
        for text in (_loop(group.example, page), group.example.advice):
            is_tight = room.is_tight and page.is_bounded
            lines = (
                [page.start(text, width)] if is_tight else page.paragraph(text, width)
            )
            rows += [f"  {line}" for line in lines]
    rows += more_rows(groups, shown, "shapes", page)
    return titled("Cycles", rows or ["0 garbage, 0 live"])


def _loop(cycle: Cycle, page: Page) -> str:
    """Return the steps of a loop in a line, the first few of a long one."""
    shown = page.first(cycle.references, _MOST_STEPS)
    steps = [f"{short_type(step.holder.type_name, page)}{step.name}" for step in shown]
    left = cycle.length - len(shown)
    back = f"{units.count(left)} more" if left else "back"
    return page.start(" -> ".join([*steps, back]), _LOOP_WIDTH)


def _site_lines(report: TrackReport, page: Page, space: int) -> list[str]:
    shown = _few(report.sites, min(space, _MOST_SITES), page)
    rows = [*_site_rows(shown, page), *more_rows(report.sites, shown, "sites", page)]
    return titled("Sites", rows or [_empty(report, "sites")])


def _site_rows(sites: Sequence[AllocationSite], page: Page) -> Iterator[str]:
    files = [site.traceback.innermost.filename for site in sites]
    short = {name: name for name in files} if page.full else without_folders(files)
    cells = [_site_cells(site, page, short) for site in sites]
    for site, row in zip(sites, columns(cells), strict=True):
        yield row
        if page.full:
            yield from _callers(site)


def _site_cells(
    site: AllocationSite, page: Page, short: Mapping[str, str]
) -> tuple[str, str, str]:
    frame = site.traceback.innermost
    return (
        units.size(site.size_diff, sign=True),
        units.count(site.count_diff, sign=True),
        _place(frame, short[frame.filename], page),
    )


def _place(frame: Frame, name: str, page: Page) -> str:
    place = page.end(f"{name}:{frame.lineno}", _PLACE_WIDTH)
    if frame.function is None:
        return place
    # The numbers in front take about 26 characters.
    room = WIDTH - INDENT - 26 - len(" in ") - len(place)
    return f"{place} in {page.start(frame.function, room)}"


def _callers(site: AllocationSite) -> Iterator[str]:
    """Yield the frames under the innermost one, from the inside out."""
    frames = site.traceback.frames
    for frame in reversed(frames[:-1]):
        yield f"  from {frame}"
    beyond = (site.traceback.total_nframe or 0) - len(frames)
    if beyond > 0:
        yield f"  ... {units.plural(beyond, 'outer frame')} not recorded"


def _empty(report: TrackReport, section: str) -> str:
    return "none" if section in report.measured else "not measured"
