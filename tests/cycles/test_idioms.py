"""The cycles of every program are recognised by name and get the right advice."""

from __future__ import annotations

import contextvars
import sys
import weakref

import pytest

import refscope
from refscope._measure.cycles.search import MATERIALISED

from . import idioms
from .helpers import find_true, names_of, only


IDIOMS = [
    (
        idioms.cousins,
        [".cousin", ".cousin"],
        ".cousin",
        "weakref.ref",
    ),
    (
        idioms.error_in_local,
        [".__traceback__", ".tb_frame", "<local kept in load>"],
        "<local kept in load>",
        "`finally: del kept`",
    ),
    (
        idioms.error_in_coroutine,
        [".__traceback__", ".tb_frame", "<local kept in _failing>"],
        "<local kept in _failing>",
        "`finally: del kept`",
    ),
    (
        idioms.error_of_a_call,
        [
            ".__traceback__",
            ".tb_frame",
            ".f_back",
            "<local errors in gather>",
            "[0]",
        ],
        "[0]",
        "list[0] keeps an exception, whose traceback keeps the frame",
    ),
    (
        idioms.error_in_attribute,
        [".error", ".__traceback__", ".tb_frame", "<local self in work>"],
        ".error",
        "`finally: self.error = None`",
    ),
    (idioms.bound_method, [".callback", ".__self__"], ".callback", "WeakMethod"),
    (
        idioms.family,
        [".children", "[0]", ".parent"],
        ".parent",
        "Cat.parent leads back to the owner: make it a weakref.ref",
    ),
    (
        idioms.closure,
        [".cell_contents", ".__closure__", "<cell walk>"],
        ".cell_contents",
        "refers to itself by its variable 'walk'",
    ),
    (
        idioms.cached_method,
        [".__wrapped__", ".__self__", ".lookup"],
        ".lookup",
        "functools.cached_property",
    ),
    (
        idioms.partial_ring,
        [".args", "[0]", ".later"],
        ".later",
        "functools.partial in Cat.later",
    ),
    (
        idioms.generator,
        ["<local me in _waiting>"],
        "<local me in _waiting>",
        "`del me` before it waits",
    ),
    (idioms.slots, [".friend"], ".friend", "clear it with `finally: self.friend"),
    (idioms.own_key, ["['self']"], "['self']", "`finally: del dict['self']`"),
    (idioms.local_class, None, None, "make the class"),
    (idioms.local_class_with_super, None, None, "make the class"),
    (idioms.cached_function, None, None, "lru_cache in Cat.lookup keeps what"),
    (idioms.errors_in_list, None, None, "`finally: del errors`"),
]


def ending(name):
    """Return a local variable's name without what only 3.11 and later know."""
    where, found, function = name.partition(" in ")
    return f"{where} in {function.rpartition('.')[2]}" if found else name


@pytest.mark.parametrize(
    ("make", "names", "cut", "advice"),
    IDIOMS,
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_idiom(make, names, cut, advice):
    """Its loop is named, the reference to cut is the one a person would choose."""
    make()

    report = find_true()

    cycle = only(report)
    if names is not None:
        assert list(map(ending, names_of(cycle))) == names
        assert ending(cycle.break_at[0].name) == cut
        assert cycle.length == len(names)
        assert len(cycle.break_at) == cycle.cuts == 1
    assert cycle.is_smallest
    assert advice in cycle.advice
    assert report.complete
    assert [said for said in report.limits if "frozen" not in said] in (
        [],
        [MATERIALISED],
    )
    assert not report.is_clean
    assert report.groups[0].count == 1


def test_a_cached_method_keeps_self():
    """The key in the cache has no name that leads to it, but its advice is known."""
    idioms.cached_method_of_class()

    assert "functools.lru_cache keeps self" in only(refscope.find_cycles()).advice


class LookupFailedError(Exception):
    """An error that weak references can watch."""


def look_up():
    """Fail."""
    raise LookupFailedError


def reading_locals(watch):
    """Read all variables where an error is handled."""
    try:
        look_up()
    except LookupFailedError as error:
        watch.append(weakref.ref(error))
        locals()


def test_what_locals_made_is_left_as_it_is():
    """Up to 3.12 it keeps the error; read again, it would let go of that."""
    watch = []
    reading_locals(watch)

    report = refscope.find_cycles()

    assert (watch[0]() is None) is (sys.version_info >= (3, 13))
    if sys.version_info < (3, 13):
        cycle = only(report)
        assert names_of(cycle)[-2:] == [".f_locals", "['error']"]
        assert cycle.advice.startswith("what locals() made in reading_locals keeps")


class Job:
    """Has a generator that reads its variables."""

    def steps(self):
        """Change a variable after they were read."""
        number = 1
        self.seen = locals()
        number += 1
        yield number


def test_what_locals_made_of_a_generator_is_left_as_it_is():
    """It is the program's, with the values of then."""
    job = Job()
    job.run = job.steps()
    next(job.run)

    refscope.find_cycles(through=[job])

    assert job.seen["number"] == 1


def test_references_to_an_owner_are_cut_together():
    """One line of the program, however many children there are."""
    idioms.large_family()

    cycle = only(find_true())

    assert [cut.name for cut in cycle.break_at] == [".parent"] * 5
    assert "Cat.parent leads back to the owner" in cycle.advice


def test_finalizers_are_told_and_did_not_run():
    """Finding a cycle is no reason to finalize it."""
    idioms.Leaving.seen = 0
    idioms.finalizer()

    cycle = only(find_true())

    assert (cycle.finalizers, cycle.finalized) == (1, 0)
    assert idioms.Leaving.seen == 0


class Shadowing:
    """Keeps its methods under their own names, as those that wrap them do."""

    def __init__(self):
        self.meow = self.meow
        self.purr = self.purr

    def meow(self):
        """Do nothing."""

    def purr(self):
        """Do nothing."""


def test_an_attribute_with_the_name_of_a_method():
    """It is named without making a ``__dict__``."""
    Shadowing()

    report = find_true()
    assert [each.name for each in only(report).break_at] == [".meow", ".purr"]
    assert MATERIALISED not in report.limits


def test_the_depth_of_a_variable_in_a_context_is_no_shape():
    """It depends on where its variable is in memory."""

    def make():
        cat = idioms.Cat()
        cat.context = contextvars.copy_context()
        cat.context.run(contextvars.ContextVar("owner").set, cat)
        for number in range(6):
            cat.context.run(contextvars.ContextVar(str(number)).set, number)

    for _ in range(40):
        make()

    groups = refscope.find_cycles().groups
    assert [group.count for group in groups] == [40]
