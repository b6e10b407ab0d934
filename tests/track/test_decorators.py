"""Decorated functions of every kind behave as they did, and each call is a block."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import sys
import types
import weakref

import pytest

import refscope
from refscope import track
from refscope.exceptions import ReportNotReadyError

from .helpers import sites_in


LIGHT = {
    "types": False,
    "survivors": False,
    "cycles": False,
    "collect": False,
}
LARGE = 1_000_000


def grown(report):
    """Return how many large blocks' worth this file's large sites have.

    Coverage allocates beside them, on the same lines.
    """
    large = [
        site.size_diff for site in sites_in(report, __file__) if site.size_diff >= LARGE
    ]
    return round(sum(large) / LARGE)


def test_sites_have_no_lines_of_ours():
    """What runs a decorated function is not among its callers."""
    kept = []
    tracker = track(frames=50, **LIGHT)

    @tracker
    def plain():
        kept.append(bytes(LARGE))

    @tracker
    def generator():
        while True:
            kept.append(bytes(LARGE))
            yield

    @tracker
    async def coroutine():
        kept.append(bytes(LARGE))

    @tracker
    async def items():
        kept.append(bytes(LARGE))
        yield

    plain()
    reports = [tracker.report]
    steps = generator()
    for ask, value in ((next, steps), (steps.send, 1)):
        ask(value)
    steps.close()
    reports.append(tracker.report)
    for waiting in (coroutine(), items().asend(None)):
        with contextlib.suppress(StopIteration):
            waiting.send(None)
        del waiting
        gc.collect()
        reports.append(tracker.report)
    folder = refscope.__file__.rpartition("__init__")[0]

    assert [grown(report) for report in reports] == [1, 2, 1, 1]
    for report in reports:
        large = [site for site in report.sites if site.size_diff >= LARGE]
        assert len(large) == 1
        for frame in large[0].traceback.frames:
            assert not frame.filename.startswith((folder, "<refscope"))


# -- Plain functions.
def test_a_bare_decorator_names_by_the_function():
    """@track alone takes the qualified name as label."""

    @track
    def function(first, *, second=2):
        """Do something."""
        return first, second

    assert function(1, second=3) == (1, 3)
    assert function(1) == (1, 2)
    report = refscope.tracker_of(function).report
    name = "test_a_bare_decorator_names_by_the_function.<locals>.function"
    assert report.label == name
    assert function.__doc__ == "Do something."
    assert function.__name__ == "function"
    assert list(inspect.signature(function).parameters) == ["first", "second"]
    assert function.__wrapped__(1) == (1, 2)


def test_a_function_with_a_cache_keeps_its_methods():
    """What asks for hits, or empties the cache, works as before."""

    @track
    @functools.lru_cache(maxsize=3)
    def double(number):
        return 2 * number

    assert [double(1), double(1)] == [2, 2]
    assert double.cache_info().hits == 1
    assert double.cache_parameters() == {"maxsize": 3, "typed": False}
    double.cache_clear()
    assert double.cache_info().hits == 0


def test_a_called_decorator_may_name():
    """@track("name") and @track() label their blocks as given, or by the function."""

    @track("given", **LIGHT)
    def first():
        pass

    @track(**LIGHT)
    def second():
        pass

    first()
    second()

    assert refscope.tracker_of(first).report.label == "given"
    assert refscope.tracker_of(second).report.label == second.__qualname__
    assert refscope.tracker_of(second).label == second.__qualname__


def test_what_a_call_keeps_is_its_own():
    """The block begins with the call and ends with the return."""
    kept = []

    @track("x", **LIGHT)
    def function(size):
        kept.append(bytes(size))
        return bytes(2 * size)

    result = function(LARGE)
    report = refscope.tracker_of(function).report

    assert grown(report) == (len(kept[0]) + len(result)) // LARGE
    assert report.duration > 0


def test_arguments_pass_through():
    """Any shape of call reaches the function."""

    @track("x", **LIGHT)
    def function(*args, **kwargs):
        return args, kwargs

    assert function() == ((), {})
    assert function(1, 2) == ((1, 2), {})
    assert function(1, a=2) == ((1,), {"a": 2})
    assert function(self=1, function=2, block=3) == (
        (),
        {"self": 1, "function": 2, "block": 3},
    )


def test_recursion_makes_a_block_for_each_call():
    """Inner calls end first; peaks are those above each one's own entry."""

    @track("x", keep=10, **LIGHT)
    def function(depth):
        kept = bytes(LARGE)
        if depth:
            function(depth - 1)
        return len(kept)

    function(3)
    reports = refscope.tracker_of(function).reports

    assert [round(report.memory.peak / LARGE) for report in reports] == [1, 2, 3, 4]
    assert [grown(report) for report in reports] == [0] * 4


