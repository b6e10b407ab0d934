"""How find_leaks tells what grows from what does not, and who holds it."""

from __future__ import annotations

import functools
import gc
import itertools
import math
import sys
import tracemalloc

import pytest

import refscope
from refscope._measure.algorithms.series import Phase, trend, weighted_median
from refscope._measure.cpython import activity
from refscope._measure.leaks import growth
from refscope._measure.leaks.counts import Counts
from refscope._measure.leaks.rounds import Ledger, collect


pytestmark = pytest.mark.usefixtures("small_heap")


class Item:
    """What leaks."""

    def __init__(self, number=0):
        self.number = [number]


@pytest.mark.parametrize("rate", [0.05, 0.15, 0.3, 1 / 3, 3 / 7, 0.6, 1.0, 2.5])
def test_calls_are_rounded_up(rate):
    """As the standard library would, which is not loaded for it."""
    assert growth._ceil(3 / rate) == math.ceil(3 / rate)


@pytest.mark.parametrize(
    ("pairs", "middle"),
    [
        ([(3.0, 1)], 3.0),
        ([(3.0, 1), (1.0, 1)], 2.0),
        ([(3.0, 1), (1.0, 1), (2.0, 1)], 2.0),
        ([(0.0, 1)] * 5 + [(8.0, 4), (9.0, 9)], 8.5),
        ([(0.0, 3), (9.0, 4)], 9.0),
    ],
)
def test_the_middle_is_that_of_all_calls(pairs, middle):
    """Each number is there as often as it has calls."""
    assert weighted_median(pairs) == middle


def find(f, **options):
    """Return the report of three rounds."""
    return refscope.find_leaks(f, rounds=3, **options)


def named(report, kind="objects"):
    """Return the leaks of a kind by the last part of their type's name."""
    return {
        leak.type_name.rpartition(".")[2]: leak
        for leak in report.leaks
        if leak.kind == kind
    }


# -- What grows, and what does not.
def test_what_stops_before_it_is_traced_is_no_leak():
    """It grew in each round and in proportion, and then no more."""
    kept = []

    def fill():
        if len(kept) < 12:  # as many calls as come before the traced ones
            kept.append(Item())

    report = find(fill)

    assert len(kept) == 12
    assert report.leaks == ()


def test_what_is_lazy_at_first_is_no_leak():
    """What the first rounds make is over when there are twice as many calls."""
    kept = []

    def fill():
        if len(kept) < 5:
            kept.append(Item())

    report = find(fill)

    assert (report.leaks, report.is_leaking) == ((), False)


def test_what_comes_in_bursts_is_in_the_limits():
    """It grew by much, but in one round of three: no leak, and not nothing."""
    kept, calls = [], iter(range(100_000))
    firsts = {3 << power for power in range(7)}  # the first call of each phase

    def burst():
        number = next(calls)
        if number in firsts:
            kept.extend(Item() for _ in range(number))

    report = find(burst)

    assert "Item" not in named(report)
    assert any(".Item grew in some rounds only" in limit for limit in report.limits)


def test_a_cache_without_a_bound_is_a_leak():
    """It is said for a cache with a bound that it is not full, for no other."""
    numbers = iter(range(100_000))

    @functools.cache
    def remember(number):
        return Item(number)

    report = find(lambda: remember(next(numbers)))

    assert named(report)["Item"].verdict == "held"
    assert not any("cache that is not full" in limit for limit in report.limits)


def test_many_calls_stop_where_memory_grows_too_far(monkeypatch):
    """A leak is not called a thousand times when each call costs a megabyte."""
    kept = []
    monkeypatch.setattr(growth, "MOST_MEMORY", -(1 << 40))
    report = find(lambda: kept.append(Item()))

    assert named(report)["Item"].per_call == 1.0
    assert report.total_calls < 50


@pytest.mark.parametrize("warmup", [0, 1])
def test_warm_up_is_as_long_as_asked(warmup):
    """Calls before the first look do not count as rounds."""
    ledger = Ledger()
    asked = [calls for calls in ledger.warm_up(warmup) if calls]

    assert asked == [1] * warmup
    assert ledger.calls_made == warmup


def test_collecting_comes_to_an_end():
    """Also where each object that dies leaves another one to collect."""

    class Phoenix:
        """Burns and comes back."""

        def __init__(self):
            self.self = self

        def __del__(self):
            if burning:
                Phoenix()

    burning = [True]
    Phoenix()
    found = collect()
    burning.clear()
    collect()

    assert found >= 3


def test_what_leaks_with_few_of_many_calls_is_a_leak():
    """A fiftieth of an object per call is twenty in each round."""
    kept, numbers = [], itertools.count()
    report = find(lambda: next(numbers) % 50 or kept.append([1]), calls=1000)
    leak = named(report)["list"]

    assert (leak.per_call, leak.growth) == (0.02, (20, 20, 20))
    assert leak.held_by.references[leak.grows_at].target.type_name == "list"


def test_the_headline_says_how_many_calls_were_looked_at():
    """What leaks with every tenth call may not be seen in a few."""
    report = find(lambda: None)

    assert f"nothing grows in {report.total_calls} calls of " in report.headline


