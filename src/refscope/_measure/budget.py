"""How much work a search may do, and what is said when it ends early."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from refscope import _units as units
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError
from refscope.reports import Progress


OnProgress = Callable[[Progress], object]

CHUNK = 4096
"""Objects between two looks at the clock; also what fits an argument tuple."""


class Budget:
    """Counts objects and watches the clock for one search.

    Raises:
        InvalidArgumentError: A bound is below 1 object or below 0 seconds.
        ArgumentTypeError: A bound is no number, or ``progress`` cannot be called.
    """

    __slots__ = (
        "_before",
        "_deadline",
        "_max_objects",
        "_progress",
        "_started",
        "objects",
        "why",
    )

    def __init__(
        self,
        max_objects: int | None = None,
        deadline: float | None = None,
        progress: OnProgress | None = None,
    ) -> None:
        _check("max_objects", max_objects, (int,))
        _check("deadline", deadline, (int, float))
        if progress is not None and not callable(progress):
            raise ArgumentTypeError(
                f"progress takes a function, not {units.one(type(progress).__name__)}"
            )
        self._max_objects = max_objects
        self._deadline = deadline
        self._progress = progress
        self._started: float = perf_counter()
        self._before = 0
        self.objects: int = 0
        """Objects looked at so far."""
        self.why: str | None = None
        """Why the search had to end early, in a sentence; None if it had not."""

    def spend(self, objects: int, stage: str) -> bool:
        """Count objects that were looked at; return whether to go on."""
        self.objects += objects
        if self._progress is not None:
            self._tell(self._progress, stage)
        spent = self.objects - self._before
        if self._max_objects is not None and spent > self._max_objects:
            self.why = f"stopped after max_objects={self._max_objects:,} while {stage}"
        elif self._deadline is not None and self.elapsed > self._deadline:
            self.why = f"stopped at deadline={self._deadline:g} seconds while {stage}"
        return self.why is None

    def look_again(self) -> None:
        """Begin another look at the same objects: they do not count twice."""
        self._before = self.objects

    def excuse(self, seconds: float) -> None:
        """Let time that was not refscope's not count."""
        self._started += seconds

    @property
    def room(self) -> int | None:
        """Objects that may still be looked at; None if there is no bound."""
        if self._max_objects is None:
            return None
        return max(self._max_objects - (self.objects - self._before), 0)

    @property
    def is_out_of_time(self) -> bool:
        """Whether the deadline has passed."""
        return self._deadline is not None and self.elapsed > self._deadline

    @property
    def is_bounded(self) -> bool:
        """Whether the search may have to end early, or somebody watches it."""
        bounds = (self._max_objects, self._deadline, self._progress)
        return any(bound is not None for bound in bounds)

    @property
    def elapsed(self) -> float:
        """Seconds since the search began."""
        return perf_counter() - self._started

    @property
    def is_spent(self) -> bool:
        """Whether the search had to end early."""
        return self.why is not None

    @property
    def limits(self) -> tuple[str, ...]:
        """What the report says of it."""
        return () if self.why is None else (self.why,)

    def _tell(self, progress: OnProgress, stage: str) -> None:
        seen = Progress(stage=stage, objects=self.objects, elapsed=self.elapsed)
        try:
            progress(seen)
        except Exception:  # an observer must not break the observed
            import logging  # noqa: PLC0415  # costs as much as the rest of refscope

            self._progress = None
            logging.getLogger("refscope").exception("progress failed; it is dropped")


def _check(name: str, value: float | None, kinds: tuple[type, ...]) -> None:
    if value is None:
        return
    if type(value) not in kinds:
        number = "a whole number" if kinds == (int,) else "a number"
        raise ArgumentTypeError(
            f"{name} takes {number}, not {units.one(type(value).__name__)}"
        )
    least = 1 if kinds == (int,) else 0
    if not value >= least:  # also for nan
        raise InvalidArgumentError(f"{name} takes {least} or more, not {value}")
