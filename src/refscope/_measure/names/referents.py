"""The references of one object, taken one by one as a rule finds their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from operator import countOf, indexOf, is_
from sys import getrefcount
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, cast

from refscope._measure.cpython.classes import get_members, identities, is_one_of
from refscope._measure.cpython.hazards import referents_of
from refscope._measure.cpython.interpreter import top_frames


Edge = tuple["str | None", object]
"""How a holder refers to something, None if that is not known; and what it is."""

_PART = 4096
_MANY = 4  # parts that are worth the counting


class Wanted:
    """The one target whose references are to be named."""

    __slots__ = ("thing",)

    def __init__(self, thing: object) -> None:
        self.thing: object = thing


class Referents:
    """What one holder refers to, as the collector sees it, with multiplicity."""

    __slots__ = ("_left", "_wanted", "holder", "kind", "likely", "materialise", "named")

    def __init__(
        self,
        holder: object,
        wanted: Wanted | None = None,
        *,
        materialise: bool = False,
        likely: dict[str, None] | None = None,
    ) -> None:
        self.holder = holder
        self.kind: type = type(holder)
        self.materialise = materialise
        self.likely: dict[str, None] = {} if likely is None else likely
        """Names of attributes that others of this type had."""
        self.named: list[Edge] = []
        """References that have their name."""
        self._wanted = wanted
        self._left: dict[int, list[object]] = {}
        things = referents_of((holder,))
        if wanted is not None:
            number = countOf(map(is_, things, repeat(wanted.thing)), True)  # noqa: FBT003
            things = [wanted.thing] * number
        for thing in things:
            self._left.setdefault(id(thing), []).append(thing)

    @property
    def is_done(self) -> bool:
        """Whether every reference has its name."""
        return not self._left

    def has(self, thing: object) -> bool:
        """Return whether a thing is referred to, also if it is not the wanted one."""
        return any(map(is_, referents_of((self.holder,)), repeat(thing)))

    def take(self, name: str | None, thing: object) -> bool:
        """Give a reference to a thing its name; return whether there was one."""
        same = self._left.get(id(thing))
        if same is None:
            return False
        self.named.append((name, same.pop()))
        if not same:
            del self._left[id(thing)]
        return True

    def take_items(
        self,
        spell: Callable[[object], str],
        keys: Sequence[object],
        things: Sequence[object],
    ) -> None:
        """Take each thing under the name that its key has."""
        for position in self._positions(things):
            if id(things[position]) in self._left:
                self.take(spell(keys[position]), things[position])

    def take_members(self, kind: type, names: Sequence[str]) -> None:
        """Take attributes that are kept in C, by the descriptors of their type."""
        members = get_members(kind)
        for name in names:
            if self.is_done:
                return
            self.take_member(name, members.get(name))

    def take_member(
        self, name: str, descriptor: object, spelling: str | None = None
    ) -> None:
        """Take what a descriptor written in C reads, as an attribute or so spelled."""
        kind = type(descriptor)
        if kind is MemberDescriptorType or kind is GetSetDescriptorType:
            try:
                thing: object = cast("Any", descriptor).__get__(self.holder)
            except Exception:  # noqa: BLE001  # unset, or not ready
                return
            self.take(spelling or f".{name}", thing)

    def take_kind(self, name: str, kind: type) -> None:
        """Take what is left of one type, or of one that derives from it."""
        kinds = identities(kind)
        for thing in self.left():
            if is_one_of(thing, kinds):
                self.take(name, thing)

    def take_all(self, name: str | None) -> None:
        """Take all that is left."""
        for thing in self.left():
            self.take(name, thing)

    def left(self) -> list[object]:
        """Return what has no name yet."""
        return [thing for same in self._left.values() for thing in same]

    def _positions(self, things: Sequence[object]) -> Iterator[int]:
        """Yield where to look: everywhere, or where the wanted thing is."""
        if self._wanted is None:
            return iter(range(len(things)))
        return positions(things, self._wanted)


def positions(things: Sequence[object], wanted: Wanted) -> Iterator[int]:
    """Yield the places of one thing in a built-in sequence, at the speed of C."""
    for start in _promising(things, wanted):
        matches = map(is_, things[start : start + _PART], repeat(wanted.thing))
        position = start - 1
        try:
            while True:
                position += indexOf(matches, True) + 1  # noqa: FBT003
                yield position
        except ValueError:  # no more
            pass


def _is_alone() -> bool:
    """Return whether no other thread can change anything."""
    return len(top_frames()) == 1


def _promising(things: Sequence[object], wanted: Wanted) -> Sequence[int]:
    """Return where the parts of a sequence start that can have the thing in them.

    A copy of a part adds a reference for each that is in it, and to copy is three
    times as fast as to compare.  Only if nothing else changes the count meanwhile.
    """
    starts = range(0, len(things), _PART)
    if len(starts) < _MANY or not _is_alone():
        return starts
    without = _count_beside([], wanted)
    if _count_beside([wanted.thing], wanted) == without:  # immortal
        return starts
    found = [
        start
        for start in starts
        if _count_beside(things[start : start + _PART], wanted) != without
    ]
    is_sure = bool(found) and _count_beside([], wanted) == without
    return found if is_sure else starts


def _count_beside(_: Sequence[object], wanted: Wanted) -> int:
    """Return the count of the thing while something else is alive."""
    return getrefcount(wanted.thing)
