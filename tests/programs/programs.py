"""Small programs with one leak each, and their corrected twins.

``run_programs.py`` prints what ``find_leaks`` says of all of them, as JSON: so they are
measured in a small process of their own.
"""

from __future__ import annotations

import asyncio
import atexit
import collections
import contextlib
import contextvars
import ctypes
import decimal
import email
import enum
import functools
import gc
import json
import logging
import re
import signal
import sqlite3
import struct
import sys
import threading
import types
import warnings
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree as ET

import attrs

import refscope
import refscope.render
from refscope._measure.leaks import growth


NUMBERS = iter(range(1_000_000, 9_000_000))


@attrs.frozen
class Program:
    """One shape of a leak."""

    name: str
    leaky: Callable[[], object]
    fixed: Callable[[], object]
    type_name: str
    kind: str = "objects"
    verdict: str = "held"
    root: str | None = None
    """How the root is called."""
    names: tuple[str, ...] = ()
    """Names that must be on the path, in this order."""
    per_call: float = 1.0
    needs: str | None = None
    """``threads`` where it starts some."""


PROGRAMS: list[Program] = []
HERE = "leaky_programs"


def program(type_name="Item", **about):
    """Add a program: a function that returns the leaky and the fixed one."""

    def add(make):
        leaky, fixed = make()
        name = f"{HERE}.{type_name}" if type_name == "Item" else type_name
        PROGRAMS.append(Program(make.__name__, leaky, fixed, name, **about))
        return make

    return add


class Item:
    """What leaks."""

    def __init__(self, holds=None):
        self.holds = holds

    def close(self):
        """Stand for a callback."""


class Shop:
    """What has things."""

    instances = []  # noqa: RUF012  # that is the leak

    def __init__(self):
        self.items = []
        self.by_id = {}
        self.last = None


ITEMS, HANDLERS, ERRORS, GENERATORS, GRAVE, CALLS, NAMES = ([] for _ in range(7))
PARTIALS, TOKENS, ARRAYS, FUTURES, METHODS = ([] for _ in range(5))
SEEN, TASKS = set(), set()
TABLE, BY_ID, STATS, BLOBS = {}, {}, {}, {}
QUEUE = collections.deque()
RECENT = collections.OrderedDict()
PAGES = collections.defaultdict(list)
SHOP = Shop()
VALUES = weakref.WeakKeyDictionary()
CURRENT = contextvars.ContextVar("CURRENT", default=None)
OTHER = contextvars.ContextVar("OTHER", default=None)


@program(root=f"module {HERE}", names=(".ITEMS",))
def module_list():
    """A list of a module is never emptied."""

    def fixed():
        ITEMS.append(Item())
        ITEMS.pop()

    return lambda: ITEMS.append(Item()), fixed


@program(names=(".Shop", ".instances"))
def class_attribute():
    """A class remembers its instances."""
    return lambda: Shop.instances.append(Item()), lambda: Shop().items.append(Item())


@program(names=(".SHOP", ".by_id"))
def instance_dictionary():
    """An object of a module has a dictionary that grows."""

    def leaky():
        SHOP.by_id[next(NUMBERS)] = Item()

    def fixed():
        SHOP.by_id["latest"] = Item()

    return leaky, fixed


class Page:
    """Its cache keeps each instance."""

    @functools.cache  # noqa: B019  # that is the leak
    def text(self):
        """Return nothing."""

    @functools.lru_cache(maxsize=8)  # noqa: B019
    def bounded(self):
        """Return nothing."""


@program(f"{HERE}.Page", names=(".Page",))
def cached_method():
    """functools.lru_cache on a method keeps self."""
    return lambda: Page().text(), lambda: Page().bounded()


@program(names=(".HANDLERS",))
def closure():
    """A callback's closure keeps what it uses."""

    def leaky():
        item = Item()
        HANDLERS.append(lambda: item)

    def fixed():
        item = Item()
        HANDLERS[:0] = [lambda: item]
        del HANDLERS[0]

    return leaky, fixed


