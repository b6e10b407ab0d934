"""``expect_gone``: say that an object is done with, and be told what still holds it."""

from __future__ import annotations

import gc
import sys
from sys import getrefcount
from time import perf_counter, sleep

from refscope._measure.budget import Budget, OnProgress
from refscope._measure.cpython import activity
from refscope._measure.cpython.environment import environment
from refscope._measure.heap import census
from refscope._measure.heap.keeping import Kept
from refscope._measure.references.refcounts import OWN
from refscope._measure.retention import verdicts
from refscope._measure.retention.passing import Passing
from refscope._measure.session import boundary
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError
from refscope.reports import ExpectationReport, RetentionReport, Verdict


_NAP = 0.005


class Expectation:
    """The expectation that one object will be gone; it holds the object weakly."""

    __slots__ = ("_passing",)

    def __init__(self, passing: Passing) -> None:
        self._passing = passing

    @property
    def reason(self) -> str:
        """Why the object should be gone."""
        return self._passing.reason

    def check(
        self,
        within: float | None = None,
        *,
        max_objects: int | None = None,
        deadline: float | None = None,
        progress: OnProgress | None = None,
    ) -> ExpectationReport:
        """Return whether the object is gone, or what keeps it.

        Collects once if it is still there at the end of the wait: what waits for the
        collector in a cycle is not held.

        Args:
            within: Seconds to wait for it; by default none.
            max_objects: Holders to look at, at most.
            deadline: Seconds to search for them, at most.
            progress: Called now and then with how far the search has come.

        Raises:
            InvalidArgumentError: ``within`` is below 0.
        """
        budget = Budget(max_objects, deadline, progress)
        started = perf_counter()
        end = started + _checked(within)
        while self._passing.subject() is not None and perf_counter() < end:
            sleep(_NAP)
        return self._report(perf_counter() - started, budget)

    async def check_async(
        self,
        within: float | None = None,
        *,
        max_objects: int | None = None,
        deadline: float | None = None,
        progress: OnProgress | None = None,
    ) -> ExpectationReport:
        """Return what ``check`` does, and let other tasks run while it waits."""
        budget = Budget(max_objects, deadline, progress)
        started = perf_counter()
        end = started + _checked(within)
        while self._passing.subject() is not None and perf_counter() < end:
            await activity.nap(_NAP)
        return self._report(perf_counter() - started, budget)

    def _report(self, waited: float, budget: Budget) -> ExpectationReport:
        started = perf_counter()
        if self._passing.subject() is not None:
            gc.collect()
        retention = self._retention(budget)
        if retention is None:
            self._passing.end()
        return ExpectationReport(
            complete=not budget.is_spent,
            limits=budget.limits,
            environment=environment(),
            overhead=perf_counter() - started,
            type_name=self._passing.type_name,
            reason=self.reason,
            gone=retention is None,
            freed_by=self._passing.freed_by,
            waited=waited,
            retention=retention,
        )

    def _retention(self, budget: Budget) -> RetentionReport | None:
        """Return what keeps the object; it is held for that long, and no longer."""
        box = Kept([self._passing.subject()])
        if box[0] is None:
            return None
        number = getrefcount(box[0]) - OWN
        with boundary.own_work():
            charge = Verdict("yes", self.reason)
            return verdicts.retention_in(box, number, sys._getframe(), budget, charge)


def expect_gone(obj: object, reason: str) -> Expectation:
    """Expect that an object will be gone soon; it is held weakly.

    Until it is gone, or the expectation is dropped, a function in ``gc.callbacks``
    listens for collections, to tell what freed it, and ``why_alive`` calls the object
    leaking wherever it comes upon it.

    Args:
        obj: The object.
        reason: Why it should be gone: ``"the request is over"``.

    Raises:
        ArgumentTypeError: The object cannot be held weakly, or the reason is no text.
        InvalidArgumentError: The reason is empty.

    Example:
        >>> import refscope
        >>> class Request:
        ...     pass
        >>> def handle():
        ...     request = Request()
        ...     expected = refscope.expect_gone(request, "the request is over")
        ...     before = expected.check().gone
        ...     del request
        ...     return before, expected.check().freed_by
        >>> handle()
        (False, 'refcount')
    """
    if type(reason) is not str:
        raise ArgumentTypeError(f"reason takes text, not {type(reason).__name__}")
    if not reason.strip():
        raise InvalidArgumentError("reason takes a text that is not empty")
    return Expectation(Passing(obj, reason))


def _checked(within: float | None) -> float:
    if within is None:
        return 0.0
    if type(within) not in {int, float}:
        raise ArgumentTypeError(f"within takes seconds, not {type(within).__name__}")
    if not within >= 0:
        raise InvalidArgumentError(f"within takes 0 or more seconds, not {within}")
    return within


census.own(Expectation)
