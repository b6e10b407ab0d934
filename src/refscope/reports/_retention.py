"""Why objects are alive: who survived, on which paths, and which steps are suspect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import attrs

from refscope import _units as units
from refscope._typing import override
from refscope.exceptions import InvalidArgumentError

from ._base import Report
from ._heap import HeapObject, Reference, ReferencePath, Traceback, name_of
from ._record import Record


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SurvivorGroup(Record):
    """Objects of one type and place that a block left alive."""

    type_name: str
    """Fully qualified: ``module.Class``; without a module for built-in types."""

    count: int
    """How many of them were made in the block and are alive at its end."""

    size: int
    """Shallow bytes of all of them."""

    traceback: Traceback | None = None
    """Where they were allocated; None when that was not traced."""

    held_by: ReferencePath | None = None
    """A shortest path that keeps one of them; None when none was found."""

    fingerprint: str = ""
    """Eight hex digits for type, function and path, the same in every run."""

    retained_size: int | None = None
    """Bytes that die with them, classes apart; None when not measured, as for
    thousands of objects."""

    by_design: str | None = None
    """Why the program's design keeps them, such as ``module json was imported``; None
    for all the others."""


def _check_leaking(_verdict: object, _field: object, value: object) -> None:
    if not isinstance(value, str) or value not in {"yes", "no", "unknown"}:
        raise InvalidArgumentError(
            f"a verdict is 'yes', 'no' or 'unknown', not {repr(value)[:60]}"
        )


@attrs.frozen(eq=False, repr=False)
class Verdict(Record):
    """Whether an object on a path ought to be alive.

    Raises:
        InvalidArgumentError: ``leaking`` is none of its three words.
    """

    leaking: Literal["yes", "no", "unknown"] = attrs.field(validator=_check_leaking)
    """``no``: alive for a reason; ``yes``: done with, but held."""

    reason: str = ""
    """Why, in a few words; empty for ``unknown``."""

    type_name: str | None = attrs.field(default=None, kw_only=True)
    """Type of the object; None for a verdict that has not met its object."""

    address: int | None = attrs.field(default=None, kw_only=True)
    """``id()`` of the object; None for a root that is no object, or none met."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RetentionReport(Report):
    """Which roots keep an object alive, and where the mistake may be."""

    subject: HeapObject
    """The object in question."""

    paths: tuple[ReferencePath, ...] = ()
    """One shortest path for each independent holder, shortest first."""

    verdicts: tuple[Verdict, ...] = ()
    """One for each object on the paths, path by path, each once; the subject last."""

    suspects: tuple[Reference, ...] = ()
    """References between the last object that lives for a reason and the first that
    is done with."""

    retained_size: int | None = None
    """Bytes that would die with the subject, classes apart; None when not measured."""

    more_holders: int = 0
    """Holders that were found and not followed, because there are too many, or that
    only the count of references tells of."""

    @property
    @override
    def is_clean(self) -> bool:
        """Whether all was looked at, and nothing on the paths is done with but held."""
        return self.complete and all(
            verdict.leaking != "yes" for verdict in self.verdicts
        )

    @property
    @override
    def headline(self) -> str:
        """The verdict in one line: what keeps the subject."""
        name = name_of(self.subject)
        if not self.paths:
            if not self.complete:
                return f"{name}: no path found yet, the search was cut short"
            return f"{name} is held by nothing that Python can see"
        if self.only_local is not None:
            return f"{name} is kept only by {self.only_local}"
        shown = len(self.paths)
        text = f"{name} is kept by {units.plural(shown + self.more_holders, 'holder')}"
        return f"{text}, {shown:,} of them shown" if self.more_holders else text

    @property
    def only_local(self) -> str | None:
        """The local variable that alone keeps the subject, None if more do."""
        if len(self.paths) != 1 or self.more_holders:
            return None
        if len(self.paths[0].references) != 1:
            return None
        name = self.paths[0].references[0].name
        if not name.startswith("<local "):
            return None
        return f"{name[1:-1]} of {self.paths[0].root}"

    def verdict_of(self, thing: HeapObject) -> Verdict:
        """Return the verdict of an object on one of the paths."""
        return self.judge()(thing)

    def judge(self) -> Callable[[HeapObject], Verdict]:
        """Return what tells the verdicts of many objects on the paths."""
        known = {one.address: one for one in reversed(self.verdicts)}

        def verdict_of(thing: HeapObject) -> Verdict:
            return known.get(thing.address) or Verdict(
                "unknown", type_name=thing.type_name, address=thing.address
            )

        return verdict_of


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ExpectationReport(Report):
    """Whether an object is gone, as it was expected to be."""

    type_name: str
    """Of the object."""

    reason: str
    """Why it should be gone, in the words of whoever expects it."""

    gone: bool
    """Whether it is."""

    freed_by: Literal["refcount", "gc"] | None = None
    """``refcount``: its last reference went; ``gc``: it waited in a cycle for the
    collector; None while it is alive."""

    waited: float = 0.0
    """Seconds that the check waited for it."""

    retention: RetentionReport | None = None
    """What keeps it; None when it is gone."""

    @property
    @override
    def is_clean(self) -> bool:
        """Whether the object is gone."""
        return self.gone

    @property
    @override
    def headline(self) -> str:
        """The verdict in one line."""
        if self.gone:
            how = "its last reference went" if self.freed_by == "refcount" else "by gc"
            return f"GONE: {self.type_name} ({self.reason}), freed: {how}"
        text = f"HELD: {self.type_name} should be gone: {self.reason}"
        local = None if self.retention is None else self.retention.only_local
        return text if local is None else f"{text}; kept only by {local}"
