"""What to measure, for any number of blocks.

A ``with`` statement looks ``__enter__`` and ``__exit__`` up one after the other (from
3.14 on in the other order): both are bound to one new block, so an exit can never end
the block of another entry.  ``contextlib.ExitStack`` (up to 3.14) and ``unittest`` ask
the class for both, and get a pair that shares one block in the same way.

What a block leaves behind while it is open (itself, its bound methods) is made
between ``begin_own`` and ``end_own`` and taken out of tracemalloc's books.
"""

from __future__ import annotations

from _thread import _local
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from itertools import chain
from types import MethodType, TracebackType, coroutine
from typing import TYPE_CHECKING, Protocol, TypeVar, cast
from weakref import ref

from refscope._measure import activity, blocks, boundary, census, classes, ours, probes
from refscope._typing import override
from refscope.exceptions import (
    ArgumentTypeError,
    ReportNotReadyError,
    TrackingError,
)
from refscope.reports import TrackReport

from . import _drive
from ._block import Block


if TYPE_CHECKING:

    class Wrapper(Protocol):
        """A ``classmethod`` or ``staticmethod``."""

        @property
        def __func__(self) -> Callable[..., object]: ...


F = TypeVar("F", bound="Callable[..., object] | Wrapper")
T = TypeVar("T")
OnReport = Callable[[TrackReport], object]


class _Thread:
    """Stands for one thread, and dies with it."""

    __slots__ = ("__weakref__",)


class _Held(tuple[T, ...]):
    """A tuple that is known as refscope's, however old its holder is."""

    __slots__ = ()


def _held(things: Iterable[T]) -> _Held[T]:
    """Return a tuple of ours whose memory is in nobody's books."""
    held = _Held(things)
    ours.disown(held)
    return held


_CHUNK = 128
"""Reports that are kept together: one more copies these, and not all that are kept."""


class _Here(_local):
    """What each thread has of its own."""

    def __init__(self) -> None:
        self.thread: object = _Thread()
        self.holder: ref[object] = ref(self.thread)
        self.pending: Block | None = None
        self.is_enter = False
        self.pair: _Pair | None = None
        self.entry: object = None


_here = _Here()


class _Pair:
    """An entry and an exit that the class was asked for together; they share a block.

    Thus the exit ends its own block whoever calls it: another task or thread, after
    ``stop()``, or where the entry is not measured.
    """

    __slots__ = ("_block", "_is_reused")

    def __init__(self) -> None:
        self._block: Block | None = None
        self._is_reused = False

    def enter(self, tracker: Tracker) -> Block:
        """Return a new block for the entry."""
        _here.pair = None
        entry, _here.entry = _here.entry, None
        boundary.begin_own()
        try:
            block = tracker.new_block()
            block.hold_until_end(entry)
        finally:
            boundary.end_own()
        if self._block is not None:  # somebody keeps the methods, and calls them again
            self._is_reused = True
        self._block = None if self._is_reused else block
        return block

    def leave(self, tracker: Tracker) -> Block:
        """Return the block for the exit to end."""
        block, self._block = self._block, None
        if block is None or block.tracker is not tracker:  # an exit called by hand
            return tracker.newest()
        return block


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
            return self._of_class()
        boundary.begin_own()
        try:
            block = self._block(tracker)
            method = MethodType(self._on_block, block)
            ours.disown(method)
            block.hold_until_end(method)
        finally:
            boundary.end_own()
        return method

    def _of_class(self) -> Callable[..., object]:
        """Return the method of the class, paired with the one asked for beside it."""
        boundary.begin_own()
        try:
            pair = _here.pair
            if pair is None:
                pair = _here.pair = _Pair()
                ours.disown(pair)
            method = MethodType(self._on_tracker, pair)
            ours.disown(method)
            if self._is_enter:
                _here.entry = method
        finally:
            boundary.end_own()
        return method

    def _block(self, tracker: Tracker) -> Block:
        """Return the block of this statement: a new one for what is asked first."""
        block = _here.pending
        is_other_half = _here.is_enter is not self._is_enter
        if block is not None and block.tracker is tracker and is_other_half:
            _here.pending = None
        else:
            block = _here.pending = tracker.new_block()
            _here.is_enter = self._is_enter
        return block


