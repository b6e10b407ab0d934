"""find_leaks is silent about work of real packages that leaves nothing behind."""

from __future__ import annotations

import pytest

from . import workloads
from .helpers import measured, names


pytestmark = pytest.mark.apart

NAMES = names(workloads)


@pytest.fixture(scope="module")
def texts():
    """Return what find_leaks says of every work."""
    return measured(workloads)


@pytest.mark.parametrize("name", NAMES)
def test_no_false_alarm(name, texts):
    """Work that leaves nothing is clean."""
    if texts[name] is None:
        pytest.skip("its package is not installed")

    assert not texts[name], texts[name]


def test_there_are_thirty_workloads():
    """As many as were asked for, wherever threads and processes are."""
    assert len(NAMES) >= 30
