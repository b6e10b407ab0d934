"""Ask refscope for everything from wherever C may call Python; print what went wrong.

``python anywhere.py`` runs in a small process, where each question takes little.
"""

from __future__ import annotations

import copy
import functools
import gc
import json
import sys
import traceback
import weakref
from collections import deque
from itertools import combinations, product

import refscope


class Thing:
    """What everybody is asked about."""


SHARED = Thing()
QUESTIONS = (
    lambda: refscope.track("block").start().stop(),
    refscope.find_cycles,
    lambda: refscope.referrers(SHARED),
    lambda: refscope.why_alive(SHARED),
    lambda: refscope.object_at(id(SHARED)),
)
LONG_QUESTIONS = (
    lambda: refscope.find_cycles(live=True),
    lambda: refscope.find_leaks(list, warmup=0, rounds=2),
)
failed = []


def ask(*_):
    """Ask everything; what is called meanwhile does not ask again."""
    if ask.is_busy:
        return
    ask.is_busy = True
    long = () if ask.place in ask.times else LONG_QUESTIONS  # once from each place
    for question in QUESTIONS + long:
        try:
            question()
        except Exception:  # noqa: BLE001, PERF203  # shown at the end
            failed.append(traceback.format_exc())
    ask.is_busy = False
    ask.times[ask.place] = ask.times.get(ask.place, 0) + 1


ask.is_busy = False
ask.place = ""
ask.times = {}


def asking(number=1):
    """Yield numbers, and ask before each."""
    for each in range(number):
        ask()
        yield each


def as_class():
    """While a class is being made."""

    class Early(type):
        def mro(cls):
            ask()
            return super().mro()

    class Late(type):
        def __new__(cls, *arguments):
            made = super().__new__(cls, *arguments)
            ask()
            return made

    class Named:
        __set_name__ = ask

    Early("First", (), {"x": SHARED, "y": Named()})
    Late("Second", (), {"x": SHARED})


def as_finalizer():
    """While something dies, or is collected."""

    class Dying:
        __del__ = ask

    for is_cycle in (False, True):
        dying, followed = Dying(), Thing()
        known = weakref.ref(followed, ask)
        if is_cycle:
            dying.me, followed.me = dying, followed
        del dying, followed
        gc.collect()
        assert known() is None


def as_collector():
    """At both ends of a collection."""
    gc.callbacks.append(ask)
    gc.collect()
    gc.callbacks.remove(ask)


def as_hook():
    """As what traces or profiles."""
    for hook in (sys.settrace, sys.setprofile):
        hook(ask)
        json.dumps([1])
        hook(None)


def as_key():
    """While containers compare and hash."""

    class Key:
        __eq__ = ask

        def __hash__(self):
            ask()
            return 1

    assert len({Key(), Key()}) == len({Key(): 1, Key(): 2})
    cached = functools.lru_cache(1)(lambda _: None)
    for _ in range(2):
        cached(Key())
    [3, 1].sort(key=lambda number: (ask(), number)[1])


def as_items():
    """While containers are filled."""
    for kind in (tuple, list, set, frozenset, deque, dict.fromkeys, sum):
        kind(asking())
    list(product(asking(), repeat=2))
    list(combinations(asking(2), 2))
    list(zip(asking(), asking(), strict=True))
    list(map(ask, [1]))


def as_codec():
    """While other modules write and copy."""

    class Copied:
        def __reduce__(self):
            ask()
            return int, ()

    copy.deepcopy([Copied()])
    json.dumps([SHARED], default=lambda _: ask())


if __name__ == "__main__":
    for place in (
        *(as_class, as_finalizer, as_collector, as_hook),
        *(as_key, as_items, as_codec),
    ):
        ask.place = place.__name__
        place()
        assert ask.place in ask.times, place
    sys.stdout.write("\n".join(failed))
