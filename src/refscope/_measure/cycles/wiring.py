"""One component with every reference named, ready to be searched for loops and cuts.

Steps that a reader does not think of are taken together with the one before: an
instance's ``__dict__``, and the frame object of a generator (3.10, or where somebody
asked for it).  So the same program has the same loops on every Python.
"""

from __future__ import annotations

import gc
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from types import CellType, FrameType, FunctionType
from typing import TypeAlias, cast

from refscope._measure.algorithms.feedback import Edge
from refscope._measure.cpython.classes import has_managed_dict, is_class, type_name
from refscope._measure.cpython.frames import names_in, snapshot_of
from refscope._measure.cpython.managed import has_dict
from refscope._measure.heap.graphs import Graph
from refscope._measure.names.access import collapsed_in
from refscope._measure.names.code import STACK
from refscope._measure.names.describe import describe
from refscope._measure.names.table import edges
from refscope.reports import HeapObject, Reference
from refscope.reports._heap import shape_of


UNKNOWN = "<?>"

_STRUCTURE = frozenset(
    {
        ".__base__",
        ".__bases__",
        ".__builtins__",
        ".__globals__",
        ".__mro__",
        ".__objclass__",
        ".f_back",
        ".f_builtins",
        ".f_globals",
        "<class>",
        "<function>",
        "<mapping>",
        "<module>",
        "<part>",
        "<subclasses>",
    }
)
_DESCRIPTORS = frozenset({".__dict__['__dict__']", ".__dict__['__weakref__']"})
"""What a class has up to 3.14; its ``__mro__`` leads back to it everywhere."""
_AWAITED = {
    ".gi_frame": ".gi_yieldfrom",
    ".cr_frame": ".cr_await",
    ".ag_frame": ".ag_await",
}
_FRAMES = tuple(_AWAITED)


Likely: TypeAlias = "defaultdict[int, dict[str, None]]"
"""Names of attributes by type, which objects that live have had."""


class Wiring:
    """Named references between objects; nodes are numbered from 0."""

    __slots__ = ("_described", "_likely", "materialised", "names", "objects", "types")

    def __init__(self, objects: Sequence[object], likely: Likely | None = None) -> None:
        self.objects: Sequence[object] = objects
        self.types: list[str] = [type_name(type(thing)) for thing in objects]
        """Names of the objects' types."""
        self.names: dict[Edge, list[str]] = {}
        """How a node refers to another, one name for each reference."""
        self.materialised: int = 0
        """Objects that had to be changed a little to name what is in them."""

        self._described: dict[int, HeapObject] = {}
        self._likely: Likely = defaultdict(dict) if likely is None else likely

    def successors(self, level: int) -> list[list[int]]:
        """Return the graph of references up to a level, in an order by their names.

        Level 0 leaves out how classes and frames refer to themselves and each other,
        1 and 2 leave out less; 3 is everything.
        """
        rows: list[list[tuple[str, str, int]]] = [[] for _ in self.objects]
        for (node, other), names in self.names.items():
            shown = [name for name in names if level_of(name) <= level]
            if shown:
                rows[node].append((min(shown), self.types[other], other))
        return [[other for _, _, other in sorted(row)] for row in rows]

    def named(
        self, holder: object, wanted: Mapping[int, int], *, materialise: bool = False
    ) -> list[tuple[str, object]]:
        """Return how an object refers to those that are wanted.

        With ``materialise`` the ``__dict__`` of an instance is made where there is no
        other way to a name.  It stays.
        """
        empty = _empty_tables(holder)
        known = edges(holder, likely=self._likely[id(type(holder))])
        found = [edge for edge in known if id(edge[1]) in wanted]
        unknown = [name for name, _ in found].count(None)
        if sys.version_info < (3, 12) and type(holder) is FrameType:
            if not snapshot_of(holder, holder):  # f_locals was made, and emptied
                self.materialised += 1
            _empty(empty, names_in(holder.f_code))
        if materialise and unknown:
            had_none = has_managed_dict(type(holder)) and not has_dict(holder)
            again = edges(holder, materialise=True)
            found = [edge for edge in again if id(edge[1]) in wanted]
            is_less = [name for name, _ in found].count(None) < unknown
            self.materialised += is_less or (had_none and has_dict(holder))
        return [(UNKNOWN if name is None else name, other) for name, other in found]

    def name_unknown(self, shown: Iterable[Edge]) -> None:
        """Name references that are shown, at any price.

        All of an object together: once its ``__dict__`` is made, it is that which has
        them (3.11, 3.12).
        """
        unknown: defaultdict[int, dict[int, int]] = defaultdict(dict)
        for node, other in shown:
            if UNKNOWN in self.names[node, other]:
                unknown[node][id(self.objects[other])] = other
        for node, wanted in unknown.items():
            again: defaultdict[int, list[str]] = defaultdict(list)
            for name, thing in self.named(self.objects[node], wanted, materialise=True):
                again[id(thing)].append(name)
            for key, names in again.items():
                self.names[node, wanted[key]] = names

    def shape(self, edge: Edge) -> tuple[str, str]:
        """Return what a fingerprint says of a reference."""
        return self.types[edge[0]], shape_of(best_name(self.names[edge]))

    def reference(self, edge: Edge, name: str) -> Reference:
        """Return one reference as a report has it."""
        node, other = edge
        return Reference(
            holder=self._describe(node), target=self._describe(other), name=name
        )

    def _describe(self, node: int) -> HeapObject:
        known = self._described.get(node)
        if known is None:
            known = self._described[node] = describe(self.objects[node])
        return known


