"""What is left out in WebAssembly, which is ten times slower.

find_leaks makes hundreds of calls and as many collections: there what is alive and who
holds it is tested, and no rates.
"""

from __future__ import annotations

import sys

import pytest


if sys.platform == "emscripten":
    collect_ignore = [
        "test_blame.py",
        "test_caches.py",
        "test_find_leaks.py",
        "test_kinds.py",
    ]
    collect_ignore += [
        "test_keys.py",
        "test_lengths.py",
        "test_replaced.py",
        "test_search.py",
    ]
    collect_ignore += ["test_search.py", "test_threads.py", "test_together.py"]


@pytest.fixture
def leak_in_c():
    """Return a function that forgets a reference; they are given back in the end."""
    ctypes = pytest.importorskip("ctypes")
    forgotten = {}

    def leak(thing):
        forgotten[id(thing)] = forgotten.get(id(thing), 0) + 1
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
        return thing

    yield leak
    for address in (key for key, count in forgotten.items() for _ in range(count)):
        ctypes.pythonapi.Py_DecRef(ctypes.cast(address, ctypes.py_object))
