"""Who holds a survivor, found close to the roots or in the whole heap."""

from __future__ import annotations

import collections
import gc
import random
import signal
import sys
import types
from itertools import repeat

import pytest

import refscope
from refscope._measure.algorithms.paths import Search
from refscope._measure.retention import nearby


class Item:
    """What survives."""


class Cart:
    """A holder."""


@pytest.fixture
def shop():
    """Return a module that can hold something."""
    module = types.ModuleType("shop_of_tests")
    sys.modules["shop_of_tests"] = module
    yield module
    del sys.modules["shop_of_tests"]


@pytest.fixture
def looks(monkeypatch):
    """Return a list that grows with each look at the heap for who holds an item.

    The heap counts as large.  Other survivors are of those who watch, as coverage.
    """
    monkeypatch.setattr(nearby, "_MANY", 0)
    found = []
    real = gc.get_referrers

    def look(*objects):
        if any(map(isinstance, objects, repeat(Item))):
            found.append(len(objects))
        return real(*objects)

    monkeypatch.setattr(gc, "get_referrers", look)
    return found


def _survivors(work):
    """Return the groups of items that a call left, each with the names on its path."""
    with refscope.track(sites=False, types=False) as block:
        work()
    return [
        (group.held_by.root, [step.name for step in group.held_by.references])
        for group in block.report.survivors
        if group.type_name.endswith(".Item")
    ]


def test_what_a_local_list_holds_needs_no_look(looks):
    """The list is a value of a running function, and nobody else holds the item."""
    kept = []

    [(root, names)] = _survivors(lambda: kept.append(Item()))

    assert root == "thread MainThread"
    assert names[0].startswith("<local kept in ")
    assert names[1:] == ["[0]"]
    assert not looks


def test_what_a_list_of_a_module_holds_needs_no_look(shop, looks):
    """A second group of the same block does not ask the modules again."""
    shop.items, shop.deque = [], collections.deque()
    found = _survivors(lambda: shop.items.append(Item()))

    assert found == [("module shop_of_tests", [".items", "[0]"])]
    assert not looks

    def two_places():
        shop.items.append(Item())
        shop.deque.append(Item())

    with refscope.track() as block:
        two_places()

    assert not looks
    paths = [g.held_by for g in block.report.survivors if g.type_name.endswith(".Item")]
    assert {path.references[0].name for path in paths} == {".items", ".deque"}


def test_what_a_module_holds_itself(shop, looks):
    """The module comes before a local variable that holds the same."""

    def work():
        shop.item = Item()
        return shop.item

    [(root, names)] = _survivors(work)
    assert (root, names) == ("module shop_of_tests", [".item"])

    def hold():
        local = shop.items = []
        found = _survivors(lambda: local.append(Item()))
        assert local
        return found

    assert hold() == [("module shop_of_tests", [".items", "[0]"])]
    assert not looks


@pytest.mark.skipif(sys.platform == "emscripten", reason="there are no signals")
def test_a_handler_of_a_signal_hides_no_variable(looks):
    """It is a root as well, without variables."""
    kept = []
    before = signal.signal(signal.SIGTERM, lambda *_: kept)
    try:
        found = _survivors(lambda: kept.append(Item()))
    finally:
        signal.signal(signal.SIGTERM, before)

    assert [names[-1] for _, names in found] == ["[0]"]
    assert not looks


def test_what_is_further_away_is_searched_for_in_the_heap(shop, looks):
    """In a list of an instance of a dictionary of a module."""
    shop.carts = {"first": Cart()}
    shop.carts["first"].by_id = {"a": []}

    found = _survivors(lambda: shop.carts["first"].by_id["a"].append(Item()))

    assert found == [
        ("module shop_of_tests", [".carts", "['first']", ".by_id", "['a']", "[0]"])
    ]
    assert looks


def test_a_holder_out_of_sight_leads_to_a_look(shop, looks):
    """A list further away holds it, too, so not all references are found close by."""
    shop.items = []
    shop.far = [[[]]]

    def work():
        shop.items.append(Item())
        shop.far[0][0].append(shop.items[0])

    assert _survivors(work) == [("module shop_of_tests", [".items", "[0]"])]
    assert looks


def test_very_large_containers_are_left_to_the_heap(shop, looks, monkeypatch):
    """Looking into one takes as long as a look at the heap."""
    monkeypatch.setattr(nearby, "_LARGEST", 3)
    shop.items = [None] * 3
    found = _survivors(lambda: shop.items.append(Item()))

    assert found == [("module shop_of_tests", [".items", "[3]"])]
    assert looks


