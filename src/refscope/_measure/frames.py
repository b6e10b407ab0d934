"""Local variables of frames, read so that nothing is left behind.

Since 3.13 ``f_locals`` is a view.  Before, it is a dictionary that the frame keeps and
that keeps the values: on 3.12 it is not needed, as ctypes reads single variables; on
3.10 and 3.11 it is emptied again, unless somebody else has it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from sys import getrefcount
from types import CodeType, FrameType
from typing import Any, cast


Variables = list[tuple[str, object]]

_OPTIMIZED = 0x1  # CO_OPTIMIZED: locals in slots, not in a namespace of their own
_UNSHARED = 3  # references to a snapshot: the frame's, ours, and that of the argument


def has_variables(code: CodeType) -> bool:
    """Return whether code keeps its locals in the frame: that of functions does."""
    return bool(code.co_flags & _OPTIMIZED)


def names_in(code: CodeType) -> tuple[str, ...]:
    """Return the names of all variables of a function's code."""
    # An argument that an inner function uses is in two of them.
    names = code.co_varnames + code.co_cellvars + code.co_freevars
    return tuple(dict.fromkeys(names))


def place_in(code: CodeType) -> str:
    """Return the qualified name of the function, as far as it is known."""
    return getattr(code, "co_qualname", code.co_name)  # 3.11+


def variables_of(frame: FrameType) -> Variables:
    """Return name and value of each variable of a function's frame that has one.

    Nothing for the frames of modules and class bodies: theirs are in a namespace.
    """
    return _read(frame) if has_variables(frame.f_code) else []


def _from_view(frame: FrameType) -> Variables:
    return list(frame.f_locals.items())


def _from_snapshot(frame: FrameType) -> Variables:
    snapshot = cast("dict[str, object]", frame.f_locals)
    names = names_in(frame.f_code)
    found = [(name, snapshot[name]) for name in names if name in snapshot]
    if getrefcount(snapshot) == _UNSHARED and not _is_traced(frame):
        for name, _ in found:
            del snapshot[name]
    return found


def _is_traced(frame: FrameType) -> bool:
    """Return whether a hook may write the snapshot back into the variables.

    Emptying it would then delete them (call_trampoline, Python/sysmodule.c).
    """
    hooks = (
        frame.f_trace,
        sys.gettrace(),
        sys.getprofile(),
        threading.gettrace(),
        threading.getprofile(),
    )
    return any(hook is not None for hook in hooks)


def _variable_reader() -> Callable[[FrameType, str], object] | None:
    """Return ``PyFrame_GetVar`` of 3.12, or None."""
    try:
        import ctypes  # noqa: PLC0415  # absent from some embedded builds

        read = ctypes.pythonapi.PyFrame_GetVar
        read.restype = ctypes.py_object
        read.argtypes = (ctypes.py_object, ctypes.py_object)
    except (ImportError, AttributeError):
        return None
    return read


def _one_by_one(frame: FrameType) -> Variables:
    found: Variables = []
    for name in names_in(frame.f_code):
        with suppress(NameError):  # it has no value now
            found.append((name, cast("Any", _read_one)(frame, name)))
    return found


def _chosen() -> Callable[[FrameType], Variables]:
    if sys.version_info >= (3, 13):
        return _from_view
    return _from_snapshot if _read_one is None else _one_by_one


_read_one = _variable_reader() if sys.version_info < (3, 13) else None
_read = _chosen()
