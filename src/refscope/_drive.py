"""Functions of every kind, tracked call by call.

A generator or coroutine is driven step by step, so that memory counts only while it
runs.  The block is closed inside ``_run``, right where the function's result arrives:
a moment later an exception that carries the result would be counted.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Generator
from functools import partial, wraps
from types import GeneratorType, MethodType, coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

from refscope._measure.heap import ours
from refscope._measure.names.containers import CACHE
from refscope._measure.session import boundary

from ._calls import is_suspended, new_block, plain


if TYPE_CHECKING:
    from ._calls import Block, Tracker


F = TypeVar("F")
TRACKER = "__refscope_tracker__"
_ENDED = object()
_CLOSED = object()
# An asynchronous generator hands items over in exceptions (Objects/genobject.c,
# async_gen_unwrap_value): while it runs, a smaller rise cannot be told from these.
_EXCEPTION_SIZE = 1024


def tracked(function: F, tracker: Tracker, label: str) -> F:
    """Return the function with each call tracked, of the same kind as before."""
    wrapper: F = _kind(function)(function, tracker, label)
    setattr(wrapper, TRACKER, tracker)
    called: object = function
    if type(called) is CACHE:  # wraps() copies what a function of Python has
        for name in ("cache_info", "cache_clear", "cache_parameters"):
            setattr(wrapper, name, getattr(called, name))
    return wrapper


def _kind(function: object) -> Callable[[Any, Tracker, str], Any]:
    called = _called(function)
    if inspect.isasyncgenfunction(called):
        return _async_generator
    # A function can be marked as one, and an object that is called too (3.12+).
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):
        return _coroutine
    if inspect.isgeneratorfunction(called):
        return _generator
    return plain


def _called(function: object) -> object:
    """Return the function that a call runs; inspect does not look at ``__call__``."""
    function = _unwrapped(function)
    if hasattr(function, "__code__"):
        return function
    return _unwrapped(cast("object", getattr(type(function), "__call__")))  # noqa: B004, B009


def _generator(function: Any, tracker: Tracker, label: str) -> Any:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        block = new_block(tracker, label, kwargs)
        inner = function(*args, **kwargs)
        del args, kwargs  # else they would live as long as the generator
        try:
            return cast("Any", (yield from _driven(block, inner, is_item=False)))
        except GeneratorExit:
            if block.is_empty_handed:
                raise
        return block.take()  # what it returns when it is closed

    code = getattr(_called(function), "__code__", None)
    is_awaitable = code and code.co_flags & inspect.CO_ITERABLE_COROUTINE
    return coroutine(wrapper) if is_awaitable else wrapper


def _unwrapped(function: object) -> object:
    """Return what partial functions and bound methods lead to, as inspect does."""
    while isinstance(function, (partial, MethodType)):
        name = "func" if isinstance(function, partial) else "__func__"
        function = cast("object", getattr(function, name))
    return function


def _coroutine(function: Any, tracker: Tracker, label: str) -> Any:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        block = new_block(tracker, label, kwargs)
        inner = function(*args, **kwargs)
        del args, kwargs  # else they would live as long as the coroutine
        try:
            return await _driven(block, inner, is_item=False)
        except GeneratorExit:
            if block.is_empty_handed:
                raise
        return block.take()  # what it returns when it is closed

    return wrapper


def _async_generator(function: Any, tracker: Tracker, label: str) -> Any:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        inner = function(*args, **kwargs)
        frame = _frame_object(inner, "ag_frame")
        block = new_block(tracker, label, kwargs)
        del args, kwargs  # else they would live as long as the generator
        first = _first_item(inner)  # before the block, and held until it ends
        block.start()
        block.pause()
        step = _driven(block, first, is_item=True)
        # No variable holds what asks for the next item: one that throws an error has
        # it, and the error has this frame.
        while await step:
            try:
                block.keep((yield block.take()))
                step = _driven(block, _item(inner.asend, block), is_item=True)
            except GeneratorExit:  # noqa: PERF203  # each item can bring one in
                break
            except BaseException as error:  # noqa: BLE001  # thrown on into the generator
                block.keep(error)
                step = _driven(block, _item(inner.athrow, block), is_item=True)
        else:
            _clear(frame)
            block.end(None)
            return
        await _driven(block, inner.aclose(), is_item=True)
        block.resume()  # for what its variables hold
        _clear(frame)
        block.end(GeneratorExit)
        raise GeneratorExit

    return wrapper


def _first_item(inner: Any) -> Any:
    """Return the awaitable of the first item, which no event loop is told of.

    A loop closes each generator that it knows when the loop ends, or when nobody holds
    the generator any more: here the wrapper, and that closes this one.
    """
    boundary.begin_own()
    try:
        hooks = sys.get_asyncgen_hooks()
        try:
            finalizer = None if hooks.finalizer is None else _leave_open
            sys.set_asyncgen_hooks(None, finalizer)
            return inner.asend(None)
        finally:
            sys.set_asyncgen_hooks(*hooks)
    finally:
        boundary.end_own()


def _leave_open(_inner: object) -> None:
    """Leave a generator to its wrapper, which a collection may finalize with it."""


def _item(request: Any, block: Block) -> Any:
    """Return the awaitable of the next item; it is ours, not the program's."""
    boundary.begin_own()
    try:
        item = request(block.take())
        ours.disown(item)
    finally:
        boundary.end_own()
    return item


