"""Known allocations come out to the byte, at their line, as tracemalloc says."""

from __future__ import annotations

import ast
import gc
import sys
import tracemalloc
from array import array
from importlib.resources import files

import pytest

from refscope import track
from refscope._measure.heap import ours
from refscope.reports import Frame, TypeChange

from .helpers import count_of, line_of, quiet_collector, run_python


pytestmark = pytest.mark.exact

BLOCKS_OF = {dict: 2}  # the object and its table
MEGABYTES = 10_000_000
ARGUMENTS = sys.getsizeof((None,))  # of a call to a class, if no free one is at hand
NOTES = 4096  # bytes: what gc told its callbacks last, and their frames, are less
IS_32 = sys.maxsize < 2**32


class Slotted:
    """Its objects are one memory block each, all of one size."""

    __slots__ = ("next",)


class Ordinary:
    """Its objects have attributes in a dictionary, or in line (3.11+)."""

    def __init__(self, value):
        self.value = value


@pytest.mark.parametrize("collect", [True, False])
@pytest.mark.parametrize("frames", [1, 10])
def test_one_large_allocation(collect, frames):
    """Ten million bytes are their sys.getsizeof, in one site at its line."""
    data = None
    with track("x", collect=collect, frames=frames) as block:
        data = bytes(MEGABYTES)  # here
    report = block.report
    [site] = report.sites

    assert report.memory.size_diff == sys.getsizeof(data) == MEGABYTES + 33 - 16 * IS_32
    assert report.memory.count_diff == 1
    assert report.memory.peak - report.memory.size_diff in {0, ARGUMENTS}
    assert (site.size_diff, site.count_diff) == (sys.getsizeof(data), 1)
    assert site.traceback.frames[-1] == Frame(
        __file__, line_of(__file__, "here"), "test_one_large_allocation"
    )
    assert report.types == ()
    assert not report.is_clean


@pytest.mark.parametrize(
    "make",
    [
        list,
        lambda: {"key": None},
        lambda: (int, None),
        lambda: (None, int, None),
        lambda: 1.5 * MEGABYTES,
        lambda: lambda: None,
    ],
    ids=["list", "dict", "pair", "triple", "float", "function"],
)
def test_the_first_object_of_a_kind_is_counted(make):
    """Each is new memory, also where dead ones waited to be used again."""
    with track("before"):
        pass
    spare = [make() for _ in range(90)]
    kept = [None] * 5
    places = list(range(5))
    place = None
    del spare
    with track("x") as block:
        for place in places:
            kept[place] = make()
    memory = block.report.memory
    blocks = BLOCKS_OF.get(type(kept[0]), 1)

    assert memory.size_diff == sum(map(sys.getsizeof, kept))
    assert memory.count_diff == len(kept) * blocks


def test_what_is_freed_was_at_its_line():
    """Memory of the block that was freed in it is peak, and nothing else."""
    data = None
    with track("x") as block:
        data = bytes(MEGABYTES)
        data = None
    memory = block.report.memory

    assert (memory.size_diff, memory.count_diff) == (0, 0)
    assert memory.peak - sys.getsizeof(bytes(MEGABYTES)) in {0, ARGUMENTS}
    assert block.report.sites == ()
    assert data is None


def test_older_memory_that_is_freed_is_negative():
    """With the program's own tracing on, what a block frees is taken off."""
    tracemalloc.start()
    data = bytes(MEGABYTES)  # older
    size = sys.getsizeof(data)
    with track("x") as block:
        data = None
    tracemalloc.stop()
    memory = block.report.memory
    [site] = block.report.sites

    assert (memory.size_diff, memory.count_diff, memory.peak) == (-size, -1, 0)
    assert site.traceback.frames[-1].lineno == line_of(__file__, "older")
    assert block.report.is_clean
    assert data is None


