"""What a type checker sees of tracking: decorated functions keep their signatures."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Iterator,
)
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from typing_extensions import assert_type

import refscope
from refscope import Block, Tracker, track, tracker_of
from refscope.reports import TrackReport


# -- Functions.
@track
def bare(first: int, *, second: str = "") -> list[int]:
    """Decorate without a call."""
    return [first, len(second)]


@track("named", frames=5, every=10, keep=3, tags={"a": "b"})
def called(first: int, *, second: str = "") -> list[int]:
    """Decorate with a call."""
    return [first, len(second)]


@track(label="named")
def by_name(first: int, *, second: str = "") -> list[int]:
    """Decorate with a label by name."""
    return [first, len(second)]


@track()
def empty() -> None:
    """Decorate with an empty call."""


def functions_keep_their_signatures() -> None:
    """Arguments are checked and results known as without the decorator."""
    assert_type(bare(1, second="a"), list[int])
    assert_type(called(1), list[int])
    assert_type(by_name(1, second="a"), list[int])
    assert_type(empty(), None)
    bare("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    called(1, third=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    by_name("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    empty(1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


# -- Coroutines and generators.
@track
async def fetch(url: str) -> bytes:
    """Return bytes."""
    return url.encode()


@track("items")
def items(count: int) -> Iterator[int]:
    """Yield numbers."""
    yield from range(count)


@track(sites=False)
def talk(first: int) -> Generator[int, str, bytes]:
    """Yield a number, receive text, return bytes."""
    received = yield first
    return received.encode()


@track
async def stream(count: int) -> AsyncIterator[int]:
    """Yield numbers."""
    for number in range(count):
        yield number


@track("talk")
async def converse(first: int) -> AsyncGenerator[int, str]:
    """Yield a number and receive text."""
    yield len((yield first))


async def suspended_functions_keep_their_kinds() -> None:
    """What they yield, receive and return is what it was."""
    coroutine: Coroutine[Any, Any, bytes] = fetch("a")
    assert_type(await coroutine, bytes)
    assert_type(await fetch("a"), bytes)
    assert_type(items(3), Iterator[int])
    assert_type(talk(1), Generator[int, str, bytes])
    assert_type(stream(1), AsyncIterator[int])
    assert_type(converse(1), AsyncGenerator[int, str])
    await fetch(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# -- Methods.
class Shop:
    """Has tracked methods of all kinds."""

    @track
    def method(self, value: int) -> str:
        """Return text."""
        return str(value)

    @track("async")
    async def later(self, value: int) -> str:
        """Return text."""
        return str(value)

    @classmethod
    @track
    def under(cls, value: int) -> Shop:
        """Return a shop."""
        return cls() if value else Shop()

    @track
    @classmethod
    def over(cls, value: int) -> Shop:
        """Return a shop."""
        return cls() if value else Shop()

    @staticmethod
    @track("inside")
    def inside(value: int) -> bytes:
        """Return bytes."""
        return bytes(value)

    @track("outside")
    @staticmethod
    def outside(value: int) -> bytes:
        """Return bytes."""
        return bytes(value)

    @property
    @track
    def value(self) -> int:
        """A number."""
        return 5


async def methods_keep_their_signatures(shop: Shop) -> None:
    """They are bound as before, in either order of the decorators."""
    assert_type(shop.method(1), str)
    assert_type(await shop.later(1), str)
    assert_type(Shop.under(1), Shop)
    assert_type(Shop.over(1), Shop)
    assert_type(shop.inside(1), bytes)
    assert_type(shop.outside(1), bytes)
    assert_type(shop.value, int)
    shop.method("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Shop.over("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# -- Trackers and blocks.
def a_call_of_track_is_a_tracker() -> None:
    """With a label or options alone, and what it gives back."""
    tracker = track("x", on_report=print)
    assert_type(tracker, Tracker)
    assert_type(track(), Tracker)
    assert_type(track(label="x", frames=2), Tracker)
    assert_type(track(label=None), Tracker)
    assert_type(tracker.start(), Block)
    assert_type(tracker.report, TrackReport)
    assert_type(tracker.reports, tuple[TrackReport, ...])
    assert_type(tracker.label, str)
    assert_type(tracker_of(bare), Tracker)
    assert_type(tracker_of(Shop.method).report.memory.size_diff, int | None)
    tracked: Callable[[int], int] = tracker(sum_of)
    assert_type(tracked(1), int)
    assert_type(tracker(sum_of)(first=1), int)


def sum_of(first: int) -> int:
    """Return the number."""
    return first


def with_binds_a_block() -> None:
    """The statement does not swallow exceptions, so what follows is reached."""
    with track("x") as block:
        assert_type(block, Block)
        assert_type(block.peek(), TrackReport)
    assert_type(block.stop(), TrackReport)
    assert_type(block.report, TrackReport)
    assert_type(block.measured, bool)


def returns_in_a_block(number: int) -> int:
    """Need no second return after the block."""
    with track():
        return number


async def async_with_binds_a_block() -> None:
    """As the plain statement does."""
    async with track(tags={"a": "b"}) as block:
        assert_type(block, Block)
    async with AsyncExitStack() as stack:
        assert_type(await stack.enter_async_context(track()), Block)


def exit_stacks_give_blocks() -> None:
    """They enter a tracker like any context manager."""
    with ExitStack() as stack:
        assert_type(stack.enter_context(track()), Block)


def on_report_takes_a_report() -> None:
    """The hook's argument is checked."""

    def good(report: TrackReport) -> int:
        return report.calls

    def bad(report: str) -> None:
        raise NotImplementedError(report)

    track(on_report=good)
    track(on_report=bad)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def bad_arguments_are_seen() -> None:
    """Labels are text, numbers are numbers, options are named."""
    track(5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    track(label=5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    track("x", 5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    track("x", frames="5")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    assert_type(refscope.track("x"), Tracker)
