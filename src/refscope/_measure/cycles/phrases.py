"""A loop of named references, in the words of advice."""

from __future__ import annotations

from collections.abc import Sequence
from types import CellType, FrameType, FunctionType, ModuleType
from typing import cast

from refscope._measure.algorithms.feedback import Edge
from refscope._measure.cpython.classes import identities, is_class, is_one_of
from refscope._measure.cpython.frames import place_in
from refscope._measure.names.describe import detail_of

from .costs import is_exception, is_kept_by_property
from .wiring import Wiring, best_name


_NAMED = identities(FunctionType, ModuleType)


class Loop:
    """A loop, and the reference on it that is best to cut."""

    __slots__ = ("cut", "edges", "wiring")

    def __init__(self, wiring: Wiring, edges: Sequence[Edge], cut: Edge | None) -> None:
        self.wiring: Wiring = wiring
        self.edges: Sequence[Edge] = edges
        self.cut: Edge = edges[0] if cut is None else cut

    def find(self, *kinds: type) -> Edge | None:
        """Return the first reference whose holder is of one of these types."""
        wanted = identities(*kinds)
        for edge in self.edges:
            if is_one_of(self.holder(edge), wanted):
                return edge
        return None

    def into(self, edge: Edge) -> Edge:
        """Return the reference before another one on the loop."""
        return self.edges[list(self.edges).index(edge) - 1]

    def name(self, edge: Edge) -> str:
        """Return how a reference is spelled."""
        return best_name(self.wiring.names[edge])

    def holder(self, edge: Edge) -> object:
        """Return the object that refers."""
        return self.wiring.objects[edge[0]]

    def target(self, edge: Edge) -> object:
        """Return the object that is referred to."""
        return self.wiring.objects[edge[1]]

    def spelled(self, edge: Edge) -> str:
        """Return type and name, as in ``Cat.cousin``; a variable stays alone."""
        name = self.name(edge)
        if has_variable(name):
            return variable(name)
        return f"{self.owner(edge)}{'.' * is_nameless(name)}{name}"

    def keeper(self, edge: Edge) -> str:
        """Return, spelled, what leads to the holder of a reference."""
        return self.spelled(self.keeping(edge))

    def keeping(self, edge: Edge) -> Edge:
        """Return the reference that leads to the holder of another one.

        Rather the attribute or variable that has a container than its item.
        """
        at = before = self.into(edge)
        while self.name(at)[:1] in "[{" or self.name(at) == ".__wrapped__":
            at = self.into(at)
        return before if at == edge else at

    def way(self, start: Edge, end: Edge) -> list[Edge]:
        """Return the references from one to another one on the loop."""
        edges = [*self.edges, *self.edges]
        first = edges.index(start)
        return edges[first : edges.index(end, first) + 1]

    def container(self, edge: Edge) -> str:
        """Return how a function says what has an item on the loop.

        There must be more than items on the loop.
        """
        before, items = self.into(edge), ""
        while self.name(before)[:1] == "[":
            before, items = self.into(before), self.name(before) + items
        name = self.name(before)
        if has_variable(name):
            return variable(name) + items
        return f"self{name}{items}" if name[:1] == "." else self.kind(edge)

    def owner(self, edge: Edge) -> str:
        """Return what a program calls the object that refers, or else its type."""
        holder = self.holder(edge)
        if not is_class(holder) and not is_one_of(holder, _NAMED):
            return self.kind(edge)
        name = (detail_of(holder) or "").rpartition(".")[2]
        return name if name.isidentifier() else self.kind(edge)

    def kind(self, edge: Edge) -> str:
        """Return the name of the type of the object that refers, without a module."""
        return self.wiring.types[edge[0]].rpartition(".")[2]


def variable(name: str) -> str:
    """Return the variable that a name is about.

    >>> variable("<local error in Shop.sell>"), variable("<cell self>")
    ('error', 'self')
    """
    return name[1:-1].partition(" in ")[0].rpartition(" ")[2]


def has_variable(name: str) -> bool:
    """Return whether a name is about a variable that a program can speak of.

    >>> has_variable("<local error in f>"), has_variable("<local .0 in <genexpr>>")
    (True, False)
    >>> has_variable("<cell self>"), has_variable("<items>"), has_variable("<cell>")
    (True, False, False)
    """
    return name[:6] in {"<local", "<cell "} and variable(name).isidentifier()


def is_nameless(name: str) -> bool:
    """Return whether Python has no spelling for a reference, only refscope has."""
    return name[:1] == "<" and not has_variable(name)


def is_variable(loop: Loop, edge: Edge) -> bool:
    """Return whether a reference is a variable of a function that is not suspended."""
    return type(loop.holder(edge)) is FrameType and loop.name(edge)[:7] == "<local "


def function_of(loop: Loop, edge: Edge) -> str:
    """Return the function whose frame refers."""
    return place_in(cast("FrameType", loop.holder(edge)).f_code)


def kept_by(loop: Loop, edge: Edge) -> str:
    """Return, spelled, what has a reference on the loop."""
    name = variable_of_cell(loop, edge)
    return f"the variable {name!r} of a closure" if name else loop.spelled(edge)


def variable_of_cell(loop: Loop, edge: Edge) -> str:
    """Return the variable in whose cell a reference on the loop is."""
    if type(loop.holder(edge)) is not CellType:
        return ""
    name = loop.name(loop.into(edge))
    return variable(name) if has_variable(name) else ""


def forgetting(loop: Loop, edge: Edge) -> str:
    """Return Python that forgets an exception, and others in a list with it.

    A tuple is forgotten as a whole; nothing is returned where Python cannot say it.
    """
    while type(loop.holder(edge)) is tuple:
        edge = loop.into(edge)
    name = loop.name(edge)
    if type(loop.holder(edge)) is list:
        return f"{loop.container(edge)}.clear()"
    if name[:1] == "[":
        return f"del {loop.container(edge)}{name}"
    own = variable_of_cell(loop, edge)
    if own:
        return f"{own} = None"
    return "" if is_nameless(name) else statement_on(loop, edge)


def statement_on(loop: Loop, edge: Edge) -> str:
    """Return Python that clears a reference."""
    name = loop.name(edge)
    if name == ".args" and is_exception(loop.holder(edge)):
        return "self.args = ()"
    if name[:1] == ".":
        owner = loop.owner(edge)
        spelled = f"{'self' if owner == loop.kind(edge) else owner}{name}"
        is_made_again = is_kept_by_property(loop.holder(edge), name)
        return f"del {spelled}" if is_made_again else f"{spelled} = None"
    if name[:1] == "[":
        return f"del {loop.kind(edge)}{name}"
    if name[:1] == "<":
        return f"del {variable(name)}"
    return "clear()"
