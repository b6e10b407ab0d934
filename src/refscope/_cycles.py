"""``find_cycles``: objects that keep each other alive, and where to cut."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from functools import partial
from operator import sub
from time import perf_counter
from types import FunctionType, MethodType
from typing import Literal, cast, overload

from refscope import _units as units
from refscope._measure.budget import Budget, OnProgress
from refscope._measure.cpython.classes import static_lookup
from refscope._measure.cpython.environment import environment
from refscope._measure.cpython.interpreter import IS_SUPPORTED
from refscope._measure.cycles import search
from refscope._measure.heap import ours
from refscope._measure.session import boundary
from refscope.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    UnsupportedRuntimeError,
)
from refscope.reports import CycleReport
from refscope.reports._record import changed


_SUSPENDS = 0x20 | 0x80 | 0x200  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR


@overload
def find_cycles(
    *,
    collect: bool = False,
    max_objects: int | None = None,
    deadline: float | None = None,
    progress: OnProgress | None = None,
) -> CycleReport: ...
@overload
def find_cycles(
    *,
    through: Iterable[object],
    max_objects: int | None = None,
    deadline: float | None = None,
    progress: OnProgress | None = None,
) -> CycleReport: ...
@overload
def find_cycles(
    *,
    live: Literal[True],
    max_objects: int | None = None,
    deadline: float | None = None,
    progress: OnProgress | None = None,
) -> CycleReport: ...
@overload
def find_cycles(
    *,
    from_call: Callable[[], object],
    max_objects: int | None = None,
    deadline: float | None = None,
    progress: OnProgress | None = None,
) -> CycleReport: ...
def find_cycles(  # noqa: PLR0913  # one for each choice of the caller
    *,
    collect: bool = False,
    through: Iterable[object] | None = None,
    live: bool = False,
    from_call: Callable[[], object] | None = None,
    max_objects: int | None = None,
    deadline: float | None = None,
    progress: OnProgress | None = None,
) -> CycleReport:
    """Find reference cycles, explain one of each shape, and say where to cut it.

    Without an argument: the garbage cycles that wait for the collector.  They are
    found as the collector finds them, but nothing is touched: no finalizer runs, no
    weak reference dies, and the garbage is still there when it returns; the next
    automatic collection may come sooner.  Of the other arguments in the first group
    only one can be given.

    Args:
        collect: Free the garbage after the report is made.
        through: Look for live cycles that these objects are on or lead to.
        live: Look for every cycle of the process.  Classes, modules and functions
            refer to each other in any program; what is a cycle only by way of them is
            left out here and with ``through``.
        from_call: Call this function, and look for the garbage that the call left
            behind, and no other.  Automatic collections wait meanwhile.
        max_objects: Look at that many objects, young ones first, and say so.
        deadline: Stop after that many seconds of refscope's own work, and say so.
        progress: Called with a ``Progress`` now and then.

    Returns:
        One group for each shape, with an example that names every reference.

    Raises:
        InvalidArgumentError: Two ways of looking are mixed, or a bound makes no sense.
        ArgumentTypeError: ``through`` is no series of objects, ``from_call`` no plain
            function, or a bound no number.
        UnsupportedRuntimeError: This Python does not count references.

    Example:
        >>> import refscope
        >>> def leave():
        ...     ring = []
        ...     ring.append(ring)
        >>> report = refscope.find_cycles(from_call=leave)
        >>> report.count, report.groups[0].example.references[0].name
        (1, '[0]')
    """
    _check_ways(collect, through, live, from_call)
    budget = Budget(max_objects, deadline, progress)
    # Our work counts towards the next automatic collection: not before this returns.
    away = boundary.collector_away()
    try:
        with away:
            report = _found(budget, through, from_call, is_live=live)
            if collect:
                report = _collected(report)
    except BaseException:  # Ctrl-C may have cut its end short
        away.__exit__()
        raise
    return report


def _found(
    budget: Budget,
    through: Iterable[object] | None,
    from_call: Callable[[], object] | None,
    *,
    is_live: bool,
) -> CycleReport:
    """Return the report of what was asked for."""
    if through is not None:
        roots = _roots(through)
        with boundary.own_work():
            report = search.cycles_through(roots, budget)
    elif is_live:
        with boundary.own_work():
            report = search.live_cycles(budget)
    elif from_call is not None:
        report = _left_by(_checked(from_call), budget)
    else:
        with boundary.own_work():
            report = search.garbage_cycles(budget)
    return _with(report, environment=environment(), overhead=budget.elapsed)


def _with(report: CycleReport, **changes: object) -> CycleReport:
    """Return the report with other values, which open blocks do not see."""
    with boundary.own_work():
        report = changed(report, **changes)
        ours.disown_report(report)
    return report


def _check_ways(collect: bool, *others: object) -> None:  # noqa: FBT001  # private
    if not IS_SUPPORTED:  # pragma: no cover  # PyPy, GraalPy
        raise UnsupportedRuntimeError(
            "this Python does not count references, so there is no garbage to tell "
            "from what is alive: look for cycles on CPython"
        )
    ways = ("collect=True", "through", "live=True", "from_call")
    asked = [
        way
        for way, value in zip(ways, (collect, *others), strict=True)
        if value is not None and value is not False
    ]
    if len(asked) > 1:
        raise InvalidArgumentError(
            f"{' and '.join(asked)} do not mix: call find_cycles once for each"
        )


def _roots(through: Iterable[object]) -> list[object]:
    """Return the objects to start from."""
    try:
        objects = iter(through)
    except TypeError as error:
        raise ArgumentTypeError(
            "through takes several objects, as [thing], not "
            f"{units.one(type(through).__name__)}"
        ) from error
    return list(objects)


def _checked(function: Callable[[], object]) -> Callable[[], object]:
    """Return the function if a call of it does its work."""
    if not callable(function):
        raise ArgumentTypeError(
            f"from_call takes a function, not {units.one(type(function).__name__)}"
        )
    plain: object = function
    while type(plain) is MethodType or type(plain) is partial:
        wrapper = cast("MethodType | partial[object]", plain)
        plain = wrapper.__func__ if type(wrapper) is MethodType else wrapper.func
    called = plain
    if type(plain) is not FunctionType:
        called = static_lookup(type(plain), "__call__")
    if type(called) is FunctionType and called.__code__.co_flags & _SUSPENDS:
        name = called.__qualname__
        raise ArgumentTypeError(
            f"calling {name} only makes a generator or coroutine: give from_call a "
            "function that runs it, as `lambda: asyncio.run(f())`"
        )
    return function


def _left_by(function: Callable[[], object], budget: Budget) -> CycleReport:
    """Return the garbage that one call leaves: what is there after it and not before.

    Garbage does not die while nobody collects, so its identities are not used again.
    """
    with boundary.own_work():
        older = search.garbage_ids(budget)
    before = _collections()
    start = perf_counter()
    function()
    budget.excuse(perf_counter() - start)
    budget.look_again()
    runs, freed = map(sub, _collections(), before)
    with boundary.own_work():
        report = search.garbage_cycles(budget, older)
    if not runs:
        return report
    said = f"gc ran inside the call and freed {freed:,} objects, which are not named"
    return _with(report, limits=(*report.limits, said))


def _collections() -> tuple[int, int]:
    """Return how often the collector ran, and how much it found."""
    stats = gc.get_stats()
    return (
        sum(generation["collections"] for generation in stats),
        sum(generation["collected"] for generation in stats),
    )


def _collected(report: CycleReport) -> CycleReport:
    """Collect now that the report is made, before an automatic collection does."""
    freed = gc.collect()
    return _with(report, freed=freed, uncollectable=len(gc.garbage))
