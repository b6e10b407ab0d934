"""The programs of the article about references, each with the numbers it asks for."""

from __future__ import annotations

import ctypes
import sys

import pytest

from refscope import hex_address, object_at, refcount, referrers, watch


class Serval:
    """A wild cat with long legs."""


class Cat:
    """A tame one."""


def _by_ctypes(thing):
    return ctypes.c_uint32.from_address(id(thing)).value


def test_program_1_an_address_and_back():
    """The value comes back from its address, in base 10 and in base 16."""
    our_var = 12
    address = id(our_var)

    assert object_at(address) is our_var
    assert object_at(hex(address)) is our_var
    assert object_at(f"{address:x}") is our_var
    assert hex_address(our_var) == hex(address)


def test_program_2_two_names():
    """What ctypes reads is what refscope says: 3, a name more is 4, and 3 again."""
    our_var = Cat()
    box = [our_var, our_var]
    counts, by_ctypes, by_sys = [], [], []

    def note():
        counts.append(refcount(box[0]).count)
        by_ctypes.append(_by_ctypes(box[0]))
        by_sys.append((refcount(box[0]).sys_count, sys.getrefcount(box[0])))

    note()
    another = our_var
    note()
    del another
    note()

    # The argument of _by_ctypes is one more that ctypes sees.
    assert counts == [3, 4, 3]
    assert [number - 1 for number in by_ctypes] in (counts, [4, 5, 4])
    assert by_sys == [(4, 4), (5, 5), (4, 4)]


def test_program_2_agrees_with_ctypes_where_it_is():
    """Read without passing the object, the header is what refscope says."""
    our_var = Cat()
    address = id(our_var)
    count = refcount(our_var)
    stored = ctypes.c_uint32.from_address(address).value

    assert (count.count, count.stored) == (stored, stored) == (1, 1)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="12 is counted before")
def test_program_2_twelve_is_immortal():
    """The article's number has no count any more."""
    count = refcount(12)

    assert (count.count, count.immortal, count.exact) == (None, True, True)
    assert count.headline == "int 12 is immortal: no meaningful count"
    assert count.sys_count == sys.getrefcount(12)


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="12 is immortal")
def test_program_2_twelve_is_counted():
    """Up to 3.10 it is counted like all others."""
    count = refcount(12)

    assert count.count > 3
    assert count.sys_count == count.count + 1


def test_program_4_a_cycle():
    """Each cousin counts; with its name gone, the one is held by the other alone."""
    servy, whiky = Serval(), Cat()
    servy.cousin = whiky
    whiky.cousin = servy

    assert (refcount(servy).count, refcount(whiky).count) == (2, 2)
    del servy
    assert refcount(whiky).count == 2

    report = referrers(whiky)
    assert [one.name for one in report.references] == [
        ".cousin",
        "<local whiky in test_program_4_a_cycle>",
    ]
    assert report.references[0].holder.type_name.endswith("Serval")
    assert report.unaccounted == 0


def test_program_5_the_cycle_is_cut():
    """Cut, the one dies at once, and the reference that was lost has its name."""
    servy, whiky = Serval(), Cat()
    servy.cousin = whiky
    whiky.cousin = servy
    with watch(servy) as servy_watched, watch(whiky) as watched:
        del servy
        whiky.cousin = None

    assert servy_watched.report.died
    assert [one.name for one in servy_watched.report.lost] == [
        ".cousin",
        "<local servy in test_program_5_the_cycle_is_cut>",
    ]
    assert refcount(whiky).count == 1
    assert watched.report.diff == -1
    assert [one.name for one in watched.report.lost] == [".cousin"]
    assert watched.report.lost[0].holder.type_name.endswith("Serval")
