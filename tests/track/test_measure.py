"""The parts that measure, one by one: census, names, places, collector, sessions."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import tracemalloc
import types

import pytest

from refscope import expect_gone, track, tracker_of, watch
from refscope._measure.blocks import account, lifecycle
from refscope._measure.cpython import activity, classes, places
from refscope._measure.cpython.interpreter import refuse
from refscope._measure.heap import census, ours, tally
from refscope._measure.session.gcstate import Collector
from refscope.exceptions import UnsupportedRuntimeError

from .helpers import count_of, line_of, quiet_collector, sites_in


LIGHT = {
    "types": False,
    "survivors": False,
    "cycles": False,
    "collect": False,
}
LARGE = 1_000_000


# -- Census.
class Item:
    """One of the program's."""

    __slots__ = ("__weakref__", "value")


def test_a_census_counts_by_name():
    """Objects of all types of one name count together."""
    kinds = [type("Same", (), {"__module__": "m"}) for _ in range(3)]
    before = census.take()
    kept = [kind() for kind in kinds for _ in range(4)]
    after = census.take()

    assert "m.Same" not in before
    assert after["m.Same"][0] == len(kept)


def test_types_of_one_name_and_two_sizes_have_no_size():
    """Bytes are given only where every object has the same."""
    first = type("Same", (), {"__module__": "m", "__slots__": ("a",)})
    second = type("Same", (), {"__module__": "m", "__slots__": ("a", "b")})
    with quiet_collector(), track("x", collect=False) as block:
        kept = [first(), first(), second()]
    [change] = [each for each in block.report.types if each.type_name == "m.Same"]

    assert (change.count_diff, change.size_diff) == (len(kept), None)


@pytest.mark.parametrize("is_plain", [True, False])
def test_more_types_than_have_a_byte_are_told_apart(monkeypatch, is_plain):
    """Each is counted and picked, whether it was met early or late."""
    monkeypatch.setattr(tally, "metaclasses_are_plain", lambda: is_plain)
    kinds = [type(f"Kind{number}", (), {}) for number in range(600)]
    objects = [kind() for number, kind in enumerate(kinds) for _ in range(number % 4)]
    by_type = tally.Tally(objects)
    chosen = [*by_type.of(kinds[3], kinds[303], kinds[599], kinds[8], int)]

    assert dict(by_type.counts()) == {
        kind: number % 4 for number, kind in enumerate(kinds) if number % 4
    }
    assert [type(thing) for thing in chosen] == [
        kind for kind in (kinds[3], kinds[303], kinds[599]) for _ in range(3)
    ]


def test_objects_that_go_are_negative():
    """What dies in a block is counted like what is born."""
    kept = [Item() for _ in range(10)]
    with quiet_collector(), track("x", collect=False) as block:
        kept.clear()
        kept.append(Item())
    [change] = [each for each in block.report.types if each.type_name.endswith(".Item")]

    assert change.count_diff == -9
    assert change.size_diff == -9 * sys.getsizeof(kept[0])


@pytest.mark.parametrize(
    "kind",
    [Item, object, list, tuple, dict, str, int, bytes, bytearray],
)
def test_sizes_are_those_of_getsizeof(kind):
    """The size of a type is known where all objects have one, and it is theirs."""
    size = classes.object_size(kind)

    assert size == (sys.getsizeof(kind()) if kind in {Item, object} else -1)


def test_types_of_the_program_that_look_like_ours_are_counted():
    """Generators, frames, methods and tracebacks of the program are its own."""

    def generator():
        yield

    async def coroutine():
        pass

    async def items():
        yield

    with quiet_collector(), track("x", collect=False) as block:
        made = [generator(), coroutine(), items(), Item().__init__, [].append]
        try:
            {}["missing"]
        except KeyError as error:
            made.append(error)
    made[1].close()

    names = {change.type_name: change.count_diff for change in block.report.types}
    assert names["generator"] == names["coroutine"] == names["async_generator"] == 1
    assert names["traceback"] == 1
    assert names["KeyError"] == 1


