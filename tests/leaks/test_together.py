"""find_leaks where more than one thing grows, or nobody can name what grows."""

from __future__ import annotations

import collections
import gc
import hashlib
import itertools
import sys
import tracemalloc
import weakref

import pytest

import refscope
from refscope._measure.leaks.counts import Counts
from refscope.render import to_text


pytestmark = pytest.mark.usefixtures("small_heap")


class Item:
    """What leaks."""


def find(f, **options):
    """Return the report of three rounds."""
    return refscope.find_leaks(f, rounds=3, **options)


def by_kind(report):
    """Return the leaks by their kind; the first of each."""
    return {leak.kind: leak for leak in reversed(report.leaks)}


# -- Objects and memory.
def test_a_chain_costs_what_each_call_adds():
    """The rest of it dies with a new member, and was there before."""
    chain = [None]

    def call():
        chain[0] = [chain[0]]

    for _ in range(1000):
        call()
    (leak,) = find(call).leaks

    assert leak.per_call == 1.0
    assert sys.getsizeof([None]) <= leak.size_per_call < 100


def test_what_older_members_of_a_chain_hold_is_not_new():
    """Their texts are no objects that the collector knows the age of."""
    chain, numbers = [None], itertools.count()

    def call():
        chain[0] = [chain[0], f"text {next(numbers)}" * 20]

    for _ in range(100):
        call()
    (leak,) = find(call).leaks
    size = sys.getsizeof([None] * 2) + sys.getsizeof("text 100" * 20)

    assert size <= leak.size_per_call < size + 100


class Page:
    """What leaks with what it holds."""

    def __init__(self):
        self.body = bytearray(5000)


class Site:
    """Holds what leaks as well."""

    def __init__(self):
        self.page = Page()
        self.names = ["start"]


def test_a_leak_costs_what_dies_with_it():
    """Also what its own line takes beside the object, and what leaks inside of it."""
    sites = []
    sizes = {
        leak.type_name.rpartition(".")[2]: leak.size_per_call
        for leak in find(lambda: sites.append(Site())).leaks
    }

    assert sizes["Page"] > sys.getsizeof(bytearray(5000))
    assert sizes["Site"] > sizes["Page"] + sizes["list"]


def test_texts_that_are_keys_die_with_what_holds_them():
    """Also where the search has met them, which holds the dictionary once for each."""
    counters, numbers = [], itertools.count()

    def count():
        counters.append(collections.Counter([f"word {next(numbers):0200}"]))

    leak = by_kind(find(count))["objects"]

    assert leak.type_name == "collections.Counter"
    assert leak.size_per_call > sys.getsizeof({"word": 1}) + 200


def test_an_exception_comes_before_what_its_frames_hold():
    """It is what was kept; all else leaks with it."""
    errors = []

    def fail():
        item = Item()
        try:
            raise KeyError(id(item))  # noqa: TRY301
        except KeyError as error:
            errors.append(error)

    leaks = find(fail).leaks

    assert [leak.type_name.rpartition(".")[2] for leak in leaks[:2]] == [
        "KeyError",
        "Item",
    ]


def test_functions_come_before_the_containers_around_them():
    """Their names tell more, even if a set beside them is larger."""
    receivers, senders = {}, {}

    def connect():
        def receive(sender):
            return sender

        receivers[id(receive)] = receive
        senders[id(receive)] = set()

    leaks = find(connect).leaks

    assert [leak.type_name for leak in leaks] == ["function", "set"]


def test_blocks_of_a_line_are_those_of_its_objects():
    """What else the line makes is not counted as texts."""
    items, texts, numbers = [], [], itertools.count()

    def keep():
        items.append(Item()); texts.append(f"text {next(numbers)}")  # fmt: skip # noqa: E702

    memory = by_kind(find(keep))["memory"]

    assert (memory.type_name, memory.per_call) == ("str", 1.0)
    assert memory.growth == (1, 1, 1)
    assert 40 < memory.size_per_call < 80


def test_memory_of_a_library_is_counted_where_it_was_traced():
    """It is not among the blocks that are counted without tracing, as numpy's arrays.

    A library tells tracemalloc of it, which never looks at the address.
    """
    ctypes = pytest.importorskip("ctypes")
    note = getattr(ctypes.pythonapi, "PyTraceMalloc_Track", None)
    if note is None:
        pytest.skip("the interpreter does not export it")
    note.argtypes = ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t
    ranges, addresses = [], itertools.count(1)

    def keep():
        ranges.append(range(next(addresses) << 100))
        for _ in range(3):
            note(5, next(addresses), 4000)

    lost = next(leak for leak in find(keep).leaks if not leak.type_name)

    assert (lost.kind, lost.verdict, lost.per_call) == ("memory", "native", 3.0)
    assert lost.size_per_call == 12_000


def test_what_cannot_be_traced_is_a_leak_all_the_same():
    """Blocks grow with every call, and the function stops the tracing itself."""
    texts, numbers = [], itertools.count()

    def keep():
        tracemalloc.stop()
        texts.append(f"text {next(numbers)}")

    leak = find(keep).leaks[0]

    assert (leak.kind, leak.type_name, leak.verdict) == ("memory", "", "unknown")
    assert (round(leak.per_call), leak.traceback, leak.held_by) == (1, None, None)


def test_objects_that_cannot_be_traced_have_no_line():
    """Their type and who holds them is known all the same."""
    kept = []

    def keep():
        tracemalloc.stop()
        kept.append([])

    leak = by_kind(find(keep))["objects"]

    assert (leak.type_name, leak.verdict, leak.traceback) == ("list", "held", None)