def remember(item, seen=[]):  # noqa: B006  # that is the leak
    """Keep the item in a default argument."""
    seen.append(item)


def forget(item, seen=None):
    """Keep the item in an argument."""
    (seen or []).append(item)


@program(names=(".remember", ".__defaults__"))
def default_argument():
    """A mutable default argument lives as long as its function."""
    return lambda: remember(Item()), lambda: forget(Item())


@program(names=(".TABLE",), needs="threads")
def table_of_dead_threads():
    """Values by thread stay when the thread is gone."""

    def run(work):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    def leaky():
        run(lambda: TABLE.setdefault(next(NUMBERS), Item()))

    def fixed():
        local = threading.local()
        run(lambda: setattr(local, "item", Item()))

    return leaky, fixed


@program(root="context of a thread")
def context_variable():
    """Each value of a context variable leads to the one before."""

    def leaky():
        CURRENT.set((Item(), CURRENT.get()))

    def fixed():
        token = OTHER.set((Item(), OTHER.get()))
        OTHER.reset(token)

    return leaky, fixed


@program(names=(".VALUES",))
def weak_dictionary():
    """The value of a weak dictionary refers to its key."""

    def leaky():
        item = Item()
        VALUES[item] = [item]

    def fixed():
        item = Item()
        VALUES[item] = [weakref.ref(item)]

    return leaky, fixed


@program(f"{HERE}.Item", root="signal handlers")
def signal_handlers():
    """Each handler of a signal calls the one before."""

    def leaky():
        signal.signal(signal.SIGTERM, Item(signal.getsignal(signal.SIGTERM)).holds_it)

    def fixed():
        before = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, Item(before).holds_it)
        signal.signal(signal.SIGINT, before)

    Item.holds_it = lambda self, *_: self.holds
    return leaky, fixed


@program(names=(".SHOP", ".items"))
def bound_methods():
    """A list of callbacks keeps what they are bound to."""

    def fixed():
        SHOP.last = Item().close

    return lambda: SHOP.items.append(Item().close), fixed


@program("logging.NullHandler", names=(".handlers",))
def logging_handlers():
    """A logger gets a handler with each call."""
    logger = logging.getLogger("refscope.tests.leaky")

    def fixed():
        handler = logging.NullHandler()
        logger.addHandler(handler)
        logger.removeHandler(handler)

    return lambda: logger.addHandler(logging.NullHandler()), fixed


@program(root="functions of atexit")
def at_exit():
    """Functions for the end of the program pile up."""

    def fixed():
        close = Item().close
        atexit.register(close)
        atexit.unregister(close)

    return lambda: atexit.register(Item().close), fixed


@program("_asyncio.Task", names=(".TASKS",), needs="threads")
def task_set():
    """Tasks that never finish stay in a set."""
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)

    async def wait_for(event):
        await event

    async def start():
        TASKS.add(asyncio.ensure_future(wait_for(loop.create_future())))
        await asyncio.sleep(0)

    async def start_and_cancel():
        task = asyncio.ensure_future(wait_for(loop.create_future()))
        TASKS.add(task)
        task.add_done_callback(TASKS.discard)
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return (
        lambda: loop.run_until_complete(start()),
        lambda: loop.run_until_complete(start_and_cancel()),
    )


@program("ValueError", names=(".ERRORS",))
def kept_exception():
    """A list of errors keeps their frames."""

    def fail():
        item = Item()
        raise ValueError(item.holds)

    def leaky():
        try:
            fail()
        except ValueError as error:
            ERRORS.append(error)

    def fixed():
        try:
            fail()
        except ValueError as error:
            ERRORS[:] = [str(error)]

    return leaky, fixed


@program("generator", names=(".GENERATORS",))
def parked_generator():
    """A generator that is never finished keeps its locals."""

    def numbers():
        item = Item()
        yield item.holds

    def leaky():
        generator = numbers()
        next(generator)
        GENERATORS.append(generator)

    return leaky, lambda: list(numbers())


