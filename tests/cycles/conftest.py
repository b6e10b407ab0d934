"""Every test here begins without garbage, and nobody collects by itself."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True)
def no_garbage(interpreter_left_alone):
    """Collect before; no automatic collection in the test.

    What pytest has loaded is frozen, which makes every search a hundred times faster.
    """
    gc.collect()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()
