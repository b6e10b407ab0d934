"""Which survivors come first: what a person would name, not what an import brings."""

from __future__ import annotations

import enum
import sys
import weakref

import pytest

import refscope


SHOP = """
import enum

CACHE = {}
AT_ONCE = [[] for _ in range(3)]

class Item:
    def __init__(self, number):
        self.tags = [number]

class Colour(enum.Enum):
    RED = 1

def load(number):
    CACHE[number] = Item(number)
"""


class Node:
    """Something to survive."""


class Owner:
    """Holds nodes in a list."""

    def __init__(self, number):
        self.nodes = [Node() for _ in range(number)]


@pytest.fixture(name="shop_name")
def write_shop(tmp_path, monkeypatch):
    """Write a module with a cache, and forget it afterwards."""
    (tmp_path / "shop_in_block.py").write_text(SHOP)
    monkeypatch.syspath_prepend(tmp_path)
    yield "shop_in_block"
    del sys.modules["shop_in_block"]


def _names(block):
    """Return the types of survivors, but for those of who watches, as coverage."""
    return [
        group.type_name.rpartition(".")[2]
        for group in block.report.survivors
        if not group.type_name.startswith("coverage.")
    ]


@pytest.mark.exact  # coverage notes the code of new modules
def test_what_a_call_adds_comes_before_what_an_import_brings(shop_name):
    """A module that was imported is no reason for what is put into it later."""
    with refscope.track("shop") as block:
        shop = __import__(shop_name)
        for number in range(10):
            shop.load(number)
    group = block.report.survivors[0]

    assert (group.type_name, group.count) == (f"{shop_name}.Item", 10)
    assert group.by_design is None
    assert group.held_by.expression.startswith(f"sys.modules['{shop_name}'].CACHE[")
    assert f"Suspect: 10 {shop_name}.Item in" in str(block.report)


def test_what_a_call_adds_to_a_module_is_not_by_design(shop_name):
    """Neither is it where others, such as coverage, keep something as well."""
    with refscope.track("shop") as block:
        shop = __import__(shop_name)
        for number in range(10):
            shop.load(number)
    [item] = [
        group
        for group in block.report.survivors
        if group.type_name == f"{shop_name}.Item"
    ]

    assert item.by_design is None
    assert item.held_by.root == f"module {shop_name}"


@pytest.mark.exact  # coverage notes the code of new modules
def test_what_an_import_brings_is_by_design(shop_name):
    """Modules, classes, members of these, and what the module's own lines made."""
    with refscope.track("shop") as block:
        shop = __import__(shop_name)
    reasons = {(group.type_name, group.by_design) for group in block.report.survivors}

    assert shop.CACHE == {}
    assert ("module", f"module {shop_name} was imported") in reasons
    assert ("type", f"class {shop_name}.Item was made") in reasons
    assert "Suspect" not in str(block.report)
    assert f"{shop_name}.Colour" not in {
        group.type_name for group in block.report.survivors[:1]
    }


def test_classes_made_again_and_again_are_not_by_design():
    """They come first, before what belongs to them: no definition is run so often."""
    models = []
    with refscope.track("models") as block:
        models.extend(type("Made", (), {"parts": {1: Node()}}) for _ in range(4))
    first = block.report.survivors[0]

    assert (first.type_name, first.count) == ("type", 4)
    assert {group.by_design for group in block.report.survivors} == {None}
    assert first.held_by.references[-1].target.type_name == "type"


def test_classes_with_names_of_their_own_are_by_design():
    """One line defines many, as a decorator or a metaclass does."""
    kept = []
    with refscope.track("classes") as block:
        kept.extend(type(name, (), {}) for name in ("Red", "Green", "Blue"))
    [group] = [each for each in block.report.survivors if each.type_name == "type"]

    assert group.by_design.endswith(" was made")


