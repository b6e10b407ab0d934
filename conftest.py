"""What every test and every example gets: a guarded interpreter, marks, examples."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from doctest import ELLIPSIS

import attrs
import pytest
from sybil import Sybil
from sybil.parsers import markdown, rest


IN_PYODIDE = sys.platform == "emscripten"


# -- Examples: the Python of README.md and docs/, the docstrings of src/.
_markdown = Sybil(
    parsers=[
        markdown.PythonCodeBlockParser(doctest_optionflags=ELLIPSIS),
        markdown.SkipParser(),
    ],
    patterns=["*.md"],
    fixtures=["interpreter_left_alone"],
)
_docstrings = Sybil(
    parsers=[rest.DocTestParser(optionflags=ELLIPSIS)],
    path="src",
    patterns=["*.py"],  # at any depth: a "**" here would stand for one folder
    fixtures=["interpreter_left_alone"],
)
pytest_collect_file = (_markdown + _docstrings).pytest()


# -- Marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Skip what this platform lacks; examples show exact numbers, so mark them."""
    for item in items:
        if not isinstance(item, pytest.Function):
            item.add_marker(pytest.mark.exact)
        for what in ("threads", "subprocess"):
            if IN_PYODIDE and item.get_closest_marker(f"needs_{what}"):
                item.add_marker(pytest.mark.skip(reason=f"no {what} in Pyodide"))


# -- The guard.
def _hypothesis_hooks():
    """Return the gc callback that Hypothesis adds for good with its first test."""
    return [
        hook
        for hook in gc.callbacks
        if str(getattr(hook, "__module__", "")).startswith("hypothesis")
    ]


@attrs.frozen
class _Interpreter:
    """Everything in the interpreter that refscope might leave changed."""

    tracing: bool
    gc_enabled: bool
    gc_debug: int
    gc_thresholds: tuple[int, ...]
    gc_callbacks: tuple[object, ...] = attrs.field(eq=lambda hooks: [*map(id, hooks)])
    gc_frozen: bool
    gc_garbage: int
    trace_hook: object = attrs.field(eq=id)
    profile_hook: object = attrs.field(eq=id)
    recursion_limit: int
    switch_interval: float

    @classmethod
    def now(cls):
        """Return the present state."""
        return cls(
            tracing=tracemalloc.is_tracing(),
            gc_enabled=gc.isenabled(),
            gc_debug=gc.get_debug(),
            gc_thresholds=gc.get_threshold(),
            gc_callbacks=tuple(
                hook for hook in gc.callbacks if hook not in _hypothesis_hooks()
            ),
            gc_frozen=gc.get_freeze_count() > 1000,  # 3.12 itself has a few hundred
            gc_garbage=len(gc.garbage),
            trace_hook=sys.gettrace(),
            profile_hook=sys.getprofile(),
            recursion_limit=sys.getrecursionlimit(),
            switch_interval=sys.getswitchinterval(),
        )

    def restore(self):
        """Put back what the next test relies on, so that only one test fails."""
        if not self.tracing:
            tracemalloc.stop()
        (gc.enable if self.gc_enabled else gc.disable)()
        gc.set_debug(self.gc_debug)
        gc.set_threshold(*self.gc_thresholds)
        gc.callbacks[:] = [*_hypothesis_hooks(), *self.gc_callbacks]
        gc.garbage.clear()
        sys.setswitchinterval(self.switch_interval)


@pytest.fixture(autouse=True)
def interpreter_left_alone():
    """No test may leave tracing on, the collector off, flags set or hooks behind."""
    before = _Interpreter.now()
    assert not before.tracing

    yield

    after = _Interpreter.now()
    before.restore()
    assert after == before


@pytest.fixture
def small_heap():
    """Freeze what is there, so that each collection and look at the heap is cheap."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def no_garbage():
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
