"""Names of what types of the standard library that are written in C refer to."""

from __future__ import annotations

import asyncio
import codecs
import csv
import decimal
import functools
import gc
import io
import pickle
import queue
from collections import OrderedDict
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import refscope
from refscope._measure.names import edges, names_of


class Item:
    """What is referred to."""


async def _numbers():
    yield [1]


def _compared():
    return functools.cmp_to_key(lambda one, other: one is other)(Item())


def _unawaited(make):
    """Return an awaitable and what it is made of, never run."""
    generator = _numbers()
    return make(generator)


def _awaiting():
    async def wait():
        await asyncio.sleep(0)

    coroutine = wait()
    awaiter = coroutine.__await__()
    coroutine.close()
    return awaiter


def _of_future():
    loop = asyncio.new_event_loop()
    try:
        return loop.create_future().__await__()
    finally:
        loop.close()


def _element():
    element = ET.Element("tag", {"key": "value"})
    element.text, element.tail = "some text", "some tail"
    element.extend([ET.Element("child"), ET.Element("child")])
    return element


def _connection():
    return pytest.importorskip("sqlite3").connect(":memory:")


def _decoder():
    return codecs.getincrementaldecoder("utf-8")()


def _queue():
    things = queue.SimpleQueue()
    things.put(Item())
    things.put([1])
    return things


@pytest.mark.parametrize(
    "make",
    [
        _queue,
        _element,
        _compared,
        _awaiting,
        _of_future,
        functools.partial(_unawaited, lambda made: made.asend(None)),
        functools.partial(_unawaited, lambda made: made.athrow(ValueError)),
        functools.partial(_unawaited, lambda made: anext(made, [5])),
        lambda: memoryview(b"abc" * 9),
        lambda: io.BytesIO(b"abc" * 9),
        lambda: io.TextIOWrapper(io.BytesIO()),
        lambda: io.IncrementalNewlineDecoder(_decoder(), translate=True),
        lambda: csv.reader(["a,b"]),
        lambda: csv.writer(io.StringIO()),
        _connection,
        decimal.Context,
        lambda: pickle.Pickler(io.BytesIO()),
        ET.XMLParser,
        ET.TreeBuilder,
        lambda: pytest.importorskip("ctypes").CFUNCTYPE(None)(lambda: None),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::ResourceWarning")
def test_nothing_that_c_holds_is_without_a_name(make):
    """An attribute where Python has one, else what it is."""
    thing = make()
    named = edges(thing)

    assert len(named) == len(gc.get_referents(thing))
    assert [type(held) for name, held in named if name is None] == []
    if make is _connection:
        thing.close()  # else it warns


def test_the_file_of_a_text_is_not_named_as_a_decoder_alone():
    """It has one field for it, beside the buffer that leads to the file as well."""
    with Path(__file__).open(encoding="utf-8") as text:
        names = names_of(text, text.buffer.raw)

    assert names == ["<decoder, encoder or file>"]


def test_the_parts_of_an_element_are_told_apart():
    """Its children by their place; what it has of attributes is not made."""
    element, bare = _element(), ET.Element("bare")
    child, attributes = element[1], element.attrib

    assert names_of(element, child) == ["[1]"]
    assert names_of(element, attributes) == [".attrib"]
    assert names_of(element, element.tag) == [".tag"]
    assert names_of(element, element.tail) == ["<text or tail>"]
    assert dict not in map(type, gc.get_referents(bare))
    edges(bare)
    assert dict not in map(type, gc.get_referents(bare))


def test_an_element_that_is_written_in_python_is_not_called():
    """Where the module of C is missing, the class of that name is the program's."""

    def get(self, key):
        raise AssertionError

    space = {
        "__module__": "xml.etree.ElementTree",
        "__getitem__": get,
        "__slots__": ("child",),
    }
    element = type("Element", (), space)()
    element.child = child = Item()

    assert names_of(element, child) == [".child"]


def test_an_ordered_dictionary_has_its_keys_twice():
    """Once in its table and once in its order."""
    key = Item()
    table = OrderedDict([(key, 1), ("text", key)])

    assert names_of(table, key) == ["['text']", "{...}", "<order>"]
    assert names_of(table, "text") == ["{'text'}", "<order>"]


def test_a_path_goes_by_the_name_that_says_more():
    """Not by the order of a dictionary, where there is the key."""
    table, key = OrderedDict(), Item()
    table[key] = 1
    [path] = [
        path
        for path in refscope.why_alive(key).paths
        if path.references[-1].holder.type_name == "collections.OrderedDict"
    ]

    assert path.references[-1].name == "{...}"
