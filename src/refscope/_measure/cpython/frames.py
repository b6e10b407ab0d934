"""Local variables of frames, read so that nothing is left behind.

Since 3.13 ``f_locals`` is a view.  Before, it is a dictionary that the frame keeps and
that keeps the values: on 3.12 it is not needed, as ctypes reads single variables (and
on 3.13.0 to 3.13.2, whose views can crash); on 3.10 and 3.11 it is emptied again,
unless it had values before.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType
from typing import Any, cast

from .classes import FREE_THREADED, WORD
from .interpreter import top_frames
from .managed import WordReader, word_reader


Variables = list[tuple[str, object]]
NONE: Variables = []

_IS_OLD: bool = sys.version_info < (3, 11)
HEADER = object.__basicsize__
_HAS_VIEWS = sys.version_info >= (3, 13)
# Views crash at first where one name is a cell and a plain variable (gh-128396).
_BEST_ONE_BY_ONE = (3, 12) <= sys.version_info < (3, 13, 3)
_EVENTS = frozenset(
    {
        *("call", "line", "return", "exception", "opcode"),
        *("c_call", "c_return", "c_exception"),
    }
)
"""What the hooks of ``sys.settrace`` and ``sys.setprofile`` are told."""
_OPTIMIZED = 0x1  # CO_OPTIMIZED: locals in slots, not in a namespace of their own


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


def variables_of(frame: FrameType, inner: Variables = NONE) -> Variables:
    """Return name and value of each variable of a function's frame that has one.

    Those of modules and class bodies are in a namespace, but for the variables of a
    comprehension that runs there (3.12, PEP 709).

    Args:
        frame: Where they are.
        inner: Variables of the function that it called, if it is not suspended.
    """
    if has_variables(frame.f_code):
        return _read(frame, inner)
    if _read_inlined is None or not frame.f_code.co_nlocals:
        return []
    return _read_inlined(frame, inner)


def variables_at_rest(frame: FrameType, holder: object) -> Variables:
    """Return the variables of a frame that may have ended, or wait.

    Up to 3.11 ``locals()`` leaves a dictionary in it, and reading ``f_locals`` would
    take out what was deleted since: that may be what keeps a cycle together.

    Args:
        frame: Where they are.
        holder: The frame, or the generator that it is the frame of.
    """
    snapshot = snapshot_of(frame, holder)
    if not snapshot or _is_running(frame):
        return variables_of(frame)
    names = names_in(frame.f_code)
    return [(name, snapshot[name]) for name in names if name in snapshot]


def snapshot_of(frame: FrameType, holder: object) -> dict[str, object] | None:
    """Return the dictionary that was made of a function's variables, up to 3.11."""
    if _read_word is None or not has_variables(frame.f_code):
        return None
    address = _address_of_snapshot(_read_word, frame)
    return next(
        (
            cast("dict[str, object]", thing)
            for thing in gc.get_referents(frame, holder)
            if id(thing) == address
        ),
        None,
    )


def _is_running(frame: FrameType) -> bool:
    """Return whether a thread is in this frame, or in one that it called."""
    return any(each is frame for each in running_frames(sys._getframe()))


def variables_in(
    frames: Iterable[FrameType], can_matter: Callable[[FrameType], bool]
) -> Iterator[tuple[FrameType, Variables]]:
    """Yield the variables of those frames that can matter, innermost first."""
    inner: Variables = []
    for frame in frames:
        inner = variables_of(frame, inner) if can_matter(frame) else []
        yield frame, inner


def running_frames(caller: FrameType | None) -> list[FrameType]:
    """Return the frames of all threads, innermost first; of ours from a caller on.

    Without the global lock only the caller's: to read variables of a frame that runs
    in another thread may crash there.
    """
    stacks = [caller]
    if not FREE_THREADED:  # pragma: no branch  # no such build here
        tops = top_frames()
        del tops[threading.get_ident()]  # it would hold itself, for the collector
        stacks.extend(tops.values())
    found: list[FrameType] = []
    for top in stacks:
        frame = top
        while frame is not None:
            found.append(frame)
            frame = frame.f_back
    return found


def own_frames(caller: FrameType | None) -> list[FrameType]:
    """Return the frames from the one that asks to one that was called by a caller."""
    own: list[FrameType] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame is not caller:
        own.append(frame)
        frame = frame.f_back
    return own


