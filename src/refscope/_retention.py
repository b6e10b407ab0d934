"""``why_alive``: which roots keep an object, and where the mistake may be."""

from __future__ import annotations

import sys
from collections.abc import Callable
from sys import getrefcount
from typing import TypeVar

from refscope._measure.budget import Budget, OnProgress
from refscope._measure.cpython.classes import is_class
from refscope._measure.heap import inspectors, ours
from refscope._measure.heap.keeping import Kept
from refscope._measure.references.calling import call_of_old
from refscope._measure.references.refcounts import IS_OLD, OWN
from refscope._measure.retention import verdicts
from refscope._measure.session import boundary
from refscope.exceptions import ArgumentTypeError
from refscope.reports import RetentionReport, Verdict


T = TypeVar("T")


def why_alive(
    obj: object,
    *,
    max_objects: int | None = None,
    deadline: float | None = None,
    progress: OnProgress | None = None,
) -> RetentionReport:
    """Return the shortest paths from roots to an object: what keeps it alive.

    Roots are modules, the running functions of all threads, signal handlers, and
    what only C holds.  There is one path for each independent holder; a dictionary
    that has the object twice is one.  No code of the program runs, but for inspectors
    that were added; to name a step on a path, a ``__dict__`` or the frame object of a
    generator may have to be made, as reading the attribute would.

    Args:
        obj: The object.
        max_objects: Holders to look at, at most.
        deadline: Seconds to search, at most.
        progress: Called now and then with how far the search has come.

    Example:
        >>> import refscope
        >>> class Cart:
        ...     pass
        >>> cart = Cart()
        >>> class Shop:
        ...     carts = [cart]
        >>> [path.references[-1].name for path in refscope.why_alive(cart).paths]
        ["['cart']", '[0]']
    """
    box = Kept([obj])
    del obj
    stack, is_sure = call_of_old(type(box[0])) if IS_OLD else (0, True)
    number = getrefcount(box[0]) - OWN - stack
    budget = Budget(max_objects, deadline, progress)
    with boundary.own_work():
        report = verdicts.retention_in(
            box, number if is_sure else None, sys._getframe(1), budget
        )
        ours.disown_report(report)
    return report


def add_inspector(
    cls: type[T], inspect: Callable[[T], Verdict | None]
) -> Callable[[], None]:
    """Let a function judge the objects of a class on paths that ``why_alive`` finds.

    ``Verdict("no", why)`` says that an object is alive for a reason,
    ``Verdict("yes", why)`` that it is done with and only held; None leaves it to
    others.  The function that was added last is asked first, and before refscope's
    own.  One that raises is logged and dropped.

    Returns:
        A function that takes the inspector away again.

    Raises:
        ArgumentTypeError: ``cls`` is no class, or ``inspect`` cannot be called.

    Example:
        >>> import refscope
        >>> from refscope.reports import Verdict
        >>> class Session:
        ...     closed = False
        >>> def judge(session):
        ...     return Verdict("yes", "it is closed") if session.closed else None
        >>> remove = refscope.add_inspector(Session, judge)
        >>> remove()
    """
    if not is_class(cls):
        raise ArgumentTypeError(
            f"add_inspector takes a class, not {type(cls).__name__}"
        )
    if not callable(inspect):
        raise ArgumentTypeError(
            f"inspect must be a function, not {type(inspect).__name__}"
        )
    return inspectors.add(cls, inspect)
