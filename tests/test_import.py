"""What is loaded when: nothing by the import, all of it by the first use."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest

import refscope


LOADED = """
import json, sys
import refscope
by_import = [name for name in sys.modules if name.startswith("refscope")]
by_dir = dir(refscope)
{use}
by_use = [name for name in sys.modules if name.startswith("refscope")]
print(json.dumps([by_import, by_dir, by_use]))
"""
APART = ("refscope.__main__", "refscope._cli", "refscope._demo")
"""What no program uses while a block is open."""


def _loaded(use):
    said = subprocess.run(
        [sys.executable, "-c", LOADED.format(use=use)],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return map(set, json.loads(said.stdout))


@pytest.mark.needs_subprocess
@pytest.mark.parametrize(
    "use",
    [
        "refscope.refcount",
        "from refscope import track",
        "from refscope import *",
        "refscope.reports, refscope.render, refscope.exceptions, refscope.diff",
    ],
)
def test_the_first_use_loads_everything(use):
    """A module that was loaded inside a block would be in its report."""
    by_import, by_dir, by_use = _loaded(use)
    modules = {
        module.name
        for module in pkgutil.walk_packages(refscope.__path__, "refscope.")
        if not module.name.startswith(APART)
    }

    assert by_import == {"refscope"}
    assert by_dir >= set(refscope.__all__)
    assert by_use == modules | {"refscope"}


def test_what_there_is_not():
    """Any other name is none, as in any module."""
    with pytest.raises(AttributeError, match="module 'refscope' has no attribute 'no'"):
        refscope.no

    assert {*dir(refscope)} >= {*refscope.__all__}
