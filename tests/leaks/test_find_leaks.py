"""find_leaks: what it asks for, bounded caches, known leaks, coroutines."""

from __future__ import annotations

import asyncio
import atexit
import collections
import contextvars
import functools
import gc
import sys
import types

import pytest

import refscope
from refscope._measure.leaks.rounds import collect
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError
from refscope.render import from_json, to_dot, to_json, to_mermaid, to_text


class Item:
    """What leaks."""


ITEMS = []


@pytest.fixture(scope="module")
def report():
    """Return the report of one leak in a list."""
    ITEMS.clear()
    gc.freeze()  # each look at the heap is cheap then
    report = refscope.find_leaks(lambda: ITEMS.append(Item()))
    gc.unfreeze()
    yield report
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


@pytest.mark.usefixtures("small_heap")
def test_known_leaks_do_not_count(report):
    """A fingerprint with a reason is reported, and the verdict is clean."""
    known = {report.leaks[0].fingerprint: "fixed next week"}
    again = refscope.find_leaks(lambda: ITEMS.append(Item()), rounds=2, known=known)

    assert [leak.known for leak in again.leaks] == ["fixed next week"]
    assert not again.is_leaking
    assert "1 known leak" in again.headline
    assert "known (fixed next week)" in to_text(again)


@functools.lru_cache(maxsize=5_000)
def cached(number):
    """Remember an item for each number."""
    return Item()


@pytest.mark.usefixtures("small_heap")
def test_a_bounded_cache_is_no_leak():
    """A cache that is not full yet is named in the limits."""
    numbers = iter(range(10_000))
    report = refscope.find_leaks(lambda: cached(next(numbers)))

    assert not report.is_leaking
    assert any("at most 5,000" in limit for limit in report.limits)
    cached.cache_clear()


@pytest.mark.usefixtures("small_heap")
def test_a_bounded_queue_is_no_leak():
    """A deque with maxlen fills up."""
    queue = collections.deque(maxlen=3_000)

    assert not refscope.find_leaks(lambda: queue.append(Item())).is_leaking


@pytest.mark.usefixtures("small_heap")
def test_a_cache_that_fills_is_no_leak():
    """A dictionary that stops growing after many calls is silent."""
    numbers, cache = iter(range(10_000)), {}

    def fill():
        if len(cache) < 300:
            cache[next(numbers)] = Item()

    assert not refscope.find_leaks(fill).is_leaking


def test_names_that_were_looked_up_are_no_leak():
    """The interpreter's cache of lookups does not keep them beyond a collection."""
    names = [f"name_{number}" for number in range(300)]
    collect()
    for name in names:
        getattr(Item, name, None)
    before = sys.getallocatedblocks()
    name = None
    names.clear()
    collect()

    assert before - sys.getallocatedblocks() > 250


class _Closing:
    """A function for the end of the program."""

    def __call__(self):
        pass


class _EveryClosing:
    """Is equal to each of them, to take them away again."""

    def __eq__(self, other):
        return type(other) is _Closing

    __hash__ = None


def test_functions_for_the_end_of_the_program_are_held():
    """C keeps them in a list; Python can count it up to 3.13, and see it later.

    The whole heap of pytest is searched here, as nothing is frozen.
    """
    leak = refscope.find_leaks(lambda: atexit.register(_Closing()), rounds=2).leaks[0]
    atexit.unregister(_EveryClosing())

    assert (leak.verdict, leak.held_by.root) == ("held", "functions of atexit")


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("is_frozen", [False, True], ids=["listed", "frozen"])
def test_a_context_holds_its_values(is_frozen):
    """Nothing that Python can see holds the context of a running thread."""
    variable = contextvars.ContextVar("variable", default=None)

    def find_in_context():
        variable.set(None)
        if is_frozen:
            gc.freeze()
        return refscope.find_leaks(
            lambda: variable.set((Item(), variable.get())), rounds=2
        )

    report = contextvars.copy_context().run(find_in_context)

    assert report.leaks[0].verdict == "held"
    path = report.leaks[0].held_by
    assert "hamt" in {step.holder.type_name for step in path.references}
    # Where calls are traced, the call of ``run`` holds the context by its method.
    assert path.root in {"context of a thread", "held by C only"}
    assert any("(gc.freeze)" in said for said in report.limits)


@pytest.mark.usefixtures("small_heap")
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


async def _soon():
    asyncio.get_running_loop().call_soon(int)


async def _task():
    asyncio.create_task(asyncio.sleep(0))  # noqa: RUF006


async def _timer():
    asyncio.get_running_loop().call_later(0.001, int)


async def _part_of_a_generator():
    async def generate():
        yield 1
        yield 2

    async for _ in generate():
        break


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("handle", [_soon, _task, _timer, _part_of_a_generator])
def test_the_loop_gets_its_turn(handle):
    """What waits for the loop is no leak, also where no call waits itself."""
    report = asyncio.run(refscope.find_leaks_async(handle))

    assert report.leaks == ()


