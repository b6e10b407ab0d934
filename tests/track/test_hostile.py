"""Objects of the program are counted, and never touched."""

from __future__ import annotations

import collections
import enum
import gc
import sys
import types
import weakref
from typing import NoReturn, Protocol

import pytest
from typing_extensions import Protocol as OtherProtocol

from refscope import track
from refscope._measure.cpython import classes
from refscope._measure.heap import census

from .helpers import count_of


class TouchedError(Exception):
    """Program code was run."""


def _touch(*_, **__) -> NoReturn:
    touches.append(1)
    raise TouchedError


touches = []
SPECIAL = [
    "__repr__", "__str__", "__eq__", "__ne__", "__lt__", "__hash__", "__len__",
    "__bool__", "__iter__", "__contains__", "__getattribute__", "__sizeof__",
    "__dir__", "__format__", "__reduce__", "__reduce_ex__", "__index__", "__bytes__",
    "__fspath__", "__instancecheck__", "__getitem__", "__call__",
]  # fmt: skip


def _class_of(special):
    """Return a class whose objects raise where they are touched in this way."""
    if special == "__class__":
        return type("Hostile", (), {"__class__": property(_touch)})
    if special == "__slots__":
        return type("Hostile", (), {"__slots__": ("a",)})
    return type("Hostile", (), {special: _touch})


def _make(kind, count):
    return [object.__new__(kind) for _ in range(count)]


@pytest.fixture(autouse=True)
def not_touched():
    """No test may run a line of the hostile classes."""
    touches.clear()
    yield
    assert touches == []


@pytest.mark.apart
def test_hostile_objects_are_counted():
    """Whatever an object does when it is touched, it is one more of its type."""
    kinds = [_class_of(special) for special in [*SPECIAL, "__class__", "__slots__"]]
    kinds.append(type("Hostile", (), {**dict.fromkeys(SPECIAL, _touch)}))
    for number, kind in enumerate(kinds):
        kind.__module__ = f"h{number}"
    with track("x", frames=3) as block:
        kept = [_make(kind, number + 1) for number, kind in enumerate(kinds)]
        block.peek()

    counts = [
        count_of(block.report, f"h{number}.Hostile") for number in range(len(kinds))
    ]
    assert counts == [len(things) for things in kept]


# -- Metaclasses.
META = [
    "__getattribute__", "__getattr__", "__repr__", "__call__", "__instancecheck__",
    "__subclasscheck__", "__len__", "__bool__", "__iter__", "__sizeof__", "__dir__",
    "__or__",
]  # fmt: skip


@pytest.fixture(params=[("__hash__",), ("__eq__", "__ne__"), META])
def hostile_kind(request):
    """A class whose metaclass raises when the class is touched in some ways."""
    space = dict.fromkeys(request.param, _touch)
    if "__eq__" in space:
        space["__hash__"] = type.__hash__
    meta = type("Meta", (type,), space)
    kind = type.__new__(meta, "Hostile", (), {"__module__": "h"})
    yield kind
    for special in request.param:
        type.__delattr__(meta, special)


def test_classes_of_hostile_metaclasses_are_counted(hostile_kind):
    """Neither hash, comparison nor attributes of a class are asked for."""
    with track("x") as block:
        kept = _make(hostile_kind, 5)

    assert count_of(block.report, "h.Hostile") == len(kept)


def test_classes_of_what_our_objects_hold_are_not_compared(hostile_kind):
    """A tracker holds the program's hook; a collection in a block looks at both."""
    hook = object.__new__(hostile_kind)
    type.__setattr__(hostile_kind, "__call__", lambda *_: None)
    outer = track("outer")
    with outer as block:
        with track("x", on_report=hook, sites=False):
            kept = [[]]
            gc.collect()
        gc.collect()

    assert count_of(block.report, "list") == 2 * len(kept)


def test_a_class_that_is_made_in_the_block_is_counted():
    """The class itself is one more object, of its metaclass."""
    with track("x") as block:
        kept = type.__new__(type("Meta", (type,), {}), "Kind", (), {})

    assert count_of(block.report, f"{__name__}.Meta") == 1
    assert kept is not None


def test_a_class_without_module_is_named():
    """A class that deleted its __module__, or has a strange one, is still named."""
    bare = eval("type('Bare', (), {})", {})  # noqa: S307  # a module without name
    strange = type("Strange", (), {"__module__": 5})
    with track("x") as block:
        kept = [*_make(bare, 2), *_make(strange, 3)]

    names = {change.type_name: change.count_diff for change in block.report.types}
    assert names["Strange"] == 3
    assert names["Bare"] == 2
    assert len(kept) == 5


def test_a_name_that_is_a_subclass_of_str_is_not_run():
    """A class whose name is a str with methods of its own is named by its text."""

    class Name(str):
        """A name that must not be asked anything."""

        __slots__ = ()
        __hash__ = str.__hash__
        __format__ = __str__ = __repr__ = __add__ = __eq__ = _touch

    kind = type("Plain", (), {"__module__": "h"})
    kind.__qualname__ = Name("Odd")
    with track("x") as block:
        kept = _make(kind, 4)

    assert count_of(block.report, "h.Odd") == len(kept)


