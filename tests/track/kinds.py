"""Empty blocks of every kind; as a program, many of them in a small process.

::

    python kinds.py COLLECT FRAMES

prints what was reported but is not nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
import tracemalloc

import refscope
from refscope import track


SILENT = (0, 0, 0, (), (), ())
UNTRACED = (None, None, None, (), (), ())
BLOCKS = 1000
WITH_TRACING = {1: 150, 5: 50}  # each block goes through all traces of the program


def numbers(report):
    """Return what must be nothing after an empty block."""
    memory = report.memory
    return (
        memory.size_diff,
        memory.count_diff,
        memory.peak,
        report.sites,
        report.types,
        report.survivors,
    )


def _nothing():
    pass


def plain(*, collect=True, sites=True):
    """Return the report of an empty block."""
    with track("x", collect=collect, sites=sites) as block:
        pass
    return [block.report]


def unnamed(*, collect=True, sites=True):
    """Return the reports of two blocks named by their line."""
    with (
        track(collect=collect, sites=sites) as outer,
        track(collect=collect, sites=sites) as inner,
    ):
        pass
    return [outer.report, inner.report]


def nested(*, collect=True, sites=True):
    """Return the reports of five blocks inside each other."""
    with track("x", collect=collect, sites=sites) as first:  # noqa: SIM117
        with track("x", collect=collect, sites=sites) as second:
            with track("x", collect=collect, sites=sites) as third:
                with track("x", collect=collect, sites=sites) as fourth:
                    with track("x", collect=collect, sites=sites) as fifth:
                        pass
    return [block.report for block in (first, second, third, fourth, fifth)]


def inner_kept_and_dropped(*, collect=True, sites=True):
    """Return the report of a block around some that end in it."""
    kept = None
    with track("x", collect=collect, sites=sites) as outer:
        with track("x", collect=collect, sites=sites) as kept:
            pass
        with track("x", collect=collect, sites=sites) as dropped:
            pass
        with track("x", collect=collect, sites=sites) as dropped:
            pass
        del dropped
    return [outer.report, kept.report]


def started(*, collect=True, sites=True):
    """Return the reports of two blocks that overlap."""
    tracker = track("x", collect=collect, sites=sites)
    first = tracker.start()
    second = tracker.start()
    first.stop()
    second.stop()
    return [first.report, second.report]


def asked_of_the_class(*, collect=True, sites=True):
    """Return the reports of a block as ``unittest`` enters it, and of one around it."""
    enter = leave = inner = None
    tracker = track("x", collect=collect, sites=sites)
    with track("x", collect=collect, sites=sites) as outer:
        enter = refscope.Tracker.__enter__
        leave = refscope.Tracker.__exit__
        inner = enter(tracker)
        leave(tracker, None, None, None)
        enter = leave = None
    assert enter is leave
    return [outer.report, inner.report]


def peeked(*, collect=True, sites=True):
    """Return the reports of a block that was looked at twice."""
    with track("x", collect=collect, sites=sites) as block:
        block.peek()
        block.peek()
    return [block.report]


def decorated(*, collect=True, sites=True):
    """Return the reports of two calls, and of a block around two more."""
    function = track("x", keep=2, collect=collect, sites=sites)(_nothing)
    function()
    function()
    reports = list(refscope.tracker_of(function).reports)
    with track("x", collect=collect, sites=sites) as outer:
        function()
        function()
    return [*reports, outer.report]


def generator(*, collect=True, sites=True):
    """Return the reports of two decorated generators."""

    @track("x", keep=2, collect=collect, sites=sites)
    def function():
        yield
        yield

    for _ in function():
        pass
    for _ in function():
        pass
    return list(refscope.tracker_of(function).reports)


def asynchronous(*, collect=True, sites=True):
    """Return the reports of ``async with``, nested and not."""

    async def main():
        async with track("x", collect=collect, sites=sites) as alone:
            pass
        async with (
            track("x", collect=collect, sites=sites) as outer,
            track("x", collect=collect, sites=sites) as inner,
        ):
            pass
        return [alone.report, outer.report, inner.report]

    return asyncio.run(main())


def coroutine(*, collect=True, sites=True):
    """Return the reports of decorated coroutines that suspend or not."""

    @track("x", keep=3, collect=collect, sites=sites)
    async def function(*, suspends):
        if suspends:
            await asyncio.sleep(0)

    async def main():
        await function(suspends=False)
        await function(suspends=False)

    asyncio.run(main())
    return list(refscope.tracker_of(function).reports)


def asynchronous_generator(*, collect=True, sites=True):
    """Return the reports of decorated asynchronous generators."""

    @track("x", keep=2, collect=collect, sites=sites)
    async def function():
        yield
        yield

    async def main():
        async for _ in function():
            pass
        async for _ in function():
            pass

    asyncio.run(main())
    return list(refscope.tracker_of(function).reports)


KINDS = [
    plain,
    unnamed,
    nested,
    inner_kept_and_dropped,
    started,
    asked_of_the_class,
    peeked,
    decorated,
    generator,
    asynchronous,
    coroutine,
    asynchronous_generator,
]


def try_all(some, collect, *, sites=True):
    """Print each report of blocks of some kinds that is not all zeros."""
    silent = SILENT if sites else UNTRACED
    for kind in some:
        for index, report in enumerate(kind(collect=collect, sites=sites)):
            if numbers(report) != silent:
                print(kind.__name__, sites, index, numbers(report))  # noqa: T201


@contextlib.contextmanager
def another_thread():
    """The heap is listed in another way then, and the tools of that are no news."""
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def main(collect, frames):
    """Print each report that is not all zeros."""
    if frames:
        tracemalloc.start(frames)
    # Up to 3.10 frames of calls are on free lists: they stay where something is frozen.
    is_alike_frozen = sys.version_info >= (3, 11)
    try_all([plain], collect)
    if not frames:
        with another_thread():
            try_all(KINDS, collect)
            try_all(KINDS, collect, sites=False)
    if not (frames and is_alike_frozen):
        try_all(KINDS, collect)
    if not frames:
        try_all(KINDS, collect, sites=False)
    gc.freeze()  # the collector has little to look through then
    if is_alike_frozen:
        try_all(KINDS, collect)
    try_all([plain] * WITH_TRACING.get(frames, BLOCKS), collect)
    assert tracemalloc.is_tracing() == bool(frames)


if __name__ == "__main__":
    main(sys.argv[1] == "collect", int(sys.argv[2]))
