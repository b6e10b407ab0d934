"""What grows meanwhile and is not the function's: refscope's own, other threads'."""

from __future__ import annotations

import pytest

import refscope


class Item:
    """What leaks."""


KEPT = []


@refscope.track
def _decorated():
    return Item()


@refscope.track(on_report=bool, survivors=True, cycles=True)
def _reported():
    return Item()


def _with_a_block():
    with refscope.track("block", survivors=True):
        pass


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("f", [_decorated, _reported, _with_a_block])
def test_blocks_of_refscope_are_no_leak(f):
    """What they send into a collection is no garbage of the function."""
    report = refscope.find_leaks(f, rounds=3)

    assert report.leaks == ()
    assert not any("garbage" in limit for limit in report.limits)


@pytest.mark.usefixtures("small_heap")
def test_a_leak_beside_blocks_of_refscope():
    """The function's own garbage is still seen."""

    def f():
        with refscope.track("block"):
            ring = [Item()]
            ring.append(ring)

    report = refscope.find_leaks(f, rounds=2)

    assert [leak.kind for leak in report.leaks] == ["cycles"]
