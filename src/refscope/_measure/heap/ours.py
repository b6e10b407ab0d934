"""What is refscope's own: allocations by their line, memory blocks by address.

An allocation is ours when the innermost line of its traceback is in a file that
measures or reports.  Objects of ours that live on in the program's hands (handles
and reports) are taken out of tracemalloc's books, so that their later death does not
look like the program freeing memory.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import AsyncGenerator, Callable
from types import FrameType, MethodType
from typing import cast

from refscope._measure.cpython.classes import header_size
from refscope._measure.cpython.interpreter import (
    get_object_traceback,
    is_main,
    is_tracing,
)
from refscope.reports._record import Record


_LARGEST_POOLED_TUPLE = 20  # PyTuple_MAXSAVESIZE: shorter ones go to a free list

_ROOT, _, _ = __file__.rpartition("_measure")  # as in co_filename
MEASURE = os.path.join(_ROOT, "_measure", "")  # noqa: PTH118
"""What the file name of code that measures starts with."""

_OURS = (
    *[os.path.join(folder, "") for folder in ("reports", "render")],  # noqa: PTH118
    *(
        "__main__.py",
        "_units.py",
        "_block.py",
        "_cli.py",
        "_calls.py",
        "_drive.py",
        "_track.py",
        "_tracker.py",
        "_entries.py",
        "_finished.py",
        "_cycles.py",
        "_references.py",
        "_expect.py",
        "_leaks.py",
        "_retention.py",
    ),
)
CALLS = "<refscope call>"
"""File name of the code of wrappers that are made for one function each."""

FILES = (
    MEASURE,
    CALLS,
    *[os.path.join(_ROOT, name) for name in _OURS],  # noqa: PTH118
    # One file for all methods of a class since attrs 25, one for each before.
    *[f"<attrs generated {name} refscope." for name in ("methods", "init", "repr")],
    *[f"<attrs generated {name} refscope." for name in ("eq", "hash")],
)
"""What the file name of a line of ours starts with."""


def _api(name: str, *argtypes: str) -> Callable[..., int] | None:
    """Return a function of CPython's C API, or None where there is no ctypes."""
    try:
        import ctypes  # noqa: PLC0415  # absent from some embedded builds

        function = getattr(ctypes.pythonapi, name)
        function.restype = ctypes.c_int
        function.argtypes = [getattr(ctypes, kind) for kind in argtypes]
    except (ImportError, AttributeError):  # pragma: no cover  # no such build here
        return None
    return cast("Callable[..., int]", function)


_untrack = _api("PyTraceMalloc_Untrack", "c_uint", "c_size_t")
_track = _api("PyTraceMalloc_Track", "c_uint", "c_size_t", "c_size_t")
# Sub-interpreters of 3.10 die of it.
_is_deadly = sys.version_info < (3, 11) and not is_main()
_clear_type_cache = None if _is_deadly else _api("PyType_ClearCache")
_SPARES = 24
_PRIVATE_DOMAIN = 0x52534350  # nobody else's: numpy uses 389047


def disown(thing: object) -> None:
    """Take the memory block of one object of ours out of tracemalloc's books."""
    if is_tracing() and _untrack is not None:
        _untrack(0, id(thing) - header_size(type(thing)))


def disown_buffer(numbers: array[int]) -> None:
    """Take the memory of an array out of the books; growing brings it in again."""
    if is_tracing() and _untrack is not None:
        _untrack(0, numbers.buffer_info()[0])


def claim(thing: object) -> None:
    """Put the trace of one object of ours on a line of ours, if it is traced.

    It goes to a free list when it dies, and may be the program's in its next life.
    """
    if _track is not None and is_tracing() and get_object_traceback(thing) is not None:
        kind = type(thing)
        header = header_size(kind)
        _track(0, id(thing) - header, kind.__basicsize__ + header)


def is_on_our_line(thing: object) -> bool:
    """Return whether the memory of an object was allocated on a line of ours."""
    place = get_object_traceback(thing)
    return place is not None and place[0][0].startswith(FILES)


