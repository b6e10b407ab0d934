"""What a block is measured with: its plan, its probe, and the findings in the end."""

from __future__ import annotations

from array import array
from typing import Protocol, TypeVar

from refscope._measure.budget import Budget
from refscope._measure.heap import census
from refscope._measure.session import gcstate, tracing
from refscope._measure.session.born import Born
from refscope.reports import CycleReport, Report

from .litter import Litter
from .survivors import Survivors


R_co = TypeVar("R_co", bound=Report, covariant=True)


# Indices of a probe's own numbers, after those of the collector's log.
BLOCKS = gcstate.LONGEST + 1
TIME, WORK, RSS, FROZEN, THREAD, PROCESS = range(BLOCKS + 1, BLOCKS + 7)
END_BLOCKS, END_TIME = range(PROCESS + 1, PROCESS + 3)
_NUMBERS = END_TIME + 1


_NO_NUMBERS: array[int] = array("q")


class Plan:
    """What to measure in each block of a tracker."""

    __slots__ = (
        "collect",
        "cycles",
        "deadline",
        "frames",
        "max_objects",
        "sites",
        "survivors",
        "types",
    )

    def __init__(  # noqa: PLR0913  # one for each choice of the caller
        self,
        frames: int = 1,
        *,
        sites: bool = True,
        types: bool = True,
        survivors: bool = True,
        cycles: bool = True,
        collect: bool = True,
        max_objects: int | None = None,
        deadline: float | None = None,
    ) -> None:
        self.frames: int = frames
        self.sites: bool = sites
        self.types: bool = types
        self.survivors: bool = survivors
        self.cycles: bool = cycles
        self.collect: bool = collect
        self.max_objects: int | None = max_objects
        self.deadline: float | None = deadline

    def budget(self) -> Budget:
        """Return how much to look at for one question at one end of a block."""
        return Budget(self.max_objects, self.deadline)


class Findings:
    """The raw numbers of a block, before they become a report.

    Neither attrs nor a named tuple: what their generated code allocates has no file.
    """

    __slots__ = (
        "blocks_diff",
        "blocks_overlapped",
        "collector",
        "cycles",
        "duration_ns",
        "frame_limit",
        "is_disturbed",
        "is_final",
        "is_suspended",
        "pauses",
        "plan",
        "rss_diff",
        "survivors",
        "tasks_ran",
        "threads_ran",
        "traced",
        "types",
        "work_began_ns",
    )

    plan: Plan
    is_final: bool
    traced: tracing.Traced | None
    frame_limit: int
    types: list[tuple[str, int, int | None]] | None
    survivors: Survivors | None
    cycles: CycleReport | None
    collector: list[int] | None
    blocks_diff: int | None
    rss_diff: int | None
    duration_ns: int
    pauses: int
    is_disturbed: bool
    is_suspended: bool
    threads_ran: bool
    tasks_ran: bool
    blocks_overlapped: bool
    work_began_ns: int
    """As if refscope's work, which is not over yet, were in one piece."""


class Client(Protocol[R_co]):
    """Whoever opened the block and makes the report."""

    def account(self, found: Findings) -> R_co:
        """Return the report of these findings."""
        ...


class Probe:
    """The measuring side of one open block."""

    __slots__ = (
        "baseline",
        "born",
        "client",
        "frame_limit",
        "has_company",
        "is_abandoned",
        "is_call",
        "litter",
        "numbers",
        "owner",
        "plan",
        "span",
        "tasks_ran",
        "thread",
    )

    def __init__(self, plan: Plan, client: object, *, is_call: bool) -> None:
        self.plan: Plan = plan
        self.client: object = client
        self.is_call: bool = is_call
        """Whether it ends before any other task can run."""
        self.numbers: array[int] = array("q", bytes(8 * _NUMBERS))
        self.baseline: bytes = b""
        self.born: Born | None = None
        self.litter: Litter | None = None
        self.span: tracing.Span | None = None
        self.frame_limit: int = 0
        self.owner: int = 0
        self.thread: int = 0
        self.has_company: bool = False
        self.tasks_ran: bool = False
        self.is_abandoned: bool = False

    def clear(self) -> None:
        """Let go of what it needed while refscope is at work."""
        self.numbers = _NO_NUMBERS
        self.baseline = b""
        self.born = None
        self.litter = None
        self.span = None
        self.owner = self.thread = 0


census.own(Plan, Findings, Probe)
