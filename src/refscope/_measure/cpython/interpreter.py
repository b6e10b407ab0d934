"""Names of CPython that are private, new, or missing elsewhere, with their types.

Importing refscope works on any Python; using what is missing raises
``UnsupportedRuntimeError`` at the call.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, TypeVar

from refscope.exceptions import UnsupportedRuntimeError


T = TypeVar("T")

BORROWS: bool = sys.version_info >= (3, 14)
"""Whether variables and evaluation stacks need not own what they refer to."""


def refuse(*_: object) -> NoReturn:
    """Stand in for a function that this Python does not have.

    Raises:
        UnsupportedRuntimeError: Always.
    """
    name, version = sys.implementation.name, sys.version.split()[0]
    raise UnsupportedRuntimeError(
        f"{name} {version} cannot trace memory here: track in the main interpreter of "
        "CPython 3.10 or later, or (for isolated sub-interpreters) use "
        "track(sites=False)"
    )


if TYPE_CHECKING:
    from _tracemalloc import (
        get_traceback_limit,
        get_traced_memory,
        is_tracing,
        reset_peak,
        start,
        stop,
    )
    from signal import NSIG
    from sys import getallocatedblocks as allocated_blocks
    from sys import getrefcount

    Stack = tuple[tuple[str, int], ...]

    def get_traces() -> list[tuple[int, int, Stack, int]]: ...
    def get_object_traceback(thing: object, /) -> Stack | None: ...
    def count_elements(counts: dict[T, int], things: Iterable[T], /) -> None: ...
    def list_interpreters() -> Sequence[object]: ...
    def is_main() -> bool: ...
    def get_signal(number: int, /) -> object: ...
    def callbacks_at_exit() -> int: ...
else:
    # Not from signal, which makes enumerations of the numbers, on lines of its own,
    # and takes a fiftieth of refscope's import for it.
    from _signal import NSIG
    from _signal import getsignal as get_signal

    try:
        from _tracemalloc import (
            _get_object_traceback as get_object_traceback,
        )
        from _tracemalloc import (
            _get_traces as get_traces,
        )
        from _tracemalloc import (
            get_traceback_limit,
            get_traced_memory,
            is_tracing,
            reset_peak,
            start,
            stop,
        )
    except ImportError:  # pragma: no cover  # PyPy, isolated sub-interpreters

        def is_tracing() -> bool:
            return False

        def get_object_traceback(_thing: object, /) -> None:
            return None

        get_traces = get_traceback_limit = refuse
        get_traced_memory = reset_peak = start = stop = refuse
    try:
        from sys import getallocatedblocks as allocated_blocks
    except ImportError:  # pragma: no cover  # PyPy
        allocated_blocks = refuse
    try:
        from sys import getrefcount
    except ImportError:  # pragma: no cover  # PyPy
        getrefcount = refuse
    try:
        from collections import _count_elements as count_elements
    except ImportError:  # pragma: no cover  # PyPy
        count_elements = refuse
    try:
        from atexit import _ncallbacks as callbacks_at_exit
    except ImportError:  # pragma: no cover  # PyPy

        def callbacks_at_exit() -> int:
            return 0

    try:
        from _interpreters import list_all as list_interpreters
    except ImportError:
        try:
            from _xxsubinterpreters import list_all as list_interpreters
        except ImportError:  # pragma: no cover  # WebAssembly

            def list_interpreters() -> Sequence[object]:
                return (0,)

    def is_main() -> bool:
        name = list_interpreters.__module__
        interpreters = sys.modules.get(name)
        known = getattr(interpreters, "get_main", None)
        return known is None or interpreters.get_current() == known()


IS_SUPPORTED = sys.implementation.name == "cpython"
"""Whether the numbers that refscope reads exist at all."""

_CROSSING = ((3, 12), (3, 13))


def can_see_threads() -> bool:
    """Return whether frames of other threads may be asked for.

    ``sys._current_frames`` makes frame objects for those of other interpreters too,
    which these free in their own way: 3.12 and 3.13 die of it.
    """
    return sys.version_info[:2] not in _CROSSING or len(list_interpreters()) == 1


def top_frames() -> dict[int, FrameType]:
    """Return the innermost frame of each thread, or of this one if that is all."""
    if can_see_threads():
        return sys._current_frames()
    return {get_ident(): sys._getframe(1)}


__all__ = [
    "IS_SUPPORTED",
    "NSIG",
    "allocated_blocks",
    "can_see_threads",
    "count_elements",
    "get_object_traceback",
    "get_signal",
    "get_traceback_limit",
    "get_traced_memory",
    "get_traces",
    "getrefcount",
    "is_main",
    "is_tracing",
    "list_interpreters",
    "refuse",
    "reset_peak",
    "start",
    "stop",
    "top_frames",
]
