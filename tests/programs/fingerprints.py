"""Print the fingerprints of a leak, of survivors, and of paths, as JSON.

Run as a script, in processes that differ in what a fingerprint must not depend on.
"""

from __future__ import annotations

import json
import sys
import types

import refscope


class Item:
    """What leaks."""

    def __init__(self, holds=None):
        self.holds = holds


class Shop:
    """What has things."""

    def __init__(self):
        self.by_id = {}
        self.seen = set()
        self.last = None


class Page:
    """What leaks as well."""


SHOP = Shop()
SHARED = Item()
REFERENCES = []
NUMBERS = iter(range(hash("where numbers begin") % 1000, 10**9))
# EDIT


def sell():
    """Leak an item under a key that differs in every run."""
    SHOP.by_id[next(NUMBERS)] = Item()


def see():
    """Leak an item in a set, whose order depends on hashes or addresses."""
    SHOP.seen.add((next(NUMBERS), Item()))


def chain():
    """Leak a list that is linked."""
    SHOP.last = Item(SHOP.last)


def ring():
    """Leave garbage."""
    item = Item()
    item.holds = Item(item)


def share():
    """Leak references."""
    REFERENCES.append(SHARED)


def name():
    """Leak texts."""
    SHOP.by_id[next(NUMBERS)] = f"text {next(NUMBERS)}"


def leaks():
    """Return the fingerprints of what each function leaks, the first by kind."""
    found = {}
    for function in (sell, see, chain, ring, share, name):
        report = refscope.find_leaks(function, rounds=3)
        found[function.__name__] = [
            f"{leak.kind} {leak.fingerprint}"
            for leak in report.leaks
            if leak.type_name.rpartition(".")[2] in {"Item", "str"}
        ]
    return found


def survivors():
    """Return the fingerprints of the groups that a block leaves."""
    kept = SHOP.by_id["kept"] = []
    with refscope.track("block", survivors=True) as block:
        kept.extend([Item() for _ in range(3)])
        kept.append(Page())
    return sorted(
        f"{group.type_name} {group.fingerprint}" for group in block.report.survivors
    )


def paths():
    """Return the fingerprints of paths through all sorts of holders."""

    def parked():
        item = Item()
        yield item

    def holding(thing):
        return lambda: thing

    generator = SHOP.generator = parked()
    made = types.ModuleType("made_module")
    sys.modules["made_module"] = made
    made.things = {"a b": [Item()], "name": (Item(),)}
    made.closure = holding(Item())
    made.method = Item().__init__
    subjects = {
        "key": made.things["a b"][0],
        "name": made.things["name"][0],
        "closure": made.closure(),
        "method": made.method.__self__,
        "generator": next(generator),
        "shared": SHARED,
    }
    del generator
    found = {}
    for key in [*subjects]:
        report = refscope.why_alive(subjects.pop(key))
        found[key] = sorted(path.fingerprint for path in report.paths)
    return found


if __name__ == "__main__":
    from importlib import util

    # A module by the same name in each process, and not __main__.
    spec = util.spec_from_file_location("fingerprinted", __file__)
    module = util.module_from_spec(spec)
    sys.modules["fingerprinted"] = module
    spec.loader.exec_module(module)
    from refscope._measure.leaks import growth

    growth.ENOUGH_CALLS = 30
    found = {
        "leaks": module.leaks(),
        "survivors": module.survivors(),
        "paths": module.paths(),
    }
    print(json.dumps(found))  # noqa: T201
