"""Names and expressions: where one is given, it leads to the object."""

from __future__ import annotations

import functools
import math
import sys
import types
from typing import NamedTuple

import pytest

import refscope
from refscope._measure.names import table
from refscope._measure.names.code import are_annotations
from refscope.render import to_text
from refscope.render._redact import redacted
from refscope.reports import (
    HeapObject,
    MemoryChange,
    Reference,
    ReferencePath,
    RetentionReport,
    SurvivorGroup,
    TrackReport,
)


class Item:
    """The subject."""


@pytest.fixture
def shop():
    """Return a module."""
    sys.modules["shop_of_tests"] = module = types.ModuleType("shop_of_tests")
    yield module
    del sys.modules["shop_of_tests"]


def _static_method(module, item):
    def with_item(function):
        def call():
            return function, item

        return call

    class Shop:
        """Has a function in a closure in a staticmethod."""

        @staticmethod
        @with_item
        def sell():
            pass

    module.Shop = Shop
    return ".__dict__['sell']"


def _class_method(module, item):
    class Shop:
        """Has attributes of a classmethod's function."""

        @classmethod
        def sell(cls):
            pass

    Shop.__dict__["sell"].__func__.item = item
    module.Shop = Shop
    return ".__dict__['sell']"


class Field:
    """Gives another object than itself."""

    def __init__(self, value):
        self.value = value

    def __get__(self, *_):
        return Field(None)


def _field(module, item):
    class Model:
        """Has a field that makes values."""

        field = Field(item)

    module.Model = Model
    return ".__dict__['field']"


def _property(module, item):
    class Model:
        """Computes what is in its namespace, too."""

        @property
        def value(self):
            raise AssertionError

    module.model = Model()
    module.model.__dict__["value"] = item
    return ".__dict__['value']"


def _read_only(module, item):
    class Field:
        """Is a data descriptor though it cannot be set."""

        def __get__(self, *_):
            raise AssertionError

        def __delete__(self, _):
            raise AssertionError

    class Model:
        """Has it."""

        value = Field()

    module.model = Model()
    module.model.__dict__["value"] = item
    return ".__dict__['value']"


def _metaclass(module, item):
    class Meta(type):
        """Computes what is in its classes, too."""

        @property
        def value(cls):
            raise AssertionError

    module.Model = Meta("Model", (), {"value": item})
    return ".__dict__['value']"


def _slots(module, item):
    class Base:
        """Has a slot."""

        __slots__ = ("value",)

    class Derived(Base):
        """Has another of the same name."""

        __slots__ = ("value",)

    module.model = Derived()
    Base.value.__set__(module.model, item)
    return f"<slot value of {__name__}._slots.<locals>.Base>"


def _infinity(module, item):
    module.numbers = {math.inf: item}
    return "[float('inf')]"


def _negative_infinity(module, item):
    module.numbers = {-math.inf: item}
    return "[float('-inf')]"


def _no_number(module, item):
    module.numbers = {math.nan: item}
    return "[...]"


def _complex(module, item):
    module.numbers = {complex(0, math.inf): item}
    return "[...]"


def _long_key(module, item):
    module.texts = {"k" * 100: item}
    return f"['{'k' * 55}'...]"


def _long_attribute(module, item):
    module.model = Item()
    setattr(module.model, "k" * 100, item)
    return f".__dict__['{'k' * 55}'...]"


def _fields(module, item):
    class Pair(tuple):
        """Is no named tuple."""

        __slots__ = ()
        _fields = ("one", "two")

    module.pair = Pair([0, item])
    return "[1]"


def _named(module, item):
    pair = types.new_class("Pair", (Pair,), exec_body=lambda space: space.update(two=3))
    module.pair = pair(0, item)
    return "[1]"


class Pair(NamedTuple):
    """Has two names."""

    one: object
    two: object


def _dictionary(module, item):
    class Table(dict):
        """Gives other objects."""

        def __getitem__(self, key):
            raise AssertionError

    module.table = Table(a=item)
    return "['a']"


def _list(module, item):
    class Row(list):
        """Gives other objects."""

        def __getitem__(self, key):
            raise AssertionError

    module.row = Row([item])
    return "[0]"


def _ligature(module, item):
    module.model = Item()
    vars(module.model)["\ufb01"] = item
    return ".__dict__['\ufb01']"


def _umlaut(module, item):
    module.model = Item()
    vars(module.model)["größe"] = item
    return ".größe"


