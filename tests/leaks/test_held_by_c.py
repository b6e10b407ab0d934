"""Holders that only C holds, beside those that the program has names for."""

from __future__ import annotations

import asyncio
import atexit
import codecs
import contextvars
import gc
import io
import sys

import pytest

import refscope
from refscope._measure.algorithms.paths import Search


VARIABLE = contextvars.ContextVar("request")


class Item:
    """The subject."""


def _ways(report):
    return [(path.root.partition(" ")[0], _names(path)) for path in report.paths]


def _contexts(report):
    """Return the paths by way of a context; a trace hook may be given who calls it."""
    roots = ("context of a thread", "held by C only")
    return [path for path in report.paths if path.root in roots]


def _names(path):
    return [step.name for step in path.references]


def test_the_context_of_a_thread_is_a_holder_beside_a_local():
    """What ContextVar.set left is not forgotten because a variable has it, too."""
    item = Item()

    def ask():
        VARIABLE.set(item)
        return refscope.why_alive(item)

    report = contextvars.Context().run(ask)
    [context] = _contexts(report)

    assert report.complete
    assert _names(context)[-1] == "<context variable request>"
    assert "<?>" not in _names(context)
    assert "only" not in report.headline


def test_the_context_is_a_holder_where_a_token_that_is_kept_leads_back_to_it():
    """A request that is pushed and never popped keeps its token, which has the one."""

    def push():
        item = Item()
        item.token = VARIABLE.set(item)

    def ask():
        push()
        push()
        return refscope.why_alive(VARIABLE.get().token.old_value)

    report = contextvars.Context().run(ask)
    [context] = _contexts(report)

    assert context.root == "context of a thread"
    assert _names(context)[-3:] == [
        "<context variable request>",
        ".token",
        ".old_value",
    ]


@pytest.mark.usefixtures("small_heap")
def test_what_leaks_comes_before_what_c_keeps_for_it():
    """The collector does not see who has the decoder of a file (up to 3.11)."""
    files = []

    def write():
        files.append(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))

    report = refscope.find_leaks(write)

    assert report.leaks[0].type_name == "_io.TextIOWrapper"
    assert any("IncrementalDecoder" in leak.type_name for leak in report.leaks)


@pytest.mark.usefixtures("small_heap")
def test_who_waits_comes_before_the_context_of_its_call():
    """Each callback brings a context, by a shorter path."""
    loop = asyncio.new_event_loop()
    done = loop.create_future()

    def wait():
        done.add_done_callback(Waiter().hear)

    report = refscope.find_leaks(wait)
    loop.close()

    assert report.leaks[0].type_name.endswith(".Waiter")
    assert "_contextvars.Context" in {leak.type_name for leak in report.leaks}


class Waiter:
    """Wants to be told when something is done."""

    def hear(self, _done):
        """Hear of it."""


class Span:
    """What is current until it is left, which its program forgets to do."""

    def __init__(self):
        self.token = VARIABLE.set(self)


@pytest.mark.usefixtures("small_heap")
def test_a_context_that_tokens_hold_is_that_of_a_thread():
    """Each token holds the context, whose end in C is then not all that is seen."""
    report = contextvars.Context().run(refscope.find_leaks, Span)
    span = next(leak for leak in report.leaks if leak.type_name.endswith("Span"))

    assert [leak.verdict for leak in report.leaks] == ["held", "held"]
    assert span.per_call == 1
    assert span.held_by.root == "context of a thread"
    assert "<?>" not in _names(span.held_by)


def test_a_context_that_a_token_holds_is_a_holder_beside_a_local():
    """The local is a root; the other way comes back to the subject."""

    def ask():
        span = Span()
        return refscope.why_alive(span)

    report = contextvars.Context().run(ask)
    [context] = _contexts(report)

    assert _names(context)[-1] == "<context variable request>"
    assert "only" not in report.headline


def test_a_context_of_other_values_is_no_root():
    """What nothing else holds is no value of this thread."""
    context = contextvars.Context()
    span = context.run(Span)
    report = refscope.why_alive(span)

    assert {path.root.partition(" ")[0] for path in report.paths} == {"thread"}


def test_each_node_of_a_large_context_has_a_name():
    """A context with many variables is a tree of several levels."""
    item = Item()
    variables = [contextvars.ContextVar(f"v{number}") for number in range(200)]

    def ask():
        for variable in variables:
            variable.set(item)
        return refscope.why_alive(item)

    report = contextvars.Context().run(ask)
    contexts = _contexts(report)

    assert contexts
    assert not any("<?>" in _names(path) for path in contexts)


def test_what_runs_at_exit_is_a_holder_beside_a_local():
    """The list of atexit is C's."""
    item = Item()
    atexit.register(print, item)
    try:
        report = refscope.why_alive(item)
    finally:
        atexit.unregister(print)
    [local, at_exit] = report.paths

    assert _names(local) == [
        "<local item in test_what_runs_at_exit_is_a_holder_beside_a_local>"
    ]
    assert at_exit.root == "held by C only"
    assert _names(at_exit)[-1] == "[0]"


def test_handlers_of_codecs_are_holders_beside_a_local():
    """The registry is the interpreter's."""
    item = Item()
    codecs.register_error("test_held_by_c", lambda _, _kept=item: ("", 0))
    try:
        report = refscope.why_alive(item)
    finally:
        codecs.register_error("test_held_by_c", codecs.ignore_errors)
    [_, handler] = report.paths

    assert _names(handler)[-2:] == [".__defaults__", "[0]"]


