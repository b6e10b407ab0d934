"""What ``referrers`` finds beyond single holders, and what it does not disturb."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from types import CellType, FrameType

import pytest

from refscope import refcount, referrers, why_alive
from refscope._measure.budget import Budget
from refscope._measure.cpython import frames
from refscope._measure.heap import ours
from refscope._measure.references import explain, hidden, variables
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError

from .kinds import Holder, Thing, fresh


BORROWS = sys.version_info >= (3, 14)


def _names(report):
    return [one.name for one in report.references]


# -- Variables.
def test_a_variable():
    """The one name of an object is found, with function and line."""
    thing = Thing()
    report = referrers(thing)

    assert _names(report) == ["<local thing in test_a_variable>"]
    [one] = report.references
    assert one.holder.type_name == "frame"
    assert one.holder.detail.startswith(f"test_a_variable at {__file__}:")
    assert not one.borrowed
    assert (report.unaccounted, report.exact, report.complete) == (0, True, True)
    assert report.is_clean


def test_a_parameter():
    """Variables of all callers are found; where they borrow they do not count."""

    def inner(given):
        return referrers(given)

    thing = Thing()
    report = inner(thing)
    borrowed = [one.borrowed for one in report.references]

    assert [name.partition(" in ")[0] for name in _names(report)] == [
        "<local given",
        "<local thing",
    ]
    assert borrowed == [BORROWS, False]
    # Up to 3.10 the call itself has one, which has no name.
    assert report.unaccounted == (sys.version_info < (3, 11))
    assert report.refcount.count == len(borrowed) - sum(borrowed) + report.unaccounted
    assert report.exact


def test_a_variable_that_inner_functions_use():
    """The cell is the holder, not the frame, and has the variable's name."""
    thing = Thing()

    def inner():
        return thing

    report = referrers(thing)

    assert _names(report) == ["<cell thing>"]
    assert inner.__closure__[0].cell_contents is thing
    assert report.unaccounted == 0


def test_a_cell_whose_functions_are_gone():
    """Then it is the running function that has the name."""
    thing = Thing()

    def inner():
        return thing

    del inner
    report = referrers(thing)

    assert _names(report) == ["<cell thing>"]
    assert report.unaccounted == 0


def test_a_cell_that_nobody_knows():
    """What refers to it then is told in Python."""
    thing = Thing()

    def inner():
        return thing

    cell = inner.__closure__[0]
    cells = [type(cell)(Holder())]
    cells[0].cell_contents.found = cells
    report = referrers(cells[0].cell_contents)

    assert _names(report) == [".cell_contents"]


def test_a_cell_that_is_a_variable_itself():
    """A generator that has a cell as a value has no name for what is in it."""

    def generator(held):
        yield held

    cells = [CellType(Holder())]
    running = generator(cells[0])
    next(running)
    cells[0].cell_contents.found = running
    report = referrers(cells[0].cell_contents)

    assert _names(report) == [".cell_contents"]
    assert report.unaccounted == 0


def test_a_cell_beside_that_of_a_variable():
    """One that nobody has for a variable does not get the name of another."""
    thing = Thing()
    cells = [CellType(thing)]

    def inner():
        return thing

    beside = referrers(thing)
    assert inner() is thing
    del inner
    alone = referrers(thing)

    names = {one.name: one.holder.address for one in beside.references}
    assert sorted(names) == [".cell_contents", "<cell thing>"]
    assert names[".cell_contents"] == id(cells[0])
    assert _names(alone) == [".cell_contents"] * 2


def test_cells_of_two_variables():
    """Which of two names is that of which cell is not guessed."""
    thing = again = Thing()

    def inner():
        return thing, again

    del inner
    report = referrers(thing)

    assert _names(report) == [".cell_contents"] * 2
    assert report.unaccounted == 0


def test_a_cell_of_two_functions_that_run():
    """Both have the variable, and there is one name for it."""
    thing = Thing()

    def inner():
        nonlocal inner
        inner = None
        return referrers(thing)

    assert _names(inner()) == ["<cell thing>"]


def test_a_frame():
    """What refscope itself has of the frames that run is no holder."""
    frame = sys._getframe()
    report = referrers(frame)

    assert _names(report) == ["<local frame in test_a_frame>"]
    assert report.unaccounted  # whoever runs it
    del frame  # which holds itself


