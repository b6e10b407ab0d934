"""Who holds an object: every kind of holder, by the name of its reference."""

from __future__ import annotations

import gc

import pytest

from refscope import referrers

from .kinds import KINDS, Thing


def _from_heap(report):
    return [one for one in report.references if one.holder.type_name != "frame"] + [
        one
        for one in report.references
        if one.holder.type_name == "frame" and "test_" not in one.name
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_holder_is_named(kind):
    """It is found once, under the name it has for the object; nothing is left over."""
    thing = Thing()
    gc.collect()
    holder, name, keep = KINDS[kind](thing)
    report = referrers(thing)

    assert [one.name for one in _from_heap(report)] == [name]
    assert report.unaccounted == 0
    assert report.exact
    assert holder is None or _from_heap(report)[0].holder.address == id(holder)
    if name[0] in ".[" and holder is not None:
        assert eval("holder" + name) is thing  # noqa: S307  # that is the rule
    assert keep is not None
