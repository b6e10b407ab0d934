"""Reports as pictures: which boxes and arrows there are, in no language yet.

Named tuples, because attrs classes leave garbage when they are made, which may be
inside a block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from refscope import _units as units
from refscope.exceptions import ArgumentTypeError
from refscope.reports import (
    CycleGroup,
    CycleReport,
    ExpectationReport,
    HeapObject,
    Leak,
    LeakReport,
    Reference,
    ReferencePath,
    Report,
    RetentionReport,
)

from ._page import Page, last_parts, short_type


class Box(NamedTuple):
    """One object."""

    key: str
    """Unique in the picture."""

    lines: tuple[str, ...]
    """What stands in the box."""


class Arrow(NamedTuple):
    """One reference."""

    start: str
    end: str
    name: str
    is_cut: bool = False
    """True for a reference to remove."""


class Panel(NamedTuple):
    """What belongs together, with a title."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def panels_of(report: Report) -> list[Panel]:
    """Return the picture of a report.

    Raises:
        ArgumentTypeError: Reports of this kind have none.
    """
    draw: Callable[[Report], list[Panel]] | None = _DRAWINGS.get(type(report))
    if draw is None:
        raise ArgumentTypeError(
            f"{units.one(type(report).__name__)} cannot be drawn as a graph"
        )
    return draw(report)


def panel(
    title: str, number: int, references: Sequence[Reference], cuts: Sequence[Reference]
) -> Panel:
    """Return the panel of some references and of those to cut."""
    keys: dict[int, str] = {}
    boxes: list[Box] = []
    for reference in (*references, *cuts):
        for thing in (reference.holder, reference.target):
            if thing.address not in keys:
                keys[thing.address] = f"n{number}_{len(keys)}"
                boxes.append(Box(keys[thing.address], _lines(thing)))
    arrows = {
        (keys[each.holder.address], keys[each.target.address], each.name): each in cuts
        for each in (*references, *cuts)
    }
    drawn = [
        Arrow(start, end, _PAGE.printable(name), is_cut=is_cut)
        for (start, end, name), is_cut in arrows.items()
    ]
    return Panel(_PAGE.printable(title), tuple(boxes), tuple(drawn))


_PAGE = Page(full=False, unicode=True)


def _lines(thing: HeapObject) -> tuple[str, ...]:
    """Return type, detail and place of an object."""
    lines = [short_type(thing.type_name, _PAGE)]
    if thing.detail:
        lines.append(thing.detail)
    if thing.traceback is not None:
        frame = thing.traceback.innermost
        lines.append(f"{last_parts(frame.filename, 2)}:{frame.lineno}")
    return tuple(map(_PAGE.printable, lines))


def _cycles(report: CycleReport) -> list[Panel]:
    return [
        panel(
            _title(number, group),
            number,
            group.example.references,
            group.example.break_at,
        )
        for number, group in enumerate(report.groups, 1)
    ]


def _title(number: int, group: CycleGroup) -> str:
    return f"#{number} {units.count(group.count)} {group.kind} [{group.fingerprint}]"


def _leaks(report: LeakReport) -> list[Panel]:
    return [_leak(number, leak) for number, leak in enumerate(report.leaks, 1)]


def _leak(number: int, leak: Leak) -> Panel:
    name = short_type(leak.type_name, _PAGE)
    title = f"#{number} {leak.per_call:+,.3g} {name} per call [{leak.fingerprint}]"
    if leak.cycle is not None:
        return panel(title, number, leak.cycle.references, leak.cycle.break_at)
    path = leak.held_by
    return panel(title, number, () if path is None else path.references, ())


def _retention(report: RetentionReport) -> list[Panel]:
    return [
        _holder(number, path, report.suspects)
        for number, path in enumerate(report.paths, 1)
    ]


def _holder(number: int, path: ReferencePath, suspects: Sequence[Reference]) -> Panel:
    on_path = [each for each in path.references if each in suspects]
    return panel(f"#{number} {path.root}", number, path.references, on_path)


def _expectation(report: ExpectationReport) -> list[Panel]:
    return [] if report.retention is None else _retention(report.retention)


_DRAWINGS: Mapping[type[Report], Callable[[Any], list[Panel]]] = {
    CycleReport: _cycles,
    LeakReport: _leaks,
    RetentionReport: _retention,
    ExpectationReport: _expectation,
}
