"""What was found: frozen records of numbers, strings and tuples.

A report holds no live object, frame or exception, so it can be kept, compared,
hashed, pickled and sent while what it describes is long gone.
"""

from __future__ import annotations

from ._base import Environment, Report
from ._diff import DiffReport, DiffRow
from ._heap import AllocationSite, Frame, Traceback
from ._track import GcActivity, MemoryChange, TrackReport, TypeChange


__all__ = [
    "AllocationSite",
    "DiffReport",
    "DiffRow",
    "Environment",
    "Frame",
    "GcActivity",
    "MemoryChange",
    "Report",
    "Traceback",
    "TrackReport",
    "TypeChange",
]
