"""What type checkers must infer about leaks; never run."""

from __future__ import annotations

from typing_extensions import assert_type

import refscope
from refscope import Expectation
from refscope.reports import (
    Cycle,
    ExpectationReport,
    Leak,
    LeakReport,
    ReferencePath,
    RetentionReport,
    SurvivorGroup,
    Verdict,
)


def work() -> int:
    """Do something."""
    return 1


async def work_async() -> int:
    """Do something later."""
    return 1


def judge(session: list[int]) -> Verdict | None:
    """Return a verdict."""
    return Verdict("yes", "empty") if not session else None


report = refscope.find_leaks(work, known={"3f9c2a71": "later"})
assert_type(report, LeakReport)
assert_type(report.leaks, tuple[Leak, ...])
assert_type(report.leaks[0].per_call, float)
assert_type(report.leaks[0].held_by, ReferencePath | None)
assert_type(report.leaks[0].cycle, Cycle | None)
assert_type(report.rss_per_call, float | None)
refscope.find_leaks(work, rounds="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

retention = refscope.why_alive(report)
assert_type(retention, RetentionReport)
assert_type(retention.verdicts, tuple[Verdict, ...])

expected = refscope.expect_gone(report, "over")
assert_type(expected, Expectation)
assert_type(expected.check(within=1), ExpectationReport)

with refscope.track(survivors=True) as block:
    pass
assert_type(block.report.survivors, tuple[SurvivorGroup, ...])


async def main() -> None:
    """Await what is asynchronous."""
    assert_type(await refscope.find_leaks_async(work_async), LeakReport)
    assert_type(await expected.check_async(), ExpectationReport)


remove = refscope.add_inspector(list[int], judge)
remove()
