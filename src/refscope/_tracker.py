"""What to measure, for any number of blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from refscope._measure.blocks import lifecycle, probes
from refscope._measure.cpython import activity, classes
from refscope._measure.heap import census, ours
from refscope._measure.session import boundary
from refscope._typing import override
from refscope.exceptions import (
    ArgumentTypeError,
    ReportNotReadyError,
    TrackingError,
)
from refscope.reports import TrackReport

from . import _drive
from ._block import Block
from ._entries import Entered
from ._finished import Finished


if TYPE_CHECKING:

    class Wrapper(Protocol):
        """A ``classmethod`` or ``staticmethod``."""

        @property
        def __func__(self) -> Callable[..., object]: ...


F = TypeVar("F", bound="Callable[..., object] | Wrapper")
OnReport = Callable[[TrackReport], object]


class Tracker(Entered):
    """What to measure, and what was measured last.

    May be entered again, recursively, and by any number of threads and tasks.
    """

    __slots__ = (
        "__weakref__",
        "_entries",
        "_finished",
        "_label",
        "every",
        "is_named",
        "on_report",
        "plan",
        "tag_items",
    )

    def __init__(  # noqa: PLR0913  # one for each choice of the caller
        self,
        label: str,
        *,
        plan: probes.Plan,
        keep: int,
        every: int,
        on_report: OnReport | None,
        tag_items: tuple[tuple[str, str], ...],
    ) -> None:
        self._label = label
        self.plan: probes.Plan = plan
        self.every: int = every
        self.on_report: OnReport | None = on_report
        self.tag_items: tuple[tuple[str, str], ...] = tag_items
        self._entries = 0
        self._finished = Finished(keep)
        self.is_named: bool = True

    @property
    def label(self) -> str:
        """Name of its blocks."""
        return self._label

    @property
    def report(self) -> TrackReport:
        """The report that this task, or else this thread, finished last.

        Raises:
            ReportNotReadyError: It has not finished any.
        """
        boundary.begin_own()
        try:
            task = activity.current_task()
            report = self._finished.last(task)
        finally:
            boundary.end_own()
        if report is None:
            raise ReportNotReadyError(
                f"no block of {self._label!r} has ended in this "
                f"{'thread' if task is None else 'task'}; tracker.reports has those "
                "of all"
            )
        return report

    @property
    def reports(self) -> tuple[TrackReport, ...]:
        """The last ``keep`` reports of all threads and tasks, oldest first."""
        return self._finished.all()

    def start(self) -> Block:
        """Begin a block and return it; its ``stop()`` ends it.

        Raises:
            TrackingError: Memory cannot be traced in this process.
        """
        block = self.new_block()
        block.start()
        return block

    def __call__(self, function: F, /) -> F:
        """Return the function with each of its calls tracked as one block."""
        if not self.is_named:
            self._label = name_of(function)
        return decorate(self, function)

    def disown(self) -> None:
        """Take its memory blocks out of tracemalloc's books; see ``ours``."""
        ours.disown(self)
        ours.disown(self.plan)
        ours.disown(self._finished)
        ours.disown_if_ours(self._label)

    def new_block(self, label: str | None = None, *, is_call: bool = False) -> Block:
        """Return a block that has not begun."""
        boundary.begin_own()
        try:
            name = self._label if label is None else label
            block = Block(self, name, is_call=is_call)
            ours.disown(block)
        finally:
            boundary.end_own()
        return block

    def skips(self) -> bool:
        """Count an entry and return whether it is one of those not measured."""
        self._entries += 1
        return self._entries % self.every != 0

    def newest(self) -> Block:
        """Return the block that an exit called by hand is to end.

        That is the newest of this thread or task that was entered by hand, or the
        only such one of all, as ``asyncSetUp`` runs in another task than
        ``asyncTearDown``; or else the newest of this thread or task.

        Raises:
            TrackingError: There is none.
        """
        boundary.begin_own()
        try:
            here = self._open_blocks(activity.owner())
            by_hand = [block for block in here if block.is_by_hand]
            if not by_hand:
                by_hand = [block for block in self._open_blocks() if block.is_by_hand]
                if len(by_hand) > 1:  # it could be any of them
                    by_hand = []
            for block in (*by_hand, *here):
                return block
        finally:
            boundary.end_own()
        raise TrackingError(
            f"no block of {self._label!r} is open in this thread or task to be left; "
            "stop() of a block ends it from anywhere"
        )

    def _open_blocks(self, owner: int | None = None) -> list[Block]:
        """Return its open blocks, newest first."""
        return [
            client
            for client in lifecycle.open_clients(owner)
            if isinstance(client, Block) and client.tracker is self
        ]

    def keep_report(self, report: TrackReport) -> None:
        """Keep a finished report for ``report`` and ``reports``."""
        self._finished.add(report)

    @override
    def __repr__(self) -> str:
        """Return one line."""
        return f"<Tracker {self._label!r}>"


census.own(Tracker)


def decorate(tracker: Tracker, function: F) -> F:
    """Return the function tracked; descriptors are opened and closed again."""
    if isinstance(function, (classmethod, staticmethod)):
        remake = cast("Callable[[object], F]", type(cast("object", function)))
        return remake(decorate(tracker, cast("Wrapper", function).__func__))
    if not callable(function) or isinstance(function, type):
        name = type(cast("object", function)).__name__
        way_out = "a class has to be tracked method by method"
        if hasattr(type(cast("object", function)), "__get__"):
            way_out = f"track the function that it holds: put @track below @{name}"
        raise ArgumentTypeError(
            f"track decorates functions and methods, not {name!r} objects; {way_out}"
        )
    label = tracker.label if tracker.is_named else name_of(function)
    tracked_function: F = _drive.tracked(function, tracker, label)
    return tracked_function


def name_of(thing: object) -> str:
    """Return the qualified name of a function, or of the class of anything else."""
    function = getattr(thing, "__func__", thing)
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str):
        name = classes._get_qualname(type(thing))
    return str.__str__(name)  # not one of a subclass, which lives on in reports