def test_one_tracker_may_decorate_many():
    """Each function keeps its label; the reports come together."""
    tracker = track(keep=5, **LIGHT)

    @tracker
    def first():
        pass

    @tracker
    def second():
        pass

    first()
    second()
    first()

    labels = [report.label for report in tracker.reports]
    assert labels == [each.__qualname__ for each in (first, second, first)]
    assert refscope.tracker_of(first) is refscope.tracker_of(second) is tracker


def test_stacked_decorators_make_nested_blocks():
    """The outer one sees what the inner one does."""

    @track("outer", **LIGHT)
    @track("inner", **LIGHT)
    def function():
        return bytes(LARGE)

    result = function()
    outer = refscope.tracker_of(function).report
    inner = refscope.tracker_of(function.__wrapped__).report

    assert (outer.label, inner.label) == ("outer", "inner")
    assert grown(outer) == grown(inner) == len(result) // LARGE


# -- Methods.
class Shop:
    """Has tracked methods of all kinds."""

    name = "shop"

    @track("x", **LIGHT)
    def method(self):
        """Return what it is called on."""
        return self

    @track("x", **LIGHT)
    @classmethod
    def over(cls):
        """Return the class."""
        return cls

    @classmethod
    @track("x", **LIGHT)
    def under(cls):
        """Return the class."""
        return cls

    @track
    @staticmethod
    def alone(value):
        """Return the value."""
        return value

    @staticmethod
    @track
    def inside(value):
        """Return the value."""
        return value

    @property
    @track("x", **LIGHT)
    def value(self):
        """The name."""
        return self.name


class Branch(Shop):
    """Inherits them."""


@pytest.mark.parametrize("kind", [Shop, Branch])
def test_methods_are_bound_as_before(kind):
    """Instance, class and static methods and properties get what they got before."""
    shop = kind()

    assert shop.method() is shop
    assert kind.over() is kind
    assert shop.under() is kind
    assert kind.alone(5) == shop.inside(5) == 5
    assert shop.value == "shop"


def test_methods_have_trackers():
    """tracker_of takes functions, bound methods and those of the class."""
    shop = Shop()
    shop.method()
    Shop.over()
    Shop.alone(1)

    assert refscope.tracker_of(Shop.method) is refscope.tracker_of(shop.method)
    assert refscope.tracker_of(Shop.over).report.label == "x"
    assert refscope.tracker_of(Shop.alone).report.label == "Shop.alone"
    assert isinstance(Shop.__dict__["over"], classmethod)
    assert isinstance(Shop.__dict__["alone"], staticmethod)


def test_callables_can_be_decorated():
    """Built-ins, partial functions and objects that can be called work as well."""

    class Adder:
        """Can be called."""

        def __call__(self, value):
            return value + 1

    tracked = [
        track("len", **LIGHT)(len),
        track("partial", **LIGHT)(functools.partial(max, 1)),
        track("adder", **LIGHT)(Adder()),
        track(functools.partial(max, 1)),
    ]

    assert [tracked[0]("abc"), tracked[1](5), tracked[2](2), tracked[3](7)] == [
        3,
        5,
        3,
        7,
    ]
    assert refscope.tracker_of(tracked[3]).report.label == "partial"


class Suspends:
    """Can be called, and suspended: coroutine functions are not all functions."""

    def __init__(self):
        self.kept = []

    async def __call__(self, size):
        await asyncio.sleep(0)
        self.kept.append(bytes(size))
        return 5


class Yields(Suspends):
    """A generator function."""

    def __call__(self, size):
        yield
        self.kept.append(bytes(size))
        return 5


class Naps(Suspends):
    """A generator function that makes what can be awaited."""

    @types.coroutine
    def __call__(self, size):
        yield
        self.kept.append(bytes(size))
        return 5


