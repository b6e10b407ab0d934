"""Where the program ends and refscope's own work begins, on a thread of either.

The program's stretch ends with ``session.fold()`` before refscope allocates anything,
and begins with ``session.mark()`` after everything of refscope's that stays has been
allocated.  Between the two refscope works, under a lock; nothing there is the
program's, except what a collection runs: finalizers (see ``collecting``).

Ctrl-C may come at the start of each function and after each call, also in a
``finally``.  So whoever finds the lock taken looks whether its holder is still at work.
"""

from __future__ import annotations

import sys
from _thread import RLock, allocate_lock
from collections.abc import Callable
from types import FrameType
from typing import ClassVar

from refscope._measure.cpython.interpreter import can_see_threads, top_frames
from refscope._measure.heap import ours

from . import gcstate, tracing
from .born import guard


_PATIENCE = 1.0  # seconds

session = tracing.Session()
lock = RLock()
is_owned: Callable[[], bool] = getattr(lock, "_is_owned")  # noqa: B009  # as threading does
collector = gcstate.Collector(is_owned)
_reset: Callable[[], None] = getattr(lock, "_at_fork_reinit")  # noqa: B009
_healing = allocate_lock()


class Boundary:
    """Where in refscope's own work threads are, which the holder of the lock notes."""

    depth: ClassVar[int] = 0
    """How deep in it the holder of the lock is."""


def begin_own(slack: int = 0) -> None:
    """End the program's stretch: what follows is refscope's.  Needs ``end_own``.

    A rise of up to ``slack`` bytes that was over by now does not count.
    """
    before = step_in()
    try:
        if not before:
            session.fold(slack)
    except BaseException:  # Ctrl-C: other threads must not wait for this one for ever
        step_out(before)
        raise


def end_own() -> None:
    """Begin the program's stretch; what was allocated since ``begin_own`` is ours."""
    before = Boundary.depth - 1
    try:
        Boundary.depth = before
        if not before:
            session.mark()
    finally:
        if not before:
            lock.release()


def step_in() -> int:
    """Take the lock, or go deeper; return how deep in our own work this thread was."""
    try:
        if Boundary.depth:
            _queue()
        else:
            lock.acquire()
        before = Boundary.depth
        Boundary.depth = before + 1
    except BaseException:
        if is_owned() and not Boundary.depth:
            lock.release()
        raise
    return before


def step_out(before: int) -> None:
    """Undo ``step_in``, if it took place and nobody has undone it."""
    if before >= 0 and is_owned():
        Boundary.depth = before
        if not before:
            lock.release()


def _queue() -> None:
    """Take the lock, where somebody is at work, unless this thread has it.

    Ctrl-C can lead a thread out of refscope's work without the lock being released.
    """
    if is_owned():
        frame = sys._getframe(3)  # its f_back: who wants the lock is not at work yet
        ours.disown_new_frame(frame)
        if _is_at_work(frame.f_back):
            return
        with _healing:
            if is_owned():  # pragma: no branch  # else another thread was faster
                heal()
    while not lock.acquire(True, _PATIENCE):  # noqa: FBT003  # keywords make a dict
        with _healing:
            if _is_left():
                heal()
    Boundary.depth = 0


def _is_left() -> bool:
    """Return whether the thread that has the lock is in no work of refscope's."""
    holder = repr(lock)
    owner = int(holder.partition("owner=")[2].split()[0])
    if not can_see_threads():
        return False
    frame = top_frames().get(owner)
    return bool(owner) and not _is_at_work(frame) and repr(lock) == holder


def _is_at_work(frame: FrameType | None) -> bool:
    """Return whether this frame, or one that waits for it, does refscope's work."""
    while frame is not None:
        ours.disown_new_frame(frame)
        code = frame.f_code
        if code.co_filename.startswith(ours.MEASURE) or "begin_own" in code.co_names:
            return True
        frame = frame.f_back
    return False


def heal() -> None:
    """Make the lock free, and undo what whoever left it did not."""
    collector.reclaim()
    Boundary.depth = 0
    _reset()


class own_work:  # noqa: N801  # reads like the function that it might be
    """Keep what refscope does in answer to a question away from open blocks.

    The answer as well: it is to be taken out of the books with ``ours``.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        begin_own()

    def __exit__(self, *_: object) -> None:
        end_own()


def collect_aside() -> int:
    """Collect once in the middle of refscope's work; return how much was found.

    Nobody waits for finalizers, which may wait for others: what they do is the
    program's.  The collection is not.
    """
    is_outermost = Boundary.depth == 1 and is_owned()
    if is_outermost:
        end_own()
    try:
        return collector.collect_once()
    finally:
        if is_outermost:
            begin_own()


class collector_away:  # noqa: N801  # reads like the function that it might be
    """Keep automatic collections away, also while the program works; may be nested.

    As they come back one may run at once (up to 3.11), and take the garbage that was
    found: so this is the last thing that is done.  To leave it twice does no harm.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        begin_own()
        try:
            collector.send_away(id(self))
        finally:
            end_own()

    def __exit__(self, *_: object) -> None:
        begin_own()
        try:
            collector.call_back(id(self))
        finally:
            end_own()
        collector.come_back()


guard(begin_own, end_own)
