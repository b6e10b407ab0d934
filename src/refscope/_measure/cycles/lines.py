"""Lines at which the objects of a cycle were made, and their functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from refscope._measure.cpython.listed import listed
from refscope._measure.cpython.places import frames_of
from refscope._measure.heap.keeping import Kept, KeptById
from refscope._measure.heap.tracebacks import Place, traceback_of_place
from refscope._measure.heap.untracked import traced
from refscope._measure.names.describe import lines_of
from refscope.reports import (
    Cycle,
    CycleGroup,
    Frame,
    HeapObject,
    Reference,
    Traceback,
)
from refscope.reports._record import changed


Frames = Mapping[tuple[str, int], Frame]
Change = Callable[[HeapObject], HeapObject]


def noted_lines() -> KeptById[Place]:
    """Return where objects were made, by identity, while that is traced.

    With these the tracing can stop: it makes the search for cycles, and what that
    tells of them, thirty times slower.
    """
    places: KeptById[Place] = KeptById()
    same: dict[Place, Place] = {}
    for thing, place in traced(Kept(listed()), lines_of):
        places[id(thing)] = same.setdefault(place, place)
    return places


def with_lines(
    groups: Sequence[CycleGroup], places: Mapping[int, Place]
) -> list[CycleGroup]:
    """Return the groups with the lines that were noted of their objects."""
    change = partial(_placed, places=places)
    return with_functions(
        [changed(group, example=_cycle(group.example, change)) for group in groups]
    )


def _placed(thing: HeapObject, places: Mapping[int, Place]) -> HeapObject:
    place = places.get(thing.address)
    return changed(thing, traceback=traceback_of_place(place)) if place else thing


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
    change = partial(_object, frames=frames_of(lines))
    return [changed(group, example=_cycle(group.example, change)) for group in groups]


def _objects(cycle: Cycle) -> Iterator[HeapObject]:
    for reference in (*cycle.references, *cycle.break_at):
        yield reference.holder
        yield reference.target


def _cycle(cycle: Cycle, change: Change) -> Cycle:
    return changed(
        cycle,
        references=_references(cycle.references, change),
        break_at=_references(cycle.break_at, change),
    )


def _references(
    references: Iterable[Reference], change: Change
) -> tuple[Reference, ...]:
    return tuple(
        [
            changed(
                reference,
                holder=change(reference.holder),
                target=change(reference.target),
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
