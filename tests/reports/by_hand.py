"""Parts of reports, written by hand."""

from __future__ import annotations

from refscope.reports import AllocationSite, Frame, Traceback


def site(filename, lineno, function, size, count=1):
    """Return a site of one frame."""
    return AllocationSite(Traceback((Frame(filename, lineno, function),)), size, count)
