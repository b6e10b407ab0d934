"""The first page says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


README = Path(__file__).parents[1] / "README.md"


def _fence(language):
    """Return the first example in this language."""
    text = README.read_text(encoding="utf-8")
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]


def _steady(text):
    """Leave out times and what the system counts; they differ from run to run."""
    text = " ".join(text.split())
    text = re.sub(r"[\d.]+ (us|ms|s)\b", "TIME", text)
    text = re.sub(r"RSS \S+ \S+, pymalloc \S+", "PROCESS", text)
    text = re.sub(r"peak \S+ KiB", "PEAK", text)  # what gc makes to call us is in it
    return re.sub(r"gc \d+ collections?", "COLLECTIONS", text)


@pytest.mark.exact
@pytest.mark.needs_subprocess
@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="shows what 3.13 prints")
def test_output_is_real(tmp_path):
    """The output in the README is what its example prints."""
    script = tmp_path / "shop" / "orders.py"
    script.parent.mkdir()
    script.write_text(_fence("python"), encoding="utf-8")
    command = [sys.executable, str(script)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)

    assert _steady(answer.stdout) == _steady(_fence("text"))


@pytest.mark.parametrize(
    "command",
    [
        "python -m pip install . && python -m refscope demo",
        "python -m pip install nox && nox",
    ],
)
def test_two_commands(command):
    """What a newcomer types stands there, on a line of its own."""
    assert f"\n{command}\n" in README.read_text(encoding="utf-8")