class Streams(Suspends):
    """An asynchronous generator function."""

    async def __call__(self, size):
        yield 5
        self.kept.append(bytes(size))


@pytest.mark.parametrize("is_partial", [False, True])
@pytest.mark.parametrize("kind", [Suspends, Yields, Naps, Streams])
def test_objects_that_suspend_when_they_are_called(kind, is_partial):
    """What they do is measured to their end, not only how that is made."""
    thing = kind()
    thing = functools.partial(thing, LARGE) if is_partial else thing
    tracked = track("x", **LIGHT)(thing)
    arguments = () if is_partial else (LARGE,)

    async def main():
        return await tracked(*arguments)

    if kind is Yields:
        assert list(tracked(*arguments)) == [None]
    elif kind is Streams:
        assert collect(lambda: tracked(*arguments)) == [5]
    else:
        assert asyncio.run(main()) == 5
    assert grown(refscope.tracker_of(tracked).reports[0]) == 1


@pytest.mark.parametrize("kind", ["generator", "coroutine", "asynchronous generator"])
def test_a_call_that_returns_what_goes_on_later(kind):
    """What a plain function hands on suspended is not in its block, which says so."""

    async def coroutine():
        await asyncio.sleep(0)

    async def items():
        yield

    makers = {"generator": lambda: (_ for _ in ()), "coroutine": coroutine}
    make = makers.get(kind, items)

    @track("x", **LIGHT)
    def passes():
        return make()

    suspended = passes()
    if kind == "coroutine":
        suspended.close()

    assert (
        "the call returned a generator or coroutine: what that does is not measured"
    ) in refscope.tracker_of(passes).report.limits


# -- Coroutines.
def test_coroutines_stay_coroutines():
    """A decorated async def is one, returns its value and raises its errors."""

    @track("x", **LIGHT)
    async def function(value):
        await asyncio.sleep(0)
        if value is None:
            raise LookupError
        return value

    assert inspect.iscoroutinefunction(function)
    assert asyncio.run(function(5)) == 5
    assert refscope.tracker_of(function).reports[0].exception is None

    with pytest.raises(LookupError):
        asyncio.run(function(None))
    assert refscope.tracker_of(function).reports[0].exception == "LookupError"


def test_a_coroutine_that_was_not_awaited_has_no_block():
    """Calling alone measures nothing."""

    @track("x", **LIGHT)
    async def function():
        pass

    function().close()

    with pytest.raises(ReportNotReadyError):
        refscope.tracker_of(function).report


def test_a_coroutine_gets_what_is_sent_and_thrown():
    """Whoever drives it sees no difference to the function without the decorator."""

    class Asks:
        """Yields to the driver and returns its answers."""

        def __await__(self):
            first = yield 1
            try:
                second = yield first
            except LookupError:
                second = "caught"
            third = yield second
            return first, second, third

    async def function():
        return await Asks()

    def drive(coroutine):
        steps = [coroutine.send(None), coroutine.send("a")]
        steps.append(coroutine.throw(LookupError()))
        try:
            coroutine.send(None)
        except StopIteration as end:
            steps.append(end.value)
        return steps

    assert drive(track("x", **LIGHT)(function)()) == drive(function())


def test_tasks_run_in_between():
    """Memory of others while the function waits is not its own."""
    kept = []

    @track("x", **LIGHT)
    async def function():
        mine = bytes(LARGE)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return mine

    async def other():
        kept.append(bytes(50 * LARGE))
        await asyncio.sleep(0)

    async def main():
        return (await asyncio.gather(function(), other()))[0]

    result = asyncio.run(main())
    report = refscope.tracker_of(function).reports[0]

    assert LARGE <= report.memory.size_diff < 2 * LARGE
    assert LARGE <= report.memory.peak < 2 * LARGE
    assert report.memory.shared
    assert len(result) == LARGE


# -- Generators.
def test_generators_stay_generators():
    """Items, the value at the end, errors and close() are as before."""

    @track("x", **LIGHT)
    def function(count):
        yield from range(count)
        return "end"

    def consume():
        result = yield from function(3)
        yield result

    assert inspect.isgeneratorfunction(function)
    assert list(function(3)) == [0, 1, 2]
    assert list(consume()) == [0, 1, 2, "end"]