class Lazarus:
    """Comes back."""

    def __del__(self):
        GRAVE.append(self)


@program(f"{HERE}.Lazarus", names=(".GRAVE",))
def resurrection():
    """A finalizer saves its object."""
    return lambda: bool(Lazarus()), lambda: bool(Item())


class Plugin:
    """Remembers its subclasses."""

    known = []  # noqa: RUF012  # that is the leak

    def __init_subclass__(cls, *, is_known=True):
        Plugin.known += [cls] if is_known else []


@program("type", names=(".Plugin", ".known"))
def subclass_registry():
    """A base class remembers classes that are made in a function."""
    return lambda: type("Made", (Plugin,), {}), lambda: Plugin.known.count(Plugin)


class Colour(enum.Enum):
    """Makes members when they are asked for."""

    RED = -1

    @classmethod
    def _missing_(cls, value):
        member = object.__new__(cls)
        member._name_, member._value_ = str(value), value
        return cls._value2member_map_.setdefault(value, member)


@program(f"{HERE}.Colour", names=(".Colour", "._value2member_map_"))
def enum_cache():
    """An enumeration remembers made-up members."""
    return lambda: Colour(next(NUMBERS)), lambda: Colour(-1)


@functools.singledispatch
def show(thing):
    """Do nothing."""


@program("type", names=(".show",))
def singledispatch_registry():
    """A generic function remembers classes that are made in a function."""

    def leaky():
        show.register(type("Made", (), {}), lambda _: None)

    return leaky, lambda: show(1)


@program("dict", names=(".STATS",))
def dictionary_of_dictionaries():
    """Statistics by key have no end."""

    def leaky():
        STATS[next(NUMBERS)] = {"times": []}

    def fixed():
        STATS[next(NUMBERS) % 4] = {"times": []}

    return leaky, fixed


@program(names=(".QUEUE",))
def endless_queue():
    """Nobody takes from a queue."""

    def fixed():
        QUEUE.append(Item())
        QUEUE.popleft()

    return lambda: QUEUE.append(Item()), fixed


@program(names=(".SEEN",))
def set_of_seen():
    """What was seen is never forgotten."""

    def fixed():
        item = Item()
        SEEN.add(item)
        SEEN.discard(item)

    return lambda: SEEN.add(Item()), fixed


@program(names=(".CHAIN", ".last", ".holds"))
def linked_list():
    """Each object leads to the one before."""

    def leaky():
        CHAIN.last = Item(CHAIN.last)

    def fixed():
        CHAIN.by_id["last"] = Item()

    return leaky, fixed


CHAIN = Shop()


@program(names=(".BY_ID",))
def cache_by_identity():
    """A cache by id() keeps the objects, so that no id comes again."""

    def leaky():
        item = Item()
        BY_ID[id(item)] = item

    def fixed():
        item = Item()
        BY_ID[id(item)] = item
        BY_ID.clear()

    return leaky, fixed


@program(names=(".PARTIALS",))
def partial_callbacks():
    """functools.partial keeps its arguments."""

    def fixed():
        PARTIALS[:] = [functools.partial(Item.close, Item())]

    return lambda: PARTIALS.append(functools.partial(Item.close, Item())), fixed


@program("concurrent.futures._base.Future", names=(".FUTURES",), needs="threads")
def futures():
    """Results are kept in a list."""
    pool = ThreadPoolExecutor(2)
    atexit.register(pool.shutdown)

    def leaky():
        future = pool.submit(Item)
        FUTURES.append(future)
        future.result()

    return leaky, lambda: pool.submit(Item).result()


@program(root="module weakref", names=(".finalize", "._registry"))
def finalizers():
    """The callback of a finalizer keeps what it waits for."""

    def leaky():
        item = Item()
        weakref.finalize(item, item.close)

    def fixed():
        weakref.finalize(Item(), len, "")

    return leaky, fixed


