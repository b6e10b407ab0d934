"""One tracemalloc for all open blocks, and each block's view of it.

tracemalloc is process-wide: one depth, one peak, one switch.  The blocks that are
open share it.  The first starts it unless the program already did; the last stops it
if refscope started it.  At every boundary between the program and refscope the peak
so far is folded into every open span (``fold``) before it is set anew (``mark``).

A *level* is the program's bytes: tracemalloc's current bytes less those of refscope.
What is refscope's is known exactly when all traces were looked at, and between two
boundaries it does not change, since only the program runs.

A sentinel block tells whether somebody else stopped, cleared or restarted tracing:
its trace is then gone (Modules/_tracemalloc.c has no generation to ask for).
"""

from __future__ import annotations

import marshal
import sys
from array import array
from collections.abc import Callable, Iterable

from refscope._measure.cpython.interpreter import (
    get_object_traceback,
    get_traceback_limit,
    get_traced_memory,
    get_traces,
    is_tracing,
    list_interpreters,
    reset_peak,
    start,
    stop,
)
from refscope._measure.heap import ours
from refscope.exceptions import TrackingError


Stack = tuple[tuple[str, int], ...]
"""A traceback as tracemalloc stores it: most recent line first."""

Totals = dict[Stack, tuple[int, int]]
"""Bytes and blocks alive, by place."""

# Indices of the session's numbers, and of each span's.  They live in arrays because
# an int that is kept would itself be a traced block.
_CURRENT, _PEAK, _OWN, _LEVEL, _USER_PEAK = range(5)
_START, _TOP, _GROWN, _HIGH, _PAUSED_AT = range(5)

_SENTINEL_SIZE = 1000
_LARGEST_RISE = 4096  # more than that is somebody else's work between two readings
_CLEAN_INTERPRETERS = (
    3,
    15,
)  # where tracing beside sub-interpreters neither hangs nor corrupts


class Span:
    """What one open block has to remember of the traced memory."""

    __slots__ = ("baseline", "frames", "is_disturbed", "is_lost", "numbers", "pauses")

    def __init__(self, frames: int) -> None:
        self.frames: int = frames
        self.numbers: array[int] = array("q", bytes(8 * 5))
        self.baseline: bytes = b""
        self.is_lost: bool = False
        self.pauses: int = 0
        self.is_disturbed: bool = False

    @property
    def peak(self) -> int:
        """Most bytes above the level at entry, in all stretches so far."""
        numbers = self.numbers
        top = numbers[_GROWN] + numbers[_TOP] - numbers[_START]
        # Not max(), whose tuple of arguments (3.10) would go to a free list.
        return top if top > numbers[_HIGH] else numbers[_HIGH]  # noqa: FURB136


class Traced:
    """What a span kept, by place, when it was looked at."""

    __slots__ = ("count_diff", "peak", "rows", "size_diff")

    def __init__(self, before: Totals, after: Totals, span: Span) -> None:
        self.rows: list[tuple[Stack, int, int]] = _difference(before, after)
        self.size_diff: int = sum([size for _, size, _ in self.rows])
        self.count_diff: int | None = sum([count for _, _, count in self.rows])
        if span.is_disturbed:  # what others did meanwhile is in the rows
            self.size_diff = span.numbers[_GROWN]
            self.count_diff = None
        self.peak: int = max(span.peak, self.size_diff)


