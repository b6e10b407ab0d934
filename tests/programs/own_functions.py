"""Each public function of refscope, in its forms, as work that leaves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import tempfile
import threading
from pathlib import Path

import refscope
from refscope import render
from refscope.reports import Verdict


class Item:
    """Something that can be held weakly."""


class Ring:
    """Half of a cycle."""

    def __init__(self):
        self.other = [self]


HELD = {"by": [Item()]}


# -- track
def track_a_block(stack):
    def work():
        with refscope.track("x", tags={"a": "b"}) as block:
            block.peek()
            list(range(10))
        return block.report.headline

    return work


def track_by_hand(stack):
    return lambda: refscope.track("x", frames=5, keep=3).start().stop()


def track_survivors(stack):
    def work():
        with refscope.track("x", survivors=True) as block:
            kept = [Item()]
        return block.report.survivors, kept

    return work


def track_without_tracing(stack):
    def work():
        with refscope.track("x", sites=False, collect=False, types=False):
            pass

    return work


def track_nested(stack):
    def work():
        with refscope.track("x"), refscope.track("y", frames=3) as inner:
            pass
        return inner.report

    return work


def track_what_fails(stack):
    def work():
        # Up to 3.10 the frame is left; its holders take a walk over what is frozen.
        with contextlib.suppress(ZeroDivisionError), refscope.track(survivors=False):
            1 / 0

    return work


def track_functions_made_anew(stack):
    def work():
        @refscope.track
        def function():
            return 1

        @refscope.track("x", keep=2, every=2, on_report=str, survivors=False)
        def generator():
            yield 1

        function()
        return refscope.tracker_of(function).reports, [*generator(), *generator()]

    return work


def track_a_function(stack):
    class Shop:
        @refscope.track(collect=False)
        def method(self):
            return [1]

    shop = Shop()

    def work():
        shop.method()
        return refscope.tracker_of(Shop.method).reports

    return work


async def track_coroutines(stack):
    # What one call after the other leaves is not looked for: it takes long.
    plain = {"collect": False, "survivors": False, "cycles": False}

    @refscope.track(**plain)
    async def coroutine():
        await asyncio.sleep(0)

    @refscope.track(**plain)
    async def items():
        yield 1

    async def work():
        async with refscope.track("x", **plain):
            await coroutine()
        return [item async for item in items()]

    return work


# -- References.
def refcount(stack):
    def work():
        thing = Item()
        return refscope.refcount(thing), refscope.refcount(None, ignore=1)

    return work


def referrers(stack):
    return lambda: str(refscope.referrers(HELD["by"][0]))


def referrers_within_bounds(stack):
    return lambda: refscope.referrers(HELD["by"][0], max_objects=500, deadline=5)


def referrers_of_an_instance(stack):
    ring = Ring()
    return lambda: refscope.referrers(ring.other)


def watch(stack):
    def work():
        thing = Item()
        with refscope.watch(thing) as watched:
            kept = [thing]
            kept.clear()
        return str(watched.report)

    return work


def watch_what_dies(stack):
    def work():
        thing = Item()
        with refscope.watch(thing) as watched:
            del thing
        return watched.report.died

    return work


def addresses(stack):
    def work():
        thing = Item()
        assert refscope.object_at(refscope.hex_address(thing)) is thing
        with contextlib.suppress(refscope.AddressError):
            refscope.object_at(8)

    return work


# -- Cycles.  Those that are found live: garbage would be said to leak, and does.
def find_cycles(stack):
    return lambda: str(refscope.find_cycles())


def find_cycles_and_collect(stack):
    return lambda: refscope.find_cycles(collect=True).freed


def find_cycles_from_call(stack):
    return lambda: refscope.find_cycles(from_call=Item).count


def find_cycles_through(stack):
    ring = Ring()
    return lambda: refscope.find_cycles(through=[ring]).count


def find_live_cycles(stack):
    return lambda: refscope.find_cycles(live=True, max_objects=2_000).count


# -- Leaks.
def find_leaks(stack):
    return lambda: refscope.find_leaks(Item, rounds=2)


def find_leaks_that_are_there(stack):
    def work():
        items = []
        report = refscope.find_leaks(lambda: items.append(Item()), rounds=2)
        assert report.is_leaking
        return report

    return work


async def find_leaks_async(stack):
    async def wait():
        await asyncio.sleep(0)

    async def work():
        return await refscope.find_leaks_async(wait, rounds=2)

    return work


def why_alive(stack):
    gc.unfreeze()  # holders that are frozen take a walk over all of them
    return lambda: str(refscope.why_alive(HELD["by"][0]))


def expect_gone(stack):
    def work():
        thing = Item()
        expected = refscope.expect_gone(thing, "test")
        assert not expected.check().gone
        del thing
        return expected.check(within=0.001)

    return work


def expect_gone_and_drop(stack):
    def work():
        refscope.expect_gone(HELD["by"][0], "test")

    return work


async def expect_gone_async(stack):
    async def work():
        return await refscope.expect_gone(Item(), "test").check_async()

    return work


def inspectors(stack):
    gc.unfreeze()

    def work():
        remove = refscope.add_inspector(Item, lambda _: Verdict("yes", "test"))
        refscope.why_alive(HELD["by"][0])
        remove()

    return work


# -- Reports.
def reports():
    """Return one report of each kind that has something in it."""
    ring = Ring()
    with refscope.track("x") as block:
        kept = [Item() for _ in range(5)]
    thing = kept[0]
    with refscope.watch(thing) as watched:
        kept.append(thing)
    return [
        block.report,
        refscope.diff(block.report, refscope.TrackReport()),
        refscope.find_cycles(through=[ring]),
        refscope.find_leaks(lambda: kept.append(Item()), rounds=2),
        refscope.why_alive(thing),
        refscope.expect_gone(thing, "test").check(),
        refscope.refcount(thing),
        refscope.referrers(thing),
        watched.report,
    ]


def texts(stack):
    made = reports()

    def work():
        for report in made:
            render.to_text(report)
            render.to_text(report, full=True, redact=True)
            assert render.from_json(render.to_json(report)) == report
            render.to_json(report, redact=True)

    return work


def pictures(stack):
    made = reports()[2:6]

    def work():
        for report in made:
            render.to_dot(report)
            render.to_mermaid(report, redact=True)

    return work


def schema(stack):
    return render.schema


def files(stack):
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    cycles = reports()[2]

    def work():
        for suffix in ("json", "txt", "dot", "mmd"):
            refscope.save(cycles, folder / f"report.{suffix}")
        assert refscope.load(folder / "report.json") == cycles
        (folder / "other.json").write_text("{}", encoding="utf-8")
        with contextlib.suppress(refscope.RefscopeError):
            refscope.load(folder / "other.json")

    return work


def sums(stack):
    one, *_ = reports()

    def work():
        both = refscope.merge([one, one])
        return refscope.diff(one, both), refscope.diff(one, both, by="fingerprint")

    return work


def track_in_threads(stack):
    def run():
        with refscope.track("x", collect=False):
            pass

    def work():
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    return work


WORKS = (
    track_a_block,
    track_by_hand,
    track_survivors,
    track_without_tracing,
    track_nested,
    track_what_fails,
    track_functions_made_anew,
    track_a_function,
    track_coroutines,
    refcount,
    referrers,
    referrers_within_bounds,
    referrers_of_an_instance,
    watch,
    watch_what_dies,
    find_cycles,
    find_cycles_and_collect,
    find_cycles_from_call,
    find_cycles_through,
    find_live_cycles,
    find_leaks,
    find_leaks_that_are_there,
    find_leaks_async,
    expect_gone,
    expect_gone_and_drop,
    expect_gone_async,
    texts,
    pictures,
    schema,
    files,
    sums,
    track_in_threads,
    addresses,
    why_alive,
    inspectors,
)