def test_a_cell_of_a_generator():
    """A generator that waits has a name for the cells that it made."""

    def generator():
        found = Thing()
        weak.append(weakref.ref(found))
        inner.append(lambda: found)
        inner.clear()
        yield

    weak, inner = [], []
    running = generator()
    next(running)
    box = [weak[0]()]
    report = referrers(box[0])

    assert _names(report) == ["<cell found>", "[0]"]
    assert report.unaccounted == 0


def test_a_cell_of_a_generator_with_a_variable_of_the_same():
    """The cell is not taken for that variable's."""

    def make():
        shared = Thing()

        def generator():
            alone = shared
            yield alone

        return generator()

    running = make()
    box = [next(running)]
    found = [one.name for one in referrers(box[0]).references]
    paths = why_alive(box[0]).paths
    names = {step.name for path in paths for step in path.references}

    assert "<cell shared>" in found
    assert any(name.startswith("<local alone in ") for name in found)
    assert "<cell shared>" in names
    assert "<cell alone>" not in {*found, *names}


def test_two_references_of_one_holder():
    """Each is listed."""
    thing = Thing()
    items = [thing, 1, thing]
    report = referrers(thing)

    assert _names(report)[:2] == ["[0]", "[2]"]
    assert report.references[0].holder == report.references[1].holder
    assert report.unaccounted == 0
    assert len(items) == 3


@pytest.mark.needs_threads
def test_a_variable_of_another_thread():
    """Frames of all threads are looked at."""
    ready, done = threading.Event(), threading.Event()
    box = [Thing()]

    def work():
        found = box[0]
        ready.set()
        done.wait()
        return found

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    try:
        report = referrers(box[0])
    finally:
        done.set()
        thread.join()

    inside = "test_a_variable_of_another_thread.<locals>.work"
    inside = inside if sys.version_info >= (3, 11) else "work"
    assert _names(report) == ["[0]", f"<local found in {inside}>"]
    assert report.unaccounted == 0


def test_reading_variables_leaves_nothing():
    """An object still dies with its last name after variables have been read."""
    thing = Thing()
    weak = weakref.ref(thing)
    referrers(thing)
    del thing

    assert weak() is None


@pytest.mark.parametrize("wrap", [lambda frame: frame, lambda frame: (frame,)])
def test_reading_variables_of_a_frame_that_is_given_leaves_nothing(wrap):
    """Nor does it if a function on the way has the frame of its caller."""

    def search(given):
        referrers(given)

    thing = Thing()
    weak = weakref.ref(thing)
    search(wrap(sys._getframe()))
    del thing

    assert weak() is None


def test_a_snapshot_that_the_program_has_stays():
    """What the program got from ``locals()`` is left as it is."""
    thing = Thing()
    names = locals()
    report = referrers(thing)
    again = locals()

    assert names["thing"] is thing
    assert "names" in again
    assert report.unaccounted == 0


def test_a_snapshot_of_which_nothing_is_known_stays(monkeypatch):
    """Where memory cannot be read, variables are found and none is taken away."""
    monkeypatch.setattr(frames, "_read_word", None)
    thing = Thing()
    frame = sys._getframe()
    found = dict(frames._from_snapshot(frame, []))

    assert found["thing"] is thing
    assert frame.f_locals["thing"] is thing
    assert frames._has_snapshot(frame)


def test_under_a_trace_function():
    """Variables survive a search while their function is traced."""
    before = sys.gettrace()

    def trace(*_):
        return trace

    def work():
        thing = Thing()
        report = referrers(thing)
        return thing, report

    sys.settrace(trace)
    try:
        thing, report = work()
    finally:
        sys.settrace(before)

    assert type(thing) is Thing
    assert report.unaccounted == 0


@pytest.mark.parametrize("is_wrapped", [False, True])
def test_inside_a_profile_function(is_wrapped):
    """A hook that searches does not delete the variables of whom it watches."""
    before = sys.getprofile()
    reports = []

    def profile(frame, event, _):
        if event == "return" and frame.f_code.co_name == "work":
            sys.setprofile(before)
            reports.append(referrers(things[0]))

    def wrapped(*args):
        profile(*args)

    def work():
        found = things[0]
        sys.setprofile(wrapped if is_wrapped else profile)
        return found

    things = [Thing()]
    try:
        found = work()
    finally:
        sys.setprofile(before)

    assert found is things[0]
    assert "[0]" in _names(reports[0])


