"""Locals of other threads as holders, and the names of these threads."""

from __future__ import annotations

import _thread
import threading
import time
import weakref

import pytest

import refscope


class Item:
    """The subject."""


class Nameless(threading.Thread):
    """A thread whose name is code of the program."""

    is_asked = 0

    @property
    def _name(self):
        Nameless.is_asked += 1
        return "worker"

    @_name.setter
    def _name(self, name):
        pass


@pytest.mark.needs_threads
@pytest.mark.parametrize("kind", ["named", "unknown", "nameless"])
def test_locals_of_other_threads_hold(kind):
    """The root is the thread by its name, or its number where there is no name."""
    ready, done, told = threading.Event(), threading.Event(), []

    def work():
        item = Item()
        told.extend([weakref.ref(item), threading.get_ident()])
        ready.set()
        done.wait(60)
        del item

    if kind == "unknown":
        _thread.start_new_thread(work, ())
    else:
        thread = (Nameless if kind == "nameless" else threading.Thread)(target=work)
        thread.name = "worker"
        thread.start()
    ready.wait(60)
    if kind == "unknown":
        threading._active.pop(told[1], None)  # up to 3.13 an Event has put it there
    before = Nameless.is_asked
    roots = {path.root for path in refscope.why_alive(told[0]()).paths}
    asked = Nameless.is_asked - before
    done.set()
    while told[0]() is not None:
        time.sleep(0.001)
    if kind != "unknown":
        thread.join()

    assert not asked
    assert roots == {"thread worker" if kind == "named" else f"thread {told[1]}"}
