"""What is known about something that grows; data only."""

from __future__ import annotations

from typing import Literal

from refscope._measure.heap import census
from refscope.reports import ReferencePath, Traceback


class Evidence:
    """What is known about one type or place that grows; no live objects."""

    __slots__ = (
        "bound",
        "container",
        "grows_at",
        "is_in_full_cache",
        "is_thread",
        "path",
        "per_call",
        "retained",
        "samples",
        "samples_in_all",
        "share",
        "traceback",
        "type_name",
        "verdict",
    )

    def __init__(self, name: str) -> None:
        self.type_name: str = name
        self.traceback: Traceback | None = None
        self.path: ReferencePath | None = None
        self.grows_at: int | None = None
        """Which reference of the path leads to what grows, -1 for the root; None if
        the root is what leaks."""
        self.verdict: Literal["held", "native", "unknown"] = "unknown"
        self.retained: float | None = None
        """Bytes that die with one of them, of what the calls made."""
        self.container: int | None = None
        """Identity of the object that grows."""
        self.share: float = 1.0
        """Which part of what grows under this name it is."""
        self.samples: int = 0
        """How many were looked at, of so many of the type in all."""
        self.samples_in_all: int = 0
        self.per_call: float | None = None
        """How many there are of it per call, where they were counted one by one."""
        self.is_thread: bool = False
        self.is_in_full_cache: bool = False
        """Whether only what cannot grow holds it: others went for it."""
        self.bound: str | None = None
        """The limit of a cache that is not full yet, in words."""


census.own(Evidence)
