"""The garbage cycles that open blocks have made, noted before we collect them.

Each collection of ours would free them unseen, also those of a block around the one
that it is for.  So before it refscope looks, read-only, at what is garbage among the
objects made in each block.  Cycles that were closed over older objects are not among
these, nor are those over what has become old meanwhile.  Where the block collects
anyway all garbage is its own, for there was none at its entry: that collection keeps
what it finds until it is named, and a second one frees it.  Only there do finalizers
run before refscope sees a cycle.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Sequence

from refscope._measure.budget import Budget
from refscope._measure.cycles import search
from refscope._measure.heap import census, ours
from refscope._measure.session.born import Born, young_objects
from refscope.reports import CycleReport, merge
from refscope.reports._record import changed


UNSETTLED = (
    "collect=False: a cycle that the block closed over older objects cannot be told "
    "from garbage that was there before; find_cycles() shows both"
)
UNNAMED = "automatic collections freed {} objects inside the block: they have no names"


class Litter:
    """What one open block has made so far that only the collector can free."""

    __slots__ = ("_in_garbage", "_reports", "born", "is_settled")

    def __init__(self, born: Born, *, is_settled: bool) -> None:
        self.born: Born = born
        self.is_settled: bool = is_settled
        """Whether there was no garbage when the block began."""
        self._reports: list[CycleReport] = []
        self._in_garbage: int = len(gc.garbage)

    def note(self, report: CycleReport) -> None:
        """Remember what is freed now, while the block goes on."""
        if report.objects or report.limits:
            ours.disown_report(report)
            self._reports.append(report)

    def now(self, budget: Budget) -> tuple[CycleReport, bytes]:
        """Return what was freed so far and what waits, with identities of the latter.

        They are bytes, which the collector does not track.  In settled blocks nothing
        waits: all was collected just before.
        """
        if self.is_settled:
            return self._merged(CycleReport()), b""
        report, waiting = search.garbage_among(self.born.look(is_raw=True), budget)
        ours.disown_report(report)
        return self._merged(report), array("Q", waiting).tobytes()

    def _merged(self, waiting: CycleReport) -> CycleReport:
        stuck = max(len(gc.garbage) - self._in_garbage, 0)
        freed = sum([report.objects for report in self._reports])
        report = changed(
            merge([waiting, *self._reports]),
            uncollectable=stuck,
            freed=freed if freed or self.is_settled else None,
        )
        ours.disown_report(report)
        return report


def note_made(litters: Sequence[Litter], budget: Budget) -> frozenset[int]:
    """Note the garbage among what each block made; return that of settled ones.

    These share it, and of them only young objects are looked at: to find the others
    among old ones takes as long as a collection, and that finds their garbage as well.
    """
    shared: CycleReport | None = None
    found: frozenset[int] = frozenset()
    for litter in litters:
        if not litter.is_settled:
            made = litter.born.look(is_raw=True)
            litter.note(search.garbage_among(made, budget)[0])
            continue
        if shared is None:
            shared, found = search.garbage_among(young_objects(), budget)
        litter.note(shared)
    return found


def note_kept(
    litters: Sequence[Litter],
    objects: list[object],
    noted: frozenset[int],
    budget: Budget,
    holders: Sequence[Sequence[object]],
) -> None:
    """Note for settled blocks the cycles that a collection found besides."""
    report = search.garbage_kept(objects, budget, noted, holders)
    for litter in litters:
        if litter.is_settled:
            litter.note(report)


census.own(Litter)
