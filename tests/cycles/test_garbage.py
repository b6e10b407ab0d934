"""Finding garbage touches nothing, and finds what the collector finds."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import subprocess
import sys
import threading
import types
import weakref
from functools import partial

import attrs
import pytest

import refscope
from refscope._measure.algorithms.components import components
from refscope._measure.budget import Budget
from refscope._measure.cycles import garbage, likeness
from refscope._measure.cycles.search import UNTOLD
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError
from refscope.reports._fingerprint import fingerprint

from . import idioms
from .helpers import facts, found_ids, only, saved_ids


IS_WASM = sys.platform == "emscripten"
ALL_IDIOMS = [
    idioms.cousins,
    idioms.error_in_local,
    idioms.error_in_coroutine,
    idioms.error_in_attribute,
    idioms.bound_method,
    idioms.large_family,
    idioms.closure,
    idioms.cached_method,
    idioms.partial_ring,
    idioms.slots,
    idioms.local_class,
    idioms.own_key,
]


class Handler:
    """Does its work when what a call returns is awaited."""

    async def __call__(self):
        """Do nothing."""


def make_everything():
    """Leave one cycle of each idiom behind, and something that hangs on one."""
    for make in ALL_IDIOMS:
        # The incremental collector (3.14.0 to 3.14.4, Pyodide) stops tracking a tuple
        # of the class before it saves what is left.
        if make is not idioms.local_class or not IS_WASM:
            make()
    cat = idioms.Cat()
    cat.me = cat
    cat.data = [{"key": ["deep", (1, [2])]}, b"x" * 1000]


def test_the_same_objects_as_the_collector():
    """Neither more nor fewer, twice in a row."""
    make_everything()

    first, second = found_ids(), found_ids()
    assert first == second == saved_ids()
    assert len(first) > 50


def test_the_whole_heap_is_searched():
    """Also with everything that pytest has loaded not set aside."""
    gc.unfreeze()
    make_everything()

    assert found_ids() == saved_ids()


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="a traced frame keeps copies of its variables"
)
def test_who_holds_the_running_frames():
    """A debugger that has refscope's own frames has not what they look at."""
    gc.unfreeze()
    make_everything()
    before = sys.gettrace()
    sys.settrace(hold_frame)
    try:
        found = found_ids()
    finally:
        sys.settrace(before)
        running.clear()

    assert found == saved_ids()


running: list[types.FrameType] = []


def hold_frame(frame, event, _):
    if event == "call":
        running.append(frame)
    elif event == "return":
        running.remove(frame)
    return hold_frame


def test_garbage_is_left_as_it_is():
    """Weak references live, finalizers have not run, the collector is unchanged."""
    idioms.Leaving.seen = 0
    cat = idioms.Leaving()
    cat.me = cat
    told = []
    watch = weakref.ref(cat, told.append)
    del cat
    before = (gc.get_threshold(), gc.get_debug(), gc.callbacks[:], gc.get_stats())

    for _ in range(2):
        report = refscope.find_cycles()

        assert only(report).finalizers == 1
        assert watch() is not None
        assert (told, idioms.Leaving.seen, gc.garbage) == ([], 0, [])
    after = (gc.get_threshold(), gc.get_debug(), gc.callbacks[:], gc.get_stats())
    assert after == before


def test_garbage_is_there_when_the_search_returns():
    """What the search itself allocates makes no automatic collection come before."""
    gc.enable()
    idioms.Leaving.seen = 0
    ring = [idioms.Leaving() for _ in range(100)]
    for number, each in enumerate(ring):
        each.me = ring[number - 1]
    watch = weakref.ref(each)
    del ring, each
    report = refscope.find_cycles()
    is_there, seen = watch() is not None, idioms.Leaving.seen
    gc.disable()

    assert only(report).finalizers == 100
    assert (is_there, seen) == (True, 0)


def test_generations_stay_as_they_are():
    """What was young is young afterwards."""
    young = [[]]
    gc.collect()
    old = young
    young = [[]]
    refscope.find_cycles()

    objects = gc.get_objects(generation=0)
    assert any(thing is young for thing in objects)
    assert not any(thing is old for thing in objects)


