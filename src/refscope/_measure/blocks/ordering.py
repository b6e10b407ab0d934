"""In which order survivors are shown, and searched for what holds them.

What tells most comes first: instances of a program's classes that no other of them
holds, then lists and the like, those that hold others before what is in them.  A list
is no owner: who has put objects into one wants to see the objects.  Last comes what
an import brings: modules, classes, what is in their namespaces, and the weak
references by which bases know their classes.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from types import ModuleType
from typing import TypeAlias, cast

from refscope._measure.cpython.classes import (
    MODULES,
    class_known_by,
    derives_from,
    identities,
    is_metaclass,
    type_name,
)
from refscope._measure.heap import census
from refscope._measure.heap.holding import held_by
from refscope._measure.heap.keeping import Kept, KeptById
from refscope._measure.heap.tracebacks import Place
from refscope._measure.names.attributes import get_module_dict
from refscope.reports._order import is_dull


_PLAIN = identities(list, tuple, dict, set, frozenset)
_Rank: TypeAlias = tuple[tuple[bool, bool, bool, bool], int, str, Place]


class Group:
    """Survivors of one type and place, while they are live objects."""

    __slots__ = ("place", "things", "type_name")

    def __init__(self, place: Place | None, things: Kept[object]) -> None:
        self.type_name: str = type_name(type(things[0]))
        self.place: Place | None = place
        self.things: Kept[object] = things


def in_order(groups: Iterable[Group]) -> list[Group]:
    """Return the groups of a block, the most important first."""
    groups = [*groups]
    return sorted(groups, key=_Relations(groups).rank)


def made_again(groups: Sequence[Group]) -> set[int]:
    """Return the identities of classes that a line made again and again.

    No definition, which is run once, but a leak if they stay.  An import may run
    such a line for each of many definitions: what it brings is not told from that.
    """
    if any(map(_is_module, groups)):
        return set()
    found: set[int] = set()
    for group in filter(_is_class, groups):
        names = {type_name(cast("type", thing)) for thing in group.things}
        if 2 * len(names) <= len(group.things):
            found.update(map(id, group.things))
    return found


class _Relations:
    """What holds what among survivors, by identities."""

    __slots__ = ("_again", "_classes", "_held", "_of_imports", "_owned")

    def __init__(self, groups: list[Group]) -> None:
        # A collection stops tracking dictionaries of atoms, up to 3.13.
        tracked = all(map(gc.is_tracked, [group.things[0] for group in groups]))
        modules, classes = _things(groups, _is_module), _things(groups, _is_class)
        spaces = Kept(map(get_module_dict, cast("list[ModuleType]", modules)))
        known = set(map(id, spaces))  # every function leads to one
        again = made_again(groups)
        classes = Kept(each for each in classes if id(each) not in again)
        plain = Kept(t for t in _things(groups, _is_plain) if id(t) not in known)
        dull = Kept(t for t in _things(groups, _is_dull) if id(t) not in known)
        telling = _things(groups, _is_telling)
        everything = Kept(chain.from_iterable([group.things for group in groups]))
        owned = _reached(telling, dull, tracked=tracked)
        # Rings that only their members hold have no owner, and stay in front.
        owners = Kept(thing for thing in telling if id(thing) not in owned)
        # Nor does a class, which always is in a ring with what only serves it.
        owners += (t for t in _things(groups, _is_class) if id(t) in again)
        self._owned: set[int] = _reached(owners, telling + dull, tracked=tracked)
        self._owned -= again
        self._held: set[int] = held_by(everything, tracked=tracked)
        self._again: set[int] = again
        self._classes: set[int] = set(map(id, classes))
        self._of_imports: set[int] = {*self._classes, *map(id, modules)}
        self._of_imports |= _reached(classes, plain, tracked=tracked)
        self._of_imports |= held_by(spaces, tracked=tracked)

    def rank(self, group: Group) -> _Rank:
        """Return what groups are sorted by."""
        thing, name = group.things[0], group.type_name
        is_class_of_base = id(class_known_by(thing)) in self._classes
        is_import = id(thing) in self._of_imports or is_class_of_base
        is_small = is_dull(name) and id(thing) not in self._again
        is_inside = is_small and id(thing) in self._held
        # The newest of a chain may own the others, which are what it has grown by.
        is_owned = {id(thing), id(group.things[-1])} <= self._owned
        order = is_import, is_owned, is_small, is_inside
        return order, -len(group.things), name, group.place or ()


def _reached(
    things: Kept[object], ways: Sequence[object], *, tracked: bool
) -> set[int]:
    """Return the identities of what things hold, and of what that does by some ways."""
    left: dict[int, object] = KeptById(zip(map(id, ways), ways, strict=True))
    found: set[int] = set()
    while things:
        held = held_by(things, tracked=tracked)
        things = Kept(map(left.pop, left.keys() & held))
        found |= held
    return found


def _things(groups: Iterable[Group], is_one: Callable[[Group], bool]) -> Kept[object]:
    """Return the objects of some groups."""
    return Kept(chain.from_iterable([g.things for g in groups if is_one(g)]))


def _is_plain(group: Group) -> bool:
    return id(type(group.things[0])) in _PLAIN


def _is_class(group: Group) -> bool:
    return is_metaclass(type(group.things[0]))


def _is_module(group: Group) -> bool:
    return derives_from(type(group.things[0]), MODULES)


def _is_dull(group: Group) -> bool:
    return is_dull(group.type_name) and not (_is_class(group) or _is_module(group))


def _is_telling(group: Group) -> bool:
    return not (is_dull(group.type_name) or _is_class(group) or _is_module(group))


census.own(Group, _Relations)
