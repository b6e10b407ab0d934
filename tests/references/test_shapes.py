"""``refcount`` is right for every way in which an object can be passed to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import shapes


NEEDS_THREADS = [
    pytest.param(name, marks=pytest.mark.needs_threads) if name == "thread" else name
    for name in shapes.SHAPES
]


@pytest.mark.parametrize("way", shapes.WAYS)
@pytest.mark.parametrize("name", NEEDS_THREADS)
def test_shape(name, way):
    """The count is the one in the header, with any hook and with none."""
    assert shapes.WAYS[way](name) is None


@pytest.mark.needs_subprocess
@pytest.mark.skipif(sys.version_info < (3, 14), reason="there is no JIT")
def test_shapes_under_the_jit():
    """The count is the one in the header when the code was compiled."""
    env = {**os.environ, "PYTHON_JIT": "1"}
    package = str(Path(shapes.refscope.__file__).parents[1])
    env["PYTHONPATH"] = os.pathsep.join([package, env.get("PYTHONPATH", "")])
    command = [sys.executable, shapes.__file__, "plain", "monitoring"]
    answer = subprocess.run(
        command, env=env, capture_output=True, text=True, check=True
    )

    assert answer.stdout == "done\n"
