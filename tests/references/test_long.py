"""Places of an object in sequences of many items, which are looked through in parts."""

from __future__ import annotations

import sys
import threading

import pytest

from refscope import referrers
from refscope._measure.names import referents
from refscope._measure.names.table import names_of

from .kinds import Thing


PART = referents._PART
PLACES = [0, 1, PART - 1, PART, 3 * PART, 5 * PART + 6]


def long(thing):
    """Return a list of many, with the thing at some places."""
    items = [object() for _ in range(5 * PART + 7)]
    for place in PLACES:
        items[place] = thing
    return items


@pytest.fixture
def alone(monkeypatch):
    """Say that there is no other thread, whatever other tests have left."""
    monkeypatch.setattr(referents, "_is_alone", lambda: True)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("kind", [list, tuple])
def test_all_places(kind):
    """The first and the last item, and both sides of where parts meet."""
    thing = Thing()

    assert names_of(kind(long(thing)), thing) == [f"[{place}]" for place in PLACES]


@pytest.mark.usefixtures("alone")
def test_an_immortal_object():
    """Its count does not change, so its places are looked for one by one."""
    assert names_of(long(None), None) == [f"[{place}]" for place in PLACES]


@pytest.mark.needs_threads
def test_beside_other_threads():
    """They may change the count meanwhile, so it is not relied on."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        thing = Thing()
        names = names_of(long(thing), thing)
    finally:
        done.set()
        thread.join()

    assert names == [f"[{place}]" for place in PLACES]


@pytest.mark.usefixtures("alone")
def test_a_count_that_changes_meanwhile(monkeypatch):
    """What a finalizer does to the count must not hide a place."""
    counts = iter([1, 2, *[1] * 6, 2])
    monkeypatch.setattr(referents, "getrefcount", lambda _: next(counts))
    thing = Thing()

    assert names_of(long(thing), thing) == [f"[{place}]" for place in PLACES]


def test_nothing_of_the_items_is_run():
    """Items are compared by identity and never by ``==``."""

    class Loud:
        def __eq__(self, other):
            raise AssertionError

        __hash__ = None

    thing = Loud()
    items = [Loud() for _ in range(5 * PART)]
    items[3 * PART] = thing

    assert names_of(items, thing) == [f"[{3 * PART}]"]


def test_the_whole_search():
    """No reference of the search itself is left or counted."""
    thing = Thing()
    items = long(thing)
    before = sys.getrefcount(thing)
    report = referrers(thing)

    assert len(report.references) == len(PLACES) + 1
    assert (report.unaccounted, report.exact) == (0, True)
    assert sys.getrefcount(thing) == before
    assert items[0] is thing