def test_a_class_body_and_a_module():
    """What runs in a namespace holds by that namespace."""
    names = {"referrers": referrers, "Thing": Thing}
    exec("thing = Thing(); report = referrers(thing)", names)  # noqa: S102  # made to measure

    assert _names(names["report"]) == ["['thing']"]
    assert names["report"].unaccounted == 0


_COMPREHENSIONS = """\
things = [Thing()]
found = [referrers(thing) for thing in things]
class Body:
    found = [referrers(thing) for thing in things]
[(lambda: other, found.append(referrers(other))) for other in things]
after = sorted(globals())
"""


def test_a_comprehension_in_a_module_or_class():
    """Its variable is in no namespace, and is found where it is (3.12 inlines it)."""
    names = {"referrers": referrers, "Thing": Thing}
    exec(_COMPREHENSIONS, names)  # noqa: S102  # made to measure
    [in_module, in_cell], [in_class] = names["found"], names["Body"].found

    for report in (in_module, in_class):
        found = [name.partition(" in ")[0] for name in _names(report)]
        assert sorted(found) == ["<local thing", "[0]"]
    assert sorted(_names(in_cell)) == ["<cell other>", "[0]"]
    for report in (in_module, in_class, in_cell):
        assert (report.unaccounted, report.exact) == (0, True)
    assert "thing" not in names["after"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="nothing is inlined")
def test_a_name_of_a_cell_and_of_a_variable():
    """One comprehension may keep in a cell what another one keeps plainly."""
    things = [Thing()]
    plain = [frames.variables_of(sys._getframe()) for each in things]
    in_cell = [
        (lambda: each, frames.variables_of(sys._getframe()))  # noqa: B023  # that is it
        for each in things
    ]

    assert dict(plain[0])["each"] is things[0]
    assert dict(in_cell[0][1])["each"] is things[0]


# -- Sharing out what variables of 3.14 and later own.
def _variable(may_borrow):
    return variables.Variable(sys._getframe(), "<local x in f>", may_borrow=may_borrow)


@pytest.mark.parametrize(
    ("references", "may_borrow", "borrowed", "unaccounted", "is_certain"),
    [
        (0, [], [], 0, True),
        (2, [], [], 2, True),
        (1, [False], [False], 0, True),
        (3, [False], [False], 2, True),
        (1, [True, False], [True, False], 0, True),
        (2, [True, False], [False, False], 0, False),
        (3, [True, False], [False, False], 1, False),
        (1, [True, True], [True, False], 0, False),
        (0, [True], [True], 0, True),
        (0, [False], [False], 0, False),
    ],
)
def test_references_are_shared_out(
    references, may_borrow, borrowed, unaccounted, is_certain
):
    """Outer variables own before inner ones, and what is not sure is said."""
    share = variables.share_out(references, [*map(_variable, may_borrow)])

    assert share.borrowed == borrowed
    assert (share.unaccounted, share.is_certain) == (unaccounted, is_certain)


@pytest.mark.skipif(not BORROWS, reason="all variables count")
def test_what_cannot_be_told():
    """A parameter that may own its reference makes the report inexact."""

    def inner(given):
        return referrers(given)

    report = inner(Thing())

    assert not report.exact
    assert report.limits == (explain.BORROWED,)
    assert report.unaccounted == 0


def test_the_dict_of_an_instance():
    """It is that of its owner, also where the collector is told nothing of it."""
    holder = Holder(x=[1])
    found = vars(holder)
    local = "<local found in test_the_dict_of_an_instance>"
    report = referrers(found)

    assert sorted(_names(report)) == [".__dict__", local]
    assert id(holder) in [one.holder.address for one in report.references]
    assert (report.unaccounted, report.exact) == (0, True)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(found))
    leaked = referrers(found)
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(found))
    assert (sorted(_names(leaked)), leaked.unaccounted) == ([".__dict__", local], 1)
    del holder
    alone = referrers(found)
    assert _names(alone) == [local]
    assert alone.unaccounted == 0


