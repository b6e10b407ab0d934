"""Nothing of refscope's own is in any report."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import tracemalloc
import weakref

import pytest

from refscope import TrackingError, track
from refscope._measure.blocks import lifecycle
from refscope.render import to_json
from refscope.reports import TrackReport

from . import kinds
from .helpers import run_python
from .kinds import KINDS, SILENT, UNTRACED, numbers


pytestmark = pytest.mark.exact


@pytest.fixture(params=[None, 5])
def tracing(request):
    """The program traces itself already, or does not."""
    if request.param is not None:
        if IS_SLOW:
            pytest.skip("a block takes ten times as long then")
        if sys.version_info >= (3, 11):  # before, frames of calls are on free lists
            request.getfixturevalue("small_heap")
        tracemalloc.start(request.param)
    yield request.param
    assert tracemalloc.is_tracing() == (request.param is not None)
    tracemalloc.stop()


IS_SLOW = sys.platform == "emscripten"
# Where there are processes, all are tried in a small one.
FEW = (kinds.plain, kinds.decorated, kinds.asynchronous_generator)
SOME = KINDS if IS_SLOW else FEW


@contextlib.contextmanager
def automatic_collections(*, off):
    """Hypothesis has a callback in them, which allocates, and is the program's."""
    if off:
        gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("collect", [True, False])
@pytest.mark.parametrize("kind", SOME)
def test_an_empty_block_is_silent(kind, collect, tracing):
    """Every kind of block, with the program's own tracing on and off, is all zeros."""
    with automatic_collections(off=not collect):
        reports = kind(collect=collect)

    assert [numbers(report) for report in reports] == [SILENT] * len(reports)


@pytest.mark.parametrize("collect", [True, False])
def test_an_empty_block_is_silent_beside_deep_tracing(collect):
    """However deep the program traces, one frame is asked for and reported."""
    tracemalloc.start(3)
    with automatic_collections(off=not collect):
        reports = [*kinds.plain(collect=collect), *kinds.plain(collect=collect)]
    tracemalloc.stop()

    assert [numbers(report) for report in reports] == [SILENT] * 2


@pytest.mark.needs_subprocess
@pytest.mark.parametrize(
    ("collect", "frames"), [("collect", 0), ("leave", 0), ("collect", 5), ("leave", 1)]
)
def test_a_thousand_blocks_are_silent(collect, frames):
    """The first block of a process is as empty as the thousandth, of every kind."""
    said = subprocess.run(
        [sys.executable, kinds.__file__, collect, str(frames)],
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )

    assert said.stderr == ""
    assert said.stdout == ""


@pytest.mark.parametrize("collect", [True, False])
@pytest.mark.parametrize("kind", SOME)
def test_without_sites_types_stay_silent(kind, collect):
    """Without tracing no bytes are reported, and no types are seen."""
    reports = kind(collect=collect, sites=False)

    assert [numbers(report) for report in reports] == [UNTRACED] * len(reports)


@pytest.mark.skipif(not sys.getallocatedblocks(), reason="there is no pymalloc")
@pytest.mark.parametrize("sites", [True, False])
def test_the_block_before_is_not_freed_in_this_one(sites):
    """In a loop ``as`` drops it in the time of the next."""
    found = []
    with automatic_collections(off=True):
        for _ in range(20):
            with track("x", sites=sites) as block:
                pass
            found.append(block.report.memory.blocks_diff)

    assert found[5:] == [0] * 15


def test_a_block_lets_go_of_the_one_before():
    """Also if the program dropped that while this one was open."""
    with track("first") as first:
        pass
    reference = weakref.ref(first)
    with track("second") as second:
        del first
    is_dead = reference() is None

    assert is_dead
    assert second.report.memory.count_diff == 0


def test_a_block_that_cannot_begin_lets_go_of_the_one_before(monkeypatch):
    """Whoever keeps the error has the block, and not the other as well."""

    def refuse(*_args, **_kwargs):
        raise TrackingError("not here")

    with track("first") as first:
        pass
    reference = weakref.ref(first)
    monkeypatch.setattr(lifecycle, "enter", refuse)
    with pytest.raises(TrackingError, match="not here") as kept:
        track("second").start()
    del first

    assert reference() is None
    assert kept.tb


@pytest.mark.needs_threads
@pytest.mark.parametrize("sites", [True, False])
def test_an_empty_block_is_silent_beside_a_thread(sites):
    """In a large heap too; all kinds are tried in a small one."""
    with kinds.another_thread():
        reports = kinds.plain(sites=sites)

    assert [numbers(report) for report in reports] == [SILENT if sites else UNTRACED]


@pytest.mark.parametrize("kind", [kinds.plain, kinds.nested, kinds.unnamed])
def test_an_empty_block_has_no_limits(kind):
    """Nothing is left to be explained, and the block was alone."""
    reports = kind()

    assert [report.limits for report in reports] == [()] * len(reports)
    assert not any(report.memory.shared for report in reports)


FIRST = """
import refscope
with refscope.track("first", collect={collect}) as block:
    pass
with refscope.track("second", collect={collect}) as second:
    pass
for report in (block.report, second.report):
    memory = report.memory
    print(memory.size_diff, memory.count_diff, memory.peak, report.sites, report.types)
"""


@pytest.mark.needs_subprocess
@pytest.mark.parametrize("options", [(), ("-X", "tracemalloc=3")])
@pytest.mark.parametrize("collect", [True, False])
def test_the_first_block_of_a_process_is_silent(collect, options):
    """Nothing is warmed up by the program, which may trace before the import."""
    said = run_python(FIRST.format(collect=collect), *options)

    assert said.stdout == "0 0 0 () ()\n" * 2


