"""Measure a contender and its base by turns, and show the ratios beside the bars.

Machines are noisy and differ from each other, so nothing here is an absolute time:
both sides run alternately in one process, or in one process each started by turns,
and the ratio is the median of the ratios of the pairs.  Times are those of the
processor where a process is measured from the inside, so that other programs matter
less.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time


PAIRS = 5


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    ratios: tuple[float, ...]
    bar: float | None = None

    @property
    def ratio(self) -> float:
        """The median of the pairs."""
        return median(self.ratios)

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        span = f"{min(self.ratios):.3g} to {max(self.ratios):.3g}"
        if self.bar is None:
            return self.what, f"{self.ratio:.3g}", span, "", ""
        verdict = "ok" if self.ratio <= self.bar else "MISSED"
        return self.what, f"{self.ratio:.3g}", span, f"{self.bar:g}", verdict


def check(holds: bool, what: object) -> None:  # noqa: FBT001  # like assert, with -O too
    """Stop if an answer is wrong: what is wrong has no cost."""
    if not holds:
        raise SystemExit(f"wrong answer: {what}")


def cost_of(work: Callable[[], object]) -> float:
    """Return the processor's seconds for one run."""
    start = process_time()
    work()
    return process_time() - start


def in_turns(
    contender: Callable[[], float], base: Callable[[], float], pairs: int = PAIRS
) -> tuple[float, ...]:
    """Return contender's cost by base's cost for each pair; each goes first by turns.

    Both are run once before, so that neither pays for what is done only once.
    """
    contender()
    base()
    ratios = []
    for turn in range(pairs):
        if turn % 2:
            of_base = base()
            of_contender = contender()
        else:
            of_contender = contender()
            of_base = base()
        ratios.append(of_contender / of_base)
    return tuple(ratios)


def run_child(*args: str) -> dict[str, list[float]]:
    """Run the calling benchmark as a new process; return what it printed as JSON."""
    script = str(Path(sys.argv[0]).resolve())
    done = subprocess.run(
        [sys.executable, script, *args], check=True, stdout=subprocess.PIPE
    )
    answer: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return answer


def cost_of_process(command: Sequence[str], env: dict[str, str]) -> float:
    """Return the processor's seconds for a whole process, the system's included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def resident_size() -> int:
    """Return the resident set in bytes (Linux)."""
    statm = Path("/proc/self/statm").read_bytes()
    return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak_size() -> int:
    """Return the largest resident set so far in bytes (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def show(title: str, rows: Sequence[Row]) -> None:
    """Print the table."""
    version = sys.version.split()[0]
    heads = ("", "ratio", "pairs", "bar", "")
    cells = [heads, *[row.cells() for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(f"{title}  (Python {version}, medians of {len(rows[0].ratios)} pairs)")
    for line in cells:
        print("  " + "  ".join(map(str.ljust, line, widths)).rstrip())
    print(flush=True)
