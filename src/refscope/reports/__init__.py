"""What was found: frozen records of numbers, strings and tuples.

A report holds no live object, frame or exception, so it can be kept, compared,
hashed, pickled and sent while what it describes is long gone.
"""

from __future__ import annotations

from typing import TypeAlias

from ._base import Environment, Report
from ._compare import DiffKey, diff
from ._cycles import Cycle, CycleGroup, CycleKind, CycleReport
from ._diff import DiffReport, DiffRow
from ._heap import (
    AllocationSite,
    Frame,
    HeapObject,
    Reference,
    ReferencePath,
    Traceback,
)
from ._leaks import Leak, LeakPart, LeakReport
from ._merge import merge
from ._progress import Progress
from ._references import RefCount, RefCountChange, ReferrersReport
from ._retention import (
    ExpectationReport,
    RetentionReport,
    SurvivorGroup,
    Verdict,
)
from ._track import GcActivity, MemoryChange, TrackReport, TypeChange


AnyReport: TypeAlias = (
    TrackReport
    | DiffReport
    | CycleReport
    | RefCount
    | RefCountChange
    | ReferrersReport
    | LeakReport
    | RetentionReport
    | ExpectationReport
)
"""Every kind of report that can be written to a file; a new kind is added here."""


__all__ = [
    "AllocationSite",
    "AnyReport",
    "Cycle",
    "CycleGroup",
    "CycleKind",
    "CycleReport",
    "DiffKey",
    "DiffReport",
    "DiffRow",
    "Environment",
    "ExpectationReport",
    "Frame",
    "GcActivity",
    "HeapObject",
    "Leak",
    "LeakPart",
    "LeakReport",
    "MemoryChange",
    "Progress",
    "RefCount",
    "RefCountChange",
    "Reference",
    "ReferencePath",
    "ReferrersReport",
    "Report",
    "RetentionReport",
    "SurvivorGroup",
    "Traceback",
    "TrackReport",
    "TypeChange",
    "Verdict",
    "diff",
    "merge",
]
