"""Names of CPython that are private, new, or missing elsewhere, with their types.

Importing refscope works on any Python; using what is missing raises
``UnsupportedRuntimeError`` at the call.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
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
    def get_signal(number: int, /) -> object: ...
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
        get_object_traceback = get_traces = get_traceback_limit = refuse
        get_traced_memory = is_tracing = reset_peak = start = stop = refuse
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
        from _interpreters import list_all as list_interpreters
    except ImportError:
        try:
            from _xxsubinterpreters import list_all as list_interpreters
        except ImportError:  # pragma: no cover  # WebAssembly

            def list_interpreters() -> Sequence[object]:
                return (0,)


IS_SUPPORTED = sys.implementation.name == "cpython"
"""Whether the numbers that refscope reads exist at all."""

__all__ = [
    "IS_SUPPORTED",
    "NSIG",
    "allocated_blocks",
    "count_elements",
    "get_object_traceback",
    "get_signal",
    "get_traceback_limit",
    "get_traced_memory",
    "get_traces",
    "getrefcount",
    "is_tracing",
    "list_interpreters",
    "refuse",
    "reset_peak",
    "start",
    "stop",
]
