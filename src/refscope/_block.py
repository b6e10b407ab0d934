"""One entry into a tracked stretch of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refscope._measure.blocks import account, lifecycle, probes
from refscope._measure.heap import census, ours
from refscope._measure.heap.keeping import KeptWeakly
from refscope._measure.session import boundary
from refscope._typing import override
from refscope.exceptions import NotMeasuredError, ReportNotReadyError, TrackingError
from refscope.reports import TrackReport


if TYPE_CHECKING:
    from ._tracker import Tracker


_NOTHING: dict[str, object] = {}


class Block:
    """One entry into a tracked stretch of the program; what ``as`` binds."""

    __slots__ = (
        "__weakref__",
        "_before",
        "_exception",
        "_hand",
        "_has_begun",
        "_is_call",
        "_is_skipped",
        "_label",
        "_methods",
        "_probe",
        "_report",
        "_seen",
        "_tracker",
        "given",
        "is_by_hand",
    )

    def __init__(self, tracker: Tracker, label: str, *, is_call: bool = False) -> None:
        self._tracker = tracker
        self._label = label
        self._probe: probes.Probe | None = None
        self._report: TrackReport | None = None
        self._exception: type[BaseException] | None = None
        self._seen = 1
        self._hand: object = None
        self._before: Block | None = None
        self._methods: tuple[object, ...] = ()
        self._is_skipped = False
        self._is_call = is_call
        self._has_begun = False
        self.is_by_hand: bool = False
        """Whether only its entry was asked for: it is left by hand as well."""
        self.given: dict[str, object] = _NOTHING
        """Arguments by name, on their way into a decorated function."""

    @property
    def measured(self) -> bool:
        """Whether this entry is measured; False for those that ``every=n`` skips."""
        return not self._is_skipped

    @property
    def report(self) -> TrackReport:
        """The report of the ended block.

        Raises:
            ReportNotReadyError: The block has not ended, or was cut short.
            NotMeasuredError: The block was skipped by ``every=n``.
        """
        if self._report is not None:
            return self._report
        if self._is_skipped:
            raise NotMeasuredError(
                f"block {self._label!r} was not measured: only one entry in "
                f"{self._tracker.every} is; ask block.measured first"
            )
        if self._has_begun and not self.is_open:
            raise ReportNotReadyError(
                f"block {self._label!r} has no report: it is just ending, or was cut "
                "short by Ctrl-C, by a fork in another thread, or by the end of Python"
            )
        raise ReportNotReadyError(
            f"block {self._label!r} has not ended: use peek() for a report so far, "
            "or stop() to end it here"
        )

    def peek(self) -> TrackReport:
        """Return a report so far; the block goes on.

        Collects first if the block collects.  After the end it is the final report.

        Raises:
            ReportNotReadyError: The block was not entered.
            NotMeasuredError: The block was skipped by ``every=n``.
        """
        if self._probe is None or self._probe.is_abandoned:
            return self.report
        return lifecycle.leave(self._probe, self, end=False)

    def stop(self) -> TrackReport:
        """End the block here and return its report; a second call returns it again.

        Raises:
            NotMeasuredError: The block was skipped by ``every=n``.
        """
        self.end(None)
        return self.report

    def start(self) -> None:
        """Begin to measure, unless this entry is to be skipped.

        Raises:
            TrackingError: It was entered before, or memory cannot be traced here.
        """
        if self._has_begun:
            raise TrackingError(
                f"block {self._label!r} was entered before: each entry needs a block "
                "of its own, from tracker.start() or a with statement"
            )
        self._has_begun = True
        if self._tracker.every > 1:
            self._count()
        if self._is_skipped:
            return
        # In a loop "as" drops the block of the last turn in the time of this one.
        self._before = _latest[0]() if _latest else None
        try:
            plan = self._tracker.plan
            self._probe = lifecycle.enter(plan, self, is_call=self._is_call)
        except BaseException:  # Ctrl-C: nobody ends what this has not returned
            lifecycle.give_up(self)
            self._let_go()
            raise

    def _let_go(self) -> None:
        """Let go of what a block that is not measured holds until its end.

        What held arguments is not to be freed in the program.
        """
        self._methods = ()
        self._before = None
        if self.given is not _NOTHING:
            boundary.begin_own()
            try:
                self.given = _NOTHING
            finally:
                boundary.end_own()

    def _count(self) -> None:
        """Count this entry, and find out whether it is to be skipped."""
        boundary.begin_own()
        try:
            self._is_skipped = self._tracker.skips()
            self._seen = self._tracker.every
        finally:
            boundary.end_own()

    def end(self, exception: type[BaseException] | None) -> None:
        """Finish the report, keep it and hand it on; later calls do nothing."""
        probe, self._probe = self._probe, None
        if probe is None or probe.is_abandoned:
            self._let_go()
            return
        self._exception = exception
        try:
            report = lifecycle.leave(probe, self, end=True)
        except BaseException:  # Ctrl-C, out of memory
            lifecycle.give_up(self)
            raise
        hook = self._tracker.on_report
        if hook is None:
            return
        try:
            hook(report)
        except Exception:  # an observer must not break the observed
            import logging  # noqa: PLC0415  # costs as much as the rest of refscope

            log = logging.getLogger("refscope")
            log.exception("on_report of tracked block %r failed", self._label)

    def pause(self, slack: int = 0) -> None:
        """Leave out what happens until ``resume``; for suspended functions.

        A rise of up to ``slack`` bytes that is over by now does not count as peak.
        """
        if self._probe is not None:
            lifecycle.pause(self._probe, slack)

    def resume(self) -> None:
        """Go on measuring after ``pause``."""
        if self._probe is not None:
            lifecycle.resume(self._probe)

    def hold_until_end(self, method: object) -> None:
        """Keep a bound method, so that it does not seem freed while the block runs."""
        self._methods = (*self._methods, method)

    def keep(self, value: object) -> None:
        """Hold a value on its way into or out of a suspended function."""
        self._hand = value

    def take(self) -> object:
        """Return the value that is on its way, and hold it no longer."""
        value, self._hand = self._hand, None
        return value

    def drops(self, value: object) -> bool:
        """Return whether this value is on its way, and hold it no longer if so."""
        is_held = self._hand is value
        if is_held:
            self._hand = None
        return is_held

    @property
    def is_empty_handed(self) -> bool:
        """Whether no value is on its way."""
        return self._hand is None

    @property
    def is_open(self) -> bool:
        """Whether it was entered and has not ended."""
        return self._probe is not None and not self._probe.is_abandoned

    @property
    def has_begun(self) -> bool:
        """Whether it was ever entered."""
        return self._has_begun

    @property
    def tracker(self) -> Tracker:
        """The tracker that it belongs to."""
        return self._tracker

    def account(self, found: probes.Findings) -> TrackReport:
        """Return the report of these findings; called by ``lifecycle.leave``."""
        found.is_suspended = self._hand is not None
        report = account.track_report(
            found,
            label=self._label,
            tags=self._tracker.tag_items,
            calls_seen=self._seen,
            exception=self._exception,
        )
        if found.is_final:
            self._methods = ()
            self.given = _NOTHING
            self._before = None
            self._report = report
            self._tracker.keep_report(report)
            reference: KeptWeakly[Block] = KeptWeakly(self)
            ours.disown(reference)
            _latest[:] = (reference,)
        return report

    @override
    def __repr__(self) -> str:
        """Return one line: the label and the state."""
        state = "cut short" if self._has_begun else "new"
        if self._is_skipped:
            state = "skipped"
        elif self._report is not None:
            state = "ended"
        elif self.is_open:
            state = "open"
        return f"<Block {self._label!r} {state}>"


_latest: list[KeptWeakly[Block]] = []
"""The block that ended last, if the program still has it."""
census.own(Block)