@pytest.mark.parametrize("collect", [True, False])
def test_what_a_tracker_keeps_is_silent(collect):
    """Its reports, a look at them and its end are none of an open block's."""
    kept = None
    tracker = track("x", collect=collect, types=False, keep=3, survivors=False)
    with automatic_collections(off=not collect), track("x", collect=collect) as outer:
        tracker.start().stop()
        tracker.start().stop()
        tracker.start().stop()
        kept = tracker.reports
        tracker.start().stop()
        kept = tracker.reports
        tracker = None

    assert numbers(outer.report) == SILENT
    assert len(kept) == 3
    assert tracker is None


def test_a_look_at_what_a_tracker_finished_last_is_silent():
    """Looking for the report takes memory only for a moment, and that is ours."""
    tracker = track("x", collect=False, types=False, survivors=False)
    tracker.start().stop()
    with automatic_collections(off=True), track("x", collect=False) as outer:
        found = tracker.report

    assert numbers(outer.report) == SILENT
    assert found is tracker.report


FIRST_WATCH = """
import refscope
held = [[1]]
with refscope.track("x") as block:
    with refscope.watch(held):
        pass
report = block.report
print(report.types, report.survivors)
print([str(site) for site in report.sites if "abc" in str(site)])
"""


@pytest.mark.needs_subprocess
def test_the_first_watch_in_a_block_is_silent():
    """It asks no abstract class, whose caches would stay."""
    said = run_python(FIRST_WATCH)

    assert said.stdout == "() ()\n[]\n"


ASKED = """
import gc, sys, refscope
class Thing: pass
class Gone: pass
thing = Thing()
things = [thing, [thing]]
place = refscope.hex_address(thing)
def call(): pass
def watched():
    with refscope.watch(thing) as watch:
        pass
    return watch.report
def ask():
    return {verb}
def blocks():
    for _ in range(3):
        with refscope.track("x") as block:
            answer = ask()
            del answer
        yield block.report
        with refscope.track("x") as block:
            answer = ask()
        yield block.report
gc.disable()
first, second, *reports = blocks()
for report in reports:
    memory = report.memory
    assert (memory.size_diff, memory.count_diff) == (0, 0), memory
    assert memory.peak < 4096, memory
    assert (report.sites, report.types, report.survivors) == ((), (), ()), report
    assert sum(report.gc.collections) == {collections}, report.gc
"""


@pytest.mark.needs_subprocess
@pytest.mark.parametrize(
    ("verb", "collections"),
    [
        ("refscope.refcount(thing)", 0),
        ("refscope.referrers(thing)", 0),
        ("watched()", 0),
        ("refscope.object_at(place)", 0),
        ("refscope.why_alive(thing)", 0),
        ("refscope.find_cycles()", 0),
        ("refscope.find_cycles(through=[thing])", 0),
        ("refscope.find_cycles(from_call=call)", 0),
        ("refscope.find_cycles(collect=True)", 1),
        ("refscope.find_leaks(call, warmup=1, rounds=2)", 0),
        ("refscope.expect_gone(Gone(), 'it is over').check()", 0),
        ("refscope.expect_gone(thing, 'it is over').check()", 1),
    ],
)
def test_what_is_asked_in_a_block_is_not_the_programs(verb, collections):
    """The search, the report and what was needed for it are in no number of a block."""
    said = run_python(ASKED.format(verb=verb, collections=collections))

    assert (said.stdout, said.stderr) == ("", "")


FIRST_RENDERED = """
import sys, refscope
from refscope import render
with refscope.track("before") as block:
    kept = [[1]]
report, text, path = block.report, {text!r}, {path!r}
with refscope.track("x") as block:
    {verb}
report = block.report
# Up to 3.10 the first call of a function leaves a frame behind.
frames = 8000 if sys.version_info < (3, 11) else 0
if report.types or report.survivors or report.memory.size_diff > frames:
    print(refscope.render.to_text(report, full=True))
"""


@pytest.mark.needs_subprocess
@pytest.mark.parametrize(
    "verb",
    [
        "str(report)",
        "render.to_text(report, full=True, redact=True)",
        "render.to_json(report)",
        "render.to_json(report, redact=True, indent=1)",
        "render.from_json(text)",
        "render.schema()",
        "render.to_dot(report.cycles)",
        "render.to_mermaid(report.cycles)",
        "refscope.save(report, path)",
        "refscope.load(path)",
        "refscope.diff(report, report)",
        "refscope.merge([report, report])",
    ],
)
def test_the_first_use_of_a_report_in_a_block_is_silent(verb, tmp_path):
    """What is loaded when it is needed was loaded before the block."""
    path = tmp_path / "report.json"
    text = to_json(TrackReport(label="x"))
    path.write_text(text)
    said = run_python(FIRST_RENDERED.format(verb=verb, text=text, path=str(path)))

    assert (said.stdout, said.stderr) == ("", "")


BEFORE_FIRST = """
import gc, sys
import refscope
assert "json" not in sys.modules
gc.collect()
gc.disable()
refscope.track()
assert "json" in sys.modules
print(gc.collect())
"""


@pytest.mark.needs_subprocess
def test_what_is_loaded_before_the_first_block_leaves_no_garbage():
    """It would seem the program's, if the program collects it inside."""
    said = run_python(BEFORE_FIRST)

    assert (said.stdout, said.stderr) == ("0\n", "")
