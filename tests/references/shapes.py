"""Every way in which an object can be passed to ``refcount``, beside the truth.

Run as a script it prints one line for each shape that is wrong; tests run it under
hooks and under the JIT, each in a process of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
from concurrent.futures import ThreadPoolExecutor

import refscope
from refscope import refcount


class Thing:
    """What is counted."""

    def __init__(self):
        self.address = id(self)


held = None  # a global


def truth(address):
    """Return the count in the header, read by address: nobody passes the object.

    On 64 bit the low half is enough; on 32 bit it is all there is.
    """
    return ctypes.c_uint32.from_address(address).value


def _local():
    thing = Thing()
    return truth(thing.address), refcount(thing)


def _two_names():
    thing = Thing()
    again = thing
    answer = truth(thing.address), refcount(again)
    del again
    return answer


def _parameter(thing=None):
    if thing is None:
        thing = Thing()
        return _parameter(thing)
    return truth(thing.address), refcount(thing)


def _parameter_of_attribute():
    class Holder:
        pass

    holder = Holder()
    holder.thing = Thing()
    return _parameter(holder.thing)


def _global():
    global held  # noqa: PLW0603  # the shape
    held = Thing()
    try:
        return truth(held.address), refcount(held)
    finally:
        held = None


def _module_attribute():
    thing = Thing()
    return truth(thing.address), refscope.refcount(thing)


def _attribute():
    class Holder:
        pass

    holder = Holder()
    holder.thing = Thing()
    return truth(holder.thing.address), refcount(holder.thing)


def _slot():
    class Holder:
        __slots__ = ("thing",)

    holder = Holder()
    holder.thing = Thing()
    return truth(holder.thing.address), refcount(holder.thing)


def _list_item():
    items = [Thing()] * 5
    return truth(items[0].address), refcount(items[0])


def _dict_item():
    items = {"a": Thing()}
    return truth(items["a"].address), refcount(items["a"])


def _keyword():
    thing = Thing()
    return truth(thing.address), refcount(obj=thing)


def _keyword_and_ignore():
    thing = Thing()
    return truth(thing.address) + 0, refcount(thing, ignore=0)


def _temporary():
    return 0, refcount(Thing())


def _cell():
    thing = Thing()

    def inner():
        return truth(thing.address), refcount(thing)

    return inner()


def _cell_of_outer():
    thing = Thing()

    def inner():
        return thing

    answer = truth(thing.address), refcount(thing)
    del inner
    return answer


def _comprehension():
    things = [Thing()]
    return [(truth(thing.address), refcount(thing)) for thing in things][0]  # noqa: RUF015


def _generator_expression():
    things = [Thing()]
    return next((truth(thing.address), refcount(thing)) for thing in things)


def _dict_comprehension():
    things = [Thing()]
    return {0: (truth(thing.address), refcount(thing)) for thing in things}[0]  # noqa: B035


def _lambda():
    return (lambda thing: (truth(thing.address), refcount(thing)))(Thing())  # noqa: PLC3002


def _loop():
    thing = Thing()
    for _ in range(3):
        answer = truth(thing.address), refcount(thing)
    return answer


def _hot_loop():
    thing = Thing()
    for _ in range(20_000):
        answer = refcount(thing)
        if answer.count != 1:
            break
    return truth(thing.address), answer


def _hot_loop_of_attribute():
    thing = Thing()
    thing.me = thing
    for _ in range(5_000):
        answer = refcount(thing.me)
        if answer.count != 2:
            break
    result = truth(thing.address), answer
    del thing.me
    return result


def _except_block():
    thing = Thing()
    try:
        raise ValueError  # noqa: TRY301
    except ValueError:
        return truth(thing.address), refcount(thing)


def _finally_block():
    thing = Thing()
    try:
        return truth(thing.address), refcount(thing)
    finally:
        things = [1]
        things.clear()


def _with_block():
    thing = Thing()
    with contextlib.suppress(KeyError):
        return truth(thing.address), refcount(thing)


def _caught():
    try:
        raise KeyError(Thing())  # noqa: TRY301
    except KeyError as error:
        return truth(error.args[0].address), refcount(error.args[0])


def _conditional():
    thing = Thing()
    return truth(thing.address), refcount(thing if thing else None)  # noqa: FURB110


def _walrus():
    return truth((thing := Thing()).address), refcount(thing)


def _formatted():
    thing = Thing()
    return truth(thing.address), int(f"{refcount(thing).count}")


def _nested_call():
    thing = Thing()
    return truth(thing.address), abs(int(refcount(thing)))


def _bound_method():
    thing = Thing()
    method = thing.__init__
    answer = truth(thing.address), refcount(thing)
    del method
    return answer


def _starred_tuple():
    arguments = (Thing(),)
    return truth(arguments[0].address), refcount(*arguments)


def _partial_with_argument():
    thing = Thing()
    count = functools.partial(refcount, thing)
    return truth(thing.address), count()


def _run(coroutine):
    """Return what a coroutine returns that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value


