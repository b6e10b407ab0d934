"""Blocks in the tasks of an event loop."""

from __future__ import annotations

import asyncio
import sys

import pytest

from refscope import track

from .helpers import sites_in


@pytest.mark.parametrize("collect", [False, True])
def test_blocks_in_tasks_see_the_whole_process(collect):
    """A task's block has what other tasks kept at their lines, and their peak."""
    size = 5_000_000
    kept = [None, None]
    inside = [asyncio.Event, asyncio.Event]
    options = {"collect": collect, "survivors": False, "cycles": False}

    async def first():
        async with track("first", **options) as block:
            inside[0].set()
            await inside[1].wait()
            kept[0] = bytes(size)
        return block.report

    async def second():
        await inside[0].wait()
        async with track("second", **options) as block:
            kept[1] = bytes(2 * size)
            kept[1] = None
            inside[1].set()
            for _ in range(5):
                await asyncio.sleep(0)
        return block.report

    async def main():
        inside[:] = [asyncio.Event(), asyncio.Event()]
        return await asyncio.gather(first(), second())

    reports = asyncio.run(main())

    for report, peak in zip(reports, (2 * size, 2 * size), strict=True):
        [site] = [site for site in sites_in(report, __file__) if site.size_diff > size]
        assert site.size_diff - sys.getsizeof(kept[0]) < 1000  # coverage's
        assert abs(report.memory.peak - peak) < 200_000
        assert report.memory.shared
        assert any("tasks" in limit for limit in report.limits)