def test_bound_methods_of_the_program_are_counted():
    """Those of refscope's own objects are not."""
    thing = Shop()
    tracker = track("y", **LIGHT)
    with quiet_collector(), track("x", collect=False) as block:
        made = [thing.method, thing.method]
        other = [tracker.start, tracker.start]

    assert count_of(block.report, "method") == len(made) == len(other)


class Shop:
    """Has a method."""

    def method(self):
        """Do nothing."""


def test_frames_and_tracebacks_of_ours_are_not_counted():
    """An error that went through a tracked function holds frames of refscope's."""

    @track("x", **LIGHT)
    def function():
        raise LookupError

    gc.collect()
    with quiet_collector(), track("x", collect=False) as block:
        try:
            function()
        except LookupError as error:
            kept = error

    assert count_of(block.report, "LookupError") == 1
    assert count_of(block.report, "refscope._block.Block") == 0
    assert count_of(block.report, "traceback") == 2
    assert kept.__traceback__ is not None


def test_reports_and_handles_are_not_counted():
    """What refscope hands out is not in the types of a block around it."""
    kept = [None] * 3
    found = []  # as text: a report's tuple that outlives its report is the program's
    for _ in range(3):  # a thread of an earlier test may come to its end just then
        gc.collect()
        with quiet_collector(), track("outer", collect=False) as outer:
            for place in range(3):
                with track("inner", tags={"a": "b"}, **LIGHT) as kept[place]:
                    pass
        found.append(str(outer.report.types))
        del outer

    assert "()" in found


@pytest.mark.parametrize("thing", [test_reports_and_handles_are_not_counted, [[]]])
def test_what_watches_an_object_is_not_counted(thing):
    """Nor is what expects one to go; both may live as long as the block around."""
    found = []
    for _ in range(3):  # a thread of an earlier test may come to its end just then
        gc.collect()
        with quiet_collector(), track("outer", sites=False, collect=False) as outer:
            with watch(thing) as watched:
                pass
            gone = expect_gone(test_reports_and_handles_are_not_counted, "over")
        rows = (*outer.report.types, *outer.report.survivors)
        found.append({row.type_name for row in rows})
        del outer, watched, gone

    # Up to 3.10 each frame keeps the dictionary by which its variables were seen.
    assert min(map(len, found)) == 0 or {"dict"} in found


def test_what_a_call_that_has_not_begun_was_given_is_not_counted():
    """A decorated generator or coroutine is there; its wrapper's arguments are ours."""

    @track(**LIGHT)
    def items(*_args, **_kwargs):
        yield

    @track(**LIGHT)
    async def waiting(*_args, **_kwargs):
        pass

    @track(**LIGHT)
    async def later(*_args, **_kwargs):
        yield

    things = [[]]
    with quiet_collector(), track("outer") as outer:
        kept = [make(things, key=things) for make in (items, waiting, later)]

    kept[1].close()
    assert len(kept) == 3
    assert count_of(outer.report, "dict") == 0
    assert count_of(outer.report, "tuple") == 0
    assert {group.type_name for group in outer.report.survivors} == {"list"}


def test_an_own_type_that_dies_is_gone():
    """Types are told apart by identity, so none of the program's is taken for ours."""
    with quiet_collector(), track("x", collect=False) as block:
        kept = [type(f"Kind{number}", (), {})() for number in range(50)]

    found = [each for each in block.report.types if ".Kind" in each.type_name]
    assert len(found) == len(kept)


# -- Places.
def _anonymous(keep):
    keep.extend(map(lambda size: bytes(size), [LARGE]))  # noqa: C417, PLW0108  # lambda


def _with_inner(keep):
    def inner():
        keep.append(bytes(LARGE))  # inner

    inner()


def _decorate(function):
    def wrapper(*args):
        return function(*args)

    return wrapper


def _empty_cell(function):
    if function is None:
        missing = None

    def wrapper(*args):
        return function(*args) if args else missing

    return wrapper


