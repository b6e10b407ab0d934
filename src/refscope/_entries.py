"""What a ``with`` statement asks a tracker for: an entry and an exit of one block.

A ``with`` statement looks ``__enter__`` and ``__exit__`` up one after the other (from
3.14 on in the other order): both are bound to one new block, so an exit can never end
the block of another entry.  ``contextlib.ExitStack`` (up to 3.14) and ``unittest`` ask
the class for both, and get a pair that shares one block in the same way.

What a block leaves behind while it is open (itself, its bound methods) is made
between ``begin_own`` and ``end_own`` and taken out of tracemalloc's books.
"""

from __future__ import annotations

import sys
from _thread import _local
from collections.abc import Awaitable, Callable, Generator, Iterator
from types import MethodType, TracebackType, coroutine
from typing import TYPE_CHECKING, Protocol

from refscope._measure.heap import census, ours
from refscope._measure.session import boundary

from ._block import Block


_EXIT_IS_FIRST = sys.version_info >= (3, 14)


class _Tracker(Protocol):
    """What makes the blocks."""

    def new_block(self) -> Block: ...
    def newest(self) -> Block: ...


class _Here(_local):
    """What each thread has of its own."""

    def __init__(self) -> None:
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

    def enter(self, tracker: _Tracker) -> Block:
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

    def leave(self, tracker: _Tracker) -> Block:
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
        self, tracker: _Tracker | None, owner: type[object]
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

    def _block(self, tracker: _Tracker) -> Block:
        """Return the block of this statement: a new one for what is asked first."""
        block = _here.pending
        is_second = _EXIT_IS_FIRST or not self._is_enter
        is_other_half = is_second and _here.is_enter is not self._is_enter
        if block is not None and block.tracker is tracker and is_other_half:
            _here.pending = None
            block.is_by_hand = False
        else:
            block = _here.pending = tracker.new_block()
            block.is_by_hand = True
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


def _enter_tracker(pair: _Pair, tracker: _Tracker) -> Block:
    block = pair.enter(tracker)
    block.start()
    return block


def _exit_tracker(
    pair: _Pair,
    tracker: _Tracker,
    kind: type[BaseException] | None = None,
    _value: BaseException | None = None,
    _trace: TracebackType | None = None,
) -> None:
    pair.leave(tracker).end(kind)


def _aenter_tracker(pair: _Pair, tracker: _Tracker) -> Awaitable[Block]:
    return _aenter(pair.enter(tracker))


def _aexit_tracker(
    pair: _Pair,
    tracker: _Tracker,
    kind: type[BaseException] | None = None,
    _value: BaseException | None = None,
    _trace: TracebackType | None = None,
) -> _Done:
    pair.leave(tracker).end(kind)
    return _DONE


class Entered:
    """What ``with`` and ``async with`` can be used with; each entry has its block."""

    __slots__ = ()

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


census.own(_Here, _Pair, _Bind, _Done)
