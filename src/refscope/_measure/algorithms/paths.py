"""Shortest ways back from a node to the roots of a graph, one for each holder.

A breadth-first search against the references, where some references cost nothing (an
object and its ``__dict__`` are one step), by levels as in 0-1 BFS.  All direct
holders of the target search at once: each carries a bit, and a node is looked at
again only when a bit reaches it that was not there before.  So the heap, whose
references are dear to turn around, is asked for whole levels and not for single
nodes.  Nodes are numbers, and nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator


Edge = tuple[int, int, bool]
"""Holder, what it holds, and whether the step is free."""

Expand = Callable[[Collection[int]], Iterable[Edge]]
"""Return the references that lead to any of these nodes."""


class Search:
    """A search for the roots that keep one node, and what it found."""

    __slots__ = (
        "_distance",
        "_next",
        "_seen",
        "ends",
        "holders",
        "more_holders",
        "most_holders",
        "own",
        "roots",
        "target",
    )

    def __init__(self, target: int, most_holders: int) -> None:
        self.target: int = target
        self.most_holders: int = most_holders
        self.holders: dict[int, int] = {}
        """The bit of each direct holder, in the order in which they were met."""
        self.more_holders: set[int] = set()
        """Direct holders beyond ``most_holders``; they were not followed."""
        self.roots: dict[int, list[int]] = {}
        """For each bit its nearest roots, all equally far away."""
        self.ends: dict[int, int] = {}
        """Nodes that nothing holds, with the bits that got there."""
        self.own: int = 0
        """The bits that came to what the target itself holds."""
        self._seen: dict[int, int] = {target: -1}
        self._distance: dict[tuple[int, int], int] = {}
        self._next: dict[int, dict[int, bool]] = {}

    @property
    def lost_bits(self) -> int:
        """The bits that have met no root."""
        lost = 0
        for bit in self.holders.values():
            if bit not in self.roots:
                lost |= bit
        return lost

    @property
    def looped_bits(self) -> int:
        """The bits that came to an end nowhere, nor to what the target holds."""
        looped = self.lost_bits & ~self.own
        for bits in self.ends.values():
            looped &= ~bits
        return looped

    def run(
        self,
        expand: Expand,
        is_root: Callable[[int], bool],
        may_go_on: Callable[[int], bool],
        nearest: Expand | None = None,
    ) -> bool:
        """Search; return False if ``may_go_on(size of a level)`` ended it early.

        Given ``nearest``, which returns the references from roots that cost nothing,
        the search ends with the nearest roots, where other holders may lead to more.
        """
        level: dict[int, int] = {self.target: 0}
        distance = 0
        wanted = -1
        while level:
            later: dict[int, int] = {}
            while level:
                if not may_go_on(len(level)):
                    return False
                free = self._met(level, expand, later)
                level = self._arrive(free, distance, wanted, is_root)
            if nearest is not None and self.roots:
                return True
            distance += 1
            wanted = self.lost_bits
            level = self._arrive(later, distance, wanted, is_root)
            if nearest is not None and self.roots:
                level = self._met(level, nearest, {})
                self._arrive(level, distance, wanted, is_root)
                return True
        return True

    def distance(self, node: int, bit: int) -> int:
        """Return how many steps, free ones apart, lead from a node to the target."""
        return self._distance[node, bit]

    def steps_after(self, node: int, bit: int) -> list[int]:
        """Return what a node holds on its shortest ways to the target."""
        if self.holders.get(node) == bit:
            return [self.target]
        far = self._distance[node, bit]
        return [
            held
            for held, is_free in self._next[node].items()
            if self._distance.get((held, bit), far + 1) == far - (not is_free)
        ]

    def ends_of(self, bit: int) -> list[int]:
        """Return where a bit came to that nothing holds."""
        return [node for node, bits in self.ends.items() if bits & bit]

    def _met(
        self, level: dict[int, int], expand: Expand, later: dict[int, int]
    ) -> dict[int, int]:
        """Note who holds a level in ``later``; return who does it for free."""
        free: dict[int, int] = {}
        alone = dict(level)
        for holder, held, may_be_free in expand(level):
            alone.pop(held, None)
            if holder == self.target:
                self.own |= level[held]
                continue
            # The target and its holder are never one step, or it had no holder.
            is_free = may_be_free and held != self.target
            steps = self._next.setdefault(holder, {})
            steps[held] = steps.get(held, False) or is_free
            bits = self._bit_of(holder) if held == self.target else level[held]
            into = free if is_free else later
            into[holder] = into.get(holder, 0) | bits
        for node, bits in alone.items():
            self.ends[node] = self.ends.get(node, 0) | bits
        return free

    def _bit_of(self, holder: int) -> int:
        """Return the bit of a direct holder, 0 if there are too many."""
        if holder not in self.holders:
            if len(self.holders) >= self.most_holders:
                self.more_holders.add(holder)
                return 0
            self.holders[holder] = 1 << len(self.holders)
        return self.holders[holder]

    def _arrive(
        self,
        met: dict[int, int],
        distance: int,
        wanted: int,
        is_root: Callable[[int], bool],
    ) -> dict[int, int]:
        """Note what was met at a distance; return those to search on from."""
        frontier: dict[int, int] = {}
        for node, bits in met.items():
            new = bits & ~self._seen.get(node, 0) & (wanted if distance > 1 else -1)
            if not new:
                continue
            self._seen[node] = self._seen.get(node, 0) | new
            for bit in _bits(new):
                self._distance[node, bit] = distance
                if is_root(node):
                    self.roots.setdefault(bit, []).append(node)
            if not is_root(node):
                frontier[node] = new
        return frontier


def _bits(mask: int) -> Iterator[int]:
    """Yield the single bits of a mask."""
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit
