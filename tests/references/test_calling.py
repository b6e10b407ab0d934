"""Who called: what C has in between is not taken for the call's own (3.10)."""

from __future__ import annotations

import sys

import pytest

import refscope
from refscope import refcount, referrers
from refscope._measure.references import refcounts
from refscope._measure.references.calling import _JUMPS, _callee, on_stack


old = pytest.mark.skipif(not refcounts.IS_OLD, reason="nothing is left on a stack")


class Thing:
    """What is counted; counts itself, and others under another name."""

    count = refcount
    other = 1

    def __init__(self):
        self.number = refcount


def test_plain_calls():
    """Under the names that it has, all numbers are right and exact."""
    thing, things = Thing(), [Thing(), 0]
    place = 0
    alias = refcount

    def get():
        return thing

    counts = [
        refcount(thing),
        refcount(obj=thing),
        refcount(thing, ignore=0),
        refcount(things[place]),
        refcount(get()),
        refcount(thing if place == 0 else None),
        refcount([place or 1, thing][1]),
        refscope.refcount(thing),
        refscope.refcount(obj=thing),
        referrers(thing).refcount,
        refscope.referrers(thing).refcount,
        alias(thing),
        *[alias(thing) for _ in range(1)],
        Thing().count(),
    ]

    assert [count.exact for count in counts] == [True] * len(counts)
    assert [count.count for count in counts[:-1]] == [1] * (len(counts) - 1)


def test_a_method():
    """The function can be one of the object's own class."""
    thing = Thing()

    assert (thing.count().count, thing.count().exact) == (1, True)


@old
def test_called_from_c():
    """What looks like arguments of the call are those of another: it is not exact."""
    things, by_method = [Thing()], []
    make = list
    by_global = list(map(refcount, things))
    by_variable = make(map(refcount, things))
    by_method.extend(map(refcount, things))
    report = next(iter(list(map(referrers, things))))
    counts = [*by_global, *by_variable, *by_method, report.refcount]

    assert [count.exact for count in counts] == [False] * 4
    assert min(count.count for count in counts) >= 1
    assert by_global[0].limits == (refcounts.UNSURE,)
    assert not report.exact


@old
def test_another_name_or_none():
    """Where the bytecode does not say what is called the count may be off by one."""
    thing = Thing()
    functions = {"count": refcount}
    counts = [
        thing.number(thing),
        functions["count"](thing),
        Thing.count(obj=thing),
    ]

    assert [count.count for count in counts] == [1] * 3
    assert [count.exact for count in counts] == [False] * 3


@old
def test_long_code():
    """Names whose numbers take more than one byte are read."""
    lines = [f"    _ = names.n{number}\n" for number in range(300)]
    text = "def long(names, thing):\n" + "".join(lines)
    text += "    return refscope.refcount(names.n299), refscope.refcount(thing)\n"
    scope = {"refscope": refscope}
    exec(text, scope)  # noqa: S102  # 300 names

    class Names:
        def __getattr__(self, name):
            return name

    counts = scope["long"](Names(), Thing())

    assert [count.exact for count in counts] == [True, True]


@old
def test_the_call_is_not_on_a_stack():
    """A frame that waits in no call has no arguments on its stack."""

    def ask(_):
        return on_stack(sys._getframe(1), ask.__code__, Thing)

    class Asks:
        def __add__(self, other):
            return ask_in_between(other)

    def ask_in_between(_):
        return on_stack(sys._getframe(2), ask.__code__, Thing)

    def no_arguments():
        return on_stack(sys._getframe(1), ask.__code__, Thing)

    assert (Asks() + 1) == (0, True)
    assert ask(1) == (1, True)
    assert no_arguments() == (0, True)


def test_conditions_in_arguments():
    """Where a call begins is not told by going back over a jump."""
    jump = min(_JUMPS)

    assert _callee(bytes([jump, 0, 0, 0]), 2, 1) is None
