"""References that a shared object gains with each call, and whose they are."""

from __future__ import annotations

import functools
import itertools

import pytest

import refscope


class Shared:
    """One object, that many things have."""


def _find(function):
    return refscope.find_leaks(function, rounds=2)


def test_a_cache_that_is_not_full_gives_references():
    """To what it returns, and to the class of its links, which is no leak.

    The whole heap is looked at: frozen objects, such as the class, are no suspects.
    """
    numbers, shared = itertools.count(), Shared()

    def same(_):
        return shared

    caches = [functools.lru_cache(4_096)(same) for _ in range(2)]
    report = _find(lambda: [cache(next(numbers)) for cache in caches])

    assert not report.is_leaking, str(report)
    for name in ("Shared", "type"):
        assert any(
            f"{name} grows inside a functools._lru_cache_wrapper (test_a_cache_that_is_"
            "not_full_gives_references.<locals>.same) of at most 4,096" in at
            for at in report.limits
        )


@pytest.mark.usefixtures("small_heap")
def test_a_list_beside_a_cache_is_a_leak():
    """What has a bound is not told as the holder, if something else has none."""
    numbers, kept, shared = itertools.count(), [], Shared()
    cache = functools.lru_cache(4_096)(lambda _: shared)
    report = _find(lambda: kept.append(cache(next(numbers))))
    [leak] = report.leaks

    assert (leak.kind, leak.per_call, leak.verdict) == ("references", 1, "held")
    assert leak.held_by.references[-1].holder.type_name == "list"


@pytest.mark.usefixtures("small_heap")
def test_references_in_two_places_are_not_leaked_in_c():
    """Together they are all that it gained."""
    first, second, shared = [], [], Shared()
    report = _find(lambda: [first.append(shared), second.append(shared)])
    [leak] = report.leaks

    assert (leak.per_call, leak.verdict) == (2, "held")


@pytest.mark.usefixtures("small_heap")
def test_each_object_has_its_own_rate():
    """Of two objects that gain references at once."""
    once, twice, kept = Shared(), Shared(), []
    report = _find(lambda: kept.extend([once, twice, twice]))

    assert sorted(leak.per_call for leak in report.leaks) == [1, 2]