def test_protocols_and_enums_are_no_reason_for_care():
    """Metaclasses of the standard library are not hostile, so the fast way is taken."""

    class Shape(Protocol):
        """One of typing."""

    class Other(OtherProtocol):
        """One of typing_extensions."""

    class Colour(enum.Enum):
        """An enum."""

        RED = 1

    kept = (Shape, Other, Colour)
    gc.collect()
    gc.collect()
    with track("x") as block:
        pass

    assert block.report.types == ()
    assert len(kept) == 3


# -- Proxies.
def test_dead_proxies_are_not_followed():
    """A weakref proxy whose object is gone is one more proxy."""

    class Thing:
        """What is proxied."""

    things = [Thing() for _ in range(5)]
    with track("x") as block:
        kept = [weakref.proxy(thing) for thing in things]
        things.clear()

    assert count_of(block.report, "weakref.ProxyType") == len(kept)
    assert count_of(block.report, f"{Thing.__module__}.{Thing.__qualname__}") == -5


def test_callable_proxies_are_not_called():
    """So is one of something callable."""

    class Thing:
        """What is proxied."""

        __call__ = _touch

    thing = Thing()
    with track("x") as block:
        kept = [weakref.proxy(thing, _touch_not) for _ in range(5)]

    assert count_of(block.report, "weakref.CallableProxyType") == len(kept)


def _touch_not(_):
    """Be a callback that may run: the proxies die before the thing."""


def test_lazy_proxies_are_not_woken():
    """An object that loads itself at the first touch stays asleep."""

    class Lazy:
        """Records every touch, and pretends to be something else."""

        def __getattribute__(self, name):
            touches.append(name)
            return object.__getattribute__(self, name)

        @property
        def __class__(self):
            touches.append("class")
            return dict

    with track("x") as block:
        kept = [Lazy() for _ in range(9)]
        block.peek()

    assert count_of(block.report, f"{__name__}.{Lazy.__qualname__}") == len(kept)


def test_a_lazy_module_is_not_loaded():
    """A module of a class with its own attribute access is left alone."""
    import sys
    from types import ModuleType

    class LazyModule(ModuleType):
        """A module that must not be read."""

        __getattribute__ = _touch

    sys.modules["lazy_for_a_test"] = LazyModule("lazy_for_a_test")
    try:
        with track("x", collect=False) as block:
            kept = bytes(100_000)
    finally:
        del sys.modules["lazy_for_a_test"]

    assert block.report.sites
    assert len(kept) == 100_000


def test_finalizers_run_once_and_are_the_programs():
    """What a collection of ours frees is finalized as by any other."""
    seen = []

    class Thing:
        """Notes its end."""

        def __del__(self):
            seen.append(1)

    with track("x", types=False) as block:
        thing = Thing()
        thing.me = thing
        del thing

    assert seen == [1]
    assert block.report.memory.count_diff is not None


def test_a_raising_finalizer_is_not_ours(monkeypatch):
    """An error in a finalizer goes where those go, and the block ends well."""
    import sys

    unraisable = []
    monkeypatch.setattr(
        sys, "unraisablehook", lambda args: unraisable.append(args.exc_type)
    )

    class Thing:
        """Raises at its end."""

        def __del__(self):
            raise TouchedError

    with track("x", types=False) as block:
        thing = Thing()
        thing.me = thing
        del thing

    assert unraisable == [TouchedError]
    assert block.report.exception is None


def test_a_finalizer_that_tracks_does_not_wait_for_us():
    """A finalizer that opens a block of its own in our collection gets its report."""
    reports = []

    class Thing:
        """Tracks at its end."""

        def __del__(self):
            with track("inner", types=False, collect=False) as inner:
                pass
            reports.append(inner.report)

    with track("x", types=False) as block:
        thing = Thing()
        thing.me = thing
        del thing

    assert [report.label for report in reports] == ["inner"]
    assert block.report.label == "x"


def test_weak_containers_are_not_searched():
    """Weak dictionaries with dead entries are passed by."""
    table = weakref.WeakValueDictionary()
    with track("x") as block:
        for key in range(10):
            table[key] = collections.UserList()

    assert count_of(block.report, "collections.UserList") == 0


def test_the_census_without_hashing_is_the_same():
    """Counting by identity finds what counting by type does."""
    before = census.take()
    meta = type("Meta", (type,), {"__hash__": _touch, "__eq__": _touch})
    kind = type.__new__(meta, "Hostile", (), {"__module__": "h"})
    kept = _make(kind, 3)
    after = census.take()
    meta.__hash__ = type.__hash__
    meta.__eq__ = type.__eq__

    assert after["h.Hostile"][0] == len(kept)
    assert set(before) <= set(after)


def test_a_metaclass_is_not_trusted_for_its_place(monkeypatch):
    """Only that of ``typing_extensions`` itself is known to do no harm."""

    class Meta(type):
        """Has a hash of its own."""

        __hash__ = type.__hash__

        def __eq__(cls, other):
            return cls is other

    forged = types.ModuleType("typing_extensions")
    forged.Protocol = Meta("Protocol", (), {})
    monkeypatch.setitem(sys.modules, "typing_extensions", forged)

    assert not classes.metaclasses_are_plain()

    forged.Protocol = None
    del Meta
    gc.collect()
