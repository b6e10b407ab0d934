"""Strongly connected components.

H. N. Gabow, "Path-based depth-first search for strong and biconnected components",
Information Processing Letters 74 (2000): one stack of the nodes of the path, another
of the bounds between the components on it.  Here the second one says only where nodes
have been joined, from where to where, so that a node that is on no loop, or has one
reference only, costs nothing there.

What a node refers to is read when it is entered.  What was not visited by then is kept
for later; if it has been visited when its turn comes, it was reached through the node
itself, and nothing is to be learnt from it any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, repeat
from operator import is_


Successors = Sequence[Sequence[int]]

_DONE = -1


def components(  # noqa: C901, PLR0912, PLR0915  # one algorithm, one function
    successors: Successors,
) -> list[list[int]]:
    """Return the components that hold a cycle: two nodes or more, or a self-loop.

    The nodes of each are in no particular order.
    """
    # When a node was entered; None is not yet.  The path has the places from base to
    # top.  Smaller ones are done: the path of each root begins where the last ended.
    places: list[int | None] = [None] * len(successors)
    found: list[list[int]] = []
    path: list[int] = []
    # The parts of the path that are joined, none of which overlap.
    starts: list[int] = []
    ends: list[int] = []
    # What to visit later, and where the path ended when that was seen.
    later: list[int] = []
    tops: list[int] = []
    base = 0
    # What is not visited yet is asked for as it comes, not beforehand.
    for root in compress(range(len(places)), map(is_, places, repeat(None))):
        node, top = root, base
        while True:
            while (place := places[node]) is None:
                row = successors[node]
                if not row:
                    places[node] = _DONE
                    break
                places[node] = top
                path.append(node)
                top += 1
                if len(row) == 1:
                    node = row[0]
                    continue
                forward, lowest = None, top
                for other in reversed(row):  # what is kept last is visited first
                    place = places[other]
                    if place is None:
                        if not successors[other]:
                            places[other] = _DONE
                            continue
                        if forward is not None:
                            later.append(forward)
                            tops.append(top)
                        forward = other
                    elif base <= place < lowest:
                        lowest = place
                if lowest < top:
                    _join(starts, ends, lowest, top)
                if forward is None:
                    break
                node = forward
            else:
                if place == base and not later:  # all of it, as in a ring
                    found.append(path)
                    path = []
                    starts.clear()
                    ends.clear()
                    break
                if place >= base:
                    _join(starts, ends, place, top)
            while later and places[later[-1]] is not None:
                later.pop()
                tops.pop()
            # Where the path is to go on; what is joined beyond is complete.
            last = tops.pop() if later else base
            while starts and starts[-1] >= last:
                found.append(path[starts.pop() - base : ends.pop() - base])
            if not later:
                path.clear()
                break
            node = later.pop()
            if ends and ends[-1] > last:
                last = ends[-1]
            if last < top:
                for gone in path[last - base :]:
                    places[gone] = _DONE
                del path[last - base :]
                top = last
        base = top
    return found


def _join(starts: list[int], ends: list[int], start: int, end: int) -> None:
    """Join the path from a place to its end, and what that is joined with."""
    while ends and ends[-1] > start:
        if starts[-1] <= start:
            ends[-1] = end
            return
        starts.pop()
        ends.pop()
    starts.append(start)
    ends.append(end)
