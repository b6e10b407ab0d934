"""Threads of the calls that are about to end: they are waited for, for a moment."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar, cast

from refscope._measure.cpython.activity import count_threads

from .rounds import Pause, Step


Found = TypeVar("Found")

# Made once: a round ends with it, and nothing new of ours may be there then.
_MOMENT = Pause(0.15)


def without_lingering(
    search: Generator[Step, None, Found],
) -> Generator[Step, None, Found]:
    """Pass on what a search asks for, and a pause after calls that leave threads.

    What these hold would be taken for what the calls leave.  If no thread ends in the
    pause, they stay, and are not waited for again.
    """
    stay = False
    try:
        while True:
            try:
                step = next(search)
            except StopIteration as end:
                return cast("Found", end.value)
            before = count_threads()
            yield step
            while type(step) is int and not stay and count_threads() > before:
                now = count_threads()
                yield _MOMENT
                stay = count_threads() >= now
    finally:
        search.close()
