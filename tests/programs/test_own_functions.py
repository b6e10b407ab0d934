"""refscope does not leak: find_leaks over each of its own public functions."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import refscope

from . import own_functions
from .helpers import measured, names


pytestmark = pytest.mark.apart

NAMES = names(own_functions)


@pytest.fixture(scope="module")
def texts():
    """Return what find_leaks says of each function."""
    return measured(own_functions)


@pytest.mark.parametrize("name", NAMES)
def test_refscope_does_not_leak(name, texts):
    """Its own functions leave nothing behind."""
    assert not texts[name], texts[name]


def test_each_public_function_is_there():
    """Whatever can be called is called by one of the works."""
    source = Path(own_functions.__file__).read_text(encoding="utf-8")
    for module in (refscope, refscope.render):
        for name in module.__all__:
            if inspect.isfunction(getattr(module, name)):
                assert f"{module.__name__.rpartition('.')[-1]}.{name}" in source
