"""``find_leaks``: what grows with every call of a function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from itertools import repeat
from time import perf_counter
from types import AsyncGeneratorType, CoroutineType, GeneratorType, MethodType
from typing import TypeVar, cast

from refscope._measure import account, boundary, census, growth, ours
from refscope._measure.budget import Budget, OnProgress
from refscope._measure.classes import type_name
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError
from refscope.reports import Leak, LeakReport
from refscope.reports._record import changed


T = TypeVar("T")
Known = Mapping[str, str]


def find_leaks(  # noqa: PLR0913  # one for each choice of the caller
    f: Callable[[], object],
    *,
    warmup: int = 3,
    rounds: int = 5,
    calls: int = 1,
    known: Known | None = None,
    max_objects: int | None = None,
    deadline: float | None = None,
    progress: OnProgress | None = None,
) -> LeakReport:
    """Call a function again and again, and report what grows with every call.

    It looks without tracing first: objects by type, garbage, blocks of memory.  What
    grew at all gets rounds of twice as many calls, until it grows in every round and
    in proportion, or no more.  Only then are some calls traced, to name the line and
    what holds the objects.  What is held gets up to about a thousand calls in the
    end, as a cache looks like a leak until it is full.

    The collector runs after every round.  The function should do the same work each
    time; what it returns is dropped.

    Args:
        f: Called without arguments.
        warmup: Calls before the first look: what they leave does not count.
        rounds: Rounds of equally many calls; 2 or more.
        calls: Calls in each round.
        known: Reasons by fingerprint, for leaks that are known: they are reported,
            and do not count.
        max_objects: Holders to look at, at most, in the search for paths.
        deadline: Seconds of that search, at most.
        progress: Called now and then with how far it has come.

    Raises:
        InvalidArgumentError: A number makes no sense.
        ArgumentTypeError: ``f`` cannot be called, or returns something that has to be
            awaited or iterated to do its work.

    Example:
        >>> import refscope
        >>> class Page:
        ...     pass
        >>> pages = []
        >>> report = refscope.find_leaks(lambda: pages.append(Page()))
        >>> report.is_leaking, report.leaks[0].per_call
        (True, 1.0)
    """
    budget = Budget(max_objects, deadline, progress)
    work = _Work(f, _options(f, warmup, rounds, calls), budget)
    with work:
        for number in work:
            for _ in repeat(None, number):
                _dropped(f())
    return work.report(known)


async def find_leaks_async(  # noqa: PLR0913  # one for each choice of the caller
    f: Callable[[], Awaitable[object]],
    *,
    warmup: int = 3,
    rounds: int = 5,
    calls: int = 1,
    known: Known | None = None,
    max_objects: int | None = None,
    deadline: float | None = None,
    progress: OnProgress | None = None,
) -> LeakReport:
    """Do what ``find_leaks`` does with a function whose result is awaited.

    It works in any event loop.  What other tasks leave meanwhile counts as well.

    Example:
        >>> import asyncio, refscope
        >>> async def handle():
        ...     await asyncio.sleep(0)
        >>> asyncio.run(refscope.find_leaks_async(handle)).is_leaking
        False
    """
    budget = Budget(max_objects, deadline, progress)
    work = _Work(f, _options(f, warmup, rounds, calls), budget)
    with work:
        for number in work:
            for _ in repeat(None, number):
                await f()
    return work.report(known)


class _Work:
    """One search: it asks for calls, and has a report when it needs no more."""

    def __init__(
        self, f: Callable[[], object], options: growth.Options, budget: Budget
    ) -> None:
        self._name = _name_of(f)
        self._options = options
        self._budget = budget
        self._steps = self._all_steps(growth.search(f, options, budget))
        self._found: growth.Growth | None = None
        self._started = perf_counter()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        with boundary.own_work():
            self._steps.close()

    def __iter__(self) -> Iterator[int]:
        """Yield how many calls to make; what comes in between is refscope's."""
        while True:
            with boundary.own_work():
                number = next(self._steps, None)
            if number is None:
                return
            yield number

    def _all_steps(self, search: growth.Search) -> Generator[int, None, None]:
        self._found = yield from search

    def report(self, known: Known | None) -> LeakReport:
        """Return what was found."""
        reasons = dict(known or {})
        with boundary.own_work():
            report = self._report(reasons)
            ours.disown_report(report)
        return report

    def _report(self, reasons: Known) -> LeakReport:
        found = cast("growth.Growth", self._found)
        ledger = found.ledger
        return LeakReport(
            complete=not self._budget.is_spent,
            limits=(*self._budget.limits, *found.limits),
            environment=account.environment(),
            overhead=max(0.0, perf_counter() - self._started - ledger.seconds),
            function=self._name,
            leaks=tuple([_with_reason(leak, reasons) for leak in found.leaks]),
            rounds=self._options.rounds,
            calls=self._options.calls,
            total_calls=ledger.calls_made,
            size_per_call=found.size_per_call,
            rss_per_call=found.resident_per_call,
        )


def _with_reason(leak: Leak, reasons: Known) -> Leak:
    reason = reasons.get(leak.fingerprint)
    return leak if reason is None else changed(leak, known=reason)


def _options(f: object, warmup: int, rounds: int, calls: int) -> growth.Options:
    if not callable(f):
        raise ArgumentTypeError(
            f"find_leaks takes a function, not a {type_name(type(f))}"
        )
    for name, value, least in (
        ("warmup", warmup, 0),
        ("rounds", rounds, 2),
        ("calls", calls, 1),
    ):
        if type(value) is not int:
            raise ArgumentTypeError(f"{name} takes a whole number, not {value!r}")
        if value < least:
            raise InvalidArgumentError(f"{name} takes {least} or more, not {value}")
    return growth.Options(warmup, rounds, calls)


def _dropped(result: object) -> None:
    """Drop what a call returned, unless the work is still to be done in it."""
    kind = type(result)
    if kind is CoroutineType:
        cast("CoroutineType[object, object, object]", result).close()
        raise ArgumentTypeError(
            "the function returned a coroutine, which has not done its work: "
            "use await find_leaks_async(f)"
        )
    if kind is GeneratorType or kind is AsyncGeneratorType:
        raise ArgumentTypeError(
            "the function returned a generator, which has not done its work: "
            "pass a function that runs through it"
        )


def _name_of(f: object) -> str:
    plain: object = f.__func__ if type(f) is MethodType else f
    name: object = getattr(plain, "__qualname__", None)
    return name if type(name) is str else type_name(type(f))


census.own(_Work)
