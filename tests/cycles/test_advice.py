"""Advice on what the standard library and plain mistakes leave, as a person has it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import csv
import functools
import inspect
import logging
import sys
import threading
import types
import weakref
from xml.dom import minidom
from xml.etree import ElementTree as ET

import pytest

import refscope

from .helpers import find_true
from .idioms import Cat


class Job:
    """Has work that goes on, and a callback."""

    def steps(self):
        """Wait, and go on with itself."""
        yield 1
        yield self

    def close(self, *_):
        """Do nothing."""


class Writer:
    """Something to write to."""

    def write(self, text):
        """Do nothing."""


class Compiled(ET.Element):
    """Stands for a class of mypyc's, whose attributes are read by functions of C."""

    __mypyc_attrs__ = ("_owner",)
    _owner = vars(ET.Element)["text"]


def owner_of_a_compiled_part():
    """A private attribute is kept in C, and yet the program's own."""
    job = Job()
    job.part = Compiled("part")
    job.part._owner = job


def method_in_list():
    """A list keeps a bound method."""
    job = Job()
    job.observers = [(1, job.close)]


def callback_of_a_stack():
    """A stack of contexts keeps what closes its owner."""
    job = Job()
    job.stack = contextlib.ExitStack()
    job.stack.callback(job.close)


def function_on_a_stack():
    """A function keeps the stack by its variable, behind a function of contextlib."""
    stack = contextlib.ExitStack()
    stack.callback(lambda: stack)


class View:
    """Shows a job, and is made by it."""

    def __init__(self, job):
        self._job = job


def class_bound_to_its_maker():
    """A class is called with an object, as if it were one of its methods."""
    job = Job()
    job.view = types.MethodType(View, job)


def callable_that_is_bound():
    """What is bound need not be a function, and has no name then."""
    job = Job()
    job.later = types.MethodType(functools.partial(print), job)


def view_of_a_job():
    """A part names its whole by the class of it."""
    job = Job()
    job.first = View(job)


class Tree(dict):
    """A dictionary that says where a new one of them belongs."""

    def __init__(self, parent=None):
        object.__setattr__(self, "__parent", parent)


def tree_with_two_underscores():
    """An item knows its parent by a name that looks like one of Python's own."""
    tree = Tree()
    tree["x"] = Tree(tree)


def partial_in_list():
    """A list keeps a prepared call."""
    job = Job()
    job.later = [functools.partial(print, job)]


def callback_of_a_future():
    """A future has a place for one callback that no attribute shows."""
    loop = asyncio.new_event_loop()
    future, job = loop.create_future(), Job()
    job.future = future
    future.add_done_callback(job.close)
    loop.close()


def result_of_a_future():
    """A future's result cannot be set to anything else by a program."""
    loop = asyncio.new_event_loop()
    future, job = loop.create_future(), Job()
    job.future = future
    future.set_result(job)
    loop.close()


async def _fail():
    waiting = asyncio.get_running_loop().create_future()
    waiting.set_exception(LookupError())
    await waiting


async def _fail_by_another():
    async def wait_for(inner):
        await inner

    outer = asyncio.get_running_loop().create_future()
    outer.set_exception(LookupError())
    await wait_for(outer)


def _run(function):
    async def ask():
        with contextlib.suppress(LookupError):
            await function()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(ask())
    loop.close()


def error_of_a_future():
    """Whoever asks a future for its result has it in a frame of the traceback."""
    _run(_fail)


def error_of_a_future_twice():
    """Two functions have it in a variable, so its traceback is one thing to cut."""
    _run(_fail_by_another)


def error_of_a_pool():
    """The attribute for the exception is the standard library's."""
    waiting = concurrent.futures.Future()
    waiting.set_exception(LookupError())
    with contextlib.suppress(LookupError):
        waiting.result()


def error_of_a_script():
    """The variables of a script are items of a dictionary."""
    script = """
waiting = concurrent.futures.Future()
waiting.set_exception(LookupError())
with contextlib.suppress(LookupError):
    waiting.result()
"""
    names = {"concurrent": concurrent, "contextlib": contextlib}
    exec(script, names)  # noqa: S102


class Nursery:
    """Has what its children raised."""

    def __init__(self):
        self.errors = [[]]

    def collect(self, errors):
        """Keep errors in what is given, where their frames lead to."""
        for _ in range(2):
            try:
                int("x")
            except ValueError as error:  # noqa: PERF203
                errors.append(error)

    def sort(self):
        """Keep them in a list of a list."""
        for _ in range(2):
            try:
                int("x")
            except ValueError as error:  # noqa: PERF203
                self.errors[0].append(error)