@pytest.mark.needs_subprocess
@pytest.mark.parametrize("count", [1_000, 20_000])  # collections of each generation
def test_the_first_collections_of_a_process_are_silent(count):
    """What is told of them was told once before: nothing is made for it in a block."""
    said = run_python(
        "import sys, refscope\n"
        "class Slotted:\n"
        "    __slots__ = ()\n"
        "def fill(items, places, place=None):\n"
        "    with refscope.track() as block:\n"
        "        for place in places:\n"
        "            items[place] = Slotted()\n"
        "    return block.report\n"
        f"items = [None] * {count}\n"
        "report = fill(items, list(range(len(items))))\n"
        "[site] = report.sites\n"
        "print(site.count_diff, site.size_diff - sum(map(sys.getsizeof, items)))\n"
    )

    assert (said.stdout, said.stderr) == (f"{count} 0\n", "")


@pytest.mark.parametrize("count", [1, 1000])
def test_objects_of_a_class_are_counted(count):
    """A list of n objects is n of that type, with all their bytes."""
    items = [None] * count
    places = list(range(count))
    place = None
    with track("x") as block:
        for place in places:
            items[place] = Slotted()  # slotted
    report = block.report
    [site] = report.sites

    size = sum(map(sys.getsizeof, items))
    assert report.types == (
        TypeChange(type_name=f"{__name__}.Slotted", count_diff=count, size_diff=size),
    )
    assert (site.size_diff, site.count_diff) == (size, count)
    assert site.traceback.frames[-1].lineno == line_of(__file__, "slotted")
    assert report.memory.size_diff == size
    assert place == count - 1


def test_ordinary_objects_are_counted():
    """Objects with attributes are n of their type too."""
    items = [None] * 100
    places = list(range(100))
    place = None
    Ordinary(0)
    with track("x") as block:
        for place in places:
            items[place] = Ordinary(place)
    [change] = [
        change
        for change in block.report.types
        if change.type_name == f"{__name__}.Ordinary"
    ]

    assert change.count_diff == len(items)
    assert change.size_diff is not None
    assert block.report.memory.count_diff >= len(items)
    assert place is not None


def test_containers_that_hold_objects_are_counted():
    """Lists, dictionaries, sets and cycles are in types, without one size for all."""
    kept = [None] * 3
    thing = Slotted()
    with track("x") as block:
        kept[0] = [thing]
        kept[1] = {"a": thing}
        kept[2] = {thing}
    changes = {change.type_name: change for change in block.report.types}

    assert {name: change.count_diff for name, change in changes.items()} == {
        "list": 1,
        "dict": 1,
        "set": 1,
    }
    assert all(change.size_diff is None for change in changes.values())


@pytest.mark.parametrize("collect", [False, True])
def test_tuples_that_hold_dictionaries_are_counted(collect):
    """The collector goes on tracking them, since the dictionary may be tracked too."""
    kept = []
    with quiet_collector(), track("x", collect=collect) as block:
        for number in range(10):
            kept.append(({},))
            kept.append((number, ({},)))

    assert count_of(block.report, "tuple") == 3 * len(kept) // 2


def test_tuples_that_settle_are_not_counted():
    """The collector stops tracking those of atoms, however deep they are nested."""
    kept = None
    with quiet_collector(), track("x", collect=False) as block:
        for number in range(20_000):
            kept = (number, kept, kept)

    assert (len(kept), count_of(block.report, "tuple")) == (3, 0)
    while kept:  # freed as a whole it overflows the stack of WebAssembly
        kept = kept[1]


def test_garbage_counts_only_without_collecting():
    """A cycle that nobody holds is collected at the end, or counts as kept."""
    counts = []
    for collect in (True, False):
        with quiet_collector(), track("x", collect=collect) as block:
            ring = Slotted()
            ring.next = ring
            ring = None
        counts.append((block.report.memory.count_diff, len(block.report.types)))
        gc.collect()

    assert counts == [(0, 0), (1, 1)]
    assert ring is None


