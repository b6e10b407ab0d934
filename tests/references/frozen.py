"""Searches in a frozen heap, each run in a process of its own."""

from __future__ import annotations

import gc
import sys

from refscope import object_at, referrers


class Holder:
    """Has an attribute, and needs no name for it."""


class Thing:
    """What is held."""


def a_value():
    """A value of a dictionary that is frozen, with all that leads to it."""
    thing = Thing()
    root = Holder()
    root.found = Holder()
    root.found.found = {"key": thing}
    gc.freeze()
    fresh = [root]
    report = referrers(thing)
    assert report.references[0].name == "['key']", report
    assert (report.unaccounted, report.exact) == (0, True), report
    return fresh


def an_attribute():
    """An attribute in a frozen dictionary has its owner."""
    thing = Thing()
    root = Holder()
    root.found = thing
    vars(root)
    gc.freeze()
    fresh = [root]
    report = referrers(thing)
    assert report.references[0].name == ".found", report
    assert report.references[0].holder.address == id(root), report
    assert report.unaccounted == 0, report
    return fresh


def an_address():
    """A frozen object is found at its address, and a text behind it."""
    root = Holder()
    root.found = [" ".join(map(str, range(3)))]
    gc.freeze()
    fresh = [root]
    assert object_at(id(root.found)) is root.found
    assert object_at(id(root.found[0])) is root.found[0]
    return fresh


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    sys.stdout.write("right\n")
