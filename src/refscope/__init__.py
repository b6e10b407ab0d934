"""Find out why memory grows: allocations, survivors, reference counts, cycles."""

from __future__ import annotations

from refscope import render, reports
from refscope._block import Block
from refscope._cycles import find_cycles
from refscope._files import load, save
from refscope._references import hex_address, object_at, refcount, referrers, watch
from refscope._track import track, tracker_of
from refscope._tracker import Tracker
from refscope._version import __version__
from refscope.exceptions import AddressError, ImmortalError, RefscopeError
from refscope.reports import CycleReport, TrackReport, diff, merge


__all__ = [
    "AddressError",
    "Block",
    "CycleReport",
    "ImmortalError",
    "RefscopeError",
    "TrackReport",
    "Tracker",
    "__version__",
    "diff",
    "find_cycles",
    "hex_address",
    "load",
    "merge",
    "object_at",
    "refcount",
    "referrers",
    "render",
    "reports",
    "save",
    "track",
    "tracker_of",
    "watch",
]
