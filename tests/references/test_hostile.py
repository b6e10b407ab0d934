"""Objects that do not want to be looked at: none of their code runs."""

from __future__ import annotations

import gc
import sys
from types import GenericAlias, ModuleType
from typing import TypeVar

import pytest

from refscope import hex_address, object_at, refcount, referrers, watch
from refscope._measure.names.describe import describe
from refscope._measure.names.table import edges, names_of


class TouchedError(BaseException):
    """Raised by everything that must not run."""


def _touch(*_, **__):
    raise TouchedError


_MEMBERS = dict.fromkeys(
    (
        "__getattribute__",
        "__getattr__",
        "__setattr__",
        "__eq__",
        "__ne__",
        "__hash__",
        "__repr__",
        "__str__",
        "__len__",
        "__bool__",
        "__iter__",
        "__contains__",
        "__getitem__",
        "__sizeof__",
        "__dir__",
        "__reduce_ex__",
        "__format__",
        "__index__",
        "__instancecheck__",
        "keys",
        "items",
        "values",
        "copy",
    ),
    _touch,
)
_LYING = {**_MEMBERS, "__class__": property(_touch), "__dict__": property(_touch)}
_META = dict.fromkeys(
    ("__eq__", "__hash__", "__repr__", "__getattribute__", "__len__"),
    _touch,
)


def _class_of(base, members=_MEMBERS):
    return type(f"Hostile{base.__name__}", (base,), dict(members))


def _with_metaclass():
    meta = type("Meta", (type,), dict(_META))
    return type.__new__(meta, "Hostile", (), {"__module__": "h", **_MEMBERS})


def _make(kind):
    """Return an instance, made and filled past its class."""
    if issubclass(kind, BaseException):
        return kind("x")
    return kind.__new__(kind)


_KINDS = {
    "object": lambda: _make(_class_of(object)),
    "lying": lambda: _make(_class_of(object, _LYING)),
    "dict": lambda: _make(_class_of(dict)),
    "list": lambda: _make(_class_of(list)),
    "tuple": lambda: _make(_class_of(tuple)),
    "set": lambda: _make(_class_of(set)),
    "str": lambda: _make(_class_of(str)),
    "int": lambda: _make(_class_of(int)),
    "exception": lambda: _make(_class_of(ValueError)),
    "module": lambda: _class_of(ModuleType)("hostile"),
}


@pytest.mark.parametrize("name", _KINDS)
def test_an_object_that_must_not_be_touched(name):
    """It is counted, found, described and watched without any of its code."""
    thing = _KINDS[name]()
    holder = [thing]
    count = refcount(thing).count
    report = referrers(thing)
    found = object_at(hex_address(thing))
    with watch(thing) as watched:
        again = (thing,)

    assert count == 2
    assert [one.name for one in report.references][0] == "[0]"  # noqa: RUF015
    assert report.unaccounted == 0
    assert found is thing
    assert watched.report.diff == 1
    del found, again, holder


@pytest.mark.parametrize("name", _KINDS)
def test_a_holder_that_must_not_be_touched(name):
    """What it holds is named past its class."""
    holder = _KINDS[name]()
    target = [1]
    try:
        object.__setattr__(holder, "found", target)
    except (AttributeError, TypeError):
        ModuleType.__setattr__(holder, "found", target)
    report = referrers(target)

    assert [one.name for one in report.references][0] == ".found"  # noqa: RUF015
    assert report.references[0].holder.address == id(holder)
    assert report.unaccounted == 0
    assert describe(holder).size > 0


def test_containers_that_must_not_be_touched():
    """Their contents are read by the methods of the built-in type."""
    target = [1]
    kinds = {base: _class_of(base) for base in (dict, list, set, tuple)}
    of_list = _make(kinds[list])
    list.append(of_list, target)
    of_dict = _make(kinds[dict])
    dict.__setitem__(of_dict, "key", target)
    of_tuple = tuple.__new__(kinds[tuple], [target])
    report = referrers(target)

    names = {one.holder.address: one.name for one in report.references}
    assert names[id(of_list)] == names[id(of_tuple)] == "[0]"
    assert names[id(of_dict)] == "['key']"
    assert report.unaccounted == 0


def test_keys_that_must_not_be_touched():
    """A hostile key is not shown, hashed or compared."""
    key = object.__new__(type("Key", (), {"__repr__": _touch, "__str__": _touch}))
    target = [1]
    holder = {key: target}
    report = referrers(target)

    assert report.references[0].name == "[...]"
    assert referrers(key).references[0].name == "{...}"
    assert holder


def test_a_class_that_must_not_be_touched():
    """A metaclass with a hash and comparison of its own is not asked."""
    kind = _with_metaclass()
    thing = object.__new__(kind)
    holder = [thing, kind]
    report = referrers(thing)
    of_class = referrers(kind)

    assert report.refcount.type_name == "h.Hostile"
    assert report.unaccounted == 0
    assert "[1]" in [one.name for one in of_class.references]
    assert refcount(kind).count > 1
    del holder


_TYPE_VARIABLES = """if True:
    def variables(touch):
        def function[T: touch(), *V, **P](value: T): ...
        type Alias[S: (touch(), touch())] = touch()
        return [*function.__type_params__, *Alias.__type_params__, Alias]
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there is no such syntax")
def test_type_variables_are_not_evaluated():
    """Their bounds and defaults are code of the program, which runs when asked for."""
    namespace = {}
    exec(_TYPE_VARIABLES, namespace)  # noqa: S102  # no syntax of 3.10
    found = [edges(thing) for thing in namespace["variables"](_touch)]

    assert "<bound, default or attribute>" in [name for name, _ in found[0]]
    assert "<function of the value>" in [name for name, _ in found[-1]]


def test_type_variables_that_have_no_code():
    """What was given to one when it was made is its attribute, on every version."""
    kind = type("Kind", (), {})
    bound = TypeVar("bound", bound=kind)
    constrained = TypeVar("constrained", int, kind)
    found = [name for name, thing in edges(constrained) if type(thing) is tuple]

    assert names_of(bound, kind) == [".__bound__"]
    assert found == [".__constraints__"]


def test_parts_that_are_made_when_they_are_asked_for():
    """The parameters of an alias ask its arguments, a descriptor asks its class."""
    thing = _make(_class_of(object))
    alias = GenericAlias(list, (thing,))
    meta = type("Meta", (type,), dict(_META))
    kind = type.__new__(meta, "Hostile", (), {"__module__": "h", "__slots__": ("a",)})
    slot = type.__getattribute__(kind, "__dict__")["a"]

    assert sorted(str(name) for name, _ in edges(alias)) == [".__args__", ".__origin__"]
    assert [name for name, _ in edges(slot)] == [".__objclass__"]


def test_an_attribute_that_would_be_computed():
    """Properties and descriptors of a class are not called to find a name."""

    class Computes:
        """Has attributes that must not be looked at."""

        computed = property(_touch)

        class Descriptor:
            """Has no value of its own."""

            __get__ = _touch

        looked_up = Descriptor()

        def __init__(self, value):
            """Name all that could be tried."""
            if value is None:
                _ = self.computed, self.looked_up
            self.found = value

    target = [1]
    holder = Computes(target)
    report = referrers(target)

    assert report.references[0].name == ".found"
    assert holder is not None


@pytest.mark.apart
def test_all_objects_of_this_process():
    """Whatever pytest and its plugins have: naming their references harms nothing."""
    objects = gc.get_objects()
    for thing in objects[::7]:
        if thing is not objects:
            edges(thing)
            describe(thing)

    assert sys.exc_info() == (None, None, None)
