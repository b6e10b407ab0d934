"""What need not own its reference, since 3.14, and hides none from C."""

from __future__ import annotations

import ctypes
import gc
import sys

import pytest

from refscope import referrers
from refscope._measure.references.copies import copies

from .kinds import Thing


BORROWS = sys.version_info >= (3, 14)
pytestmark = pytest.mark.skipif(not BORROWS, reason="everything owns")


def _leaked(make):
    """Return what is reported where C forgot to give up one reference."""
    thing = Thing()
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    try:
        return make(thing)
    finally:
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(thing))


def _copied(given):
    copy = given
    given = None
    return referrers(copy)


def test_a_copy_of_a_parameter_that_has_another_value():
    """It borrows, though no parameter has the object any more."""
    thing = Thing()
    report = _copied(thing)

    assert (report.unaccounted, report.exact) == (0, True)
    assert [one.borrowed for one in report.references] == [True, False]
    assert not _leaked(_copied).exact


def _made(*_):
    thing = Thing()
    before = referrers(thing)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    after = referrers(thing)
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(thing))
    return before, after


def test_what_a_function_with_parameters_makes():
    """Its own variables own: one that no parameter can have got into."""
    before, after = _made(1)

    assert (before.unaccounted, before.exact) == (0, True)
    assert (after.unaccounted, after.exact) == (1, True)


def test_a_constant():
    """A variable may have it from the code, which holds it."""
    number = 12345.75
    report = referrers(number)
    local = "<local number in test_a_constant>"

    assert local in [one.name for one in report.references]
    assert report.unaccounted == 0


def test_a_stack_that_waits():
    """A generator may have the object twice and own it once: that is not exact."""

    def generator(given):
        str(given, (yield))

    def search(thing):
        waiting = generator(thing)
        next(waiting)
        return referrers(thing)

    report = _leaked(search)

    assert not report.exact
    assert any(one.name.startswith("<evaluation stack") for one in report.references)


def test_a_stack_that_waits_with_its_own():
    """What no variable has is owned there."""

    def generator():
        str(Thing(), (yield))

    waiting = generator()
    next(waiting)
    box = [one for one in gc.get_referents(waiting) if type(one) is Thing]
    report = referrers(box[0])

    assert (report.unaccounted, report.exact) == (0, True)


# -- Copies, told from the code.
def _all(a, b):
    c1 = a
    c2 = c3 = b
    c4 = c1 if c2 else len(a)
    c5 = len(a) if c2 else b
    c6 = len(a) or b
    c7, m1 = a, len(b)
    m2, c8 = len(b), a
    c9 = (c10 := a)
    c11 = f"{a}"
    c13 = None
    for _ in b:
        c12 = c13
        c13 = a
    match a:
        case c14:
            pass
    if a:
        a = len(b)
    c15 = a
    return locals()


def _none(a, b, *more, **rest):
    m1 = len(a)
    m2, *m3 = b
    m4 = [m5.name for m5 in a]
    for m6, m7 in b:
        m8 = m6, m7
    with a as m9:
        m10 = m9
    try:
        m11 = a.name
    except ValueError as m12:
        m13 = m12
    m14 = a[0], b
    m15 = a + b
    m16 = m17 = object()
    m18 = f"{a}{b}"
    m19 = not a
    m20 = a.method(b)
    m21 = len(a) if b else len(b)
    m22 = {lambda: m21}
    m23 = len(more) or rest.get(a) or len(b)
    return locals()


_LONG = "def long(given):\n    same = given\n"
_LONG += "".join(f"    v{number} = v{number - 1}\n" for number in range(1, 300))
_LONG = _LONG.replace("v0", "given") + "    if v299:\n        last = v299\n"
_LONG += "        m = " + "+".join(["(1 if last else [])"] * 99) + "\n"


def test_copies():
    """A variable is one if a source can be what is stored in it."""
    names = [name for name in _all.__code__.co_varnames if name[0] != "m"]

    assert copies(_all.__code__, ("a", "b")) == {*names} - {"_"}


def test_what_is_made():
    """What comes from a call, a loop or an operation is no copy."""
    sources = _none.__code__.co_varnames[:4]

    assert copies(_none.__code__, sources) == {*sources}


def test_copies_in_long_code():
    """Numbers and ways that take more than one byte are followed."""
    names = {}
    exec(_LONG, names)  # noqa: S102  # 300 variables
    code = names["long"].__code__

    assert copies(code, ("given",)) == {*code.co_varnames} - {"m"}
