"""T5: what ``import refscope`` costs beside the modules that it needs anyway.

Whole processes by turns, the start of the interpreter included on both sides (the
second row leaves it out).  Byte code is written first, as an installer does.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from statistics import median

import _pairs


PAIRS = 15
_NEEDED = "import attrs, typing_extensions, tracemalloc, ctypes, json"
_BAR = 1.4


def main() -> None:
    """Print what the import costs, against what it needs and against nothing."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        nothing, needed, ours = [
            partial(_pairs.cost_of_process, [sys.executable, "-c", code], env)
            for code in ("pass", _NEEDED, "import refscope")
        ]
        rows = [
            _pairs.Row(
                "import refscope / import what it needs",
                _pairs.in_turns(ours, needed, PAIRS),
                _BAR,
            ),
            _pairs.Row(
                "the same, above a process that imports nothing",
                _above(ours, needed, nothing),
            ),
            _pairs.Row(
                "import refscope / import nothing",
                _pairs.in_turns(ours, nothing, PAIRS),
            ),
        ]
    _pairs.show("T5: import", rows)


def _above(
    ours: Callable[[], float], needed: Callable[[], float], nothing: Callable[[], float]
) -> tuple[float, ...]:
    bare = median([nothing() for _ in range(PAIRS)])
    return _pairs.in_turns(lambda: ours() - bare, lambda: needed() - bare, PAIRS)


if __name__ == "__main__":
    main()
