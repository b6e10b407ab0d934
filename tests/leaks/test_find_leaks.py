"""find_leaks: what it asks for, bounded caches, known leaks, coroutines."""

from __future__ import annotations

import asyncio
import collections
import decimal
import email
import functools
import gc
import json
import re
import sqlite3
import struct
from xml.etree import ElementTree as ET

import pytest

import refscope
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError
from refscope.render import from_json, to_dot, to_json, to_mermaid, to_text


class Item:
    """What leaks."""


ITEMS = []


@pytest.fixture(scope="module")
def report():
    """Return the report of one leak in a list."""
    ITEMS.clear()
    yield refscope.find_leaks(lambda: ITEMS.append(Item()))
    ITEMS.clear()


def test_a_leak_has_rate_line_and_holder(report):
    """One more Item per call, made here, held by the list of this module."""
    leak = report.leaks[0]

    assert (leak.kind, leak.per_call, leak.verdict) == ("objects", 1.0, "held")
    assert leak.type_name.endswith(".Item")
    assert leak.growth == (1, 1, 1, 1, 1)
    assert leak.traceback.innermost.filename == __file__
    assert [step.name for step in leak.held_by.references[:-1]] == [".ITEMS"]
    assert leak.grows_at == 0
    assert report.is_leaking
    assert not report.is_clean


def test_the_text_is_short_and_has_the_verdict_first(report):
    """What is pasted into an issue fits on a page."""
    lines = to_text(report).splitlines()

    assert lines[0].startswith("LEAKING: +1 ")
    assert len(lines) <= 25
    assert any("grows +1 per call" in line for line in lines)
    assert any("~~~~~~" in line for line in lines)


def test_reports_go_to_json_and_back(report):
    """Nothing is lost, and pictures can be drawn."""
    assert from_json(to_json(report)) == report
    assert "Item" in to_dot(report)
    assert "Item" in to_mermaid(report, redact=True)
    assert to_text(report, redact=True, full=True)


def test_known_leaks_do_not_count(report):
    """A fingerprint with a reason is reported, and the verdict is clean."""
    known = {report.leaks[0].fingerprint: "fixed next week"}
    again = refscope.find_leaks(lambda: ITEMS.append(Item()), known=known)

    assert [leak.known for leak in again.leaks] == ["fixed next week"]
    assert not again.is_leaking
    assert "1 known leak" in again.headline
    assert "known (fixed next week)" in to_text(again)


@functools.lru_cache(maxsize=5_000)
def cached(number):
    """Remember an item for each number."""
    return Item()


def test_a_bounded_cache_is_no_leak():
    """A cache that is not full yet is named in the limits."""
    numbers = iter(range(10_000))
    report = refscope.find_leaks(lambda: cached(next(numbers)))

    assert not report.is_leaking
    assert any("at most 5,000" in limit for limit in report.limits)
    cached.cache_clear()


def test_a_bounded_queue_is_no_leak():
    """A deque with maxlen fills up."""
    queue = collections.deque(maxlen=3_000)

    assert not refscope.find_leaks(lambda: queue.append(Item())).is_leaking


def test_a_cache_that_fills_is_no_leak():
    """A dictionary that stops growing after many calls is silent."""
    numbers, cache = iter(range(10_000)), {}

    def fill():
        if len(cache) < 300:
            cache[next(numbers)] = Item()

    assert not refscope.find_leaks(fill).is_leaking


def test_coroutines_are_awaited():
    """The same answer for a function whose result is awaited."""
    kept = []

    async def handle():
        await asyncio.sleep(0)
        kept.append(Item())

    async def main():
        return await refscope.find_leaks_async(handle, calls=2)

    report = asyncio.run(main())

    assert report.leaks[0].per_call == 1.0
    assert report.calls == 2


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"rounds": 1}, InvalidArgumentError),
        ({"calls": 0}, InvalidArgumentError),
        ({"warmup": -1}, InvalidArgumentError),
        ({"warmup": 1.5}, ArgumentTypeError),
        ({"deadline": -1}, InvalidArgumentError),
    ],
)
def test_numbers_that_make_no_sense(options, error):
    """They are refused at the door, with the value in the message."""
    with pytest.raises(error):
        refscope.find_leaks(Item, **options)


