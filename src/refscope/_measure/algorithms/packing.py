"""Loops without a reference in common: one reference of each has to be removed.

A walk that never takes a reference twice closes a loop whenever it comes back to a
node that it is on the way from; the loop is taken out, and the walk goes on from there
(C. Hierholzer's way to find a tour, Mathematische Annalen 6 (1873), with loops counted
and not joined).  At each node it takes any reference, or the first loop might be a
tour of the whole graph: where many loops are short, a few steps find many.
"""

from __future__ import annotations

from .components import Successors


def has_more_loops(successors: Successors, most: int) -> bool:
    """Return whether there are surely more loops than these without one in common.

    False says little: they are not all found.  The answer is the same in every run.
    """
    left: dict[int, list[int]] = {}
    found = 0
    turn = 1
    for start in range(len(successors)):
        way, place_of = [start], {start: 0}
        while way:
            node = way[-1]
            following = left.get(node)
            if following is None:
                following = left[node] = list(successors[node])
            if not following:
                del place_of[way.pop()]
                continue
            # The generator of W. H. Press et al., Numerical Recipes, 1992.
            turn = (1_664_525 * turn + 1_013_904_223) & 0xFFFF_FFFF
            chosen = (turn >> 16) % len(following)
            other, following[chosen] = following[chosen], following[-1]
            del following[-1]
            place = place_of.get(other)
            if place is None:
                place_of[other] = len(way)
                way.append(other)
                continue
            found += 1
            if found > most:
                return True
            for passed in way[place + 1 :]:
                del place_of[passed]
            del way[place + 1 :]
    return False
