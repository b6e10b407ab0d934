"""What the tests of programs share: how a small process is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


RUN_TABLE = Path(__file__).with_name("run_table.py")


def names(table):
    """Return the names of a table's works."""
    return [prepare.__name__ for prepare in table.WORKS]


def measured(table):
    """Return the text of each report in a table, empty if nothing leaks."""
    return said("-W", "ignore", RUN_TABLE, table.__name__.rpartition(".")[-1])


def said(*command, **variables):
    """Return what a script says as JSON in the last line of its output.

    Coverage is not asked of it: the tracer keeps something for each thread that has
    ended, which find_leaks would rightly name.
    """
    plain = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        check=False,
        env=plain | variables,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
