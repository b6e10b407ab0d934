"""Counts explained: who holds the references, and what is left over."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from sys import getrefcount
from types import FrameType

from refscope._measure.budget import Budget
from refscope._measure.cpython.borrowing import GENERATORS, may_own_less
from refscope._measure.cpython.classes import FREE_THREADED, is_dict
from refscope._measure.cpython.frames import own_frames, running_frames
from refscope._measure.cpython.frozen import frozen_count
from refscope._measure.cpython.interpreter import BORROWS
from refscope._measure.cpython.listed import listed
from refscope._measure.cpython.managed import HIDES_DICT, owners_of
from refscope._measure.heap.roots import HANDLED
from refscope._measure.names.code import CONTENTS, STACK, cell
from refscope._measure.names.describe import describe
from refscope.reports import HeapObject, RefCount, Reference, ReferrersReport
from refscope.reports._record import changed

from .hidden import behind, frame_values, held_as_keys, held_by_code
from .holders import Held, Search, holding
from .refcounts import ENVIRONMENT, Box
from .variables import Ownership, Variable, Variables, share_out, variables_holding


MATERIALISED = (
    "the __dict__ of an instance, or the frame object of a generator, was made to find "
    "a name, and stays"
)
CHANGED = "references came or went during the search: what is listed may be too much"
BORROWED = (
    "variables of 3.14 and later can borrow a reference: which of them own one cannot "
    "be told here"
)
OTHER_THREADS = (
    "variables of other threads are not looked at in this build: it may not be safe"
)
DICT = ".__dict__"
TOO_MANY = "more references were found than are counted: some are not owned"


def explain(
    box: Box,
    count: RefCount,
    caller: FrameType | None,
    budget: Budget,
    apart: Sequence[object] = (),
) -> ReferrersReport:
    """Return the report of who holds what is in the box.

    Args:
        box: Holds the object; nothing else of refscope's does.
        count: How many references there are.
        caller: Where the program called refscope.
        budget: The bounds of the search.
        apart: What is refscope's, and no holder.
    """
    before = getrefcount(box[0])
    report = _explained(box, count, caller, budget, apart)
    # Nothing of the search holds the object any more.
    if getrefcount(box[0]) == before:
        return report
    return changed(report, exact=False, limits=(*report.limits, CHANGED))


def _explained(
    box: Box,
    count: RefCount,
    caller: FrameType | None,
    budget: Budget,
    apart: Sequence[object],
) -> ReferrersReport:
    frames = running_frames(caller)
    ours = {id(frames), *map(id, frames), *map(id, own_frames(caller))}
    ours.update(map(id, (budget, count, *apart)))
    search = Search(box, ours)
    held = search.tracked(budget)
    variables = variables_holding(box, frames)
    held = _with_cells(held, variables.in_cells)
    if HIDES_DICT and is_dict(box[0]) and _is_open(count, held, variables):
        held += _owners(box, held)
    if not budget.is_spent and _is_open(count, held, variables):
        held += _hidden(search, count, held, variables, frames, budget)
    if frames and sys.exc_info()[1] is box[0] and _is_open(count, held, variables):
        variables.direct.append(Variable(frames[0], HANDLED, may_borrow=False))
    share = share_out((count.count or 0) - len(held), variables.direct)
    share.is_certain &= not _may_borrow(held)
    return ReferrersReport(
        refcount=count,
        references=_references(box, held, variables, share),
        unaccounted=None if count.immortal or budget.is_spent else share.unaccounted,
        exact=count.exact and (count.immortal or share.is_certain),
        complete=not budget.is_spent,
        limits=tuple(_limits(search, count, share, budget)),
        environment=ENVIRONMENT,
        overhead=budget.elapsed,
    )


def _with_cells(held: list[Held], names: list[str]) -> list[Held]:
    """Return the references with cells named by variables of running frames.

    Which cell is whose is not known: they are named if there is one name for all.

    Args:
        held: What was found.
        names: Those of variables that are in cells with the object.
    """
    given = {one.name for one in held}
    free = [name for name in names if cell(name) not in given]
    unnamed = [one for one in held if one.name == CONTENTS]
    if len(set(free)) != 1 or len(unnamed) > len(free):
        return held
    name = cell(free[0])
    return [Held(one.holder, name) if one.name == CONTENTS else one for one in held]


def _may_borrow(held: list[Held]) -> bool:
    """Return whether a generator that waits may not own what is on its stack (3.14)."""
    known: dict[int, bool] = {}
    return BORROWS and any(
        id(type(one.holder)) in GENERATORS
        and one.name.startswith(STACK)
        and may_own_less(one.holder, known)
        for one in held
    )


def _is_open(count: RefCount, held: list[Held], variables: Variables) -> bool:
    """Return whether references are left that holders out of sight can have."""
    if count.count is None:
        return False
    sure = sum(not variable.may_borrow for variable in variables.direct)
    return count.count - len(held) > sure


def _owners(box: Box, held: list[Held]) -> list[Held]:
    """Return the reference of the instance that has the object for its ``__dict__``."""
    known = {id(one.holder) for one in held}
    owners = owners_of(box[0], listed())
    return [Held(owner, DICT) for owner in owners if id(owner) not in known]


def _hidden(  # noqa: PLR0913, PLR0917  # what is known so far
    search: Search,
    count: RefCount,
    held: list[Held],
    variables: Variables,
    frames: list[FrameType],
    budget: Budget,
) -> list[Held]:
    """Return references from what the collector does not list, until all are found."""
    box = search.box
    # A tuple of code is tracked too, until the collector has come by.
    kind = type(box[0])
    is_seen = gc.is_tracked(box[0]) and kind is not tuple
    if is_seen and not frozen_count():
        return []
    search.ours.update([id(one.holder) for one in held])
    objects = listed()
    local = frame_values(frames)
    found: list[Held] = []
    try:
        if type(box[0]) is str:
            found += held_as_keys(box, objects)
        for chunk in behind(objects, local, budget):
            search.unlisted += chunk.unlisted
            found += _among(search, chunk.unlisted)
            if not _is_open(count, [*held, *found], variables):
                break
    finally:
        objects.clear()  # our own frames are in it (3.10): it would hold itself
    return search.owned(found)


def _among(search: Search, things: list[object]) -> list[Held]:
    """Return references from some things that the collector does not list."""
    box = search.box
    found = [*search.named(holding(box, things)), *held_by_code(box, things)]
    if type(box[0]) is str:
        found += held_as_keys(box, things)
    return found


def _references(
    box: Box, held: list[Held], variables: Variables, share: Ownership
) -> tuple[Reference, ...]:
    target = describe(box[0])
    known: dict[int, HeapObject] = {}
    for one in held:
        if id(one.holder) not in known:
            known[id(one.holder)] = describe(one.holder)
    rows = [
        Reference(holder=known[id(one.holder)], target=target, name=one.name)
        for one in held
    ]
    for variable, borrowed in zip(variables.direct, share.borrowed, strict=True):
        holder = describe(variable.frame)
        rows.append(
            Reference(
                holder=holder, target=target, name=variable.name, borrowed=borrowed
            )
        )
    return tuple(rows)


def _limits(
    search: Search, count: RefCount, share: Ownership, budget: Budget
) -> Iterator[str]:
    yield from count.limits
    yield from budget.limits
    if search.has_materialised:
        yield MATERIALISED
    if not share.is_certain and not count.immortal and not budget.is_spent:
        yield BORROWED if BORROWS else TOO_MANY
    if FREE_THREADED:  # pragma: no cover  # no such build here
        yield OTHER_THREADS
