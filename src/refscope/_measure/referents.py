"""The references of one object, taken one by one as a rule finds their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import repeat
from operator import countOf, indexOf, is_
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, cast

from .classes import get_members
from .hazards import referents_of


Edge = tuple["str | None", object]
"""How a holder refers to something, None if that is not known; and what it is."""


class Wanted:
    """The one target whose references are to be named."""

    __slots__ = ("thing",)

    def __init__(self, thing: object) -> None:
        self.thing: object = thing


class Referents:
    """What one holder refers to, as the collector sees it, with multiplicity."""

    __slots__ = ("_left", "_wanted", "holder", "kind", "materialise", "named")

    def __init__(
        self,
        holder: object,
        wanted: Wanted | None = None,
        *,
        materialise: bool = False,
    ) -> None:
        self.holder = holder
        self.kind: type = type(holder)
        self.materialise = materialise
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

    def take_member(self, name: str, descriptor: object) -> None:
        """Take what a descriptor written in C reads."""
        kind = type(descriptor)
        if kind is MemberDescriptorType or kind is GetSetDescriptorType:
            try:
                thing: object = cast("Any", descriptor).__get__(self.holder)
            except Exception:  # noqa: BLE001  # unset, or not ready
                return
            self.take(f".{name}", thing)

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


def positions(things: Iterable[object], wanted: Wanted) -> Iterator[int]:
    """Yield the places of one thing among many, at the speed of C."""
    matches = map(is_, things, repeat(wanted.thing))
    position = -1
    with suppress(ValueError):  # no more
        while True:
            position += indexOf(matches, True) + 1  # noqa: FBT003
            yield position
