"""find_leaks where all that grows is names: keys of dictionaries, and of attributes."""

from __future__ import annotations

import itertools
import sys
import types
import weakref

import pytest

import refscope
from refscope._measure.leaks.rounds import Ledger
from refscope.render import to_text


pytestmark = pytest.mark.usefixtures("small_heap")


class Counter(dict):
    """A dictionary of a class."""

    def keys(self):
        """Say nothing."""
        raise AssertionError

    __iter__ = keys


def find(f):
    """Return the first leak in three rounds."""
    return refscope.find_leaks(f, rounds=3).leaks[0]


@pytest.mark.parametrize("kind", [dict, Counter])
def test_texts_as_keys_are_held_by_their_dictionary(kind):
    """The collector shows its values only, and those are no objects more."""
    counts, numbers = kind(), itertools.count()

    def count():
        counts[f"key {next(numbers)}"] = True

    leak = find(count)
    steps = leak.held_by.references

    assert (leak.kind, leak.type_name, leak.verdict) == ("memory", "str", "held")
    assert (leak.per_call, leak.grows_at) == (1.0, len(steps) - 2)
    assert steps[-1].holder.type_name.rpartition(".")[2] == kind.__name__
    assert steps[-1].name.startswith("{'key ")


@pytest.mark.parametrize("is_key", [True, False])
def test_a_dictionary_that_only_c_holds(is_key):
    """It is where the path begins."""
    ctypes = pytest.importorskip("ctypes")
    texts, numbers = {0: []}, itertools.count(1)  # tracked, as it holds a list
    address = id(texts)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(texts))
    del texts

    def keep():
        number = next(numbers)
        texts = ctypes.cast(address, ctypes.py_object).value
        texts[f"key {number}" if is_key else number] = 1 if is_key else f"text {number}"

    leak = find(keep)
    ctypes.pythonapi.Py_DecRef(ctypes.cast(address, ctypes.py_object))

    assert (leak.type_name, leak.held_by.root) == ("str", "held by C only")
    assert leak.held_by.references[-1].holder.type_name == "dict"


def test_a_search_for_keys_that_is_cut_short():
    """The texts are known, and not who holds them."""
    counts, numbers = {}, itertools.count()

    def count():
        counts[f"key {next(numbers)}"] = True

    report = refscope.find_leaks(count, rounds=3, max_objects=1)

    assert (report.leaks[0].type_name, report.leaks[0].held_by) == ("str", None)
    assert not report.complete


def test_attributes_of_a_class_are_keys_too():
    """The names that a class gets are in its dictionary."""
    numbers = itertools.count()

    class Registry:
        pass

    leak = find(lambda: setattr(Registry, f"name_{next(numbers)}", 1))

    assert (leak.type_name, leak.verdict) == ("str", "held")
    assert leak.held_by.references[-1].holder.type_name == "dict"
    assert [step.name for step in leak.held_by.references][-2] == ".__dict__"


def test_names_that_nobody_shows_are_not_told_as_leaked_in_c():
    """The names of a few attributes are in what the class shares with its objects."""
    numbers = itertools.count()

    class Registry:
        pass

    registry = Registry()  # whose names are new: on 3.12 they live for ever
    report = refscope.find_leaks(
        lambda: setattr(registry, f"new_{next(numbers)}", 1), rounds=3
    )
    leak = report.leaks[0]

    assert leak.kind == "memory"
    assert leak.held_by is None or leak.held_by.root != "held by C only"
    assert "leaked in C" not in to_text(report)


# -- Names that change with each call, and values that are leaks of their own.
def _attributes_of(thing, first):
    numbers = itertools.count(first)
    return lambda: setattr(thing, f"name_{next(numbers)}", [1])


def test_attributes_with_numbers_have_one_fingerprint():
    """It does not tell which of them was looked at; the names are not told twice."""

    class Registry:
        pass

    things = Registry, types.ModuleType("registry")
    found = [
        refscope.find_leaks(_attributes_of(thing, first), rounds=2).leaks
        for first in (0, 10_000)
        for thing in things
    ]

    assert [[leak.type_name for leak in leaks] for leaks in found] == [["list"]] * 4
    by_class, by_module, *again = [leaks[0].fingerprint for leaks in found]
    assert again == [by_class, by_module]


def test_modules_that_leak_come_first():
    """What is in them is held by the module, which nothing on that path makes grow."""
    numbers = itertools.count()

    def load():
        module = types.ModuleType(f"{__name__}_{next(numbers)}")
        module.things = [1]
        sys.modules[module.__name__] = module

    module, things = refscope.find_leaks(load, rounds=3).leaks
    for name in [name for name in sys.modules if name.startswith(f"{__name__}_")]:
        del sys.modules[name]

    assert (module.type_name, things.type_name) == ("module", "list")
    assert things.grows_at is None


def test_the_list_of_subclasses_is_no_leak_of_its_own():
    """Each class that leaks is known to its base by a weak reference."""
    kept = []
    report = refscope.find_leaks(lambda: kept.append(type("Made", (), {})), rounds=3)

    assert report.leaks[0].type_name == "type"
    assert "weakref.ReferenceType" not in {leak.type_name for leak in report.leaks}


@pytest.mark.parametrize("is_class", [True, False])
def test_other_weak_references_are_a_leak(is_class):
    """To a class that does not leak, and to objects that are no classes."""
    kept, things = [], []

    class Item:
        pass

    def keep():
        things.append(Item())
        thing = Item if is_class else things[-1]
        kept.append(weakref.ref(thing, kept.index))

    names = {leak.type_name for leak in refscope.find_leaks(keep, rounds=3).leaks}

    assert "weakref.ReferenceType" in names


def test_a_chain_grows_at_its_head():
    """The newest link is younger than the others, and in nobody's place."""

    class Link:
        def __init__(self, following):
            self.following = following

    class Chain:
        head = None

    leak = find(lambda: setattr(Chain, "head", Link(Chain.head)))

    assert leak.held_by.references[leak.grows_at + 1].name == ".head"


@pytest.mark.parametrize("look", [1, 2])
def test_a_block_that_comes_by_chance_hides_no_leak(look, monkeypatch):
    """In one of the looks without a call, which show what is refscope's own."""
    blocks_in, looks, names, numbers = Ledger._blocks_in, [], {}, itertools.count()

    def with_more(self, step):
        blocks = yield from blocks_in(self, step)
        looks.append(step)
        return blocks + 2 * (len(looks) == look)

    monkeypatch.setattr(Ledger, "_blocks_in", with_more)
    leak = find(lambda: names.setdefault(f"name {next(numbers)}"))

    assert (leak.type_name, leak.per_call) == ("str", 1.0)
    assert looks[:3] == [0, 0, 1]