def _driven(block: Block, inner: Any, *, is_item: bool) -> Any:
    """Return the generator that drives ``inner``; it is ours, not the program's."""
    boundary.begin_own()
    try:
        frame = _frame_object(inner, "gi_frame", "cr_frame")
        run: Any = _run(block, inner, frame, is_item)
        drive: Any = _drive(block, run, is_item)
        for mine in (run, drive, run.gi_frame, drive.gi_frame):
            ours.disown(mine)
        if is_item:
            ours.leave_spare_item()
    finally:
        boundary.end_own()
    return drive


@coroutine
def _run(
    block: Block,
    inner: Any,
    frame: Any,
    is_item: bool,  # noqa: FBT001
) -> Generator[Any, Any, None]:
    """Run to the end, and close (for one item: pause) the block right there.

    The result is left with the block: a StopIteration that carried it would be
    allocated on the program's account.  No item is ``_ENDED``.
    """
    try:
        result = yield from _steps_of(inner)  # pyright: ignore[reportUnknownVariableType]
    except BaseException as error:
        if type(error) is GeneratorExit and block.drops(_CLOSED):
            raise  # who closes it ends the block
        # Else it is the program's own, of ``__anext__`` for one.
        is_last = is_item and type(error) is StopAsyncIteration
        if not is_last:
            block.end(type(error))
            del inner  # the error has this frame, and may be what that throws
            raise
        result = _ENDED
    _clear(frame)
    if is_item:
        block.pause(_EXCEPTION_SIZE)
    else:
        block.end(None)
    block.keep(result)


def _steps_of(inner: Any) -> Any:
    """Return what ``await`` steps through; other objects make it in ``__await__``."""
    if is_suspended(inner):
        return inner
    return cast("Any", type(inner)).__await__(inner)


def _frame_object(inner: Any, *names: str) -> Any:
    """Return the frame of a suspended function up to 3.10, to be there at both ends.

    There it is an object that the collector tracks, and goes when the function ends.
    """
    if sys.version_info >= (3, 11):
        return None
    for name in names:
        frame = getattr(inner, name, None)
        if frame is not None:
            return frame
    return None


def _clear(frame: Any) -> None:
    """Let the variables of an ended function go, as its end does without us."""
    if frame is not None:
        frame.clear()


@coroutine
def _drive(
    block: Block,
    run: Generator[Any, Any, None],
    is_item: bool,  # noqa: FBT001
) -> Generator[Any, Any, Any]:
    """Step through ``_run`` as ``yield from`` would, measuring only the steps.

    PEP 380 gives the expansion of ``yield from`` that this follows.  What is sent and
    produced is not kept in a variable, which would lengthen its life.
    """
    if is_item:
        block.resume()
    else:
        block.start()
    is_error = False
    while not _step(block, run, is_error=is_error):
        block.pause()
        try:
            block.keep((yield block.take()))
            is_error = False
        except GeneratorExit:
            break
        except BaseException as error:  # noqa: BLE001  # thrown on into the function
            block.keep(error)
            is_error = True
        block.resume()
    else:
        return not block.drops(_ENDED) if is_item else block.take()
    _end_closed(block, cast("GeneratorType[Any, Any, None]", run))
    raise GeneratorExit


def _end_closed(block: Block, run: GeneratorType[Any, Any, None]) -> None:
    """Close a function and end its block, when what it was told by is gone.

    ``GeneratorExit`` lives as long as it is handled, and would seem to be kept.
    """
    block.resume()
    result: Any = None
    frame = _frame_object(run.gi_yieldfrom, "gi_frame", "cr_frame")
    if sys.version_info >= (3, 13):
        result = _close(block, run.gi_yieldfrom)
    block.keep(_CLOSED)
    run.close()
    _clear(frame)
    block.end(GeneratorExit)
    block.keep(result)


def _close(block: Block, inner: Any) -> Any:
    """Close a function, and return what it returns then.

    ``yield from`` would lose that, so it is done before what waits for it is closed.
    """
    if not is_suspended(inner):
        return None
    try:
        return inner.close()
    except BaseException as error:
        block.end(type(error))
        raise


def _step(block: Block, run: Generator[Any, Any, None], *, is_error: bool) -> bool:
    """Let it run to its next suspension; return whether it has ended.

    ``next`` with a default sees the end without an exception being made.
    """
    if block.is_empty_handed:
        produced = next(run, _ENDED)
        if produced is _ENDED:
            return True
        block.keep(produced)
        return False
    try:
        block.keep((run.throw if is_error else run.send)(block.take()))
    except StopIteration:
        return True
    return False
