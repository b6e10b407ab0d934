"""What type checkers see of cycles; checked by mypy and pyright, never run."""

from __future__ import annotations

from typing_extensions import assert_type

import refscope
from refscope.reports import Cycle, CycleGroup, CycleKind, CycleReport, Reference


def function() -> int:
    """Return something."""
    return 1


report = refscope.find_cycles()
assert_type(report, CycleReport)
assert_type(refscope.find_cycles(collect=True, deadline=1.5), CycleReport)
assert_type(refscope.find_cycles(through=[report, function]), CycleReport)
assert_type(refscope.find_cycles(live=True, max_objects=10), CycleReport)
assert_type(refscope.find_cycles(from_call=function, progress=print), CycleReport)

assert_type(report.groups, tuple[CycleGroup, ...])
assert_type(report.groups[0].kind, CycleKind)
assert_type(report.groups[0].example, Cycle)
assert_type(report.groups[0].example.break_at, tuple[Reference, ...])
assert_type(report.freed, int | None)
assert_type(refscope.merge([report]), CycleReport)
assert_type(refscope.render.to_dot(report), str)

refscope.find_cycles(live=False)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
refscope.find_cycles(live=True, collect=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
