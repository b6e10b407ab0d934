"""What the tests of ``track`` share."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
from pathlib import Path


def line_of(filename, mark):
    """Return the number of the only line of a source file that ends with a mark."""
    lines = Path(filename).read_text(encoding="utf-8").splitlines()
    [number] = [
        number for number, line in enumerate(lines, 1) if line.endswith("# " + mark)
    ]
    return number


def sites_in(report, filename):
    """Return the sites whose innermost line is in a file."""
    return [
        site for site in report.sites if site.traceback.frames[-1].filename == filename
    ]


def count_of(report, type_name):
    """Return how many objects of a type came or went."""
    changes = [
        change.count_diff for change in report.types if change.type_name == type_name
    ]
    return sum(changes)


@contextlib.contextmanager
def quiet_collector():
    """No collection happens by itself, and nobody is told of those that do.

    Hypothesis leaves a callback that allocates in every collection.
    """
    hooks = gc.callbacks[:]
    was_enabled = gc.isenabled()
    gc.disable()
    gc.callbacks.clear()
    try:
        yield
    finally:
        gc.callbacks[:] = hooks
        if was_enabled:
            gc.enable()


def run_python(source, *options, env=None):
    """Run a program in an interpreter of its own; return what it said."""
    return subprocess.run(
        [sys.executable, *options, "-c", source],
        capture_output=True,
        check=False,
        env=env,
        text=True,
        timeout=120,
    )


def without_coverage():
    """Return the environment for a program with several interpreters.

    Coverage starts itself in each of them: its C tracer breaks 3.12 there, and what it
    allocates would be in a block.
    """
    return {key: os.environ[key] for key in os.environ if "COV" not in key}
