"""The cycles of a block: found before they are freed, and put to its account."""

from __future__ import annotations

import gc
import signal
import sys
import weakref
from _thread import interrupt_main

import pytest

from refscope import find_cycles, track
from refscope._measure.blocks import litter
from refscope._measure.cpython.frozen import frozen_count

from .helpers import quiet_collector


class Cat:
    """Can know another."""

    def __init__(self, other=None):
        self.other = other


class Tidy:
    """Lets go of the others when it is finalized."""

    ran = 0

    def __init__(self):
        self.other = self

    def __del__(self):
        Tidy.ran += 1
        self.other = None


def leave_ring(number=1):
    """Make pairs that know each other, and forget them."""
    for _ in range(number):
        cat = Cat(Cat())
        cat.other.other = cat


def counts(report):
    """Return how many cycles of each kind a report has."""
    return {
        kind: sum(group.count for group in report.cycles.groups if group.kind == kind)
        for kind in ("garbage", "live")
    }


@pytest.mark.parametrize("collect", [True, False])
def test_garbage_of_the_block_is_named(collect):
    """One group, with the line that made it, and where to cut."""
    with quiet_collector(), track("x", collect=collect) as block:
        leave_ring(3)
    [group] = block.report.cycles.groups
    steps = group.example.references

    assert (group.kind, group.count) == ("garbage", 3)
    assert {step.name for step in steps} == {".other"}
    assert steps[0].holder.traceback.innermost.filename == __file__
    assert group.example.break_at[0].name == ".other"
    assert "3 garbage cycles" in block.report.headline
    assert not block.report.cycles.is_clean
    assert not [g for g in block.report.survivors if g.type_name.endswith("Cat")]
    assert (block.report.cycles.freed is not None) is collect


@pytest.mark.parametrize("collect", [True, False])
def test_older_garbage_is_not_blamed_on_the_block(collect):
    """What waited before is not in its report."""
    with quiet_collector():
        leave_ring()
        with track("x", collect=collect) as block:
            pass

    assert block.report.cycles.groups == ()
    assert block.report.cycles.objects == 0
    assert block.report.cycles.is_clean


def test_what_a_suspended_generator_borrows_is_alive():
    """Since 3.14 it can have an object twice and own one reference."""
    kept = []

    def generate(ring, item):
        kept.count(item, (yield))

    def work():
        item, ring = Cat(), []
        generator = generate(ring, item)
        next(generator)
        ring.append(generator)
        kept.append(item)

    with quiet_collector():
        gc.collect()
        with track("x", collect=False, types=False) as block:
            work()
        found = find_cycles()

    assert "Cat" in {g.type_name.rpartition(".")[2] for g in block.report.survivors}
    for report in (block.report.cycles, found):
        assert "list" in report.groups[0].type_names
        assert not any(name.endswith("Cat") for name in report.groups[0].type_names)
    if sys.version_info >= (3, 12):  # before, frame and method are garbage, too
        assert block.report.cycles.objects == found.objects == 2


def test_a_namespace_whose_function_is_left_is_kept_apart():
    """What leads to itself by way of the globals of a function is bookkeeping."""
    kept = []

    def work():
        names = {"__name__": "plug"}
        exec("def handler(): return config", names)  # noqa: S102  # our own
        cat = Cat(names)
        names["config"] = cat
        kept.append(names.pop("handler"))

    with quiet_collector(), track("x") as block:
        work()

    assert kept
    assert not block.report.cycles.groups


def test_a_ring_that_is_closed_over_older_objects():
    """The collection at the end keeps it until it is named; then it is freed."""
    one, two = Cat(), Cat()
    gone = weakref.ref(one)
    before, flags = list(gc.garbage), gc.get_debug()
    with quiet_collector(), track("x") as block:
        one.other, two.other = two, one
        del one, two

    assert counts(block.report) == {"garbage": 1, "live": 0}
    assert block.report.cycles.freed == block.report.cycles.objects
    assert gone() is None
    assert (gc.garbage, gc.get_debug()) == (before, flags)


def test_without_collecting_the_possibility_is_said():
    """Then it cannot be told from garbage of before."""
    one, two = Cat(), Cat()
    with quiet_collector(), track("x", collect=False) as block:
        one.other, two.other = two, one
        del one, two
    gc.collect()

    assert block.report.cycles.groups == ()
    assert litter.UNSETTLED in block.report.cycles.limits


def test_live_cycles_among_survivors():
    """Nothing is garbage while a name leads to it."""
    with quiet_collector(), track("x") as block:
        kept = Cat()
        kept.other = kept

    assert counts(block.report) == {"garbage": 0, "live": 1}
    assert block.report.cycles.freed == 0
    assert kept.other is kept


def know_each_other(one, other):
    """Close a ring of two, with attributes in dictionaries and data beside."""
    one.other, other.other = other, one
    one.data = [[1], [2], [3]]
    for cat in (one, other):
        cat.__dict__ = dict(vars(cat))


def facts(report):
    """Return what a report says of a shape, wherever it was met."""
    [group] = report.groups
    cycle = group.example
    names = [step.name for step in cycle.references]
    return group.fingerprint, names, cycle.held, cycle.advice


