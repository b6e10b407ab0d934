"""Which objects are alive for a reason, and which are done with: one table.

An inspector looks at an object of a known type and returns a verdict or None.  Those
here read what C keeps, or plain attributes past any property; those of users are
called after these, and one that raises is dropped.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Mapping
from types import (
    AsyncGeneratorType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MemberDescriptorType,
    ModuleType,
)
from typing import Any, TypeVar, cast

from refscope._measure.cpython.classes import get_members, get_mro, is_class, type_name
from refscope.reports import Verdict


T = TypeVar("T")
Inspect = Callable[[T], "Verdict | None"]

_MISSING = object()
_HAVE_FRAMES: bool = sys.version_info < (3, 11)
_UNKNOWN = Verdict("unknown")

_added: list[tuple[type, Inspect[object]]] = []


def add(kind: type[T], inspect: Inspect[T]) -> Callable[[], None]:
    """Let a function judge the objects of a class; the result undoes it."""
    row = (kind, cast("Inspect[object]", inspect))
    _added.append(row)

    def remove() -> None:
        for place, other in enumerate(_added):
            if other is row:
                del _added[place]
                return

    return remove


def judge(thing: object) -> Verdict:
    """Return the verdict on one object; users' inspectors have the first word."""
    bases = get_mro(type(thing))
    for kind, inspect in reversed(_added):
        if any(base is kind for base in bases):
            verdict = _asked(kind, inspect, thing)
            if verdict is not None:
                return verdict
    if is_class(thing):
        return Verdict("no", "classes stay")
    for base in bases:
        known = _TABLE.get(id(base)) or _BY_NAME.get(type_name(base))
        if known is not None:
            return known(thing) or _UNKNOWN
    return _UNKNOWN


def _asked(kind: type, inspect: Inspect[object], thing: object) -> Verdict | None:
    try:
        verdict = inspect(thing)
    except Exception:  # a hook must not break the program
        import logging  # noqa: PLC0415  # costs as much as the rest of refscope

        _added[:] = [
            row for row in _added if row[0] is not kind or row[1] is not inspect
        ]
        logging.getLogger("refscope").exception(
            "the inspector of %s failed; it is dropped", type_name(kind)
        )
        return None
    return verdict if type(verdict) is Verdict else None


def plain(thing: object, name: str) -> object:
    """Return an attribute of an instance that no class computes; else a marker."""
    for base in get_mro(type(thing)):
        member = get_members(base).get(name, _MISSING)
        if member is not _MISSING and type(member) is not MemberDescriptorType:
            if hasattr(type(member), "__get__"):
                return _MISSING
            break
    try:
        return cast("object", object.__getattribute__(thing, name))
    except AttributeError:
        return _MISSING


def _module(_: object) -> Verdict:
    return Verdict("no", "modules stay")


def _thread(thing: object) -> Verdict | None:
    stopped = plain(thing, "_is_stopped")
    for name in ("_handle", "_os_thread_handle"):  # 3.13, 3.14 and later
        handle = plain(thing, name)
        if type_name(type(handle)) == "_thread._ThreadHandle":
            stopped = bool(getattr(handle, "is_done")())  # noqa: B009
    started = plain(thing, "_started")
    if stopped is True:
        return Verdict("yes", "the thread has stopped")
    flag = plain(started, "_flag") if type(started) is threading.Event else False
    return Verdict("no", "a live thread") if flag is True else None


def _loop(thing: object) -> Verdict | None:
    if plain(thing, "_closed") is True:
        return Verdict("yes", "the event loop is closed")
    running = plain(thing, "_thread_id")
    is_running = running is not None and running is not _MISSING
    return Verdict("no", "a running event loop") if is_running else None


def _future(thing: object) -> Verdict | None:
    state = plain(thing, "_state")
    if state in {"FINISHED", "CANCELLED", "CANCELLED_AND_NOTIFIED"}:
        return Verdict("yes", f"it is {str(state).lower().split('_')[0]}")
    return None


