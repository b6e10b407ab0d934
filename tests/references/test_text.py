"""Counts and holders as text, made by hand."""

from __future__ import annotations

import attrs
import pytest

import refscope
from refscope import render
from refscope.render import to_json
from refscope.render._redact import redacted_name
from refscope.reports import (
    Frame,
    HeapObject,
    RefCount,
    RefCountChange,
    Reference,
    ReferrersReport,
    Traceback,
    Verdict,
)


COUNT = RefCount(
    count=3,
    sys_count=4,
    stored=3,
    immortal=False,
    exact=True,
    type_name="shop.Item",
    address=0x7FF3C002EA90,
)
TARGET = HeapObject(type_name="shop.Item", address=0x7FF3C002EA90, size=48)
MODULE = HeapObject(type_name="module", address=1, size=72, detail="shop")
FRAME = HeapObject(
    type_name="frame",
    address=2,
    size=400,
    detail="place_order at /home/ann/shop/orders.py:41",
)
ITEMS = HeapObject(type_name="list", address=16, size=88, detail="9 items")
CLASS = HeapObject(type_name="type", address=3, size=1000, detail="shop.Cart")
BARE = HeapObject(type_name="module", address=4, size=72)


def _held(holder, name, **changes):
    return Reference(holder=holder, target=TARGET, name=name, **changes)


def _report(*references, **changes):
    report = ReferrersReport(refcount=COUNT, references=references, unaccounted=0)
    return attrs.evolve(report, **changes)


def test_holders():
    """The verdict, each holder in Python or in words, and what is left over."""
    report = _report(
        _held(MODULE, ".cart"),
        _held(CLASS, ".last"),
        _held(ITEMS, "[0]"),
        _held(FRAME, "<local item in place_order>"),
        unaccounted=1,
    )

    assert render.to_text(report) == (
        "3 references to shop.Item at 0x7ff3c002ea90 "
        "(sys.getrefcount: 4, one is its argument)\n"
        "  1  sys.modules['shop'].cart\n"
        "  1  shop.Cart.last\n"
        "  1  list (9 items) at 0x10 [0]\n"
        "  1  local item in place_order, shop/orders.py:41\n"
        "  1  UNACCOUNTED: held from C; if it grows per call, "
        "a Py_DECREF is missing\n"
        "     (else it can be a call, an expression or a with block under way)\n"
        "Exact: yes. Limits: none"
    )


def test_many_of_one_holder():
    """References from one holder are one line with their number."""
    report = _report(*[_held(ITEMS, f"[{place}]") for place in range(2000)])
    lines = str(report).splitlines()

    assert lines[1] == "  2,000  list (9 items) at 0x10 [0], [1], [2], ... 1,997 more"


def test_many_holders():
    """The text has 25 lines at most, and says how many holders it left out."""
    holders = [attrs.evolve(ITEMS, address=place) for place in range(50)]
    holders = [
        attrs.evolve(one, type_name=f"list{one.address}", detail=None)
        for one in holders
    ]
    report = _report(*[_held(holder, "[0]") for holder in holders], unaccounted=1)
    lines = str(report).splitlines()

    assert len(lines) == 25
    assert "more holders" in lines[-2]
    assert len(render.to_text(report, full=True).splitlines()) == 54


def test_many_holders_of_one_shape():
    """They are one line if there are more than fit, and so are not where they do."""
    holders = [attrs.evolve(ITEMS, address=place) for place in range(60)]
    alike = [_held(holder, name) for holder in holders for name in ("[0]", "[1]")]
    apart = [_held(MODULE, ".cart"), _held(FRAME, "<local x in f>")]
    more = [_held(attrs.evolve(ITEMS, address=99), "[2]")]
    lines = str(_report(*alike, *more, *apart)).splitlines()

    assert lines[1:-1] == [
        "  120  60 x list [0], [1]",
        "  1    list (9 items) at 0x63 [2]",
        "  1    sys.modules['shop'].cart",
        "  1    local x in f, shop/orders.py:41",
    ]
    full = render.to_text(_report(*alike, *more, *apart), full=True)
    assert len(full.splitlines()) == 65
    assert " x list" not in str(_report(*alike[:8]))


@pytest.mark.parametrize(
    ("type_name", "detail", "name"),
    [
        ("type", "shop.Item", "type shop.Item at 0x3"),
        ("function", "Item.pay", "function Item.pay at 0x3"),
        ("list", "9 items", "shop.Item at 0x7ff3c002ea90"),
        ("frame", "f at /home/ann/a.py:4", "shop.Item at 0x7ff3c002ea90"),
    ],
)
def test_the_name_of_the_subject(type_name, detail, name):
    """What has a name is told by it, and what has a length or a place is not."""
    target = attrs.evolve(CLASS, type_name=type_name, detail=detail)
    report = _report(attrs.evolve(_held(MODULE, ".x"), target=target))

    assert report.headline.startswith(f"3 references to {name} (sys")


