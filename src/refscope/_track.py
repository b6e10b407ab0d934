"""``track``: what a block of code allocates and keeps.

A ``Tracker`` says what to measure and can be entered any number of times, by any
number of threads, tasks and recursive calls; each entry makes a ``Block``.  A ``with``
statement looks ``__enter__`` and ``__exit__`` up one after the other: both are bound
to one new block, so an exit can never end the block of another entry.

What a block leaves behind while it is open (itself, its bound methods) is made
between ``begin_own`` and ``end_own`` and taken out of tracemalloc's books.
"""

from __future__ import annotations

import logging
import sys
from _thread import _local
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from types import MethodType, TracebackType, coroutine
from typing import Protocol, TypeVar, overload
from weakref import ref

from refscope._measure import account, activity, blocks, census, ours
from refscope.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    NotMeasuredError,
    ReportNotReadyError,
    TrackingError,
)
from refscope.reports import TrackReport

from . import _drive


class _Wrapper(Protocol):
    """A ``classmethod`` or ``staticmethod``."""

    @property
    def __func__(self) -> Callable[..., object]: ...


F = TypeVar("F", bound="Callable[..., object] | _Wrapper")
OnReport = Callable[[TrackReport], object]
_log = logging.getLogger("refscope")
_MOST_FRAMES = 65_535  # Modules/_tracemalloc.c: TRACEBACK_MAX_NFRAME


class _Thread:
    """Stands for one thread, and dies with it."""

    __slots__ = ("__weakref__",)


class _Here(_local):
    """What each thread has of its own."""

    def __init__(self) -> None:
        self.thread = _Thread()
        self.pending: Block | None = None


_here = _Here()


class Block:
    """One entry into a tracked stretch of the program; what ``as`` binds."""

    __slots__ = (
        "_exception",
        "_hand",
        "_has_begun",
        "_is_skipped",
        "_label",
        "_probe",
        "_report",
        "_seen",
        "_tracker",
        "enter_is_bound",
        "exit_is_bound",
    )

    def __init__(self, tracker: Tracker, label: str) -> None:
        self._tracker = tracker
        self._label = label
        self._probe: blocks.Probe | None = None
        self._report: TrackReport | None = None
        self._exception: type[BaseException] | None = None
        self._seen = 1
        self._hand: object = None
        self._is_skipped = False
        self._has_begun = False
        self.enter_is_bound = False
        self.exit_is_bound = False

    @property
    def measured(self) -> bool:
        """Whether this entry is measured; False for those that ``every=n`` skips."""
        return not self._is_skipped

    @property
    def report(self) -> TrackReport:
        """The report of the ended block.

        Raises:
            ReportNotReadyError: The block has not ended.
            NotMeasuredError: The block was skipped by ``every=n``.
        """
        if self._report is not None:
            return self._report
        if self._is_skipped:
            raise NotMeasuredError(
                f"block {self._label!r} was not measured: only one entry in "
                f"{self._tracker.every} is; ask block.measured first"
            )
        raise ReportNotReadyError(
            f"block {self._label!r} has not ended: use peek() for a report so far, "
            "or stop() to end it here"
        )

    def peek(self) -> TrackReport:
        """Return a report so far; the block goes on.

        Collects first if the block collects.  After the end it is the final report.

        Raises:
            ReportNotReadyError: The block was not entered.
            NotMeasuredError: The block was skipped by ``every=n``.
        """
        if self._probe is None:
            return self.report
        return blocks.leave(self._probe, self, end=False)

    def stop(self) -> TrackReport:
        """End the block here and return its report; a second call returns it again.

        Raises:
            NotMeasuredError: The block was skipped by ``every=n``.
        """
        self.end(None)
        return self.report

    def start(self) -> None:
        """Begin to measure, unless this entry is to be skipped."""
        self._has_begun = True
        tracker = self._tracker
        if tracker.every > 1:
            blocks.begin_own()
            self._is_skipped = tracker.skips()
            self._seen = tracker.every
            blocks.end_own()
        if not self._is_skipped:
            self._probe = blocks.enter(tracker.plan, self)

    def end(self, exception: type[BaseException] | None) -> None:
        """Finish the report, keep it and hand it on; later calls do nothing."""
        probe, self._probe = self._probe, None
        if probe is None:
            return
        self._exception = exception
        report = blocks.leave(probe, self, end=True)
        hook = self._tracker.on_report
        if hook is None:
            return
        try:
            hook(report)
        except Exception:  # a broken observer must not break what it observes
            _log.exception("on_report of tracked block %r failed", self._label)

    def pause(self, slack: int = 0) -> None:
        """Leave out what happens until ``resume``; for suspended functions.

        A rise of up to ``slack`` bytes that is over by now does not count as peak.
        """
        if self._probe is not None:
            blocks.pause(self._probe, slack)

    def resume(self) -> None:
        """Go on measuring after ``pause``."""
        if self._probe is not None:
            blocks.resume(self._probe)

    def keep(self, value: object) -> None:
        """Hold a value on its way into or out of a suspended function."""
        self._hand = value

    def take(self) -> object:
        """Return the value that is on its way, and hold it no longer."""
        value, self._hand = self._hand, None
        return value

    def drops(self, value: object) -> bool:
        """Return whether this value is on its way, and hold it no longer if so."""
        is_held = self._hand is value
        if is_held:
            self._hand = None
        return is_held

    @property
    def is_empty_handed(self) -> bool:
        """Whether no value is on its way."""
        return self._hand is None

    @property
    def is_open(self) -> bool:
        """Whether it was entered and has not ended."""
        return self._probe is not None

    @property
    def has_begun(self) -> bool:
        """Whether it was ever entered."""
        return self._has_begun

    @property
    def tracker(self) -> Tracker:
        """The tracker that it belongs to."""
        return self._tracker

    def account(self, found: blocks.Findings) -> TrackReport:
        """Return the report of these findings; called by ``blocks.leave``."""
        report = account.track_report(
            found,
            label=self._label,
            tags=self._tracker.tag_items,
            calls_seen=self._seen,
            exception=self._exception,
        )
        if found.is_final:
            self._report = report
            self._tracker.keep_report(report)
        return report

    def __repr__(self) -> str:
        """Return one line: the label and the state."""
        state = "skipped" if self._is_skipped else "open" if self.is_open else "new"
        if self._report is not None:
            state = "ended"
        return f"<Block {self._label!r} {state}>"


