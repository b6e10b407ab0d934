"""Reports as pictures: which boxes and arrows there are, in no language yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from refscope import _units as units
from refscope.exceptions import ArgumentTypeError
from refscope.reports import CycleGroup, CycleReport, HeapObject, Reference, Report

from ._page import Page, last_parts, short_type


@attrs.frozen
class Box:
    """One object."""

    key: str
    """Unique in the picture."""

    lines: tuple[str, ...]
    """What stands in the box."""


@attrs.frozen
class Arrow:
    """One reference."""

    start: str
    end: str
    name: str
    is_cut: bool = False
    """True for a reference to remove."""


@attrs.frozen
class Panel:
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
        raise ArgumentTypeError(f"a {type(report).__name__} cannot be drawn as a graph")
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
    drawn = [Arrow(*ends, is_cut=is_cut) for ends, is_cut in arrows.items()]
    return Panel(title, tuple(boxes), tuple(drawn))


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


_DRAWINGS: Mapping[type[Report], Callable[[Any], list[Panel]]] = {
    CycleReport: _cycles,
}
