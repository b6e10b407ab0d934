"""find_leaks where all that grows is names: keys of dictionaries, and of attributes."""

from __future__ import annotations

import itertools

import pytest

import refscope
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

    registry = Registry()
    report = refscope.find_leaks(
        lambda: setattr(registry, f"name_{next(numbers)}", 1), rounds=3
    )
    leak = report.leaks[0]

    assert leak.kind == "memory"
    assert leak.held_by is None or leak.held_by.root != "held by C only"
    assert "leaked in C" not in to_text(report)