def test_automatic_collections_go_on_afterwards():
    """They wait for the search only."""
    gc.enable()
    refscope.find_cycles()
    assert gc.isenabled()
    gc.disable()
    refscope.find_cycles()
    assert not gc.isenabled()


def test_no_cycles():
    """A process without garbage is clean, also while it holds cycles."""
    cat = idioms.Cat()
    cat.me = cat

    report = refscope.find_cycles()
    assert report.is_clean
    assert facts(report) == facts(refscope.CycleReport(environment=report.environment))


def test_nothing_of_refscope_is_left_behind():
    """Searching makes no garbage of its own."""
    make_everything()
    refscope.find_cycles()
    expected = saved_ids()
    make_everything()
    for _ in range(3):
        refscope.find_cycles()
    refscope.find_cycles(live=True, max_objects=1000)
    refscope.find_cycles(through=[expected])

    assert len(saved_ids()) - len(expected) < 30  # frame objects and tables, once


def test_what_hangs_on_a_cycle():
    """Objects and bytes that live only because of it, not those that others hold."""
    shared = bytearray(5000)
    cat = idioms.Cat(shared)
    cat.me = cat
    cat.data = [bytearray(3000), [bytearray(4000)]]
    del cat

    cycle = only(refscope.find_cycles())

    expected = sum(map(sys.getsizeof, ([1, 2], [1], bytearray(3000), bytearray(4000))))
    assert cycle.held == 4
    assert cycle.retained_size == cycle.size + expected
    assert len(shared) == 5000


def test_texts_that_are_keys_hang_on_a_cycle():
    """A dictionary with no other keys does not show them; shared ones stay."""
    shared = "s" * 1000
    cat = idioms.Cat({f"name {len(shared):0500}": 1, shared: 2})
    cat.me = cat
    table = sys.getsizeof(cat.name)
    del cat

    cycle = only(refscope.find_cycles())

    assert cycle.held == 2
    expected = table + sys.getsizeof(f"name {len(shared):0500}")
    assert cycle.retained_size == cycle.size + expected


def test_collect_frees_after_the_report():
    """The report has what was there, and says how much was freed."""
    cat = idioms.Cat()
    cat.me = cat
    watch = weakref.ref(cat)
    del cat

    report = refscope.find_cycles(collect=True)

    assert watch() is None
    assert report.freed == report.objects
    assert report.groups[0].count == 1
    assert refscope.find_cycles(collect=True).freed == 0


def test_many_cycles_of_a_shape_are_one_group():
    """A thousand pairs are counted; others are told apart by their names."""
    for number in range(1000):
        idioms.cousins()
        if number % 250 == 0:
            idioms.bound_method()

    report = refscope.find_cycles()

    assert [group.count for group in report.groups] == [1000, 4]
    assert report.count == 1004
    assert sum(group.objects for group in report.groups) <= report.objects
    assert report.headline.startswith("1,004 garbage cycles, 2 shapes: ")


def test_the_same_shape_has_the_same_fingerprint():
    """On every Python: these were computed once, on 3.13."""
    prints = {}
    for make in (idioms.cousins, idioms.error_in_local, idioms.closure, idioms.family):
        make()
        [group] = refscope.find_cycles(collect=True).groups
        prints[make.__name__] = group.fingerprint

    cat = f"{idioms.__name__}.Cat"
    assert prints == {
        "cousins": fingerprint(cat, ".cousin", cat, ".cousin"),
        "error_in_local": "f0b044c3",
        "closure": "778eb286",
        "family": fingerprint("list", "[x]", cat, ".parent", cat, ".children"),
    }


def leave_ring(kinds):
    """Leave a ring of objects of these types, made in their order."""
    ring = [kind() for kind in kinds]
    for thing, following in zip(ring, [*ring[1:], ring[0]], strict=True):
        if type(thing) is list:
            thing.append(following)
        else:
            thing.name = following