def errors_in_list():
    """A frame has them by a variable, and by its object."""
    nursery = Nursery()
    nursery.collect(nursery.errors)


def errors_in_list_of_lists():
    """The list that has them is an item."""
    Nursery().sort()


def errors_in_tuples():
    """A variable keeps errors, each with what it was about."""
    tries = []
    try:
        int("x")
    except ValueError as error:
        tries.append((error, "x"))


def error_in_tuple():
    """An attribute keeps an error with what it was about."""
    job = Job()
    try:
        int("x")
    except ValueError as error:
        job.error = (error, "x")


def error_in_dict():
    """An attribute keeps errors by name."""
    job = Job()
    try:
        int("x")
    except ValueError as error:
        job.errors = {"last": error}


def traceback_in_local():
    """A variable keeps a traceback, to raise another error with it."""

    def fail():
        try:
            int("x")
        except ValueError:
            tb = sys.exc_info()[2]
        raise KeyError("x").with_traceback(tb) from None

    with contextlib.suppress(KeyError):
        fail()


def traceback_in_object():
    """A variable has an object that keeps what was caught."""
    job = Job()
    try:
        int("x")
    except ValueError:
        job.caught = sys.exc_info()[::2]


def traceback_in_method():
    """The object keeps what its method caught."""

    class Worker(Job):
        def work(self):
            try:
                int("x")
            except ValueError:
                self.caught = sys.exc_info()[::2]

    Worker().work()


def traceback_in_iterator():
    """What keeps the traceback has no name for it."""
    job = Job()
    try:
        int("x")
    except ValueError:
        job.caught = iter(sys.exc_info()[::2])


def traceback_in_closure():
    """The variable is that of a function inside as well."""
    job = Job()

    def later():
        return job

    try:
        int("x")
    except ValueError:
        job.caught = sys.exc_info()[::2]
    return id(later)


def document():
    """Nodes know their parents, and the library has a method that forgets them."""
    minidom.parseString("<shop><item/><item/></shop>")  # noqa: S318  # it is ours


def method_of_a_writer():
    """What ``csv.writer`` keeps has no name in Python."""
    writer = Writer()
    writer.rows = csv.writer(writer)


def method_that_waits():
    """An object keeps the generator that one of its methods made."""
    job = Job()
    job.run = job.steps()
    next(job.run)


def expression_that_waits():
    """What a generator expression goes through has a name that is no variable."""
    cats = [1]
    waiting = (cat for cat in cats)
    cats.append(waiting)
    next(waiting)


def function_of_a_closed_connection():
    """Closing has not helped: it is an attribute that keeps the function."""
    connection = pytest.importorskip("sqlite3").connect(":memory:")
    connection.row_factory = lambda *_: connection
    connection.close()


def functions_that_call_each_other():
    """Two functions inside of one."""

    def is_even(number):
        return number == 0 or is_odd(number - 1)

    def is_odd(number):
        return number != 0 and is_even(number - 1)

    is_even(4)


def function_with_another_name():
    """What decorates takes over the name of what is decorated."""

    def decorate(function):
        @functools.wraps(function)
        def inside():
            return inside

        return inside

    decorate(print)


def method_that_a_weak_reference_calls():
    """A weak reference keeps its callback, and WeakMethod is none."""
    job = Job()
    job.main = weakref.ref(Job, job.close)


def function_behind_another():
    """A variable has a function that leads back by an attribute."""

    def work():
        pass

    def hook():
        return work

    work.hooks = [hook]


def frame_in_local():
    """A variable keeps the frame it is in."""
    frame = sys._getframe()
    return frame.f_lineno


def frames_in_list():
    """A list of frames is kept by one of them."""
    stack = inspect.stack(0)
    return len(stack)


def frame_in_attribute():
    """An object keeps the frame that has it."""

    def look(job):
        job.frame = sys._getframe()

    look(Job())


def handler_that_knows_its_logger():
    """Of two attributes one can be weak."""
    handler = logging.NullHandler()
    logger = logging.Logger("x")  # noqa: LOG001  # one that nobody else keeps
    logger.addHandler(handler)
    handler.logger = logger


def values_of_a_thread():
    """Of two keys one can be spelled."""
    values = threading.local()
    values.me = values


def attribute_of_a_function():
    """A function keeps itself."""

    def work():
        pass

    work.me = work


def attribute_of_a_module():
    """A module that nobody imported keeps an object which has it."""
    module, cat = types.ModuleType("pack.shop"), Cat()
    module.cat, cat.module = [cat], module


async def _wait():
    await asyncio.Event().wait()