def _attribute_like_a_parameter(module, item):
    def render(items):
        return items

    render.items = item
    module.render = render
    return ".items"


def _documented(module, item):
    module.Model = type("Model", (), {"__doc__": item})
    return ".__doc__"


def _of_module(module, item):
    module.__doc__ = item
    return ".__doc__"


def _wrapped(module, item):
    def function():
        return item

    module.Model = type("Model", (), {"call": functools.lru_cache(function)})
    return ".call"


@pytest.mark.parametrize(
    "build",
    [
        *(_static_method, _class_method, _field, _property, _read_only, _metaclass),
        *(_slots, _infinity, _negative_infinity, _no_number, _complex, _long_key),
        *(_long_attribute, _fields, _named, _dictionary, _list, _ligature, _umlaut),
        *(_attribute_like_a_parameter, _documented, _of_module, _wrapped),
    ],
)
def test_an_expression_leads_to_the_object(shop, build):
    """Or it has a key left out, or there is none; no code of the program runs."""
    item = Item()
    expected = build(shop, item)
    paths = refscope.why_alive(item).paths
    [path] = [path for path in paths if path.root == "module shop_of_tests"]

    assert expected in [step.name for step in path.references]
    if path.expression is None:
        assert build is _slots
    elif "[...]" not in path.expression:
        assert eval(path.expression) is item  # noqa: S307


def test_names_of_attributes_are_safe_in_other_reports(shop):
    """An attribute that was made a dictionary's is named by it where that is needed."""
    item = Item()
    expected = _property(shop, item)
    found = table.names_of(shop.model, item, materialise=True)
    found += table.names_of(shop.model.__dict__, item)

    assert expected in found or "['value']" in found
    assert ".value" not in found


def test_an_attribute_that_is_hidden_later():
    """It lies in the instance itself, until its name is asked for (3.11+)."""
    item = Item()
    model = type("Model", (), {})()
    model.value = item
    type(model).value = property(lambda _: None)
    found = table.names_of(model, item, materialise=True)

    assert found == ([".__dict__['value']"] if sys.version_info >= (3, 11) else [])


def test_annotations_are_told_from_attributes():
    """By the place in memory; where that cannot be read, by what is in them."""

    def wrapper(*args):
        return args

    wrapper.__annotations__ = annotations = {"item": Item}
    wrapper.args = Item()
    attributes = vars(wrapper)

    assert table.names_of(wrapper, attributes) == [".__dict__"]
    assert not are_annotations(wrapper, annotations, is_known=False)
    assert are_annotations(wrapper, attributes, is_known=False)
    assert are_annotations(wrapper, ("item", Item), is_known=False)
    if sys.version_info < (3, 14):
        assert table.names_of(wrapper, annotations) == [".__annotations__"]


def test_annotations_that_nobody_has_asked_for_are_no_dictionary():
    """They lie in a tuple up to 3.13, and no Python leads into it."""
    source = "def function(one: item): ..."
    space = {"item": Item()}
    exec(compile(source, "given", "exec", dont_inherit=True), space)  # noqa: S102
    function = space["function"]
    before = [name for name, _ in table.edges(function)]
    annotations = function.__annotations__
    is_kept_as_tuple = sys.version_info < (3, 14)

    assert ("<annotations>" in before) == is_kept_as_tuple
    assert ".__annotations__" not in before
    assert table.names_of(function, annotations) == [".__annotations__"]


def test_pictures_and_tables_take_expressions_apart():
    """Also where a key is cut in a name, and left out of the expression."""
    thing = HeapObject(type_name="shop.Item", address=1, size=56)
    steps = [".a", "[3]", f"['{'k' * 55}'...]"]
    path = ReferencePath(
        root="module shop",
        references=tuple(
            [Reference(holder=thing, target=thing, name=name) for name in steps]
        ),
        expression="sys.modules['shop'].a[3][...]",
        fingerprint="0a1b2c3d",
    )
    report = RetentionReport(subject=thing, paths=(path,))
    hidden = redacted(report).paths[0].expression
    group = SurvivorGroup(type_name="shop.Item", count=2, size=112, held_by=path)
    change = MemoryChange(size_diff=112, count_diff=2)
    track = TrackReport(
        measured=("survivors",), survivors=(group,), memory=change, label="x"
    )

    assert hidden == "sys.modules['shop'].a[...][...]"
    assert "in sys.modules['shop'].a[3] " in to_text(track)