@pytest.mark.parametrize("size", [30, 150])
def test_a_fingerprint_does_not_depend_on_what_was_made_first(size):
    """The shape is told from the same member on, of which only a part is shown."""
    kinds = [list if number in {3, 4, 17} else idioms.Cat for number in range(size)]
    prints = set()
    for start in (0, 4, size - 1):
        leave_ring(kinds[start:] + kinds[:start])
        [group] = refscope.find_cycles(collect=True).groups
        prints.add(group.fingerprint)

    assert len(prints) == 1


def test_components_of_other_wiring_are_other_groups():
    """As many as are no longer named one by one, of the same types."""
    for _ in range(40):
        leave_ring([list, idioms.Cat, list, idioms.Cat])
        leave_ring([list, list, idioms.Cat, idioms.Cat])

    report = refscope.find_cycles()

    assert sorted(group.count for group in report.groups) == [40, 40]


class Linked:
    """Has several attributes, of which one is used."""

    def __init__(self):
        self.one = self.other = self.last = None


def pair(name):
    """Leave two objects that refer to each other by an attribute."""
    one, two = Linked(), Linked()
    setattr(one, name, two)
    setattr(two, name, one)


def keyed(name):
    """Leave a dictionary that holds itself under a key."""
    table = {}
    table[name] = table


def suspended(name):
    """Leave a generator that one of two functions made, in its own variable."""

    def one(me):
        yield me

    def other(me):
        yield me

    box = idioms.Cat()
    box.it = (one if name == "one" else other)(box)
    next(box.it)


@pytest.mark.parametrize("make", [pair, keyed, suspended])
def test_cycles_of_other_names_are_other_groups(make):
    """However many there are: types alone do not tell them apart."""
    for name, count in {"one": 50, "other": 40, "last": 3}.items():
        for _ in range(count):
            make(name)

    report = refscope.find_cycles()

    counts = sorted(group.count for group in report.groups)
    assert counts == ([43, 50] if make is suspended else [3, 40, 50])
    assert report.complete


def test_cycles_for_whose_names_there_is_no_time(monkeypatch):
    """They are counted, and said to be missing."""
    for _ in range(50):
        pair("one")
        pair("other")
    monkeypatch.setattr("refscope._measure.cycles.likeness._MOST", 140)
    monkeypatch.setattr(
        "refscope._measure.cycles.shapes._LOOKS", {}
    )  # keys tell, on 3.10

    report = refscope.find_cycles()

    named_each = sum(group.count for group in report.groups)
    assert len(report.groups) == 2
    assert named_each == max(140 // (report.objects // 100), 48)
    assert not report.complete
    assert f"{100 - named_each} more cycles are counted and not" in report.limits[-1]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="all have a dictionary")
def test_cycles_whose_names_are_not_known():
    """Their dictionaries are not made, as they are many; it is said."""

    class Fresh:
        """Has attributes of which nobody speaks."""

    for _ in range(80):
        thing = Fresh()
        setattr(thing, "".join(map(chr, range(97, 105))), thing)
    del thing

    report = refscope.find_cycles()

    assert [group.count for group in report.groups] == [80]
    assert UNTOLD in report.limits


def test_more_names_than_can_be_shown(monkeypatch):
    """The others are counted."""
    for _ in range(50):
        pair("one")
        pair("other")
    monkeypatch.setattr("refscope._measure.cycles.search._MOST_GROUPS", 1)
    monkeypatch.setattr("refscope._measure.cycles.shapes._LOOKS", {})

    report = refscope.find_cycles()

    assert [group.count for group in report.groups] == [50]
    assert not report.complete
    assert "50 more cycles are counted and not named" in report.limits[-1]


def test_names_are_looked_at_while_there_is_time():
    """One is, in any case."""
    for _ in range(3):
        pair("one")
    with garbage.find_garbage(Budget()) as graph:
        found = components(graph.successors)
        by_name = likeness.sort_by_names(graph, found, Budget(deadline=0))

    assert list(map(len, by_name.groups)) == [3]
    assert by_name.unnamed == 0


def test_large_components_are_told_apart_by_their_types():
    """As many as are no longer named one by one; their wiring is not compared."""
    for _ in range(34):
        leave_ring([list] * 40 + [idioms.Cat] * 40)
        leave_ring([idioms.Cat] * 80)

    report = refscope.find_cycles()

    assert sorted(group.count for group in report.groups) == [34, 34]


