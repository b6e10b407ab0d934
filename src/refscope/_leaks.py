"""``find_leaks``: what grows with every call of a function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from inspect import CO_ITERABLE_COROUTINE
from itertools import repeat
from time import perf_counter, sleep
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import TypeVar, cast

from refscope._measure.budget import Budget, OnProgress
from refscope._measure.cpython import classes
from refscope._measure.cpython.activity import nap
from refscope._measure.cpython.classes import has_method, is_class, type_name
from refscope._measure.cpython.environment import environment
from refscope._measure.heap import census, ours
from refscope._measure.leaks import growth
from refscope._measure.leaks.lingering import without_lingering
from refscope._measure.leaks.rounds import Pause, Step
from refscope._measure.session import boundary
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError
from refscope.reports import Leak, LeakReport
from refscope.reports._record import changed


T = TypeVar("T")
Known = Mapping[str, str]

_TURNS = (0, 0, 0, 0, 0, 0.002)
"""Seconds for the loop: callbacks bring callbacks, and short timers end."""


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
    reasons = _reasons(known)
    work = _Work(f, _options("find_leaks", f, warmup, rounds, calls), budget)
    with work:
        for step in work:
            if isinstance(step, Pause):
                sleep(step.seconds)
                continue
            for _ in repeat(None, step):
                _dropped(f())
    return work.report(reasons)


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

    It works in any event loop.  What other tasks leave as fast in a pause without
    calls is no leak of the function, and is said.
    After each round the loop gets a few turns to do what the calls have left it to do.

    Raises:
        InvalidArgumentError: A number makes no sense.
        ArgumentTypeError: ``f`` cannot be called, or returns nothing to await.

    Example:
        >>> import asyncio, refscope
        >>> async def handle():
        ...     await asyncio.sleep(0)
        >>> asyncio.run(refscope.find_leaks_async(handle)).is_leaking
        False
    """
    budget = Budget(max_objects, deadline, progress)
    reasons = _reasons(known)
    work = _Work(f, _options("find_leaks_async", f, warmup, rounds, calls), budget)
    with work:
        for step in work:
            if isinstance(step, Pause):
                await nap(step.seconds)
                continue
            for _ in repeat(None, step):
                await _awaitable(f())
            for seconds in _TURNS:
                await nap(seconds)
    return work.report(reasons)


class _Work:
    """One search: it asks for calls, and has a report when it needs no more."""

    def __init__(
        self, f: Callable[[], object], options: growth.Options, budget: Budget
    ) -> None:
        self._name = _name_of(f)
        self._options = options
        self._budget = budget
        self._steps = self._all_steps(
            without_lingering(growth.search(f, options, budget))
        )
        self._found: growth.Growth | None = None
        self._started = perf_counter()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        with boundary.own_work():
            self._steps.close()

    def __iter__(self) -> Iterator[Step]:
        """Yield what to do, calls or a pause; what comes in between is refscope's."""
        while True:
            with boundary.own_work():
                step = next(self._steps, None)
            if step is None:
                return
            yield step

    def _all_steps(self, search: growth.Search) -> Generator[Step, None, None]:
        self._found = yield from search

    def report(self, reasons: Known) -> LeakReport:
        """Return what was found."""
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
            environment=environment(),
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


def _reasons(known: object) -> Known:
    """Return the reasons of the caller, checked before any call is made."""
    if known is None:
        return {}
    if not isinstance(known, Mapping):
        raise ArgumentTypeError(
            "known takes a mapping from fingerprints to reasons, not "
            f"{type_name(type(known))}"
        )
    reasons = dict(cast("Known", known))
    for text in (*reasons, *reasons.values()):
        if type(text) is not str:
            raise ArgumentTypeError(f"known takes texts, not {type_name(type(text))}")
    return reasons


def _options(
    verb: str, f: object, warmup: int, rounds: int, calls: int
) -> growth.Options:
    if not callable(f):
        way_out = ": pass the function, without calling it"
        raise ArgumentTypeError(
            f"{verb} takes a function, not {type_name(type(f))}"
            f"{way_out if _is_awaitable(f) else ''}"
        )
    for name, value, least in (
        ("warmup", warmup, 0),
        ("rounds", rounds, 2),
        ("calls", calls, 1),
    ):
        if type(value) is not int:
            raise ArgumentTypeError(
                f"{name} takes a whole number, not {type_name(type(value))}"
            )
        if value < least:
            raise InvalidArgumentError(f"{name} takes {least} or more, not {value}")
    return growth.Options(warmup, rounds, calls)


def _dropped(result: object) -> None:
    """Drop what a call returned, unless the work is still to be done in it."""
    if result is None:
        return
    kind = type(result)
    if kind is GeneratorType or kind is AsyncGeneratorType:
        raise ArgumentTypeError(
            "the function returned a generator, which has not done its work: "
            "pass a function that runs through it"
        )
    if _is_awaitable(result):
        if kind is CoroutineType:
            cast("CoroutineType[object, object, object]", result).close()
        raise ArgumentTypeError(
            f"the function returned {type_name(kind)}, which is to be awaited and has "
            "not done its work: use await find_leaks_async(f)"
        )


def _awaitable(result: object) -> Awaitable[object]:
    """Return what a call returned, if it can be awaited."""
    if not _is_awaitable(result):
        raise ArgumentTypeError(
            f"the function returned {type_name(type(result))}, which cannot be "
            "awaited: use find_leaks(f)"
        )
    return cast("Awaitable[object]", result)


def _is_awaitable(thing: object) -> bool:
    """Return whether a thing can be awaited; none of its code is run."""
    if type(thing) is GeneratorType:
        code = cast("GeneratorType[object, object, object]", thing).gi_code
        return bool(code.co_flags & CO_ITERABLE_COROUTINE)
    return has_method(thing, "__await__")


def _name_of(f: object) -> str:
    """Return the name of a function or class; another callable's code is not run."""
    plain: object = f.__func__ if type(f) is MethodType else f
    if is_class(plain):
        return classes._get_qualname(cast("type", plain))
    if type(plain) is FunctionType or type(plain) is BuiltinFunctionType:
        return plain.__qualname__
    return type_name(type(f))


census.own(_Work)
