"""Paths with a verdict on each object: between the last alive and the first dead."""

from __future__ import annotations

from refscope.reports import HeapObject, Reference, ReferencePath, Verdict
from refscope.reports._record import changed

from . import census
from .budget import Budget
from .describe import describe
from .inspectors import judge
from .keeping import Kept
from .retained import retained_sizes
from .retention import Trail, find_trails


_MORE = "{} more holders were not followed"
_MOST_RETAINED = 20_000


class Retention:
    """What keeps a subject, as data."""

    __slots__ = (
        "limits",
        "paths",
        "retained_size",
        "subject",
        "suspects",
        "verdicts",
    )

    def __init__(self, subject: HeapObject) -> None:
        self.subject: HeapObject = subject
        self.paths: tuple[ReferencePath, ...] = ()
        self.verdicts: tuple[Verdict, ...] = ()
        self.suspects: tuple[Reference, ...] = ()
        self.limits: tuple[str, ...] = ()
        self.retained_size: int | None = None


def retention_of(
    subject: object, budget: Budget, charge: Verdict | None = None
) -> Retention:
    """Return what keeps the subject; a charge is the verdict on it."""
    trails, more = find_trails(subject, budget)
    found = Retention(describe(subject))
    rows = [(trail.report(), _judged(trail, charge)) for trail in trails]
    found.paths = tuple([path for path, _ in rows])
    found.suspects = _suspects(rows)
    found.verdicts = _distinct(rows)
    if not trails:
        verdict = charge or judge(subject)
        found.verdicts = (_met(verdict, subject),)
    if more:
        found.limits = (_MORE.format(more),)
    small = Budget(_MOST_RETAINED)
    sizes = retained_sizes(Kept([subject]), small)
    found.retained_size = None if sizes is None else sizes[0]
    return found


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
            verdict = judge(thing)
        verdicts.append(_met(verdict, thing))
    return _spread(verdicts)


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


census.own(Retention)
