"""Every test here begins without garbage, and nobody collects by itself."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True)
def no_garbage(interpreter_left_alone):
    """Collect before, and after; no automatic collection between."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()
