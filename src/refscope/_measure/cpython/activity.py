"""Who else is at work in this process, and how much memory the system gave it."""

from __future__ import annotations

import os
import sys
from _thread import _count, get_ident
from time import process_time_ns
from typing import cast


try:
    from time import thread_time_ns
except ImportError:  # pragma: no cover  # WebAssembly has no clock of threads
    thread_time_ns = process_time_ns

_PAGE: int = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
_STATM = "/proc/self/statm"
_MARGIN_NS = 20_000  # less processor time than starting one thread takes


def resident_size() -> int:
    """Return the resident set in bytes, -1 where the system does not tell.

    From ``/proc/self/statm`` (proc_pid_statm(5)); other systems offer the largest
    value of the past only.
    """
    try:
        handle = os.open(_STATM, os.O_RDONLY)
    except OSError:  # pragma: no cover  # not Linux
        return -1
    try:
        return int(os.read(handle, 100).split()[1]) * _PAGE
    finally:
        os.close(handle)


def owner() -> int:
    """Return a number for the running task, or else for the running thread."""
    task = current_task()
    return get_ident() if task is None else id(task)


def count_threads() -> int:
    """Return how many threads that Python has started go on."""
    return _count()


def current_task() -> object | None:
    """Return the running task of asyncio or trio, None outside of both."""
    asyncio = sys.modules.get("asyncio")
    running = getattr(asyncio, "_get_running_loop", None)
    if running is not None and running() is not None:
        return cast("object | None", getattr(asyncio, "current_task")())  # noqa: B009
    trio = sys.modules.get("trio")
    lowlevel = getattr(trio, "lowlevel", None)
    if lowlevel is None:
        return None
    try:
        return cast("object", lowlevel.current_task())
    except RuntimeError:
        return None


def other_tasks() -> bool:
    """Return whether the running event loop has more than one task."""
    asyncio = sys.modules.get("asyncio")
    running = getattr(asyncio, "_get_running_loop", None)
    if running is None or running() is None:
        return False
    return len(getattr(asyncio, "all_tasks")()) > 1  # noqa: B009


async def nap(seconds: float) -> None:
    """Let other tasks run for a while, in asyncio or trio.

    In another loop it returns at once.
    """
    asyncio = sys.modules.get("asyncio")
    running = getattr(asyncio, "_get_running_loop", None)
    if running is not None and running() is not None:
        await getattr(asyncio, "sleep")(seconds)  # noqa: B009
    elif current_task() is not None:
        await getattr(sys.modules["trio"], "sleep")(seconds)  # noqa: B009


def others_clock() -> tuple[int, int]:
    """Return processor time of this thread and of the process, in nanoseconds."""
    return thread_time_ns(), process_time_ns()


def others_ran(since_thread: int, since_process: int) -> bool:
    """Return whether other threads used the processor since ``others_clock``.

    The thread's clock is read first then and last now, so a process with one
    thread can never seem to have used more than that thread.
    """
    process = process_time_ns() - since_process
    return process - (thread_time_ns() - since_thread) > _MARGIN_NS