def test_a_generator_gets_what_is_sent_and_thrown():
    """send, throw and close reach the function; what it does with them is its own."""

    def function():
        received = []
        while len(received) < 4:
            try:
                received.append((yield len(received)))
            except LookupError as error:  # noqa: PERF203
                received.append(type(error))
            except GeneratorExit:
                received.append("closed")
                raise
        return received

    def drive(generator):
        steps = [next(generator), generator.send("a"), generator.send(None)]
        steps.append(generator.throw(LookupError))
        try:
            generator.send("last")
        except StopIteration as end:
            steps.append(end.value)
        return steps

    assert drive(track("x", **LIGHT)(function)()) == drive(function())


def test_errors_of_a_generator_go_on():
    """What the function raises arrives, in the same place; the report names it."""

    @track("x", **LIGHT)
    def function():
        yield 1
        raise LookupError

    generator = function()
    assert next(generator) == 1
    with pytest.raises(LookupError):
        next(generator)

    assert refscope.tracker_of(function).report.exception == "LookupError"
    assert next(generator, "over") == "over"


def test_an_error_that_is_thrown_in_and_not_caught():
    """It comes back out and ends the block."""

    @track("x", **LIGHT)
    def function():
        yield 1

    generator = function()
    next(generator)
    with pytest.raises(LookupError):
        generator.throw(LookupError())

    assert refscope.tracker_of(function).report.exception == "LookupError"


def test_a_generator_that_ignores_close():
    """Yielding after GeneratorExit is the error that it is without us."""

    @track("x", **LIGHT)
    def function():
        try:
            yield 1
        except GeneratorExit:
            yield 2

    generator = function()
    next(generator)
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        generator.close()


def _closing_generator(value, error):
    """Return or raise when it is closed."""
    try:
        yield 1
    except GeneratorExit:
        if error is not None:
            raise error from None
        return value


async def _closing_coroutine(value, error):
    """Return or raise when it is closed while it waits."""

    @types.coroutine
    def wait():
        yield 1

    try:
        await wait()
    except GeneratorExit:
        if error is not None:
            raise error from None
        return value


@pytest.mark.parametrize("value", [None, 5])
@pytest.mark.parametrize("kind", [_closing_generator, _closing_coroutine])
def test_what_close_returns(kind, value):
    """It is what the function returns then (3.13+), as without us."""
    tracked = track("x", collect=False)(kind)
    plain, ours = kind(value, None), tracked(value, None)
    plain.send(None)
    ours.send(None)

    assert ours.close() == plain.close()
    assert refscope.tracker_of(tracked).report.exception == "GeneratorExit"


@pytest.mark.parametrize("kind", [_closing_generator, _closing_coroutine])
def test_an_error_while_closing(kind):
    """It goes on, and the block has ended with it."""
    tracked = track("x", collect=False)(kind)
    ours = tracked(None, KeyError(1))
    ours.send(None)

    with pytest.raises(KeyError):
        ours.close()
    assert refscope.tracker_of(tracked).report.exception == "KeyError"


def test_an_asynchronous_generator_that_is_left_while_it_waits():
    """It is closed with what waits for its item."""

    @types.coroutine
    def wait():
        yield 1

    @track("x", **LIGHT)
    async def function():
        await wait()
        yield 2

    async def main():
        async for _ in function():
            pass

    waiting = main()
    waiting.send(None)
    waiting.close()

    assert refscope.tracker_of(function).report.exception == "GeneratorExit"


def test_a_function_that_raises_generator_exit_itself():
    """Nobody closed it, so the error goes on as any other."""

    @track("x", **LIGHT)
    def function():
        yield 1
        raise GeneratorExit

    generator = function()
    next(generator)

    with pytest.raises(GeneratorExit):
        next(generator)
    assert next(generator, "over") == "over"


def test_memory_counts_only_while_a_generator_runs():
    """What happens between two items is not the generator's."""
    kept = []

    @track("x", **LIGHT)
    def function():
        kept.append(bytes(LARGE))
        yield
        kept.append(bytes(2 * LARGE))
        yield

    others = []
    for _ in function():
        others.append(bytes(50 * LARGE))  # noqa: PERF401
    report = refscope.tracker_of(function).report

    assert 3 * LARGE <= report.memory.size_diff < 4 * LARGE
    assert 3 * LARGE <= report.memory.peak < 4 * LARGE
    assert report.memory.count_diff is None
    assert [limit for limit in report.limits if "sums the stretches" in limit]
    assert [limit for limit in report.limits if "count_diff is unknown" in limit]
    assert len(others) == 2


