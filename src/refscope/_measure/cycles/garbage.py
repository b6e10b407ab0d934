"""What the collector would free, found without touching it.

The collector's own algorithm (InternalDocs/garbage_collector.md in CPython) as a
query: take the reference count of every object, take off the references that come from
objects, and spread from what is left over; the rest is garbage.  No finalizer runs
and no weak reference dies.

Counting is the dear part, so whatever the modules lead to is set aside before, and
much of what running code holds: that lives, and refers to nothing else.  The others are
candidates.  Threads move references meanwhile, but garbage cannot change, so it is
always among the candidates.  These are counted at a single moment, against each other
alone, and once more at a later one.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from itertools import chain, compress, filterfalse, repeat
from operator import gt, ne, not_
from types import CodeType, FunctionType, MethodDescriptorType, ModuleType

from refscope._measure.algorithms.reach import reachable
from refscope._measure.budget import Budget
from refscope._measure.cpython.borrowing import GENERATORS, may_own_less
from refscope._measure.cpython.classes import FREE_THREADED, is_metaclass
from refscope._measure.cpython.frozen import frozen_count
from refscope._measure.cpython.hazards import hazard
from refscope._measure.cpython.interpreter import BORROWS, count_elements
from refscope._measure.cpython.listed import listed
from refscope._measure.heap import graphs
from refscope._measure.heap.graphs import Graph
from refscope._measure.names.attributes import get_module_dict

from .outside import held_outside


UNEXACT = (
    "this build keeps no exact reference counts for functions, classes, modules and "
    "code: they count as alive, and so does what they lead to"
)


def find_garbage(budget: Budget, *, free_threaded: bool = FREE_THREADED) -> Graph:
    """Return the graph of all garbage; automatic collections must be switched off."""
    return confirmed(_candidates(budget), free_threaded=free_threaded)


def confirmed(
    candidates: list[object], *, free_threaded: bool = FREE_THREADED
) -> Graph:
    """Return the graph of those candidates that only candidates refer to."""
    graph = graphs.capture(candidates)
    inner, counts = _inner_counts(graph), graph.counts
    nobody = _unreferenced(graph, inner)
    held = [node for node, found in inner.items() if counts[node] > found]
    held += [node for node in nobody if counts[node] > 0]
    if free_threaded:
        held += [*_changed(graph), *_uncounted_in(graph)]
    again = list(graphs.counts_of(candidates))
    if again != graph.counts:
        held += compress(range(len(graph)), map(ne, graph.counts, again))
    dropped: set[int] = reachable(graph.successors, held) if held else set()
    dropped |= _dying(graph, inner, nobody, dropped)
    if dropped:
        graph.drop(dropped)
    return graph


def _candidates(budget: Budget) -> list[object]:
    """Return what neither the modules nor what running code holds leads to."""
    objects = listed()  # young ones first
    room = budget.room
    budget.spend(len(objects), _FOLLOWING)
    if room is not None:
        del objects[room:]
    is_large = room is None and len(objects) > _FEW
    alive: list[object] = [sys.modules]
    # Who holds a frame of ours must not lead to the list of everything.
    reached = {id(sys.modules), id(objects)}
    avoided = hazard()
    if avoided is not None:
        reached.add(id(avoided))
        alive.append(get_module_dict(avoided))
    # gc.get_freeze_count goes through them all.
    free = _FREE if is_large and not frozen_count() else 0
    _spread(alive, reached, objects, budget, free=free)
    if is_large and not FREE_THREADED:  # it takes exact counts
        alive = held_outside(objects, reached, budget)
        reached.update(map(id, alive))
        _spread(alive, reached, objects, budget, free=free)
    return [] if budget.is_out_of_time else _others(objects, reached)


_FOLLOWING = "following what is alive"
_CHUNK = 512
"""Objects taken together: what they refer to fits a cache."""
_FEW = 50_000
"""Objects that are quickly told from others."""
_FREE = 100
"""Levels of references that may lead to objects which are not on the list."""


def _spread(
    alive: list[object],
    reached: set[int],
    others: list[object],
    budget: Budget,
    *,
    free: int = 0,
) -> None:
    """Add to the reached ones those of the others that these lead to.

    So many levels may lead anywhere, which is quicker.  A thread may add to what is
    new as fast as it is followed, so that this would never end.
    """
    within: set[int] | None = None
    while alive and not budget.is_out_of_time:
        if not free:
            within = set(map(id, others))
        free -= 1
        level: list[object] = []
        for start in range(0, len(alive), _CHUNK):
            found = gc.get_referents(*alive[start : start + _CHUNK])
            # Most are numbers and text, which are told sooner by a look at them.
            found = list(filter(gc.is_tracked, found))
            new = dict(zip(map(id, found), found, strict=True))
            for known in new.keys() & reached:
                del new[known]
            if within is not None:
                for outside in list(filterfalse(within.__contains__, new)):
                    del new[outside]
            reached.update(new)
            level += new.values()
        budget.spend(0, _FOLLOWING)
        alive = level


def _others(objects: list[object], reached: set[int]) -> list[object]:
    """Return the objects that were not reached."""
    return [thing for thing in objects if id(thing) not in reached]


def without_held(candidates: list[object], budget: Budget) -> list[object]:
    """Return what is left of candidates without most of what is alive.

    Garbage is held by garbage alone, whenever one looks: what has more references than
    the candidates have to it is alive, and so is what that leads to.  Quicker than the
    graph where little is left.  Nobody else of ours refers to them.
    """
    inner: dict[int, int] = {}
    referents = map(gc.get_referents, candidates)
    # Before identities: while memory is traced, each is an int that is traced.
    tracked = filter(gc.is_tracked, chain.from_iterable(referents))
    count_elements(inner, map(id, tracked))
    found = map(inner.get, map(id, candidates), repeat(0))
    [_, *counts] = graphs.counts_of(candidates)
    flags = list(map(gt, counts, found))
    alive = list(compress(candidates, flags))
    others = list(compress(candidates, map(not_, flags)))
    candidates.clear()
    if not others:
        return []
    reached: set[int] = set()
    _spread(alive, reached, others, budget)
    return _others(others, reached)


def _inner_counts(graph: Graph) -> dict[int, int]:
    """Return by node how often the nodes refer to it.

    Since 3.14 a generator that waits inside of an expression can have an object twice
    and own one reference.  Counted as one, an object in two variables may seem alive
    that is garbage; counted as two, one may seem garbage that is alive.
    """
    counts: dict[int, int] = {}
    count_elements(counts, chain.from_iterable(graph.successors))
    if BORROWS:
        for following in _borrowers(graph):
            for other in set(following):
                counts[other] -= following.count(other) - 1
    return counts


def _borrowers(graph: Graph) -> Iterator[tuple[int, ...]]:
    """Yield what those objects refer to that may not own some of it."""
    # Not graph.kinds, which holds the types, and they are counted once more.
    kinds = map(id, map(type, graph.objects))
    pairs = zip(graph.objects, graph.successors[1:], strict=True)
    known: dict[int, bool] = {}
    for thing, following in compress(pairs, map(GENERATORS.__contains__, kinds)):
        if len(following) > len(set(following)) and may_own_less(thing, known):
            yield following


def _unreferenced(graph: Graph, inner: dict[int, int]) -> list[int]:
    """Return the nodes that no node refers to."""
    if len(inner) == len(graph) - 1:
        return []
    return list(filterfalse(inner.__contains__, graph.nodes))


def _dying(
    graph: Graph, inner: dict[int, int], unreferenced: list[int], alive: set[int]
) -> set[int]:
    """Return objects that nobody refers to, and what goes with them.

    They are no garbage: another thread let go of them, and the list of candidates is
    what held them.
    """
    nobody = list(filterfalse(alive.__contains__, unreferenced))
    dying: set[int] = set()
    while nobody:
        node = nobody.pop()
        dying.add(node)
        for other in graph.successors[node]:
            inner[other] -= 1
            if not inner[other] and other not in alive:
                nobody.append(other)
    return dying


_DEFERRED = frozenset(
    map(id, (CodeType, FunctionType, MethodDescriptorType, ModuleType))
)


def _changed(graph: Graph) -> Iterator[int]:
    """Yield the nodes that are not as they were; without a global lock some may be."""
    again = graphs.capture(graph.objects)
    pairs = zip(graph.successors, again.successors, strict=True)
    for node, (before, after) in enumerate(pairs):
        if before != after or graph.counts[node] != again.counts[node]:
            yield node


def _uncounted_in(graph: Graph) -> Iterator[int]:
    chosen = set(map(id, _uncounted(graph.objects)))
    for node in graph.nodes:
        if id(graph.object_of(node)) in chosen:
            yield node


def _uncounted(objects: list[object]) -> list[object]:
    """Return those whose count is deferred or split on a free-threaded build."""
    kinds = dict(zip(map(id, map(type, objects)), map(type, objects), strict=True))
    chosen = {
        key for key, kind in kinds.items() if key in _DEFERRED or is_metaclass(kind)
    }
    return list(
        compress(objects, map(chosen.__contains__, map(id, map(type, objects))))
    )