class Holder:
    """Has functions of many kinds."""

    @staticmethod
    def static(keep):
        """Allocate."""
        keep.append(bytes(LARGE))  # static

    @classmethod
    def over(cls, keep):
        """Allocate."""
        keep.append(bytes(LARGE))  # class

    @property
    def value(self):
        """Allocate."""
        return bytes(LARGE)  # property

    @_decorate
    def decorated(self, keep):
        """Allocate."""
        keep.append(bytes(LARGE))  # decorated

    @_empty_cell
    def emptied(self, keep):
        """Allocate."""
        keep.append(bytes(LARGE))  # emptied

    class Inner:
        """Has one more."""

        def method(self, keep):
            """Allocate."""
            keep.append(bytes(LARGE))  # nested


@pytest.mark.parametrize(
    ("mark", "function", "name"),
    [
        ("lambda", _anonymous, "_anonymous"),
        ("inner", _with_inner, "_with_inner.<locals>.inner"),
        ("static", Holder.static, "Holder.static"),
        ("class", Holder.over, "Holder.over"),
        ("property", lambda keep: keep.append(Holder().value), "Holder.value"),
        ("decorated", Holder().decorated, "Holder.decorated"),
        ("emptied", Holder().emptied, "Holder.emptied"),
        ("nested", Holder.Inner().method, "Holder.Inner.method"),
    ],
)
def test_sites_have_the_function_of_their_line(mark, function, name):
    """The innermost function that has a name, by its qualified name."""
    keep = []
    with track("x", **LIGHT) as block:
        function(keep)
    line = line_of(__file__, mark)
    [site] = [
        site
        for site in sites_in(block.report, __file__)
        if site.traceback.frames[-1].lineno == line
    ]

    assert site.traceback.frames[-1].function == name


def test_lines_without_a_function_have_no_name():
    """Code from nowhere, and modules that are gone, are shown by their line."""
    space = {"keep": []}
    with track("x", **LIGHT) as block:
        exec(compile("keep.append(bytes(10**6))", "<nowhere>", "exec"), space)  # noqa: S102
    frames = [
        site.traceback.frames[-1]
        for site in block.report.sites
        if site.size_diff >= LARGE
    ]

    assert [(f.filename, f.lineno, f.function) for f in frames] == [
        ("<nowhere>", 1, None)
    ]


def test_the_main_module_is_searched(monkeypatch):
    """Functions that were typed in have no file, and are found all the same."""
    main = types.ModuleType("__main__")
    source = "def typed(keep):\n    keep.append(bytes(10**6))\n"
    exec(compile(source, "<stdin>", "exec"), main.__dict__)  # noqa: S102
    monkeypatch.setitem(sys.modules, "__main__", main)
    keep = []
    with track("x", **LIGHT) as block:
        main.typed(keep)
    [frame] = [
        site.traceback.frames[-1]
        for site in block.report.sites
        if site.size_diff >= LARGE
    ]

    assert (frame.filename, frame.lineno, frame.function) == ("<stdin>", 2, "typed")


def test_strange_modules_are_passed_by(monkeypatch):
    """What is no plain module, or has a strange __file__, is not looked into."""
    strange = types.ModuleType("strange_for_a_test")
    strange.__file__ = 5
    monkeypatch.setitem(sys.modules, "strange_for_a_test", strange)
    monkeypatch.setitem(sys.modules, "gone_for_a_test", None)
    found = places.frames_of([(__file__, 1), (__file__, line_of(__file__, "static"))])

    assert {frame.function for frame in found.values()} == {None, "Holder.static"}


def test_depth_of_the_whole_stack_is_known():
    """A traceback that is not cut has its total."""
    import threading

    reports = []

    def run():
        with track("x", frames=50, **LIGHT) as block:
            reports.append(bytes(LARGE))
        reports.append(block.report)

    if sys.platform == "emscripten":
        run()
    else:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    [site] = [site for site in reports[-1].sites if site.size_diff >= LARGE]
    trace = site.traceback

    assert trace.frames[-1].function.endswith("<locals>.run")
    assert trace.total_nframe in {None, len(trace.frames)}
    assert sys.platform == "emscripten" or trace.total_nframe == len(trace.frames)


