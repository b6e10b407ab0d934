"""One leak of each kind in this process, and how it is shown."""

from __future__ import annotations

import gc

import pytest

import refscope
from refscope.render import from_json, to_dot, to_json, to_mermaid, to_text


class Program:
    """What the leaking functions share; made anew when the rest is frozen."""

    shared: list[str]
    kept: list[list[str]]
    texts: list[str]


class Item:
    """What leaks."""


def _ring():
    item = Item()
    item.self = item


LEAKS = {
    "references": lambda: Program.kept.append(Program.shared),
    "memory": lambda: Program.texts.append("text " * (len(Program.texts) + 50)),
    "cycles": _ring,
}


@pytest.fixture(scope="module", params=sorted(LEAKS))
def found(request):
    """Return kind and report of a leak."""
    gc.freeze()  # the rest of the heap has no part in it
    Program.shared, Program.kept, Program.texts = ["shared"], [], []
    report = refscope.find_leaks(LEAKS[request.param], rounds=3)
    gc.unfreeze()
    yield request.param, report
    Program.kept, Program.texts = [], []


def test_the_kind_is_told(found):
    """With the rate, and who holds it if anybody does."""
    kind, report = found
    leak = report.leaks[0]

    assert (leak.kind, leak.verdict) == (kind, "cycle" if kind == "cycles" else "held")
    assert kind == "memory" or leak.per_call == 1.0
    assert report.is_leaking


def test_it_can_be_shown(found):
    """In every form, with and without what tells about a machine."""
    kind, report = found

    assert report.leaks[0].fingerprint in to_text(report, full=True)
    assert from_json(to_json(report)) == report
    for draw in (to_text, to_json, to_dot, to_mermaid):
        assert draw(report, redact=True)
    assert kind in to_json(report, redact=True)


def _lose(text):
    """Take a reference to a text that nobody gives back."""
    ctypes = pytest.importorskip("ctypes")
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(text))


def _lose_one():
    _lose(str(object()))


def _lose_another():
    _lose(str(object()))


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("is_last", [False, True])
def test_cycles_that_the_function_collects_have_their_rate(is_last):
    """All that is there in the end is of the last call; nothing if that collects."""

    def call():
        if not is_last:
            gc.collect()
        _ring()
        _ring()
        if is_last:
            gc.collect()

    report = refscope.find_leaks(call, rounds=3)

    assert [(leak.kind, leak.per_call) for leak in report.leaks] == (
        [] if is_last else [("cycles", 2.0)]
    )
    assert any("gc was run" in limit for limit in report.limits) != is_last


@pytest.mark.usefixtures("small_heap")
def test_memory_without_a_type_is_known_by_the_function_that_took_it():
    """A baseline that has one such leak does not hide all others."""
    one, another, again = [
        refscope.find_leaks(function, rounds=3).leaks[0]
        for function in (_lose_one, _lose_another, _lose_one)
    ]

    assert {leak.kind for leak in (one, another)} == {"memory"}
    assert one.fingerprint == again.fingerprint != another.fingerprint
