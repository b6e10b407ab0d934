"""Where memory was allocated."""

from __future__ import annotations

import attrs
from typing_extensions import override

from ._record import Record


@attrs.frozen(eq=False, repr=False)
class Frame(Record):
    """One line of a traceback."""

    filename: str
    """As in ``code.co_filename``."""

    lineno: int
    """Line, counted from 1; 0 when unknown."""

    function: str | None = None
    """Qualified name of the function that has the line; None if unknown."""

    @override
    def __str__(self) -> str:
        """Return ``file:line``, and the function if it is known."""
        place = f"{self.filename}:{self.lineno}"
        return place if self.function is None else f"{place} in {self.function}"


@attrs.frozen(eq=False, repr=False)
class Traceback(Record):
    """The stack at an allocation, as deep as tracing recorded it."""

    frames: tuple[Frame, ...]
    """Outermost first, innermost last, as in ``tracemalloc.Traceback``."""

    total_nframe: int | None = None
    """Depth of the whole stack; None when allocations of several depths are here."""

    @property
    def innermost(self) -> Frame:
        """The line that allocated; ``<unknown>:0`` when there is no frame."""
        return self.frames[-1] if self.frames else Frame("<unknown>", 0)


@attrs.frozen(eq=False, repr=False)
class AllocationSite(Record):
    """What one place allocated and kept, or freed of what it had before."""

    traceback: Traceback
    """The place."""

    size_diff: int
    """Bytes alive at the end less bytes alive at the start."""

    count_diff: int
    """Memory blocks alive at the end less memory blocks alive at the start."""
