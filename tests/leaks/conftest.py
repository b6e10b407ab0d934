"""What the tests of leaks share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


HERE = Path(__file__).parent
if sys.platform == "emscripten":
    # WebAssembly is ten times slower, and find_leaks makes hundreds of calls and as
    # many collections: there what is alive and who holds it is tested, and no rates.
    collect_ignore = [
        *("test_caches.py", "test_find_leaks.py", "test_fingerprints.py"),
        *("test_kinds.py", "test_own_functions.py", "test_programs.py"),
        *("test_search.py", "test_threads.py", "test_workloads.py"),
    ]


def _said(*command, **variables):
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


@pytest.fixture(scope="session")
def findings():
    """Return what find_leaks says of every program, measured in a small process."""
    return _said(HERE / "run_programs.py")


@pytest.fixture(
    scope="session",
    params=[("random", ""), ("7", '"""A comment more."""\n\nMORE = [1, 2, 3]\n\n\n')],
    ids=["plain", "edited"],
)
def fingerprints(request, tmp_path_factory):
    """Return fingerprints of a process of its own: its hash seed, its source."""
    seed, edit = request.param
    script = tmp_path_factory.mktemp("fingerprints") / "fingerprints.py"
    text = (HERE / "fingerprints.py").read_text(encoding="utf-8")
    script.write_text(text.replace("# EDIT\n", edit), encoding="utf-8")
    return _said(script, PYTHONHASHSEED=seed)
