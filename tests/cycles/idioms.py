"""The cycles that Python programs make again and again, each by one call."""

from __future__ import annotations

import asyncio
import contextlib
import functools


class Cat:
    """A plain class of a program."""

    def __init__(self, name=None):
        self.name = name

    def meow(self):
        """Do nothing."""


class Slotted:
    """Has slots and no dictionary."""

    __slots__ = ("friend",)


def cousins():
    """Two instances, as in the article."""
    servy, whiky = Cat(), Cat()
    servy.cousin = whiky
    whiky.cousin = servy


def error_in_local():
    """An exception kept in a variable of the function that caught it."""

    def load():
        try:
            int("x")
        except ValueError as error:
            kept = error
        return len(kept.args)

    load()


async def _failing():
    try:
        await asyncio.sleep(0)
        int("x")
    except ValueError as error:
        kept = error
    return len(kept.args)


def error_in_coroutine():
    """The same in a coroutine."""
    run = _failing()
    run.send(None)
    with contextlib.suppress(StopIteration):
        run.send(None)


def error_of_a_call():
    """A list of the caller keeps the exception of a call, whose frame has that."""

    def attempt():
        try:
            return int("x")
        except ValueError as error:
            return error

    def gather():
        errors = []
        errors.append(attempt())

    gather()


def error_in_attribute():
    """An object keeps the exception whose frame has the object."""

    def work(self):
        try:
            int("x")
        except ValueError as error:
            self.error = error

    work(Cat())


def bound_method():
    """An object keeps one of its own methods."""
    cat = Cat()
    cat.callback = cat.meow


def family():
    """A parent with a child, which knows it."""
    parent, child = Cat(), Cat()
    parent.children = [child]
    child.parent = parent


def large_family():
    """A parent with five children, which all know it."""
    parent = Cat()
    parent.children = [Cat() for _ in range(5)]
    for child in parent.children:
        child.parent = parent


def closure():
    """A function inside a function that calls itself."""

    def walk(depth):
        return depth and walk(depth - 1)

    walk(2)


def cached_method():
    """A cache for a method, kept by the instance."""
    cat = Cat()
    cat.lookup = functools.lru_cache(maxsize=None)(cat.meow)


def cached_method_of_class():
    """A cache in a class that is made in a function, too."""

    class Local:
        @functools.lru_cache(maxsize=9)  # noqa: B019  # the mistake itself
        def meow(self):
            return self

    Local().meow()


def cached_function():
    """A cache of a function, kept by what it was asked for."""
    cat = Cat()
    cat.lookup = functools.lru_cache(maxsize=None)(id)
    cat.lookup(cat)


def errors_in_list():
    """Exceptions are kept in a list of the function that they went through."""
    errors = []
    for word in ("a", "b"):
        try:
            int(word)
        except ValueError as error:  # noqa: PERF203  # each word brings its own
            errors.append(error)


def partial_ring():
    """A prepared call that is kept by its own argument."""
    cat = Cat()
    cat.later = functools.partial(print, cat)


def waiting_with(kept):
    """Wait, and keep something in two variables meanwhile."""
    again = kept
    yield
    yield kept, again


def _waiting():
    me = yield
    yield me


def generator():
    """A suspended generator that has itself in a variable."""
    run = _waiting()
    next(run)
    run.send(run)


def slots():
    """An instance with slots."""
    slotted = Slotted()
    slotted.friend = slotted


def local_class():
    """A class made in a function."""

    class Local:
        pass


def local_class_with_super():
    """A class made in a function, with a method that needs to know it."""

    class Local:
        def __init__(self):
            super().__init__()

    Local()


def own_key():
    """A dictionary that holds itself."""
    table = {}
    table["self"] = table


def finalizer():
    """A ring of which one member wants to say goodbye."""
    cat = Leaving()
    cat.me = cat


class Leaving:
    """Notes that it was finalized."""

    seen = 0

    def __del__(self):
        type(self).seen += 1