# -- References from C.
def test_an_error_that_is_handled():
    """The interpreter holds it as long as its except block runs, and no longer."""
    try:
        int("x")
    except ValueError as error:
        inside = referrers(error)
        kept = error
    after = referrers(kept)

    assert _names(inside) == [
        "<local error in test_an_error_that_is_handled>",
        "<exception being handled>",
    ]
    assert inside.references[1].holder.type_name == "frame"
    assert (inside.unaccounted, inside.exact) == (0, True)
    assert _names(after) == ["<local kept in test_an_error_that_is_handled>"]
    assert after.unaccounted == 0
    assert "exception being handled, references/test_referrers.py:" in str(inside)


def test_a_stray_reference_is_unaccounted():
    """One ``Py_IncRef`` too many is exactly one that nobody explains."""
    thing = Thing()
    items = [thing]
    before = referrers(thing)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    after = referrers(thing)
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(thing))

    assert (before.unaccounted, after.unaccounted) == (0, 1)
    assert not after.is_clean
    assert _names(after) == _names(before)
    assert after.exact
    assert items


def test_an_evaluation_stack_is_unaccounted():
    """A value that an expression still needs has no name."""
    thing = Thing()
    report = [Thing(), thing, referrers(thing)][2]

    assert report.unaccounted in {0, 1}


# -- What the collector does not list.
def test_an_untracked_tuple():
    """A text in a tuple of texts, which is not tracked, is found."""
    text = fresh("some", "text")
    items = [(text, "x")]
    gc.collect()
    report = referrers(text)

    assert _names(report)[0] == "[0]"
    assert report.references[0].holder.address == id(items[0])
    assert report.unaccounted == 0


def test_a_key_of_a_dict_of_texts():
    """The collector is not told of such keys; they are found all the same."""
    text = fresh("some", "key")
    names = {text: 1}
    report = referrers(text)

    assert _names(report)[0] == "{'some key'}"
    assert report.references[0].holder.address == id(names)
    assert report.unaccounted == 0


def test_a_key_of_an_untracked_dict():
    """The same for a dictionary that is not tracked, up to 3.13."""
    text = fresh("some", "key")
    holder = ({text: 1},)
    gc.collect()
    report = referrers(text)

    assert _names(report)[0] == "{'some key'}"
    assert report.unaccounted == 0
    assert holder


def test_a_constant():
    """A number among the constants of code is held by the tuple of constants."""
    names = {}
    exec("def f(): return 123456789.5", names)  # noqa: S102  # made to measure
    number = next(value for value in names["f"].__code__.co_consts if value)
    report = referrers(number)

    addresses = [one.holder.address for one in report.references]
    assert id(names["f"].__code__.co_consts) in addresses
    assert report.unaccounted >= 0


def test_a_name_of_code():
    """So is a part of code itself."""
    names = {}
    exec("def f(): return (1.5, 2.5)", names)  # noqa: S102  # made to measure
    code = names["f"].__code__
    box = [code.co_linetable]
    report = referrers(box[0])

    assert ".co_linetable" in _names(report)


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="they are made when asked for")
@pytest.mark.parametrize("name", ["co_code", "co_varnames", "co_cellvars"])
def test_what_code_of_old_has(name):
    """Up to 3.10 code keeps the names of its variables, and itself as bytes."""
    names = {}
    exec("def f(a, b):\n    return lambda: a", names)  # noqa: S102  # made to measure
    report = referrers(getattr(names["f"].__code__, name))

    assert f".{name}" in _names(report)
    assert report.unaccounted == 0


def test_what_code_has_not_is_no_reference():
    """Code of another version has fields that this one has not."""
    assert hidden.held_by_code([None], [_names.__code__]) == []


@pytest.mark.needs_subprocess
@pytest.mark.parametrize("name", ["a_value", "an_attribute", "an_address"])
def test_frozen(name):
    """What ``gc.freeze`` put aside is found behind what it did not.

    In a process of its own, since 3.12 starts with frozen objects.
    """
    script = Path(__file__).with_name("frozen.py")
    package = str(Path(explain.__file__).parents[3])
    env = {**os.environ, "PYTHONPATH": package}
    command = [sys.executable, str(script), name]
    answer = subprocess.run(
        command, env=env, capture_output=True, text=True, check=False
    )

    assert (answer.stdout, answer.returncode) == ("right\n", 0)


# -- Many, and round.
@pytest.mark.apart
def test_many_references():
    """100,001 references are all there, each with its name."""
    thing = Thing()
    items = [thing] * 100_000
    report = referrers(thing)

    assert report.refcount.count == 100_001
    assert len(report.references) == 100_001
    assert report.references[99_999].name == "[99999]"
    assert report.unaccounted == 0
    assert len(str(report).splitlines()) <= 25
    del items