def test_ways_that_differ_in_our_lines_only_are_one():
    """What cancels out is left out; a depth that is not known of all is not known."""
    ours_one, ours_two = (account.__file__, 1), (account.__file__, 2)
    inner, outer, other = ("a.py", 1), ("a.py", 2), ("b.py", 1)
    rows = [
        ((inner, ours_one, outer), 100, 1),
        ((inner, ours_two, ours_one, outer), 10, 2),
        ((other, ours_one, outer), 5, 1),
        ((other, ours_two, outer), -5, -1),
        ((other,), 7, 1),
    ]

    assert account._by_program(rows, 4) == {
        (inner, outer): (None, 110, 3),
        (other,): (1, 7, 1),
    }


# -- The collector.
def test_the_programs_collections_are_noted():
    """Those by hand and those by threshold, per generation, with what they freed."""
    gc.collect()
    with track("x", **LIGHT) as block:
        for _ in range(3):
            ring = []
            ring.append(ring)
            ring = None
            gc.collect()
    found = block.report.gc

    assert sum(found.collections) >= 3
    assert found.collections[2] >= 3 or sys.version_info[:2] == (3, 14)
    assert found.collected >= 3
    assert found.uncollectable == 0
    assert 0 < found.longest_pause <= found.pause
    assert ring is None


def test_collections_of_ours_are_not_noted():
    """What collect=True does at both ends is not the program's."""
    with track("x", types=False, collect=True) as block:
        pass

    assert sum(block.report.gc.collections) == 0
    assert block.report.gc.pause == 0


def test_each_block_has_its_own_longest_pause():
    """A pause before an inner block is not the inner block's."""
    gc.disable()
    try:
        with track("outer", **LIGHT) as outer:
            gc.collect()
            with track("inner", **LIGHT) as inner:
                pass
    finally:
        gc.enable()

    assert outer.report.gc.longest_pause > 0
    assert inner.report.gc.longest_pause == 0
    assert sum(inner.report.gc.collections) == 0


def test_a_callback_that_is_taken_away_is_said():
    """Who empties gc.callbacks in a block gets no zero collections from us."""
    hooks = gc.callbacks[:]
    with track("x", **LIGHT) as block:
        gc.callbacks[:] = hooks
    report = block.report

    assert "gc" not in report.measured
    assert account.UNHEARD in report.limits


@pytest.mark.parametrize("collect", [False, True])
def test_callbacks_of_the_program_stay(collect):
    """They are called as before, in the same order, and only they are left."""
    seen = []
    hooks = gc.callbacks[:]

    def hook(phase, info):
        seen.append((phase, info["generation"]))

    gc.callbacks.append(hook)
    try:
        with track("x", types=False, collect=collect):
            seen.clear()
            gc.collect(0)
            inside = seen[:]
        after = gc.callbacks[:]
    finally:
        gc.callbacks[:] = hooks

    assert inside[:2] == [("start", inside[0][1]), ("stop", inside[0][1])]
    assert after == [*hooks, hook]


def test_hostile_callbacks_are_not_compared():
    """Our callback is found by identity among the program's."""

    class Hostile:
        """Cannot be compared."""

        __hash__ = None

        def __eq__(self, other):
            raise AssertionError

        def __call__(self, phase, info):
            """Do nothing."""

    hooks = gc.callbacks[:]
    gc.callbacks.insert(0, Hostile())
    try:
        with track("x", types=False) as block:
            pass
    finally:
        gc.callbacks[:] = hooks

    assert block.report.measured[-1] == "gc"


def test_freezing_in_a_block_is_said():
    """After gc.freeze() the census would count less; the types are unknown."""
    with track("x", collect=False) as block:
        gc.freeze()
    gc.unfreeze()

    assert "types" not in block.report.measured
    assert account.FROZEN in block.report.limits


def test_frozen_objects_may_die():
    """The death of a frozen object in a block is no freezing."""
    kept = [[] for _ in range(5)]
    gc.freeze()
    with track("x", collect=False) as block:
        kept.pop()
    gc.unfreeze()

    assert "types" in block.report.measured
    assert account.FROZEN not in block.report.limits


