"""Where objects are held from: modules, running frames, and what C keeps for Python."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from types import FrameType, ModuleType
from typing import cast

from refscope._measure.cpython.classes import FREE_THREADED, get_mro
from refscope._measure.cpython.frames import place_in, variables_of
from refscope._measure.cpython.interpreter import NSIG, get_signal, top_frames
from refscope._measure.names.attributes import get_module_dict
from refscope._measure.names.code import local

from . import ours
from .inspectors import plain
from .keeping import Kept, KeptById


GIVEN = "the given function"
SIGNALS = "signal handlers"
CONTEXT = "context of a thread"
C_ONLY = "held by C only"
OURS = "a handle of refscope"
"""Roots that are neither modules nor running functions."""

HANDLED = "<exception being handled>"
"""The name of the reference that the interpreter has while an except block runs."""

_THREAD = threading.Thread


class Root:
    """A root that the collector does not see as an object, and what it holds."""

    __slots__ = ("label", "name")

    def __init__(self, label: str, name: str) -> None:
        self.label: str = label
        self.name: str = name


class Roots:
    """The roots of one moment.

    It holds frames, and nothing of the program's otherwise: numbers stand for objects.
    """

    __slots__ = ("_labels", "frames", "given", "holders", "module_of", "names")

    def __init__(self, given: object = None) -> None:
        self.module_of: dict[int, ModuleType] = KeptById()
        """Modules by the identity of their dictionary."""
        self.holders: dict[int, Kept[object]] = {}
        """Frames and other roots by the identity of what they hold."""
        self.names: dict[tuple[int, int], str] = {}
        """How a root holds an object, by their identities."""
        self.frames: dict[int, object] = KeptById()
        """Running frames and other roots by identity, refscope's own apart."""
        self.given: object = given
        """What the caller of a search holds for it, such as a function to be called."""
        self._labels: dict[int, str] = {}
        self._note_modules()
        for thread, frame in _running():
            self._note_frame(thread, frame)
        self._note_handled()
        if given is not None:
            self._labels[id(given)] = GIVEN
        self._note_signals()

    def is_root(self, node: int) -> bool:
        """Return whether an identity is that of a root."""
        return node in self._labels

    def label(self, node: int) -> str:
        """Return what a root is called."""
        return self._labels[node]

    def rank(self, node: int) -> tuple[int, int, str]:
        """Return which of several roots is shown first.

        Packages come before what is in them: many modules know ``logging`` by a name.
        """
        label = self._labels[node]
        kind = 0 if label.startswith("module ") else 1
        if label == "module __main__":
            kind += 1
        return kind, label.count("."), label

    def namespaces(self) -> list[object]:
        """Return the dictionaries of the modules."""
        return [get_module_dict(module) for module in self.module_of.values()]

    def values_of_variables(self) -> list[object]:
        """Return what the variables of running frames have."""
        frames = [frame for frame in self.frames.values() if type(frame) is FrameType]
        return [value for frame in frames for _, value in variables_of(frame)]

    def note_contexts(self, nodes: Iterable[int]) -> bool:
        """Take contexts of a thread for roots; return whether any was not yet."""
        new = [node for node in nodes if node not in self._labels]
        self._labels.update(dict.fromkeys(new, CONTEXT))
        return bool(new)

    def _note_modules(self) -> None:
        for name, module in list(sys.modules.items()):
            if ModuleType in get_mro(type(module)) and type(name) is str:
                self.module_of.setdefault(id(get_module_dict(module)), module)
                is_builtins = name == "builtins"
                label = name if is_builtins else f"module {name}"
                self._labels.setdefault(id(module), label)

    def _note_frame(self, thread: str, frame: FrameType) -> None:
        self.frames[id(frame)] = frame
        self._labels[id(frame)] = f"thread {thread}"
        inside = place_in(frame.f_code)
        for name, value in variables_of(frame):
            self._note(frame, value, local(name, inside))

    def _note_handled(self) -> None:
        """Note the exception that this thread handles, or that leaves a block."""
        handled = sys.exc_info()[1]
        frame = next(iter(self.frames.values()), None)
        if handled is not None and frame is not None:
            self._note(frame, handled, HANDLED)

    def _note_signals(self) -> None:
        for number in range(1, NSIG):
            handler = get_signal(number)
            if handler is not None and type(handler) is not int:
                root = Root(SIGNALS, f"<handler of signal {number}>")
                self.frames[id(root)] = root
                self._labels[id(root)] = root.label
                self._note(root, handler, root.name)

    def _note(self, root: object, held: object, name: str) -> None:
        if (id(root), id(held)) not in self.names:
            self.names[id(root), id(held)] = name
            self.holders.setdefault(id(held), Kept()).append(root)


def _running() -> Iterator[tuple[str, FrameType]]:
    """Yield thread and frame of what runs, innermost first.

    On free-threaded builds only this thread's: the locals of a frame that is running
    elsewhere cannot be read safely there.  No frame of ours may have a variable for
    itself: what its callers hold would wait for the collector.
    """
    mine = threading.get_ident()
    tops = top_frames()
    del tops[mine]
    if FREE_THREADED:  # pragma: no cover  # none at hand
        tops.clear()
    yield from _stack(mine, sys._getframe(1))
    while tops:
        yield from _stack(*tops.popitem())


def _stack(ident: int, frame: FrameType | None) -> Iterator[tuple[str, FrameType]]:
    name = _thread_name(ident)
    while frame is not None:
        ours.disown_new_frame(frame)
        if not is_ours(frame):
            yield name, frame
        frame = frame.f_back


def running_frames() -> frozenset[int]:
    """Return the identities of the frames that run now, in all threads."""
    return frozenset([id(frame) for _, frame in _running()])


def is_ours(frame: FrameType) -> bool:
    """Return whether a frame runs code of refscope's."""
    return frame.f_code.co_filename.startswith(ours.FILES)


def _thread_name(ident: int) -> str:
    """Return the name of a thread without running a property of its class."""
    active = cast("dict[int, object]", getattr(threading, "_active"))  # noqa: B009
    thread = active.get(ident)
    if thread is None or _THREAD not in get_mro(type(thread)):
        return str(ident)
    name = plain(thread, "_name")  # none before its __init__
    return str.__str__(name) if isinstance(name, str) else str(ident)
