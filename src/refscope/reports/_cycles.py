"""Reference cycles: objects that keep each other alive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import attrs

from refscope import _units as units
from refscope._typing import override

from ._base import Report
from ._fingerprint import fingerprint
from ._heap import Reference
from ._record import Record


CycleKind: TypeAlias = Literal["garbage", "live"]
"""Whether only the collector can free a cycle, or something still leads to it."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Cycle(Record):
    """One strongly connected component: objects that all lead to each other.

    Objects are those that the collector tracks, the ``__dict__`` of an instance
    included where there is one; the loop shows it as part of the instance.
    """

    references: tuple[Reference, ...]
    """A shortest loop, in order: the target of each holds the next, that of the last
    one the first.  Of a very long loop only the beginning."""

    length: int
    """References in the whole loop."""

    component_size: int
    """Objects that all lead to each other."""

    held: int | None = None
    """Objects outside of the component, strings and numbers included, that live only
    because of it; None when that is not known."""

    size: int
    """Shallow bytes of the component."""

    retained_size: int | None = None
    """Shallow bytes of the component and of what it alone holds; None if unknown."""

    finalizers: int = 0
    """Objects of the component with a finalizer, as ``__del__``."""

    finalized: int = 0
    """Those whose finalizer has run already; it does not run again."""

    break_at: tuple[Reference, ...] = ()
    """References to remove so that no loop is left in the component, best ones first.
    Of a very large set only the beginning."""

    cuts: int = 0
    """References in the whole set; 0 when there was no time to look for one."""

    is_smallest: bool = False
    """True if no better set exists, False if that was not proved."""

    advice: str = ""
    """What to change in the program, in a sentence."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CycleGroup(Record):
    """All cycles of one shape."""

    kind: CycleKind
    """``garbage``: only the collector can free them; ``live``: still in use."""

    count: int
    """Cycles of this shape.  In reports with many cycles those of the same types,
    referring to each other in the same way, are counted without naming each."""

    example: Cycle
    """One of them."""

    fingerprint: str
    """Eight hex digits for types and names of the loop, the same in every run."""

    type_names: tuple[str, ...]
    """Types on the loop, each once, as they come."""

    objects: int
    """Objects in all these cycles together."""

    size: int
    """Their shallow bytes."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CycleReport(Report):
    """Reference cycles, and where to cut them."""

    groups: tuple[CycleGroup, ...] = ()
    """One for each shape, those with most bytes first."""

    objects: int = 0
    """Objects that wait for the collector, those that the cycles hold included; when
    live cycles were looked for, objects on cycles."""

    size: int = 0
    """Their shallow bytes."""

    uncollectable: int = 0
    """Objects in ``gc.garbage``, which the collector found and could not free."""

    freed: int | None = None
    """Objects that the collection after the report freed; None without one."""

    @property
    def count(self) -> int:
        """All cycles together."""
        return sum(group.count for group in self.groups)

    @property
    @override
    def is_clean(self) -> bool:
        """Whether all was looked at, with no cycle and nothing that gc cannot free."""
        return self.complete and not (self.groups or self.objects or self.uncollectable)

    @property
    @override
    def headline(self) -> str:
        """How many cycles there are, and what they hold."""
        if not self.groups and not self.objects:
            text = "no cycles"
            if not self.complete:
                text = "no cycles so far: the search ended early"
            elif self.is_clean:
                text = "CLEAN: no cycles"
        else:
            shapes = units.plural(len(self.groups), "shape")
            objects = units.plural(self.objects, "object")
            text = (
                f"{self._counts()}, {shapes}: {objects}, {units.size(self.size)}"
                f"{self._state()}"
            )
        if self.uncollectable:
            text += f"; {units.count(self.uncollectable)} in gc.garbage"
        return text

    def _counts(self) -> str:
        """Return how many there are of each kind."""
        numbers = {
            kind: sum(group.count for group in self.groups if group.kind == kind)
            for kind in ("garbage", "live")
        }
        kinds = [kind for kind, number in numbers.items() if number]
        if len(kinds) == 1:
            return units.plural(numbers[kinds[0]], f"{kinds[0]} cycle")
        if not kinds:
            return "cycles not named"
        return f"{units.count(numbers['garbage'])} garbage and " + units.plural(
            numbers["live"], "live cycle"
        )

    def _state(self) -> str:
        if self.freed is not None:
            return f"; gc freed {units.count(self.freed)}"
        is_garbage = all(group.kind == "garbage" for group in self.groups)
        return " wait for gc" if is_garbage else ""


def loop_fingerprint(references: Sequence[Reference], *, is_whole: bool = True) -> str:
    """Return the fingerprint of a loop, wherever on it one begins.

    Of a loop that is not shown whole it says which types and names occur.
    """
    steps = [
        (reference.holder.type_name, reference.shape)
        for reference in references
        if not _is_inside_tree(reference)
    ]
    if is_whole:
        turns = [steps[start:] + steps[:start] for start in range(len(steps))]
        steps = min([steps, *turns])
    else:
        steps = sorted(set(steps))
    return fingerprint(*[part for step in steps for part in step])


def _is_inside_tree(reference: Reference) -> bool:
    """Return whether it leads from a node to a node of the variables of a context.

    How deep a value is there depends on addresses (Python/hamt.c).
    """
    return reference.shape == "<node>" and reference.holder.type_name[:4] == "hamt"
