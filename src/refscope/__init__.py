"""Find out why memory grows: allocations, survivors, reference counts, cycles."""

from __future__ import annotations

from refscope import render, reports
from refscope._block import Block
from refscope._files import load, save
from refscope._track import track, tracker_of
from refscope._tracker import Tracker
from refscope._version import __version__
from refscope._references import refcount, referrers
from refscope.exceptions import RefscopeError
from refscope.reports import TrackReport, diff, merge


__all__ = [
    "Block",
    "RefscopeError",
    "TrackReport",
    "Tracker",
    "__version__",
    "diff",
    "load",
    "merge",
    "refcount",
    "referrers",
    "render",
    "reports",
    "save",
    "track",
    "tracker_of",
]
