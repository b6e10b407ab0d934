"""Advice asks for nothing that cannot be done, or that would break the program."""

from __future__ import annotations

import contextlib
import functools
import queue
import re
import sys
import threading
import types
from collections import OrderedDict
from typing import NamedTuple

import pytest

import refscope

from .helpers import find_true, only


class Desk:
    """Has whatever a test gives it."""

    def clean(self, *_):
        """Do nothing."""


class Drawer:
    """A part without a slot for weak references, as a dataclass with slots."""

    __slots__ = ("desk", "parts")


class Lamp:
    """Knows where it stands."""

    def __init__(self, owner):
        self.owner = owner

    def close(self):
        """Do nothing."""


class Plan(NamedTuple):
    """Cannot be changed."""

    parent: object
    parts: list[object]


class Title(str):
    """A text that can be told where it was found."""

    __slots__ = ("found",)


class Shop:
    """Makes things when they are asked for first."""

    @functools.cached_property
    def window(self):
        """Know the shop."""
        return Window(self)

    @functools.cached_property
    def shelves(self):
        """Have the shop among other things."""
        return [self]


class Window:
    """Looks into a shop."""

    def __init__(self, inside):
        self.inside = inside


class Clerk(threading.Thread):
    """Tells the thread that it is to call a method of its own."""

    def __init__(self):
        super().__init__(target=self.work)

    def work(self):
        """Do nothing."""


def queue_in_attribute():
    """Nobody else has the queue."""
    desk = Desk()
    desk.tray = queue.Queue()
    desk.tray.put(desk)


def ordered_dictionary():
    """It can be weak, and would be gone."""
    desk = Desk()
    desk.things = OrderedDict(desk=desk)


def method_of_a_list():
    """It is made when it is asked for, and would be gone."""
    things = []
    things.append(things.append)


def owner_with_slots():
    """A part has a whole to which there is no weak reference yet."""
    whole, part = Drawer(), Lamp(None)
    part.owner = whole
    whole.parts = part


def owner_that_is_a_dictionary():
    """There are no weak references to one."""
    owner = {}
    owner["lamp"] = Lamp(owner)


def owner_of_a_plan():
    """What a plan has it has for good."""
    house = Plan(None, [])
    house.parts.append(Plan(house, []))


def text_of_a_match():
    """A match has the text that it was found in for good."""
    title = Title("refscope")
    title.found = re.match("ref", title)


def bound_of_a_slice():
    """So has a slice what it is about."""
    desk = Desk()
    desk.part = slice(desk, None)


def view_that_a_property_keeps():
    """The one that the property made leads back."""
    assert Shop().window.inside


def list_that_a_property_keeps():
    """None in its place would be kept as well."""
    assert Shop().shelves


def _fail(error):
    """Raise what the caller has in a variable too."""
    raise error


def error_of_two_functions():
    """The functions that raise and catch an error have it in a variable."""

    def attempt():
        mistake = ValueError()
        with contextlib.suppress(ValueError):
            _fail(mistake)

    attempt()


def error_in_two_variables():
    """One function has it twice."""

    def attempt():
        try:
            int("x")
        except ValueError as error:
            first = last = error
            return first is last

    attempt()


def part_on_a_stack():
    """What the stack calls is not the program's, but the owner's part is."""
    desk = Desk()
    desk.stack = contextlib.ExitStack()
    desk.stack.enter_context(contextlib.closing(Lamp(desk)))


def _call(source):
    """Call what a text defines, with annotations that are no texts."""
    names = {}
    exec(compile(source, __file__, "exec", dont_inherit=True), names)  # noqa: S102
    names.pop("define")()


def protocol_with_annotations():
    """Since 3.14 annotations have the namespace of their class."""
    _call(
        "from typing import Protocol\n"
        "def define():\n"
        " class Sized(Protocol):\n"
        "  def size(self) -> int: 'Return how much it is.'"
    )


def named_tuple_with_annotations():
    """The class is made of a namespace that is left."""
    _call(
        "from typing import NamedTuple\n"
        "def define():\n"
        " class Local(NamedTuple):\n"
        "  size: int"
    )


def alias_of_itself():
    """A type of nested lists."""
    _call("def define():\n type Nested = int | list[Nested]")


WEAKLY = "a function that has the object by a weakref.ref"


@pytest.mark.parametrize(
    ("make", "cuts", "words"),
    [
        (queue_in_attribute, [".tray"], "clear it with `finally: self.tray = None`"),
        (ordered_dictionary, [".things"], "may be all that keeps the collections.Ord"),
        (method_of_a_list, ["[0]"], "cannot be weak: clear it with"),
        (owner_with_slots, [".owner"], "for which Drawer needs a slot `__weakref__`"),
        (owner_that_is_a_dictionary, [".owner"], "owner, which cannot be weak: clear"),
        (owner_of_a_plan, ["[0]"], "list[0] cannot be weak"),
        (text_of_a_match, [".found"], "clear it with `finally: self.found = None`"),
        (bound_of_a_slice, [".part"], "clear it with `finally: self.part = None`"),
        (view_that_a_property_keeps, [".inside"], "make Window.inside a weakref.ref"),
        (list_that_a_property_keeps, [".shelves"], "clear it with `finally: del self."),
        (error_of_two_functions, [".__traceback__"], "in a `finally`, or keep error."),
        (error_in_two_variables, [".__traceback__"], "in a `finally`, or keep error."),
        (part_on_a_stack, [".owner"], f"{WEAKLY}, or make Lamp.owner a weakref.ref"),
        (Clerk, ["._target"], f"keeps its object: give it {WEAKLY}"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_cut_that_can_be_made(make, cuts, words):
    """What is marked can be removed, in the way that is told."""
    make()

    cycle = only(find_true())
    assert [each.name for each in cycle.break_at] == cuts
    assert words in cycle.advice


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (protocol_with_annotations, ".<locals>.Sized once, in the module"),
        (named_tuple_with_annotations, " once, in the module"),
        pytest.param(
            alias_of_itself,
            "make it once, in the module",
            marks=pytest.mark.skipif(sys.version_info < (3, 12), reason="no syntax"),
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_defined_again_and_again(make, words):
    """It is to be defined once, whatever the loop goes through."""
    make()

    advice = [group.example.advice for group in find_true().groups]
    assert advice
    assert all(words in each for each in advice), advice


def test_a_cell_that_no_function_has_is_an_object_like_others():
    """It has no variable."""

    def leave():
        cell = types.CellType()
        cell.cell_contents = [cell]

    assert only(refscope.find_cycles(from_call=leave)).advice == (
        "cell.cell_contents cannot be weak: clear it with "
        "`finally: self.cell_contents = None`"
    )


def test_a_variable_of_each_function_is_told():
    """To delete one of them is not enough."""
    error_of_two_functions()

    advice = only(find_true()).advice
    assert advice.startswith("local 'mistake' of ")
    assert " and 'error' of " in advice


def test_the_traceback_of_an_error_is_let_go_of():
    """Following the advice leaves no cycle."""

    def attempt():
        mistake = ValueError()
        with contextlib.suppress(ValueError):
            _fail(mistake)
        mistake.with_traceback(None)

    assert refscope.find_cycles(from_call=attempt).is_clean
