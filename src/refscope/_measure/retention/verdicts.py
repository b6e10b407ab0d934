"""Paths with a verdict on each object: between the last alive and the first dead."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from types import FrameType

from refscope import _units as units
from refscope._measure.budget import Budget
from refscope._measure.cpython.environment import environment
from refscope._measure.heap.inspectors import judge
from refscope._measure.heap.keeping import Kept
from refscope._measure.names.describe import describe
from refscope._measure.references.explain import MATERIALISED, explain
from refscope._measure.references.refcounts import Box, counted
from refscope.reports import (
    Reference,
    ReferencePath,
    RetentionReport,
    Verdict,
)
from refscope.reports._record import changed

from .passing import charge_on
from .retained import retained_sizes
from .search import Found, Trail, find_trails


_MORE = "{} more holders were not followed"
_LOOPED = (
    "leads back only to itself: garbage that waits for gc, or kept by C",
    "lead back only to themselves: garbage that waits for gc, or kept by C",
)
_UNSEEN = (
    "is held from C: no Python object accounts for it",
    "are held from C: no Python object accounts for them",
)
_MOST_RETAINED = 20_000


def retention_of(
    subject: object, budget: Budget, charge: Verdict | None = None
) -> RetentionReport:
    """Return what keeps the subject; a charge is the verdict on it."""
    started = perf_counter()
    found = find_trails(subject, budget, is_thorough=True)
    rows = [(trail.report(), _judged(trail, charge)) for trail in found.trails]
    verdicts = _distinct(rows)
    if not rows:
        verdicts = (_met(charge or _verdict_on(subject), subject),)
    sizes = retained_sizes(Kept([subject]), Budget(_MOST_RETAINED))
    return RetentionReport(
        complete=not (budget.is_spent or found.more),
        limits=(*budget.limits, *_limits(found)),
        environment=environment(),
        overhead=perf_counter() - started,
        subject=describe(subject),
        paths=tuple([path for path, _ in rows]),
        verdicts=verdicts,
        suspects=_suspects(rows),
        retained_size=None if sizes is None else sizes[0],
        more_holders=found.more,
    )


def retention_in(
    box: Box,
    number: int | None,
    caller: FrameType | None,
    budget: Budget,
    charge: Verdict | None = None,
) -> RetentionReport:
    """Return what keeps the object in a box; that it is one variable alone is proved.

    Args:
        box: Holds the object; nothing else of refscope's does.
        number: How many references the program has to it; None if that is not sure.
        caller: Where the program called refscope.
        budget: The bounds of the search.
        charge: The verdict on the object.
    """
    report = retention_of(box[0], budget, charge)
    if report.only_local is None or number is None:
        return report
    unseen = explain(box, counted(box, number, 0), caller, budget).unaccounted
    if not unseen:
        return report
    more = units.plural(unseen, "more reference")
    limits = (*report.limits, f"{more} {_UNSEEN[unseen > 1]}")
    return changed(report, more_holders=unseen, limits=limits)


def _limits(found: Found) -> Iterator[str]:
    """Yield what is not known of holders that are on no path, and what was changed."""
    if found.has_materialised:
        yield MATERIALISED
    if found.more:
        yield _MORE.format(found.more)
    if found.loops:
        others = units.plural(found.loops, "more holder")
        yield f"{others} {_LOOPED[found.loops > 1]}"


def _judged(trail: Trail, charge: Verdict | None) -> list[Verdict]:
    """Return a verdict on each object of a path, from the root to the subject."""
    last = len(trail.objects) - 1
    verdicts: list[Verdict] = []
    for place, thing in enumerate(trail.objects):
        if place == last and charge is not None:
            verdict = charge
        elif place == 0 and trail.reason is not None:
            verdict = Verdict("no", trail.reason)
        else:
            verdict = _verdict_on(thing)
        verdicts.append(_met(verdict, thing))
    return _spread(verdicts)


def _verdict_on(thing: object) -> Verdict:
    return charge_on(thing) or judge(thing)


def _spread(verdicts: list[Verdict]) -> list[Verdict]:
    """Let what holds something alive be alive, and what the dead hold be dead."""
    alive = [place for place, one in enumerate(verdicts) if one.leaking == "no"]
    last = alive[-1] if alive else -1
    spread = [
        changed(one, leaking="no", reason="it holds something alive")
        if place < last and one.leaking != "no"
        else one
        for place, one in enumerate(verdicts)
    ]
    dead = [place for place, one in enumerate(spread) if one.leaking == "yes"]
    first = dead[0] if dead else len(spread)
    return [
        changed(one, leaking="yes", reason="held by what is done with")
        if place > first and one.leaking == "unknown"
        else one
        for place, one in enumerate(spread)
    ]


def _met(verdict: Verdict, thing: object) -> Verdict:
    known = describe(thing)
    return Verdict(
        verdict.leaking,
        verdict.reason,
        type_name=known.type_name,
        address=known.address,
    )


def _suspects(
    rows: list[tuple[ReferencePath, list[Verdict]]],
) -> tuple[Reference, ...]:
    """Return the references between the last alive and the first dead of each path."""
    suspects: dict[Reference, None] = {}
    for path, verdicts in rows:
        dead = [place for place, one in enumerate(verdicts) if one.leaking == "yes"]
        if not dead:
            continue
        alive = [
            place
            for place, one in enumerate(verdicts[: dead[0]])
            if one.leaking == "no"
        ]
        start = alive[-1] if alive else 0
        suspects.update(dict.fromkeys(path.references[start : dead[0]]))
    return tuple(suspects)


def _distinct(
    rows: list[tuple[ReferencePath, list[Verdict]]],
) -> tuple[Verdict, ...]:
    """Return each object's verdict once, the subject's last."""
    known: dict[int | None, Verdict] = {}
    for _, verdicts in rows:
        for verdict in verdicts[:-1]:
            known.setdefault(verdict.address, verdict)
    last = rows[0][1][-1:] if rows else []
    return (*known.values(), *last)