def test_borrowed():
    """A variable that does not count counts 0."""
    report = _report(_held(FRAME, "<local x in f>", borrowed=True), exact=False)
    lines = str(report).splitlines()

    assert lines[1] == (
        "  0  local x in f, shop/orders.py:41, borrowed: does not count"
    )
    assert lines[2] == "Exact: no. Limits: none"


def test_limits():
    """What is not known is said."""
    report = _report(complete=False, limits=("Only a part.",), unaccounted=None)

    assert str(report).splitlines()[1:] == [
        "Exact: yes.",
        "Limits     Incomplete: there may be more than is reported.",
        "           Only a part.",
    ]


def test_odd_holders():
    """A holder of which little is known is shown all the same."""
    frame = attrs.evolve(FRAME, detail=None)
    report = _report(
        _held(BARE, ".x"), _held(frame, "<local x in f>"), _held(frame, ".f_back")
    )

    assert str(report).splitlines()[1:4] == [
        "  1  module at 0x4 .x",
        "  1  local x in f",
        "  1  frame at 0x2 .f_back",
    ]


def test_a_count():
    """Two lines."""
    assert str(COUNT) == (
        "3 references to shop.Item at 0x7ff3c002ea90 "
        "(sys.getrefcount: 4, one is its argument)\n"
        "Exact: yes. Limits: none"
    )


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({"diff": 1}, "+1 reference to shop.Item at 0x7ff3c002ea90, 3 now"),
        ({"diff": -2}, "-2 references to shop.Item at 0x7ff3c002ea90, 3 now"),
        ({"diff": 0}, "3 references to shop.Item at 0x7ff3c002ea90, as before"),
        (
            {"diff": -3, "died": True, "after": None},
            "shop.Item at 0x7ff3c002ea90 died, with 3 references",
        ),
    ],
)
def test_changes(changes, headline):
    """The verdict of a change is one line."""
    report = RefCountChange(before=COUNT, after=COUNT, diff=1, died=False)

    assert attrs.evolve(report, **changes).headline == headline


def test_no_difference_of_no_count():
    """Where there is no count, its sentence is the verdict."""
    count = attrs.evolve(COUNT, count=None, immortal=True)
    report = RefCountChange(before=count, after=count, diff=None, died=False)

    assert report.headline == count.headline


def test_gained_and_lost():
    """Each has its sign."""
    report = RefCountChange(
        before=COUNT,
        after=COUNT,
        diff=0,
        died=False,
        gained=(_held(MODULE, ".a"), _held(ITEMS, "[1]"), _held(ITEMS, "[2]")),
        lost=(_held(CLASS, ".b"),),
    )

    assert str(report).splitlines()[1:] == [
        "  +1  sys.modules['shop'].a",
        "  +2  list (9 items) at 0x10 [1], [2]",
        "  -1  shop.Cart.b",
        "Limits     none",
    ]


def test_redacted():
    """Keys, values and folders are left out."""
    place = Traceback((Frame("/home/ann/a.py", 1),))
    holder = attrs.evolve(ITEMS, type_name="dict", traceback=place)
    report = _report(_held(holder, "['secret']"), _held(FRAME, "<local x in f>"))
    written = render.to_json(report, redact=True)
    count = attrs.evolve(COUNT, count=None, immortal=True, value="'secret'")

    assert "secret" not in written
    assert "ann" not in written
    assert "orders.py:41" in written
    assert "secret" not in render.to_text(count, redact=True)
    change = RefCountChange(before=count, after=count, diff=None, died=False)
    assert "secret" not in render.to_json(change, redact=True)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("['a']", "[...]"),
        ("[3]", "[3]"),
        ("{'a'}", "{...}"),
        (".x", ".x"),
        (".__dict__['a b']", ".__dict__[...]"),
        ("<cached result for 'a'>", "<cached result for ...>"),
        ("<cell x>", "<cell x>"),
    ],
)
def test_redacted_names(name, shown):
    """Keys go, names of the program stay, and indices of what surely has some."""
    assert redacted_name(name, "list") == shown


@pytest.mark.parametrize("holder", ["dict", "shop.Table", "shop.list"])
def test_redacted_numbers(holder):
    """A number that may be a key is data."""
    assert redacted_name("[4111]", holder) == "[...]"


class Told:
    """Of which an inspector tells something."""


def test_redacted_reasons():
    """Inspectors of the program have words of their own."""
    remove = refscope.add_inspector(Told, lambda _: Verdict("no", "customer 4711"))
    told = Told()
    report = refscope.why_alive(told)
    remove()

    assert "customer 4711" in to_json(report)
    assert "4711" not in to_json(report, redact=True)
