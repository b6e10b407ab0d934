"""Find out why memory grows: allocations, survivors, reference counts, cycles."""

from __future__ import annotations

from refscope import render, reports
from refscope._track import Block, Tracker, track, tracker_of
from refscope._version import __version__
from refscope.exceptions import RefscopeError
from refscope.reports import TrackReport


__all__ = [
    "Block",
    "RefscopeError",
    "TrackReport",
    "Tracker",
    "__version__",
    "render",
    "reports",
    "track",
    "tracker_of",
]