def test_depth_cuts_tracebacks():
    """As many lines as were asked for, innermost last; the total if all are there."""
    kept = [None]

    def inner():
        kept[0] = bytes(MEGABYTES)

    def outer():
        inner()

    inner()
    kept[0] = None
    with track("x", frames=2) as block:
        outer()
    [site] = [site for site in block.report.sites if site.size_diff > MEGABYTES]

    name = "test_depth_cuts_tracebacks.<locals>."
    assert [frame.function for frame in site.traceback.frames] == [
        name + "outer",
        name + "inner",
    ]
    assert site.traceback.total_nframe is None


# -- A real input.
def modules_of(*packages):
    """Return the source of each module of packages of the standard library."""
    texts = []
    todo = [files(name) for name in packages]
    while todo:
        place = todo.pop()
        if place.is_dir():
            todo.extend(place.iterdir())
        elif place.name.endswith(".py"):
            texts.append(place.read_text(encoding="utf-8"))
    return texts


def by_traceback(statistics):
    """Return what tracemalloc says as tuples: stack, bytes, blocks."""
    return [
        (
            tuple((frame.filename, frame.lineno) for frame in statistic.traceback),
            statistic.size_diff,
            statistic.count_diff,
        )
        for statistic in statistics
        if statistic.size_diff or statistic.count_diff
    ]


@pytest.mark.skipif(
    sys.platform == "emscripten", reason="differed once there, beside much other work"
)
@pytest.mark.parametrize(
    ("packages", "frames", "collect"),
    [
        (("json", "asyncio", "email", "xml"), 1, True),
        (("json",), 1, False),
        (("json",), 3, True),
    ],
)
def test_totals_are_those_of_tracemalloc(packages, frames, collect):
    """Parsing much of the standard library adds up as tracemalloc's own tools do."""
    texts = modules_of(*packages)
    trees = [None] * len(texts)
    places = list(range(len(texts)))
    levels = array("q", bytes(16))
    place = None
    ast.parse(texts[0])
    tracemalloc.start(frames)
    tracemalloc.get_traced_memory()
    ours.forget_names()  # which the block does too, at its entry
    before = tracemalloc.take_snapshot()
    # Who survived takes most of the time, and is compared elsewhere.
    is_small = len(texts) < 10
    options = {"survivors": is_small, "cycles": is_small}
    with track("x", frames=frames, collect=collect, **options) as block:
        levels[0] = tracemalloc.get_traced_memory()[0]  # first
        for place in places:
            trees[place] = ast.parse(texts[place])
        if collect:
            gc.collect()
        levels[1] = tracemalloc.get_traced_memory()[0]  # last
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    report = block.report
    first, last = line_of(__file__, "first"), line_of(__file__, "last")
    inside = [
        row
        for row in by_traceback(after.compare_to(before, "traceback"))
        if is_of_the_program(row[0][-1], first, last)
    ]
    found = [
        (
            tuple((frame.filename, frame.lineno) for frame in site.traceback.frames),
            site.size_diff,
            site.count_diff,
        )
        for site in report.sites
    ]

    # Objects that wait on free lists for another life are traced too: the counter and
    # the traces agree where both ends emptied these.  What the last collection told to
    # the callbacks is on free lists again, and so is what they needed themselves.
    counted = levels[1] - levels[0]
    if collect:
        assert abs(counted - report.memory.size_diff) < NOTES
    if collect:
        assert sum(size for _, size, _ in inside) == report.memory.size_diff
        assert sum(count for _, _, count in inside) == report.memory.count_diff
        assert sorted(found) == sorted(inside)
        assert [abs(size) for _, size, _ in found] == [
            abs(size) for _, size, _ in inside
        ]
    else:  # what waits on a free list may go before the second snapshot
        spare = sum(size for _, size, _ in inside) - report.memory.size_diff
        assert abs(spare) <= 3000
        assert {place for place, _, _ in found} == {place for place, _, _ in inside}


def is_of_the_program(line, first, last):
    """Return whether a line is in the block: not refscope's nor tracemalloc's."""
    filename, lineno = line
    if filename == __file__:
        return first <= lineno <= last
    return "refscope" not in filename and not filename.endswith("tracemalloc.py")