@pytest.mark.needs_subprocess
def test_the_import_leaves_nothing_to_report():
    """What attrs leaves of refscope's classes is refscope's; of others, theirs."""
    code = """if True:
        import gc
        gc.disable()
        import ast, ctypes, inspect, json, signal, attrs, typing_extensions
        gc.collect()
        import refscope
        print(refscope.find_cycles().headline)
        attrs.frozen(type("Point", (), {"x": attrs.field(converter=int)}))
        for group in refscope.find_cycles().groups:
            print(*group.type_names)
    """
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)

    headline, *groups = answer.stdout.splitlines()
    assert headline == "CLEAN: no cycles"
    assert any("attr._make._ClassBuilder" in group for group in groups)
    assert any("attr._make.Converter" in group for group in groups)


def test_a_class_and_its_instance():
    """A class is held by its instances, and by nothing of refscope's."""

    class Plugin:
        """Holds an instance, which holds the class."""

    Plugin.default = Plugin()
    del Plugin

    [group] = refscope.find_cycles().groups
    found, saved = found_ids(), saved_ids()

    assert group.count == 1
    # The incremental collector stops tracking a tuple before, see above.
    assert saved <= found if IS_WASM else saved == found


def test_reports_of_ours_in_garbage():
    """A report is in a cycle of the program's: that is found, and the report is not."""
    ring = [refscope.reports.Progress(stage="x", objects=1, elapsed=0.0)]
    ring.append(ring)
    del ring

    [group] = refscope.find_cycles().groups
    assert group.type_names == ("list",)


def test_functions_are_not_asked_for_their_namespace():
    """What attrs makes a converter from may have a hostile one."""
    asked = []

    class Namespace(dict):
        def get(self, *arguments):
            asked.append(arguments)
            return super().get(*arguments)

    function = types.FunctionType(leave_ring.__code__, Namespace(__name__="plugin"))
    ring = [attrs.Converter(function)]
    ring.append(ring)
    del ring, function

    assert refscope.find_cycles().groups
    assert not asked


def test_creation_sites(tmp_path):
    """With tracing on each member has the line that made it."""
    import tracemalloc

    tracemalloc.start(2)
    try:
        idioms.cousins()
        cycle = only(refscope.find_cycles())
    finally:
        tracemalloc.stop()

    for reference in cycle.references:
        frame = reference.holder.traceback.innermost
        assert frame.filename == idioms.__file__
        assert frame.function == "cousins"


def test_what_was_collected_without_success_is_counted():
    """What is in gc.garbage is no clean process."""
    gc.garbage.append(idioms.Cat())
    try:
        report = refscope.find_cycles()
    finally:
        gc.garbage.clear()

    assert report.uncollectable == 1
    assert not report.is_clean


def test_frozen_objects_count_as_alive():
    """Frozen garbage is not found, and the report says so."""
    idioms.cousins()
    gc.freeze()
    idioms.bound_method()

    report = refscope.find_cycles()
    gc.unfreeze()
    assert only(report).references[0].name == ".callback"
    assert any("frozen objects (gc.freeze) count as alive" in x for x in report.limits)


def test_max_objects_stops_early():
    """Young objects are looked at first, and the report says what is missing."""
    kept = [[] for _ in range(100)]
    idioms.cousins()

    report = refscope.find_cycles(max_objects=50)
    assert not report.complete
    assert "max_objects=50" in report.limits[0]
    assert len(report.groups) <= 1
    assert kept


def test_a_deadline_stops_early():
    """Without time there is no answer, and the report says so."""
    idioms.cousins()

    for how in ({}, {"live": True}, {"through": [idioms.Cat]}):
        report = refscope.find_cycles(deadline=0, **how)
        assert report.groups == ()
        assert not report.complete
        assert "deadline=0" in report.limits[0]


