"""Who holds an object: every kind of holder, by the name of its reference."""

from __future__ import annotations

import gc

import pytest

from refscope import referrers
from refscope._measure.references import holders

from .kinds import KINDS, Thing, fresh


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


def _texts(number):
    return [fresh("text", str(count)) for count in range(number)]


@pytest.mark.parametrize(
    ("table", "is_one"),
    [
        ({text: text for text in _texts(1000)}, True),
        ({text: text for text in _texts(999)}, False),
        (dict(zip(_texts(1000), _texts(1000), strict=True)), False),
        ({"a": "b", **{text: text for text in _texts(1000)}}, False),
        (_texts(1000), False),
    ],
    ids=["interned", "few", "equal", "one other", "list"],
)
def test_the_table_of_interned_texts(table, is_one):
    """It is told by what it has: many texts, each its own value."""
    assert holders._is_table_of_interned(table) == is_one


@pytest.mark.apart
def test_the_table_of_interned_texts_is_no_holder():
    """What looks like the interpreter's own table holds no text, but other things."""
    table = {text: text for text in _texts(1000)}
    text, thing = next(iter(table)), Thing()
    table["thing"] = thing
    names = [one.name for one in referrers(thing).references]
    of_text = [one.holder.address for one in referrers(text).references]

    assert "['thing']" in names
    assert id(table) not in of_text
