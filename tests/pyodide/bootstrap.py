"""The Python half of ``run.mjs``: make Pyodide look like a plain interpreter.

Pyodide's own event loop returns to JavaScript between two callbacks, so a test that
calls ``asyncio.run`` would get a promise.  The loop here blocks, as everywhere else.
"""

from __future__ import annotations

import asyncio
import os
import runpy
import sys
import time
import traceback
from pathlib import Path

from pyodide import webloop


class _Clock:
    """What the loop waits on: there are no sockets here, only time passes."""

    def select(self, timeout: float | None) -> list[object]:
        """Sleep until the next timer, and report that no socket is ready."""
        if timeout is None:
            raise RuntimeError("deadlock: nothing is left that could wake this loop")
        time.sleep(timeout)
        return []


class BlockingLoop(asyncio.BaseEventLoop):
    """An event loop of callbacks and timers."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Clock()

    def _process_events(self, event_list: list[object]) -> None:
        """There are no events."""

    def _write_to_self(self) -> None:
        """There is no other thread to be woken by."""


def _restore_blocking_calls() -> None:
    time.sleep = webloop._orig_sleep
    asyncio.run = webloop._orig_run
    asyncio._set_running_loop(None)
    asyncio.new_event_loop = asyncio.events.new_event_loop = BlockingLoop


def _status(code: object) -> int:
    """Return the exit status that the command line would give to ``sys.exit(code)``."""
    if code is None:
        return 0
    if isinstance(code, int):
        return int(code)
    print(code, file=sys.stderr)  # noqa: T201  # as the interpreter does
    return 1


def run(cwd: str, site: str, module: str, arguments: list[str]) -> int:
    """Run the module as ``python -m module arguments`` and return its exit status."""
    _restore_blocking_calls()
    os.chdir(cwd)
    sys.path.insert(0, site)
    # The next process need not compile again what this one imports.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(site).with_name("compiled"))
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as error:
        return _status(error.code)
    except BaseException:  # noqa: BLE001  # the top of the program
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0
