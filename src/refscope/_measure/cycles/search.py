"""The ways to look for cycles, and how what they find becomes a report.

Automatic collections must be switched off by the caller, who also does not hold the
objects that are looked for.
"""

from __future__ import annotations

import gc
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, compress, repeat
from operator import is_, is_not
from types import FrameType

from refscope._measure.algorithms.components import components
from refscope._measure.budget import Budget
from refscope._measure.cpython.classes import FREE_THREADED, has_managed_dict
from refscope._measure.cpython.frames import running_frames
from refscope._measure.cpython.frozen import frozen_count
from refscope._measure.cpython.hazards import hazard
from refscope._measure.cpython.listed import listed
from refscope._measure.cpython.managed import has_dict, is_dict_of
from refscope._measure.heap import graphs
from refscope._measure.heap.graphs import Graph
from refscope._measure.heap.holding import held_by
from refscope.reports import CycleGroup, CycleKind, CycleReport
from refscope.reports._order import sorted_groups

from . import garbage
from .bookkeeping import STAGE, Bookkeeping, own_nodes
from .cutting import MOST_CUTS
from .dissect import MOST_SHOWN, Explained, explain
from .likeness import sort_by_names
from .lines import with_functions
from .shapes import Component, Shapes
from .wiring import Likely


_MOST_GROUPS = 1_000
_HIDES_RUNNING: bool = sys.version_info >= (3, 11)

MATERIALISED = (
    "to name what is in them, the __dict__ of some instances, the frame object of some "
    "generators or the table of a frame's variables was made, and stays"
)
APART = (
    "classes, modules and their functions refer to each other in any program: what is "
    "in a cycle only by way of them is left out"
)
RUNNING = (
    "what functions that still run have in variables is not followed: since 3.11 the "
    "collector does not see it"
)
LONG = f"of very long loops the first {MOST_SHOWN} references are shown"
LARGE = f"of large sets of references to cut the first {MOST_CUTS} are shown"
UNTOLD = (
    "cycles of the same types are counted as one shape where no code mentions the "
    "names of their attributes"
)
UNCUT = "where to cut very large cycles was not looked for: there was no time left"
UNWEIGHED = (
    "what hangs on very large cycles, or on a generator that waits inside of an "
    "expression, was not counted"
)


def garbage_cycles(budget: Budget, older: Collection[int] = ()) -> CycleReport:
    """Return the garbage cycles of this process.

    Args:
        budget: How much to look at.
        older: Identities of objects that are not to be reported.
    """
    with garbage.find_garbage(budget) as graph:
        return _garbage_in(graph, budget, older)


def _garbage_in(graph: Graph, budget: Budget, older: Collection[int]) -> CycleReport:
    if older:
        graph.drop({node for node in graph.nodes if id(graph.object_of(node)) in older})
    found = components(graph.successors)
    own = own_nodes(graph, found)
    if own:
        graph.drop(own)
        found = [component for component in found if own.isdisjoint(component)]
    draft = _Draft(budget)
    draft.note_build()
    draft.add(graph, found, "garbage")
    draft.objects = len(graph.nodes)
    draft.size = draft.shapes.whole
    return draft.report()


def garbage_among(
    candidates: list[object], budget: Budget
) -> tuple[CycleReport, frozenset[int]]:
    """Return the garbage cycles that only these objects are on, and what is garbage.

    Args:
        candidates: Objects that nobody else of ours refers to.
        budget: How much to look at.
    """
    room = budget.room
    budget.spend(len(candidates), STAGE)
    if room is not None:
        del candidates[room:]
    candidates[:] = compress(candidates, map(is_not, candidates, repeat(hazard())))
    with garbage.confirmed(garbage.without_held(candidates, budget)) as graph:
        found = frozenset(map(id, map(graph.object_of, graph.nodes)))
        report = _garbage_in(graph, budget, ())
        if MATERIALISED in report.limits:
            found = found.union(_dicts_in(graph))
        return report, found


def _dicts_in(graph: Graph) -> Iterator[int]:
    """Yield identities of the ``__dict__`` of instances: naming may have made it."""
    for owner in map(graph.object_of, graph.nodes):
        if has_managed_dict(type(owner)) and has_dict(owner):
            for thing in gc.get_referents(owner):
                if is_dict_of(owner, thing):
                    yield id(thing)


def garbage_kept(
    found: list[object],
    budget: Budget,
    older: Collection[int],
    holders: Sequence[Sequence[object]],
) -> CycleReport:
    """Return the cycles in what a collection found, some of it reported before.

    The holders are what of ours refers to it.
    """
    with graphs.capture(found, holders) as graph:
        return _garbage_in(graph, budget, older)


def cycles_among(
    groups: Sequence[Sequence[object]],
    budget: Budget,
    holders: Sequence[Sequence[object]],
) -> CycleReport:
    """Return the cycles on which there are none but the objects of these groups.

    All are alive; the holders are what else of ours refers to them.
    """
    objects = list(chain.from_iterable(groups))
    bookkeeping = Bookkeeping()
    bookkeeping.note(objects)  # also those that go: their namespaces stay
    objects = bookkeeping.without(_held_by_each_other(objects))
    return _among(objects, budget, frozenset(), [*groups, *holders])


def _held_by_each_other(objects: list[object]) -> list[object]:
    """Return the objects without most of those that are on no cycle.

    Nothing is on a cycle of these that none of them refers to; without it others may
    be as free.
    """
    while objects:
        held = held_by(objects)
        left = list(compress(objects, map(held.__contains__, map(id, objects))))
        if len(left) * 2 > len(objects):
            return left
        objects = left
    return objects


def garbage_ids(budget: Budget) -> frozenset[int]:
    """Return the identities of all garbage there is."""
    with garbage.find_garbage(budget) as graph:
        return frozenset(map(id, map(graph.object_of, graph.nodes)))


