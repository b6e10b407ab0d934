"""One function for each kind of holder: it makes one that holds a thing.

Each returns the holder, the name of its one reference, and what keeps the holder alive.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import functools
import itertools
import operator
import sys
import types
import weakref
from collections import (
    ChainMap,
    OrderedDict,
    UserDict,
    UserList,
    defaultdict,
    deque,
    namedtuple,
)


def fresh(*words):
    """Return a text of some words that no code has as a constant."""
    return " ".join(words)


class Thing:
    """What is held: hashable, callable, and with an attribute or two."""

    def __call__(self, *_):
        """Do nothing."""

    def method(self):
        """Do nothing."""


class Holder:
    """Has attributes."""

    def __init__(self, **attributes):
        for name, value in attributes.items():
            setattr(self, name, value)


class Slotted:
    """Has a slot."""

    __slots__ = ("slot",)


class Both(Slotted):
    """Has a slot and attributes."""


@dataclasses.dataclass
class Data:
    """A dataclass."""

    field: object


@dataclasses.dataclass
class SlottedData:
    """A dataclass with slots, made by hand, as 3.10 has no weakref for them."""

    __slots__ = ("field",)
    field: object


Point = namedtuple("Point", "x y")  # noqa: PYI024  # the kind


def attribute(thing):
    """Hold by an attribute, which lies in the instance from 3.11 on."""
    holder = Holder(found=thing)
    return holder, ".found", holder


def attribute_set_from_outside(thing):
    """Hold by an attribute that no code of the class names."""
    holder = Holder()
    holder.from_outside = thing
    return holder, ".from_outside", holder


def attribute_of_odd_name(thing):
    """Hold by an attribute that no dot reaches."""
    holder = Holder(**{"no name": thing})
    return holder, ".__dict__['no name']", holder


def attribute_among_many(thing):
    """Hold by one of 50 attributes, more than fit into an instance."""
    names = {f"a{number}": number for number in range(50)}
    # A class of its own: afterwards no instance keeps attributes in itself.
    holder = type("Holder", (Holder,), {})(**names, found=thing)
    return holder, ".found", holder


def attribute_in_a_dict(thing):
    """Hold by an attribute after somebody asked for the dictionary."""
    holder = Holder(found=thing)
    return holder, ".found", (holder, holder.__dict__)


def attribute_of_a_replaced_dict(thing):
    """Hold by an attribute in a dictionary that was put in place."""
    holder = Holder()
    holder.__dict__ = {"found": thing}
    return holder, ".found", holder


def slot(thing):
    """Hold by a slot."""
    holder = Slotted()
    holder.slot = thing
    return holder, ".slot", holder


def slot_of_a_base(thing):
    """Hold by a slot that a base has; the class has a dictionary too."""
    holder = Both()
    holder.slot = thing
    holder.other = 1
    return holder, ".slot", holder


def attribute_beside_a_slot(thing):
    """Hold by an attribute of a class whose base has slots."""
    holder = Both()
    holder.found = thing
    holder.slot = 1
    return holder, ".found", holder


def field_of_a_dataclass(thing):
    """Hold by a field."""
    holder = Data(thing)
    return holder, ".field", holder


def field_of_a_slotted_dataclass(thing):
    """Hold by a field with a slot."""
    holder = SlottedData(thing)
    return holder, ".field", holder


def attribute_of_a_list(thing):
    """Hold by an attribute of a subclass of list."""
    holder = type("Items", (list,), {})([1, 2])
    holder.found = thing
    return holder, ".found", holder


def attribute_of_a_tuple(thing):
    """Hold by an attribute of a subclass of tuple."""
    holder = type("Items", (tuple,), {})([1, 2])
    holder.found = thing
    return holder, ".found", holder


def item_of_a_user_list(thing):
    """Hold by the list that a UserList wraps."""
    holder = UserList([thing])
    return holder.data, "[0]", holder


def item_of_a_user_dict(thing):
    """Hold by the dictionary that a UserDict wraps."""
    holder = UserDict(key=thing)
    return holder.data, "['key']", holder


def dict_value(thing):
    """Hold as a value."""
    holder = {"key": thing, 2: 3}
    return holder, "['key']", holder


def dict_value_of_number(thing):
    """Hold as a value of a key that is a number."""
    holder = {7: thing}
    return holder, "[7]", holder


def dict_value_of_tuple(thing):
    """Hold as a value of a key that is a tuple."""
    holder = {("a", 1): thing}
    return holder, "[('a', 1)]", holder


def dict_key(thing):
    """Hold as a key."""
    holder = {thing: 1}
    return holder, "{...}", holder


def ordered_dict_value(thing):
    """Hold as a value in order."""
    holder = OrderedDict(key=thing)
    return holder, "['key']", holder


def default_dict_value(thing):
    """Hold as a value."""
    holder = defaultdict(list, key=thing)
    return holder, "['key']", holder


def default_factory(thing):
    """Hold as the function that makes what is missing."""
    holder = defaultdict(thing)
    return holder, ".default_factory", holder


def chain_map(thing):
    """Hold in one of several mappings."""
    holder = ChainMap({}, {"key": thing})
    return holder.maps[1], "['key']", holder


def list_item(thing):
    """Hold as an item."""
    holder = [0, 1, thing]
    return holder, "[2]", holder


def tuple_item(thing):
    """Hold as an item."""
    holder = (0, thing)
    return holder, "[1]", holder


def named_tuple_item(thing):
    """Hold as a field."""
    holder = Point(1, thing)
    return holder, ".y", holder


def deque_item(thing):
    """Hold as an item."""
    holder = deque([0, thing])
    return holder, "[1]", holder


def set_element(thing):
    """Hold as an element."""
    holder = {thing}
    return holder, "{...}", holder


def frozen_set_element(thing):
    """Hold as an element."""
    holder = frozenset([thing])
    return holder, "{...}", holder


def closure(thing):
    """Hold by a variable of an inner function."""

    def inner():
        return thing

    return inner.__closure__[0], "<cell thing>", inner


def function_default(thing):
    """Hold as the default of an argument."""

    def function(_=thing):
        pass

    return function.__defaults__, "[0]", function


def keyword_default(thing):
    """Hold as the default of an argument that must be named."""

    def function(*, found=thing):
        pass

    return function.__kwdefaults__, "['found']", function


def function_global(thing):
    """Hold as a global of a function whose module is not imported."""
    names = {"found": thing}
    exec("def function(): return found", names)  # noqa: S102  # a module of its own
    return names, "['found']", names["function"]


def function_attribute(thing):
    """Hold as an attribute of a function."""

    def function():
        pass

    function.found = thing
    return function, ".found", function


def bound_method(thing):
    """Hold as what a method is bound to."""
    holder = thing.method
    return holder, ".__self__", holder


def method_wrapper(thing):
    """Hold as what a slot of C is bound to."""
    holder = thing.__str__
    return holder, ".__self__", holder


def partial_function(thing):
    """Hold as the function of a partial."""
    holder = functools.partial(thing)
    return holder, ".func", holder


def partial_argument(thing):
    """Hold as an argument of a partial."""
    holder = functools.partial(print, thing)
    return holder.args, "[0]", holder


def partial_keyword(thing):
    """Hold as a named argument of a partial."""
    holder = functools.partial(print, file=thing)
    return holder.keywords, "['file']", holder


def property_getter(thing):
    """Hold as the getter of a property."""
    holder = property(thing)
    return holder, ".fget", holder


def class_method(thing):
    """Hold as the function of a class method."""
    holder = classmethod(thing)
    return holder, ".__func__", holder


def static_method(thing):
    """Hold as the function of a static method."""
    holder = staticmethod(thing)
    return holder, ".__func__", holder


def class_member(thing):
    """Hold as a member of a class."""
    holder = type("Owner", (), {"found": thing})
    return holder, ".found", holder


def module_attribute(thing):
    """Hold as a global of a module."""
    holder = types.ModuleType("a_module")
    holder.found = thing
    return holder, ".found", holder


def namespace(thing):
    """Hold as an attribute of a SimpleNamespace."""
    holder = types.SimpleNamespace(found=thing)
    return holder, ".found", holder


def cached_property(thing):
    """Hold as the value of a cached property."""

    class Owner:
        """Has one."""

        @functools.cached_property
        def found(self):
            """Be computed once."""
            return thing_of[0]

    thing_of = [thing]
    holder = Owner()
    _ = holder.found
    thing_of.clear()
    return holder, ".found", holder


def generator_local(thing):
    """Hold as a variable of a generator that waits."""

    def generator(found):
        yield
        yield found

    running = generator(thing)
    next(running)
    holder = running.gi_frame if sys.version_info < (3, 11) else running
    name = f"<local found in {_inside(running.gi_code)}>"
    return holder, name, running


def coroutine_local(thing):
    """Hold as a variable of a coroutine that waits."""

    async def coroutine(found):
        await wait()
        return found

    @types.coroutine
    def wait():
        yield

    running = coroutine(thing)
    running.send(None)
    holder = running.cr_frame if sys.version_info < (3, 11) else running
    name = f"<local found in {_inside(running.cr_code)}>"
    return holder, name, _Closed(running)


def async_generator_local(thing):
    """Hold as a variable of an asynchronous generator that waits."""

    async def generator(found):
        yield 1
        yield found

    running = generator(thing)
    with contextlib.suppress(StopIteration):
        running.__anext__().send(None)
    holder = running.ag_frame if sys.version_info < (3, 11) else running
    name = f"<local found in {_inside(running.ag_code)}>"
    return holder, name, running


class _Closed:
    """Closes a coroutine when the test is over, so that none is left unfinished."""

    def __init__(self, coroutine):
        self.coroutine = coroutine

    def __del__(self):
        self.coroutine.close()


def _inside(code):
    return getattr(code, "co_qualname", code.co_name)[:60]


def traceback_local(thing):
    """Hold as a variable of a frame that a traceback keeps."""

    def fail(found):
        raise ValueError(len([found]))

    try:
        fail(thing)
    except ValueError as error:
        kept = error
    frame = kept.__traceback__.tb_next.tb_frame
    kept.__traceback__ = kept.__traceback__.tb_next
    name = f"<local found in {_inside(frame.f_code)}>"
    del thing  # this frame is kept by the other
    return frame, name, kept


def exception_argument(thing):
    """Hold as an argument of an exception."""
    holder = ValueError(thing)
    return holder.args, "[0]", holder


def exception_attribute(thing):
    """Hold as an attribute of an exception."""
    holder = ValueError()
    holder.found = thing
    return holder, ".found", holder


def system_exit_code(thing):
    """Hold as the code of SystemExit, beside its argument."""
    holder = SystemExit()
    holder.code = thing
    return holder, ".code", holder


def context_variable(thing):
    """Hold as the value of a context variable in a context."""
    variable = contextvars.ContextVar("found")
    context = contextvars.Context()
    context.run(variable.set, thing)
    return None, "<context variable found>", (variable, context)


def context_variable_default(thing):
    """Hold as the default of a context variable."""
    holder = contextvars.ContextVar("found", default=thing)
    return holder, "<default>", holder


def thread_local(thing):
    """Hold as a value of this thread."""
    import _thread

    holder = _thread._local()
    holder.found = thing
    return holder.__dict__, "['found']", holder


def weakref_callback(thing):
    """Hold as what is called when something else dies; that is held weakly."""
    other = Holder()
    holder = weakref.ref(other, thing)
    return holder, ".__callback__", (holder, other)


def proxy_callback(thing):
    """Hold as what is called when the object of a proxy dies."""
    other = Holder()
    holder = weakref.proxy(other, thing)
    return holder, "<callback>", (holder, other)


def bounded_cache_value(thing):
    """Hold as a result that a cache remembers."""

    @functools.lru_cache(maxsize=10)
    def function(_):
        return things.pop()

    things = [thing]
    function(5)
    return function, "<cached result for 5>", function


def bounded_cache_key(thing):
    """Hold as an argument that a cache remembers, in a tuple of two."""

    @functools.lru_cache(maxsize=10)
    def function(*_):
        pass

    function(thing, 1)
    return None, "[0]", function


def endless_cache_value(thing):
    """Hold as a result that a cache without bounds remembers."""

    @functools.cache
    def function(_):
        return things.pop()

    things = [thing]
    function(5)
    return None, "[5]", function


def repeat_iterator(thing):
    """Hold as what is repeated."""
    holder = itertools.repeat(thing)
    return holder, "<underlying>", holder


def map_iterator(thing):
    """Hold as the function of ``map``."""
    holder = map(thing, [])
    return holder, "<underlying>", holder


def slice_part(thing):
    """Hold as a part of a slice."""
    holder = slice(thing)
    return holder, ".stop", holder


def super_object(thing):
    """Hold as what ``super`` is bound to."""
    holder = super(Thing, thing)
    return holder, ".__self__", holder


def generic_argument(thing):
    """Hold as the argument of a generic type."""
    holder = list[thing]
    return holder.__args__, "[0]", holder


def item_getter(thing):
    """Hold as what ``operator.itemgetter`` looks for."""
    holder = operator.itemgetter(thing)
    return holder, "<items>", holder


def method_type(thing):
    """Hold as the function of a method."""
    holder = types.MethodType(thing, 1)
    return holder, ".__func__", holder


KINDS = {
    name: kind
    for name, kind in list(globals().items())
    if type(kind) is types.FunctionType
    and kind.__module__ == __name__
    and name[0] != "_"
    and name != "fresh"
}
"""Every function above."""

if sys.version_info >= (3, 15):

    def frozen_dict_value(thing):
        """Hold as a value of a frozendict."""
        holder = frozendict(key=thing)  # noqa: F821
        return holder, "['key']", holder

    KINDS["frozen_dict_value"] = frozen_dict_value
