"""Names of references: how many there are, that they are right, how they look."""

from __future__ import annotations

import contextvars
import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from refscope import referrers, render
from refscope._measure.cpython import managed
from refscope._measure.names import containers, describe, table
from refscope._measure.names.spelling import (
    attribute,
    collapsed,
    element,
    spelled,
    subscript,
)

from .kinds import KINDS, Both, Holder, Thing, fresh


_COUNT = """if True:
    import argparse, ast, asyncio, base64, bisect, calendar, codecs, configparser
    import concurrent.futures, contextlib, copy, csv, ctypes, dataclasses, datetime
    import decimal, difflib, dis, email.message, enum, fractions, glob, gzip, hashlib
    import heapq, html.parser, http.client, inspect, ipaddress, json, logging.handlers
    import mimetypes, multiprocessing, optparse, pathlib, pickle, platform, pprint
    import queue, random, sched, shelve, shlex, socket, sqlite3, ssl, statistics
    import string, subprocess, tarfile, tempfile, textwrap, tokenize, traceback
    import typing, unittest.mock, urllib.request, uuid, xml.etree.ElementTree, zipfile
    import gc
    from refscope._measure.cpython.hazards import hazard
    from refscope._measure.names.table import edges
    def count():
        objects = gc.get_objects()
        total = unknown = 0
        for thing in objects:
            if thing is not objects and thing is not hazard():
                expected = gc.get_referents(thing)
                found = edges(thing)
                assert len(expected) == len(found)
                total += len(found)
                unknown += sum(name is None for name, _ in found)
        print(total, unknown)
    count()
"""


@pytest.mark.needs_subprocess
def test_nearly_all_references_have_names():
    """At least 99 % do in a process with 70 standard modules, and no edge is lost."""
    env = {**os.environ, "PYTHONPATH": str(Path(render.__file__).parents[2])}
    command = [sys.executable, "-c", _COUNT]
    answer = subprocess.run(
        command, env=env, capture_output=True, text=True, check=True
    )
    total, unknown = map(int, answer.stdout.split())

    assert total > 50_000
    assert unknown / total < 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_all_references_of_a_holder(kind):
    """``edges`` has one entry for each reference that the collector sees."""
    holder, name, keep = KINDS[kind](Thing())
    if holder is not None:
        expected = gc.get_referents(holder)
        found = table.edges(holder, materialise=True)

        assert sorted(map(id, expected)) == sorted(id(to) for _, to in found)
        plain = name.replace("<cell thing>", ".cell_contents")
        assert plain in [one for one, _ in found] or ".__dict__" in dict(found)
    assert keep is not None


@pytest.mark.skipif(sys.version_info < (3, 11), reason="all have one before")
def test_no_dictionary_is_made():
    """Only on request is an instance asked for its dictionary."""
    holder = type("Fresh", (Holder,), {})()
    name = fresh("odd", "name")
    setattr(holder, name, Thing())
    quiet = [one for one, _ in table.edges(holder)]
    was_made = managed.has_dict(holder)
    asked = [one for one, _ in table.edges(holder, materialise=True)]

    assert (None in quiet, was_made) == (True, False)
    assert ".__dict__['odd name']" in asked or ".__dict__" in asked
    assert managed.has_dict(holder)


class TwoNames:
    """Has one thing under three names, which different code speaks of."""

    def __init__(self, thing):
        self.of_class = thing


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the dictionary has them")
@pytest.mark.parametrize("is_odd", [False, True])
def test_what_has_several_names_has_each_once(is_odd):
    """The name that was found first is not tried again for the other references."""
    thing = []
    holder = TwoNames(thing)
    holder.of_stack = thing
    odd = fresh("odd", "name")
    if is_odd:
        setattr(holder, odd, thing)
    assert holder.of_class is holder.of_stack

    known = table.edges(holder, materialise=is_odd)
    found = [name for name, other in known if other is thing]
    assert sorted(found) == [
        *[".__dict__['odd name']"] * is_odd,
        ".of_class",
        ".of_stack",
    ]


def test_where_the_dictionary_is():
    """Without a way to read memory, or where nothing fits, it is not known."""
    assert managed.dict_place(None) is None
    assert managed.dict_place(lambda _: 1) is None
    assert not managed.has_dict(Both()) or sys.version_info < (3, 11)


# -- Spelling.
@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("a", "'a'"),
        (b"a", "b'a'"),
        (3, "3"),
        (1.5, "1.5"),
        (None, "None"),
        (True, "True"),
        ((1, "a"), "(1, 'a')"),
        ((1,), "(1,)"),
        ((), "()"),
        ((1, (2, 3)), None),
        ((1, 2, 3, 4, 5), None),
        (("a" * 60,), None),
        ((object(),), None),
        (10**100, None),
        (1 << 100_000, None),
        ([], None),
        (Thing(), None),
        ("a" * 100, repr("a" * 55) + "..."),
    ],
    ids=range(18),
)
def test_keys(key, text):
    """Keys of exact built-in types are shown, cut at 60 characters."""
    assert spelled(key) == text


