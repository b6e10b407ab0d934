"""What every test of cycles gets."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def begins_without_garbage(no_garbage):
    """Every test here begins without garbage, and nobody collects by itself."""