def test_what_is_frozen_and_ours_is_not_taken_off():
    """A young tracker may hold what was frozen, which no census has counted."""
    gc.collect()
    gc.freeze()
    try:
        for _ in range(2):  # the second lets go of the first, in its block
            with track("x") as block:
                pass
    finally:
        gc.unfreeze()

    assert block.report.types == ()
    assert block.report.is_clean


def test_borrowing_is_nested():
    """The switch is given back by the last who borrowed."""
    collector = Collector()
    collector.borrow()
    collector.borrow()
    collector.give_back()
    inside = gc.isenabled()
    collector.give_back()

    assert not inside
    assert gc.isenabled()


# -- Who else is at work.
def test_resident_memory_is_told():
    """On Linux the change of the resident set is a number of bytes."""
    gc.collect()  # what other tests left must not go in the block
    size = activity.resident_size()
    with track("x", sites=False, **LIGHT) as block:
        # More than malloc ever keeps of what was freed before (M_TRIM_THRESHOLD).
        kept = bytearray(100 * LARGE)
        kept[::4096] = bytes(len(kept[::4096]))

    assert (size > 0) == sys.platform.startswith("linux")
    if size > 0:
        assert block.report.memory.rss_diff > 10 * LARGE
    else:
        assert block.report.memory.rss_diff is None


def test_other_tasks_are_said():
    """A block in a loop with more than one task is shared."""

    async def idle():
        await asyncio.sleep(60)

    async def main():
        async with track("alone", **LIGHT) as alone:
            await asyncio.sleep(0)
        task = asyncio.ensure_future(idle())
        async with track("two", **LIGHT) as two:
            await asyncio.sleep(0)
        task.cancel()
        return alone.report, two.report

    alone, two = asyncio.run(main())

    assert account.TASKS not in alone.limits
    assert account.TASKS in two.limits
    assert two.memory.shared


def test_tasks_that_cannot_run_are_not_said():
    """While a plain function runs no other task does, so they are not asked for."""

    async def idle():
        await asyncio.sleep(60)

    @track(**LIGHT)
    def plain():
        return [Item()]

    async def main():
        task = asyncio.ensure_future(idle())
        plain()
        task.cancel()

    asyncio.run(main())
    report = tracker_of(plain).report

    assert account.TASKS not in report.limits
    assert not report.memory.shared


class Lowlevel:
    """Stands for trio.lowlevel, which is not here."""

    task = None

    def current_task(self):
        """Return the task, or raise as trio does outside of one."""
        if self.task is None:
            raise RuntimeError
        return self.task


def test_tasks_of_trio_are_known(monkeypatch):
    """Where trio is imported its tasks are told apart; outside of one nothing is."""
    lowlevel = Lowlevel()
    trio = types.ModuleType("trio")
    monkeypatch.setitem(sys.modules, "trio", trio)
    assert activity.current_task() is None

    trio.lowlevel = lowlevel
    assert activity.current_task() is None

    lowlevel.task = Item()
    tracker = track("x", **LIGHT)
    with tracker as block:
        pass
    assert activity.current_task() is lowlevel.task
    assert activity.owner() == id(lowlevel.task)
    assert tracker.report is block.report


def test_without_asyncio_there_are_no_tasks(monkeypatch):
    """A program that never imports asyncio does not get it imported."""
    monkeypatch.delitem(sys.modules, "asyncio")

    assert activity.current_task() is None
    assert not activity.other_tasks()
    assert "asyncio" not in sys.modules


def test_the_clocks_of_one_thread_agree():
    """A thread that works alone never seems to have company."""
    time.sleep(0.02)
    since = activity.others_clock()
    sum(range(10_000))

    assert not activity.others_ran(*since)