def _c_future(thing: object) -> Verdict | None:
    base = next(b for b in get_mro(type(thing)) if type_name(b) in _C_FUTURES)
    is_done = getattr(base, "done")(thing)  # noqa: B009  # a method of C
    return Verdict("yes", "it is finished") if is_done is True else None


def _has_ended(thing: object, frame: str) -> bool:
    """Return whether a generator has none of its function's frame left.

    From 3.11 on its frame object would be made for the question, and stay.
    """
    if _HAVE_FRAMES:
        return getattr(thing, frame) is None
    return FunctionType not in map(type, gc.get_referents(thing))


def _suspended(prefix: str, what: str) -> Callable[[object], Verdict | None]:
    def inspect(thing: object) -> Verdict | None:
        if getattr(thing, f"{prefix}_running"):
            return Verdict("no", f"a running {what}")
        if _has_ended(thing, f"{prefix}_frame"):
            return Verdict("yes", f"the {what} has finished")
        return None

    return inspect


def _file(thing: object) -> Verdict | None:
    """Judge a raw file; buffers and texts ask what they wrap, which may be anybody."""
    base = next(b for b in get_mro(type(thing)) if type_name(b) in _FILES)
    is_closed: object = cast("Any", get_members(base)["closed"]).__get__(thing)
    return Verdict("yes", "the file is closed") if is_closed is True else None


def _wrapper(part: str) -> Callable[[object], Verdict | None]:
    def inspect(thing: object) -> Verdict | None:
        base = next(b for b in get_mro(type(thing)) if part in get_members(b))
        try:
            inner: object = cast("Any", get_members(base)[part]).__get__(thing)
        except ValueError:  # detached
            return None
        known = _BY_NAME.get(type_name(type(inner)))
        is_file = known is _file or known is _buffer or known is _text
        return known(inner) if known is not None and is_file else None

    return inspect


def _socket(thing: object) -> Verdict | None:
    base = next(b for b in get_mro(type(thing)) if type_name(b) == "_socket.socket")
    number = getattr(base, "fileno")(thing)  # noqa: B009  # a method of C
    return Verdict("yes", "the socket is closed") if number == -1 else None


def _executor(thing: object) -> Verdict | None:
    is_down = plain(thing, "_shutdown") is True
    return Verdict("yes", "the executor is shut down") if is_down else None


def _process(thing: object) -> Verdict | None:
    code = plain(thing, "returncode")
    ended = code is not None and code is not _MISSING
    return Verdict("yes", "the process has ended") if ended else None


_C_FUTURES = ("_asyncio.Future", "_asyncio.Task")
_FILES = ("_io.FileIO", "_io.BytesIO", "_io.StringIO")
_buffer, _text = _wrapper("raw"), _wrapper("buffer")

_TABLE: Mapping[int, Callable[[object], Verdict | None]] = {
    id(ModuleType): _module,
    id(threading.Thread): _thread,
    id(GeneratorType): _suspended("gi", "generator"),
    id(CoroutineType): _suspended("cr", "coroutine"),
    id(AsyncGeneratorType): _suspended("ag", "asynchronous generator"),
}
_BY_NAME: Mapping[str, Callable[[object], Verdict | None]] = {
    "asyncio.base_events.BaseEventLoop": _loop,
    "asyncio.futures.Future": _future,
    "concurrent.futures._base.Future": _future,
    "concurrent.futures._base.Executor": _executor,
    "concurrent.futures.thread.ThreadPoolExecutor": _executor,
    "subprocess.Popen": _process,
    "_socket.socket": _socket,
    "_io.BufferedReader": _buffer,
    "_io.BufferedWriter": _buffer,
    "_io.BufferedRandom": _buffer,
    "_io.TextIOWrapper": _text,
    **dict.fromkeys(_C_FUTURES, _c_future),
    **dict.fromkeys(_FILES, _file),
}