def test_functions_that_do_not_do_their_work():
    """What has to be awaited or iterated is refused, and so is no function."""

    async def coroutine():
        pass

    def generator():
        yield

    for f in (3, coroutine, generator):
        with pytest.raises(ArgumentTypeError):
            refscope.find_leaks(f)


def test_an_error_of_the_function_comes_through():
    """And nothing is left switched on (the guard of these tests looks)."""
    with pytest.raises(ZeroDivisionError):
        refscope.find_leaks(lambda: 1 // 0)


def _sqlite():
    with sqlite3.connect(":memory:") as base:
        base.execute("create table t (a)")
        base.execute("insert into t values (1)")
        base.execute("select * from t").fetchall()
    base.close()


@pytest.fixture
def small_heap():
    """Freeze what is there, so that each collection and census is cheap."""
    if gc.get_freeze_count():  # from the start, on 3.12
        yield
        return
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


CLEAN = {
    "json": lambda: json.loads(json.dumps({"a": [1, 2.5, None, {"b": "c"}]})),
    "re": lambda: re.sub(r"(\w+) (\w+)", r"\2 \1", "one two three four"),
    "re_compile": lambda: re.compile("a+b").findall("aab ab"),
    "decimal": lambda: sum(map(decimal.Decimal, ("1.1", "2.2"))),
    "sqlite3": _sqlite,
    "xml": lambda: ET.tostring(ET.fromstring("<a><b>c</b></a>")),  # noqa: S314
    "email": lambda: email.message_from_string("To: a@b\n\nText").as_string(),
    "struct": lambda: struct.unpack("<IH", struct.pack("<IH", 1, 2)),
    "sorted": lambda: sorted(range(100), key=str),
    "namedtuple": lambda: collections.Counter("mississippi").most_common(2),
    "text": lambda: "{:>10}".format("x").encode().decode().title().split(),
}


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("name", sorted(CLEAN))
def test_no_false_alarm(name):
    """Work that leaves nothing is clean."""
    report = refscope.find_leaks(CLEAN[name])

    assert not report.is_leaking, str(report)


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("package", ["jinja2", "attrs", "pydantic"])
def test_no_false_alarm_of_packages(package):
    """The same for packages, where they are installed."""
    module = pytest.importorskip(package)
    works = {
        "jinja2": lambda: _template(module).render(name="x"),
        "attrs": lambda: module.asdict(_made(module)),
        "pydantic": lambda: _model(module)(a=1),
    }

    assert not refscope.find_leaks(works[package]).is_leaking


@functools.cache
def _template(jinja2):
    # Compiling one leaves functions in a cycle with their globals each time.
    return jinja2.Template("Hello {{ name }}")


@functools.cache
def _class_of(attrs):
    return attrs.make_class("Made", ["a"])


def _made(attrs):
    return _class_of(attrs)(1)


@functools.cache
def _model(pydantic):
    return pydantic.create_model("Model", a=(int, ...))


OWN = {
    "track": lambda: refscope.track("x").start().stop(),
    "why_alive": lambda: refscope.why_alive(ITEMS),
    "expect_gone": lambda: refscope.expect_gone(Item(), "test").check(),
    "find_cycles": refscope.find_cycles,
    "find_leaks": lambda: refscope.find_leaks(Item, rounds=2),
    "to_json": lambda: to_json(refscope.TrackReport()),
}


@pytest.mark.parametrize("name", sorted(OWN))
def test_refscope_does_not_leak(name, request):
    """Its own functions leave nothing behind."""
    if name == "find_leaks":  # it collects a hundred times
        request.getfixturevalue("small_heap")
    report = refscope.find_leaks(OWN[name], rounds=3)

    assert not report.is_leaking, str(report)
