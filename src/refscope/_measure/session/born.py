"""Which tracked objects were made in a stretch of time, exactly.

Comparing identities before and after is wrong, since addresses are used again.  But
the collector keeps young and old objects apart: at the start everything is made old
in O(1), by ``gc.freeze()`` and ``gc.unfreeze()``.  What is young later is new.

What became old since is behind a mark: an object that was the first to be young, and
keeps its place.  Collections of the young put those that they leave alive behind the
old ones (gc_list_merge, Python/gc.c).  A full collection mixes all of them, so before
one the identities of what is new are noted.  Noted ones that died do no harm: whoever
has such an address later is new as well.  Where memory is traced from the start on,
what has a trace is new, and only the rest is noted.

Older objects can look young in one way only: up to 3.13 a dictionary or tuple that
held nothing to track is not in any generation, and comes into the youngest when it
gets something.  Where memory is traced such a dictionary is known by having no trace.
"""

from __future__ import annotations

import gc
import sys
from array import array
from collections.abc import Callable, Sequence
from itertools import compress, filterfalse, repeat
from operator import indexOf, is_, not_
from typing import ClassVar
from weakref import ReferenceType

from refscope._measure.cpython.classes import FREE_THREADED
from refscope._measure.cpython.frozen import are_constants_frozen, frozen_count
from refscope._measure.cpython.interpreter import get_object_traceback, is_tracing
from refscope._measure.cpython.listed import listed
from refscope._measure.heap import census, ours
from refscope._measure.heap.keeping import Kept
from refscope._measure.names.describe import have_lines, lines_of

from .witness import Witness, found_among, only_alive, send


_INCREMENTAL = (3, 14) <= sys.version_info < (3, 14, 5)
_LATE_DICTS = sys.version_info < (3, 14)
_PART = 1_000
_TIDY = 1_000_000

LATE_DICTS = (
    "dictionaries that were empty or held only atoms before the block, and hold more "
    "since, may be among the survivors: without sites they cannot be told apart"
)
UNSEEN_BORN = (
    "{} young objects were there before and some of their addresses may have been used "
    "again: as many survivors may be missing (with collect=True they would not be)"
)
UNMARKED = (
    "this build does not keep young and old objects apart: survivors are objects that "
    "tracing has seen, and it has not seen what came from free lists"
)
UNTRACED = (
    "tracing was stopped inside the block: what collections had made old by then is "
    "not among the survivors"
)
FROZEN_INSIDE = "gc.freeze() was called inside the block: survivors are unknown"


def _nothing() -> None:
    """Stand where blocks puts its own functions."""


class _Open:
    """The stretches that are open, and what is done around each note."""

    stretches: ClassVar[Kept[Born]] = Kept()
    guards: ClassVar[list[Callable[[], None]]] = [_nothing, _nothing]


