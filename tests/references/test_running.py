"""Generators and coroutines that run: each variable of theirs is one holder."""

from __future__ import annotations

import asyncio
import ctypes
import sys

import pytest

from refscope import referrers, why_alive
from refscope._measure.cpython.executing import runs_in

from .kinds import Holder, Thing


IS_OLD = sys.version_info < (3, 11)


def _facts(report):
    names = [one.name.partition(" in ")[0] for one in report.references]
    return names, report.unaccounted, report.exact


def _generator(found):
    thing = Thing()
    found.append(referrers(thing))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    found.append(referrers(thing))
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(thing))
    yield


async def _coroutine(found):
    thing = Thing()
    found.append(referrers(thing))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    found.append(referrers(thing))
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(thing))


async def _async_generator(found):
    thing = Thing()
    found.append(referrers(thing))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    found.append(referrers(thing))
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(thing))
    yield


async def _each(things):
    async for _ in things:
        pass


@pytest.mark.parametrize(
    "run",
    [
        lambda found: list(_generator(found)),
        lambda found: asyncio.run(_coroutine(found)),
        lambda found: asyncio.run(_each(_async_generator(found))),
    ],
    ids=["generator", "coroutine", "async generator"],
)
def test_a_variable_of_one_that_runs(run):
    """It is listed once, as that of the frame, and hides no reference from C."""
    found = []
    run(found)
    before, after = found

    assert _facts(before) == (["<local thing"], 0, True)
    assert _facts(after) == (["<local thing"], 1, True)
    assert before.references[0].holder.type_name == "frame"


def test_a_parameter_of_one_that_runs():
    """It owns its reference on every version: nobody else need be there for it."""

    async def handler(given):
        found.append(referrers(given))
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(given))
        found.append(referrers(given))
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(given))

    found = []
    asyncio.run(handler(Thing()))

    assert [_facts(report) for report in found] == [
        (["<local given"], 0, True),
        (["<local given"], 1, True),
    ]
    assert not found[0].references[0].borrowed


def _awaited(keeps):
    """Return what is reported of a coroutine that is awaited."""

    async def inner():
        found.append(referrers(things[0]))

    async def outer():
        coroutine = inner()
        things.append(coroutine)
        if not keeps:
            del coroutine
        await things[0]

    found, things = [], []
    running = outer()
    with pytest.raises(StopIteration):
        running.send(None)
    return _facts(found[0])


@pytest.mark.skipif(
    sys.version_info < (3, 12), reason="a stack is seen only while it waits"
)
@pytest.mark.parametrize("keeps", [True, False])
def test_what_is_awaited(keeps):
    """One that runs holds what it awaits, on its stack, besides its variables."""
    stack = f"<evaluation stack of {_awaited.__name__}.<locals>.outer>"
    names = ["[0]", stack, "<local coroutine"] if keeps else ["[0]", stack]

    found, unaccounted, exact = _awaited(keeps)

    assert (sorted(found), unaccounted, exact) == (sorted(names), 0, True)


def test_what_waits_on_a_stack_and_is_a_variable():
    """Where a stack can borrow from a variable, it is not one more reference."""

    def inner():
        found.append(referrers(box[0]))
        yield 1

    def outer():
        thing = box[0]
        items = [thing, thing, next(inner())]
        return (yield items)

    box, found = [Thing()], []
    next(outer())
    names, unaccounted, exact = _facts(found[0])

    assert names.count("<local thing") == 1
    assert len(names) + unaccounted == found[0].refcount.count
    assert exact


def test_a_running_one_is_no_second_holder():
    """A path through it would say again what the frame says."""

    def generator():
        thing = Thing()
        yield why_alive(thing)

    running = generator()
    report = next(running)

    assert [path.references[-1].name.partition(" in ")[0] for path in report.paths] == [
        "<local thing"
    ]


@pytest.mark.skipif(IS_OLD, reason="there a frame is always made")
def test_one_that_waits_is_not_asked_for_its_frame():
    """An async generator that waits counts as running, but in no frame."""

    class Pause:
        def __await__(self):
            yield

    async def things():
        await Pause()
        yield

    generator = things()
    step = generator.asend(None)
    step.send(None)

    assert generator.ag_running
    assert not runs_in(generator, {id(generator.ag_frame)})
    assert not runs_in(Holder(), set())
    step.close()
