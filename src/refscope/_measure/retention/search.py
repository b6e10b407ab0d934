"""Which roots keep an object alive: shortest paths, every step with its name.

The heap is searched backwards from the object, a whole level of holders at a time
(``gc.get_referrers`` of many objects takes one look at the heap).  Where that finds
no root, or takes too many looks, the whole heap is looked at instead: that also sees
through containers that the collector does not track, and frozen objects.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from refscope._measure.algorithms.paths import Search
from refscope._measure.budget import Budget
from refscope._measure.cpython.classes import get_mro
from refscope._measure.cpython.frozen import frozen_count
from refscope._measure.heap import census
from refscope._measure.heap.keeping import Kept
from refscope._measure.heap.roots import (
    C_ONLY,
    CONTEXT,
    GIVEN,
    OURS,
    SIGNALS,
    Root,
    Roots,
)
from refscope._measure.names.access import collapsed_in, reads_items
from refscope._measure.names.code import STACK
from refscope._measure.names.describe import describe
from refscope.reports import Reference, ReferencePath
from refscope.reports._fingerprint import fingerprint
from refscope.reports._heap import shape_of

from .backwards import FREE_NAMES, Heap
from .inside import is_part_of_frame
from .nearby import Nearby
from .whole import Seen


_MOST_HOLDERS = 16
_MOST_CHOICES = 32

_REASONS = {
    GIVEN: "the function that is called",
    SIGNALS: "the signal module keeps it",
    CONTEXT: "the values of a running thread",
    OURS: "what refscope was given to call",
}


class Trail:
    """One path as live objects, from the root's to the subject."""

    __slots__ = ("names", "objects", "root")

    def __init__(self, root: str, objects: Kept[object], names: list[str]) -> None:
        self.root: str = root
        self.objects: Kept[object] = objects
        """What is on the path; a frame or other root comes first."""
        self.names: list[str] = names
        """How each refers to the next."""

    @property
    def reason(self) -> str | None:
        """Why the first object lives, None where its own type tells."""
        if type(self.objects[0]) is FrameType and self.root.startswith("thread "):
            return "a running function"
        return _REASONS.get(self.root)

    def lead_on(self, name: str, thing: object) -> None:
        """Add a step; one out of a ``__dict__`` or a frame is one with that to it."""
        names, objects = self.names, self.objects
        joined = collapsed_in(objects[-2], names[-1], name) if names else None
        if names and names[-1] in FREE_NAMES - {".__dict__"}:
            joined = name
        if joined is not None:
            names[-1] = joined
            objects[-1] = thing
        else:
            names.append(name)
            objects.append(thing)

    def report(self) -> ReferencePath:
        """Return the path as data."""
        nodes = [*map(describe, self.objects)]
        references = tuple(
            [
                Reference(holder=holder, target=target, name=name)
                for holder, target, name in zip(
                    nodes, nodes[1:], self.names, strict=False
                )
            ]
        )
        spelled = list(map(_spelled, self.names, self.objects))
        expression = expression_of(self.root, spelled)
        return path_of(self.root, references, expression)


class Found:
    """The paths that a search found, and what it knows of the other holders."""

    __slots__ = ("has_materialised", "loops", "more", "trails")

    def __init__(self, trails: list[Trail], more: int, loops: int) -> None:
        self.trails: list[Trail] = trails
        """A shortest path for each independent holder."""
        self.more: int = more
        """How many holders were not followed, because there are too many."""
        self.loops: int = loops
        """How many are held by nothing but what they hold themselves."""
        self.has_materialised: bool = False
        """Whether something was made to find a name, and stays."""

    @property
    def is_by_c(self) -> bool:
        """Whether no path begins at anything that Python can see."""
        return all(trail.root == C_ONLY for trail in self.trails)


census.own(Trail, Found, Root, Search)


def find_trails(  # noqa: PLR0913  # one for each choice of a searcher
    subject: object,
    budget: Budget,
    *,
    given: object = None,
    most_holders: int = _MOST_HOLDERS,
    is_thorough: bool = False,
    seen: Seen | None = None,
) -> Found:
    """Return a shortest path for each independent holder, and what was left out.

    Where no root is found, paths begin at what nothing in Python holds; in a thorough
    search those are there beside the others.  Frozen holders are in no list: if there
    are others, they are looked for in a thorough search only.

    What others of the same moment have ``seen`` is not looked for again; it holds what
    it has seen until it is cleared.
    """
    heap = Heap(Roots(), budget, given, seen=seen)
    try:
        found = _found(heap, subject, budget, most_holders, is_thorough=is_thorough)
    finally:
        heap.clear()
    if given is None or not found.is_by_c:
        return found
    beyond = None if seen is None else seen.by_given()
    return find_trails_by(given, subject, budget, most_holders, beyond) or found