class _Bind:
    """Binds one of the four special methods to a new block.

    A plain method would be bound by the ``with`` statement itself (up to 3.13), on
    the program's line; here the bound method is made in a frame of ours.
    """

    __slots__ = ("_is_enter", "_on_block", "_on_tracker")

    def __init__(
        self,
        on_block: Callable[..., object],
        on_tracker: Callable[..., object],
        *,
        is_enter: bool,
    ) -> None:
        self._on_block = on_block
        self._on_tracker = on_tracker
        self._is_enter = is_enter

    def __get__(
        self, tracker: Tracker | None, owner: type[Tracker]
    ) -> Callable[..., object]:
        if tracker is None:  # contextlib.ExitStack asks the class
            return self._on_tracker
        blocks.begin_own()
        try:
            method = MethodType(self._on_block, self._block(tracker))
            ours.disown(method)
        finally:
            blocks.end_own()
        return method

    def _block(self, tracker: Tracker) -> Block:
        """Return the block that the other half of this statement uses, or a new one."""
        block = _here.pending
        if block is None or block.tracker is not tracker or self._was_bound(block):
            block = tracker.new_block(None)
        if self._is_enter:
            block.enter_is_bound = True
        else:
            block.exit_is_bound = True
        complete = block.enter_is_bound and block.exit_is_bound
        _here.pending = None if complete else block
        return block

    def _was_bound(self, block: Block) -> bool:
        return block.enter_is_bound if self._is_enter else block.exit_is_bound


def _enter(block: Block) -> Block:
    block.start()
    return block


def _exit(
    block: Block,
    kind: type[BaseException] | None = None,
    value: BaseException | None = None,
    trace: TracebackType | None = None,
) -> None:
    if not block.has_begun:  # an exit called by hand
        block = block.tracker.newest()
    block.end(kind)


def _aenter(block: Block) -> Awaitable[Block]:
    blocks.begin_own()
    try:
        awaitable = _entering(block)
        ours.disown(awaitable)
    finally:
        blocks.end_own()
    return awaitable


@coroutine
def _entering(block: Block) -> Generator[None, None, Block]:
    _enter(block)
    return block
    yield  # makes it a generator, whose value arrives without an exception


class _Done:
    """An awaitable that is finished: awaiting it allocates nothing."""

    __slots__ = ()

    def __await__(self) -> Iterator[None]:
        return _NOTHING


_NOTHING: Iterator[None] = iter(())
_DONE = _Done()


def _aexit(
    block: Block,
    kind: type[BaseException] | None = None,
    value: BaseException | None = None,
    trace: TracebackType | None = None,
) -> _Done:
    _exit(block, kind)
    return _DONE


def _enter_tracker(tracker: Tracker) -> Block:
    return tracker.start()


def _exit_tracker(
    tracker: Tracker,
    kind: type[BaseException] | None = None,
    value: BaseException | None = None,
    trace: TracebackType | None = None,
) -> None:
    tracker.newest().end(kind)