@pytest.mark.apart
def test_many_holders():
    """A thousand instances are all there, each with its attribute."""
    thing = Thing()
    holders = [Holder(found=thing) for _ in range(1000)]
    report = referrers(thing)

    found = [one for one in report.references if one.name == ".found"]
    assert len(found) == 1000
    assert {one.holder.address for one in found} == {*map(id, holders)}
    assert report.unaccounted == 0


def test_containers_that_hold_themselves():
    """A list in itself and a dictionary in itself are their own holders."""
    items = []
    items.append(items)
    names = {}
    names["me"] = names
    of_list, of_dict = referrers(items), referrers(names)
    items.clear()
    names.clear()

    assert _names(of_list)[0] == "[0]"
    assert _names(of_dict)[0] == "['me']"
    assert (of_list.unaccounted, of_dict.unaccounted) == (0, 0)
    assert of_list.exact


def test_an_instance_that_holds_itself():
    """So is an instance."""
    thing = Thing()
    thing.me = thing
    report = referrers(thing)
    del thing.me

    assert _names(report)[0] == ".me"
    assert report.references[0].holder.address == report.references[0].target.address
    assert (report.unaccounted, report.exact) == (0, True)


def test_an_immortal_object():
    """It has holders and no count, so nothing can be left over."""
    holder = [Ellipsis]
    report = referrers(Ellipsis)

    if report.refcount.immortal:
        assert report.unaccounted is None
        assert report.exact
        assert not report.limits
    assert id(holder) in [found.holder.address for found in report.references]


# -- What is left behind.
def test_no_garbage():
    """A search leaves nothing for the collector."""
    thing = Thing()
    items = [thing, {"a": thing}, Holder(found=thing)]
    referrers(thing)
    gc.collect()
    gc.disable()
    try:
        referrers(thing)
        referrers(thing, progress=lambda _: None)
        left = gc.collect()
    finally:
        gc.enable()

    assert left == 0
    assert items


def test_no_reference_is_left():
    """Nothing of refscope holds the object afterwards, and the report lives on."""
    thing = Thing()
    weak = weakref.ref(thing)
    report = referrers(thing)

    assert refcount(thing).count == 1
    del thing
    assert weak() is None
    assert report.references


def _frames_of_refscope():
    return [
        id(frame)
        for frame in gc.get_objects()
        if type(frame) is FrameType and "_measure" in frame.f_code.co_filename
    ]


def test_frames_of_refscope_are_not_found():
    """Only the program's frames are looked at."""
    thing = Thing()
    # 3.10 has a frame for whatever is suspended, as one generator of ours always is.
    before = _frames_of_refscope()
    report = referrers(thing)
    owners = [one.holder for one in report.references]
    after = _frames_of_refscope()

    assert all("_references.py" not in (owner.detail or "") for owner in owners)
    assert after == before


def test_what_modules_of_refscope_hold_is_listed():
    """They stay, as those of the program do: their references count and have names."""
    report = referrers(vars(ours))

    assert {one.holder.type_name for one in report.references} >= {"function", "module"}
    assert (report.unaccounted, report.exact) == (0, True)


def test_a_weak_reference_is_no_holder():
    """Nor are proxies and weak containers."""
    thing = Thing()
    weak = [weakref.ref(thing), weakref.proxy(thing), weakref.WeakSet([thing])]
    report = referrers(thing)

    assert len(report.references) == 1
    assert report.unaccounted == 0
    assert weak


@pytest.mark.skipif(sys.version_info < (3, 11), reason="all have one before")
def test_no_dictionary_is_made():
    """Asking who holds does not make the dictionary of an instance."""
    thing = Thing()
    holder = type("Holder", (Holder,), {})(found=thing, other=1)
    report = referrers(thing)
    things = [one for one in gc.get_referents(holder) if one is thing]

    assert report.limits == ()
    assert things == [thing]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="all have one before")
def test_a_dictionary_that_is_made_is_said():
    """Where there is no other way to a name, limits say what stays."""
    thing = Thing()
    holder = type("Holder", (Holder,), {})()
    name = fresh("not", "in", "any", "code")
    setattr(holder, name, thing)
    report = referrers(thing)

    assert _names(report)[0] == ".__dict__['not in any code']"
    assert report.limits == (explain.MATERIALISED,)


