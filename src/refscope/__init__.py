"""Find out why memory grows: allocations, survivors, reference counts, cycles."""

from __future__ import annotations

from refscope import render, reports
from refscope._block import Block
from refscope._cycles import find_cycles
from refscope._files import load, save
from refscope._track import track, tracker_of
from refscope._tracker import Tracker
from refscope._version import __version__
from refscope.exceptions import RefscopeError
from refscope.reports import CycleReport, TrackReport, diff, merge


__all__ = [
    "Block",
    "CycleReport",
    "RefscopeError",
    "TrackReport",
    "Tracker",
    "__version__",
    "diff",
    "find_cycles",
    "load",
    "merge",
    "render",
    "reports",
    "save",
    "track",
    "tracker_of",
]