@program("module", root="module sys", names=(".modules",))
def made_modules():
    """Modules that are made are never taken out of sys.modules."""

    def leaky():
        name = f"made_{next(NUMBERS)}"
        sys.modules[name] = types.ModuleType(name)

    def fixed():
        types.ModuleType("made")

    return leaky, fixed


@program("str", kind="memory", names=(".NAMES",))
def list_of_texts():
    """Strings pile up; the collector does not track them."""
    return lambda: NAMES.append(f"name {next(NUMBERS)}"), lambda: f"{next(NUMBERS)}"


@program("bytes", kind="memory", names=(".BLOBS",))
def cache_of_bytes():
    """A cache has no bound."""

    def leaky():
        BLOBS[len(BLOBS)] = bytes(1000)

    def fixed():
        BLOBS["latest"] = bytes(1000)

    return leaky, fixed


@program("bytearray", kind="memory", names=(".ARRAYS",))
def arrays():
    """Objects without a collector's header pile up."""

    def fixed():
        ARRAYS[:] = [bytearray(8)]

    return lambda: ARRAYS.append(bytearray(8)), fixed


def _leak_in_c(thing):
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


@program("list", verdict="native")
def tracked_in_c():
    """A reference to a list is never given back in C."""
    return lambda: _leak_in_c([None]), lambda: [None]


@program("", kind="memory", verdict="native")
def text_in_c():
    """A reference to a string is never given back in C."""
    return lambda: _leak_in_c(f"text {next(NUMBERS)}"), lambda: f"{next(NUMBERS)}"


@program(kind="cycles", verdict="cycle")
def self_reference():
    """An object refers to itself."""

    def leaky():
        item = Item()
        item.holds = item

    return leaky, lambda: Item(Item())


@program("ValueError", kind="cycles", verdict="cycle")
def error_in_its_frame():
    """A local variable keeps the error whose traceback has the frame."""

    def leaky():
        try:
            raise ValueError  # noqa: TRY301
        except ValueError as error:
            kept = error
        return kept is None

    def fixed():
        try:
            raise ValueError  # noqa: TRY301
        except ValueError as error:
            return error is None

    return leaky, fixed


@program(kind="cycles", verdict="cycle")
def parent_and_child():
    """Two objects refer to each other."""

    def leaky():
        parent = Item()
        parent.holds = Item(parent)

    def fixed():
        parent = Item()
        parent.holds = weakref.ref(Item(weakref.ref(parent)))

    return leaky, fixed


@program("function", kind="cycles", verdict="cycle")
def recursive_closure():
    """An inner function that calls itself is in its own closure."""

    def leaky():
        def count(number):
            return number and count(number - 1)

        return count(3)

    def fixed():
        return sum(range(3))

    return leaky, fixed


@program(names=(".CALLS",), per_call=1 / 3)
def every_third_call():
    """Two of three calls are clean."""
    numbers = iter(range(9_000_000))

    def leaky():
        if next(numbers) % 3 == 0:
            CALLS.append(Item())

    return leaky, Item


@program("tuple", kind="memory", names=(".__warningregistry__",))
def warning_registry():
    """Each text of a warning is remembered by the module that warns."""

    def warn(text):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.warn_explicit(
                text, UserWarning, "leaky.py", 1, registry=__warningregistry__
            )

    return lambda: REGISTRY_OF_WARNINGS(next(NUMBERS)), lambda: None


__warningregistry__ = {}


def REGISTRY_OF_WARNINGS(number):  # noqa: N802
    """Remember a text as the warnings module does."""
    __warningregistry__[f"text {number}", UserWarning, 1] = True


@program(names=(".RECENT",))
def ordered_cache():
    """Nothing is ever taken out of a cache that is kept in order."""

    def leaky():
        RECENT[next(NUMBERS)] = Item()

    def fixed():
        RECENT[next(NUMBERS)] = Item()
        if len(RECENT) > 3:
            RECENT.popitem(last=False)

    return leaky, fixed