def test_what_refscope_was_given_is_said_to_be_its():
    """The handle that a program has for a block holds what is called at its end."""
    item = Item()
    tracker = refscope.track("x", on_report=lambda _, _kept=item: None)
    [_, function] = refscope.why_alive(item).paths

    assert tracker is not None
    assert (function.root, _names(function)) == (
        "a handle of refscope",
        [".__defaults__", "[0]"],
    )


def test_the_notes_of_the_search_are_no_holders():
    """It knows all modules and running frames for a while."""
    reports = [refscope.why_alive(gc), refscope.why_alive(sys._getframe())]
    texts = [
        name for report in reports for path in report.paths for name in _names(path)
    ]

    assert not [text for text in texts if text[1:-1].isdigit() and len(text) > 8]


def test_the_cell_of_a_running_function_is_no_holder_of_its_own():
    """The frame has it: the path by the variable says so."""
    item = Item()
    reports = []
    max([0], key=lambda _: reports.append(refscope.why_alive(item)) or 0)
    [report] = reports

    assert (".cell_contents",) not in [tuple(names) for _, names in _ways(report)]
    assert "thread" in [root for root, _ in _ways(report)]


def test_locals_of_a_running_function_are_no_holder_of_their_own():
    """Up to 3.12 the dictionary that locals() leaves in the frame has them all."""

    def ask():
        item = Item()
        locals()
        return refscope.why_alive(item)

    [path] = ask().paths

    assert path.root.startswith("thread ")


@pytest.mark.skipif(sys.gettrace() is not None, reason="something else traces")
@pytest.mark.parametrize("install", [sys.settrace, sys.setprofile])
@pytest.mark.parametrize("follows", [False, True])
def test_a_trace_hook_makes_no_holders(install, follows):
    """On 3.10 calls of a hook leave a dictionary in each frame, refscope's as well."""
    item = Item()

    def trace(*_):
        return trace if follows else None

    install(trace)
    try:
        report = refscope.why_alive(item)
    finally:
        install(None)
    roots = {path.root for path in report.paths}

    assert roots == {path.root for path in report.paths[:1]}
    assert "held by C only" not in roots


def test_a_holder_that_waits_for_the_collector_is_in_the_limits():
    """There is no path to a ring of garbage, and it keeps the object all the same."""
    item = Item()
    gc.disable()
    try:
        ring = [item]
        ring.append(ring)
        del ring
        report = refscope.why_alive(item)
    finally:
        gc.enable()
        gc.collect()

    assert len(report.paths) == 1
    [limit] = report.limits
    assert limit.startswith("1 more holder leads back only to itself: garbage that")


def test_what_the_object_holds_itself_is_no_holder_left_out():
    """A class is held by its own members: they keep nothing."""
    item = Item()
    item.myself = [item]

    assert refscope.why_alive(item).limits == ()
    assert refscope.why_alive(Item).limits == ()


def test_holders_that_meet_the_target_are_its_own():
    """One that only the target holds, one in a ring of its own, one that ends."""
    edges = [(2, 1), (1, 2), (3, 1), (4, 3), (3, 4), (5, 1)]
    search = Search(1, 16)
    search.run(
        lambda level: [(a, b, False) for a, b in edges if b in level],
        lambda _: False,
        bool,
    )
    bits = search.holders

    assert search.looped_bits == bits[3]
    assert search.ends_of(bits[5]) == [5]


def test_an_untracked_holder_is_found_beside_a_tracked_one():
    """The collector lets go of tuples of texts, and lists them no more."""
    settings = {}
    text = str(9**30)
    settings[1, text] = 2
    gc.collect()
    report = refscope.why_alive(text)

    assert not gc.is_tracked(next(iter(settings)))
    assert len(report.paths) == 2
    assert _names(report.paths[1])[-1] == "[1]"


def test_what_only_the_count_tells_of_is_no_only_local():
    """A reference that C has and no Python object shows is told from a variable."""
    ctypes = pytest.importorskip("ctypes")
    item = Item()
    alone = refscope.why_alive(item)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(item))
    report = refscope.why_alive(item)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(item))
    twice = refscope.why_alive(item)
    for _ in range(2):
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(item))

    assert "is kept only by local item in" in alone.headline
    assert alone.limits == ()
    assert report.headline.endswith("Item is kept by 2 holders, 1 of them shown")
    assert report.limits == (
        "1 more reference is held from C: no Python object accounts for it",
    )
    assert (report.only_local, report.more_holders, twice.more_holders) == (None, 1, 2)
    assert "2 more references are held" in twice.limits[0]


def test_what_is_expected_to_be_gone_is_no_only_local_either():
    """The headline of an expectation makes the same claim, and proves it."""
    ctypes = pytest.importorskip("ctypes")
    item = Item()
    expected = refscope.expect_gone(item, "sold")
    alone = expected.check()
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(item))
    report = expected.check()
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(item))

    assert "; kept only by local item in" in alone.headline
    assert "kept only" not in report.headline
    assert "1 more reference is held from C" in report.retention.limits[0]


def test_a_chain_comes_before_the_tree_of_the_context_that_has_its_end():
    """Each request has the one before it, and only the last is in the context."""

    def ask():
        VARIABLE.set(None)
        with refscope.track() as block:
            for _ in range(5):
                item = Item()
                item.before = VARIABLE.get()
                VARIABLE.set(item)
            del item
        return block.report

    report = contextvars.Context().run(ask)

    assert report.survivors[0].type_name.endswith(".Item")