def test_items_live_no_longer_than_without_us():
    """The driver holds no item, no sent value and no error."""
    gone = []

    class Item:
        """Says when it dies."""

        def __del__(self):
            gone.append(True)

    @track("x", **LIGHT)
    def function():
        yield Item()
        yield len(gone)

    generator = function()
    item = next(generator)
    del item

    assert gone == [True]
    assert next(generator) == 1
    generator.close()


@pytest.mark.parametrize("kind", ["generator", "coroutine", "asynchronous generator"])
def test_arguments_live_no_longer_than_without_us(kind):
    """A suspended function can let go of what it was called with."""

    class Data:
        """What is given to the function."""

    @track("x", **LIGHT)
    def generator(data, *, more):
        watched = weakref.ref(data), weakref.ref(more)
        del data, more
        yield [each() for each in watched]

    @track("x", **LIGHT)
    async def coroutine(data, *, more):
        watched = weakref.ref(data), weakref.ref(more)
        del data, more
        return [each() for each in watched]

    @track("x", **LIGHT)
    async def items(data, *, more):
        watched = weakref.ref(data), weakref.ref(more)
        del data, more
        yield [each() for each in watched]

    if kind == "generator":
        [held] = generator(Data(), more=Data())
    elif kind == "coroutine":
        held = asyncio.run(coroutine(Data(), more=Data()))
    else:
        [held] = collect(lambda: items(Data(), more=Data()))

    assert held == [None, None]


def test_a_generator_may_yield_none_and_return_none():
    """None is a value like any other."""

    @track("x", **LIGHT)
    def function():
        yield None
        yield None

    assert list(function()) == [None, None]


# -- Asynchronous generators.
def collect(make):
    """Return the items of an asynchronous generator."""

    async def main():
        return [item async for item in make()]

    return asyncio.run(main())


def test_asynchronous_generators_stay_such():
    """Items arrive in order, between them others run."""

    @track("x", **LIGHT)
    async def function():
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    assert inspect.isasyncgenfunction(function)
    assert collect(function) == [0, 1, 2]
    assert refscope.tracker_of(function).reports[0].exception is None


def test_an_asynchronous_generator_gets_what_is_sent_and_thrown():
    """asend, athrow and aclose reach the function."""

    async def function():
        received = []
        while len(received) < 3:
            try:
                received.append((yield list(received)))
            except LookupError as error:  # noqa: PERF203
                received.append(type(error))
        yield received

    async def drive(generator):
        steps = [await generator.asend(None), await generator.asend("a")]
        steps.append(await generator.athrow(LookupError()))
        steps.append(await generator.asend(None))
        await generator.aclose()
        return steps

    tracked = track("x", **LIGHT)(function)
    assert asyncio.run(drive(tracked())) == asyncio.run(drive(function()))
    assert refscope.tracker_of(tracked).reports[0].exception == "GeneratorExit"


def test_errors_of_an_asynchronous_generator_go_on():
    """What the function raises arrives, and ends the block."""

    @track("x", **LIGHT)
    async def function():
        yield 1
        raise LookupError

    with pytest.raises(LookupError):
        collect(function)

    assert refscope.tracker_of(function).reports[0].exception == "LookupError"


@pytest.mark.parametrize("catches", [False, True])
def test_an_error_that_is_thrown_in_leaves_no_garbage(catches):
    """What threw it into the function does not hold it, as that would hold itself."""

    async def function():
        try:
            yield 1
        except LookupError:
            if not catches:
                raise
            yield 2

    tracked = track("x", **LIGHT)(function)
    assert left_by_throwing(function) == left_by_throwing(tracked) == 0


def left_by_throwing(function):
    """Return how many objects only the collector frees afterwards."""

    def throw():
        generator = function()
        with contextlib.suppress(StopIteration):
            generator.asend(None).send(None)
        with contextlib.suppress(StopIteration, LookupError):
            generator.athrow(LookupError()).send(None)

    throw()
    gc.collect()
    gc.disable()
    try:
        throw()
        return gc.collect()
    finally:
        gc.enable()


