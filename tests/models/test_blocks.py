"""Nested and overlapping blocks against a model that adds up sizes."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
from array import array
from functools import partial

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refscope import track
from tests.track.helpers import quiet_collector


SLOTS = 4
EMPTY = sys.getsizeof(b"")


# -- Programs: steps on slots and blocks, written out as straight-line Python, since an
# -- interpreter of steps would allocate itself.
@attrs.frozen
class Put:
    """Fill a slot with new bytes; what was in it dies after the new is there."""

    slot: int
    size: int


@attrs.frozen
class Drop:
    """Empty a slot."""

    slot: int


@attrs.frozen
class Pass:
    """Make bytes and let them go at once."""

    size: int


@attrs.frozen
class Inside:
    """Run steps in a block of their own, whose handle is kept or dropped."""

    steps: tuple[object, ...]
    is_kept: bool


@attrs.frozen
class Begin:
    """Begin a block that may end anywhere; no nesting."""

    block: int


@attrs.frozen
class End:
    """End such a block."""

    block: int
    is_kept: bool


_slots = st.integers(0, SLOTS - 1)
_sizes = st.one_of(st.integers(2, 600), st.integers(2, 3_000_000))
_simple = st.one_of(
    st.builds(Put, _slots, _sizes), st.builds(Drop, _slots), st.builds(Pass, _sizes)
)


def _wrap(steps):
    return st.lists(st.one_of(steps, _simple), max_size=5).flatmap(
        lambda inner: st.builds(Inside, st.just(tuple(inner)), st.booleans())
    )


trees = st.lists(st.recursive(_simple, _wrap, max_leaves=12), max_size=6)


@st.composite
def overlaps(draw):
    """Draw simple steps with the beginnings and ends of blocks among them."""
    steps = [[step] for step in draw(st.lists(_simple, min_size=1, max_size=8))]
    for block in range(draw(st.integers(1, 4))):
        ends = sorted(
            draw(st.lists(st.integers(0, len(steps)), min_size=2, max_size=2))
        )
        steps.insert(ends[1], [End(block, draw(st.booleans()))])
        steps.insert(ends[0], [Begin(block)])
    return [step for part in steps for step in part]


class Model:
    """What the definition of a block says: levels above entry, of the whole process.

    What is allocated while no block is open is not traced, so freeing it is no change.
    """

    def __init__(self):
        self.level = 0
        self.slots = [0] * SLOTS
        self.open = {}
        self.found = {}

    def run(self, steps, names):
        """Go through the steps; blocks get the next name each."""
        for step in steps:
            if isinstance(step, Put):
                size = step.size + EMPTY if self.open else 0
                self._rise(size)
                self.level -= self.slots[step.slot]
                self.slots[step.slot] = size
            elif isinstance(step, Drop):
                self.level -= self.slots[step.slot]
                self.slots[step.slot] = 0
            elif isinstance(step, Pass):
                self._rise(step.size + EMPTY)
                self.level -= step.size + EMPTY
            elif isinstance(step, Inside):
                name = next(names)
                self.begin(name)
                self.run(step.steps, names)
                self.end(name)
            elif isinstance(step, Begin):
                self.begin(step.block)
            else:
                self.end(step.block)

    def _rise(self, size):
        self.level += size
        for entry in self.open.values():
            entry[1] = max(entry[1], self.level)

    def begin(self, name):
        """Note the level at entry, which is the first top too."""
        self.open[name] = [self.level, self.level]

    def end(self, name):
        """Note growth and peak above the level at entry."""
        start, top = self.open.pop(name)
        self.found[name] = (self.level - start, top - start)
        if not self.open:
            self.slots = [0] * len(self.slots)


class Writer:
    """Writes steps as the source of a function."""

    def __init__(self):
        self.lines = ["def program(trackers, ONE):", *self._slots("None")]
        self.blocks = 0

    @staticmethod
    def _slots(value):
        return [f"    s{slot} = {value}" for slot in range(SLOTS)]

    def write(self, steps, indent=1):
        """Add lines for the steps; ``ONE * n`` makes bytes and nothing beside them."""
        pad = "    " * indent
        for step in steps:
            if isinstance(step, Put):
                self.lines.append(f"{pad}s{step.slot} = ONE * {step.size}")
            elif isinstance(step, Drop):
                self.lines.append(f"{pad}s{step.slot} = None")
            elif isinstance(step, Pass):
                self.lines.append(f"{pad}ONE * {step.size}")
            elif isinstance(step, Inside):
                name = self.blocks
                self.blocks += 1
                self.lines.append(f"{pad}with t{name} as b{name}:")
                self.write([*step.steps, None], indent + 1)
                if not step.is_kept:
                    self.lines.append(f"{pad}b{name} = None")
            elif isinstance(step, Begin):
                self.blocks = max(self.blocks, step.block + 1)
                self.lines.append(f"{pad}b{step.block} = t{step.block}.start()")
            elif isinstance(step, End):
                self.lines.append(f"{pad}b{step.block}.stop()")
                if not step.is_kept:
                    self.lines.append(f"{pad}b{step.block} = None")
            else:
                self.lines.append(f"{pad}pass")

    def function(self):
        """Return the compiled function; trackers and handles are its variables."""
        names = [f"    t{n} = trackers[{n}]; b{n} = None" for n in range(self.blocks)]
        lines = [self.lines[0], *names, *self.lines[1:], *self._slots("None")]
        space = {}
        exec(compile("\n".join(lines), "<program>", "exec"), space)  # noqa: S102  # ours
        return space["program"]


def _note(into, report):
    """Copy the numbers of a report, which may die, without allocating."""
    memory = report.memory
    into[0] = memory.size_diff
    into[1] = memory.peak


@contextlib.contextmanager
def little_to_look_at():
    """Freeze what drawing has made, which each end of each block would go through."""
    gc.collect()
    gc.freeze()
    with quiet_collector():
        yield


def run(steps, *, collect):
    """Run the steps and return what each block's report said, by the block's name."""
    writer = Writer()
    writer.write(steps)
    program = writer.function()
    noted = [array("q", [0, 0]) for _ in range(writer.blocks)]
    trackers = [
        track(
            f"block {number}",
            collect=collect,
            types=False,
            on_report=partial(_note, into),
        )
        for number, into in enumerate(noted)
    ]
    with little_to_look_at():
        program(trackers, b"1")
        for into in noted:
            into[:] = array("q", [0, 0])
        program(trackers, b"1")
    return {number: tuple(into) for number, into in enumerate(noted)}


@pytest.mark.exact
@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("collect", [False, True])
@settings(max_examples=8)
@given(trees)
def test_nested_blocks_are_what_the_model_says(collect, steps):
    """Sizes and peaks are exact in any tree of blocks, handles kept or dropped."""
    steps = [Inside(tuple(steps), is_kept=True)]
    model = Model()
    model.run(steps, iter(range(1000)))

    assert run(steps, collect=collect) == model.found


@pytest.mark.exact
@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("collect", [False, True])
@settings(max_examples=8)
@given(overlaps())
def test_overlapping_blocks_are_what_the_model_says(collect, steps):
    """Sizes and peaks are exact for blocks that begin and end in any order."""
    model = Model()
    model.run(steps, None)

    assert run(steps, collect=collect) == model.found


# -- In threads that take turns.
@st.composite
def threaded(draw):
    """Draw overlapping blocks, and for each step the thread that takes it."""
    steps = draw(overlaps())
    owners = {}
    turns = []
    for step in steps:
        thread = draw(st.integers(0, 1))
        if isinstance(step, Begin):
            owners[step.block] = thread
        elif isinstance(step, End):
            thread = owners[step.block]
        turns.append(thread)
    return steps, turns


def write_turns(steps, turns):
    """Return one function for each thread, which hands over where the turn changes."""
    writers = [Writer(), Writer()]
    for place, (step, thread) in enumerate(zip(steps, turns, strict=True)):
        writer = writers[thread]
        before = turns[place - 1] if place else 0
        if before != thread:
            writers[before].lines.append(f"    go{thread}(); wait{before}()")
        writer.write([step])
    writers[turns[-1]].lines.append(f"    go{1 - turns[-1]}()")
    count = max(writer.blocks for writer in writers)
    functions = []
    for number, writer in enumerate(writers):
        writer.blocks = count
        writer.lines.insert(1, "    go0, go1, wait0, wait1 = switches")
        if number == 1:
            first = next(n for n, x in enumerate(writer.lines) if "s3 = None" in x) + 1
            writer.lines.insert(first, "    wait1()")
        writer.lines[0] = "def program(trackers, ONE, switches):"
        functions.append(writer.function())
    return functions, count


@pytest.mark.exact
@pytest.mark.needs_threads
@pytest.mark.usefixtures("small_heap")
@settings(max_examples=6)
@given(threaded())
def test_blocks_in_two_threads_are_what_the_model_says(drawn):
    """Sizes and peaks are those of the whole process, whichever thread allocates."""
    steps, turns = drawn
    model = Model()
    slots = [
        attrs.evolve(step, slot=step.slot + SLOTS * turn)
        if hasattr(step, "slot")
        else step
        for step, turn in zip(steps, turns, strict=True)
    ]
    model.slots *= 2
    model.run(slots, None)
    functions, count = write_turns(steps, turns)
    noted = [array("q", [0, 0]) for _ in range(count)]
    trackers = [
        track("x", collect=False, types=False, on_report=partial(_note, into))
        for into in noted
    ]
    with little_to_look_at():
        for _ in range(2):
            locks = [threading.Lock(), threading.Lock()]
            for lock in locks:
                lock.acquire()
            switches = [lock.release for lock in locks] + [
                lock.acquire for lock in locks
            ]
            second = threading.Thread(
                target=functions[1], args=(trackers, b"1", switches)
            )
            second.start()
            functions[0](trackers, b"1", switches)
            second.join()

    assert {number: tuple(into) for number, into in enumerate(noted)} == model.found
