"""Whether one object gets longer with every call, and goes on to do so."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from time import perf_counter

from refscope._measure.algorithms.series import Phase, keeps_growing, trend
from refscope._measure.budget import Budget
from refscope._measure.cpython.listed import listed
from refscope._measure.heap.keeping import Kept
from refscope.reports import Leak

from .control import OTHERS
from .counts import Counts
from .evidence import Evidence
from .lengths import TEXT, Look, evidence, grown, longer_text
from .naming import print_of
from .rounds import Ledger, Pause, Step, collect


_BOUNDED = "{} gets longer up to a bound, {}: a cache that is not full is no leak"
_SHORTEST = 0.05
_PART = 0.5
"""Of its growth in a round, that tells in a pause as long that others write it."""

Phases = dict[int, Phase]


class Longer:
    """What gets longer, by identity, and the last two looks at it."""

    __slots__ = ("looks", "phases", "seconds")

    def __init__(
        self,
        first: Mapping[int, list[int]],
        again: Counts,
        known: Collection[int],
        *,
        is_alone: bool,
    ) -> None:
        """Compare two stretches of calls with two of twice as many.

        Args:
            first: By how much each got longer in the first ones.
            again: The others.
            known: Identities of what grows by leaks that are found already.
            is_alone: Whether nothing else leaks.
        """
        self.phases: Phases = {}
        self.looks: tuple[Look, Look] = again.lengths[-2], again.lengths[-1]
        self.seconds: float = 0.0
        for key, steps in grown(again.lengths, is_alone=is_alone).items():
            before, after = Phase(again.calls // 2), Phase(again.calls)
            before.growth.extend(first.get(key, ()))
            after.growth.extend(steps)
            is_new = key in first and key not in known
            if is_new and trend(before, after) == "steady":
                self.phases[key] = after
        self._drop_other_texts()

    def call(self, ledger: Ledger, calls: int) -> Generator[Step, None, None]:
        """Make many more calls, and drop what does not go on."""
        started = perf_counter()
        yield from ledger.call(calls)
        self.seconds = perf_counter() - started
        longer = self._look()
        self.phases = {
            key: phase
            for key, phase in self.phases.items()
            if keeps_growing(phase.rate, longer.get(key, 0), calls)
        }
        self._drop_other_texts()

    def wait(self, calls: int) -> Generator[Step, None, bool]:
        """Drop what gets longer without calls as well; return whether any did."""
        before = {**self.phases}
        looks = self.looks
        self._look()  # calls were made since the last one
        yield Pause(max(self.seconds, _SHORTEST))
        longer = self._look()
        self.looks = looks
        for key, phase in before.items():
            if longer.get(key, 0) >= _PART * phase.rate * calls:
                del self.phases[key]
        return len(before) > len(self.phases)

    def _look(self) -> dict[int, int]:
        collect()
        self.looks = self.looks[1], Look(Kept(listed()))
        return {key: steps[0] for key, steps in grown(self.looks).items()}

    def _drop_other_texts(self) -> None:
        """Drop texts that are more, as none of them is longer than one before."""
        if TEXT in self.phases and self.text is None:
            del self.phases[TEXT]

    @property
    def text(self) -> int | None:
        """Identity of the text that got longer."""
        first, last = self.looks
        return longer_text(self.looks, last.text - first.text)


def longer_things(  # noqa: PLR0913  # the state of the search
    ledger: Ledger,
    longer: Longer,
    enough: int,
    patience: float,
    limits: dict[str, None],
    *,
    calls: int,
) -> Generator[Step, None, Longer]:
    """Make calls until it is sure what gets longer."""
    until = ledger.seconds + patience
    while longer.phases and ledger.calls_made < enough and ledger.seconds < until:
        calls *= 2
        yield from longer.call(ledger, calls)
    if longer.phases and not ledger.is_alone and (yield from longer.wait(calls)):
        limits[OTHERS.format("the length of an object")] = None
    return longer


def leaks_of(
    longer: Longer, given: object, budget: Budget, limits: dict[str, None]
) -> list[Leak]:
    """Return what is to be said of each."""
    phases = {**longer.phases}
    text = longer.text if TEXT in phases else None
    if text is not None:
        phases[text] = phases.pop(TEXT)
    leaks: list[Leak] = []
    for key, known in evidence({*phases}, given, budget):
        if known.bound is None:
            leaks.append(_leak(known, phases[key]))
        else:
            limits[_BOUNDED.format(known.type_name, known.bound)] = None
    return leaks


def _leak(known: Evidence, phase: Phase) -> Leak:
    path = known.path
    return Leak(
        kind="length",
        type_name=known.type_name,
        growth=tuple(phase.growth),
        growth_calls=phase.calls,
        per_call=phase.rate,
        size_per_call=(known.retained or 0) * phase.rate,
        held_by=path,
        grows_at=None if path is None else len(path.references) - 1,
        fingerprint=print_of("length", known.type_name, path, None),
        verdict=known.verdict,
    )
