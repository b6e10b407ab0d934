"""Caches of the standard library that have a bound, and do not show it."""

from __future__ import annotations

import re
import sys
from xml.etree import ElementTree as ET

import pytest

import refscope
from refscope._measure import growth
from refscope._measure.caches import bounded


@pytest.mark.usefixtures("small_heap")
def test_the_cache_of_regular_expressions_is_no_leak(monkeypatch):
    """It fills with hundreds of calls, more than a slow function gets."""
    monkeypatch.setattr(growth, "_ENOUGH_CALLS", 0)
    re.purge()
    numbers = iter(range(10_000))
    report = refscope.find_leaks(lambda: re.compile(f"a{next(numbers)}"), rounds=2)
    re.purge()

    assert not report.is_leaking, str(report)
    assert any("inside a cache re._cache" in limit for limit in report.limits)


def test_the_bounds_are_those_of_the_modules():
    """Nothing is assumed of a cache that is not there, or is full."""
    assert bounded(re._cache) == ("cache re._cache", re._MAXCACHE)
    if sys.version_info >= (3, 12):
        assert bounded(re._cache2) == ("cache re._cache2", re._MAXCACHE2)
    path = sys.modules["xml.etree.ElementPath"]
    assert ET.ElementPath is path
    assert bounded(path._cache) == ("cache xml.etree.ElementPath._cache", 101)
    assert bounded({}) is None
