"""Advice on what others keep or call, and on variables of closures, can be followed."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import threading
import weakref
from collections import defaultdict
from unittest import mock

import pytest

import refscope

from .helpers import find_true, only


class Beat:
    """Gives its method away, or what has it only weakly."""

    def __init__(self, is_weak):
        me = weakref.ref(self)
        self.given = (lambda *_: me().fire()) if is_weak else self.fire

    def fire(self, *_):
        """Do nothing."""


class Timed(Beat):
    """A thread will call it."""

    def __init__(self, is_weak):
        super().__init__(is_weak)
        self.timer = threading.Timer(60, self.__dict__.pop("given"))


class Filled(Beat):
    """A dictionary calls it, written in C."""

    def __init__(self, is_weak):
        super().__init__(is_weak)
        self.values = defaultdict(self.__dict__.pop("given"))


class Read(Beat):
    """An iterator calls it, which has no name for it."""

    def __init__(self, is_weak):
        super().__init__(is_weak)
        self.lines = iter(self.__dict__.pop("given"), None)


class Scanned(Beat):
    """It is in a tuple, which cannot be changed."""

    def __init__(self, is_weak):
        super().__init__(is_weak)
        self.scanner = re.Scanner([("a", self.__dict__.pop("given"))])


WEAKLY = "which keeps its object: give it a function that has the object by a weakref"


@pytest.mark.parametrize(
    ("kind", "keeper", "cut", "also"),
    [
        (Timed, "Timer.function", ".function", ""),
        (Filled, "defaultdict.default_factory", ".default_factory", ""),
        (
            Read,
            "callable_iterator.<underlying>",
            ".lines",
            ", or clear Read.lines with `finally: self.lines = None`",
        ),
        (
            Scanned,
            "Scanner.lexicon",
            ".scanner",
            ", or clear Scanned.scanner with `finally: self.scanner = None`",
        ),
    ],
)
def test_a_method_that_others_call(kind, keeper, cut, also):
    """A ``WeakMethod`` would be called for nothing."""
    kind(is_weak=False)

    cycle = only(find_true())

    assert cycle.advice.startswith(f"{keeper} keeps the bound method Beat.fire, ")
    assert cycle.advice.endswith(f"{WEAKLY}.ref{also}")
    assert [each.name for each in cycle.break_at] == [cut]
    assert refscope.find_cycles(from_call=lambda: kind(is_weak=True)).is_clean


def test_a_function_that_its_object_keeps():
    """What is marked is told besides what the function could do."""

    def make():
        beat = Beat(is_weak=False)
        beat.given = lambda: beat

    make()

    cycle = only(find_true())

    assert cycle.advice.endswith(
        ": pass beat as an argument, let it use a weakref.ref, or clear Beat.given "
        "with `finally: self.given = None`"
    )


def keep_traceback(beat, way):
    """Keep the traceback of an error."""
    kept = None

    def forget():
        nonlocal kept
        kept = None

    try:
        beat.missing
    except AttributeError as error:
        trace = error.__traceback__
        if way == "closure":
            kept = trace
        elif way == "error":
            kept = error.with_traceback(trace)
        else:
            beat.trace = trace
        del trace
    return forget


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("closure", "the variable 'kept' of a closure keeps a traceback, which keeps"),
        ("error", "the variable 'kept' of a closure keeps an exception, whose"),
        ("attribute", "Beat.trace keeps a traceback, which keeps the frame"),
    ],
)
def test_a_traceback_that_is_kept(way, words):
    """By a name that the program has for it."""
    keep_traceback(Beat(is_weak=True), way)

    said = [group.example.advice for group in refscope.find_cycles().groups]

    statement = "self.trace = None" if way == "attribute" else "kept = None"
    assert any(each.startswith(words) for each in said), said
    assert any(f"`finally: {statement}`" in each for each in said)


def test_a_generator_expression_cannot_delete_anything():
    """What it has of the function around it is not its own."""

    def make():
        beat = Beat(is_weak=True)
        beat.steps = (beat for _ in range(2))
        next(beat.steps)

    make()

    cycle = only(find_true())

    assert cycle.advice.endswith("<genexpr> is kept by what it keeps: close() it")


def test_a_class_that_its_own_functions_name():
    """Annotations have a variable for its namespace (3.14)."""

    def make():
        @dataclasses.dataclass
        class Point:
            x: int

            @property
            def other(self):
                return Point(self.x)

    make()

    [group] = find_true().groups

    assert "make the class " in group.example.advice
    assert ".Point once, in the module" in group.example.advice


def test_what_is_advised_is_among_the_cuts_that_are_shown():
    """Also where there are many others that are as good."""
    mock.MagicMock().a()

    for group in refscope.find_cycles().groups:
        cycle = group.example
        steps = {(each.holder.address, each.name) for each in cycle.references}
        cuts = {(each.holder.address, each.name) for each in cycle.break_at}
        assert steps & cuts, str(cycle)


def test_a_stack_of_contexts_that_its_owner_keeps():
    """The two ways to let go of it are told, and the second one does."""

    def make(*, is_cleared):
        beat = Beat(is_weak=True)
        beat.stack = contextlib.ExitStack()
        beat.stack.callback(beat.fire)
        if is_cleared:
            beat.stack = None

    make(is_cleared=False)

    assert "or clear Beat.stack with" in only(find_true()).advice
    assert refscope.find_cycles(from_call=lambda: make(is_cleared=True)).is_clean