def _aenter_tracker(tracker: Tracker) -> Awaitable[Block]:
    return _aenter(tracker.new_block(None))


def _aexit_tracker(
    tracker: Tracker,
    kind: type[BaseException] | None = None,
    value: BaseException | None = None,
    trace: TracebackType | None = None,
) -> _Done:
    _exit_tracker(tracker, kind)
    return _DONE


class Tracker:
    """What to measure, and what was measured last.

    May be entered again, recursively, and by any number of threads and tasks.
    """

    __slots__ = (
        "__weakref__",
        "_entries",
        "_finished",
        "_keep",
        "_label",
        "_reports",
        "_worth_pruning",
        "every",
        "is_named",
        "on_report",
        "plan",
        "tag_items",
    )

    __enter__ = _Bind(_enter, _enter_tracker, is_enter=True)
    __exit__ = _Bind(_exit, _exit_tracker, is_enter=False)
    __aenter__ = _Bind(_aenter, _aenter_tracker, is_enter=True)
    __aexit__ = _Bind(_aexit, _aexit_tracker, is_enter=False)

    def __init__(
        self,
        label: str,
        *,
        plan: blocks.Plan,
        keep: int,
        every: int,
        on_report: OnReport | None,
        tag_items: tuple[tuple[str, str], ...],
    ) -> None:
        self._label = label
        self.plan = plan
        self.every = every
        self.on_report = on_report
        self.tag_items = tag_items
        self._keep = keep
        self._entries = 0
        self._reports: tuple[TrackReport, ...] = ()
        self._finished: dict[int, tuple[ref[object], TrackReport]] = {}
        self._worth_pruning = 8
        self.is_named = True

    @property
    def label(self) -> str:
        """Name of its blocks."""
        return self._label

    @property
    def report(self) -> TrackReport:
        """The report that this task, or else this thread, finished last.

        Raises:
            ReportNotReadyError: It has not finished any.
        """
        task = activity.current_task()
        actor = _here.thread if task is None else task
        holder, report = self._finished.get(id(actor), (None, None))
        if report is None or holder is None or holder() is not actor:
            raise ReportNotReadyError(
                f"no block of {self._label!r} has ended in this "
                f"{'thread' if task is None else 'task'}; tracker.reports has those "
                "of all"
            )
        return report

    @property
    def reports(self) -> tuple[TrackReport, ...]:
        """The last ``keep`` reports of all threads and tasks, oldest first."""
        return self._reports

    def start(self) -> Block:
        """Begin a block and return it; its ``stop()`` ends it.

        Raises:
            TrackingError: Memory cannot be traced in this process.
        """
        block = self.new_block(None)
        block.start()
        return block

    def __call__(self, function: F, /) -> F:
        """Return the function with each of its calls tracked as one block."""
        if not self.is_named:
            self._label = _name_of(function)
        return _decorate(self, function)

    def disown(self) -> None:
        """Take its memory blocks out of tracemalloc's books; see ``ours``."""
        for part in (self, self._label, self.plan, self._finished):
            ours.disown(part)

    def new_block(self, label: str | None) -> Block:
        """Return a block that has not begun."""
        blocks.begin_own()
        try:
            block = Block(self, self._label if label is None else label)
            ours.disown(block)
        finally:
            blocks.end_own()
        return block

    def skips(self) -> bool:
        """Count an entry and return whether it is one of those not measured."""
        self._entries += 1
        return self._entries % self.every != 0

    def newest(self) -> Block:
        """Return the block that this thread or task entered last and has not left.

        Raises:
            TrackingError: There is none.
        """
        owner = activity.owner()
        for client in blocks.open_clients(owner):
            if isinstance(client, Block) and client.tracker is self:
                return client
        raise TrackingError(
            f"no block of {self._label!r} is open in this thread or task to be left"
        )

    def keep_report(self, report: TrackReport) -> None:
        """Keep a finished report for ``report`` and ``reports``."""
        self._reports = (*self._reports, report)[-self._keep :]
        task = activity.current_task()
        self._finish(_here.thread, report)
        if task is not None:
            self._finish(task, report)

    def _finish(self, actor: object, report: TrackReport) -> None:
        if len(self._finished) >= self._worth_pruning:
            alive = [
                (key, entry)
                for key, entry in self._finished.items()
                if entry[0]() is not None
            ]
            self._finished = dict(alive)
            self._worth_pruning = 2 * len(alive) + 8
        self._finished[id(actor)] = (ref(actor), report)

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Tracker {self._label!r}>"


census.own(Block, Tracker, _Thread, _Here, _Bind, _Done)