def _enter(block: Block) -> Block:
    _here.pending = None  # if called by hand, there is no other half
    block.start()
    return block


def _exit(
    block: Block,
    kind: type[BaseException] | None = None,
    _value: BaseException | None = None,
    _trace: TracebackType | None = None,
) -> None:
    _here.pending = None
    if not block.has_begun:  # an exit called by hand
        block = block.tracker.newest()
    block.end(kind)


def _aenter(block: Block) -> Awaitable[Block]:
    boundary.begin_own()
    try:
        awaitable = _entering(block)
        ours.disown(awaitable)
    finally:
        boundary.end_own()
    return awaitable


@coroutine
def _entering(block: Block) -> Generator[None, None, Block]:
    _enter(block)
    return block
    yield  # type: ignore[unreachable]  # a generator's value needs no exception


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
    _value: BaseException | None = None,
    _trace: TracebackType | None = None,
) -> _Done:
    _exit(block, kind)
    return _DONE


def _enter_tracker(pair: _Pair, tracker: Tracker) -> Block:
    block = pair.enter(tracker)
    block.start()
    return block


def _exit_tracker(
    pair: _Pair,
    tracker: Tracker,
    kind: type[BaseException] | None = None,
    _value: BaseException | None = None,
    _trace: TracebackType | None = None,
) -> None:
    pair.leave(tracker).end(kind)


def _aenter_tracker(pair: _Pair, tracker: Tracker) -> Awaitable[Block]:
    return _aenter(pair.enter(tracker))


def _aexit_tracker(
    pair: _Pair,
    tracker: Tracker,
    kind: type[BaseException] | None = None,
    _value: BaseException | None = None,
    _trace: TracebackType | None = None,
) -> _Done:
    pair.leave(tracker).end(kind)
    return _DONE


