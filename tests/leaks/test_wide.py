"""Functions that leave objects of many types: what they share is looked at once."""

import gc
import sys
import tracemalloc
from itertools import repeat

import pytest

import refscope
from refscope._measure.budget import Budget
from refscope._measure.cpython.hazards import hazard
from refscope._measure.cpython.interpreter import get_object_traceback
from refscope._measure.heap import census
from refscope._measure.heap.untracked import Untracked
from refscope._measure.retention import backwards


@pytest.fixture
def wholes(monkeypatch):
    """How often a search turned to the whole heap."""
    made = []

    class Whole(backwards.Whole):
        __slots__ = ()

        def __init__(self, *args):
            made.append(None)
            super().__init__(*args)

    monkeypatch.setattr(backwards, "Whole", Whole)
    return made


def _kinds():
    """Return classes whose objects are one block each."""
    return [type(f"Kind{number}", (), {"__slots__": "held"}) for number in range(6)]


def _deep(made, things):
    """Keep one of each class, each behind some steps of its own."""
    for kind in made:
        thing = kind()
        for _ in repeat(None, 6):
            thing = [thing]
        things.append(thing)


@pytest.mark.usefixtures("small_heap")
def test_one_look_at_the_heap_serves_all_types(wholes):
    """Each type has its own path, whose sizes are those without the look."""
    made = _kinds()
    things = []

    report = refscope.find_leaks(lambda: _deep(made, things), rounds=2, warmup=1)

    leaks = [leak for leak in report.leaks if ".Kind" in leak.type_name]
    assert {leak.type_name.rpartition(".")[2] for leak in leaks} == {
        kind.__name__ for kind in made
    }
    for leak in leaks:
        assert leak.verdict == "held"
        assert [step.target.type_name for step in leak.held_by.references][-6:-1] == (
            ["list"] * 5
        )
        assert leak.size_per_call == sys.getsizeof(made[0]())
    assert len(wholes) <= 1


@pytest.mark.usefixtures("small_heap")
def test_what_only_the_function_holds_is_looked_for_once(wholes):
    """Beyond the function, which is no holder at first, there is one more look."""
    made = _kinds()

    report = refscope.find_leaks(_Keeper(made), rounds=2, warmup=1)

    leaks = [leak for leak in report.leaks if ".Kind" in leak.type_name]
    assert len(leaks) == len(made)
    assert {leak.held_by.root for leak in leaks} == {"the given function"}
    assert len(wholes) <= 2


class _Keeper:
    """A function that holds what it leaves, and that nobody else holds."""

    def __init__(self, made):
        self.made = made
        self.things = []

    def __call__(self):
        """Leave one of each class."""
        _deep(self.made, self.things)


def _harmless(objects):
    """Return all but what must not be asked for its referents (3.12)."""
    return [thing for thing in objects if thing is not hazard()]


def test_notes_of_who_holds_what_are_no_holders():
    """Another search of the same moment meets none of them in the heap."""
    thing = []
    holder = [thing]
    whole = backwards.Whole(_harmless, Budget(), [])
    for _ in repeat(None, 6):  # looks for some, then everything is noted
        whole.holders({id(thing)})
    found = [each for each in gc.get_referrers(holder) if not census.is_own(each)]

    assert not [each for each in found if type(each) is list]


def test_notes_of_refscope_are_not_looked_through_for_what_is_made_at_a_line():
    """They are made while memory is traced, and there may be more of them than all."""
    tracemalloc.start(2)
    try:
        texts = ["text " * length for length in (2, 3)]
        place = get_object_traceback(texts[0])
        notes, found = Untracked(), Untracked()
        notes.by_place = {place: [texts.pop()]}
        found.look_for({place}, are_keys=False)
    finally:
        tracemalloc.stop()

    assert [*found.by_place[place]] == texts
