"""Long runs of what the tests do shortly: nothing of refscope's may grow or stay on.

``python benchmarks/soak.py [SECONDS]``: ten million allocations and frees in a block,
then 1000 threads that enter and leave blocks at random for 30 seconds.
"""

from __future__ import annotations

import gc
import random
import sys
import threading
import time
import tracemalloc

from refscope import track


ALLOCATIONS = 10_000_000
BLOCKS = 1000
THREADS = 1000
SECONDS = 30.0
AT_ONCE = 50
"""Threads with open blocks at a time: each open block makes the others dearer."""


def check(holds: bool, what: object) -> None:  # noqa: FBT001  # like assert, with -O too
    """Stop if an answer is wrong."""
    if not holds:
        raise SystemExit(f"wrong: {what}")


def churn(times: int) -> None:
    """Allocate and free, with a few objects alive at a time."""
    kept: list[object] = [None] * 97
    for number in range(times):
        kept[number % 97] = [number]


def own_memory() -> tuple[int, int]:
    """Return pymalloc's blocks, and the bytes that tracemalloc takes."""
    gc.collect()
    return sys.getallocatedblocks(), tracemalloc.get_tracemalloc_memory()


def soak_allocations() -> None:
    """Allocate and free ten million times in a block."""
    with track("soak", types=False) as block:
        churn(1000)
        few, small = own_memory()
        churn(ALLOCATIONS)
        many, large = own_memory()
    kept = block.report.memory.size_diff
    print(
        f"{ALLOCATIONS:,} allocations: {many - few:+} blocks, {large - small:+} bytes"
    )
    print(f"  of tracemalloc; the block kept {kept} bytes")
    check(many - few < 500, "blocks grew")
    check(large - small < 200_000, "tracemalloc grew")
    check(kept is not None and kept < 10_000, "the block kept something")


def soak_blocks() -> None:
    """Enter and leave empty blocks, collecting or not; each reports nothing."""
    for collect in (True, False):
        tracker = track("empty", collect=collect)
        wrong = 0
        for _ in range(BLOCKS):
            with tracker as block:
                pass
            memory = block.report.memory
            numbers = (memory.size_diff, memory.count_diff, memory.peak)
            wrong += numbers != (0, 0, 0) or block.report.types != ()
        print(f"{BLOCKS:,} empty blocks, collect={collect}: {wrong} not silent")
        check(wrong == 0, "an empty block was not silent")


def soak_threads(seconds: float) -> None:
    """Let 1000 threads enter and leave blocks at random."""
    tracker = track("soak", types=False, collect=False, keep=10**7)
    turns = threading.Semaphore(AT_ONCE)
    entered: list[int] = []
    errors: list[BaseException] = []
    end = time.monotonic() + seconds

    def run(seed: int) -> None:
        choose = random.Random(seed)
        count = 0
        try:
            while not count or time.monotonic() < end:
                with turns:
                    blocks = [tracker.start() for _ in range(choose.randrange(1, 4))]
                    kept = bytes(choose.randrange(100_000))
                    choose.shuffle(blocks)
                    time.sleep(choose.random() / 100)
                    for block in blocks:
                        memory = block.stop().memory
                        check((memory.peak or 0) >= (memory.size_diff or 0), memory)
                    del kept
                count += len(blocks)
        except BaseException as error:  # noqa: BLE001  # shown at the end
            errors.append(error)
        entered.append(count)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{THREADS:,} threads: {sum(entered):,} blocks, {len(errors)} errors")
    check(not errors, errors[:1])
    check(len(entered) == THREADS, "a thread is missing")
    check(len(tracker.reports) == sum(entered), "a report is missing")
    check(not tracemalloc.is_tracing(), "tracing is still on")
    check(not gc.callbacks, "a callback is left")


if __name__ == "__main__":
    soak_allocations()
    soak_blocks()
    soak_threads(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