# -- Bounds.
def test_the_search_can_be_bounded():
    """After so many objects it ends, says so, and knows no rest."""
    thing = Thing()
    report = referrers(thing, max_objects=5)

    assert not report.complete
    assert "max_objects=5" in report.limits[0]
    assert report.unaccounted is None


def test_a_bound_that_is_not_reached_changes_nothing():
    """With room enough the answer is that of an endless search."""
    thing = Thing()
    holder = Holder(found=[thing])
    seen = []
    report = referrers(thing, max_objects=10**9, deadline=1000, progress=seen.append)
    endless = referrers(thing)

    assert report.references[:1] == endless.references[:1]
    assert (report.complete, report.unaccounted) == (True, 0)
    assert seen[-1].objects > 1000
    assert holder


def test_a_progress_hook_that_fails(caplog):
    """It is heard of once in the log, is not called again, and the search goes on."""
    calls = []

    def fail(progress):
        calls.append(progress.stage)
        raise ZeroDivisionError

    thing = Thing()
    report = referrers(thing, progress=fail)
    [record] = caplog.records

    assert len(calls) == 1
    assert (record.name, record.levelname) == ("refscope", "ERROR")
    assert record.exc_info[0] is ZeroDivisionError
    assert _names(report) == ["<local thing in test_a_progress_hook_that_fails>"]
    assert (report.complete, report.exact, report.unaccounted) == (True, True, 0)


def test_the_second_part_can_be_bounded_too():
    """Also what lies behind the collector's list is not searched without end."""
    text = fresh("some", "text")
    items = [(text,)]
    gc.collect()
    total = len(gc.get_objects())
    report = referrers(text, max_objects=total + total // 2)

    assert not report.complete
    assert report.unaccounted is None
    assert items


@pytest.mark.parametrize(
    ("bounds", "error", "said"),
    [
        ({"max_objects": 0}, InvalidArgumentError, "1 or more, not 0"),
        ({"deadline": -1}, InvalidArgumentError, "0 or more, not -1"),
        ({"max_objects": 1.5}, ArgumentTypeError, "a whole number, not a float"),
        ({"deadline": "1"}, ArgumentTypeError, "a number, not a str"),
        ({"progress": 1}, ArgumentTypeError, "a function, not an int"),
    ],
)
def test_bad_bounds(bounds, error, said):
    """A bound that cannot be meant is refused."""
    with pytest.raises(error, match=said):
        referrers(1, **bounds)


def test_what_is_behind_can_be_bounded():
    """A search behind the list ends after the piece in which the bound was met."""
    budget = Budget(max_objects=1)

    assert len(list(hidden.behind([[1], [2]], [], budget))) == 2
    assert budget.is_spent


# -- Others change things meanwhile.
@pytest.mark.needs_threads
def test_another_thread_changes_holders():
    """A search among changing containers ends, and never with a negative rest."""
    thing = Thing()
    holders = [[], {}, set(), Holder()]
    stop = threading.Event()

    def change():
        while not stop.is_set():
            holders[0].append(thing)
            holders[1][len(holders[1])] = thing
            holders[2].add(thing)
            holders[3].found = thing
            for holder in holders[:3]:
                holder.clear()
            holders[3].found = None

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=change)
    sys.setswitchinterval(1e-5)
    thread.start()
    try:
        reports = [referrers(thing) for _ in range(30)]
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)

    assert all(report.unaccounted >= 0 for report in reports)


def test_a_change_during_the_search_is_noticed():
    """When the count is another at the end, the report is not exact."""
    things = [Thing()]
    kept = []
    report = referrers(things[0], progress=lambda _: kept.append(things[0]))

    assert not report.exact
    assert explain.CHANGED in report.limits


def test_the_instance_of_a_dictionary_is_looked_for(monkeypatch):
    """Where the collector does not tell; else it is not listed twice."""
    monkeypatch.setattr(explain, "HIDES_DICT", True)
    holder = Owner()
    holder.attribute = []
    held = ctypes.py_object(vars(holder))
    ctypes.pythonapi.Py_IncRef(held)
    report = referrers(vars(holder))
    ctypes.pythonapi.Py_DecRef(held)

    names = [one.name for one in report.references if one.holder.address == id(holder)]
    assert names == [".__dict__"]


class Owner:
    """Has attributes."""