@pytest.mark.parametrize("calls", [1, 100])
def test_what_stops_while_it_is_traced_is_no_leak(calls):
    """It cannot be named, and does not go on when it is called once more."""
    texts, numbers = [], itertools.count()

    def fill():
        if len(texts) < 3 + 9 * calls:  # what comes before the traced calls
            texts.append(f"text {next(numbers)}")

    report = find(fill, calls=calls)

    assert len(texts) == 3 + 9 * calls
    assert (report.leaks, report.is_leaking) == ((), False)


# -- References beside something else.
def _objects(_):
    return Item()


def _texts(number):
    return f"text {number}"


@pytest.mark.parametrize(("make", "kind"), [(_objects, "objects"), (_texts, "memory")])
def test_references_are_seen_beside_another_leak(make, kind):
    """Also where the other one is known."""
    shared, holders, others, numbers = [], [], [], itertools.count()

    def keep():
        holders.append(shared)
        others.append(make(next(numbers)))

    found = by_kind(find(keep))
    again = find(keep, known={found[kind].fingerprint: "known"})

    assert {*found} == {kind, "references"}
    assert (found["references"].type_name, found["references"].per_call) == ("list", 1)
    assert found["references"].verdict == "held"
    assert again.is_leaking


def test_references_of_what_leaks_are_no_leak_of_their_own():
    """Its class and what each of them is given gain references only from it."""
    shared, kept = [], []

    def keep():
        item = Item()
        item.shared = shared
        kept.append(item)

    assert {*by_kind(find(keep))} == {"objects"}


def test_references_from_outside_are_told_from_those_of_what_leaks():
    """Only what older objects hold is counted."""
    shared, kept, holders = [], [], []

    def keep():
        holders.append(shared)
        kept.append([shared, shared])

    references = by_kind(find(keep))["references"]

    assert (references.per_call, references.verdict) == (1.0, "held")


def test_references_are_found_where_an_address_is_used_again(monkeypatch):
    """One look takes a new list for an old one, and its references for the others'."""
    shared, kept, holders, looks = [], [], [], []
    subtract_new = Counts._subtract_new

    def subtract_some(self, first, second):
        looks.append(self)
        if len(looks) == 1:
            for readings in first, second:
                readings.keys.append(id(kept[-1]))
        subtract_new(self, first, second)

    def keep():
        holders.append(shared)
        kept.append([shared, shared])

    monkeypatch.setattr(Counts, "_subtract_new", subtract_some)
    references = by_kind(find(keep))["references"]

    assert (references.per_call, references.verdict) == (1.0, "held")
    assert len(looks) == 2


def test_objects_that_no_collector_sees_have_a_class_all_the_same():
    """Each refers to its class: that is no leak in C beside that of the objects."""
    kept = []
    gc.unfreeze()  # the class is an old one
    report = find(lambda: kept.extend((Item(), hashlib.sha256())))

    assert {*by_kind(report)} == {"objects"}


# -- Garbage.
def test_cycles_whose_names_change_are_one_leak():
    """Each call makes a cycle, with another attribute each time."""
    numbers = itertools.count()

    def make():
        item = Item()
        setattr(item, f"name_{next(numbers)}", item)

    first, second = find(make), find(make)
    cycles = [leak for leak in first.leaks if leak.kind == "cycles"]  # 3.12 keeps names

    assert [leak.per_call for leak in cycles] == [1.0]
    assert first.leaks[0].growth == (1, 1, 1)
    assert first.leaks[0].fingerprint == second.leaks[0].fingerprint


def test_the_garbage_of_an_exception_is_told_as_one():
    """A built-in one says more than the frame that its traceback keeps."""

    def fail():
        try:
            int("none")
        except ValueError as error:
            kept = error
        return bool(kept)

    [leak] = find(fail).leaks

    assert (leak.kind, leak.type_name) == ("cycles", "ValueError")
    assert leak.traceback.innermost.lineno == fail.__code__.co_firstlineno + 2


def test_weak_references_that_are_dropped_are_no_cycles():
    """A collection counts those that callbacks let go of, as abc's, among objects."""
    others = set()

    def make():
        item = Item()
        item.self = item
        others.update(weakref.ref(item, others.remove) for _ in range(20))

    [leak] = find(make).leaks

    assert (leak.kind, leak.per_call, leak.growth) == ("cycles", 1.0, (1, 1, 1))


def test_garbage_costs_what_hangs_on_its_cycles():
    """And not only what is in the loop."""

    def make():
        page = Page()
        page.self = page

    [leak] = find(make).leaks

    assert leak.cycle.retained_size <= leak.size_per_call
    assert leak.size_per_call > sys.getsizeof(bytearray(5000))


def test_the_garbage_of_a_class_is_told_as_a_class():
    """Not as one of the descriptors that it has, and with the whole advice."""

    def make():
        class Local:
            pass

    report = find(make)

    assert report.leaks[0].type_name == "type"
    assert "a function that is called often" in to_text(report)


def test_garbage_of_every_other_call_shows_rounds_that_were_measured():
    """None of them is told as nothing."""
    numbers = itertools.count()

    def make():
        if next(numbers) % 2:
            item = Item()
            item.self = item

    leak = find(make).leaks[0]

    assert leak.per_call == 0.5
    assert leak.growth_calls > 1
    assert min(leak.growth) >= 1
