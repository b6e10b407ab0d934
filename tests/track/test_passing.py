"""A wrapper hands arguments on as a call does, and keeps none of them for itself."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

import refscope
from refscope import _calls, track
from refscope._measure.blocks import lifecycle

from .kinds import SILENT, numbers


LIGHT = {"types": False, "survivors": False, "cycles": False, "collect": False}
ALONE = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="who calls holds the arguments itself"
)


class Item:
    """An argument."""


# -- Nothing of the call is in a report.
@ALONE
@pytest.mark.exact
@pytest.mark.parametrize("collect", [True, False])
def test_the_levels_of_a_recursion_are_silent(collect):
    """No level has the arguments of the next in its peak."""
    tracker = track("levels", collect=collect, keep=10)

    @tracker
    def descend(depth, *, step=1):
        if depth:
            descend(depth - step, step=step)

    descend(5)

    assert [numbers(report) for report in tracker.reports] == [SILENT] * 6


@ALONE
@pytest.mark.exact
@pytest.mark.parametrize("every", [1, 2])
def test_arguments_are_in_no_peak_around_the_call(every):
    """Neither where the call is measured, nor where it is skipped."""

    @track(every=every, **LIGHT)
    def function(first, second, *, third=None):
        return first

    def around():
        with track(collect=False) as block:
            function(1, second=2, third=3)
            function(1, 2)
        return numbers(block.report)

    assert [around(), around()] == [SILENT, SILENT]


# -- The wrapper holds nothing.
def holders(item):
    """Return how many references an object has, and what they are called."""
    report = refscope.referrers(item)
    return refscope.refcount(item).count, [each.name for each in report.references]


@ALONE
def test_an_argument_that_the_function_deletes_is_freed():
    """As without the decorator, nobody else has it."""

    @track(**LIGHT)
    def function(item, *, other):
        known = [weakref.ref(item), weakref.ref(other)]
        del item, other
        return [ref() for ref in known]

    alive = function(Item(), other=Item())  # not in the assertion, which holds it

    assert alive == [None, None]


@ALONE
def test_an_argument_has_no_reference_too_many():
    """Its count is what it is in the plain function, and each holder is named."""
    count_of_plain, names_of_plain = holders(Item())
    count, names = track(**LIGHT)(holders)(Item())

    assert names == names_of_plain == ["<local item in holders>"]
    assert count == count_of_plain == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, refscope.RefscopeError])
def test_arguments_are_let_go_where_the_block_cannot_begin(monkeypatch, error):
    """What stands in the way of the block says so, and keeps nothing alive."""

    @track(**LIGHT)
    def function(item):
        return item

    def enter(plan, client, *, is_call):
        raise error

    item = Item()
    known = weakref.ref(item)
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "enter", enter)
        with pytest.raises(error):
            function(item)
    del item
    gc.collect()

    assert known() is None
    assert function(1) == 1


# -- A call is the call that it was.
def _only_by_position(first, second=2, /):
    return first, second


def _only_by_name(*, first, second=2):
    return first, second


def _all_kinds(first, /, second, third=3, *, fourth, fifth=5):
    return first, second, third, fourth, fifth


def _names_of_builtins(type, function, args=(), *, BaseException=None):  # noqa: A002, N803
    return type, function, args, BaseException


def _names_of_ours(refscope_block, refscope_function=2):
    return refscope_block, refscope_function


def _any(*args, **kwargs):
    return args, kwargs


def _renamed(first, second=2):
    return first, second


_renamed.__code__ = _renamed.__code__.replace(co_varnames=("first", "not a name"))

CALLS = [
    ((), {}),
    ((1,), {}),
    ((1, 2), {}),
    ((1, 2, 3, 4, 5, 6), {}),
    ((), {"first": 1}),
    ((1,), {"first": 1}),
    ((1, 2), {"fourth": 4}),
    ((1,), {"second": 2, "fourth": 4, "fifth": 6}),
    ((1, 2), {"BaseException": 3}),
    ((), {"type": 1, "function": 2}),
    ((), {"refscope_block": 1}),
    ((1,), {"other": 3}),
]


def said_by(function, args, kwargs):
    """Return what a call returns or raises."""
    try:
        return function(*args, **kwargs)
    except TypeError as error:
        return str(error)


@pytest.mark.parametrize(
    "function",
    [
        lambda: None,
        lambda first, second=2: (first, second),
        _only_by_position,
        _only_by_name,
        _all_kinds,
        _names_of_builtins,
        _names_of_ours,
        _any,
        _renamed,
    ],
)
def test_each_call_is_answered_as_before(function):
    """Parameters of each kind get their values, and wrong calls the same error."""
    tracked = track(**LIGHT)(function)

    assert tracked.__wrapped__ is function
    for args, kwargs in CALLS:
        assert said_by(tracked, args, kwargs) == said_by(function, args, kwargs)


def test_defaults_are_those_of_the_function():
    """A default that changes is the same object in each call."""

    @track(**LIGHT)
    def add(item, items=[], *, counts={}):  # noqa: B006
        items.append(item)
        counts[item] = len(items)
        return items, counts

    add(1)

    assert add(2) == ([1, 2], {1: 1, 2: 2})
    assert add(3, []) == ([3], {1: 1, 2: 2, 3: 1})


def test_each_function_of_the_same_parameters_is_called():
    """They share code, but nothing else."""

    def one(item):
        return 1, item

    def two(item):
        return 2, item

    first, second = map(track(**LIGHT), (one, two))

    assert [first("a"), second("b"), first("c")] == [(1, "a"), (2, "b"), (1, "c")]
    assert [first.__name__, second.__name__] == ["one", "two"]


@pytest.mark.parametrize("most", [0, 1_000])
def test_little_is_kept_of_what_is_compiled(monkeypatch, most):
    """A program that makes parameters without end does not fill memory."""
    monkeypatch.setattr(_calls, "_MOST_KNOWN", most)
    known = {**_calls._known}

    @track(**LIGHT)
    def function(a_name_that_nobody_has_but_this, *, most_of_it):
        return a_name_that_nobody_has_but_this, most_of_it

    assert function(1, most_of_it=2) == (1, 2)
    if not most:
        assert known == _calls._known


def test_a_method_gets_its_object():
    """With and without the object, and in a class with private names."""

    class Thing:
        @track(**LIGHT)
        def method(self, __private):  # noqa: PYI063
            return self, __private

        @classmethod
        @track(**LIGHT)
        def of_class(cls, value):
            return cls, value

    thing = Thing()

    assert thing.method(1) == Thing.method(thing, 1) == (thing, 1)
    assert Thing.of_class(2) == thing.of_class(2) == (Thing, 2)


def test_what_is_raised_is_raised_through():
    """The report has the error's name."""

    @track(**LIGHT)
    def function(item):
        raise LookupError(item)

    with pytest.raises(LookupError) as caught:
        function(3)

    assert caught.value.args == (3,)
    assert refscope.tracker_of(function).report.exception == "LookupError"
