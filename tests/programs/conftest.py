"""What the tests of programs share: what a process of their own has found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .helpers import said


HERE = Path(__file__).parent
if sys.platform == "emscripten":
    # There are no processes, and WebAssembly is ten times slower.
    collect_ignore_glob = ["*"]


@pytest.fixture(scope="session")
def findings():
    """Return what find_leaks says of every program, measured in a small process."""
    return said(HERE / "run_programs.py")


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
    return said(script, PYTHONHASHSEED=seed)
