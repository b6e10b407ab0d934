"""Which references a suspended generator owns, and the garbage that hangs on it."""

from __future__ import annotations

import gc
import sys
from itertools import repeat

import pytest

import refscope
from refscope._measure.cpython.borrowing import may_borrow
from refscope._measure.cycles.search import UNWEIGHED

from .helpers import found_ids, only


BORROWS = sys.version_info >= (3, 14)
borrows = pytest.mark.skipif(not BORROWS, reason="stacks own all that they have")


class Cat:
    """An object of the program, with everything that the functions below use."""

    def mew(self, *_, **__):
        """Return the cat."""
        return self

    __enter__ = __add__ = __iadd__ = __getitem__ = mew

    def __exit__(self, *_):
        """Let errors through."""

    def __setitem__(self, *_):
        """Keep nothing."""

    def __iter__(self):
        return repeat(self, 2)


class Kitten(Cat):
    """One whose method suspends inside of a call of its base."""

    def suspend(self):
        """Wait where the method of the base and its object are on the stack."""
        return super().mew((yield), self)


# -- Generators that wait where nothing, or nothing borrowed, is on the stack.
def two_variables(cat):
    """Keep it twice."""
    same = cat
    yield same


def three_variables(cat):
    """Keep it in what is unpacked, assigned and kept."""
    first, *_ = cat
    first.friend = second = first
    first += second
    del first.friend
    yield second


def in_a_loop(cat):
    """Wait with an iterator on the stack."""
    for each in cat:
        same = each
        yield same


def in_a_with_of_a_call(cat):
    """Wait in a block whose manager a call returned."""
    same = cat
    with same.mew(cat):
        yield


def in_a_handler(cat):
    """Wait with an error on the stack."""
    same = cat
    try:
        cat.tail()
    except AttributeError:
        yield same


def in_finally(cat):
    """Wait behind a call."""
    same = cat
    try:
        same.mew(cat)
    finally:
        yield


def after_an_expression(cat):
    """Wait behind expressions that borrowed what they used."""
    same = cat
    same.mew(cat, [same, cat], *[cat], word=f"{same is cat}")
    cat[same] += cat
    yield same.mew(cat + same)


def in_a_branch(cat):
    """Wait where the stack goes over a jump, so that it owns what is on it."""
    return cat.mew((yield) if cat else 1, cat)


def in_a_comparison(cat):
    """Wait behind the jump in the middle of it."""
    same = cat
    return cat is same is (yield)


OWNERS = [
    two_variables,
    three_variables,
    in_a_loop,
    in_a_with_of_a_call,
    in_a_handler,
    in_finally,
    after_an_expression,
    in_a_branch,
    in_a_comparison,
]


# -- Generators that wait inside of an expression, with variables on the stack.
def in_a_call(cat):
    """Wait for an argument."""
    cat.mew(cat, (yield))


def in_a_method(cat):
    """Wait for the only argument of a method."""
    cat.mew((yield))


def in_a_display(cat):
    """Wait for an item."""
    return [cat, (yield), cat]


def in_an_item(cat):
    """Wait for what is added to an item."""
    cat[cat] += yield


def in_a_with(cat):
    """Wait with the method that ends the block, and its object."""
    with cat as same:
        yield same


def behind_a_loop(cat):
    """Wait in a loop, with more than its iterator."""
    for each in cat:
        cat.mew(each, (yield each), cat)


BORROWERS = [
    in_a_call,
    in_a_method,
    in_a_display,
    in_an_item,
    in_a_with,
    behind_a_loop,
    Kitten.suspend,
]


def name(function):
    """Name a parameter."""
    return function.__qualname__


@borrows
@pytest.mark.parametrize("function", OWNERS + BORROWERS, ids=name)
def test_whether_it_owns_all_that_it_has(function):
    """By the count itself: what it owned is gone when it is closed."""
    cat = Kitten()
    generator = function(cat)
    next(generator)

    referents = gc.get_referents(generator)
    has = times(cat, referents)
    in_others = 0
    for holder in referents:  # an iterator, a bound method
        in_others += times(cat, gc.get_referents(holder)) * (holder is not cat)
    del referents, holder
    before = sys.getrefcount(cat)
    generator.close()
    owned = before - sys.getrefcount(cat) - in_others

    assert has == owned or function in BORROWERS
    assert may_borrow(function.__code__) is (function in BORROWERS)


def times(thing, things):
    """Return how often a thing is among things."""
    return [each is thing for each in things].count(True)


@borrows
def test_there_are_borrowed_references():
    """Without them the test before would prove nothing."""
    cat = Kitten()
    before = sys.getrefcount(cat)
    generator = in_a_call(cat)
    next(generator)

    assert times(cat, gc.get_referents(generator)) == 3
    assert sys.getrefcount(cat) - before == 1


@pytest.mark.parametrize("function", OWNERS + BORROWERS, ids=name)
def test_a_generator_in_a_ring(function):
    """It is garbage as soon as nobody holds it, and not before."""
    cat = Kitten()
    cat.generator = function(cat)
    next(cat.generator)
    everyone = {id(cat), id(cat.generator)}

    assert found_ids() == set()
    del cat
    if function not in BORROWERS or not BORROWS:
        assert found_ids() >= everyone


_LONG = "def long(cat):\n    same = cat\n"
_LONG += "".join(f"    v{number} = v{number - 1}\n" for number in range(1, 300))
_LONG = _LONG.replace("v0", "cat") + "    yield v299\n"


@borrows
def test_variables_with_large_numbers():
    """Their numbers take more than one byte; two of a code are looked at once."""
    namespace = {}
    exec(_LONG, namespace)  # noqa: S102  # 300 variables
    long = namespace["long"]
    cats = [Kitten(), Kitten()]
    for cat in cats:
        cat.generator = long(cat)
        next(cat.generator)
    everyone = {*map(id, cats)}
    assert not may_borrow(long.__code__)
    assert found_ids() == set()

    del cat, cats
    assert found_ids() >= everyone


class Keeper:
    """Keeps a generator."""


def keep_waiting(data):
    """Leave a ring with a generator that has data in a variable and on its stack."""
    keeper = Keeper()
    keeper.me = keeper
    keeper.run = in_a_display(data)
    next(keeper.run)


def test_what_hangs_on_a_generator_that_borrows():
    """It is not known whether that is held by others, and said so."""
    shared = bytes(100_000)
    keep_waiting(shared)
    report = refscope.find_cycles(collect=True)
    keep_waiting(bytes(100_000))
    alone = refscope.find_cycles()

    if BORROWS:
        assert only(report).held is only(alone).retained_size is None
        assert UNWEIGHED in report.limits
    else:
        assert only(report).retained_size < 5_000
        assert only(alone).retained_size > 100_000


def test_an_asynchronous_generator_in_a_ring():
    """What it has twice it owns twice."""

    async def two(cat):
        same = cat
        yield same

    cat = Kitten()
    cat.generator = two(cat)
    with pytest.raises(StopIteration):
        cat.generator.asend(None).send(None)
    everyone = {id(cat), id(cat.generator)}

    assert found_ids() == set()
    del cat
    assert found_ids() >= everyone
