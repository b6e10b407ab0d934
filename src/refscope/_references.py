"""``refcount`` and its like: how many references an object has, and whose they are."""

from __future__ import annotations

import sys
from sys import getrefcount
from typing import NoReturn

from refscope._measure.budget import Budget, OnProgress
from refscope._measure.cpython import runtime
from refscope._measure.heap import ours
from refscope._measure.references import refcounts
from refscope._measure.references.addresses import find, parsed
from refscope._measure.references.calling import call_of_old
from refscope._measure.references.explain import explain
from refscope._measure.references.refcounts import IS_OLD, OWN, counted
from refscope._measure.references.watching import Watch
from refscope._measure.session import boundary
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError
from refscope.reports import RefCount, ReferrersReport


def refcount(obj: object, *, ignore: int = 0) -> RefCount:
    """Return how many references to an object the program holds.

    The reference of this call and refscope's own are not counted, so a local variable
    alone is 1 on every version.  From 3.14 on a parameter, and a copy of it, often
    borrows the reference of the caller and does not count.

    Where others stand between the program and this call, their references count too:
    a wrapper with a parameter, ``map``, ``functools.partial`` or ``f(*[x])``.  A
    wrapper subtracts its own with ``ignore``.

    Args:
        obj: Any object.  Nothing of it is run.
        ignore: References that are known and not meant.

    Raises:
        InvalidArgumentError: ``ignore`` is below 0.
        ArgumentTypeError: ``ignore`` is no whole number.

    Example:
        >>> import refscope
        >>> thing = [1, 2, 3]
        >>> again = thing
        >>> int(refscope.refcount(thing))
        2
    """
    # No helper may get the object itself: it would be one more that holds it.
    box = [obj]
    passed = getrefcount(box[0])
    del obj
    is_sure = True
    if IS_OLD:
        stack, is_sure = call_of_old(type(box[0]))
        passed = 1
        number = getrefcount(box[0]) - OWN - stack
    else:
        number = getrefcount(box[0]) - OWN
        passed -= number + OWN
    if type(ignore) is not int or ignore < 0:
        _refuse_ignore(ignore)
    return counted(box, number, passed, ignore, is_sure=is_sure)


def referrers(
    obj: object,
    *,
    max_objects: int | None = None,
    deadline: float | None = None,
    progress: OnProgress | None = None,
) -> ReferrersReport:
    """Return who holds an object: each reference with its name.

    Containers of all kinds are found by the collector; variables of running functions
    are read from the frames of all threads.  ``unaccounted`` is what is left: held
    from C, or by an expression that is being evaluated.  What holds the object weakly
    is no holder.

    A name that cannot be told otherwise is got by asking an instance for its
    ``__dict__``, or a generator for its frame; both stay, and ``limits`` says so.

    Args:
        obj: Any object.  Nothing of it, or of its holders, is run.
        max_objects: End the search after so many objects; None means no limit.
        deadline: End the search after so many seconds; None means no limit.
        progress: Called from time to time with a ``Progress``.

    Raises:
        InvalidArgumentError: A bound is out of range.
        ArgumentTypeError: A bound is no number, or ``progress`` cannot be called.

    Example:
        >>> import refscope
        >>> thing = [1, 2, 3]
        >>> box = {"things": thing}
        >>> sorted(one.name for one in refscope.referrers(thing).references)
        ["['thing']", "['things']"]
    """
    box = [obj]
    passed = getrefcount(box[0])
    del obj
    is_sure = True
    if IS_OLD:
        stack, is_sure = call_of_old(type(box[0]))
        passed = 1
        number = getrefcount(box[0]) - OWN - stack
    else:
        number = getrefcount(box[0]) - OWN
        passed -= number + OWN
    budget = Budget(max_objects, deadline, progress)
    with boundary.own_work():
        count = counted(box, number, passed, is_sure=is_sure)
        report = explain(box, count, sys._getframe(1), budget)
        ours.disown_report(report)
    return report


def watch(obj: object) -> Watch:
    """Watch the references to an object over a block of code.

    ``with watch(obj) as watched: ...`` and then ``watched.report`` tells the count
    before and after, and which references were gained and lost.  The object is held
    weakly, so that it can die inside; one that cannot be is held, which does not
    count, and ``limits`` says so.

    Args:
        obj: Any object.  Nothing of it, or of its holders, is run.

    Example:
        >>> import refscope
        >>> class Thing: ...
        >>> thing = Thing()
        >>> things = []
        >>> with refscope.watch(thing) as watched:
        ...     things.append(thing)
        >>> watched.report.diff, watched.report.gained[0].name
        (1, '[0]')
    """
    box = [obj]
    passed = getrefcount(box[0])
    del obj
    passed -= getrefcount(box[0])
    return Watch(box, 1 if IS_OLD else passed)


def object_at(
    address: int | str,
    *,
    max_objects: int | None = None,
    deadline: float | None = None,
    progress: OnProgress | None = None,
) -> object:
    """Return the live object at an address.

    By proof: the object is one that the collector tracks, or something tracked refers
    to it, or a variable of a running function does.  Nothing is read at the address,
    so a wrong one does no harm.

    What is found is there now.  Whether it is what was there when the address was
    taken cannot be told: an address is used again as soon as its object is gone.

    Args:
        address: As ``id()`` or ``hex_address()`` gives it: a number, or text in base
            16, with or without ``0x``.
        max_objects: End the search after so many objects; None means no limit.
        deadline: End the search after so many seconds; None means no limit.
        progress: Called from time to time with a ``Progress``.

    Raises:
        AddressError: No object is known to be there, or it can be no address.
        ArgumentTypeError: It is neither a number nor text.

    Example:
        >>> import refscope
        >>> our_var = 12
        >>> refscope.object_at(id(our_var)), refscope.object_at(hex(id(our_var)))
        (12, 12)
    """
    number = parsed(address)
    budget = Budget(max_objects, deadline, progress)
    with boundary.own_work():
        found = find(number, sys._getframe(1), budget)
    return found[0]


def hex_address(obj: object) -> str:
    """Return the address of an object as text, as ``object_at`` takes it.

    Example:
        >>> import refscope
        >>> thing = [1, 2, 3]
        >>> refscope.object_at(refscope.hex_address(thing)) is thing
        True
    """
    return hex(id(obj))


def _refuse_ignore(ignore: object) -> NoReturn:
    if type(ignore) is not int:
        raise ArgumentTypeError(
            f"ignore takes a whole number, not {type(ignore).__name__}"
        )
    raise InvalidArgumentError(f"ignore takes 0 or more, not {ignore}")


refcounts.limits.extend(refcounts.calibrate(refcount, runtime.PROBLEM))
