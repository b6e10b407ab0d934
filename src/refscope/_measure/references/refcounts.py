"""Counts of references: what a number that was read says.

The method is 'hold, drop, read': a list of ours holds one reference, whatever the
argument was; the argument is deleted; then the count is read from the list.  That has
to be done in the body of the public function, since any function in between would
hold the object too.  A box, as the list is called here, can be passed on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from weakref import ref

from refscope._measure.cpython import runtime
from refscope._measure.cpython.classes import FREE_THREADED, is_class, type_name
from refscope._measure.cpython.environment import environment
from refscope._measure.names.spelling import spelled
from refscope.reports import RefCount


Box = list[object]
"""A list of one: the reference in it is ours, and the only one of ours."""

ENVIRONMENT = environment()


class HeldBox(Box):
    """A box that refscope keeps while the program runs: it holds, too."""

    __slots__ = ("__weakref__",)


_held: list[ref[HeldBox]] = []  # weakly: who has a box may be held by what is in it

OWN = 2
"""What ``sys.getrefcount(box[0])`` counts of ours: the box, and the argument."""

IS_OLD = sys.version_info < (3, 11)
"""Whether a caller's stack keeps the arguments of a call until it returns."""

UNCALIBRATED = (
    "calls are carried out in an unusual way here, perhaps by another frame evaluator: "
    "the count may be too high"
)
DEFERRED = (
    "this build keeps parts of the count of functions, modules, classes and code "
    "elsewhere: the count is not exact"
)
UNSURE = (
    "refscope was called in a way that 3.10 does not show, perhaps from C: the count "
    "may be off by one"
)

limits: list[str] = []
"""What holds for every count of this process, in sentences; found out at import."""


def calibrate(count: Callable[..., RefCount], problem: str | None) -> list[str]:
    """Return what must be said of every count, by counts that are known.

    Args:
        count: ``refcount``; called here and nowhere further down.
        problem: Why headers cannot be read, or None.
    """
    found = [] if problem is None else [f"{problem}: sys.getrefcount is all there is"]
    thing = object()
    held = [thing] * 3
    known = [(count(thing), 4), (count(obj=thing), 4), (count(held[0]), 4)]
    known.append((count(object()), 0))
    if any(report.count != number for report, number in known):
        found.append(UNCALIBRATED)
    return found


def counted(
    box: Box, number: int, passed: int, ignore: int = 0, *, is_sure: bool = True
) -> RefCount:
    """Return the report of a count.

    Args:
        box: Holds the object.
        number: What is stored, without the references of refscope and the call.
        passed: What the argument of a call adds where this one was made.
        ignore: References that the caller knows of and does not mean.
        is_sure: Whether it is known what the call adds.
    """
    if _held:
        others = [other for other in held_boxes() if other is not box]
        number -= sum(other[0] is box[0] for other in others)
    kind = type(box[0])
    deferred = FREE_THREADED and number >= runtime.DEFERRED // 2
    if number >= runtime.IMMORTAL_FROM - OWN and not deferred:
        return _immortal(box, number + OWN)
    kept_elsewhere = FREE_THREADED and (deferred or _is_deferred(box))
    count = number - runtime.DEFERRED if deferred else number
    found = [*limits, *[DEFERRED] * kept_elsewhere, *[UNSURE] * (not is_sure)]
    return RefCount(
        count=count - ignore if count > ignore else 0,
        sys_count=number + passed,
        stored=number if runtime.PROBLEM is None else None,
        immortal=False,
        exact=not found and count >= ignore,
        type_name=type_name(kind),
        address=id(box[0]),
        limits=tuple(found),
        environment=ENVIRONMENT,
    )


def keep(box: Box) -> HeldBox:
    """Return a box of the same that is not counted, as long as somebody has it."""
    kept = HeldBox(box)
    _held.append(ref(kept, _forget))
    return kept


def _forget(dead: ref[HeldBox]) -> None:
    _held[:] = [each for each in _held if each is not dead]


def held_boxes() -> list[HeldBox]:
    """Return the boxes that refscope keeps now."""
    boxes = [each() for each in _held]
    return [box for box in boxes if box is not None]


def _immortal(box: Box, stored: int) -> RefCount:
    return RefCount(
        count=None,
        sys_count=stored,
        stored=stored if runtime.PROBLEM is None else None,
        immortal=True,
        exact=True,
        type_name=type_name(type(box[0])),
        address=id(box[0]),
        value=spelled(box[0]),
        limits=tuple(limits),
        environment=ENVIRONMENT,
    )


def _is_deferred(box: Box) -> bool:
    """Return whether a build without the global lock defers counts of this type."""
    return is_class(box[0]) or type_name(type(box[0])) in _DEFERRED_TYPES


_DEFERRED_TYPES = frozenset(
    {
        "function",
        "method",
        "method_descriptor",
        "module",
        "code",
        "_thread._local",
        "staticmethod",
        "classmethod",
        "property",
    }
)