class Tracker:
    """What to measure, and what was measured last.

    May be entered again, recursively, and by any number of threads and tasks.
    """

    __slots__ = (
        "__weakref__",
        "_chunks",
        "_entries",
        "_finished",
        "_keep",
        "_kept",
        "_label",
        "_latest",
        "every",
        "is_named",
        "on_report",
        "plan",
        "tag_items",
    )

    if TYPE_CHECKING:

        def __enter__(self) -> Block: ...
        def __exit__(
            self,
            kind: type[BaseException] | None,
            value: BaseException | None,
            trace: TracebackType | None,
        ) -> None: ...
        async def __aenter__(self) -> Block: ...
        async def __aexit__(
            self,
            kind: type[BaseException] | None,
            value: BaseException | None,
            trace: TracebackType | None,
        ) -> None: ...

    else:
        __enter__ = _Bind(_enter, _enter_tracker, is_enter=True)
        __exit__ = _Bind(_exit, _exit_tracker, is_enter=False)
        __aenter__ = _Bind(_aenter, _aenter_tracker, is_enter=True)
        __aexit__ = _Bind(_aexit, _aexit_tracker, is_enter=False)

    def __init__(  # noqa: PLR0913  # one for each choice of the caller
        self,
        label: str,
        *,
        plan: probes.Plan,
        keep: int,
        every: int,
        on_report: OnReport | None,
        tag_items: tuple[tuple[str, str], ...],
    ) -> None:
        self._label = label
        self.plan: probes.Plan = plan
        self.every: int = every
        self.on_report: OnReport | None = on_report
        self.tag_items: tuple[tuple[str, str], ...] = tag_items
        self._keep = keep
        self._entries = 0
        self._kept = 0
        self._chunks: tuple[tuple[TrackReport, ...], ...] = ()
        self._latest: tuple[TrackReport, ...] = ()
        self._finished: tuple[tuple[ref[object], TrackReport], ...] = ()
        self.is_named: bool = True

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
        report = None
        for holder, finished in self._finished:
            if holder() is actor:
                report = finished
        if report is None:
            raise ReportNotReadyError(
                f"no block of {self._label!r} has ended in this "
                f"{'thread' if task is None else 'task'}; tracker.reports has those "
                "of all"
            )
        return report

    @property
    def reports(self) -> tuple[TrackReport, ...]:
        """The last ``keep`` reports of all threads and tasks, oldest first."""
        if not self._chunks:
            return self._latest
        boundary.begin_own()
        try:
            return _held(chain(*self._chunks, self._latest))
        finally:
            boundary.end_own()

    def start(self) -> Block:
        """Begin a block and return it; its ``stop()`` ends it.

        Raises:
            TrackingError: Memory cannot be traced in this process.
        """
        block = self.new_block()
        block.start()
        return block

    def __call__(self, function: F, /) -> F:
        """Return the function with each of its calls tracked as one block."""
        if not self.is_named:
            self._label = name_of(function)
        return decorate(self, function)

    def disown(self) -> None:
        """Take its memory blocks out of tracemalloc's books; see ``ours``."""
        ours.disown(self)
        ours.disown(self.plan)
        ours.disown_if_ours(self._label)

    def new_block(self, label: str | None = None, *, is_call: bool = False) -> Block:
        """Return a block that has not begun."""
        boundary.begin_own()
        try:
            name = self._label if label is None else label
            block = Block(self, name, is_call=is_call)
            ours.disown(block)
        finally:
            boundary.end_own()
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
        self._latest = _held((*self._latest, report))
        if len(self._latest) == _CHUNK:
            self._chunks, self._latest = _held((*self._chunks, self._latest)), ()
        self._kept += 1
        if self._kept > self._keep:
            self._kept = self._keep
            self._let_oldest_go()
        self._finish(_here.holder, report)
        task = activity.current_task()
        if task is not None:
            holder = ref(task)
            ours.disown_if_ours(holder)
            self._finish(holder, report)

    def _let_oldest_go(self) -> None:
        if not self._chunks:
            self._latest = _held(self._latest[1:])
            return
        first, *others = self._chunks
        if len(first) > 1:
            others.insert(0, _held(first[1:]))
        self._chunks = _held(others)

    def _finish(self, holder: ref[object], report: TrackReport) -> None:
        """Remember what a thread or task finished last; forget those that are gone."""
        others = [
            entry
            for entry in self._finished
            if entry[0] is not holder and entry[0]() is not None
        ]
        pair = _Held((holder, report))
        entry = cast("tuple[ref[object], TrackReport]", pair)
        self._finished = _Held((*others, entry))
        ours.disown(entry)
        ours.disown(self._finished)

    @override
    def __repr__(self) -> str:
        """Return one line."""
        return f"<Tracker {self._label!r}>"


census.own(Tracker, _Thread, _Held, _Here, _Pair, _Bind, _Done)


def decorate(tracker: Tracker, function: F) -> F:
    """Return the function tracked; descriptors are opened and closed again."""
    if isinstance(function, (classmethod, staticmethod)):
        remake = cast("Callable[[object], F]", type(cast("object", function)))
        return remake(decorate(tracker, cast("Wrapper", function).__func__))
    if not callable(function) or isinstance(function, type):
        raise ArgumentTypeError(
            f"track decorates functions and methods, not {type(function).__name__!r} "
            "objects; a class has to be tracked method by method"
        )
    label = tracker.label if tracker.is_named else name_of(function)
    tracked_function: F = _drive.tracked(function, tracker, label)
    return tracked_function


def name_of(thing: object) -> str:
    """Return the qualified name of a function, or of the class of anything else."""
    function = getattr(thing, "__func__", thing)
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str):
        name = classes._get_qualname(type(thing))
    return str.__str__(name)  # not one of a subclass, which lives on in reports
