"""Hypothesis as the tests want it; who draws nothing does not load it.

It would be a sixth of the heap that tests of blocks and leaks look through.
"""

from __future__ import annotations

import os
import sys

from hypothesis import HealthCheck, settings


IN_PYODIDE = sys.platform == "emscripten"


def load_profile():
    """Let no example have a deadline, as machines are shared and slow.

    In CI the same examples come each time, fewer of them (there are seven Pythons),
    and are kept nowhere.
    """
    settings.register_profile(
        "here", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.register_profile(
        "ci",
        parent=settings.get_profile("here"),
        max_examples=6 if IN_PYODIDE else 12,
        derandomize=True,
        database=None,
        print_blob=True,
    )
    settings.load_profile("ci" if IN_PYODIDE or "CI" in os.environ else "here")