@program("list", names=(".PAGES",))
def default_dictionary():
    """Asking a defaultdict adds to it."""
    return lambda: PAGES[next(NUMBERS)], lambda: PAGES.get(next(NUMBERS))


@program("_contextvars.Token", names=(".TOKENS",))
def context_tokens():
    """Tokens keep the value that was there before."""

    def fixed():
        OTHER.reset(OTHER.set(None))

    return lambda: TOKENS.append(OTHER.set(None)), fixed


def _sqlite():
    with sqlite3.connect(":memory:") as base:
        base.execute("create table t (a)")
        base.execute("insert into t values (1)")
        base.execute("select * from t").fetchall()
    base.close()


CLEAN = {
    "json": lambda: json.loads(json.dumps({"a": [1, 2.5, None, {"b": "c"}]})),
    "re": lambda: re.sub(r"(\w+) (\w+)", r"\2 \1", "one two three four"),
    "re_compile": lambda: re.compile("a+b").findall("aab ab"),
    "decimal": lambda: sum(map(decimal.Decimal, ("1.1", "2.2"))),
    "sqlite3": _sqlite,
    "xml": lambda: ET.tostring(ET.fromstring("<a><b>c</b></a>")),  # noqa: S314
    "email": lambda: email.message_from_string("To: a@b\n\nText").as_string(),
    "struct": lambda: struct.unpack("<IH", struct.pack("<IH", 1, 2)),
    "sorted": lambda: sorted(range(100), key=str),
    "namedtuple": lambda: collections.Counter("mississippi").most_common(2),
    "text": lambda: "{:>10}".format("x").encode().decode().title().split(),
}


OWN = {
    "track": lambda: refscope.track("x").start().stop(),
    "why_alive": lambda: refscope.why_alive(SHOP),
    "expect_gone": lambda: refscope.expect_gone(Item(), "test").check(),
    "find_cycles": refscope.find_cycles,
    "find_leaks": lambda: refscope.find_leaks(Item, rounds=2),
    "to_json": lambda: refscope.render.to_json(refscope.TrackReport()),
}


def _findings(function):
    report = refscope.find_leaks(function, rounds=3)
    return {
        "headline": report.headline,
        "limits": report.limits,
        "seconds": report.overhead,
        "text": str(report),
        "leaks": [
            {
                "kind": leak.kind,
                "type_name": leak.type_name,
                "per_call": leak.per_call,
                "growth": leak.growth,
                "verdict": leak.verdict,
                "fingerprint": leak.fingerprint,
                "line": leak.traceback and str(leak.traceback.innermost),
                "root": leak.held_by and leak.held_by.root,
                "names": leak.held_by and [ref.name for ref in leak.held_by.references],
            }
            for leak in report.leaks
        ],
    }


def run_all(wanted=()):
    """Return what is found in each program and its twin, by name."""
    growth.ENOUGH_CALLS = 30  # no cache here takes longer
    chosen = [each for each in PROGRAMS if not wanted or each.name in wanted]
    held = [each for each in chosen if each.kind != "cycles"]
    # Beside the threads that they leave each look at the heap takes longer.
    held.sort(key=lambda each: each.needs == "threads")
    leaky = {each.name: _findings(each.leaky) for each in held}
    QUEUE.clear()  # or the twins put new things in the place of frozen ones
    RECENT.clear()
    gc.collect()
    gc.freeze()  # so that a look costs nothing, where no holder is asked for
    leaky |= {each.name: _findings(each.leaky) for each in chosen if each not in held}
    fixed = {each.name: _findings(each.fixed) for each in chosen}
    return {
        "clean": {name: _findings(work) for name, work in (CLEAN | OWN).items()},
        **{name: {"leaky": leaky[name], "fixed": fixed[name]} for name in leaky},
    }