# -- Trends.
def _phase(calls, *steps):
    phase = Phase(calls)
    phase.growth.extend(steps)
    return phase


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (_phase(1, 1, 1, 1), _phase(2, 2, 2, 2), "steady"),
        (_phase(1, 1, 0, 0), _phase(2, 1, 1, 0), "open"),
        (_phase(1, 1, 1, 1), _phase(2, 0, 0, 0), "over"),
        (_phase(1, 1, 1, 1), _phase(2, 1, 0, -1), "over"),
        (_phase(10, 9, 9, 9), _phase(20, 1, 1, 1), "over"),
        (_phase(10, 10, 10, 10), _phase(20, 200, 210, 190), "open"),
        (_phase(1000, 20, 20, 20), _phase(2000, 40, 40, 40), "steady"),
        (_phase(1000, 5, 5, 5), _phase(2000, 6, 5, 5), "open"),
        (_phase(1000, 20, 20, 20), _phase(2000, 60, 4, 60), "over"),
    ],
)
def test_a_trend_is_steady_open_or_over(before, now, expected):
    """Steady is growth in every round, in proportion to the calls."""
    assert trend(before, now) == expected


# -- Lines and holders.
def test_what_only_the_function_holds_is_held_by_it():
    """The function is a root of its own where nothing else leads to the objects."""

    def make():
        kept = []
        return lambda: kept.append(Item())

    leak = named(find(make()))["Item"]

    assert leak.held_by.root == "the given function"
    assert leak.held_by.references[leak.grows_at].target.type_name == "list"


def test_the_dictionary_of_an_object_is_no_leak_of_its_own():
    """Up to 3.10 it is an object, and grows with those that have it."""
    kept = []

    assert set(named(find(lambda: kept.append(Item())))) == {"Item", "list"}


def test_objects_from_free_lists_have_no_line():
    """They were never allocated under tracing; their type and rate are known."""
    kept = []

    def keep():
        spare = [[] for _ in range(8)]
        del spare
        kept.append([])

    leak = named(find(keep))["list"]

    assert (leak.per_call, leak.verdict) == (1.0, "held")


def test_a_line_that_makes_few_of_many_is_not_told_apart():
    """One of 41 is no leak of its own; two halves are two leaks."""
    kept = []

    def much_and_little():
        kept.extend([Item() for _ in range(40)])
        kept.append(Item())

    def halves():
        kept.append(Item())
        kept.append(Item())

    few = [leak for leak in find(much_and_little).leaks if "Item" in leak.type_name]
    two = [leak for leak in find(halves).leaks if "Item" in leak.type_name]

    assert [round(leak.per_call) for leak in few] == [40]
    assert [leak.per_call for leak in two] == [1.0, 1.0]


def test_texts_in_a_container_that_grows_anyway_are_not_told_twice():
    """The objects in it are the leak; what is not tracked comes with them."""
    kept, numbers = [], iter(range(100_000))

    def keep():
        kept.append(Item())
        kept.append(f"text {next(numbers)}")

    report = find(keep)

    assert "Item" in named(report)
    assert named(report, "memory") == {}


# -- What C holds.
def test_objects_that_c_holds_have_no_path(leak_in_c):
    """The verdict is native: nothing in Python leads to them."""
    leak = named(find(lambda: bool(leak_in_c([None]))))["list"]

    assert (leak.verdict, leak.held_by, leak.per_call) == ("native", None, 1.0)


def test_what_c_holds_may_hold_more(leak_in_c):
    """The path of what it holds begins at it."""
    report = find(lambda: bool(leak_in_c([Item()])))
    leak = named(report)["Item"]

    assert leak.verdict == "native"
    assert leak.held_by.root == "held by C only"
    assert leak.held_by.references[0].holder.type_name == "list"


def test_memory_that_c_holds_has_a_line_and_no_type(leak_in_c):
    """No object that is tracked leaks, and no container has the text."""
    numbers = iter(range(100_000))
    report = find(lambda: bool(leak_in_c(f"text {next(numbers)}")))
    places = {leak.traceback.innermost.filename for leak in report.leaks}

    assert {leak.verdict for leak in report.leaks} >= {"native"}
    assert "" in named(report, "memory")
    assert places <= {__file__, leak_in_c.__code__.co_filename}


def test_a_tuple_with_many_ways_to_its_end_is_followed_once(leak_in_c):
    """Two references at each of sixty levels lead to the same few tuples."""
    shared = (1.5, 2.5)
    for _ in range(60):
        shared = (shared, shared)
        gc.collect()  # which stops tracking it, a level at a time
    numbers = iter(range(100_000))

    report = find(lambda: bool(leak_in_c(f"text {next(numbers)}")))

    assert "" in named(report, "memory")
    assert shared


def test_references_that_c_holds_creep_up(leak_in_c):
    """No object more, no block: only a count that grows with each call."""
    shared = Item()
    leak = named(find(lambda: bool(leak_in_c(shared))), "references")["Item"]

    assert (leak.verdict, leak.held_by, leak.per_call) == ("native", None, 1.0)