def test_the_namespace_of_an_imported_module_survives(shop):
    """A path from a module to its own namespace is no step."""

    def work():
        module = types.ModuleType("second_shop_of_tests")
        module.item = Item()
        sys.modules["second_shop_of_tests"] = module

    try:
        found = _survivors(work)
    finally:
        del sys.modules["second_shop_of_tests"]

    assert found == [("module second_shop_of_tests", [".item"])]


def test_a_small_heap_is_looked_at_at_once(shop, looks, monkeypatch):
    """That is quicker, and safer beside other threads."""
    monkeypatch.setattr(nearby, "_MANY", sys.maxsize)
    shop.items = []
    found = _survivors(lambda: shop.items.append(Item()))

    assert found == [("module shop_of_tests", [".items", "[0]"])]
    assert looks


@pytest.mark.usefixtures("looks")
def test_many_young_holders_hide_no_old_one(shop):
    """All who hold it are known; those close to a root are followed first."""
    shop.trees = []
    shop.index = {"by": {"name": {}}}

    def work():
        root = Item()
        shop.trees.append(root)
        for number in range(20):
            cart = shop.index["by"]["name"][number] = Cart()
            cart.parent = root

    assert _survivors(work) == [("module shop_of_tests", [".trees", "[0]"])]


@pytest.mark.usefixtures("looks")
def test_a_namespace_is_one_with_its_instance(shop):
    """A local variable that holds the namespace is no nearer than the module."""
    shop.cart = Cart()
    attributes = vars(shop.cart)
    attributes["item"] = None
    found = _survivors(lambda: attributes.update(item=[Item()]))

    assert found == [("module shop_of_tests", [".cart", ".item", "[0]"])]


def test_a_generator_may_borrow(shop, looks):
    """What it has twice, in a variable and on its stack, may be borrowed (3.14)."""
    shop.box, shop.deep = [[]], [[[]]]

    def generate(item):
        shop.take(item, (yield))

    shop.take = len

    def work():
        item = Item()
        shop.box[0].append(item)
        generator = generate(item)
        next(generator)
        shop.deep[0][0].append(generator)

    assert _survivors(work) == [("module shop_of_tests", [".box", "[0]", "[0]"])]
    assert looks


class _Hostile(type):
    """Compares to nothing."""

    def __eq__(cls, other):
        raise AssertionError(cls)

    def __hash__(cls):
        raise AssertionError(cls)


def test_classes_of_holders_are_not_compared(shop, looks):
    """A holder of two references may be of any class."""
    holder = _Hostile("Holder", (), {"__slots__": ("one", "two")})
    shop.holder = holder()

    def work():
        shop.holder.one = shop.holder.two = Item()

    [(root, names)] = _survivors(work)
    assert root == "module shop_of_tests"
    assert names in ([".holder", ".one"], [".holder", ".two"])
    assert not looks


@pytest.mark.usefixtures("looks")
def test_what_is_searched_for_is_in_no_size(shop):
    """Nothing of the search holds what dies with a survivor."""

    def work():
        cart = Cart()
        cart.items = [Item() for _ in range(1000)]
        shop.cart = cart

    with refscope.track(sites=False, types=False) as block:
        work()
    sizes = {
        group.type_name.rpartition(".")[2]: group.retained_size
        for group in block.report.survivors
    }

    assert sizes["Item"] == 1000 * sys.getsizeof(Item())
    assert sizes["list"] >= sizes["Item"]
    assert sizes["Cart"] > sizes["list"]


@pytest.mark.parametrize("seed", range(40))
def test_the_nearest_root_is_as_near_as_of_all(seed):
    """Against the whole search, where roots have namespaces that cost nothing."""
    numbers = random.Random(seed)  # noqa: S311
    size, roots = 12, {20: 10, 21: 11}
    edges = {(numbers.randrange(size), numbers.randrange(1, 10)) for _ in range(24)}
    edges.add((22, numbers.randrange(1, 10)))
    target = numbers.randrange(1, 10)

    def modules(level):
        return [(root, at, True) for root, at in roots.items() if at in level]

    def expand(level):
        return [
            *modules(level),
            *[(a, b, False) for a, b in sorted(edges) if b in level],
        ]

    is_root = {*roots, 22}.__contains__
    whole, nearest = Search(target, 16), Search(target, 16)
    assert whole.run(expand, is_root, lambda _: True)
    assert nearest.run(expand, is_root, lambda _: True, modules)

    def near(search):
        found = [
            (search.distance(root, bit), root)
            for bit, some in search.roots.items()
            for root in some
        ]
        least = min(found, default=(None,))[0]
        return {root for distance, root in found if distance == least}, least

    assert near(nearest) == near(whole)
