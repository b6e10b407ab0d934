"""why_alive and expect_gone: shortest paths, verdicts, suspects."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import gc
import io
import logging
import random
import signal
import sys
import types
import weakref

import pytest

import refscope
from refscope._measure.algorithms.paths import Search
from refscope._measure.heap.roots import C_ONLY, HANDLED, SIGNALS
from refscope._measure.references.explain import MATERIALISED
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError
from refscope.render import from_json, to_dot, to_json, to_mermaid, to_text
from refscope.reports import Verdict


class Item:
    """The subject."""


class Cart:
    """A holder."""

    def __init__(self):
        self.by_id = {}


@pytest.fixture
def shop():
    """Return a module that holds one item by a cart."""
    module = types.ModuleType("shop_of_tests")
    sys.modules["shop_of_tests"] = module
    module.cart = Cart()
    module.cart.by_id["a17"] = Item()
    yield module
    del sys.modules["shop_of_tests"]


def _names(path):
    return [step.name for step in path.references]


def test_a_path_names_every_step(shop):
    """From the module to the object, with Python to paste."""
    report = refscope.why_alive(shop.cart.by_id["a17"])
    [path] = report.paths

    assert path.root == "module shop_of_tests"
    assert _names(path) == [".cart", ".by_id", "['a17']"]
    assert path.expression == "sys.modules['shop_of_tests'].cart.by_id['a17']"
    assert eval(path.expression) is shop.cart.by_id["a17"]  # noqa: S307
    assert report.subject.type_name.endswith(".Item")
    assert report.retained_size >= report.subject.size


def test_what_dies_with_it_ends_where_all_else_begins(shop):
    """A function leads to its module, and a class to its bases: they stay."""
    shop.others = [[] for _ in range(21_000)]
    shop.cart.work = types.FunctionType((lambda: 0).__code__, vars(shop), "work")
    shop.cart.kind = abc.ABCMeta("Kind", (), {"others": shop.others})
    shop.cart.mine = [bytes(1_000)]
    report = refscope.why_alive(shop.cart)
    [mine] = shop.cart.mine

    assert report.retained_size >= sys.getsizeof(mine) + sys.getsizeof(shop.cart.mine)
    assert report.retained_size < 3_000


def test_keys_that_are_texts_would_die_with_their_dictionary():
    """Those that something else has as well would not."""
    shared = "s" * 1000
    words = {f"word {number:0200}": None for number in range(10)}
    words[shared] = None
    retained = refscope.why_alive(words).retained_size
    alone = sys.getsizeof(words) + 10 * sys.getsizeof(f"word {1:0200}")

    assert retained == alone


def test_each_holder_has_one_path(shop):
    """A dictionary that has the object twice is one holder, a list is another."""
    item = shop.cart.by_id["again"] = shop.cart.by_id["a17"]
    shop.others = [item]
    del item
    report = refscope.why_alive(shop.others[0])

    assert [_names(path) for path in report.paths] == [
        [".others", "[0]"],
        [".cart", ".by_id", "['a17']"],
    ]


def test_a_local_variable_alone():
    """The headline says when only the caller's own variable is left."""
    item = Item()
    report = refscope.why_alive(item)

    assert "kept only by local item" in report.headline
    assert report.verdicts[0].leaking == "no"


def test_what_nothing_holds_is_said():
    """A temporary has no holder, and the text says so."""
    report = refscope.why_alive(Item())

    assert report.paths == ()
    assert "nothing that Python can see" in report.headline


def test_suspects_lie_between_the_living_and_the_dead(shop):
    """A closed file is done with: the steps to it are suspects."""
    shop.cart.by_id["file"] = io.StringIO()
    shop.cart.by_id["file"].close()
    report = refscope.why_alive(shop.cart.by_id["file"])

    assert [verdict.leaking for verdict in report.verdicts] == [
        "no",
        "unknown",
        "unknown",
        "yes",
    ]
    assert [step.name for step in report.suspects] == [".cart", ".by_id", "['file']"]
    assert not report.is_clean
    assert "~~~~~" in str(report)
    assert from_json(to_json(report)) == report
    assert to_dot(report).count("style=dashed") == 3
    assert "a17" not in to_mermaid(report, redact=True)