def test_a_shape_is_the_same_wherever_it_is_met():
    """Alive, over older objects or left by a call: what is ours refers to none."""
    with quiet_collector():
        left = facts(find_cycles(from_call=lambda: know_each_other(Cat(), Cat())))
        with track() as block:
            kept = [Cat()]
            know_each_other(kept[0], Cat())
        alive = facts(block.report.cycles)
        through = facts(find_cycles(through=kept))
        older = [Cat(), Cat()]
        with track() as block:
            know_each_other(*older)
            del older
        closed = facts(block.report.cycles)

    assert left[1:3] == ([".other", ".other"], 4)
    assert alive == through == closed == left


def test_a_block_inside_takes_nothing_from_the_one_around_it():
    """Its collections free what the outer one made; that is noted before."""
    with quiet_collector(), track("outer") as outer:
        leave_ring(2)
        with track("inner") as inner:
            leave_ring()
        leave_ring()

    assert counts(inner.report)["garbage"] == 1
    assert counts(outer.report)["garbage"] == 4


def test_a_block_inside_one_that_does_not_collect():
    """What is freed meanwhile is not counted twice, and not lost."""
    with quiet_collector(), track("outer", collect=False) as outer:
        leave_ring(2)
        with track("inner"):
            leave_ring()
        leave_ring()
    gc.collect()

    assert counts(outer.report)["garbage"] == 4
    assert (
        outer.report.cycles.freed
        == sum(group.objects for group in outer.report.cycles.groups) * 3 // 4
    )


@pytest.mark.parametrize("collect", [True, False])
def test_a_look_at_an_open_block(collect):
    """The report of the whole block still has what was there at the look."""
    with quiet_collector(), track("x", collect=collect) as block:
        leave_ring()
        so_far = block.peek()
        leave_ring()
    gc.collect()

    assert counts(so_far)["garbage"] == 1
    assert counts(block.report)["garbage"] == 2


def test_finalizers_run_once_and_after_the_look():
    """A cycle that its finalizer opens is seen whole."""
    Tidy.ran = 0
    with quiet_collector(), track("x") as block:
        Tidy()
    [group] = block.report.cycles.groups

    assert group.example.finalizers == 1
    assert group.example.finalized == 0
    assert Tidy.ran == 1


def test_an_older_cycle_that_its_finalizer_opens():
    """It is gone before anybody could look: nothing waited for the collector."""
    tidy = Tidy()
    tidy.other = Cat(tidy)
    Tidy.ran = 0
    with quiet_collector(), track("x") as block:
        del tidy

    assert Tidy.ran == 1
    assert block.report.cycles.groups == ()


def test_a_dictionary_made_for_names_is_not_of_the_block():
    """The collection after the look finds it too."""
    name = f"attribute_{id(Cat)}"
    with track() as block:
        cat = Cat()
        setattr(cat, name, cat)
        del cat.other
        del cat

    assert block.report.cycles.groups[0].example.references[0].name == f".{name}"
    assert block.report.cycles.objects == block.report.cycles.groups[0].objects
    assert block.report.cycles.freed == block.report.cycles.objects


def test_what_automatic_collections_freed_is_counted():
    """It has no names, since naming it would keep it."""
    with quiet_collector(), track("x") as block:
        leave_ring()
        gc.collect()
    freed = block.report.gc.collected

    assert freed >= 2
    assert litter.UNNAMED.format(freed) in block.report.cycles.limits


def test_a_program_that_saves_its_garbage():
    """Its flag stays, and nothing is taken out of its list, which is counted once."""
    flags = gc.get_debug()
    gc.set_debug(flags | gc.DEBUG_SAVEALL)
    try:
        with quiet_collector(), track("x") as block:
            before = len(gc.garbage)
            leave_ring()
        added = len(gc.garbage) - before
        saved = [thing for thing in gc.garbage if type(thing) is Cat]

        assert gc.get_debug() == flags | gc.DEBUG_SAVEALL
    finally:
        gc.set_debug(flags)
        gc.garbage.clear()

    assert len(saved) == 2
    assert counts(block.report) == {"garbage": 1, "live": 1}
    assert block.report.cycles.uncollectable == added


@pytest.mark.needs_threads
def test_an_interrupted_collection_leaves_nothing_behind():
    """Ctrl-C in a finalizer: flags, the switch, callbacks and garbage are as before."""
    state = (gc.isenabled(), gc.get_debug(), gc.callbacks[:], frozen_count())

    class Interrupts:
        # In C, so that the exception comes in refscope's code and not in a finalizer.
        __del__ = staticmethod(interrupt_main)

    def run():
        with track("x"):
            held = Interrupts()
            held.me = held
            del held

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        pytest.skip("somebody else handles Ctrl-C here")
    with pytest.raises(KeyboardInterrupt):
        run()
    with track("y") as block:
        pass

    assert state == (
        gc.isenabled(),
        gc.get_debug(),
        gc.callbacks,
        frozen_count(),
    )
    assert not [thing for thing in gc.garbage if type(thing).__name__ == "Interrupts"]
    assert block.report.label == "y"


def test_not_asked_for():
    """Without cycles=True the section is not measured."""
    with track("x", cycles=False) as block:
        leave_ring()

    assert block.report.cycles is None
    assert "cycles" not in block.report.measured


def test_a_bound_is_said():
    """A search that looks at fewer objects is not complete."""
    with quiet_collector(), track("x", max_objects=1) as block:
        leave_ring(5)

    assert not block.report.complete
    assert any("max_objects=1" in said for said in block.report.cycles.limits)
