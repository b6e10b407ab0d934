"""What grows with every call of a function."""

from __future__ import annotations

from typing import Literal

import attrs

from refscope import _units as units
from refscope._typing import override

from ._base import Report
from ._cycles import Cycle
from ._heap import ReferencePath, Traceback
from ._record import Record


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LeakPart(Record):
    """What grows with a leak, as the leaked objects hold it."""

    type_name: str
    """Of the part, fully qualified."""

    per_call: float
    """Objects per call."""

    fingerprint: str
    """Of the part, were it a leak of its own."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Leak(Record):
    """One thing of which there is more after every call."""

    kind: Literal["objects", "memory", "cycles", "references", "length"]
    """What grows: objects of a type, memory of a place (strings, numbers, C), garbage
    cycles that wait for the collector, the reference count of a shared object, or the
    length of one object: a buffer, a text, a list of old objects."""

    type_name: str
    """Of what grows, fully qualified; empty when memory has no object that is known."""

    growth: tuple[int, ...] = ()
    """Objects (blocks, cycles, references, items) more after each round."""

    growth_calls: int = 1
    """Calls in each of these rounds."""

    per_call: float = 0.0
    """Objects (blocks, cycles, references, items) per call: the rounds' median."""

    size_per_call: float | None = None
    """Bytes per call, with what dies with it (of a cycle as much as with the example);
    None when not measured."""

    traceback: Traceback | None = None
    """Where it was allocated; None when that could not be traced."""

    held_by: ReferencePath | None = None
    """A shortest path that keeps one of them; None when there is none."""

    grows_at: int | None = None
    """Which object on the path grows: the number of its reference in ``held_by``,
    counted from 0; None when that is not known."""

    cycle: Cycle | None = None
    """The garbage cycle; None when it is none."""

    fingerprint: str = ""
    """Eight hex digits for the shape, the same in every run: the key of ``known``."""

    verdict: Literal["held", "cycle", "native", "unknown"] = "unknown"
    """``native``: nothing that Python can see holds it, so a reference (or memory)
    was leaked in C; ``unknown``: the search was cut short, or other threads ran."""

    known: str | None = None
    """The reason that ``known`` gave; None for a new leak."""

    parts: tuple[LeakPart, ...] = ()
    """What hangs on it, and goes when it goes."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LeakReport(Report):
    """What a function leaves behind with every call."""

    function: str = ""
    """Qualified name of the function."""

    leaks: tuple[Leak, ...] = ()
    """What grows, the most telling first."""

    rounds: int = 0
    """Rounds that were asked for."""

    calls: int = 1
    """Calls in each of them."""

    total_calls: int = 0
    """Calls that were made in all, warm-up included."""

    size_per_call: float | None = None
    """Traced bytes more after each call; None when nothing had to be traced."""

    rss_per_call: float | None = None
    """Bytes of the resident set more after each call, the median of the calls, each of
    which has the rate of its round; None where the system does not tell."""

    @property
    def is_leaking(self) -> bool:
        """Whether something grows that is not known."""
        return any(leak.known is None for leak in self.leaks)

    @property
    @override
    def is_clean(self) -> bool:
        """Whether all was looked at, and nothing grows but what is known."""
        return self.complete and not self.is_leaking

    @property
    @override
    def headline(self) -> str:
        """The verdict in one line: what grows most tellingly, and how fast."""
        rounds = f"{units.plural(self.rounds, 'round')} of {self.calls:,}"
        new = [leak for leak in self.leaks if leak.known is None]
        if not new:
            known = f", {units.plural(len(self.leaks), 'known leak')}"
            calls = units.plural(self.total_calls, "call")
            verdict = "NOT LEAKING: nothing grows"
            if not self.complete:
                verdict = "UNKNOWN: the search was cut short, and no leak was found"
            return (
                f"{verdict} in {calls} of {self.function} "
                f"({rounds}{known if self.leaks else ''})"
            )
        first = new[0]
        text = f"LEAKING: {amount(first)}"
        size = first.size_per_call or self.size_per_call
        if size:
            text += f", {units.average_size(size)}"
        steps = " ".join(f"{step:+d}" for step in first.growth[:8])
        counted = (
            f"{units.plural(len(first.growth), 'round')} of {first.growth_calls:,}"
        )
        return f"{text} per call ({counted}: {steps})"


def amount(leak: Leak) -> str:
    """Return how much of what grows per call: ``+1 shop.Item``."""
    number = f"{leak.per_call:+,.3g}"
    if abs(leak.per_call) >= 1_000:
        number = f"{leak.per_call:+,.0f}"
    s = "" if number == "+1" else "s"
    if leak.kind == "cycles":
        return f"{number} garbage cycle{s} of {leak.type_name}"
    if leak.kind == "length":
        return f"{number} item{s} in {units.one(leak.type_name)}"
    if leak.kind == "references":
        return f"{number} reference{s} to {units.one(leak.type_name)}"
    if leak.kind == "memory":
        of_type = f" of {leak.type_name}" if leak.type_name else ""
        return f"{number} {'' if of_type else 'memory '}block{s}{of_type}"
    return f"{number} {leak.type_name}"
