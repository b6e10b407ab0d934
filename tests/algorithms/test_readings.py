"""Numbers that change between two readings, against dictionaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refscope._measure.algorithms import readings
from refscope._measure.algorithms.readings import Readings, changes, gone


@pytest.fixture(autouse=True, scope="module")
def short_stretches():
    """Few numbers are enough to be many."""
    patch = pytest.MonkeyPatch()
    patch.setattr(readings, "_STRETCH", 4)
    patch.setattr(readings, "_MOST_GAPS", 3)
    yield
    patch.undo()


def _naive(before, after):
    """Return what differs, by two dictionaries."""
    first, second = (dict(zip(r.keys, r.numbers, strict=True)) for r in (before, after))
    return {
        (key, number, second[key])
        for key, number in first.items()
        if second.get(key, number) != number
    }


@st.composite
def _pairs(draw):
    """Return two readings, the second with some gone, new, moved and changed."""
    keys = draw(st.lists(st.integers(0, 60), unique=True, max_size=40))
    numbers = {key: draw(st.integers(0, 2)) for key in keys}
    left = [key for key in keys if draw(st.integers(0, 9))]
    moved = {key for key in left if not draw(st.integers(0, 9))}
    later = [key for key in left if key not in moved]
    for key in [*moved, *range(100, 100 + draw(st.integers(0, 6)))]:
        later.insert(draw(st.integers(0, len(later))), key)
    now = {key: draw(st.sampled_from([numbers.get(key, 0), 7])) for key in later}
    return (
        Readings(keys, numbers.values()),
        Readings(later, [now[key] for key in later]),
    )


@given(_pairs())
def test_changes_are_those_of_dictionaries(pair):
    """Whatever is gone, new or in another place, once each."""
    found = [*changes(*pair)]

    assert {*found} == _naive(*pair)
    assert len(found) == len({*found})


@given(_pairs())
def test_who_is_gone_is_in_the_first_only(pair):
    """Whoever has changed places is not."""
    before, after = pair

    assert gone(before, after) == {*before.keys} - {*after.keys}


@given(st.lists(st.integers(0, 9)), st.integers(-1, 1))
def test_keys_that_occur_again_have_one_number(keys, step):
    """As what several hold does."""
    before = Readings(keys, keys)
    after = Readings(keys[::-1], [key + step for key in keys[::-1]])

    assert {*changes(before, after)} == _naive(before, after)


def test_what_is_in_order_is_not_looked_for(monkeypatch):
    """A few that are gone or new leave the rest in step."""
    looked = []
    one_by_one = readings._unequal

    def noted(keys, numbers, later):
        looked.append(len(numbers))
        return one_by_one(keys, numbers, later)

    monkeypatch.setattr(readings, "_unequal", noted)
    before = Readings(range(100), range(100))
    keys = [key for key in range(105) if key not in {20, 70}]
    after = Readings(keys, [key + (key == 50) for key in keys])

    assert [*changes(before, after)] == [(50, 50, 51)]
    assert looked[-1] == 2  # the last is of those that nobody stands beside
