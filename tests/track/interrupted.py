"""Ctrl-C at every call and return in refscope's own work; run as a program.

There is where CPython looks for signals: as a function begins and after a call.
It says where another thread hung afterwards, or something stayed switched on.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import sys
import threading
import tracemalloc
from pathlib import Path

import refscope
from refscope._measure.blocks import lifecycle
from refscope._measure.session import boundary


FILES = {
    str(path)
    for name in ("boundary", "collecting", "gcstate", "tracing", "_block", "lifecycle")
    for path in Path(refscope.__file__).parent.rglob(f"{name}.py")
}
BALLAST = []
LIGHT = {"types": False, "survivors": False, "cycles": False, "collect": False}


class Finalized:
    """Tracks at its end, which a collection of refscope's brings about."""

    def __init__(self):
        self.me = self

    def __del__(self):
        looked_at(refscope.track("inner", **LIGHT))


def whole(tracker):
    """Begin and end one block that has everything in it."""
    block = tracker.new_block()
    try:
        block.start()
        Finalized()
        block.pause()
        block.resume()
        block.stop()
    finally:
        end(block)


def looked_at(tracker):
    """Look at an open block."""
    block = tracker.new_block()
    try:
        block.start()
        block.peek()
    finally:
        end(block)


def end(block):
    """End it surely: what Ctrl-C keeps from being called has not been called."""
    try:
        block.end(None)
    finally:
        block.end(None)


def searched(_tracker):
    """Keep collections away while the program works."""
    refscope.find_cycles(from_call=list)


def counted(tracker):
    """Skip a block."""
    tracker.start()


WAYS = {
    "whole": (whole, {"types": False, "frames": 2}),
    "light": (whole, LIGHT),
    "peek": (looked_at, {**LIGHT, "sites": False}),
    "search": (searched, LIGHT),
    "every": (counted, {**LIGHT, "every": 5}),
}


def interrupt(work, done):
    """Let it work with Ctrl-C at an event not ``done``; return where, or None."""
    place = None

    def on_event(frame, event, _):
        nonlocal place
        if event == "c_call" or frame.f_code.co_filename not in FILES:
            return
        caller = frame.f_back
        here = (event, *spot(frame), "from", *spot(caller))
        if here not in done:
            done.add(here)
            place = here
            sys.setprofile(None)
            raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        sys.setprofile(on_event)
        work()
    sys.setprofile(None)
    return place


def spot(frame):
    """Return where a frame is."""
    return frame.f_code.co_filename.rpartition(os.sep)[2], frame.f_lineno


@functools.cache
def _small_heap():
    """Freeze what is there, which makes each block faster; return how much it is."""
    gc.collect()
    gc.freeze()
    BALLAST.extend([] for _ in range(2_000))
    return gc.get_freeze_count()


def state():
    """Return what has to be as before."""
    return {
        "tracing": tracemalloc.is_tracing(),
        "collector": gc.isenabled(),
        "flags": gc.get_debug(),
        "frozen": gc.get_freeze_count() > _small_heap() + 1000,
        "garbage": len(gc.garbage),
        "hooks": gc.callbacks[:],
        "open": len(lifecycle._probes),
    }


def after(before):
    """Return what is not as it should be."""
    if sys.version_info < (3, 11):  # a profiler's copies of variables outlive them
        gc.collect()
    wrong = [key for key, value in state().items() if value != before[key]]
    thread = threading.Thread(target=light, daemon=True)
    thread.start()
    thread.join(20)
    if thread.is_alive():
        return [*wrong, "another thread hangs"]
    memory = light().memory
    if (memory.size_diff, memory.count_diff, memory.peak) != (0, 0, 0):
        wrong.append(f"a block is not silent: {memory}")
    if not boundary.lock.acquire(blocking=False) or boundary.Boundary.depth:
        wrong.append("the lock is taken")
    boundary.lock.release()
    return wrong


def light():
    """Return the report of an empty block."""
    with refscope.track("after", **LIGHT) as block:
        pass
    return block.report


def main(way):
    """Say what went wrong, and where the interruption was, in one line each."""
    boundary._PATIENCE = 0.01
    sys.unraisablehook = lambda _: None
    gc.callbacks.append(len_of)
    function, options = WAYS[way]
    _small_heap()
    done = set()
    while True:
        tracker = refscope.track("x", **options)
        before = state()
        place = interrupt(functools.partial(function, tracker), done)
        if place is None:
            break
        for trouble in after(before):
            print(*place, trouble, flush=True)  # noqa: T201  # for the test
    print(len(done) > 20)  # noqa: T201


def len_of(*_):
    """Listen to the collector as a program may."""


if __name__ == "__main__":
    main(sys.argv[1])
