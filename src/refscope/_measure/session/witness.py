"""What a collection left alive, known without keeping it alive.

Identities noted before a collection would have to be looked for among all objects
after it, which takes longer than the collection.  A witness refers to the objects and
to itself, and nobody refers to it: it is garbage, so that the collector takes off its
references before it judges the others.  A collection that keeps what it finds
(``gc.DEBUG_SAVEALL``) gives it back, and with it what was seen.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import compress, repeat
from weakref import ReferenceType, ref

from refscope._measure.heap import census, ours
from refscope._measure.heap.graphs import counts_of
from refscope._measure.heap.keeping import Kept


_LONG = 21
"""Longer than tuples that go to a free list, to be met there without a trace."""


_sent = array("q", [0])  # no int that would live on from one block to the next


class Witness:
    """What refers to objects that are to be seen again."""

    __slots__ = ("__weakref__", "_seen")

    def __init__(self, things: Iterable[object]) -> None:
        self._seen: tuple[object, ...] = (*repeat(self, _LONG), *things)
        # It may be freed in the program's time.
        ours.disown(self)
        ours.disown(self._seen)

    @property
    def holder(self) -> tuple[object, ...]:
        """What refers to the objects, and to the witness."""
        return self._seen

    def leave(self) -> Kept[object]:
        """Return what was seen, and let go of it."""
        seen, self._seen = self.look(), ()
        return seen

    def look(self) -> Kept[object]:
        """Return what was seen, and go on to refer to it."""
        return Kept(self._seen[_LONG:])

    def is_part(self, thing: object) -> bool:
        """Return whether a thing is the witness or what it refers to objects by."""
        return thing is self or thing is self._seen


def send(things: Iterable[object]) -> ReferenceType[Witness]:
    """Return a weak reference to a witness of these objects, whom nobody holds."""
    _sent[0] += 1
    return ref(Witness(things))


def garbage_sent() -> int:
    """Return how many objects all witnesses so far were: garbage of ours."""
    return 2 * _sent[0]


def found_among(things: list[object]) -> Witness | None:
    """Return the witness that a collection gave back; it is no longer in the list."""
    for thing in things:
        if type(thing) is Witness:
            things[:] = [other for other in things if not thing.is_part(other)]
            return thing
    return None


def only_alive(things: Kept[object]) -> None:
    """Take out what nobody else holds: it would be gone but for this list."""
    while True:
        are_held = [*map(bool, counts_of(things))][1:]
        if all(are_held):
            return
        things[:] = compress(things, are_held)


census.own(Witness)