@pytest.mark.usefixtures("small_heap")
def test_a_task_that_waits_for_ever_comes_first():
    """Before the future that leads to it, its context and what it runs."""

    async def main():
        event = asyncio.Event()

        async def handle():
            asyncio.create_task(event.wait())  # noqa: RUF006

        report = await refscope.find_leaks_async(handle, rounds=2)
        event.set()
        await asyncio.sleep(0)
        return report

    report = asyncio.run(main())

    assert report.leaks[0].type_name == "_asyncio.Task"
    assert "_asyncio.Future" in {leak.type_name for leak in report.leaks}


@pytest.mark.usefixtures("small_heap")
def test_other_loops_are_driven_too(monkeypatch):
    """Trio has turns as well; what is no loop at all has none."""
    naps = []

    class LowLevel:
        """Stands for trio.lowlevel, which is not here."""

        def current_task():
            return LowLevel

    class Nap:
        """What trio.sleep returns, and what it yields to its loop."""

        def __init__(self, seconds):
            naps.append(seconds)

        def __await__(self):
            yield

    async def handle():
        pass

    def search():
        found = []

        async def main():
            found.append(await refscope.find_leaks_async(handle, rounds=2))

        collections.deque(main().__await__(), maxlen=0)
        return found[0].is_leaking

    is_leaking = search()
    assert (is_leaking, naps) == (False, [])
    trio = types.ModuleType("trio")
    trio.lowlevel, trio.sleep = LowLevel, Nap
    monkeypatch.setitem(sys.modules, "trio", trio)
    is_leaking = search()
    monkeypatch.undo()
    assert not is_leaking
    assert naps[:6] == [0, 0, 0, 0, 0, 0.002]


class Mute:
    """An object that does not say what it is."""

    def __repr__(self):
        raise AssertionError


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"rounds": 1}, InvalidArgumentError),
        ({"calls": 0}, InvalidArgumentError),
        ({"warmup": -1}, InvalidArgumentError),
        ({"warmup": 1.5}, ArgumentTypeError),
        ({"calls": Mute()}, ArgumentTypeError),
        ({"known": {"abc": Mute()}}, ArgumentTypeError),
        ({"deadline": -1}, InvalidArgumentError),
    ],
)
def test_numbers_that_make_no_sense(options, error):
    """They are refused at the door, and no object is asked for its text."""
    with pytest.raises(error):
        refscope.find_leaks(Item, **options)


def test_functions_that_do_not_do_their_work():
    """What has to be awaited or iterated is refused, and so is no function."""

    async def coroutine():
        pass

    def generator():
        yield

    for f in (3, coroutine, generator, _Promise):
        with pytest.raises(ArgumentTypeError):
            refscope.find_leaks(f)


class _Promise:
    """Can be awaited, and is no coroutine."""

    def __await__(self):
        yield


def test_what_cannot_be_awaited():
    """The error names the function that was called, and the way out."""

    async def handle():
        pass

    @types.coroutine
    def handle_with_yield():
        yield

    def search(f):
        return asyncio.run(refscope.find_leaks_async(f, rounds=2))

    called = handle()
    with pytest.raises(ArgumentTypeError, match=r"find_leaks_async .* without calling"):
        search(called)
    called.close()
    with pytest.raises(ArgumentTypeError, match=r"NoneType.* use find_leaks\(f\)"):
        search(lambda: None)
    with pytest.raises(ArgumentTypeError, match="generator, which cannot be awaited"):
        search(lambda: (number for number in ()))
    assert not search(handle_with_yield).is_leaking


@pytest.mark.parametrize("known", ["abc", ["abc"], {"abc": None}, {1: "abc"}])
def test_reasons_are_texts_by_fingerprint(known):
    """Anything else is refused before the first call."""
    with pytest.raises(ArgumentTypeError, match="known takes"):
        refscope.find_leaks(lambda: 1 // 0, known=known)


@pytest.mark.usefixtures("small_heap")
def test_the_name_of_what_is_called():
    """A function's, a class's own; of other callables that of the class."""

    class Hostile:
        def __getattr__(self, name):
            raise AssertionError(name)

        def __call__(self):
            pass

    class Kind(type):
        __qualname__ = "Wrong"

    def search(f):
        return refscope.find_leaks(f, rounds=2).function

    assert search(Hostile()).endswith(".Hostile")
    assert search(gc.isenabled) == "isenabled"
    assert search(Item) == "Item"
    assert search(Kind("Made", (), {})) == "Made"
    assert search(Hostile().__call__).endswith("Hostile.__call__")


def test_an_error_of_the_function_comes_through():
    """And nothing is left switched on (the guard of these tests looks)."""
    with pytest.raises(ZeroDivisionError):
        refscope.find_leaks(lambda: 1 // 0)