def _from_view(frame: FrameType, _: Variables) -> Variables:
    return list(frame.f_locals.items())


def _from_snapshot(frame: FrameType, inner: Variables) -> Variables:
    is_used = _has_snapshot(frame) or _is_watched(frame, inner)
    snapshot = cast("dict[str, object]", frame.f_locals)
    names = names_in(frame.f_code)
    found = [(name, snapshot[name]) for name in names if name in snapshot]
    # One with values is the program's, or that of a hook which is running: emptied,
    # it would delete the variables (call_trampoline, Python/sysmodule.c).
    if not is_used:
        snapshot.clear()
    return found


def _has_snapshot(frame: FrameType) -> bool:
    """Return whether a frame has values in its dictionary; True if it is not known.

    The number of values is the word behind the header (PyDictObject.ma_used).
    """
    if _read_word is None:
        return True
    address = _address_of_snapshot(_read_word, frame)
    return address != 0 and _read_word(address + HEADER) != 0


def _is_watched(frame: FrameType, inner: Variables) -> bool:
    """Return whether the function that a frame called is a hook for it.

    Such a one has the frame and the name of an event: others that have the frame are
    functions like any other.
    """
    return _has(inner, lambda value: value is frame) and _has(inner, _is_event)


def _has(inner: Variables, is_meant: Callable[[object], bool]) -> bool:
    """Return whether a variable, or what is in ``*args``, is meant."""
    return any(
        is_meant(value)
        or (type(value) is tuple and any(map(is_meant, gc.get_referents(value))))
        for _, value in inner
    )


def _is_event(value: object) -> bool:
    return type(value) is str and value in _EVENTS


def _address_of_snapshot(read: WordReader, frame: FrameType) -> int:
    """Return what ``f_locals`` points to (Include/cpython/frameobject.h of 3.10).

    In 3.11 it is one pointer further, in the frame that the interpreter works with.
    """
    if _IS_OLD:
        return read(id(frame) + 7 * WORD)
    return read(read(id(frame) + 3 * WORD) + 3 * WORD)


def _checked(read: WordReader | None) -> WordReader | None:
    """Return the reader if it finds the snapshot of a frame, else None."""
    if read is None or sys.version_info >= (3, 12):
        return None
    frame = sys._getframe()
    try:
        before = _address_of_snapshot(read, frame)
        snapshot = frame.f_locals
        after = _address_of_snapshot(read, frame)
        snapshot.clear()
        return read if (before, after) == (0, id(snapshot)) else None
    finally:
        del frame  # which would hold itself


def _variable_reader() -> Callable[[FrameType, str], object] | None:
    """Return ``PyFrame_GetVar`` of 3.12, or None."""
    try:
        import ctypes  # noqa: PLC0415  # absent from some embedded builds

        read = ctypes.pythonapi.PyFrame_GetVar
        read.restype = ctypes.py_object
        read.argtypes = (ctypes.py_object, ctypes.py_object)
    except (ImportError, AttributeError):  # pragma: no cover  # no such build here
        return None
    return read


def _one_by_one(frame: FrameType, _: Variables) -> Variables:
    found: Variables = []
    for name in names_in(frame.f_code):
        try:
            found.append((name, cast("Any", _read_one)(frame, name)))
        except NameError:  # noqa: PERF203  # it has no value now
            pass
    return found


def _from_view_of_inlined(frame: FrameType, inner: Variables) -> Variables:
    """Return the variables of a comprehension: only then there is a view."""
    is_view = type(frame.f_locals) is type(sys._getframe().f_locals)
    return _from_view(frame, inner) if is_view else []


def _chosen() -> Callable[[FrameType, Variables], Variables]:
    if _read_one is not None:
        return _one_by_one
    return _from_view if _HAS_VIEWS else _from_snapshot


def _chosen_for_inlined() -> Callable[[FrameType, Variables], Variables] | None:
    if _read_one is not None:
        return _one_by_one
    # f_locals of 3.12 would write them into the namespace, which is the program's.
    return _from_view_of_inlined if _HAS_VIEWS else None


_read_word = _checked(word_reader())
_read_one = _variable_reader() if _BEST_ONE_BY_ONE else None
_read = _chosen()
_read_inlined = _chosen_for_inlined()