# -- Sessions.
def test_traces_are_summed_by_place():
    """Equal stacks add up, ours are left out, deeper ones are cut."""
    mine = ours.FILES[0] + "x.py"
    one, two = (("a.py", 1), ("b.py", 2)), (("a.py", 1), ("c.py", 3))
    traces = [(0, 5, one, 2), (0, 7, one, 2), (0, 11, two, 2), (0, 1, ((mine, 1),), 1)]
    traces.append((0, 13, one, 2))
    from refscope._measure.session import tracing

    assert tracing.by_place(traces, 2) == {one: (25, 3), two: (11, 1)}
    assert tracing.by_place(traces, 1) == {(("a.py", 1),): (36, 4)}


def test_a_peak_is_raised_without_memory():
    """The peak of tracemalloc can be given back; nothing is allocated for it."""
    tracemalloc.start()
    level, _ = tracemalloc.get_traced_memory()
    ours.raise_peak(50 * LARGE)
    ours.raise_peak(-1)
    current, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak >= level + 50 * LARGE
    assert current < level + LARGE


def test_without_ctypes_the_books_stay_as_they_are(monkeypatch):
    """Then nothing can be taken out of tracemalloc or put in, and nothing fails."""
    for name in ("_track", "_untrack", "_clear_type_cache"):
        monkeypatch.setattr(ours, name, None)
    tracemalloc.start()
    thing = Item()
    before = tracemalloc.get_object_traceback(thing)
    ours.disown(thing)
    ours.claim(thing)
    ours.raise_peak(50 * LARGE)
    ours.forget_names()
    after = tracemalloc.get_object_traceback(thing)
    level, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert before == after
    assert before[-1].filename == __file__
    assert peak < level + LARGE


def test_blocks_know_who_opened_them():
    """Open blocks of a thread are found newest first."""
    tracker = track("x", **LIGHT)
    first, second = tracker.start(), tracker.start()
    clients = lifecycle.open_clients(activity.owner())
    second.stop()
    first.stop()

    assert clients == [second, first]
    assert lifecycle.open_clients(activity.owner()) == []


def test_environments_say_the_build():
    """Reports name the interpreter that they come from."""
    found = account.environment()

    assert found.python == ".".join(map(str, sys.version_info[:3])) or (
        sys.version_info.releaselevel != "final"
    )
    assert found.implementation == "cpython"
    assert found.platform.endswith(("-32", "-64"))


def test_a_python_that_cannot_trace_is_refused():
    """What is missing elsewhere says so when it is used."""
    with pytest.raises(UnsupportedRuntimeError, match="cannot trace memory here"):
        refuse()


def test_a_block_that_the_exit_closed_stays_closed():
    """A generator that is resumed after it measures no more."""
    block = track(sites=False).start()
    probe = block._probe
    probe.is_abandoned = True
    lifecycle.pause(probe, 0)
    lifecycle.resume(probe)
    probe.is_abandoned = False
    report = block.stop()

    assert report.limits == (account.UNSEEN,)


def test_names_in_closures_lead_to_functions():
    """Cells that are empty or hold something else are passed by."""

    def wrapper():
        return held, number, later

    def held():
        pass

    number = 1
    before = list(places._wrapped(wrapper))
    later = number

    assert before == [held]
    assert wrapper() == (held, 1, later)


@pytest.mark.parametrize("collect", [True, False])
def test_callbacks_of_the_program_do_not_hear_of_our_collections(collect):
    """They are set aside meanwhile, as what they do is the program's."""
    heard = []

    def hook(phase, info):
        if info["generation"] == 2:
            heard.append(phase)

    gc.callbacks.append(hook)
    try:
        with track(collect=collect):
            gc.collect()
        last = gc.callbacks[-1]
    finally:
        gc.callbacks.remove(hook)

    assert heard == ["start", "stop"]
    assert last is hook


def test_a_finalizer_may_open_a_block():
    """Callbacks that come during a collection of ours stay, each once."""

    class Opening:
        def __init__(self):
            self.me = self

        def __del__(self):
            opened.append(track("inside", sites=False, **LIGHT).start())

    before = gc.callbacks[:]
    opened = []
    Opening()
    with track("outside"):
        pass
    during = len(gc.callbacks) - len(before)
    for block in opened:
        block.stop()

    assert len(opened) == 1
    assert during == 1
    assert gc.callbacks == before