@pytest.mark.parametrize("text", ["\x00" * 100, "\U0001f600" * 70, "'" * 61, "é" * 59])
def test_long_keys(text):
    """However much of a key has to be escaped, what is shown is short."""
    assert len(spelled(text)) <= 60


def test_forms():
    """Values, elements and attributes are spelled as in Python."""
    assert (subscript("a"), subscript([])) == ("['a']", "[...]")
    assert (element(1), element([])) == ("{1}", "{...}")
    assert attribute("x") == ".x"
    assert attribute("class") == ".__dict__['class']"
    assert attribute(3) == ".__dict__[3]"


def test_collapsing():
    """A step to a namespace and one into it are one attribute."""
    assert collapsed(".__dict__", "['x']") == ".x"
    assert collapsed(".__dict__", "['x y']") == ".__dict__['x y']"
    assert collapsed(".__dict__", "{'x'}") is None
    assert collapsed(".x", "['y']") is None
    assert collapsed(".__dict__", None) is None


# -- Descriptions.
@pytest.mark.parametrize(
    ("thing", "detail"),
    [
        ([1], "1 item"),
        ("ab", "2 characters"),
        (b"", "0 bytes"),
        (gc, "gc"),
        (Thing, f"{Thing.__module__}.Thing"),
        (Thing().method, "Thing.method"),
        (Thing.method, "Thing.method"),
        (len, None),
        (3, None),
        ((_ for _ in ()), "<genexpr>"),
    ],
    ids=range(10),
)
def test_details(thing, detail):
    """What is safe to say is said."""
    assert describe.detail_of(thing) == detail


@pytest.mark.parametrize(
    "thing", [[1], "ab", {}, Thing(), Both(), Thing, gc, len, 10**30, {1}, (1, 2)]
)
def test_sizes(thing):
    """The size is what sys says."""
    assert describe.size_of(thing) == sys.getsizeof(thing)


def test_a_size_of_its_own():
    """A method of the program is not asked."""

    class Liar(list):
        """Says nothing true."""

        def __sizeof__(self):
            raise AssertionError

    assert describe.size_of(Liar()) >= sys.getsizeof([])


def test_where_it_was_allocated():
    """While memory is traced, a description has the line; also on 3.11."""
    import tracemalloc

    tracemalloc.start()
    try:
        thing = Thing()
        described = describe.describe(thing)
        unknown = describe.describe(Thing)
    finally:
        tracemalloc.stop()

    assert described.traceback.innermost.filename == __file__
    assert unknown.traceback is None


# -- Odd moments.
def test_a_container_that_never_stands_still():
    """One that changes at each attempt to read it has no names, and no error."""

    def read(_):
        raise RuntimeError

    assert containers.snapshot(read, []) == []


def test_an_empty_cell():
    """A variable of a generator without a value does not disturb the others."""

    def generator():
        found = Thing()
        yield lambda: (earlier, found, later)
        earlier = later = 1

    running = generator()
    inner = next(running)
    found = [name for name, _ in table.edges(running, materialise=True)]

    assert "<cell found>" in found or "gi_frame" in str(found)
    assert inner


def test_fields_that_are_no_names():
    """A tuple is no named one because its class has strange fields."""
    target = [1]
    holder = type("Odd", (tuple,), {"_fields": (1, 2), "__slots__": ()})([target, 2])

    assert table.names_of(holder, target) == ["[0]"]


def test_annotations_that_are_no_names():
    """Among them those that are texts are tried as attributes."""
    name = fresh("declared", "only").replace(" ", "_")  # no constant of any code
    kind = type("Odd", (Holder,), {"__annotations__": {1: int, name: int}})
    holder, target = kind(), [1]
    setattr(holder, name, target)
    report = referrers(target)

    assert report.references[0].name == "." + name
    assert report.limits == ()


def test_a_class_whose_module_is_not_there():
    """Names that the running code uses are tried then."""
    kind = type("Odd", (Holder,), {"__module__": "not_imported"})
    holder, target = kind(), [1]
    holder.only_here = target
    report = referrers(target)

    assert report.references[0].name == ".only_here"
    assert report.references[0].holder.type_name == "not_imported.Odd"
    assert report.limits == ()


def test_values_of_several_context_variables():
    """Each value in a context has the name of its own variable."""
    variables = [contextvars.ContextVar(f"number_{number}") for number in range(5)]
    values = [[number] for number in range(5)]
    context = contextvars.Context()
    for variable, value in zip(variables, values, strict=True):
        context.run(variable.set, value)
    found = [
        [one.name for one in referrers(value).references if one.name[:2] == "<c"]
        for value in values
    ]

    assert found == [[f"<context variable number_{number}>"] for number in range(5)]
