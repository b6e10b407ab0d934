"""Who holds an object: the containers of the heap, then what they belong to."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from itertools import chain
from types import (
    AsyncGeneratorType,
    CellType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
)

from refscope._measure.budget import CHUNK, Budget
from refscope._measure.cpython.classes import is_dict
from refscope._measure.cpython.executing import KINDS, runs_in
from refscope._measure.cpython.hazards import hazard
from refscope._measure.cpython.interpreter import BORROWS
from refscope._measure.cpython.listed import listed
from refscope._measure.names.access import collapsed_in
from refscope._measure.names.code import cell
from refscope._measure.names.containers import dict_items
from refscope._measure.names.table import names_of

from .refcounts import Box, held_boxes


UNKNOWN = "<?>"
"""The name of a reference of which Python cannot tell it."""

_STAGE = "asking who refers to it"
_CELL = "<cell "
_LOCAL = "<local "
_TUPLE = id(tuple)
_DICT = id(dict)
_NO_OWNERS = {id(kind) for kind in (dict, list, tuple, set, CellType, FrameType)}
_LEAST_INTERNED = 1000
_SAMPLE = 100
_FEW = 8  # gc.get_referrers compares each reference to each of its arguments
_WITH_VARIABLES = {
    id(kind) for kind in (AsyncGeneratorType, CoroutineType, FrameType, GeneratorType)
}


class Held:
    """A reference that was found."""

    __slots__ = ("holder", "name")

    def __init__(self, holder: object, name: str) -> None:
        self.holder: object = holder
        """Who holds."""
        self.name: str = name
        """How."""


class Search:
    """Finds out who holds what is in a box.

    Args:
        box: Holds the object.
        ours: Identities of what is refscope's, or is found in another way.
    """

    __slots__ = ("box", "has_materialised", "ours", "unlisted")

    def __init__(self, box: Box, ours: set[int]) -> None:
        self.box = box
        self.ours = {*ours, id(box), *map(id, held_boxes())}
        self.has_materialised = False
        self.unlisted: list[object] = []
        """What the collector does not list, and may own what holds the object."""

    def tracked(self, budget: Budget) -> list[Held]:
        """Return the references of objects that the collector tracks.

        Without frames that run, whose variables it does not know.
        """
        if budget.is_bounded:
            found = self._one_by_one(budget)
        else:
            found = gc.get_referrers(self.box[0])
            budget.spend(len(found), _STAGE)
        return self.owned(self.named(found))

    def _one_by_one(self, budget: Budget) -> list[object]:
        """Ask each object, so that the search can be ended early."""
        objects = listed()
        found: list[object] = []
        for start in range(0, len(objects), CHUNK):
            chunk = objects[start : start + CHUNK]
            if not budget.spend(len(chunk), _STAGE):
                break
            found += holding(self.box, chunk)
        objects.clear()  # our own frames are in it (3.10): it would hold itself
        return found

    def named(self, holders: Iterable[object]) -> list[Held]:
        """Return one entry for each reference from each holder."""
        return [
            Held(holder, name)
            for holder in holders
            if not self._is_ours(holder)
            for name in self._names(holder)
        ]

    def _is_ours(self, holder: object) -> bool:
        return id(holder) in self.ours or (
            type(self.box[0]) is str and _is_table_of_interned(holder)
        )

    def _names(self, holder: object) -> list[str]:
        runs = runs_in(holder, self.ours)
        names = names_of(holder, self.box[0], materialise=runs)  # it has its frame
        if None in names:
            again = names_of(holder, self.box[0], materialise=True)
            self.has_materialised |= again != names
            names = again
        found = [UNKNOWN if name is None else name for name in names]
        return _apart(found, self.box) if runs else found

    def owned(self, found: list[Held]) -> list[Held]:
        """Return the references under the names of those whose namespaces hold them.

        An entry of a ``__dict__`` becomes an attribute of its owner, and what a cell
        holds is told by a function whose closure the cell is in.
        """
        owners = self._owners(found)
        variables = self._variables(found)
        return [_owned(held, owners, variables) for held in found]

    def _owners(self, found: list[Held]) -> dict[int, object]:
        """Return the owners of the dictionaries that are a ``__dict__``."""
        dicts = {id(held.holder): held.holder for held in found if is_dict(held.holder)}
        return {
            id(target): owner
            for owner, target in self._referrers(dicts)
            if id(type(owner)) not in _NO_OWNERS
            and ".__dict__" in names_of(owner, target)
        }

    def _variables(self, found: list[Held]) -> dict[int, str]:
        """Return the names that functions have for cells."""
        cells = {id(held.holder): held.holder for held in found if _is_cell(held)}
        closures: dict[int, object] = {}
        names: dict[int, str] = {}
        for holder, held in self._referrers(cells):
            if id(type(holder)) == _TUPLE:
                closures[id(holder)] = holder
            elif id(type(holder)) in _WITH_VARIABLES:
                for name in names_of(holder, held, materialise=True):
                    if name is not None and name.startswith(_CELL):
                        names[id(held)] = name
        for function, closure in self._referrers(closures):
            if type(function) is FunctionType and function.__closure__ is closure:
                names.update(_free(function))
        return names

    def _referrers(self, targets: dict[int, object]) -> Iterator[tuple[object, object]]:
        """Yield who refers to each of some targets, and the target."""
        if not targets:
            return
        if len(targets) <= _FEW:
            candidates = gc.get_referrers(*targets.values())
        else:
            candidates = listed()
        try:
            apart = (id(targets), id(hazard()))
            for candidate in chain(candidates, self.unlisted):
                if id(candidate) not in self.ours and id(candidate) not in apart:
                    for target in gc.get_referents(candidate):
                        if id(target) in targets:
                            yield candidate, target
        finally:
            candidates.clear()  # our own frame is in it (3.10): it would hold itself


def holding(box: Box, things: Iterable[object]) -> list[object]:
    """Return those of the things that refer to what is in the box."""
    wanted = id(box[0])
    found: list[object] = []
    avoided = hazard()
    for thing in things:
        if thing is not avoided and wanted in map(id, gc.get_referents(thing)):
            found.append(thing)  # noqa: PERF401  # a comprehension has cells on 3.10
    return found


def _is_table_of_interned(holder: object) -> bool:
    """Return whether a dictionary is that of interned strings (3.14 lets it be seen).

    Each is a key and its own value there, and neither reference counts.
    """
    if id(type(holder)) != _DICT:
        return False
    pairs = dict_items(holder)
    return len(pairs) >= _LEAST_INTERNED and all(
        key is value for key, value in pairs[:_SAMPLE]
    )


def _apart(names: list[str], box: Box) -> list[str]:
    """Return the names of references that are not those of variables of the frame.

    That is what waits on the stack, such as what is awaited.  Since 3.14 what a
    variable has can be there without a reference of its own: all but the awaited.

    Args:
        names: Those that one that runs has for what is in the box.
        box: Holds the object.
    """
    others = [name for name in names if not name.startswith(_LOCAL)]
    is_borrowed = BORROWS and len(others) < len(names) and id(type(box[0])) not in KINDS
    return [] if is_borrowed else others


def _is_cell(held: Held) -> bool:
    return type(held.holder) is CellType


def _free(function: FunctionType) -> dict[int, str]:
    """Return the names of the cells in a function's closure, by their identity."""
    names = map(cell, function.__code__.co_freevars)
    return dict(zip(map(id, function.__closure__ or ()), names, strict=True))


def _owned(held: Held, owners: dict[int, object], variables: dict[int, str]) -> Held:
    identity = id(held.holder)
    if identity in variables:
        return Held(held.holder, variables[identity])
    if identity not in owners:
        return held
    owner = owners[identity]
    name = collapsed_in(owner, ".__dict__", held.name)
    return held if name is None else Held(owner, name)