class Session:
    """The shared ownership of tracemalloc.  Not locked: its callers hold the lock."""

    __slots__ = ("_active", "_book", "_frames", "_is_ours", "_open", "_sentinel")

    def __init__(self) -> None:
        self._book = array("q", bytes(8 * 5))
        self._open: list[Span] = []
        self._active: list[Span] = []
        self._sentinel: bytes | None = None
        self._is_ours = False
        self._frames = 0

    @property
    def is_open(self) -> bool:
        """Whether a span is open, so that what is allocated is noted."""
        return self._sentinel is not None

    @property
    def is_fresh(self) -> bool:
        """Whether tracing began with the only open span: older objects have none."""
        return self._is_ours and len(self._open) == 1

    def fold(self, slack: int = 0) -> None:
        """End a stretch of the program: note level and peak in every running span."""
        self.read()
        self.settle(slack)

    def read(self) -> None:
        """Read level and peak; nothing may be allocated before."""
        if self._sentinel is not None:
            book = self._book
            book[_CURRENT], book[_PEAK] = get_traced_memory()

    def settle(self, slack: int = 0) -> None:
        """Note what was read in every running span."""
        if self._sentinel is None:
            return
        if self._was_lost():
            return
        book = self._book
        book[_LEVEL] = book[_CURRENT] - book[_OWN]
        if book[_PEAK] > book[_USER_PEAK]:  # noqa: PLR1730  # see Span.peak
            book[_USER_PEAK] = book[_PEAK]
        is_small = book[_PEAK] - book[_CURRENT] <= slack
        self._raise_tops((book[_CURRENT] if is_small else book[_PEAK]) - book[_OWN])

    def relevel(self, extra: int = 0) -> None:
        """Note the level after a collection of ours, and what finalizers left.

        What they needed in between does not count: the collector itself makes text.
        ``extra`` bytes are ours.
        """
        self.read()
        if self._sentinel is not None and not self._was_lost():
            self._book[_LEVEL] = self._book[_CURRENT] - self._book[_OWN] - extra
            self._raise_tops(self._book[_LEVEL])

    def _raise_tops(self, top: int) -> None:
        for span in self._active:
            if top > span.numbers[_TOP]:  # noqa: PLR1730  # see Span.peak
                span.numbers[_TOP] = top

    def mark(self) -> None:
        """Begin a stretch of the program: what was added since ``fold`` is ours.

        Read twice: the first call leaves its tuple and ints on the free lists that
        the second takes them from, so that reading adds nothing.
        """
        if self._sentinel is None:
            return
        book = self._book
        book[_OWN] = get_traced_memory()[0] - book[_LEVEL]
        book[_OWN] = get_traced_memory()[0] - book[_LEVEL]
        reset_peak()

    def mark_emptied(self) -> None:
        """Begin a collection, right after the free lists were emptied.

        Read once: what reading leaves on a free list goes in the collection too.
        """
        if self._sentinel is not None:
            self._book[_OWN] = get_traced_memory()[0] - self._book[_LEVEL]
            reset_peak()

    def forget_peak(self) -> None:
        """Set the peak to the present level once more."""
        if self._sentinel is not None:
            reset_peak()

    def open(self, span: Span) -> None:
        """Open a new span, not running yet; starts tracing if nobody has."""
        self._was_lost()
        if self._sentinel is None:
            self._begin(span.frames)
        if not self._is_ours or self._open:
            ours.claim_spares()
            totals = by_place(get_traces(), span.frames)
            self._book[_LEVEL] = sum([size for size, _ in totals.values()])
            span.baseline = marshal.dumps(totals)
        self._open.append(span)

    def resume(self, span: Span) -> None:
        """Let the span run from the present level on; ``mark`` comes next."""
        if not span.is_lost:
            numbers = span.numbers
            numbers[_START] = numbers[_TOP] = self._book[_LEVEL]
            if span.pauses and numbers[_START] != numbers[_PAUSED_AT]:
                span.is_disturbed = True
            self._active.append(span)

    def pause(self, span: Span) -> None:
        """Add up the stretch that ``fold`` has just ended."""
        if span in self._active:
            self._active.remove(span)
            numbers = span.numbers
            numbers[_HIGH] = span.peak
            numbers[_GROWN] += self._book[_LEVEL] - numbers[_START]
            numbers[_TOP] = numbers[_START]
            numbers[_PAUSED_AT] = self._book[_LEVEL]
            span.pauses += 1

    def look(self, span: Span) -> Traced | None:
        """Return what the span kept so far, None if its traces were lost."""
        if span.is_lost:
            return None
        return self._compare(span, by_place(get_traces(), span.frames))

    def _compare(self, span: Span, totals: Totals) -> Traced:
        """Return what changed; what the last stretch added on lines of ours is none.

        Such are frames of called functions up to 3.10 and arguments passed on by a
        decorated function's wrapper: made while the program runs, so in its peak.
        """
        level = sum([size for size, _ in totals.values()])
        rise = self._book[_LEVEL] - level
        if 0 < rise <= _LARGEST_RISE and span.pauses == 1:
            span.numbers[_HIGH] = max(span.numbers[_HIGH] - rise, 0)
            span.numbers[_GROWN] -= rise
        self._book[_LEVEL] = level
        return Traced(thaw(span.baseline), totals, span)

    def close(self, span: Span) -> Traced | None:
        """Return what the span kept; stops tracing after the last if it is ours.

        Adding up is twice as fast when it is not itself traced.
        """
        # Not there any more at the end of the interpreter, in a thread that goes on.
        self._open[:] = [other for other in self._open if other is not span]
        if span.is_lost or self._open:
            found = self.look(span)
            if not self._open:
                self._end()
            return found
        traces = get_traces()
        self._end()
        return self._compare(span, by_place(traces, span.frames))

    def discard(self, span: Span) -> None:
        """Close a span that nobody will look at, if it is open."""
        self.pause(span)
        self._open[:] = [other for other in self._open if other is not span]
        if not self._open and self._sentinel is not None:
            self._end()

    def limit(self) -> int:
        """Return how many frames the running session records."""
        return get_traceback_limit()

    def abandon(self) -> None:
        """Put tracemalloc back as it was; for the exit of the interpreter."""
        for span in self._open:
            span.is_lost = True
        self._open.clear()
        self._active.clear()
        if self._sentinel is not None:
            self._end()

    def _begin(self, frames: int) -> None:
        """Start tracing, or join the program's own; leave the sentinel."""
        refuse_other_interpreters()
        self._is_ours = not is_tracing()
        self._frames = frames
        try:
            if self._is_ours:
                start(frames)
            else:
                self._book[_USER_PEAK] = get_traced_memory()[1]
            self._sentinel = bytes(bytearray(_SENTINEL_SIZE))
        except BaseException:  # Ctrl-C
            if self._is_ours:
                stop()
            raise
        self._book[_LEVEL] = 0

    def _end(self) -> None:
        """Stop tracing if it is ours; give the program's own peak back."""
        healthy = not self._was_lost()
        if self._sentinel is not None and self._is_ours:
            stop()
        self._sentinel = None
        if healthy and not self._is_ours:
            ours.raise_peak(self._book[_USER_PEAK] - get_traced_memory()[0])

    def _was_lost(self) -> bool:
        """Give up all spans if somebody stopped, cleared or restarted tracing.

        After ``clear_traces()`` tracing goes on and is still ours to stop.  ``stop()``
        and ``start()`` look the same but for the depth: another one is somebody's.
        """
        if self._sentinel is None or get_object_traceback(self._sentinel) is not None:
            return False
        for span in self._open:
            span.is_lost = True
        self._active.clear()
        if self._is_ours and is_tracing() and get_traceback_limit() == self._frames:
            self._sentinel = bytes(bytearray(_SENTINEL_SIZE))
            self._book[_LEVEL] = self._book[_CURRENT]
        else:
            self._sentinel = None
        return True


