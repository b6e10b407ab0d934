"""Where this process runs."""

from __future__ import annotations

import sys

from refscope._version import __version__
from refscope.reports import Environment

from . import classes


def environment() -> Environment:
    """Return where this process runs."""
    bits = 64 if sys.maxsize > 2**32 else 32
    return Environment(
        python=sys.version.split()[0],
        implementation=sys.implementation.name,
        free_threaded=classes.FREE_THREADED,
        platform=f"{sys.platform}-{bits}",
        refscope=__version__,
    )