class Born:
    """A stretch of time, and what was made in it."""

    __slots__ = (
        "_doubtful",
        "_frozen",
        "_is_settled",
        "_mark",
        "_only_tuples",
        "_promoted",
        "_relied",
        "_seen",
        "_tidied",
        "_was_mixed",
        "_witness",
        "is_traced",
    )

    def __init__(self, *, is_traced: bool) -> None:
        self._promoted: array[int] = array("Q")
        self._only_tuples: bool = True
        """Whether nothing else was noted: they are found quickly."""
        self._tidied: int = 0
        self._mark: Kept[object] | None = None
        """What became old since its time comes behind it."""
        self._doubtful: array[int] = array("Q")
        self._frozen: int = 0
        self._is_settled: bool = False
        self._relied: bool = False
        """Whether something was not noted, since its trace tells as much."""
        self._witness: ReferenceType[Witness] | None = None
        self._seen: Kept[object] = Kept()
        self._was_mixed: bool = False
        """Whether somebody else moved old objects behind the mark."""
        self.is_traced: bool = is_traced
        """Whether tracing began with the stretch, so that older objects have none."""

    def begin(self, *, is_settled: bool = False) -> None:
        """Begin; ``is_settled`` says that a full collection has just run."""
        self._is_settled = is_settled
        self._frozen = frozen_count()
        if not self._frozen:
            remember()
            gc.freeze()
            gc.unfreeze()
        elif not is_settled:
            # Neither thawed nor collected behind the program's back: remembered.
            self._doubtful.extend(map(id, young_objects()))
        self.set_mark()
        _Open.stretches.append(self)
        if not _is_listening():
            gc.callbacks.append(_on_collection)

    def set_mark(self) -> None:
        """Mark that what is made from now on is new."""
        self._mark = None if _INCREMENTAL else Kept()

    def note(self, made: Sequence[object]) -> None:
        """Note what was made since the mark, but for what has a trace.

        Old objects are about to be mixed, so the mark holds no longer.
        """
        self._mark = None
        if not made:
            return
        if self._reads_traces:
            self._relied = True
            made = [*filterfalse(lines_of, made)]
        self._only_tuples &= all(map(is_, map(type, made), repeat(tuple)))
        self._promoted.extend(map(id, made))
        if len(self._promoted) > 2 * self._tidied + _TIDY:
            # As many as there are places in memory, however long the block takes.
            self._promoted = array("Q", set(self._promoted))
            self._tidied = len(self._promoted)
        ours.disown_buffer(self._promoted)

    @property
    def _reads_traces(self) -> bool:
        return self.is_traced and is_tracing()

    @property
    def has_mark(self) -> bool:
        """Whether what becomes old is known without being noted."""
        return self._mark is not None

    def is_all_in(self, young: list[object]) -> bool:
        """Return whether nothing has become old since the mark."""
        return self._mark is None or any(map(is_, young, repeat(self._mark)))

    def cut(self, old: list[object]) -> list[object]:
        """Take those out of all old objects, and return them, that came after the mark.

        Only if some have.  This stretch itself is older: where it came after the mark
        they were mixed by ``gc.freeze()`` and ``gc.unfreeze()``.
        """
        if not _is_listening():  # nor was it known when they were mixed
            return []
        try:
            from_end = indexOf(map(is_, reversed(old), repeat(self._mark)), True)  # noqa: FBT003  # what is looked for
        except ValueError:  # frozen
            from_end = 0
        place = len(old) - from_end
        later = old[place:]
        if any(map(is_, later, repeat(self))):
            self._was_mixed = True
            return []
        del old[place:]
        return later

    @property
    def is_at_hand(self) -> bool:
        """Whether what was made since is found without looking at all objects."""
        return not (FREE_THREADED or self._relied or self._promoted)

    def send_witness(self, made: list[object]) -> None:
        """Let it see a last collection, which keeps garbage, what of this is alive.

        What is ours must not live on with it: its end would be the program's.
        """
        made = census.foreign(made)
        if is_tracing():
            made = [thing for thing in made if not ours.is_on_our_line(thing)]
        self._witness = send(made)

    @property
    def seen(self) -> Sequence[object]:
        """What a last collection left alive, if nothing else has it."""
        return self._seen

    def recall_witness(self, garbage: list[object]) -> tuple[object, ...]:
        """Take the witness out of what the collection kept, and note what it saw.

        Return by what it goes on to refer to that.

        If there is more garbage, finalizers have run, and another collection is to
        free it.  The witness goes with that, in the program's time, and so does what
        nobody else holds any more.
        """
        witness = found_among(garbage)
        if witness is None and self._witness is not None:
            witness = self._witness()  # within another collection there was none
        self._witness = self._mark = None  # the collection has mixed old objects
        if witness is None:
            return ()
        if garbage:
            self.note(witness.look())
        else:
            self._seen = witness.leave()
        return witness.holder

    def look(self, *, is_raw: bool = False) -> list[object]:
        """Return what was made since ``begin`` and is alive, and go on.

        Args:
            is_raw: With what is refscope's own, and dictionaries that look young.
        """
        if FREE_THREADED:  # pragma: no cover  # none at hand
            return [o for o in listed() if get_object_traceback(o) is not None]
        young = young_objects()
        young += self._grown_old(young)
        only_alive(self._seen)  # what is not, was a variable of ours by then
        young += self._seen
        if not is_raw:
            young = census.foreign(young)
        if self._doubtful:
            # No comprehension with a variable of ours: up to 3.11 its cell is young.
            doubtful = map(set(self._doubtful).__contains__, map(id, young))
            young = list(compress(young, map(not_, doubtful)))
        if _LATE_DICTS and self._knows_late and not is_raw and is_tracing():
            young = [thing for thing in young if not _is_late(thing)]
        return young

    def _grown_old(self, young: list[object]) -> list[object]:
        """Return what was made since and has become old."""
        is_all = self.is_all_in(young)
        if is_all and self.is_at_hand:
            return []
        old = listed(2)
        found = [] if is_all else self.cut(old)
        if self._relied and self._reads_traces:
            # Before identities: while memory is traced, each is an int that is traced.
            has_trace = have_lines(old)
            found += compress(old, has_trace)
            old = [*compress(old, map(not_, has_trace))]
        if self._promoted:
            if self._only_tuples:
                old = [*compress(old, map(is_, map(type, old), repeat(tuple)))]
            found += _those_of(set(self._promoted), old)
        return found

    @property
    def _knows_late(self) -> bool:
        """Whether each new dictionary has a trace.

        One from a free list has none, unless the lists were emptied.
        """
        return self.is_traced and self._is_settled and not self._frozen

    def abandon(self) -> None:
        """Stop listening, and let go of everything."""
        self._seen = Kept()
        _Open.stretches[:] = [other for other in _Open.stretches if other is not self]
        if not _Open.stretches:
            hooks = [hook for hook in gc.callbacks if hook is not _on_collection]
            gc.callbacks[:] = hooks

    @property
    def limits(self) -> tuple[str, ...]:
        """What may be missing or too much."""
        if FREE_THREADED:  # pragma: no cover  # none at hand
            return (UNMARKED,)
        if frozen_count() > self._frozen or self._was_mixed:
            return (FROZEN_INSIDE,)
        if self._relied and not is_tracing():
            return (UNTRACED,)
        if self._doubtful:
            return (UNSEEN_BORN.format(f"{len(self._doubtful):,}"),)
        if _LATE_DICTS and not self._knows_late:
            return (LATE_DICTS,)
        return ()


