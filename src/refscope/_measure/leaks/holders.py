"""Who holds what the calls left, and what of it grows."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from refscope._measure.budget import Budget
from refscope._measure.heap import census
from refscope._measure.heap.keeping import Kept
from refscope._measure.heap.roots import C_ONLY
from refscope._measure.names.spelling import element
from refscope._measure.retention.search import Trail, find_trails, path_of
from refscope._measure.retention.whole import Seen

from .blame import first_born, most_telling, room_on, without_names
from .caches import not_full
from .evidence import Evidence


_MOST_HOLDERS = 4

AT_EXIT = "functions of atexit"


class Holders:
    """A search for holders, of many objects; what it has seen it sees once."""

    __slots__ = (
        "_budget",
        "_given",
        "_seen",
        "born",
        "dict_of_key",
        "is_at_exit",
        "made",
    )

    def __init__(self, given: object, budget: Budget) -> None:
        self._given = given
        self._seen = Seen()
        self._budget = budget
        self.born: set[int] = set()
        """Identities of what leaks."""
        self.made: set[int] = set()
        """And of all that the calls made and that is alive."""
        self.dict_of_key: Mapping[int, object] = {}
        """Which dictionary has a text as its key."""
        self.is_at_exit: bool = False
        """Whether functions were registered for the end of the program."""

    def name_all(
        self, found: Collection[Evidence], samples: Kept[Kept[object]]
    ) -> None:
        """Find out who holds the samples: the first that is not in a full cache.

        What is seen meanwhile is held: no references may be counted.
        """
        try:
            for number, known in enumerate(found):  # ``zip`` would hold the sample
                if not samples[number] and not known.type_name:
                    self._name_in_c(known, None)
                while samples[number]:
                    self._name(known, samples[number].pop(0))
                    if not known.is_in_full_cache:
                        break
        finally:
            self._seen.clear()

    def _name(self, known: Evidence, sample: object) -> None:
        """Find out who holds a leaked object, and what grows."""
        known.path, known.grows_at, known.is_in_full_cache = None, None, False
        trails = self._trails(sample)
        if self._budget.is_spent and not trails:
            return
        # Another holder that is younger was put in the place of an older one.
        born, made = self.born | {id(sample)}, self.made | {id(sample)}
        trail = most_telling(trails, born, made)
        if trail is None or trail.root == C_ONLY:
            trail = self._trail_to_key(sample) or without_names(trail)
        since = first_born(trail, born) if trail else 0
        if trail is None or (trail.root == C_ONLY and since == 0):
            self._name_in_c(known, trail)
            return
        known.verdict = "held"
        if trail.root == C_ONLY and self.is_at_exit:
            trail.root = AT_EXIT  # 3.14 has a list for them
        known.path = trail.report()
        if since > 0:
            known.grows_at = since - 2
        owner = since - 1
        if owner > 0 and trail.names[owner - 1] == ".__dict__":
            owner -= 1
        known.container = id(trail.objects[max(0, owner)])
        known.bound = not_full(trail.objects[:since])
        known.is_in_full_cache = room_on(trail, born, made) == 0

    def _trail_to_key(self, sample: object) -> Trail | None:
        """Return a path to a text that is a key of a dictionary, None if it is none."""
        holder = self.dict_of_key.get(id(sample))
        if holder is None:
            return None
        for trail in self._trails(holder)[:1]:
            trail.objects.append(sample)
            trail.names.append(element(sample))
            return trail
        return None

    def _trails(self, thing: object) -> list[Trail]:
        return find_trails(
            thing,
            self._budget,
            given=self._given,
            most_holders=_MOST_HOLDERS,
            seen=self._seen,
        ).trails

    def _name_in_c(self, known: Evidence, trail: Trail | None) -> None:
        """Say that nothing in Python holds it, unless it is in a list of C's."""
        known.verdict = "native"
        if self.is_at_exit:
            known.verdict = "held"
            known.grows_at = -1
            references = () if trail is None else trail.report().references
            known.path = path_of(AT_EXIT, references, None)
        elif trail is not None and len(trail.objects) > 1:
            known.path = trail.report()


def without_passing(found: list[tuple[str, Evidence]]) -> list[tuple[str, Evidence]]:
    """Leave out what a full cache holds, where others of its type are elsewhere.

    Each of those came for another one that went: all that grows is the others.
    """
    staying = {name for name, known in found if not known.is_in_full_cache}
    passing = dict.fromkeys(staying, 0)
    for name, known in found:
        if name in staying and known.is_in_full_cache:
            passing[name] += known.samples
    kept: list[tuple[str, Evidence]] = []
    for name, known in found:
        if name in staying and known.is_in_full_cache:
            continue
        if passing.get(name):
            known.share = known.samples / (known.samples_in_all - passing[name])
        kept.append((name, known))
    return kept


census.own(Holders)