def find_nearest(
    subject: object,
    count: int,
    budget: Budget,
    nearby: Nearby | None,
    seen: Seen | None = None,
) -> Trail | None:
    """Return a shortest path to an object, None if there is none.

    Args:
        subject: The object.
        count: How many references to it are the program's.
        budget: How much to look at.
        nearby: What is looked at before the heap, if anything.
        seen: What other searches of the same moment have seen.
    """
    roots = Roots() if nearby is None else nearby.roots
    heap = Heap(roots, budget, nearby=nearby, seen=seen)
    heap.seek_nearest(subject, count)
    try:
        found = _found(heap, subject, budget, _MOST_HOLDERS)
    finally:
        heap.clear()
    return found.trails[0] if found.trails else None


def find_trails_by(
    given: object,
    subject: object,
    budget: Budget,
    most_holders: int,
    seen: Seen | None = None,
) -> Found | None:
    """Return paths that begin at a thing of the caller's, None if there are none."""
    heap = Heap(Roots(given), budget, seen=seen)
    try:
        found = _found(heap, subject, budget, most_holders)
    finally:
        heap.clear()
    return None if found.is_by_c else found


def _found(
    heap: Heap,
    subject: object,
    budget: Budget,
    most_holders: int,
    *,
    is_thorough: bool = False,
) -> Found:
    target = heap.add(subject)
    search, is_whole = _searched(heap, target, most_holders, is_thorough=is_thorough)
    # What holds an object that is not tracked may itself be in no list.
    is_hidden = is_thorough and (frozen_count() > 0 or not gc.is_tracked(subject))
    may_see_more = is_hidden or not is_whole or _may_see_more(search, subject, heap)
    if may_see_more and not heap.sees_all and not budget.is_spent:
        heap.see_all()
        search, is_whole = _searched(
            heap, target, most_holders, is_thorough=is_thorough
        )
    trails = [
        trail
        for bit in search.holders.values()
        for trail in _trails_of(search, heap, bit, is_thorough=is_thorough)
    ]
    trails.sort(key=_by_length)
    loops = search.looped_bits.bit_count() if is_whole else 0
    found = Found(trails, len(search.more_holders), loops)
    found.has_materialised = heap.has_materialised
    return found


def _searched(
    heap: Heap, target: int, most_holders: int, *, is_thorough: bool
) -> tuple[Search, bool]:
    """Return the search, and whether it came to an end.

    No frame that has ended when the paths are made may have had the object itself: a
    trace hook leaves a dictionary of its variables (up to 3.11).

    Where tokens hold the context of this thread, it is no end: then it is made a root.
    """
    search, is_whole = _run(heap, target, most_holders)
    is_lost = bool(search.lost_bits if is_thorough else not search.roots)
    if is_lost and heap.note_context():
        search, is_whole = _run(heap, target, most_holders)
    return search, is_whole


def _run(heap: Heap, target: int, most_holders: int) -> tuple[Search, bool]:
    search = Search(target, most_holders)
    nearest = heap.modules if heap.is_for_nearest else None
    is_whole = search.run(heap.holders, heap.roots.is_root, heap.may_go_on, nearest)
    return search, is_whole


def _may_see_more(search: Search, subject: object, heap: Heap) -> bool:
    """Return whether a look at everything can find what was not found."""
    if not search.holders:
        return not heap.roots.is_root(id(subject))
    return not search.roots or bool(search.lost_bits and frozen_count())


def _trails_of(
    search: Search, heap: Heap, bit: int, *, is_thorough: bool
) -> Iterator[Trail]:
    """Yield the path of one holder: from its best root, or from where C holds it."""
    starts = search.roots.get(bit)
    if starts:
        start = min(starts, key=heap.roots.rank)
        yield _trail(search, heap, bit, start, heap.roots.label(start))
    elif is_thorough or not search.roots:
        ends = search.ends_of(bit)
        if ends and not _is_inside(search, heap, bit, ends):
            end = min(ends, key=_distance_in(search, bit))
            is_ours = is_thorough and heap.is_kept_by_us(end)
            label = OURS if is_ours else end_label(heap.object_of(end))
            yield _trail(search, heap, bit, end, label)