def _coroutine():
    async def work():
        thing = Thing()
        return truth(thing.address), refcount(thing)

    return _run(work())


def _generator():
    def work():
        thing = Thing()
        yield truth(thing.address), refcount(thing)

    return next(work())


def _async_generator():
    async def items():
        thing = Thing()
        yield truth(thing.address), refcount(thing)

    async def work():
        return [item async for item in items()][0]  # noqa: RUF015

    return _run(work())


def _thread():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_local).result()


def _method():
    class Holder:
        def __init__(self):
            self.thing = Thing()

        def count(self):
            return truth(self.thing.address), refcount(self.thing)

    return Holder().count()


def _class_body():
    class Holder:
        thing = Thing()
        answer = truth(thing.address), refcount(thing)

    return Holder.answer


def _exec():
    names = {"truth": truth, "refcount": refcount, "Thing": Thing}
    text = "thing = Thing(); answer = truth(thing.address), refcount(thing)"
    exec(text, names)  # noqa: S102  # the shape
    return names["answer"]


def _many():
    thing = Thing()
    many = [thing] * 100_000
    answer = truth(thing.address), refcount(thing)
    del many
    return answer


def _text():
    text = " ".join(map(str, range(3)))
    return truth(id(text)), refcount(text)


def _number():
    number = int("123456789123456789")
    return truth(id(number)), refcount(number)


def _tuple():
    items = tuple(map(float, range(3)))
    return truth(id(items)), refcount(items)


def _wrapper_that_ignores():
    def count(*args, **kwargs):
        return refcount(*args, **kwargs, ignore=1)

    thing = Thing()
    extra = {"obj": thing}
    return truth(thing.address) - 1, refcount(extra["obj"], ignore=1)


SHAPES = {
    name[1:]: shape
    for name, shape in list(globals().items())
    if name[0] == "_" and name[1] != "_" and name != "_run" and callable(shape)
}
"""Every function above that returns the truth and refscope's answer."""


def wrong(name):
    """Return what is wrong with the answer for a shape; None if nothing is."""
    true, answer = SHAPES[name]()
    count = answer if type(answer) is int else answer.count
    if count != true:
        return f"{name}: {count}, in truth {true}"
    if type(answer) is not int and not answer.exact:
        return f"{name}: {true} is right, and is said not to be exact"
    return None


def ignore_events(*_):
    """Be a hook that does nothing."""


def trace_lines(*_):
    """Be a trace function that wants lines."""
    return trace_lines


def trace_calls(*_):
    """Be a trace function that wants calls only."""


def under_trace_lines(name):
    """Answer with a trace function that is told of each line."""
    before = sys.gettrace()
    sys.settrace(trace_lines)
    try:
        return wrong(name)
    finally:
        sys.settrace(before)


def under_trace_calls(name):
    """Answer with a trace function that is told of calls."""
    before = sys.gettrace()
    sys.settrace(trace_calls)
    try:
        return wrong(name)
    finally:
        sys.settrace(before)


def under_profile(name):
    """Answer with a profile function."""
    before = sys.getprofile()
    sys.setprofile(ignore_events)
    try:
        return wrong(name)
    finally:
        sys.setprofile(before)


def under_monitoring(name):
    """Answer with a tool of ``sys.monitoring`` that is told of everything local."""
    monitoring = sys.monitoring
    events = monitoring.events
    tool = 3
    wanted = events.CALL | events.LINE | events.INSTRUCTION | events.PY_START
    monitoring.use_tool_id(tool, "shapes")
    for event in (events.CALL, events.LINE, events.INSTRUCTION, events.PY_START):
        monitoring.register_callback(tool, event, ignore_events)
    monitoring.set_events(tool, wanted)
    try:
        return wrong(name)
    finally:
        monitoring.set_events(tool, 0)
        for event in (events.CALL, events.LINE, events.INSTRUCTION, events.PY_START):
            monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)


WAYS = {
    "plain": wrong,
    "lines": under_trace_lines,
    "calls": under_trace_calls,
    "profile": under_profile,
    **({"monitoring": under_monitoring} if sys.version_info >= (3, 12) else {}),
}
"""With which hook a shape is run."""


def main():
    """Print what is wrong in the ways named, or in all."""
    for way in sys.argv[1:] or WAYS:
        for name in SHAPES:
            answer = WAYS[way](name)
            if answer is not None:
                sys.stdout.write(f"{way} {answer}\n")
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
