"""refscope's own memory does not grow with what happens in a block."""

from __future__ import annotations

import gc
import sys
import tracemalloc

import pytest

from refscope import track
from refscope._measure.blocks.lifecycle import _probes


ALLOCATIONS = 100_000  # ten million in benchmarks/soak.py
ENTRIES = 100
LIGHT = {
    "types": False,
    "survivors": False,
    "cycles": False,
    "collect": False,
}


def own_memory():
    """Return the bytes that pymalloc gave out, and those that tracemalloc uses."""
    gc.collect()
    return sys.getallocatedblocks(), tracemalloc.get_tracemalloc_memory()


def churn(times):
    """Allocate and free, with some objects alive at a time."""
    kept = [None] * 97
    for number in range(times):
        kept[number % 97] = [number]


@pytest.mark.parametrize("frames", [1, 5])
def test_many_allocations_and_frees_leave_nothing(frames):
    """What comes and goes in a block takes no memory of refscope's or tracemalloc's."""
    with track("first", frames=frames, **LIGHT):  # coverage makes tables of new lines
        churn(1000)
        own_memory()
    with track("x", frames=frames, **LIGHT) as block:
        churn(1000)
        few, small = own_memory()
        churn(ALLOCATIONS)
        many, large = own_memory()

    assert many - few < 500
    assert large - small < 200_000
    assert block.report.memory.size_diff < 100_000


def test_many_collections_leave_nothing():
    """The collector's log is of one size."""
    with track("x", **LIGHT) as block:
        gc.collect()
        few, _ = own_memory()
        for _ in range(200):
            gc.collect(0)
        many, _ = own_memory()

    assert many - few < 100
    assert sum(block.report.gc.collections) >= 200


@pytest.mark.apart
def test_many_blocks_leave_nothing():
    """Blocks that have ended are gone, whether their functions ended or not."""
    tracker = track("x", keep=2, **LIGHT)

    @track("y", **LIGHT)
    def generator():
        yield

    def enter(times):
        for _ in range(times):
            with tracker:
                next(generator())
            list(generator())

    enter(20)
    few, _ = own_memory()
    enter(ENTRIES)
    many, _ = own_memory()

    assert many - few < 100
    assert len(tracker.reports) == 2
    assert not _probes
    assert not tracemalloc.is_tracing()


@pytest.mark.apart
def test_many_suspensions_leave_nothing():
    """A generator that runs for long takes no more than one that does not."""

    @track("y", **LIGHT)
    def generator():
        while True:
            yield

    running = generator()
    for _ in range(100):
        next(running)
    few, _ = own_memory()
    for _ in range(3000):
        next(running)
    many, _ = own_memory()
    running.close()

    assert many - few < 100