def test_classes_that_an_import_makes_again_are_by_design(shop_name):
    """Such as one of the same name for each class of the module."""
    kept = []
    with refscope.track("shop") as block:
        kept.append(__import__(shop_name))
        kept.extend(type("Config", (), {}) for _ in range(4))
    reasons = {
        group.by_design
        for group in block.report.survivors
        if (group.type_name, group.count) == ("type", 4)
    }

    assert None not in reasons
    assert len(reasons) == 1


def test_what_bases_know_classes_by_is_by_design():
    """Each class is in the list of its base, by a weak reference that C holds."""
    with refscope.track("class") as block:
        made = type("Made", (), {})
    references = [
        group
        for group in block.report.survivors
        if group.type_name == "weakref.ReferenceType"
    ]

    assert made.__name__ == "Made"
    assert [group.by_design.split()[-2:] for group in references] == [["was", "made"]]


@pytest.mark.parametrize("is_class", [True, False])
def test_other_weak_references_are_not(is_class):
    """With a callback, or to something else, they are the program's."""
    kept, node = [], Node()
    with refscope.track("references") as block:
        made = type("Made", (), {})
        kept.append(weakref.ref(made if is_class else node, print))
    reasons = {
        group.by_design
        for group in block.report.survivors
        if group.type_name == "weakref.ReferenceType"
    }

    assert None in reasons


def test_objects_come_before_the_list_that_they_are_in():
    """The list says where they are, and is no owner."""
    with refscope.track("list") as block:
        kept = [{"node": Node()} for _ in range(5)]

    assert len(kept) == 5
    assert _names(block)[:3] == ["Node", "list", "dict"]


def test_an_owner_comes_before_what_it_holds():
    """Also where there is a list between them, and whatever their number."""
    with refscope.track("owner") as block:
        owner = Owner(20)

    assert len(owner.nodes) == 20
    assert _names(block)[:2] == ["Owner", "Node"]


def test_rings_without_an_owner_come_first_too():
    """Each member has one that holds it, but none is held from outside of the ring."""
    with refscope.track("rings") as block:
        kept = [Node() for _ in range(4)]
        for node in kept:
            node.call_back = lambda node=node: node
            node.parts = [[], []]

    assert len(kept) == 4
    assert _names(block)[0] == "Node"


def test_members_of_a_class_come_after_a_leak():
    """The class keeps them, in containers of its own."""
    kept = []
    with refscope.track("members") as block:
        colour = enum.Enum("Colour", "RED GREEN BLUE")
        kept.append(Node())
    names = _names(block)

    assert len(colour) == 3
    assert names[0] == "Node"
    assert names.index("Colour") > names.index("Node")


def test_weak_references_come_after_what_they_lead_to():
    """There may be more of them, but they tell little."""
    kept, known = [], weakref.WeakSet()
    references = []
    with refscope.track("weak") as block:
        kept.append(Node())
        known.add(kept[0])
        references += [weakref.ref(kept[0], print) for _ in range(3)]

    assert _names(block)[0] == "Node"


def _fail(errors):
    node = Node()
    try:
        raise KeyError(id(node))  # noqa: TRY301
    except KeyError as error:
        errors.append(error)


def test_an_exception_comes_before_what_its_frames_hold():
    """It is what the program kept; all else is there by its traceback."""
    errors = []
    with refscope.track("errors") as block:
        for _ in range(3):
            _fail(errors)

    assert len(errors) == 3
    assert _names(block)[:2] == ["KeyError", "Node"]


RING = [type(name, (), {}) for name in ("Session", *map("Part{}".format, range(6)))]


def test_of_a_ring_what_is_held_from_outside_comes_first():
    """None of its objects owns the others, and the paths to all of them begin there."""
    kept = []
    with refscope.track("sessions") as block:
        for _ in range(4):
            ring = [kind() for kind in RING]
            for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
                one.next = other
            kept.append(ring[0])
        del ring, one, other
    first = block.report.survivors[0]

    assert _names(block)[:2] == ["Session", "Part0"]
    assert first.held_by.references[-1].target.type_name.endswith(".Session")
