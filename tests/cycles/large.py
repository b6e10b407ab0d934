"""Make one very large cycle in a process of its own; print what is found as JSON.

``python large.py KIND``: a ring of a million objects, what is 200,000 deep and hangs
on a ring, or a component of 300,000 nodes with a million references.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import sys

import refscope


class Node:
    """A node without a dictionary, so that there are as many objects as nodes."""

    __slots__ = ("first", "fourth", "second", "third")


def ring(size=1_000_000):
    """Leave one long ring."""
    first = node = Node()
    for _ in range(size - 1):
        node.first = Node()
        node = node.first
    node.first = first


def deep(depth=200_000):
    """Leave a ring of one, and lists in lists that hang on it."""
    lists = []
    for _ in range(depth):
        lists = [lists]
    node = Node()
    node.first, node.second = node, lists


def component(size=300_000, references=1_000_000):
    """Leave nodes that all lead to each other."""
    choose = random.Random(20).choice  # noqa: S311  # the same graph each time
    nodes = [Node() for _ in range(size)]
    for number, node in enumerate(nodes):
        node.first = nodes[number - 1]
        node.second = choose(nodes)
        node.third = choose(nodes)
    for node in nodes[: references - 3 * size]:
        node.fourth = choose(nodes)


def peak():
    """Return the greatest resident set so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main(kind):
    """Print what is found."""
    gc.collect()  # what imports have left
    gc.disable()
    {"ring": ring, "deep": deep, "component": component}[kind]()
    before = peak()
    report = refscope.find_cycles()
    cycle = report.groups[0].example
    known = {
        "groups": len(report.groups),
        "objects": report.objects,
        "size": cycle.component_size,
        "shown": len(cycle.references),
        "length": cycle.length,
        "cuts": cycle.cuts,
        "bytes": peak() - before,
        "freed": gc.collect(),
    }
    sys.stdout.write(json.dumps(known))


if __name__ == "__main__":
    main(sys.argv[1])
