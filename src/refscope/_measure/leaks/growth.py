"""What grows with every call of a function: look, doubt, look again, then name it.

First without tracing: objects by type, garbage, blocks of memory, in rounds.  What
grew at all gets rounds of twice as many calls until it is steady or over.  Only then
are calls traced, once, to name lines and holders.  What is held gets more calls in the
end, as a cache that fills looks like a leak until it is full.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from functools import partial
from typing import Literal

from refscope import _units as units
from refscope._measure.algorithms.series import Trend, keeps_growing, per_call
from refscope._measure.budget import Budget
from refscope._measure.cpython import activity
from refscope._measure.cpython.frozen import frozen_count
from refscope._measure.heap import census
from refscope._measure.heap.keeping import Kept
from refscope._measure.heap.tracebacks import with_functions
from refscope.reports import Leak

from .control import without_others
from .counts import Counts
from .evidence import Evidence
from .garbage import leaks_of_garbage
from .lengthening import Longer, leaks_of, longer_things
from .lengths import grown
from .naming import first_shown, folded, importance, print_of
from .resident import resident_per_call, resident_words
from .rounds import (
    BLOCKS,
    ENOUGH_CALLS,
    GARBAGE,
    MOST_MEMORY,
    PATIENCE,
    Ledger,
    Step,
)
from .trial import Trial


Search = Generator[Step, None, "Growth"]

_MOST_DOUBLINGS = 6
_ABOUT = 1.25

_BOUNDED = "{} grows inside a {}: a cache that is not full is no leak"
_REFERENCES = "the number of references to {}"
_IRREGULAR = "{} grew in some rounds only, or out of proportion to the calls"
_FROZEN = (
    "frozen objects (gc.freeze) are no suspects: references that they gain are not "
    "seen, and untracked memory that only they hold is told as held by C"
)


class Growth:
    """What was found; data only."""

    __slots__ = (
        "containers",
        "leaks",
        "ledger",
        "limits",
        "resident_per_call",
        "size_per_call",
        "threads",
    )

    def __init__(self, ledger: Ledger) -> None:
        self.ledger: Ledger = ledger
        self.leaks: list[Leak] = []
        self.containers: set[int] = set()
        """Identities of what grows by these leaks."""
        self.threads: set[str] = set()
        """Names of the classes of threads among them."""
        self.limits: dict[str, None] = {}
        self.size_per_call: float | None = None
        self.resident_per_call: float | None = None
        """Median growth of the resident set per call."""


class Options:
    """How much to do."""

    __slots__ = ("calls", "rounds", "warmup")

    def __init__(self, warmup: int, rounds: int, calls: int) -> None:
        self.warmup: int = warmup
        self.rounds: int = rounds
        self.calls: int = calls


def search(given: object, options: Options, budget: Budget) -> Search:
    """Yield how often to call the function now; return what grows."""
    ledger = Ledger()
    found = Growth(ledger)
    started = activity.resident_size()
    yield from ledger.warm_up(options.warmup)
    yield from ledger.run(options.rounds, options.calls)
    suspects = yield from _doubted(ledger, options, found)
    suspects = yield from without_others(ledger, suspects, found.limits)
    if GARBAGE in suspects:
        leaks, limits = yield from leaks_of_garbage(ledger, budget)
        found.leaks += leaks
        found.limits.update(dict.fromkeys(limits))
    kinds = [name for name in suspects if name not in {BLOCKS, GARBAGE}]
    if kinds or BLOCKS in suspects:
        known = yield from _named(found, given, kinds, suspects, budget)
        if not known:
            known = yield from _unnamed(ledger)
        known = _without_bounds(found, known)
        yield from _still_growing(found, known, started)
        found.leaks += [_leak(ledger, one, name) for name, one in known]
        found.threads.update([one.type_name for _, one in known if one.is_thread])
    yield from _name_references(found, given, options.calls, budget)
    if frozen_count():
        found.limits[_FROZEN] = None
    found.resident_per_call = resident_per_call(ledger)
    words = yield from resident_words(ledger, found.size_per_call, given, budget)
    found.limits.update(dict.fromkeys(words))
    found.leaks.sort(key=partial(importance, threads=found.threads))
    found.leaks = folded(found.leaks, found.threads)
    return found


def _doubted(
    ledger: Ledger, options: Options, found: Growth
) -> Generator[Step, None, dict[str, Trend]]:
    """Return what still grows with twice as many calls, and in proportion."""
    suspects = ledger.suspects()
    calls = options.calls
    for turn in range(_MOST_DOUBLINGS):
        is_settled = turn and "open" not in suspects.values()
        if not suspects or is_settled or _is_tired(ledger, turn):
            break
        calls *= 2
        yield from ledger.run(options.rounds, calls)
        suspects = ledger.judge(suspects)
    for name, trend in suspects.items():
        if trend == "open" and name != BLOCKS:
            found.limits[_IRREGULAR.format(name)] = None
    return {name: trend for name, trend in suspects.items() if trend == "steady"}


def _is_tired(ledger: Ledger, turn: int) -> bool:
    """Return whether another doubling takes too long; the first is always made."""
    return turn > 0 and ledger.seconds > 10 * PATIENCE


def _name_references(
    found: Growth, given: object, calls: int, budget: Budget
) -> Generator[Step, None, None]:
    """Look for shared objects that gain references with every call."""
    counts = Counts(calls)
    yield from counts.run()
    found.ledger.calls_made += 2 * calls
    longer = grown(counts.lengths)
    if not (counts.growth or longer):
        return
    again = Counts(2 * calls)
    yield from again.run()
    found.ledger.calls_made += 4 * calls
    # An address that is used again hides a thing that is new: its references are then
    # counted as those of others, in either look.
    again.growth = {
        key: min(2 * counts.growth[key], step)
        for key, step in again.growth.items()
        if key in counts.growth
    }
    is_alone = not found.leaks
    known = yield from again.evidence(given, budget, is_alone=is_alone)
    found.ledger.calls_made += calls if known else 0
    for key, evidence in known:
        if evidence.bound is not None:
            what = _REFERENCES.format(units.one(evidence.type_name))
            found.limits[_BOUNDED.format(what, evidence.bound)] = None
            continue
        found.containers.add(evidence.container or 0)
        step = round(again.growth[key] * evidence.share)
        found.leaks.append(
            Leak(
                kind="references",
                type_name=evidence.type_name,
                growth=(step, step),
                growth_calls=again.calls,
                per_call=step / again.calls,
                held_by=evidence.path,
                grows_at=evidence.grows_at,
                fingerprint=print_of(
                    "references", evidence.type_name, evidence.path, evidence.grows_at
                ),
                verdict=evidence.verdict,
            )
        )
    is_alone = not any(leak.type_name for leak in found.leaks)
    things = Longer(longer, again, found.containers, is_alone=is_alone)
    yield from _name_lengths(found, given, things, budget, 2 * calls)


def _name_lengths(
    found: Growth, given: object, longer: Longer, budget: Budget, calls: int
) -> Generator[Step, None, None]:
    """Look for objects that get longer, with many more calls in the end."""
    yield from longer_things(
        found.ledger, longer, ENOUGH_CALLS, PATIENCE, found.limits, calls=calls
    )
    leaks = leaks_of(longer, given, budget, found.limits)
    explained = sum([leak.size_per_call or 0 for leak in leaks])
    # Memory of no known object may be that of these.
    found.leaks = [
        leak
        for leak in found.leaks
        if leak.type_name
        or leak.size_per_call is None
        or leak.size_per_call > explained * _ABOUT
    ]
    found.leaks += leaks


def _ceil(number: float) -> int:
    """Return what ``math.ceil`` would; nothing else of refscope needs that module."""
    return -int(-number // 1)


def _named(
    found: Growth,
    given: object,
    kinds: Collection[str],
    suspects: Mapping[str, Trend],
    budget: Budget,
) -> Generator[Step, None, Kept[tuple[str, Evidence]]]:
    """Return what the traced calls tell of each suspect, by what is counted."""
    ledger = found.ledger
    rates = [per_call(ledger.phases_of(name)) for name in suspects if name != GARBAGE]
    calls = max(2, _ceil(3 / max(0.05, min(rates))), ledger.phases[0][BLOCKS].calls)
    trial = Trial(given, kinds, budget)
    known = yield from _tried(found, trial, calls, suspects)
    if trial.is_doubtful:
        trial = Trial(given, kinds, budget, after_turnover=True)
        known = yield from _tried(found, trial, calls, suspects)
    found.containers.update([each.container or 0 for _, each in known])
    return known


def _tried(
    found: Growth, trial: Trial, calls: int, suspects: Mapping[str, Trend]
) -> Generator[Step, None, Kept[tuple[str, Evidence]]]:
    """Make traced calls, and return what they tell."""
    try:
        yield from trial.run(calls)
        known = Kept(trial.of_types())
        if BLOCKS in suspects:
            objects = [evidence for _, evidence in known]
            known += [(BLOCKS, evidence) for evidence in trial.of_places(objects)]
        found.size_per_call = trial.places.size_per_call
    finally:
        trial.end()
    found.ledger.calls_made += trial.calls_made
    return known


def _unnamed(ledger: Ledger) -> Generator[Step, None, Kept[tuple[str, Evidence]]]:
    """Return a stand-in for blocks that nobody can name, if they go on growing.

    Where the calls come from free lists of the program, or it stops the tracing.
    """
    phases = ledger.phases_of(BLOCKS)
    calls, rate = phases[-1].calls, phases[-1].rate
    ledger.look()
    yield from ledger.run(1, calls)
    still = keeps_growing(rate, _grown(ledger, BLOCKS), calls)
    return Kept([(BLOCKS, Evidence(""))] if still else [])


def _without_bounds(
    found: Growth, known: Kept[tuple[str, Evidence]]
) -> Kept[tuple[str, Evidence]]:
    """Leave out what has a bound, which is said, and parts of other objects."""
    kept: Kept[tuple[str, Evidence]] = Kept()  # a list of ours that nobody counts
    for name, evidence in known:
        evidence.traceback = with_functions(evidence.traceback)
        if _is_part(evidence):
            continue
        if evidence.bound is None:
            kept.append((name, evidence))
        else:
            what = evidence.type_name
            found.limits[_BOUNDED.format(what, evidence.bound)] = None
    return kept


def _is_part(evidence: Evidence) -> bool:
    """Return whether it is the ``__dict__`` of another object (up to 3.10)."""
    path = evidence.path
    return (
        path is not None
        and path.references[-1:] != ()
        and (path.references[-1].name == ".__dict__")
    )


def _still_growing(
    found: Growth, known: Kept[tuple[str, Evidence]], started: int
) -> Generator[Step, None, None]:
    """Drop what does not grow on when there are many more calls, as a full cache."""
    ledger = found.ledger
    calls = max([phase.calls for phase in ledger.phases[-1].values()])
    patience = max(PATIENCE, 2 * ledger.seconds) + ledger.seconds
    rates = {name: ledger.phases_of(name)[-1].rate for name, _ in known}
    ledger.look()
    while known and ledger.calls_made < ENOUGH_CALLS and ledger.seconds < patience:
        if activity.resident_size() - started > MOST_MEMORY:
            break
        calls *= 2
        yield from ledger.run(1, calls)
        known[:] = [
            (name, evidence)
            for name, evidence in known
            if keeps_growing(rates[name], _grown(ledger, name), calls)
        ]


def _grown(ledger: Ledger, name: str) -> int:
    phase = ledger.phases[-1].get(name)
    return 0 if phase is None else phase.growth[-1]


def _leak(ledger: Ledger, evidence: Evidence, name: str) -> Leak:
    phases = ledger.phases_of(name)
    rate = per_call(phases)
    share = evidence.share if evidence.per_call is None else evidence.per_call / rate
    rate *= share
    shown = first_shown(phases, share)
    path = evidence.path
    kind: Literal["memory", "objects"] = "memory" if name == BLOCKS else "objects"
    size = evidence.retained
    return Leak(
        kind=kind,
        type_name=evidence.type_name,
        growth=tuple([round(step * share) for step in shown.growth]),
        growth_calls=shown.calls,
        per_call=rate,
        size_per_call=None if size is None else size * rate,
        traceback=evidence.traceback,
        held_by=path,
        grows_at=evidence.grows_at,
        fingerprint=print_of(
            kind, evidence.type_name, path, evidence.grows_at, evidence.traceback
        ),
        verdict=evidence.verdict,
    )


census.own(Growth, Options, Leak)
