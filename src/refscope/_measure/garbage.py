"""What the collector would free, found without touching it.

The collector's own algorithm (InternalDocs/garbage_collector.md in CPython) as a
query: take the reference count of every object, take off the references that come from
objects, and spread from what is left over; the rest is garbage.  No finalizer runs
and no weak reference dies.

Other threads move references while the heap is counted.  So what the first pass finds
are candidates: garbage cannot change, and is always among them.  They are counted
once more at a single moment, against each other alone; what is held from outside of
them lives, and so does what that leads to.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from itertools import chain, compress, repeat
from operator import gt, sub
from sys import getrefcount
from types import CodeType, FunctionType, MethodDescriptorType, ModuleType

from . import heap
from .algorithms.reach import reachable
from .budget import CHUNK, Budget
from .classes import FREE_THREADED, is_metaclass
from .heap import Graph
from .interpreter import count_elements


UNEXACT = (
    "this build keeps no exact reference counts for functions, classes, modules and "
    "code: they count as alive, and so does what they lead to"
)


def find_garbage(budget: Budget, *, free_threaded: bool = FREE_THREADED) -> Graph:
    """Return the graph of all garbage; automatic collections must be switched off."""
    candidates = _candidates(budget, free_threaded=free_threaded)
    return confirmed(candidates, free_threaded=free_threaded)


def confirmed(
    candidates: list[object], *, free_threaded: bool = FREE_THREADED
) -> Graph:
    """Return the graph of those candidates that only candidates refer to."""
    graph = heap.capture(candidates)
    inner = _inner_counts(graph)
    nodes = range(len(graph))
    held = list(
        compress(nodes, map(gt, graph.counts, map(inner.get, nodes, repeat(0))))
    )
    if free_threaded:
        held += [*_changed(graph), *_uncounted_in(graph)]
    dropped = reachable(graph.successors, held) if held else set()
    dropped |= _dying(graph, inner, dropped)
    if dropped:
        graph.drop(dropped)
    return graph


def _candidates(budget: Budget, *, free_threaded: bool) -> list[object]:
    """Return garbage, and what other threads made look like it."""
    objects = gc.get_objects()  # young ones first
    room = budget.room
    complete = budget.spend(len(objects), "counting references")
    if room is not None:
        del objects[room:]
    inner = _references_between(objects, budget)
    if not complete and budget.is_out_of_time:
        return []
    ids = list(map(id, objects))
    outer = map(sub, map(getrefcount, objects), map(inner.get, ids, repeat(0)))
    alive = list(compress(objects, map(_OWN.__lt__, outer)))
    if free_threaded:
        alive += _uncounted(objects)
    del inner, outer
    unreached = dict.fromkeys(ids)
    _forget_reached(alive, unreached, budget)
    if budget.is_out_of_time:
        return []
    return list(compress(objects, map(unreached.__contains__, ids)))


def _references_between(objects: list[object], budget: Budget) -> dict[int, int]:
    """Return by identity how often each object is referred to by these.

    Not with Counter(iterable): its isinstance(x, Mapping) clears the negative cache
    of an abstract class, whose weak references would then look like garbage.
    """
    counts: dict[int, int] = {}
    for step in heap.steps_of(objects):
        count_elements(counts, map(id, heap.flat(step)))
        if not budget.spend(0, "counting references") and budget.is_out_of_time:
            break
    return counts


def _forget_reached(
    alive: list[object], unreached: dict[int, None], budget: Budget
) -> None:
    """Take out of ``unreached`` whatever these objects lead to.

    One level of references after the other, in steps that fit an argument tuple.
    """
    left, drop = unreached.keys(), unreached.pop
    deque(map(drop, map(id, alive), repeat(None)), maxlen=0)
    while alive and not budget.is_out_of_time:
        level: list[object] = []
        for start in range(0, len(alive), CHUNK):
            found = gc.get_referents(*alive[start : start + CHUNK])
            by_id = dict(zip(map(id, found), found, strict=True))
            new = by_id.keys() & left
            level.extend(map(by_id.__getitem__, new))
            deque(map(drop, new), maxlen=0)
        budget.spend(0, "following what is alive")
        alive = level


_DEFERRED = frozenset(
    map(id, (CodeType, FunctionType, MethodDescriptorType, ModuleType))
)


def _own_references() -> int:
    """Return what counting itself holds of an object that nobody else refers to."""
    alone = [object()]
    seen: list[int] = []
    list(compress(alone, map(seen.append, map(getrefcount, alone))))
    return seen[0]


_OWN = _own_references()


def _inner_counts(graph: Graph) -> dict[int, int]:
    """Return by node how often the nodes refer to it."""
    counts: dict[int, int] = {}
    count_elements(counts, chain.from_iterable(graph.successors))
    return counts


def _dying(graph: Graph, inner: dict[int, int], alive: set[int]) -> set[int]:
    """Return objects that nobody refers to, and what goes with them.

    They are no garbage: another thread let go of them, and the list of candidates is
    what held them.
    """
    if len(inner) == len(graph) - 1:
        return set()
    nobody = [node for node in graph.nodes if node not in inner and node not in alive]
    dying: set[int] = set()
    while nobody:
        node = nobody.pop()
        dying.add(node)
        for other in graph.successors[node]:
            inner[other] -= 1
            if not inner[other] and other not in alive:
                nobody.append(other)
    return dying


def _changed(graph: Graph) -> Iterator[int]:
    """Yield the nodes that are not as they were; without a global lock some may be."""
    again = heap.capture(graph.objects)
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