def live_cycles(budget: Budget) -> CycleReport:
    """Return every cycle of this process, those that wait for the collector too."""
    waiting = garbage_ids(budget)
    budget.look_again()
    return _among(_program_objects(budget), budget, waiting)


def _program_objects(budget: Budget) -> list[object]:
    """Return what the collector tracks, bookkeeping apart; nothing else holds it."""
    objects = listed()
    room = budget.room
    budget.spend(len(objects), STAGE)
    if room is not None:
        del objects[room:]
    return Bookkeeping().without(objects)


def cycles_through(roots: Sequence[object], budget: Budget) -> CycleReport:
    """Return the cycles that some objects are on or lead to."""
    return _among(Bookkeeping().reached_from(roots, budget), budget, frozenset())


def _has_running(objects: Sequence[object]) -> bool:
    """Return whether a function runs whose frame is among some objects.

    Others seldom have a frame, which is made when it is asked for.
    """
    if not _HIDES_RUNNING:
        return False
    kinds = map(type, objects)
    frames = set(map(id, compress(objects, map(is_, kinds, repeat(FrameType)))))
    return bool(frames) and not frames.isdisjoint(
        map(id, running_frames(sys._getframe()))
    )


def _among(
    objects: list[object],
    budget: Budget,
    waiting: Collection[int],
    holders: Sequence[Sequence[object]] = (),
) -> CycleReport:
    """Return the cycles of which all members are among these objects."""
    draft = _Draft(budget)
    if budget.is_out_of_time:
        return draft.report()
    draft.limits[APART] = None
    if _has_running(objects):
        draft.limits[RUNNING] = None
    with graphs.capture(objects, holders) as graph:
        kinds: dict[CycleKind, list[Component]] = {"garbage": [], "live": []}
        for component in components(graph.successors):
            is_garbage = id(graph.object_of(component[0])) in waiting
            kinds["garbage" if is_garbage else "live"].append(component)
        for kind, found in kinds.items():
            draft.add(graph, found, kind)
            for component in found:
                draft.objects += len(component)
                draft.size += draft.shapes.size(component)
        return draft.report()


class _Draft:
    """A report in the making."""

    shapes: Shapes

    def __init__(self, budget: Budget) -> None:
        self.budget: Budget = budget
        self.groups: dict[tuple[CycleKind, str], CycleGroup] = {}
        self.limits: dict[str, None] = {}
        self.likely: Likely = defaultdict(dict)
        """Names that are tried first: members of other cycles had them."""
        self.objects: int = 0
        self.size: int = 0
        self.unnamed: int = 0

    def note_build(self) -> None:
        """Say what cannot be seen here."""
        if FREE_THREADED:  # pragma: no cover  # no such build here
            self.limits[garbage.UNEXACT] = None
        frozen = frozen_count()
        if frozen:
            self.limits[
                f"{frozen:,} frozen objects (gc.freeze) count as alive, and so does "
                "what they lead to"
            ] = None

    def add(self, graph: Graph, found: list[Component], kind: CycleKind) -> None:
        """Add the components of a graph."""
        self.shapes = Shapes(graph)
        for look, size in self.shapes.alike(found):
            if self._is_full():
                self.unnamed += len(look)
                continue
            by_name = sort_by_names(graph, look, self.budget)
            self.unnamed += by_name.unnamed
            if by_name.materialised:
                self.limits[MATERIALISED] = None
            if by_name.has_unknown:
                self.limits[UNTOLD] = None
            for group in by_name.groups:
                if self._is_full():
                    self.unnamed += len(group)
                else:
                    whole = size if group is look else self.shapes.size(chain(*group))
                    self._add_group(graph, group, whole, kind)

    def _is_full(self) -> bool:
        """Whether no more groups are to be named."""
        late = bool(self.groups) and self.budget.is_out_of_time
        return late or len(self.groups) >= _MOST_GROUPS

    def _add_group(
        self, graph: Graph, group: list[Component], size: int, kind: CycleKind
    ) -> None:
        of_example = self.shapes.size(group[0])
        prints = {fingerprint for each, fingerprint in self.groups if each == kind}
        explained = explain(
            graph, group[0], of_example, self.budget, prints, likely=self.likely
        )
        key = kind, explained.fingerprint
        known = self.groups.get(key)
        if known is None:
            self._note_limits(explained)
        if explained.materialised:
            self.limits[MATERIALISED] = None
        self.groups[key] = CycleGroup(
            kind=kind,
            count=len(group) + (known.count if known else 0),
            example=known.example if known else explained.cycle,
            fingerprint=explained.fingerprint,
            type_names=explained.type_names,
            objects=sum(map(len, group)) + (known.objects if known else 0),
            size=size + (known.size if known else 0),
        )

    def _note_limits(self, explained: Explained) -> None:
        cycle = explained.cycle
        sentences = {
            LONG: cycle.length > MOST_SHOWN,
            LARGE: cycle.cuts > MOST_CUTS,
            UNCUT: not cycle.cuts,
            UNWEIGHED: cycle.held is None,
        }
        self.limits.update(
            dict.fromkeys([sentence for sentence, holds in sentences.items() if holds])
        )

    def report(self) -> CycleReport:
        """Return what was found."""
        if self.unnamed:
            self.limits[
                f"{self.unnamed:,} more cycles are counted and not named: too many "
                "shapes, or no time left"
            ] = None
        groups = sorted_groups(self.groups.values())
        return CycleReport(
            complete=not (self.budget.is_spent or self.unnamed),
            limits=(*self.budget.limits, *self.limits),
            groups=tuple(with_functions(groups)),
            objects=self.objects,
            size=self.size,
            uncollectable=len(gc.garbage),
        )