def _is_inside(search: Search, heap: Heap, bit: int, ends: list[int]) -> bool:
    """Return whether a holder is a part of a frame that is on another path."""
    if ends != [node for node, own in search.holders.items() if own == bit]:
        return False
    roots = heap.roots.holders.get(search.target, ())
    return is_part_of_frame(heap.object_of(ends[0]), roots)


def _distance_in(search: Search, bit: int) -> Callable[[int], int]:
    return lambda node: search.distance(node, bit)


def _trail(search: Search, heap: Heap, bit: int, start: int, label: str) -> Trail:
    trail = Trail(label, Kept([heap.object_of(start)]), [])
    node = start
    while node != search.target:
        name, node = _best_step(search, heap, bit, node)
        trail.lead_on(name, heap.object_of(node))
    return trail


def _best_step(search: Search, heap: Heap, bit: int, node: int) -> tuple[str, int]:
    """Return the step whose name comes first: the same one in every run."""
    holder = heap.object_of(node)
    steps: list[tuple[tuple[bool, str], str, int]] = []
    for held in search.steps_after(node, bit)[:_MOST_CHOICES]:
        known = heap.roots.names.get((node, held))
        if heap.roots.module_of.get(held) is holder:
            known = ".__dict__"  # not asked for: see hazards
        found = [known]
        if known is None:
            found = heap.names_of(node, held)
        name = best_name(found)
        steps.append(((name == "<?>", shape_of(name)), name, held))
    _, name, held = min(steps)
    return name, held


def best_name(names: Sequence[str | None]) -> str:
    """Return one of several names: what Python can say before what describes it.

    A variable comes before the stack, where an error that is handled is as well.
    """
    known = [
        (name.startswith("<") + name.startswith(STACK), name)
        for name in names
        if name is not None
    ]
    return min(known, default=(2, "<?>"))[1]


def _by_length(trail: Trail) -> tuple[int, bool, str, list[str]]:
    return len(trail.names), trail.root == C_ONLY, trail.root, trail.names


def end_label(thing: object) -> str:
    """Return what is said of an object that only C holds."""
    names = {base.__name__ for base in get_mro(type(thing))}
    # A context that is frozen is in no list; then its values end in their tree.
    return CONTEXT if names & {"Context", "hamt"} else C_ONLY


def path_of(
    root: str, references: tuple[Reference, ...], expression: str | None
) -> ReferencePath:
    """Return a path with its fingerprint."""
    return ReferencePath(
        root=root,
        references=references,
        expression=expression,
        fingerprint=fingerprint("path", *shape_of_path(root, references)),
    )


def expression_of(root: str, names: Sequence[str]) -> str | None:
    """Return Python that leads to the end of a path, None if a step has no spelling.

    >>> expression_of("module shop", [".cart", "['a b']", "[...]"])
    "sys.modules['shop'].cart['a b'][...]"
    """
    module = root.removeprefix("module ")
    if root != "builtins" and module == root:
        return None
    if not all(name[:1] in {".", "["} for name in names):
        return None
    return f"sys.modules[{module!r}]" + "".join(names)


def _spelled(name: str, holder: object) -> str:
    """Return the name of a step as Python, without a key that is cut or runs code."""
    is_cut = name.endswith("...]")
    if not is_cut and (name[:1] != "[" or reads_items(holder)):
        return name
    return f"{name[: name.index('[')]}[...]"


def shape_of_path(root: str, references: Sequence[Reference]) -> list[str]:
    """Return a path without what differs between runs, machines and Pythons."""
    parts = ["".join([c for c in root if not c.isdigit()])]
    for reference in references:
        step = [_shape_of_name(reference.name), reference.target.type_name]
        if parts[-2:] != step:  # the length of a chain is no shape
            parts += step
    return parts


def _shape_of_name(name: str) -> str:
    if name.startswith(("<local ", "<evaluation ")):
        variable, _, function = name[1:-1].partition(" in ")
        # Up to 3.10 code does not know its qualified name.
        return f"<{variable} in {function.rpartition('.')[2]}>"
    return shape_of(name)