def _decorate(tracker: Tracker, function: F) -> F:
    """Return the function tracked; descriptors are opened and closed again."""
    if isinstance(function, (classmethod, staticmethod)):
        tracked = _decorate(tracker, function.__func__)
        return type(function)(tracked)
    if not callable(function) or isinstance(function, type):
        raise ArgumentTypeError(
            f"track decorates functions and methods, not {type(function).__name__!r} "
            "objects; a class has to be tracked method by method"
        )
    label = tracker.label if tracker.is_named else _name_of(function)
    return _drive.tracked(function, tracker, label)


@overload
def track(function: F, /) -> F: ...
@overload
def track(
    label: str | None = None,
    /,
    *,
    frames: int = 1,
    sites: bool = True,
    types: bool = True,
    collect: bool = True,
    keep: int = 1,
    every: int = 1,
    on_report: OnReport | None = None,
    tags: Mapping[str, str] | None = None,
) -> Tracker: ...
def track(
    label: object = None,
    *,
    frames: int = 1,
    sites: bool = True,
    types: bool = True,
    collect: bool = True,
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
            almost nothing while it runs, and bytes, peak and sites are not measured.
        types: Whether to count objects by type at both ends.
        collect: Whether to run the collector at both ends, so that what is left is
            really kept.  Without it nothing is collected, and objects that wait for
            the collector count as kept.
        keep: How many reports ``tracker.reports`` remembers.
        every: Measure one entry in this many: the n-th, the 2n-th and so on.
        on_report: Called with each report, in the thread that ended the block.  An
            exception in it is logged and goes no further.
        tags: Carried into the report.

    Returns:
        The decorated function, or a ``Tracker``.

    Raises:
        InvalidArgumentError: A number is out of range.
        ArgumentTypeError: ``label`` is neither text nor a function.
    """
    if label is not None and not isinstance(label, str):
        tracker = Tracker(
            _name_of(label),
            plan=blocks.Plan(),
            keep=1,
            every=1,
            on_report=None,
            tag_items=(),
        )
        return _decorate(tracker, label)  # type: ignore[type-var]
    _check_number("frames", frames, _MOST_FRAMES)
    _check_number("keep", keep)
    _check_number("every", every)
    blocks.begin_own()
    try:
        tracker = Tracker(
            _place_of_caller() if label is None else label,
            plan=blocks.Plan(frames, sites, types, collect),
            keep=keep,
            every=every,
            on_report=on_report,
            tag_items=_tag_items(tags),
        )
        tracker.is_named = label is not None
        tracker.disown()
    finally:
        blocks.end_own()
    return tracker


def tracker_of(function: Callable[..., object]) -> Tracker:
    """Return the tracker of a function that ``track`` decorated.

    Raises:
        ArgumentTypeError: The function is not tracked.
    """
    tracker = getattr(function, _drive.TRACKER, None)
    if not isinstance(tracker, Tracker):
        raise ArgumentTypeError(
            f"{_name_of(function)} is not tracked: decorate it with @refscope.track"
        )
    return tracker


def _name_of(thing: object) -> str:
    """Return the qualified name of a function, or of the class of anything else."""
    function = getattr(thing, "__func__", thing)
    name = getattr(function, "__qualname__", None)
    return name if isinstance(name, str) else type(thing).__qualname__


def _place_of_caller() -> str:
    """Return ``file:line`` of the code that called ``track``."""
    frame = sys._getframe(2)  # noqa: SLF001  # no other way to the line
    ours.disown_new_frame(frame)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _check_number(name: str, value: object, most: int | None = None) -> None:
    if type(value) is not int:
        raise ArgumentTypeError(f"{name} takes a whole number, not {value!r}")
    if value < 1 or (most is not None and value > most):
        span = "1 or more" if most is None else f"1 to {most:,}"
        raise InvalidArgumentError(f"{name} takes {span}, not {value}")


def _tag_items(tags: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    items = tuple(sorted((tags or {}).items()))
    for key, value in items:
        if type(key) is not str or type(value) is not str:
            raise ArgumentTypeError(
                f"tags map text to text, not {type(key).__name__} to "
                f"{type(value).__name__}"
            )
    return items


def _warm_up() -> None:
    """Run every boundary once.

    Up to 3.10 the first call of a function leaves a frame behind (zombie frames,
    Objects/frameobject.c) that counts for the caller's line.
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

    tracker = track("warm-up", collect=False, types=False)
    try:
        with track("warm-up", collect=False) as block:
            block.peek()
            run().send(None)
    except StopIteration:
        pass
    except TrackingError:  # another interpreter runs: there is nothing to keep quiet
        pass


_warm_up()
