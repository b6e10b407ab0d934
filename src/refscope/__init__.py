"""Find out why memory grows: allocations, survivors, reference counts, cycles."""

from refscope import render, reports
from refscope._block import Block
from refscope._cycles import find_cycles
from refscope._expect import Expectation, expect_gone
from refscope._files import load, save
from refscope._leaks import find_leaks, find_leaks_async
from refscope._references import hex_address, object_at, refcount, referrers, watch
from refscope._retention import add_inspector, why_alive
from refscope._track import track, tracker_of
from refscope._tracker import Tracker
from refscope._version import __version__
from refscope.exceptions import (
    AddressError,
    ImmortalError,
    NotMeasuredError,
    RefscopeError,
    ReportNotReadyError,
    TrackingError,
    UnsupportedRuntimeError,
)
from refscope.reports import CycleReport, TrackReport, diff, merge


__all__ = [
    "AddressError",
    "Block",
    "CycleReport",
    "Expectation",
    "ImmortalError",
    "NotMeasuredError",
    "RefscopeError",
    "ReportNotReadyError",
    "TrackReport",
    "Tracker",
    "TrackingError",
    "UnsupportedRuntimeError",
    "__version__",
    "add_inspector",
    "diff",
    "expect_gone",
    "find_cycles",
    "find_leaks",
    "find_leaks_async",
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
    "why_alive",
]