def test_inspectors_can_be_added(shop, caplog):
    """A user's verdict comes first; one that raises is dropped and logged."""
    remove = refscope.add_inspector(Cart, lambda _: Verdict("yes", "it is paid"))
    report = refscope.why_alive(shop.cart.by_id["a17"])
    remove()
    remove()

    assert [verdict.leaking for verdict in report.verdicts] == [
        "no",
        "yes",
        "yes",
        "yes",
    ]

    refscope.add_inspector(Cart, lambda _: 1 // 0)
    with caplog.at_level(logging.ERROR):
        refscope.why_alive(shop.cart.by_id["a17"])
        refscope.why_alive(shop.cart.by_id["a17"])

    assert caplog.text.count("it is dropped") == 1
    with pytest.raises(ArgumentTypeError):
        refscope.add_inspector(3, print)
    with pytest.raises(ArgumentTypeError):
        refscope.add_inspector(Cart, 3)


def test_an_expectation_is_met():
    """What goes with its last reference is told from what the collector frees."""
    item = Item()
    expected = refscope.expect_gone(item, "it is sold")
    del item

    assert expected.check().freed_by == "refcount"

    ring = Item()
    ring.self = ring
    expected = refscope.expect_gone(ring, "it is sold")
    del ring
    report = expected.check(within=0.01)

    assert (report.gone, report.freed_by) == (True, "gc")
    assert report.headline.startswith("GONE")
    assert report.is_clean
    assert gc.callbacks.count(None) == 0


def test_an_expectation_that_fails(shop):
    """The report has the paths, with the verdict of the expectation at the end."""
    address = id(shop.cart.by_id["a17"])
    expected = refscope.expect_gone(shop.cart.by_id["a17"], "it is sold")
    report = expected.check()

    assert not report.gone
    assert report.retention.verdicts[-1] == Verdict(
        "yes",
        "it is sold",
        type_name=report.type_name,
        address=address,
    )
    shop.cart.by_id.clear()
    assert expected.check().gone
    assert "HELD" in report.headline
    assert from_json(to_json(report)) == report
    assert "it is sold" not in to_text(report, redact=True)
    assert expected.reason == "it is sold"


def test_only_the_own_local_is_left():
    """The headline names the variable that keeps the object."""
    item = Item()
    report = refscope.expect_gone(item, "it is sold").check()

    assert "kept only by local item" in report.headline


def test_expectations_can_be_awaited():
    """Other tasks run while it waits."""

    async def main():
        item = Item()
        expected = refscope.expect_gone(item, "it is sold")
        asyncio.get_running_loop().call_later(0.01, holder.clear)
        holder.append(item)
        del item
        return await expected.check_async(within=5)

    holder = []

    assert asyncio.run(main()).gone


def test_what_cannot_be_expected():
    """The error says what cannot be held weakly, and what to do."""

    class Slotted:
        __slots__ = ()

    with pytest.raises(ArgumentTypeError, match="of type int cannot be held") as error:
        refscope.expect_gone(3, "no")
    assert "__slots__" not in str(error.value)
    with pytest.raises(ArgumentTypeError, match="'__weakref__' to the __slots__"):
        refscope.expect_gone(Slotted(), "no")
    with pytest.raises(InvalidArgumentError, match="not empty"):
        refscope.expect_gone(Item(), " ")
    with pytest.raises(ArgumentTypeError):
        refscope.expect_gone(Item(), None)
    expected = refscope.expect_gone(Item(), "x")
    with pytest.raises(InvalidArgumentError):
        expected.check(within=-1)
    with pytest.raises(ArgumentTypeError):
        expected.check(within="1")


def test_several_inspectors_can_be_taken_away_in_any_order(shop):
    """Each is removed alone; the one that was added last has the word."""
    verdicts = []
    removers = [
        refscope.add_inspector(Cart, lambda _, why=why: Verdict("yes", why))
        for why in ("first", "second")
    ]
    for remove in (lambda: None, *removers[::-1]):
        remove()
        verdicts.append(refscope.why_alive(shop.cart.by_id["a17"]).verdicts[1].reason)

    assert verdicts == ["second", "first", ""]


def test_what_is_expected_to_be_gone_is_known_everywhere(shop):
    """Each path that leads through it says so, as long as the expectation is kept."""
    expected = refscope.expect_gone(shop.cart, "the shop is closed")
    same = [refscope.expect_gone(shop.cart, "nobody buys") for _ in range(2)]
    charged = refscope.why_alive(shop.cart)
    below = refscope.why_alive(shop.cart.by_id["a17"])
    told = expected.check().retention
    same.clear()
    again = refscope.why_alive(shop.cart).verdicts[-1]
    del expected

    assert [one.leaking for one in charged.verdicts] == ["no", "yes"]
    assert charged.verdicts[-1].reason == "nobody buys"
    assert charged.suspects[0].name == ".cart"
    assert [one.leaking for one in below.verdicts] == ["no", "yes", "yes", "yes"]
    assert told.verdicts[-1].reason == again.reason == "the shop is closed"
    assert refscope.why_alive(shop.cart).verdicts[-1].leaking == "unknown"


def test_two_expectations_listen_together():
    """The hook for collections stays until the last of them has ended."""
    one, two = Item(), Item()
    one.self = one
    before = len(gc.callbacks)
    expected = [refscope.expect_gone(one, "sold"), refscope.expect_gone(two, "sold")]
    del two
    hooks = len(gc.callbacks) - before
    del one
    reports = [each.check() for each in expected]

    assert hooks == 1
    assert [report.freed_by for report in reports] == ["gc", "refcount"]
    assert len(gc.callbacks) == before


def test_holders_beyond_sixteen_are_counted():
    """A report has a bound, and says how many were left out."""
    item = Item()
    holders = [[item] for _ in range(20)]
    report = refscope.why_alive(item)

    assert len(holders) == 20
    assert 10 < len(report.paths) <= 16
    assert any("more holders were not followed" in limit for limit in report.limits)
    assert len(report.paths) + report.more_holders == 21  # the variable is one
    assert "21 holders, " in report.headline
    assert not report.complete


def test_a_value_of_a_parked_generator_is_a_local_of_it(shop):
    """Generator and frame are one step, also where the frame is an object."""

    def numbers():
        item = Item()
        yield item

    shop.generator = numbers()
    item = next(shop.generator)
    frame = shop.generator.gi_frame
    [path] = [
        path
        for path in refscope.why_alive(item).paths
        if path.root == "module shop_of_tests"
    ]

    assert frame is not None
    assert path.references[0].name == ".generator"
    assert path.references[-1].name.startswith("<local item in ")
    assert len(path.references) == 2


def test_an_error_that_a_parked_generator_handles_is_its_variable(shop):
    """It is on the stack as well, which says less."""
    item = Item()

    def handle():
        try:
            {}[item]
        except KeyError as error:
            yield error

    shop.parked = handle()
    next(shop.parked)
    paths = refscope.why_alive(item).paths
    names = [step.name for path in paths for step in path.references]

    assert any(name.startswith("<local error in ") for name in names)
    assert not any(name.startswith("<evaluation ") for name in names)


def test_globals_are_no_part_of_a_function(shop):
    """A function and its __dict__ are one, a function and its globals are two."""

    def sell():
        pass

    sell.item = Item()
    space = {"item": Item()}
    shop.sell, shop.made = sell, types.FunctionType(sell.__code__, space)
    del sell
    del space
    [attribute] = refscope.why_alive(shop.sell.item).paths
    [variable] = refscope.why_alive(shop.made.__globals__["item"]).paths

    assert _names(attribute) == [".sell", ".item"]
    assert _names(variable) == [".made", ".__globals__", "['item']"]


def test_what_is_no_module_in_sys_modules_is_passed_by(monkeypatch, shop):
    """Programs put anything there."""
    monkeypatch.setitem(sys.modules, "strange_thing", Cart())
    monkeypatch.setitem(sys.modules, "strange_nothing", None)
    [path] = refscope.why_alive(shop.cart.by_id["a17"]).paths

    assert path.root == "module shop_of_tests"


def test_bounds_cut_the_search_short(shop):
    """The report is incomplete then, and says why."""
    report = refscope.why_alive(shop.cart.by_id["a17"], max_objects=1)

    assert not report.complete
    assert any("max_objects=1" in limit for limit in report.limits)


def test_a_long_way_through_frozen_objects(shop):
    """They are in no list, so everything is looked at, and at last turned around."""
    shop.chain = item = Item()
    for _ in range(10):
        shop.chain = [shop.chain]
    gc.freeze()
    try:
        report = refscope.why_alive(item)
    finally:
        gc.unfreeze()
    [path] = [path for path in report.paths if path.root == "module shop_of_tests"]
    assert _names(path) == [".chain", *["[0]"] * 10]


def test_asking_keeps_nothing(shop):
    """The subject dies while its report lives."""
    item = Item()
    alive = weakref.ref(item)
    report = refscope.why_alive(item)
    del item

    assert alive() is None
    assert report.subject.address


def test_generators_and_threads_have_verdicts():
    """Finished generators, tasks and stopped threads are done with."""

    def numbers():
        yield

    finished = numbers()
    list(finished)
    running = numbers()
    next(running)
    module = types.ModuleType("dead")
    module.done, module.live = finished, running
    names = {}
    for thing in (finished, running, module, Item):
        names[type(thing)] = refscope.why_alive(thing).verdicts[-1].leaking

    assert names[types.ModuleType] == "no"
    assert names[type] == "no"


def test_what_was_made_to_find_a_name_is_in_the_limits(shop):
    """As referrers says it: reading a __dict__ makes it stay, from 3.11 on."""
    made = sys.version_info >= (3, 11)
    shop.model = model = Item()
    name = f"x{9**9}"  # no constant of any code
    setattr(model, name, [1])
    first = refscope.why_alive(getattr(model, name))
    again = refscope.why_alive(getattr(model, name))

    assert f".{name}" in [step.name for step in first.paths[0].references]
    assert [MATERIALISED in first.limits, MATERIALISED in again.limits] == [made, False]


def test_the_frame_of_a_generator_on_a_path_is_in_the_limits(shop):
    """It is made to read the names of its variables."""

    def numbers():
        item = Item()
        yield item

    shop.generator = numbers()
    item = next(shop.generator)
    first, again = refscope.why_alive(item), refscope.why_alive(item)

    assert (MATERIALISED in first.limits) is (sys.version_info >= (3, 11))
    assert again.limits == ()


def _shortest(edges, roots, target):
    """Return the least distance from a root, or None."""
    distance, level, seen = 0, set(roots), set(roots)
    while level:
        if target in level:
            return distance
        level = {b for a, b in edges if a in level} - seen
        seen |= level
        distance += 1
    return None


def test_a_holder_that_is_met_twice_is_one_holder():
    """A frame can be found as a root and among the referrers."""
    search = Search(1, 16)
    edges = [(2, 1, False), (2, 1, False), (3, 1, False)]
    search.run(lambda level: edges if 1 in level else [], {2, 3}.__contains__, bool)

    assert list(search.holders) == [2, 3]


@pytest.mark.parametrize("seed", range(60))
def test_paths_are_shortest(seed):
    """Against a naive search, each step a real one."""
    numbers = random.Random(seed)  # noqa: S311
    size = 12
    edges = {(numbers.randrange(size), numbers.randrange(1, size)) for _ in range(24)}
    roots = {size, size + 1}
    edges |= {(root, numbers.randrange(1, size)) for root in roots}
    target = numbers.randrange(1, size)
    search = Search(target, 16)

    def expand(level):
        return [(a, b, False) for a, b in sorted(edges) if b in level]

    assert search.run(expand, roots.__contains__, lambda _: True)

    lengths = []
    for bit, found in search.roots.items():
        for node in found:
            way = [node]
            while way[-1] != target:
                way.append(min(search.steps_after(way[-1], bit)))
                assert (way[-2], way[-1]) in edges
            lengths.append(len(way) - 1)
    assert min(lengths, default=None) == _shortest(edges, roots, target)


def test_a_package_is_shown_rather_than_what_is_in_one(shop, monkeypatch):
    """Many modules know an object of another by a name, as a logger."""
    inner = types.ModuleType("a.first_of_all")
    monkeypatch.setitem(sys.modules, "a.first_of_all", inner)
    inner.item = shop.item = item = [Item()]
    [path] = [
        path
        for path in refscope.why_alive(item[0]).paths
        if path.root.startswith("module ")
    ]

    assert path.root == "module shop_of_tests"


def _fail(item):
    held = [item]
    raise ValueError(len(held))


def test_an_exception_that_is_being_handled_is_a_root():
    """It keeps the variables of the functions that it has left."""
    item = Item()
    try:
        _fail(item)
    except ValueError:
        paths = refscope.why_alive(item).paths
    starts = [[step.name for step in path.references[:2]] for path in paths]

    assert not any(path.root == C_ONLY for path in paths)
    assert [HANDLED, ".__traceback__"] in starts


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no signals")
def test_the_handler_of_a_signal_is_a_root():
    """Only C has it, and the signal module tells.

    Where Ctrl-C is ignored, as in the background of a shell, there is no other.
    """

    def handler(*_):
        return item

    item = Item()
    before = signal.signal(signal.SIGTERM, handler)
    try:
        paths = refscope.why_alive(item).paths
    finally:
        signal.signal(signal.SIGTERM, before)
    starts = [path.references[0].name for path in paths if path.root == SIGNALS]

    assert starts == [f"<handler of signal {int(signal.SIGTERM)}>"]


def _leave_by_exception(way):
    if way == "call":
        tracked = refscope.track(_fail)
        with contextlib.suppress(ValueError):
            tracked(Item())
        return refscope.tracker_of(tracked).report
    tracker = refscope.track("block")
    with contextlib.suppress(ValueError), tracker:
        _fail(Item())
    return tracker.report


@pytest.mark.parametrize("way", ["block", "call"])
def test_what_leaves_a_block_holds_what_it_left(way):
    """The exception is no object that only C holds: somebody will handle it."""
    report = _leave_by_exception(way)
    paths = {
        group.type_name: group.held_by
        for group in report.survivors
        if group.held_by is not None
    }

    assert report.exception == "ValueError"
    assert not any(path.root == C_ONLY for path in paths.values())
    assert paths["ValueError"].references[-1].name == HANDLED