def level_of(name: str) -> int:
    """Return how much a reference is the bookkeeping of Python, from 0 to 3."""
    if name in _STRUCTURE:
        return 2
    if name in _DESCRIPTORS:
        return 3
    return 1 if name == ".__class__" else 0


def _empty_tables(holder: object) -> list[dict[object, object]]:
    """Return the empty dictionaries of a frame: f_locals may be one (3.10, 3.11)."""
    if sys.version_info >= (3, 12) or type(holder) is not FrameType:
        return []
    return [
        thing for thing in gc.get_referents(holder) if type(thing) is dict and not thing
    ]


def _empty(tables: list[dict[object, object]], variables: tuple[str, ...]) -> None:
    """Empty again what naming has filled, which the graph kept it from emptying."""
    for table in tables:
        if sys.gettrace() is None and all(key in variables for key in table):
            table.clear()  # pragma: no cover  # coverage is a hook, which may own it


_FEW = 20
"""Members of a component of which nearly every reference is shown."""


def wire(
    graph: Graph,
    nodes: Sequence[int],
    *,
    at_any_price: bool = True,
    likely: Likely | None = None,
) -> Wiring:
    """Return the wiring between nodes of a graph.

    A few are named at any price, if the graph is not to be wired again.  What names
    others of the graph had is tried first, and added to.
    """
    wiring = Wiring([graph.object_of(node) for node in nodes], likely)
    place_of = {id(thing): place for place, thing in enumerate(wiring.objects)}
    few = at_any_price and len(nodes) <= _FEW
    for place, thing in enumerate(wiring.objects):
        for name, other in wiring.named(thing, place_of, materialise=few):
            wiring.names.setdefault((place, place_of[id(other)]), []).append(name)
    _name_cells(wiring)
    alone = [graph.counts[node] == 1 for node in nodes]
    _join_steps(wiring, alone)
    return wiring


def _name_cells(wiring: Wiring) -> None:
    """Name the cells of a closure by their variables, which its function knows."""
    closures = {
        other: wiring.objects[node]
        for (node, other), names in wiring.names.items()
        if ".__closure__" in names
    }
    for (node, other), names in wiring.names.items():
        if node in closures and type(wiring.objects[other]) is CellType:
            variables = cast("FunctionType", closures[node]).__code__.co_freevars
            names[:] = [f"<cell {variables[int(name[1:-1])]}>" for name in names]


def _join_steps(wiring: Wiring, alone: Sequence[bool]) -> None:
    """Take two steps together where a reader sees one."""
    inside: dict[int, list[Edge]] = {}
    for edge in wiring.names:
        inside.setdefault(edge[0], []).append(edge)
    for (node, middle), firsts in list(wiring.names.items()):
        if firsts not in _CARRYING or not alone[middle]:
            continue
        owner = wiring.objects[node]
        steps = {
            edge: [joined(owner, firsts[0], second) for second in wiring.names[edge]]
            for edge in inside.get(middle, ())
        }
        if None not in chain.from_iterable(steps.values()):
            del wiring.names[node, middle]
            for edge, names in steps.items():
                del wiring.names[edge]
                known = wiring.names.setdefault((node, edge[1]), [])
                known.extend(cast("list[str]", names))
                if firsts[0] in _AWAITED:
                    _name_awaited(wiring, (node, edge[1]), _AWAITED[firsts[0]])


def _name_awaited(wiring: Wiring, edge: Edge, name: str) -> None:
    """Name what is waited for, which is on the stack of the frame (3.10)."""
    names = wiring.names[edge]
    awaited = getattr(wiring.objects[edge[0]], name[1:], None)
    if awaited is wiring.objects[edge[1]]:
        names[:] = [name if known.startswith(STACK) else known for known in names]


_CARRYING = ([".__dict__"], *[[name] for name in _FRAMES])


def joined(owner: object, first: str, second: str) -> str | None:
    """Return the name of two steps taken together; None for two that stay apart."""
    if first in _FRAMES:
        return second if second[:1] == "<" else None
    if second[:4] == "['__" and is_class(owner):  # its own attributes are others
        return first + second
    return collapsed_in(owner, first, second)


def best_name(names: Iterable[str]) -> str:
    """Return the name to show of several references between the same two objects."""
    return min(names, key=_rank)


def _rank(name: str) -> tuple[int, bool, str]:
    """Return in which order names are shown: a variable before a stack."""
    return level_of(name), name.startswith(STACK), name
