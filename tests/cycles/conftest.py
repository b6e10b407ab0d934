"""Every test here begins without garbage, and nobody collects by itself."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True)
def no_garbage(interpreter_left_alone):
    """Collect before, and after; no automatic collection between.

    What pytest has loaded is frozen, which makes every search a hundred times faster.
    On 3.12, which begins with frozen objects of its own, it stays so.
    """
    gc.collect()
    gc.disable()
    was_frozen = gc.get_freeze_count() > 0
    gc.freeze()
    try:
        yield
    finally:
        if not was_frozen:
            gc.unfreeze()
        gc.enable()
        gc.collect()
