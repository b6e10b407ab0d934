"""Rounds of calls, and what is there after each of them.

Whoever drives a round makes the calls: this is a generator that asks for them, so
that functions and coroutines are measured alike.  Between the readings at the two
ends of a round nothing of refscope's is allocated that stays.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from itertools import repeat
from operator import is_
from time import perf_counter

from refscope._measure.algorithms.series import Phase, Trend, trend
from refscope._measure.cpython import activity
from refscope._measure.cpython.interpreter import allocated_blocks
from refscope._measure.cpython.listed import listed
from refscope._measure.heap import census, ours
from refscope._measure.session.born import remember, thaw_constants
from refscope._measure.session.boundary import collect_aside
from refscope._measure.session.gcstate import collect_nothing
from refscope._measure.session.witness import garbage_sent


class Pause:
    """Asks to wait instead of calling."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds: float = seconds


Step = int | Pause
Calls = Generator[Step, None, None]
"""Yields how many calls to make now, or how long to wait."""

BLOCKS = "blocks of memory"
GARBAGE = "garbage"
RESIDENT = "resident set"
"""Names of what is counted beside types; no type's name has a space."""

ENOUGH_CALLS = 600
"""Calls after which a cache without a known bound is said to grow for ever."""
PATIENCE = 1.5
"""Seconds of calls that a suspect gets at least."""
MOST_MEMORY = 64 << 20
"""Bytes that more and more calls may add to the resident set."""

_MOST_COLLECTIONS = 3
_NOISE = 2
"""Blocks that come and go by themselves in a round."""


class Ledger:
    """What grew in each round, by the name of what is counted."""

    __slots__ = (
        "_census",
        "_gone",
        "_is_taken_apart",
        "_looked",
        "_own_blocks",
        "calls_made",
        "is_alone",
        "phases",
        "seconds",
        "spans",
    )

    def __init__(self) -> None:
        self.phases: list[dict[str, Phase]] = []
        """One for each number of calls: what grew, by name."""
        self.calls_made: int = 0
        self.seconds: float = 0.0
        """Spent in the calls themselves."""
        self.spans: list[float] = []
        """Seconds from look to look in the rounds of the last phase."""
        self.is_alone: bool = True
        """Whether no other thread or task was at work while calls were made."""
        self._census: census.Census = {}
        self._gone: int = 0
        self._is_taken_apart: bool = True
        """Whether collections may free more than they find; it is dear to ask."""
        self._own_blocks: int = 0
        self._looked: float = 0.0

    def warm_up(self, calls: int) -> Calls:
        """Make calls that are not measured, and look for the first time."""
        if calls:
            collect()
            yield from self.call(calls)
            before = _tracked()
            collect()
            self._is_taken_apart = _tracked() < before
        self.look()
        # How many of the blocks are our own: no calls, no growth.  One that comes by
        # chance would hide a leak; one too few is no growth that goes on.
        first = yield from self._blocks_in(0)
        self._own_blocks = min(first, (yield from self._blocks_in(0)))

    def look(self) -> None:
        """Look again, so that what was called in between does not count."""
        collect()
        thaw_constants()
        self._census = census.take()
        self._looked = perf_counter()

    def run(self, rounds: int, calls: int) -> Calls:
        """Make rounds of equally many calls; they become a phase."""
        phase: dict[str, Phase] = {}
        self.phases.append(phase)
        self.spans.clear()
        for number in range(rounds):
            yield from self._round(calls, phase, number)

    def wait(self, seconds: float) -> Generator[Step, None, dict[str, int]]:
        """Return what grows in a round with a pause instead of calls."""
        return (yield from self._grown_in(Pause(seconds)))

    def _round(self, calls: int, phase: dict[str, Phase], number: int) -> Calls:
        grown = yield from self._grown_in(calls)
        for name in {**grown, **phase}:
            entry = phase.get(name)
            if entry is None:
                entry = phase[name] = Phase(calls)
                entry.growth.extend([0] * number)
            entry.growth.append(grown.get(name, 0))

    def _grown_in(self, step: Step) -> Generator[Step, None, dict[str, int]]:
        resident, garbage = activity.resident_size(), collected()
        sent = garbage_sent()
        blocks = (yield from self._blocks_in(step)) - self._own_blocks
        # What its own finalizer takes apart is not among what a collection has found.
        garbage = collected() - garbage or self._gone - (garbage_sent() - sent)
        resident = activity.resident_size() - resident
        thaw_constants()
        before, self._census = self._census, census.take()
        looked, self._looked = self._looked, perf_counter()
        self.spans.append(self._looked - looked)
        grown = _grown(before, self._census)
        grown[BLOCKS], grown[GARBAGE], grown[RESIDENT] = blocks, garbage, resident
        return grown

    def _blocks_in(self, step: Step) -> Generator[Step, None, int]:
        """Make calls and return how many blocks more there are, our own included."""
        empty_free_lists()
        blocks = allocated_blocks()
        if isinstance(step, Pause):
            yield step
        else:
            yield from self.call(step)
        before = _tracked() if self._is_taken_apart else 0
        collect()
        if self._is_taken_apart:
            self._gone = max(0, before - _tracked())
        return allocated_blocks() - blocks

    def call(self, calls: int) -> Calls:
        """Make calls, and note how long they took and whether others were at work."""
        clock = activity.others_clock()
        started = perf_counter()
        yield calls
        self.seconds += perf_counter() - started
        self.calls_made += calls
        if activity.others_ran(*clock) or activity.other_tasks():
            self.is_alone = False

    def phases_of(self, name: str) -> list[Phase]:
        """Return the phases of one thing that is counted."""
        return [phase[name] for phase in self.phases if name in phase]

    def suspects(self) -> dict[str, Trend]:
        """Return what grew at all in the first phase."""
        first = self.phases[0]
        return {
            name: "open"
            for name, phase in first.items()
            if sum(phase.growth) > (_NOISE if name == BLOCKS else 0)
            and name != RESIDENT
        }

    def judge(self, suspects: dict[str, Trend]) -> dict[str, Trend]:
        """Return what the last phase makes of them; what is over is left out."""
        before, now = self.phases[-2], self.phases[-1]
        calls = next(iter(now.values())).calls
        verdicts: dict[str, Trend] = {}
        for name in suspects:
            last = now.get(name) or Phase(calls)
            verdict = trend(before.get(name) or Phase(calls), last)
            if verdict != "over":
                verdicts[name] = verdict
        return verdicts


