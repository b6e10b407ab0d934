"""find_leaks is silent about work of real packages that leaves nothing behind."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys

import pytest

from . import workloads


EVERYWHERE = (*workloads.PLAIN, *workloads.IN_A_LOOP)
ELSEWHERE = (
    *workloads.WITH_THREADS,
    *workloads.WITH_PROCESSES,
    *workloads.IN_A_LOOP_WITH_SOCKETS,
)
NAMES = [
    *[prepare.__name__ for prepare in EVERYWHERE],
    *[
        pytest.param(prepare.__name__, marks=pytest.mark.needs_subprocess)
        for prepare in ELSEWHERE
    ],
]


@pytest.fixture(scope="module")
def texts():
    """Return what find_leaks says of every work, measured in a small process.

    Where there are no processes, what needs none of them is measured here.  Coverage
    is not asked of the other process: its tracer keeps something for each thread.
    """
    if sys.platform == "emscripten":
        try:
            return workloads.findings(EVERYWHERE)
        finally:
            gc.unfreeze()
    plain = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", workloads.__file__],
        capture_output=True,
        check=False,
        env=plain,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", NAMES)
def test_no_false_alarm(name, texts):
    """Work that leaves nothing is clean."""
    if texts[name] is None:
        pytest.skip("its package is not installed")

    assert not texts[name], texts[name]
