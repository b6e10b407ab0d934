"""Places of many objects, and what is made of them."""

from __future__ import annotations

import tracemalloc

import pytest

import refscope
from refscope._measure.heap.tracebacks import (
    commonest,
    traceback_of_place,
    with_functions,
)
from refscope._measure.leaks import garbage
from refscope._measure.names.describe import have_lines, lines_of


def test_what_has_no_place_has_no_traceback():
    """Most of a group may come from free lists, which tracing has not seen."""
    place = (("shop.py", 3), ("main.py", 1))
    most = commonest([None, place, None])

    assert most is None
    assert traceback_of_place(most) is None
    assert with_functions(traceback_of_place(most)) is None


def test_a_place_is_a_traceback():
    """Innermost last, as tracebacks are read."""
    place = (("shop.py", 3), ("main.py", 1))
    traceback = traceback_of_place(commonest([None, place, place]))

    assert [frame.lineno for frame in traceback.frames] == [1, 3]


class _Ordinary:
    """Its attributes lie in the object, where 3.11 finds no traceback."""


@pytest.mark.parametrize("is_plain", [True, False])
def test_each_of_many_has_a_traceback_or_none(is_plain):
    """Whatever the metaclasses do, and of instances on 3.11 too."""
    bad = type("Bad", (type,), {"__hash__": None})
    others = [] if is_plain else [bad("Odd", (), {})]
    old = [_Ordinary(), "text", *others]
    tracemalloc.start()
    new = [_Ordinary(), bytes(1000), *[odd() for odd in others]]
    found, one_by_one = have_lines(old + new), [*map(lines_of, old + new)]
    tracemalloc.stop()

    assert found == [lines is not None for lines in one_by_one]
    assert found == [False] * len(old) + [True] * len(new)


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("is_tracing", [False, True])
def test_cycles_are_looked_at_without_tracing(monkeypatch, is_tracing):
    """It makes the look thirty times slower; the lines are noted before it ends."""
    look, were_traced = garbage.garbage_cycles, []

    def garbage_cycles(budget):
        were_traced.append(tracemalloc.is_tracing())
        return look(budget)

    def leak():
        ring = _Ordinary()
        ring.self = ring

    monkeypatch.setattr(garbage, "garbage_cycles", garbage_cycles)
    if is_tracing:
        tracemalloc.start()
    report = refscope.find_leaks(leak, rounds=2)
    tracemalloc.stop()
    (found,) = report.leaks
    line = leak.__code__.co_firstlineno + 1

    assert were_traced == [is_tracing]
    assert (found.kind, found.traceback.frames[-1].lineno) == ("cycles", line)
    assert found.cycle.references[0].holder.traceback.frames[-1].function
