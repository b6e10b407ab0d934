"""Functions for the lines at which the objects of a cycle were made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from refscope.reports import (
    Cycle,
    CycleGroup,
    Frame,
    HeapObject,
    Reference,
    Traceback,
)
from refscope.reports._record import changed

from .places import frames_of


Frames = Mapping[tuple[str, int], Frame]


def with_functions(groups: Sequence[CycleGroup]) -> list[CycleGroup]:
    """Return the groups with the functions of all lines that are known."""
    lines = {
        (frame.filename, frame.lineno)
        for group in groups
        for thing in _objects(group.example)
        if thing.traceback is not None
        for frame in thing.traceback.frames
    }
    if not lines:
        return list(groups)
    frames = frames_of(lines)
    return [changed(group, example=_cycle(group.example, frames)) for group in groups]


def _objects(cycle: Cycle) -> Iterator[HeapObject]:
    for reference in (*cycle.references, *cycle.break_at):
        yield reference.holder
        yield reference.target


def _cycle(cycle: Cycle, frames: Frames) -> Cycle:
    return changed(
        cycle,
        references=_references(cycle.references, frames),
        break_at=_references(cycle.break_at, frames),
    )


def _references(
    references: Iterable[Reference], frames: Frames
) -> tuple[Reference, ...]:
    return tuple(
        [
            changed(
                reference,
                holder=_object(reference.holder, frames),
                target=_object(reference.target, frames),
            )
            for reference in references
        ]
    )


def _object(thing: HeapObject, frames: Frames) -> HeapObject:
    if thing.traceback is None:
        return thing
    known = [frames[frame.filename, frame.lineno] for frame in thing.traceback.frames]
    traceback = Traceback(tuple(known), thing.traceback.total_nframe)
    return changed(thing, traceback=traceback)