def test_progress_is_told():
    """An observer hears of each stage."""
    heard = []

    refscope.find_cycles(progress=heard.append)

    assert {moment.stage for moment in heard} == {"following what is alive"}


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        (
            {"live": True, "collect": True},
            InvalidArgumentError,
            "collect=True and live",
        ),
        (
            {"through": [], "from_call": print},
            InvalidArgumentError,
            "through and from_call do not mix",
        ),
        ({"max_objects": 0}, InvalidArgumentError, "max_objects takes 1 or more"),
        ({"from_call": 3}, ArgumentTypeError, "takes a function, not an int"),
        ({"through": 3}, ArgumentTypeError, "takes several objects"),
        (
            {"from_call": idioms._failing},
            ArgumentTypeError,
            "calling _failing only makes a generator or coroutine",
        ),
        (
            {"from_call": partial(idioms._failing)},
            ArgumentTypeError,
            "calling _failing only makes a generator or coroutine",
        ),
        (
            {"from_call": partial(partial(Handler()))},
            ArgumentTypeError,
            r"calling Handler.__call__ only makes a generator or coroutine",
        ),
        (
            {"from_call": Handler()},
            ArgumentTypeError,
            r"calling Handler.__call__ only makes a generator or coroutine",
        ),
    ],
)
def test_what_is_refused(how, error, message):
    """Ways that do not mix, and things that make no sense, by name."""
    with pytest.raises(error, match=message):
        refscope.find_cycles(**how)


def test_a_generator_that_is_closed_when_it_is_collected():
    """It is found, though the collector saves none: closing it opens the ring."""
    idioms.generator()

    assert len(found_ids()) in (1, 2)  # with its frame on 3.10
    gc.collect()
    assert found_ids() == set()


def test_c_callers_and_suspended_code_are_alive():
    """What only the stack of C, a generator or a coroutine holds is no garbage."""
    alive, found = set(), set()

    def look(cat):
        alive.add(id(cat))
        found.update(found_ids())
        return 0

    def waiting():
        cat = ring()
        alive.add(id(cat))
        yield
        yield cat.me

    async def coroutine():
        cat = ring()
        alive.add(id(cat))
        await asyncio.sleep(0)
        return cat

    generator, suspended = waiting(), coroutine()
    next(generator)
    suspended.send(None)
    sorted([ring()], key=look)
    try:
        raise ring_error()
    except ValueError as error:
        alive.add(id(error))
        found.difference_update(alive)  # the ring that was sorted is garbage now
        found |= found_ids() & {id(error)}
    suspended.close()

    assert len(alive) == 4
    assert found.isdisjoint(alive)


def ring():
    """Return an object in a cycle, that nobody else has."""
    cat = idioms.Cat()
    cat.me = cat
    return cat


def ring_error():
    """Return an error in a cycle."""
    error = ValueError()
    error.me = error
    return error


@pytest.mark.needs_threads
def test_threads_that_change_everything():
    """Objects that wander between threads all the time are no garbage."""
    stop = threading.Event()
    places = [[ring() for _ in range(50)] for _ in range(4)]

    def mutate(number):
        while not stop.is_set():
            for other in range(4):
                with contextlib.suppress(IndexError):
                    cat = places[number].pop()
                    cat.holder = [cat]
                    del cat.holder
                    places[other].append(cat)

    threads = [threading.Thread(target=mutate, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        found = [found_ids() for _ in range(12)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert found == [set()] * 12


def test_objects_that_die_while_they_are_counted():
    """What only the list of candidates holds is not garbage, nor what it holds."""
    cat = ring()
    candidates = [[cat], [[1]], cat, cat.__dict__]
    candidates[1].append(candidates[0])
    del cat

    graph = garbage.confirmed(candidates)
    assert {type(graph.object_of(node)) for node in graph.nodes} <= {idioms.Cat, dict}
    assert len(graph.nodes) >= 1


@pytest.mark.parametrize("free_threaded", [False, True])
def test_builds_without_exact_counts(free_threaded):
    """There functions and classes count as alive, and other cycles are found."""
    idioms.cousins()
    idioms.closure()
    idioms.local_class()

    graph = garbage.find_garbage(Budget(), free_threaded=free_threaded)
    kinds = {type(graph.object_of(node)) for node in graph.nodes}
    graph.close()
    assert idioms.Cat in kinds
    assert (type in kinds) is not free_threaded
    assert (type(test_no_cycles) in kinds) is not free_threaded
