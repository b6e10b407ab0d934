"""``track``: what a block of code allocates and keeps."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from typing import cast, overload

from refscope import _units as units
from refscope._measure.blocks import probes
from refscope._measure.budget import Budget
from refscope._measure.cpython.interpreter import is_tracing
from refscope._measure.heap import ours
from refscope._measure.session import boundary
from refscope.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    TrackingError,
)

from . import _drive
from ._tracker import F, OnReport, Tracker, decorate, name_of


_RUNS_BEFORE_CACHE = 1024
_MOST_FRAMES = 65_535  # Modules/_tracemalloc.c: TRACEBACK_MAX_NFRAME
_READY = "refscope.render._ready"
_unready: list[str] = []
"""What has to be imported before the first block, and need not be with refscope."""
_loading: list[str] = []
"""What of it is being loaded, perhaps by another thread."""


@overload
def track(function: F, /) -> F: ...
@overload
def track(
    label: str | None = None,
    *,
    frames: int = 1,
    sites: bool = True,
    types: bool = True,
    survivors: bool = True,
    cycles: bool = True,
    collect: bool = True,
    max_objects: int | None = None,
    deadline: float | None = None,
    keep: int = 1,
    every: int = 1,
    on_report: OnReport | None = None,
    tags: Mapping[str, str] | None = None,
) -> Tracker: ...
def track(  # noqa: PLR0913  # one for each choice of the caller
    label: object = None,
    *,
    frames: int = 1,
    sites: bool = True,
    types: bool = True,
    survivors: bool = True,
    cycles: bool = True,
    collect: bool = True,
    max_objects: int | None = None,
    deadline: float | None = None,
    keep: int = 1,
    every: int = 1,
    on_report: OnReport | None = None,
    tags: Mapping[str, str] | None = None,
) -> object:
    """Measure what a block of code, or each call of a function, allocates and keeps.

    Use it as ``with track() as block:``, ``async with``, ``@track`` or ``@track(...)``
    on functions, methods, coroutines and generators of all kinds, or by ``start()``
    and ``stop()``.  ``block.report`` is there when the block has ended.  Its numbers
    are those of the whole process between entry and exit; see ``report.limits``.

    Args:
        label: Name in the report.  By default the qualified name of the decorated
            function, or ``file:line`` of the block.
        frames: Lines of the stack to keep for each allocation.  Each one more costs
            time at every allocation in the block.
        sites: Whether to trace memory (by tracemalloc).  Without it a block costs
            almost nothing while it runs, and bytes, peak and sites are not measured:
            strings, bytes and numbers that are kept are not seen then.
        types: Whether to count objects by type at both ends.
        survivors: Whether to find the objects that were made in the block and are
            alive at its end, and what holds them.  With ``collect=False`` what waits
            for the collector is among them.
        cycles: Whether to find the garbage cycles that the block made and the live
            ones among its survivors, name them, and say where to cut them.
        collect: Whether to run the collector at both ends, so that what is left is
            really kept.  Without it nothing is collected, and objects that wait for
            the collector count as kept.
        max_objects: Look at no more objects in each search, for survivors and for
            cycles, and say so.
        deadline: Stop each of these searches after that many seconds, and say so.  By
            default what holds survivors is searched for one second, all else till done.
        keep: How many reports ``tracker.reports`` remembers.
        every: Measure one entry in this many: the n-th, the 2n-th and so on.
        on_report: Called with each report, in the thread that ended the block.  An
            exception in it is logged and goes no further.
        tags: Carried into the report.

    Returns:
        The decorated function, or a ``Tracker``.

    Raises:
        InvalidArgumentError: A number is out of range.
        ArgumentTypeError: ``label`` is neither text nor a function, or another value
            is of the wrong kind.
    """
    if _unready:
        _make_ready()
    if label is not None and not isinstance(label, str):
        tracker = Tracker(
            name_of(label),
            plan=probes.Plan(),
            keep=1,
            every=1,
            on_report=None,
            tag_items=(),
        )
        return decorate(tracker, cast("Callable[..., object]", label))
    _check_number("frames", frames, _MOST_FRAMES)
    _check_number("keep", keep)
    _check_number("every", every)
    if on_report is not None and not callable(on_report):
        raise ArgumentTypeError(
            "on_report is called with each report: give a function, not "
            f"{units.one(type(on_report).__name__)}"
        )
    boundary.begin_own()
    try:
        Budget(max_objects, deadline)  # refuses what makes no sense
        tracker = Tracker(
            _place_of_caller() if label is None else str.__str__(label),
            plan=probes.Plan(
                frames,
                sites=sites,
                types=types,
                survivors=survivors,
                cycles=cycles,
                collect=collect,
                max_objects=max_objects,
                deadline=deadline,
            ),
            keep=keep,
            every=every,
            on_report=on_report,
            tag_items=_tag_items(tags),
        )
        tracker.is_named = label is not None
        tracker.disown()
    finally:
        boundary.end_own()
    return tracker


def _load_all(names: list[str]) -> None:
    """Load modules, or wait until another thread has."""
    for name in [*names]:
        with contextlib.suppress(ImportError):  # in a finalizer at Python's end
            __import__(name)


def _make_ready() -> None:
    """Load what is needed later, and leave nothing of it where the program traces."""
    _loading.append(_READY)
    _load_all(_loading)
    _loading.clear()
    if is_tracing():  # what died is on free lists, and a block might see it go
        boundary.begin_own()
        try:
            boundary.collector.empty_free_lists()
        finally:
            boundary.end_own()
    _unready.clear()


def tracker_of(function: Callable[..., object]) -> Tracker:
    """Return the tracker of a function that ``track`` decorated.

    Raises:
        ArgumentTypeError: The function is not tracked.
    """
    tracker = getattr(function, _drive.TRACKER, None)
    if not isinstance(tracker, Tracker):
        raise ArgumentTypeError(
            f"{name_of(function)} is not tracked: decorate it with @refscope.track"
        )
    return tracker


def _place_of_caller() -> str:
    """Return ``file:line`` of the code that called ``track``."""
    frame = sys._getframe(2)  # there is no other way to the line
    ours.disown_new_frame(frame)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _check_number(name: str, value: object, most: int | None = None) -> None:
    if type(value) is not int:
        raise ArgumentTypeError(
            f"{name} takes a whole number, not {units.one(type(value).__name__)}"
        )
    if value < 1 or (most is not None and value > most):
        span = "1 or more" if most is None else f"1 to {most:,}"
        raise InvalidArgumentError(f"{name} takes {span}, not {value}")


def _tag_items(tags: object) -> tuple[tuple[str, str], ...]:
    if tags is None:
        return ()
    if not isinstance(tags, Mapping):
        raise ArgumentTypeError(
            "tags map text to text: give a dictionary, not "
            f"{units.one(type(tags).__name__)}"
        )
    items: list[tuple[str, str]] = []
    for key, value in cast("Mapping[object, object]", tags).items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ArgumentTypeError(
                f"tags map text to text, not {type(key).__name__} to "
                f"{type(value).__name__}"
            )
        # Not one of a subclass, as members of an enum are, which lives on in reports.
        items.append((str.__str__(key), str.__str__(value)))
    return tuple(sorted(items))


def _warm_up() -> None:
    """Run every boundary once.

    Up to 3.10 the first call of a function leaves a frame behind (zombie frames,
    Objects/frameobject.c) that counts for the caller's line, before a block could note
    what was before.
    """

    def plain() -> None:
        pass

    def generator() -> Iterator[None]:
        yield

    async def waiting() -> None:
        pass

    async def items() -> AsyncIterator[None]:
        yield

    async def run() -> None:
        async with tracker:
            tracker(plain)()
            for _ in tracker(generator)():
                pass
            await tracker(waiting)()
            async for _ in tracker(items)():
                pass
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(tracker)
            await stack.enter_async_context(tracker)

    tracker = track("warm-up", collect=False, sites=False, types=False)
    with track("warm-up", collect=False) as block:
        block.peek()
        with contextlib.suppress(StopIteration):
            run().send(None)
        for generation in range(3):  # what is told of collections inside
            gc.collect(generation)
    with track("warm-up"):
        pass
    started = tracker.start()
    started.stop()
    tracker.__enter__()
    tracker.__exit__(None, None, None)
    _ = started.measured, started.report, tracker.report, tracker.reports


def _warm_up_caches() -> None:
    """Run what comes first in each boundary as often as it takes.

    Up to 3.10 the 1024th call of a function makes a cache (Python/ceval.c,
    OPCACHE_MIN_RUNS).
    """
    ends = track(
        "warm-up",
        sites=False,
        types=False,
        survivors=False,
        cycles=False,
        collect=False,
    )
    for _ in range(_RUNS_BEFORE_CACHE):
        with ends:
            pass


def _warm_up_traced() -> None:  # pragma: no cover  # in a process that traces
    """Do so where the program traces, and take the frames that stay out of its books.

    A frame that is used again would be a block on the line of its next caller
    (_Py_NewReference, Objects/object.c).
    """
    sys.settrace(lambda frame, _event, _value: ours.disown(frame))
    try:
        _warm_up()
    finally:
        sys.settrace(None)


if sys.version_info < (3, 11):
    with contextlib.suppress(TrackingError):  # beside another interpreter
        # A debugger's trace function is its own.
        is_seen = is_tracing() and sys.gettrace() is None
        _warm_up_caches()
        (_warm_up_traced if is_seen else _warm_up)()
_unready.append(_READY)
if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
    # The child would wait for good for a thread that it does not have.
    os.register_at_fork(before=partial(_load_all, _loading))
