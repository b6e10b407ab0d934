"""Print what find_leaks says of each work in a table, by the name of its module.

A work is prepared by a function that gets a stack for what has to be closed
afterwards, and returns what is to be called: a coroutine function if it is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import inspect
import json
import sys
import traceback

import refscope


def findings(works):
    """Return the text of each report; None for a work whose package is missing."""
    texts = {}
    for prepare in works:
        gc.collect()
        gc.freeze()  # each collection and census is cheap then
        try:
            report = find(prepare)
        except ModuleNotFoundError:
            texts[prepare.__name__] = None
        except Exception:  # noqa: BLE001  # one that fails takes no other with it
            texts[prepare.__name__] = traceback.format_exc()
        else:
            texts[prepare.__name__] = str(report) if report.is_leaking else ""
    return texts


def find(prepare):
    """Return the report of one work."""
    if inspect.iscoroutinefunction(prepare):
        return asyncio.run(_find_in_a_loop(prepare))
    with contextlib.ExitStack() as stack:
        return refscope.find_leaks(prepare(stack))


async def _find_in_a_loop(prepare):
    async with contextlib.AsyncExitStack() as stack:
        return await refscope.find_leaks_async(await prepare(stack))


if __name__ == "__main__":
    module = importlib.import_module(sys.argv[1])
    print(json.dumps(findings(module.WORKS)))  # noqa: T201
