"""The references to objects, asked of the interpreter as far as a search needs them."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator
from contextvars import Context, copy_context
from itertools import compress
from operator import not_
from types import CoroutineType, FrameType, FunctionType, GeneratorType

from refscope._measure.algorithms.paths import Edge
from refscope._measure.budget import Budget
from refscope._measure.cpython.classes import has_managed_dict
from refscope._measure.cpython.executing import runs_in
from refscope._measure.cpython.hazards import hazard
from refscope._measure.cpython.managed import has_dict
from refscope._measure.heap import census
from refscope._measure.heap.keeping import Kept, KeptById
from refscope._measure.heap.roots import Roots, is_ours
from refscope._measure.names.table import names_of

from .nearby import Nearby
from .whole import STAGE, Seen, Whole


FREE_NAMES = frozenset({".__dict__", ".gi_frame", ".cr_frame", ".ag_frame"})
"""What an object and its part are one by: the step to it costs nothing."""

_MOST_LOOKS = 24
_WIDEST = 200
"""Holders of one level: ``get_referrers`` compares each reference with all."""
_RUNNERS = frozenset(map(id, (GeneratorType, CoroutineType)))
_KEEPERS = (Kept, KeptById)
_PLAIN_HOLDERS = frozenset(map(id, (list, tuple, dict, set, frozenset)))


class Heap:
    """The references to objects, asked for as far as a search needs them."""

    __slots__ = (
        "_budget",
        "_counts",
        "_is_alone",
        "_objects",
        "_seen",
        "_wall",
        "has_materialised",
        "nearby",
        "roots",
    )

    def __init__(
        self,
        roots: Roots,
        budget: Budget,
        wall: object = None,
        nearby: Nearby | None = None,
        seen: Seen | None = None,
    ) -> None:
        self.roots: Roots = roots
        self._wall = wall
        """What holds nothing, for this search: the function that is called."""
        self.nearby: Nearby | None = nearby
        """What is looked at before the heap, if the nearest roots are enough."""
        self._counts: dict[int, int] = {}
        self.has_materialised: bool = False
        """Whether something was made to find a name, and stays."""
        self._budget = budget
        self._objects: KeptById[object] = KeptById(roots.frames)
        self._is_alone: bool = seen is None
        self._seen: Seen = seen or Seen()

    def add(self, thing: object) -> int:
        """Take a thing into the heap's keeping; return the number for it."""
        self._objects[id(thing)] = thing
        return id(thing)

    def seek_nearest(self, thing: object, count: int) -> None:
        """Be asked for the nearest roots of a thing that has so many references."""
        self._counts[self.add(thing)] = count

    @property
    def is_for_nearest(self) -> bool:
        """Whether the nearest roots are enough."""
        return bool(self._counts)

    def clear(self) -> None:
        """Let go of everything: it may hold what holds it."""
        self._objects.clear()
        if self._is_alone:
            self._seen.clear()
            self._wall = None  # else what is shared still asks for it

    def object_of(self, node: int) -> object:
        """Return what a number stands for."""
        return self._objects[node]

    def holders(self, level: Collection[int]) -> Iterator[Edge]:
        """Yield who refers to the objects of a level."""
        roots = self.roots
        wanted = {node for node in level if node not in roots.module_of}
        is_near = len(wanted) < len(level)
        yield from self.modules(level)
        for node in level:
            for root in roots.holders.get(node, ()):
                is_near = True
                yield id(root), node, False
        if wanted:
            for holder in self._near_or_far(wanted, is_near=is_near):
                yield from self._edges(holder, wanted)

    def modules(self, level: Collection[int]) -> Iterator[Edge]:
        """Yield the modules of which the namespaces are in a level."""
        for node in level:
            module = self.roots.module_of.get(node)
            if module is not None:
                yield self.add(module), node, True

    def may_go_on(self, size: int) -> bool:
        """Return whether the next look is worth it, and within the budget."""
        is_cheap = self.sees_all or (self._seen.looks < _MOST_LOOKS and size <= _WIDEST)
        return self._budget.spend(size, STAGE) and is_cheap

    @property
    def sees_all(self) -> bool:
        """Whether everything is looked at, containers without a collector included."""
        return self._seen.whole is not None

    def see_all(self) -> None:
        """Look at everything from now on."""
        variables = self.roots.values_of_variables()
        self._seen.whole = Whole(self._foreign, self._budget, variables)

    def note_context(self) -> bool:
        """Make roots of contexts with the values of this thread; return if any are new.

        One is its own, and others have the very tree of that (Python/context.c).
        """
        met = [node for node, o in self._objects.items() if type(o) is Context]
        if not met:
            return False
        tree = gc.get_referents(copy_context())[-1]
        return self.roots.note_contexts(
            [n for n in met if gc.get_referents(self._objects[n])[-1] is tree]
        )

    def names_of(self, node: int, held: int) -> list[str | None]:
        """Return how one thing refers to another, at any price."""
        holder, thing = self.object_of(node), self.object_of(held)
        found = names_of(holder, thing)
        if None not in found:
            return found
        had_dict = has_dict(holder)
        again = names_of(holder, thing, materialise=True)
        is_made = has_managed_dict(type(holder)) and has_dict(holder) > had_dict
        self.has_materialised |= again != found or is_made
        return again

    def is_kept_by_us(self, node: int) -> bool:
        """Return whether a handle of refscope has it, such as a function to call."""
        return any(
            census.is_own(thing) and type(thing) not in _KEEPERS
            for thing in gc.get_referrers(self._objects[node])
        )

    def _foreign(self, things: list[object]) -> list[object]:
        """Return those that are not refscope's; few are looked at one by one."""
        doubtful = census.own_types() | _RUNNERS | {id(FrameType)}
        apart = {id(self._wall), id(hazard())}
        flags = list(map(doubtful.__contains__, map(id, map(type, things))))
        others = list(compress(things, map(not_, flags)))
        others += [o for o in compress(things, flags) if not self._is_own(o)]
        keep = map(not_, map(apart.__contains__, map(id, others)))
        return list(compress(others, keep))

    def _near_or_far(self, wanted: set[int], *, is_near: bool) -> Iterable[object]:
        """Return who holds what is wanted; who is no root only if there is need."""
        if self._seen.whole is not None:
            return self._seen.whole.holders(wanted)
        if self.nearby is not None:
            is_target = wanted == self._counts.keys()
            if is_target or not any(map(_has_owner, map(self.object_of, wanted))):
                roots = self.nearby.roots_holding(wanted)
                if roots or is_near:
                    return roots
            if is_target:
                [(node, count)] = self._counts.items()
                holders = self.nearby.all_holding(node, count)
                if holders is not None and not any(map(self._is_own, holders)):
                    return holders
        self._seen.looks += 1
        return self._referrers(wanted)

    def _referrers(self, wanted: set[int]) -> Iterable[object]:
        level = tuple([self._objects[node] for node in wanted])
        return [
            thing
            for thing in gc.get_referrers(*level)
            if thing is not level and not self._is_own(thing)
        ]

    def _is_own(self, thing: object) -> bool:
        """Return whether a holder is refscope's: it is not there for the program."""
        if type(thing) is FrameType:
            return is_ours(thing)
        if thing is self._wall or thing is hazard():
            return True
        if id(type(thing)) in _RUNNERS:
            return census.runs_our_code(thing)
        return census.is_own(thing)

    def _edges(self, holder: object, wanted: set[int]) -> Iterator[Edge]:
        number = self.add(holder)
        held = wanted.intersection(map(id, gc.get_referents(holder)))
        if runs_in(holder, self.roots.frames):
            held -= self.roots.holders.keys()  # its frame has them, and is a root
        for node in held:
            yield number, node, self._is_free(holder, self._objects.get(node))

    def _is_free(self, holder: object, held: object) -> bool:
        """Return whether object and ``__dict__``, or generator and frame, are one."""
        if type(held) is FrameType:
            return type(holder) is not FrameType and bool(
                FREE_NAMES.intersection(names_of(holder, held))
            )
        kind = type(held)
        if kind is not dict or id(type(holder)) in _PLAIN_HOLDERS:
            return False
        if type(holder) is FunctionType and holder.__globals__ is held:
            return False
        return ".__dict__" in names_of(holder, held)


def _has_owner(thing: object) -> bool:
    """Return whether a thing may be one with who holds it, and so as near to a root."""
    return type(thing) is dict or type(thing) is FrameType


census.own(Heap, Roots)
