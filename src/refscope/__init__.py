"""Find out why memory grows: allocations, survivors, reference counts, cycles.

Nothing is loaded until one of the names is used.  Then all of it is, so that no block
of ``track`` can be open when a part of refscope is loaded: it would be in its report.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING


if TYPE_CHECKING:
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
    from refscope.exceptions import AddressError, ImmortalError, RefscopeError
    from refscope.reports import CycleReport, TrackReport, diff, merge


__all__ = [
    "AddressError",
    "Block",
    "CycleReport",
    "Expectation",
    "ImmortalError",
    "RefscopeError",
    "TrackReport",
    "Tracker",
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

_PACKAGES = frozenset({"exceptions", "render", "reports"})
_HOMES = (
    *("_block", "_cycles", "_expect", "_files", "_leaks", "_references"),
    *("_retention", "_track", "_tracker", "_version", "exceptions", "reports"),
)

if not TYPE_CHECKING:  # or each name would have a type

    def __getattr__(name: str) -> object:
        """Load everything for the first name that is used (PEP 562)."""
        if name in _PACKAGES:  # asked for by what is being loaded, too
            return import_module(f"refscope.{name}")
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        homes = [vars(import_module(f"refscope.{home}")) for home in _HOMES]
        import_module("refscope.render")
        for wanted in __all__:
            found = next((home for home in homes if wanted in home), None)
            if found is not None:  # a package is an attribute by its import
                globals()[wanted] = found[wanted]
        return globals()[name]

    def __dir__() -> list[str]:
        """Return what can be used, loaded or not."""
        return sorted({*globals(), *__all__})