def test_only_counts_that_grow_alike_creep_up():
    """One that grew in the first stretch only is not reported."""
    creeping, once, kept = Item(), Item(), [None] * 100
    counts = Counts(1)
    for place, _ in enumerate(counts.run()):
        kept[place] = creeping
        kept[50] = once

    assert counts.growth.get(id(creeping)) == 1
    assert id(once) not in counts.growth


@pytest.mark.skipif(sys.platform != "linux", reason="resident sets differ")
def test_memory_of_malloc_is_in_the_limits():
    """No allocator of Python's has it, so it is no leak, but no clean bill either."""
    ctypes = pytest.importorskip("ctypes")
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    size, kept = 8 << 20, []

    def take():
        kept.append(libc.malloc(size))
        ctypes.memset(kept[-1], 1, size)

    report = find(take)
    for address in kept:
        libc.free(ctypes.c_void_p(address))

    assert report.rss_per_call > size / 2
    assert any("memory of C (malloc) may leak" in limit for limit in report.limits)


def test_the_resident_set_is_judged_by_the_rounds_with_most_calls(monkeypatch):
    """The first find spare pages, and few calls fill none."""
    kept, base, spare = [], 1 << 30, 20
    monkeypatch.setattr(
        activity,
        "resident_size",
        lambda: base + 20_000 * max(0, len(kept) - spare),
    )
    report = find(lambda: kept.append(bytes(20_000)))

    assert report.rss_per_call == 20_000


@pytest.mark.skipif(sys.platform != "linux", reason="resident sets differ")
def test_memory_that_is_traced_explains_the_resident_set():
    """Large blocks take whole pages; the rest of the last one is no leak of C."""
    kept, size = [], (4 << 20) + 100
    report = find(lambda: kept.append(b"x" * size))

    assert report.rss_per_call >= size / 2
    assert named(report, "memory")["bytes"].verdict == "held"
    assert not any("malloc" in limit for limit in report.limits)


def test_one_object_that_grows_is_in_the_limits(monkeypatch):
    """There is no object more, and no block, but C leaks nothing."""
    buffer, more = bytearray(), b"x" * 1_000
    monkeypatch.setattr(activity, "resident_size", lambda: (1 << 30) + len(buffer))
    report = find(lambda: buffer.extend(more), calls=1_000)

    assert not any("malloc" in limit for limit in report.limits)
    assert any("grew by about 1,000 bytes" in limit for limit in report.limits)


def test_a_resident_set_that_nothing_explains_may_be_a_leak_of_c(monkeypatch):
    """Not even the blocks that were there before have grown."""
    megabytes = itertools.count(1_000)
    monkeypatch.setattr(activity, "resident_size", lambda: next(megabytes) << 20)

    assert any("malloc" in limit for limit in find(lambda: None).limits)


# -- The state of the interpreter, and bounds.
def _ring():
    item = Item()
    item.self = item


@pytest.mark.parametrize("is_tracing", [True, False])
def test_tracing_of_the_program_goes_on(is_tracing):
    """find_leaks uses what traces there are, and leaves them as they were."""
    kept = []
    if is_tracing:
        tracemalloc.start(5)
    leaks = [*find(lambda: kept.append(Item())).leaks, *find(_ring).leaks]
    after = tracemalloc.is_tracing()
    if after:
        tracemalloc.stop()

    assert after == is_tracing
    places = {
        (leak.kind, leak.type_name.rpartition(".")[2]): leak.traceback.innermost
        for leak in leaks
    }
    assert places["objects", "Item"].filename == __file__
    assert places["cycles", "Item"].function == "_ring"


def test_the_collector_stays_off_where_it_was_off():
    """Garbage is named with automatic collections off, and they come back as found."""
    gc.disable()
    report = find(_ring)
    is_enabled = gc.isenabled()
    gc.enable()

    assert not is_enabled
    assert named(report, "cycles")["Item"].verdict == "cycle"


def test_garbage_that_is_gone_when_it_is_looked_for_is_said():
    """The function collects itself when it is called often enough."""
    calls = iter(range(100_000))

    def tidy():
        _ring()
        if next(calls) > 12:
            gc.collect()

    report = find(tidy)

    assert report.leaks == ()
    assert any("were not found again" in limit for limit in report.limits)


def test_a_search_that_is_cut_short_knows_no_holder():
    """The leak is reported, its verdict unknown, the report incomplete."""
    kept = []
    report = find(lambda: kept.append(Item()), max_objects=1)
    leak = named(report, "objects")["Item"]

    assert (leak.verdict, leak.held_by) == ("unknown", None)
    assert not report.complete


def test_what_stays_comes_before_what_gc_frees():
    """A text that is kept by each call, beside two shapes of garbage."""
    kept = set()

    class Left:
        pass

    class Right:
        pass

    def call():
        kept.add(f"name {len(kept)}")
        for kind in (Left, Right):
            one = kind()
            one.me = one

    report = refscope.find_leaks(call)

    assert [leak.kind for leak in report.leaks] == ["memory", "cycles", "cycles"]
