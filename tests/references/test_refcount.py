"""The count itself: what it says of itself, and what it is measured with."""

from __future__ import annotations

import functools
import sys

import attrs
import pytest

from refscope import ImmortalError, RefscopeError, refcount
from refscope._measure.cpython import frames, runtime
from refscope._measure.references import calling, refcounts
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError


class Thing:
    """What is counted."""


def test_fields():
    """A count says what of, and where it was."""
    thing = Thing()
    count = refcount(thing)

    assert int(count) == count.count == count.stored == 1
    assert count.type_name == f"{__name__}.Thing"
    assert count.address == id(thing)
    assert (count.immortal, count.exact, count.complete) == (False, True, True)
    assert count.limits == ()
    assert count.is_clean


def test_what_sys_would_say():
    """``sys_count`` is what ``sys.getrefcount`` says in the place of the call."""
    # Not in the asserts, since pytest keeps what stands in them.
    thing = Thing()
    items = [thing]
    of_local = refcount(thing).sys_count, sys.getrefcount(thing)
    of_item = refcount(items[0]).sys_count, sys.getrefcount(items[0])
    try:
        int("x")
    except ValueError:
        in_except = refcount(thing).sys_count, sys.getrefcount(thing)

    assert of_local[0] == of_local[1]
    assert of_item == (3, 3)
    assert in_except[0] == in_except[1]


def test_headlines():
    """One line names the number, the object, and why sys says another."""
    items = [Thing()]
    count = refcount(items[0])

    assert count.headline == (
        f"1 reference to {__name__}.Thing at {id(items[0]):#x} "
        "(sys.getrefcount: 2, one is its argument)"
    )
    assert attrs.evolve(count, count=2).headline.endswith("(sys.getrefcount: 2)")


@pytest.mark.parametrize("thing", [None, True, 12, "a", b"", ()])
@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are none")
def test_immortal(thing):
    """An immortal object has no count, and asking for one as a number teaches so."""
    count = refcount(thing)

    assert (count.count, count.immortal, count.value) == (None, True, repr(thing))
    assert count.stored == count.sys_count == sys.getrefcount(thing)
    with pytest.raises(ImmortalError, match="is immortal") as caught:
        int(count)
    assert isinstance(caught.value, (RefscopeError, TypeError))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are none")
def test_immortal_type():
    """An immortal object without a harmless repr is told by its address."""
    assert f"type at {id(int):#x} is immortal" in refcount(int).headline


@pytest.mark.skipif(sys.version_info < (3, 14), reason="sys cannot tell before")
def test_immortal_as_sys_says():
    """The verdict is that of the interpreter."""
    things = [None, 0, 256, 257, 10**10, "a", "some text", int, Thing, (), (1,), 1.5]

    for thing in things:
        assert refcount(thing).immortal == sys._is_immortal(thing)


def test_ignore():
    """A wrapper subtracts the references that it adds itself."""

    class Wrapper:
        """Keeps what it counts."""

        def __init__(self, thing):
            self.thing = thing

        def count(self):
            return refcount(self.thing, ignore=1).count

    thing = Thing()
    wrapper = Wrapper(thing)
    one, both = wrapper.count(), refcount(thing).count

    assert (one, both) == (1, 2)


def test_too_much_is_ignored():
    """A count is never negative; then it is not exact."""
    thing = Thing()
    count = refcount(thing, ignore=5)

    assert (count.count, count.exact) == (0, False)


def test_bad_ignore():
    """What cannot be ignored is said with its value or type, also where it is false."""
    with pytest.raises(InvalidArgumentError, match="-1"):
        refcount(1, ignore=-1)
    for bad in ("1", "", None, 0.0, False, []):
        with pytest.raises(ArgumentTypeError, match=type(bad).__name__):
            refcount(1, ignore=bad)


def test_called_from_c():
    """Through ``map`` the number is off by what C holds, and never too low."""
    things = [Thing()]
    counts = [count.count for count in map(refcount, things)]

    assert counts in ([1], [2])