def disown_if_ours(thing: object) -> None:
    """Take out an object that may be the program's; nothing happens then."""
    if is_tracing() and is_on_our_line(thing):
        disown(thing)


def disown_new_frame(frame: FrameType) -> None:
    """Take out a frame object that exists only because we asked for it (3.11+).

    Before 3.11 each running function has one: it is the program's.
    """
    if sys.version_info >= (3, 11):
        disown_if_ours(frame)


def disown_long(items: tuple[object, ...]) -> None:
    """Take out a tuple of ours that is too long for the free lists."""
    if len(items) > _LARGEST_POOLED_TUPLE:
        disown(items)


def disown_report(report: object) -> None:
    """Take a report's own memory blocks out of tracemalloc's books.

    Only blocks that are really freed when the report dies: short tuples, floats and
    (3.14) ints go to free lists and keep their trace.
    """
    if not is_tracing():
        return
    seen: set[int] = set()
    todo: list[object] = [report]
    while todo:
        thing = todo.pop()
        kind = type(thing)
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if kind is tuple:
            items = cast("tuple[object, ...]", thing)
            disown_long(items)
            todo.extend(items)
        elif kind is str:
            disown_if_ours(thing)
        elif kind is int and sys.version_info < (3, 14):
            disown(thing)
        elif kind.__module__.startswith("refscope."):
            disown(thing)
            # Not by attrs.fields, whose lines are not ours.
            fields = cast("type[Record]", kind).__attrs_attrs__
            todo.extend([getattr(thing, field.name) for field in fields])


def forget_names() -> None:
    """Empty the cache of attribute lookups, whose entries hold the names looked up.

    A name that the program made and has forgotten lives on there until some other
    lookup takes its place (Objects/typeobject.c, ``_PyType_Lookup``), one of ours
    perhaps: it would seem freed.
    """
    if _clear_type_cache is not None:
        _clear_type_cache()


def leave_spares() -> None:
    """Put a dictionary on the free list, for the call of a function with ``**``.

    The wrapper of a decorated function has one, which is not the program's.
    """
    spare: dict[str, object] = {}
    del spare


async def _endless() -> AsyncGenerator[None, None]:
    while True:
        yield


def _started(generator: AsyncGenerator[None, None]) -> AsyncGenerator[None, None]:
    """Begin it behind the back of the event loop, which would close it."""
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        next(generator.asend(None).__await__(), None)
    finally:
        sys.set_asyncgen_hooks(*hooks)
    return generator


_spare_items = _started(_endless())


def leave_spare_item() -> object:
    """Put what carries an item of an asynchronous generator on its free list.

    It is made at the ``yield`` (Objects/genobject.c, _PyAsyncGenWrappedValue) and
    lives no longer than it takes to hand the item over.  Returns what awaited it.
    """
    awaited = _spare_items.asend(None).__await__()
    next(awaited, None)
    return awaited


AsyncItem = type(leave_spare_item())
"""What awaits an item; the type has no public name."""


def claim_spares() -> None:
    """Put traces on our lines for blocks on free lists that we are about to use.

    A dead block on a free list keeps its trace until somebody takes it: without this
    our own work, after the baseline, would seem to free what the program had freed.
    """
    held: list[object] = []
    for number in range(_SPARES):
        held += [(number,) * size for size in range(1, 21)]
        held += [[], {}, float(number)]
        # 3.14 has more of them (Include/internal/pycore_freelist_state.h).
        held += [number << 20, slice(number), range(number), iter(range(number))]
        held += [iter([]), iter(()), FILES.index, MethodType(_api, number)]
    del held


def raise_peak(size: int) -> None:
    """Let tracemalloc's peak rise by ``size`` bytes above the current level.

    Books a block that does not exist and takes it out again: nothing is allocated.
    """
    if _track is not None and _untrack is not None and size > 0:
        _track(_PRIVATE_DOMAIN, 1, size)
        _untrack(_PRIVATE_DOMAIN, 1)