def test_an_asynchronous_generator_that_cleans_up():
    """A finally with an await runs to its end when it is closed."""
    steps = []

    @track("x", **LIGHT)
    async def function():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            steps.append("clean")

    async def main():
        generator = function()
        await generator.__anext__()
        await generator.aclose()

    asyncio.run(main())

    assert steps == ["clean"]


def test_an_asynchronous_generator_counts_only_while_it_runs():
    """What the consumer allocates between items is not its own."""
    kept, others = [], []

    @track("x", **LIGHT)
    async def function():
        for _ in range(2):
            kept.append(bytes(LARGE))
            yield

    async def main():
        async for _ in function():
            others.append(bytes(50 * LARGE))  # noqa: PERF401

    asyncio.run(main())
    report = refscope.tracker_of(function).reports[0]

    assert 2 * LARGE <= report.memory.size_diff < 3 * LARGE
    assert report.memory.peak < 3 * LARGE
    assert len(others) == 2


@pytest.mark.parametrize("every", [1, 2])
def test_all_kinds_work_unmeasured(every):
    """Entries that are not measured behave alike."""

    @track("x", every=every, **LIGHT)
    def generator():
        yield 1

    @track("x", every=every, **LIGHT)
    async def coroutine():
        await asyncio.sleep(0)
        return 1

    @track("x", every=every, **LIGHT)
    async def items():
        yield 1

    for _ in range(2):
        assert list(generator()) == [1]
        assert asyncio.run(coroutine()) == 1
        assert collect(items) == [1]

    for each in (generator, coroutine, items):
        assert len(refscope.tracker_of(each).reports) == 1
        assert refscope.tracker_of(each).reports[0].calls_seen == every


def test_without_sites_all_kinds_work():
    """Suspended functions are measured without tracing as well."""

    @track("x", sites=False, keep=5)
    def generator():
        yield 1

    assert list(generator()) == [1]
    assert refscope.tracker_of(generator).report.measured == (
        "types",
        "survivors",
        "cycles",
        "gc",
    )


# -- Ends that are the program's own.
def test_an_iterator_of_rows_ends():
    """StopAsyncIteration of a decorated ``__anext__`` ends the loop."""

    class Rows:
        left = 2

        def __aiter__(self):
            return self

        @track("x", **LIGHT)
        async def __anext__(self):
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    async def rows():
        return [row async for row in Rows()]

    assert asyncio.run(rows()) == [1, 0]
    assert refscope.tracker_of(Rows.__anext__).report.exception == "StopAsyncIteration"


def test_a_generator_that_can_be_awaited():
    """``types.coroutine`` makes one, and its wrapper can be awaited too."""

    @track("x", **LIGHT)
    @types.coroutine
    def nap():
        yield
        return 3

    async def main():
        return await nap()

    assert asyncio.run(main()) == 3
    assert refscope.tracker_of(nap).report.exception is None


@pytest.mark.skipif(sys.version_info < (3, 12), reason="nothing is marked before")
def test_a_marked_function_may_return_any_awaitable():
    """What its ``__await__`` does is measured as that of a coroutine is."""
    kept = []

    class Reply:
        """Can be awaited, and not iterated over."""

        def __await__(self):
            kept.append(bytes(LARGE))
            yield
            return 3

    @track("x", **LIGHT)
    @inspect.markcoroutinefunction
    def function():
        return Reply()

    async def main():
        return await function()

    assert inspect.iscoroutinefunction(function)
    assert asyncio.run(main()) == 3
    assert grown(refscope.tracker_of(function).reports[0]) == len(kept)


def test_a_partial_function_of_one_that_can_be_awaited():
    """It is looked at, not only what fills its arguments in."""

    class Clock:
        """Has a method of this kind."""

        @types.coroutine
        def nap(self, first, second):
            yield
            return first, second

    nap = functools.partial(functools.partial(Clock().nap, 1), 2)
    tracked = track("x", **LIGHT)(nap)

    async def main():
        return await nap(), await tracked()

    assert asyncio.run(main()) == ((1, 2), (1, 2))
