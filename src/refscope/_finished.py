"""The reports that a tracker keeps, and who finished which of them last."""

from __future__ import annotations

from _thread import _local
from collections.abc import Iterable
from itertools import chain
from typing import TypeVar, cast
from weakref import ref

from refscope._measure.cpython import activity
from refscope._measure.heap import census, ours
from refscope._measure.session import boundary
from refscope.reports import TrackReport


T = TypeVar("T")


class _Thread:
    """Stands for one thread, and dies with it."""

    __slots__ = ("__weakref__",)


class _Held(tuple[T, ...]):
    """A tuple that is known as refscope's, however old its holder is."""

    __slots__ = ()


def _held(things: Iterable[T]) -> _Held[T]:
    """Return a tuple of ours whose memory is in nobody's books."""
    held = _Held(things)
    ours.disown(held)
    return held


_CHUNK = 128
"""Reports that are kept together: one more copies these, and not all that are kept."""


class _Here(_local):
    """The thread, as each knows it."""

    def __init__(self) -> None:
        self.thread: object = _Thread()
        self.holder: ref[object] = ref(self.thread)


_here = _Here()


class Finished:
    """The last ``keep`` reports of all threads and tasks, and the last of each."""

    __slots__ = ("_chunks", "_count", "_keep", "_last", "_latest")

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._count = 0
        self._chunks: tuple[tuple[TrackReport, ...], ...] = ()
        self._latest: tuple[TrackReport, ...] = ()
        self._last: tuple[tuple[ref[object], TrackReport], ...] = ()

    def last(self, task: object | None) -> TrackReport | None:
        """Return what this task, or else this thread, finished last."""
        actor = _here.thread if task is None else task
        report = None
        for holder, finished in self._last:
            if holder() is actor:
                report = finished
        return report

    def all(self) -> tuple[TrackReport, ...]:
        """Return those that are kept, oldest first."""
        if not self._chunks:
            return self._latest
        boundary.begin_own()
        try:
            return _held(chain(*self._chunks, self._latest))
        finally:
            boundary.end_own()

    def add(self, report: TrackReport) -> None:
        """Keep a finished report, and let the oldest go."""
        self._latest = _held((*self._latest, report))
        if len(self._latest) == _CHUNK:
            self._chunks, self._latest = _held((*self._chunks, self._latest)), ()
        self._count += 1
        if self._count > self._keep:
            self._count = self._keep
            self._let_oldest_go()
        self._note(_here.holder, report)
        task = activity.current_task()
        if task is not None:
            holder = ref(task)
            ours.disown_if_ours(holder)
            self._note(holder, report)

    def _let_oldest_go(self) -> None:
        if not self._chunks:
            self._latest = _held(self._latest[1:])
            return
        first, *others = self._chunks
        if len(first) > 1:
            others.insert(0, _held(first[1:]))
        self._chunks = _held(others)

    def _note(self, holder: ref[object], report: TrackReport) -> None:
        """Remember what a thread or task finished last; forget those that are gone."""
        others = [
            entry
            for entry in self._last
            if entry[0] is not holder and entry[0]() is not None
        ]
        pair = _Held((holder, report))
        entry = cast("tuple[ref[object], TrackReport]", pair)
        self._last = _Held((*others, entry))
        ours.disown(entry)
        ours.disown(self._last)


census.own(_Thread, _Held, _Here, Finished)