def task_that_waits():
    """A loop is closed before its task is done."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(_wait())
    loop.run_until_complete(asyncio.sleep(0))
    task._log_destroy_pending = False
    loop.close()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (method_in_list, "Job.observers keeps the bound method Job.close"),
        (callback_of_a_stack, "_exit_callbacks keeps the bound method Job.close"),
        (function_on_a_stack, "function_on_a_stack.<locals>.<lambda> keeps its"),
        (view_of_a_job, "make View._job a weakref.ref"),
        (tree_with_two_underscores, "Tree.__parent leads back to the owner"),
        (partial_in_list, "the functools.partial in Job.later keeps"),
        (callback_of_a_future, "Future.<callbacks> keeps the bound method"),
        (owner_of_a_compiled_part, "Compiled._owner leads back to the owner"),
        (result_of_a_future, "clear it with `finally: self.future = None`"),
        (error_of_a_future, "local 'waiting' of _fail keeps an exception whose"),
        (error_of_a_future_twice, "by a variable: end each, as _fail"),
        (error_of_a_pool, "local 'waiting' of error_of_a_pool keeps an exception"),
        (error_of_a_script, "the frame and its variables: keep error.with_traceback("),
        (errors_in_list, "clear it with `finally: errors.clear()`"),
        (errors_in_list_of_lists, "clear it with `finally: self.errors[0].clear()`"),
        (class_bound_to_its_maker, "keeps the bound method tests.cycles.test_advice.V"),
        (callable_that_is_bound, "Job.later keeps a bound method, which keeps its"),
        (errors_in_tuples, "clear it with `finally: tries.clear()`"),
        (error_in_tuple, "clear it with `finally: self.error = None`"),
        (error_in_dict, "clear it with `finally: del self.errors['last']`"),
        (traceback_in_local, "fail keeps a traceback, which keeps the frame: end"),
        (traceback_in_object, "Job.caught keeps a traceback, which keeps the frame"),
        (traceback_in_method, "clear it with `finally: self.caught = None`"),
        (traceback_in_closure, "clear it with `finally: self.caught = None`"),
        (traceback_in_iterator, "'job' of traceback_in_iterator leads to a trace"),
        (document, "refers to itself until it is unlinked: call its unlink() when"),
        (method_of_a_writer, "writer.<write> keeps the bound method Writer.write"),
        (method_that_waits, "Job.steps is kept by what it keeps: close() it"),
        (expression_that_waits, "<genexpr> is kept by what it keeps: close() it"),
        (function_of_a_closed_connection, "keeps its variable 'connection'"),
        (
            functions_that_call_each_other,
            "refer to each other by their variables: move them to the module, or",
        ),
        (
            function_with_another_name,
            "inside refers to itself by its variable 'inside'",
        ),
        (
            method_that_a_weak_reference_calls,
            "Job.main is a weak reference whose callback is the bound method Job.close",
        ),
        (function_behind_another, "hook keeps its variable 'work', which leads back"),
        (frame_in_local, "local 'frame' of frame_in_local keeps a frame, which"),
        (frames_in_list, "local 'stack' of frames_in_list keeps a frame, which"),
        (frame_in_attribute, "clear it with `finally: self.frame = None`"),
        (handler_that_knows_its_logger, "make NullHandler.logger a weakref.ref"),
        (values_of_a_thread, "`finally: del dict['me']`"),
        (attribute_of_a_function, "clear it with `finally: work.me = None`"),
        (attribute_of_a_module, "make Cat.module a weakref.ref"),
        (task_that_waits, "cancel() and await it before its loop is closed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_a_person_would_do(make, words):
    """The right thing is blamed, by a name that the program has for it."""
    make()

    report = refscope.find_cycles()

    assert any(words in group.example.advice for group in report.groups), [
        group.example.advice for group in report.groups
    ]


class Signal:
    """Calls who is registered; each of these knows it."""

    def __init__(self):
        self.receivers = {}


def receiver_of_a_signal():
    """A dictionary keeps the method of what also leads back."""
    job = Job()
    job.signal = Signal()
    job.signal.receivers[7] = job.close


def test_a_registered_method_is_cut_where_it_is_kept():
    """Not where what it is registered with has the name of its class."""
    receiver_of_a_signal()

    [group] = find_true().groups

    assert "receivers keeps the bound method Job.close" in group.example.advice
    assert [each.name for each in group.example.break_at] == ["[7]"]


def test_a_class_has_the_same_shape_everywhere():
    """Up to 3.14 it has descriptors that later versions share."""

    def make():
        class Local:
            pass

        return Local

    make()

    [group] = find_true().groups
    assert group.fingerprint == "9f9bd158"
    assert [step.name for step in group.example.references] == ["[0]", ".__mro__"]