def guard(begin: Callable[[], None], end: Callable[[], None]) -> None:
    """Let what is noted inside a collection be nobody's memory."""
    _Open.guards[:] = [begin, end]


def abandon_all() -> None:
    """Let every stretch stop listening; for the exit of the interpreter."""
    for stretch in [*_Open.stretches]:
        stretch.abandon()


def remember(ending: Born | None = None) -> None:
    """Note what is new for every open stretch: before old objects are mixed.

    For the one that is about to end a witness is sent instead.
    """
    if not _Open.stretches:
        return
    young = young_objects()
    are_in = [*map(Born.is_all_in, _Open.stretches, repeat(young))]
    old = [] if all(are_in) else listed(2)
    for stretch, is_in in zip(_Open.stretches, are_in, strict=True):
        made = young if is_in else [*young, *stretch.cut([*old])]
        (stretch.send_witness if stretch is ending else stretch.note)(made)


def thaw_constants() -> None:
    """Let the collector list what 3.12 has frozen by itself, and will freeze again."""
    if are_constants_frozen():
        remember()
        gc.unfreeze()


def _on_collection(phase: str, info: dict[str, int]) -> None:
    """Note what is about to become old, where no mark tells that.

    A collection of the youngest generation leaves objects young, but for the
    incremental collector of 3.14.0 to 3.14.4, where there are only two.
    """
    generation = info["generation"]
    if phase != "start" or not (generation or _INCREMENTAL):
        return
    is_mixing = generation == 2 or _INCREMENTAL
    if is_mixing or not all(map(_has_mark, _Open.stretches)):
        _Open.guards[0]()
        try:
            if is_mixing:
                remember()
            else:
                _mark_again()
        finally:
            _Open.guards[1]()


def _mark_again() -> None:
    """Begin with marks again, where all that is young is about to become old."""
    young = young_objects()
    for stretch in _Open.stretches:
        if not stretch.has_mark:
            stretch.note(young)
            stretch.set_mark()


def _has_mark(stretch: Born) -> bool:
    return stretch.has_mark


def _is_listening() -> bool:
    return any(hook is _on_collection for hook in gc.callbacks)


def young_objects() -> list[object]:
    """Return what the collector has not made old."""
    young = listed(0)  # the list itself is not among them
    young += listed(1)
    return young


def _those_of(wanted: set[int], old: list[object]) -> list[object]:
    """Return the old objects of some identities.

    What became old last is at the end of the list, mostly: from there, until all are
    found.  While memory is traced each identity is an int that is traced.
    """
    found: list[object] = []
    end, size = len(old), _PART
    while end > 0 and len(found) < len(wanted):
        part = old[max(0, end - size) : end]
        found[:0] = compress(part, map(wanted.__contains__, map(id, part)))
        end, size = end - size, 4 * size
    return found


def _is_late(thing: object) -> bool:
    kind = type(thing)
    return kind is dict and get_object_traceback(thing) is None


census.own(Born)
