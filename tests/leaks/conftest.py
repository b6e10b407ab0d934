"""What the tests of leaks share."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


SOURCE = Path(__file__).with_name("programs.py")


@pytest.fixture(scope="session")
def findings():
    """Return what find_leaks says of every program, measured in a small process.

    Coverage is not asked of it: the tracer keeps something for each thread that has
    ended, which find_leaks would rightly name.
    """
    plain = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, str(SOURCE)],
        capture_output=True,
        check=False,
        env=plain,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def small_heap():
    """Freeze what is there, so that each collection and census is cheap."""
    if gc.get_freeze_count():  # from the start, on 3.12
        yield
        return
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