def refuse_other_interpreters() -> None:
    """Raise TrackingError where tracing beside another interpreter is not safe."""
    if sys.version_info >= _CLEAN_INTERPRETERS:
        return
    others = len(list_interpreters()) - 1
    if others:
        raise TrackingError(
            f"{others} other interpreter(s) run in this process, and tracemalloc hangs "
            "or corrupts memory beside them before Python 3.15; close them first, or "
            "use track(sites=False)"
        )


def by_place(traces: Iterable[tuple[int, int, Stack, int]], frames: int) -> Totals:
    """Return the program's live bytes and blocks by traceback, ``frames`` deep.

    Sizes are appended to one list per traceback: while tracing is on, each int made
    by a running sum would be traced itself.  Equal tracebacks often come in runs.
    """
    buckets: dict[Stack, list[int]] = {}
    last: Stack | None = None
    add: Callable[[int], None] = list[int]().append
    for _, size, stack, _ in traces:
        if stack is not last:
            last = stack
            bucket = buckets.get(stack)
            if bucket is None:
                bucket = buckets[stack] = []
            add = bucket.append
        add(size)
    totals: Totals = {}
    for stack, sizes in buckets.items():
        if not stack[0][0].startswith(ours.FILES):
            key = stack[:frames]
            size, count = totals.get(key, (0, 0))
            totals[key] = (size + sum(sizes), count + len(sizes))
    return totals


def thaw(baseline: bytes) -> Totals:
    """Return totals from the bytes that kept them where no collector sees them."""
    totals: Totals = marshal.loads(baseline) if baseline else {}  # noqa: S302  # our own
    return totals


def _difference(before: Totals, after: Totals) -> list[tuple[Stack, int, int]]:
    """Return place, bytes and blocks where the two are not equal."""
    rows: list[tuple[Stack, int, int]] = []
    for stack in {**before, **after}:
        old_size, old_count = before.get(stack, (0, 0))
        size, count = after.get(stack, (0, 0))
        if size != old_size or count != old_count:
            rows.append((stack, size - old_size, count - old_count))
    return rows