def test_called_by_a_partial_without_arguments():
    """A partial that has its argument is counted, as the holder it is."""
    thing = Thing()

    assert functools.partial(refcount, thing)().count == 2


# -- How it is found out what this build is like.
def test_this_build_is_known():
    """Headers are read as expected here, and calls add what is expected."""
    assert runtime.PROBLEM is None
    assert refcounts.limits == []


@pytest.mark.parametrize(
    ("version", "word", "number"),
    [
        ((3, 10), 8, sys.maxsize),
        ((3, 11), 8, 500_000_000),
        ((3, 12), 8, 1 << 31),
        ((3, 12), 4, 0x3FFFFFFF),
        ((3, 15), 8, 1 << 31),
    ],
)
def test_where_immortality_begins(version, word, number):
    """As the headers of each version have it."""
    assert runtime.immortal_from(version, word) == number


@pytest.mark.parametrize(
    ("version", "word", "order", "layout"),
    [
        ((3, 11), 8, "little", (-8, 8)),
        ((3, 13), 8, "little", (-8, 4)),
        ((3, 13), 8, "big", (-4, 4)),
        ((3, 13), 4, "little", (-4, 4)),
    ],
)
def test_layouts(version, word, order, layout):
    """The count is a word, or the low half of one."""
    assert runtime.count_layout(version, word, order) == layout


def test_offset_reader():
    """The table of layouts is right for this build, also where it is not needed."""
    assert runtime.header_problem(runtime._offset_reader()) is None


def test_a_header_that_is_not_known():
    """A build that fails the check says with which number it did."""
    assert "cannot be read" in runtime.header_problem(None)
    problem = runtime.header_problem(lambda _: 7)
    assert "with 1 references reads as 7" in problem


def test_a_build_that_fails_the_check(monkeypatch):
    """Then sys.getrefcount is all there is, and what the header holds is not told."""
    monkeypatch.setattr(runtime, "PROBLEM", "the header is strange")
    monkeypatch.setattr(
        refcounts, "limits", refcounts.calibrate(refcount, runtime.PROBLEM)
    )
    count = refcount([])
    of_none = refcount(None)

    assert (count.count, count.stored, count.exact) == (0, None, False)
    assert count.limits == ("the header is strange: sys.getrefcount is all there is",)
    assert of_none.stored is None or sys.version_info < (3, 12)


def test_an_interpreter_that_passes_arguments_otherwise():
    """Where a call adds more than it should, every count says so."""

    def count_too_much(obj):
        count = refcount(obj)
        return attrs.evolve(count, count=count.count + 1)

    assert refcounts.calibrate(count_too_much, None) == [refcounts.UNCALIBRATED]


def test_deferred_counts(monkeypatch):
    """A build that keeps counts elsewhere adds a large number, and is not exact."""
    monkeypatch.setattr(runtime, "DEFERRED", 1 << 60)
    monkeypatch.setattr(refcounts, "FREE_THREADED", True)
    thing = Thing()
    report = refcounts.counted([thing], (1 << 60) + 5, 1)
    of_class = refcounts.counted([Thing], 5, 1)
    plain = refcounts.counted([thing], 5, 1)

    assert (report.count, report.exact, report.immortal) == (5, False, False)
    assert (of_class.count, of_class.exact) == (5, False)
    assert of_class.limits == (refcounts.DEFERRED,)
    assert (plain.count, plain.exact) == (5, True)


@pytest.mark.skipif(not refcounts.IS_OLD, reason="only 3.10 copies for hooks")
@pytest.mark.parametrize("hook", [None, print])
def test_variables_of_the_call_are_copied_only_for_hooks(monkeypatch, hook):
    """Without one nothing is left behind in the frame of the call."""
    monkeypatch.setattr(sys, "gettrace", lambda: hook)
    monkeypatch.setattr(sys, "getprofile", lambda: None)
    thing = Thing()
    count = refcount(thing)

    def call():
        frame = sys._getframe()
        calling.call_of_old(Thing)
        return frames._has_snapshot(frame)

    assert call() == (hook is not None)
    assert count.count == 1