def _grown(before: census.Census, after: census.Census) -> dict[str, int]:
    """Return how many more there are of each type.

    Not where a census is taken: up to 3.11 a comprehension has cells, to be counted.
    """
    return {
        name: count - before.get(name, (0, 0))[0]
        for name, (count, _) in after.items()
        if count != before.get(name, (0, 0))[0]
    }


def collect() -> int:
    """Collect until there is nothing more, a few times at most.

    The cache of attribute lookups is emptied: names that the calls made would live on
    in it, more of them with each call until it is full.
    """
    ours.forget_names()
    found = 0
    for _ in range(_MOST_COLLECTIONS):
        freed = collect_aside()
        found += freed
        if not freed:
            break
    return found


def _tracked() -> int:
    """Return how many objects are tracked, of those that always are.

    A collection no longer tracks tuples and dictionaries of atoms.
    """
    kinds = [*map(type, listed())]
    return len(kinds) - sum(
        [sum(map(is_, kinds, repeat(kind))) for kind in (tuple, dict)]
    )


def empty_free_lists() -> None:
    """Give spare blocks back, so that the calls do not seem to use none.

    A full collection empties the lists of spare objects, and takes no time while
    everything is frozen.
    """
    remember()
    if not collect_nothing():
        collect_aside()


def collected() -> int:
    """Return how many objects all collections so far have found unreachable.

    But for those that refscope sends into collections, in blocks that f tracks.
    """
    found: list[int] = [
        stat["collected"] + stat["uncollectable"] for stat in gc.get_stats()
    ]
    return sum(found) - garbage_sent()


census.own(Ledger, Phase, Pause)
