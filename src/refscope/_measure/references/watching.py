"""One object watched over a block of code: its references before and after."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from itertools import repeat
from operator import countOf, is_
from sys import getrefcount
from types import FrameType, TracebackType
from weakref import ref

from refscope._measure.budget import Budget
from refscope._measure.cpython.interpreter import count_elements
from refscope._measure.heap import census, ours
from refscope._measure.session.boundary import own_work
from refscope._typing import Self
from refscope.exceptions import ReportNotReadyError, TrackingError
from refscope.reports import (
    HeapObject,
    RefCount,
    RefCountChange,
    Reference,
    ReferrersReport,
)

from .explain import explain
from .refcounts import ENVIRONMENT, OWN, Box, counted, keep


HELD = (
    "the object cannot be referred to weakly: it was held while the block ran, and "
    "could not die in it"
)


_PARTS = {
    id(kind) for kind in (HeapObject, RefCount, Reference, ReferrersReport, tuple)
}


class Watch:
    """What ``watch`` returns: a block in which references to one object are noted."""

    __slots__ = (
        "_before",
        "_held",
        "_is_over",
        "_is_too_late",
        "_passed",
        "_report",
        "_weak",
    )

    def __init__(self, box: Box, passed: int) -> None:
        """Take the object in the box, weakly if that is possible."""
        self._passed = passed
        self._is_over = False
        self._is_too_late = False
        self._before: ReferrersReport | None = None
        self._report: RefCountChange | None = None
        self._held: Box | None = None
        self._weak: ref[object] | None = None
        try:
            self._weak = ref(box[0])
        except TypeError:
            self._held = keep(box)

    @property
    def report(self) -> RefCountChange:
        """What the block did to the references.

        Raises:
            ReportNotReadyError: The block has not ended yet, or there is none to
                come, as the object was gone when it began.
        """
        if self._is_too_late:
            raise ReportNotReadyError(
                "there is no report: the object was gone when the block began; "
                "hold it until then"
            )
        if self._report is None:
            raise ReportNotReadyError(
                "the report is there when the block has ended: leave the with block"
            )
        return self._report

    def __enter__(self) -> Self:
        if self._is_over:
            raise TrackingError("a watch is for one block: call watch() again")
        self._is_over = True
        with own_work():
            self._before = self._now(sys._getframe(1))
            self._is_too_late = self._before is None
            ours.disown_report(self._before)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del kind, error, traceback  # they may lead to the object
        try:
            with own_work():
                self._compare(sys._getframe(1))
        finally:
            self._held = None

    def _compare(self, caller: FrameType) -> None:
        """Make the report."""
        before, self._before = self._before, None
        after = self._now(caller, _parts(before))
        if before is not None:
            limits = () if self._held is None else (HELD,)
            self._report = change_between(before, after, limits)
            ours.disown_report(self._report)

    def _now(
        self, caller: FrameType, apart: Sequence[object] = ()
    ) -> ReferrersReport | None:
        """Return who holds the object now, some things apart; None if it is gone."""
        box = [None if self._weak is None else self._weak()]
        if self._held is not None:
            box = self._held
        elif box[0] is None:
            return None
        budget = Budget()
        apart = [*apart, self, budget]
        number = getrefcount(box[0]) - OWN - _references(apart, box)
        count = counted(box, number, self._passed)
        return explain(box, count, caller, budget, apart)


def change_between(
    before: ReferrersReport,
    after: ReferrersReport | None,
    limits: tuple[str, ...] = (),
) -> RefCountChange:
    """Return what is different between two moments; None means that it died."""
    now = () if after is None else after.references
    found = limits + before.limits + (() if after is None else after.limits)
    return RefCountChange(
        before=before.refcount,
        after=None if after is None else after.refcount,
        diff=_difference(before, after),
        died=after is None,
        gained=_without(now, before.references),
        lost=_without(before.references, now),
        limits=tuple(dict.fromkeys(found)),
        environment=ENVIRONMENT,
        overhead=before.overhead + (0.0 if after is None else after.overhead),
    )


def _references(things: Sequence[object], box: Box) -> int:
    """Return how many references some things have to what is in a box."""
    same = map(is_, gc.get_referents(*things), repeat(box[0]))
    return countOf(same, True)  # noqa: FBT003


def _parts(report: ReferrersReport | None) -> list[object]:
    """Return the objects that a report is made of, without what they all share.

    They may have texts of the program, or its None, which it does not hold by them.
    """
    found: dict[int, object] = {}
    todo: list[object] = [report]
    while todo:
        thing = todo.pop()
        if id(type(thing)) in _PARTS and id(thing) not in found:
            found[id(thing)] = thing
            todo += gc.get_referents(thing)
    return list(found.values())


def _difference(before: ReferrersReport, after: ReferrersReport | None) -> int | None:
    then = before.refcount.count
    now = 0 if after is None else after.refcount.count
    return None if then is None or now is None else now - then


def _without(
    references: tuple[Reference, ...], others: tuple[Reference, ...]
) -> tuple[Reference, ...]:
    """Return the references that are not among others, with multiplicity."""
    known: dict[tuple[int, str, str], int] = {}  # no Counter: see costs_of in cuts
    count_elements(known, map(_key, others))
    found: list[Reference] = []
    for reference in references:
        key = _key(reference)
        if known.get(key):
            known[key] -= 1
        else:
            found.append(reference)
    return tuple(found)


def _key(reference: Reference) -> tuple[int, str, str]:
    holder = reference.holder
    return holder.address, holder.type_name, reference.name


census.own(Watch)
