"""find_leaks where a container gives way to a bigger one, or holds next to nothing."""

from __future__ import annotations

import itertools

import pytest

import refscope


pytestmark = pytest.mark.usefixtures("small_heap")


class Item:
    """What leaks."""


class Log:
    """What keeps the containers."""

    texts: list[str]
    numbers: set[int]
    pair: tuple[object, ...]
    items: tuple[Item, ...]
    by_number: dict[int, list[int]]


@pytest.fixture
def log():
    """Return the holder, emptied in the end."""
    Log.texts, Log.numbers, Log.pair, Log.items = [], set(), (), ()
    Log.by_number = {}
    yield Log
    del Log.texts, Log.numbers, Log.pair, Log.items, Log.by_number


def find(f, **options):
    """Return the report of three rounds."""
    return refscope.find_leaks(f, rounds=3, **options)


# -- A bigger one each time: the newest is young, and so is all that it holds.
def _texts(log, number):
    log.texts = [*log.texts, f"line {number}"]


def _numbers(log, number):
    log.numbers = log.numbers | {number}


def _nested(log, number):
    log.pair = (log.pair, number)


@pytest.mark.parametrize("add", [_texts, _numbers, _nested])
def test_what_a_new_container_takes_over_is_a_leak(log, add):
    """There is one container all the time, but ever more that only it holds."""
    numbers = itertools.count(10_000)  # no number that is made once for all
    report = refscope.find_leaks(lambda: add(log, next(numbers)))

    assert report.is_leaking
    assert {leak.verdict for leak in report.leaks} == {"held"}
    assert report.leaks[0].traceback.innermost.filename == __file__


def _items(log, _):
    log.items = (*log.items, Item())


def _entries(log, number):
    log.by_number = {**log.by_number, number: [number]}


@pytest.mark.parametrize(
    ("add", "step"), [(_items, ".items"), (_entries, ".by_number")]
)
def test_the_new_container_is_what_grows(log, add, step):
    """Not the class or module whose attribute it is, which has no entry more."""
    numbers = itertools.count(10_000)  # no number that is made once for all
    leak = find(lambda: add(log, next(numbers))).leaks[0]

    assert leak.held_by.references[leak.grows_at].name == step


def test_small_tuples_are_traced():
    """None comes from a free list that refscope's own tuples have filled."""
    kept, numbers = [], itertools.count()
    leak = refscope.find_leaks(lambda: kept.append((1, next(numbers) % 200))).leaks[0]

    assert leak.type_name == "tuple"
    assert (leak.per_call, leak.verdict) == (1.0, "held")


def test_one_that_takes_the_place_of_the_one_before():
    """It is at the same address, of another line than those that leak, and no leak."""
    state, kept = {}, []

    def handle():
        state.clear()
        state["now"] = Item()
        kept.append(Item())

    report = refscope.find_leaks(handle)

    (leak,) = [leak for leak in report.leaks if leak.type_name.endswith(".Item")]
    assert (leak.per_call, leak.verdict) == (1.0, "held")
    assert leak.growth == (1,) * 5
