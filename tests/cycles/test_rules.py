"""The rules one by one: what a cut costs, what is advised, what is set apart."""

from __future__ import annotations

import asyncio
import queue
import sys
import tracemalloc
import types
import weakref
from collections import deque
from xml.etree.ElementTree import Element

import pytest

import refscope
from refscope._measure.algorithms.components import components
from refscope._measure.algorithms.feedback import _cheapest_hits, _least_more
from refscope._measure.budget import Budget
from refscope._measure.cpython import managed
from refscope._measure.cycles import advice, costs, dissect, garbage, phrases
from refscope._measure.cycles.search import LONG, MATERIALISED
from refscope._measure.cycles.shapes import Shapes
from refscope._measure.cycles.wiring import (
    UNKNOWN,
    Wiring,
    _join_steps,
    best_name,
    joined,
)
from refscope._measure.heap import graphs
from refscope._measure.names.code import STACK

from . import idioms
from .helpers import find_true, names_of, only


def frame():
    """Return the frame of a function that has ended."""
    try:
        int("x")
    except ValueError as error:
        return error.__traceback__.tb_frame


@pytest.mark.parametrize(
    ("name", "holder", "target", "cost"),
    [
        (".__class__", idioms.Cat(), idioms.Cat, 3000),
        (".__self__", idioms.Cat().meow, None, 3000),
        (UNKNOWN, idioms.Cat(), None, 1050),
        ("<local x in f>", frame(), ValueError(), 1000),
        ("<local x in f>", frame(), None, 1060),
        ("<evaluation stack of f>", frame(), None, 3000),
        ("<local x in f>", idioms._waiting(), None, 1005),
        (".__context__", ValueError(), None, 1015),
        (".args", ValueError(), (), 3000),
        (".note", ValueError(), None, 1011),
        ("<cached key 1>", len, None, 1004),
        ("[0]", [], None, 1012),
        ("[0]", [], idioms.Cat().meow, 1004),
        ("{1}", set(), None, 1012),
        (".__dict__", idioms.cousins, None, 3000),
        ("<underlying>", iter([]), None, 3000),
        (".cats", idioms.Cat, None, 1025),
        (".error", idioms.Cat(), ValueError(), 1001),
        (".hook", idioms.Cat(), idioms.cousins, 1002),
        (".name", idioms.Cat(), "text", 1011),
        (".friend", idioms.Cat(), idioms.Cat(), 1010),
        (".friends", idioms.Cat(), set(), 1011),
        (".__friend", idioms.Cat(), idioms.Cat(), 1010),
        ("._cat", idioms.Slotted(), idioms.Cat(), 1009),
        ("._cat", idioms.Slotted(), type("Kitten", (idioms.Cat,), {})(), 1009),
        ("._set", idioms.Cat(), set(), 1011),
        (".friend", type("Cats", (dict,), {})(), idioms.Cat(), 1010),
        ("[...]", {}, None, 1014),
        ("<local self in f>", idioms._waiting(), None, 1011),
        ("<local .0 in <genexpr>>", (cat for cat in ()), None, 3000),
    ],
)
def test_what_a_cut_costs(name, holder, target, cost):
    """Cheap is what a person would cut, dear what a program cannot."""
    assert costs.cost_of(name, holder, target) == cost


def loop_of(*steps):
    """Return a loop of objects, each with the name of its reference to the next."""
    wiring = Wiring([thing for thing, _ in steps])
    size = len(steps)
    edges = [(place, (place + 1) % size) for place in range(size)]
    for edge, (_, name) in zip(edges, steps, strict=True):
        wiring.names[edge] = [name]
    return phrases.Loop(wiring, edges, None)


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        (".me", "self.me = None"),
        ("['me']", "del dict['me']"),
        ("<local me in f>", "del me"),
        ("{1}", "clear()"),
    ],
)
def test_how_a_reference_is_cleared(name, statement):
    """In Python, as far as Python has a spelling."""
    loop = loop_of(({}, name))

    assert phrases.statement_on(loop, (0, 0)) == statement
    assert advice.advice_on(loop).endswith(f"clear it with `finally: {statement}`")


@pytest.mark.parametrize(
    ("holder", "name", "target", "words"),
    [
        (idioms.Cat(), ".cats", set(), "Cat.cats may be all that keeps the set"),
        (idioms.Cat(), ".cats", deque(), "keeps the collections.deque, so it cannot"),
        (idioms.Cat(), ".hook", frame, "Cat.hook may be all that keeps the function"),
        (idioms.Cat(), ".friend", idioms.Cat(), "make Cat.friend a weakref.ref"),
        (ValueError(), ".args", (), "clear it with `finally: self.args = ()`"),
        (Element("cat"), UNKNOWN, None, "Element.<?> has no name in Python: let go"),
        (queue.SimpleQueue(), "<items>", None, "SimpleQueue.<items> has no name in"),
    ],
)
def test_what_a_holder_can_do(holder, name, target, words):
    """What nobody else holds must not be held weakly; not all can be set to None."""
    loop = loop_of((holder, name), (target, "[0]"))

    assert words in advice.advice_on(loop)


@pytest.mark.parametrize("own", [False, True])
def test_an_open_connection(own):
    """It keeps a cache of its statements, but what frees it is to close it."""
    sqlite3 = pytest.importorskip("sqlite3")
    kind = sqlite3.Connection
    if own:
        kind = types.new_class("OwnConnection", (kind,))
    connection = kind(":memory:")
    holds = "<statements, cursors or functions>"
    loop = loop_of((len.__class__, ".__wrapped__"), (connection, holds))

    assert advice.advice_on(loop).endswith("until it is closed: close() it")
    connection.close()


def test_an_error_that_c_keeps():
    """There is no Python that clears a reference without a name."""
    try:
        int("x")
    except ValueError as error:
        trace = error.__traceback__
        loop = loop_of(
            (queue.SimpleQueue(), "<items>"),
            (error, ".__traceback__"),
            (trace, ".tb_frame"),
            (trace.tb_frame, ".f_back"),
        )

        assert advice.advice_on(loop) == (
            "SimpleQueue.<items> keeps an exception, whose traceback keeps the frame "
            "and its variables: keep error.with_traceback(None)"
        )
        del loop, trace


def test_containers_alone():
    """No attribute has them, so it is an item that keeps the method."""
    method = idioms.Cat().meow
    loop = loop_of((method, ".__self__"), ([], "[0]"), ({}, "['key']"))

    assert advice.advice_on(loop).startswith("dict['key'] keeps the bound method")


@pytest.mark.parametrize("behind", [[], [(idioms.cousins, ".frame")]])
def test_a_variable_that_no_function_leads_to(behind):
    """A cell is named by what refers to it."""
    cell = (lambda: cell).__closure__[0]
    loop = loop_of((frame(), "<cell cat>"), (cell, ".cell_contents"), *behind)
    loop.cut = loop.edges[1]

    assert advice.advice_on(loop).startswith("the variable 'cat' of a closure leads")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("<local kept in f>", "local 'kept' of test_a_traceback_kept_by_a_variable"),
        (f"{STACK}f>", "a variable keeps a traceback, which keeps its frame"),
    ],
)
def test_a_traceback_kept_by_a_variable(name, words):
    """Without an exception on the loop the traceback is named."""
    try:
        int("x")
    except ValueError as error:
        kept = error.__traceback__
    loop = loop_of((kept, ".tb_frame"), (kept.tb_frame, name))

    assert advice.advice_on(loop).startswith(words)
    del kept, loop


class Waiter:
    """Something to wait for, which knows who waits."""

    def __iter__(self):
        return self

    def __next__(self):
        return 1


def waiting_for(waiter):
    """Wait."""
    yield from waiter


def test_a_generator_that_waits_for_what_keeps_it():
    """It is kept by what it waits for, and no variable is to blame."""
    waiter = Waiter()
    waiter.client = waiting_for(waiter)
    next(waiter.client)
    del waiter

    cycle = only(refscope.find_cycles())
    assert "the suspended generator waiting_for is kept by" in cycle.advice


def test_a_cell_that_belongs_to_no_function():
    """A cell alone is no closure."""
    cell = (lambda: cell).__closure__[0]
    loop = loop_of((cell, ".cell_contents"), ([cell], "[0]"))

    assert "clear it with `finally: " in advice.advice_on(loop)


def hooked():
    """Leave an object that keeps a function which uses it."""
    cat = idioms.Cat()
    cat.hook = lambda: cat


def test_a_function_that_uses_what_keeps_it():
    """A closure that does not call itself is kept by what it keeps."""
    hooked()

    cycle = only(find_true())
    assert "keeps its variable 'cat', which leads back to it" in cycle.advice


def test_what_refscope_leaves_is_not_reported():
    """Classes of refscope that wait for the collector are not the program's."""
    assert type("Left", (), {"__module__": "refscope.fake"})
    assert refscope.find_cycles().is_clean
    idioms.cousins()
    type("Left", (), {"__module__": "refscope.fake", "data": [[1]]})

    assert names_of(only(refscope.find_cycles())) == [".cousin", ".cousin"]


def dynamic_ring(size):
    """Leave a ring whose attributes no code speaks of."""
    name = "".join(chr(97 + number % 26) for number in range(7, 21))
    cats = [idioms.Cat() for _ in range(size)]
    for number, cat in enumerate(cats):
        setattr(cat, name, cats[(number + 1) % size])
    return f".{name}"


@pytest.mark.parametrize("size", [2, 40, 150])
def test_names_that_no_code_speaks_of(size):
    """They are found out for what is shown, and the report says at which price."""
    name = dynamic_ring(size)

    report = refscope.find_cycles()
    cycle = only(report)
    assert set(names_of(cycle)) == {name}
    assert cycle.length == size
    assert set(report.limits) <= {MATERIALISED, LONG, *frozen(report)}


class Queue(queue.SimpleQueue):
    """Has what C keeps, and a dictionary as soon as somebody asks for it."""


@types.coroutine
def _pause():
    yield


async def _holds_its_caller(box):
    caller = box.pop()
    await _pause()
    return caller


async def _awaits(box):
    await _holds_its_caller(box)


async def _awaits_a_variable(box):
    held = _holds_its_caller(box)
    await held


@pytest.mark.parametrize("caller", [_awaits, _awaits_a_variable])
def test_what_is_awaited_has_one_name(caller):
    """Up to 3.10 a frame is between, which has it on its stack."""
    box = []
    coroutine = caller(box)
    box.append(coroutine)
    coroutine.send(None)

    cycle = only(refscope.find_cycles(through=[coroutine]))
    coroutine.close()

    assert ".cr_await" in names_of(cycle)
    assert cycle.length == 2


class Future(asyncio.Future):
    """Has a dictionary from the start, and no descriptor that reads it."""


def test_an_attribute_of_what_c_gives_a_dictionary():
    """The dictionary is no callback of a future, wherever the collector sees it."""
    loop = asyncio.new_event_loop()
    loop.close()
    future = Future(loop=loop)
    future.own = future

    cycle = only(refscope.find_cycles(through=[future]))
    del future.own

    assert names_of(cycle) == [".own"]


def test_a_union_is_led_through_by_its_arguments():
    """Not by the set in which it has them besides, from 3.14 on."""
    cycle = only(refscope.find_cycles(from_call=_union_of_itself))

    assert ".__args__" in names_of(cycle)


def _union_of_itself():
    kind = type("Part", (), {})
    kind.union = int | kind


class Stock:
    """Hides what instances have, as some mappers of objects to tables do."""

    parent = property()


def test_an_attribute_that_a_property_hides():
    """Reading it leads elsewhere; it is a way back to an owner all the same."""
    stock = Stock()
    stock.__dict__["parent"] = stock

    cycle = only(refscope.find_cycles(through=[stock]))
    held = refscope.referrers(stock).references
    del stock.__dict__["parent"]

    assert [one.name for one in cycle.break_at] == [".__dict__['parent']"]
    assert "back to the owner" in cycle.advice
    assert ".__dict__['parent']" in [one.name for one in held]


def test_a_dictionary_that_is_made_in_vain_is_said():
    """It stays, whether it told a name or not."""
    line = Queue()
    line.put(line)
    before = managed.has_dict(line)

    report = refscope.find_cycles(through=[line])

    is_made = managed.has_dict(line) and not before
    assert (MATERIALISED in report.limits) is is_made


def test_a_variable_is_shown_before_a_stack():
    """Both may have the same object, and which names a stack has differs by version."""
    names = ["<evaluation stack of f>", "<local cat in f>"]

    assert best_name(names) == names[1]


class Fresh:
    """Of a class that no other test gives attributes."""


def test_more_than_one_of_an_object():
    """Once its ``__dict__`` is made it is that which refers to them (3.11, 3.12)."""
    node = Fresh()
    names = ["".join(chr(97 + number) for number in (7, 20, at)) for at in range(25)]
    for name in names:
        setattr(node, name, (node,))
    del node

    cycle = only(refscope.find_cycles())

    assert cycle.cuts == len(names)
    shown = [f".{name}" for name in names[: dissect.MOST_CUTS]]
    assert [cut.name for cut in cycle.break_at] == shown


def frozen(report):
    """Return what a report says of frozen objects."""
    return [said for said in report.limits if "frozen" in said]


def test_large_components_without_time():
    """The loop is shown, and where to cut is left open."""
    size = dissect.MOST_NAMED + 10
    nodes = [[] for _ in range(size)]
    for number, node in enumerate(nodes):
        node += [nodes[(number + 1) % size], nodes[number * 3 % size]]
    del node
    graph = graphs.capture(nodes)
    [component] = components(graph.successors)

    found = dissect.explain(graph, component, 0, Budget(deadline=0))
    graph.close()
    assert found.cycle.cuts == 0
    assert found.cycle.break_at == ()
    assert found.cycle.references


def test_references_are_counted_as_often_as_they_are():
    """All that cuts lead to, each pair as many times as one refers to the other."""
    successors = [[1, 2, 1, 1], [0, 0], [0, 1, 2]]

    assert dissect._times(successors, [(0, 1), (2, 0), (1, 2)]) == 4
    assert dissect._times(successors, []) == 0
    assert dissect._times([[1, 2] * 50], [(0, 1), (0, 2)]) == 100


def test_a_loop_that_has_gone_meanwhile():
    """In a living heap somebody may cut it while it is named: nothing fails."""
    one, two = [], []
    one.append(two)
    two.append(one)
    graph = graphs.capture([one, two])
    one.clear()

    found = dissect.explain(graph, [1, 2], 0, Budget())
    graph.close()
    assert {*names_of(found.cycle)} == {"[0]", UNKNOWN}


def test_nodes_that_changed_between_two_looks():
    """Without a global lock some may."""
    graph = graphs.capture([[], []])
    graph.counts[2] += 1

    assert list(garbage._changed(graph)) == [2]


@pytest.mark.parametrize("name", ["kind", "take", "add", "object", "zebra"])
def test_naming_holds_no_frame(monkeypatch, name):
    """The code that looks for names is running code too, and may have the name."""
    models = types.ModuleType("models")
    exec("class Node: pass", models.__dict__)  # noqa: S102  # no code speaks of names
    monkeypatch.setitem(sys.modules, "models", models)
    first, second = models.Node(), models.Node()
    setattr(first, name, second)
    setattr(second, name, first)
    gone = weakref.ref(first)
    assert refscope.find_cycles(through=[first]).count == 1

    delattr(second, name)
    del first, second

    assert gone() is None
    assert refscope.find_cycles().is_clean


def mutual(*, turned):
    """Return what was found of two objects, whose class has one of their values."""

    class Box:
        """Has an attribute that one of its instances has of its own."""

        def __init__(self):
            self.items = None

    Box.default = []
    first, second = Box.__new__(Box), Box.__new__(Box)
    first.default = [second]
    second.items = Box.default
    Box.default.append(first)
    pair = (second, first) if turned else (first, second)
    return refscope.find_cycles(through=pair)


def test_a_value_of_the_class_is_under_another_name():
    """What other instances have under a name is no reason to name it so."""
    for turned in (False, True):
        report = mutual(turned=turned)
        names = [names_of(group.example) for group in report.groups]
        assert any(
            sorted(each) == [".default", ".items", "[0]", "[0]"] for each in names
        )


def test_dropped_nodes_have_no_type():
    """Types are known again after a drop, for who is left and who is gone."""
    first, second, third = [], [[]], [()]
    first.append(second)
    second.append(first)
    third.append(first)
    with graphs.capture([first, second, third]) as graph:
        assert graph.kinds == [0, *[id(list)] * 3]
        graph.drop({1})

        assert graph.kinds == [0, id(type(None)), id(list), id(list)]
        assert graph.types == {id(type(None)): type(None), id(list): list}
        assert list(graph.nodes) == [2, 3]
        assert graph.successors[1:] == [(), (), ()]
        assert Shapes(graph).sizes[2:] == [*map(sys.getsizeof, (second, third))]


def test_members_made_before_tracing_have_no_place():
    """What is not known is None; the others have their line."""
    first = idioms.Cat()
    tracemalloc.start()
    try:
        second = idioms.Cat()
        first.other, second.other = second, first
        del first, second
        cycle = only(refscope.find_cycles())
    finally:
        tracemalloc.stop()

    places = [step.holder.traceback for step in cycle.references]
    assert places.count(None) == 1


def test_the_exact_search_beats_the_greedy_one():
    """Two references hit what the one that hits most would leave to three."""
    most, left, right = (0, 1), (1, 2), (2, 3)
    loops = [[most, left]] * 2 + [[most, right]] * 2 + [[left], [right]]

    best, effort = _cheapest_hits(loops, lambda _: 1, 10_000)
    assert sorted(best) == [left, right]
    assert effort > 0
    assert _least_more([[most]], lambda _: 1, frozenset([most])) > 10**6


def test_steps_that_stay_apart():
    """Only what a reader takes for one step is one."""
    cat = idioms.Cat()

    assert joined(cat, ".gi_frame", ".f_back") is None
    assert joined(cat, ".gi_frame", "<local x in f>") == "<local x in f>"
    assert joined(cat, ".__dict__", "['x']") == ".x"
    assert joined(type(cat), ".__dict__", "['__doc__']") == ".__dict__['__doc__']"


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (".gi_frame", "<local x>", {(0, 2): ["<local x>"]}),
        (".gi_frame", ".f_trace", {(0, 1): [".gi_frame"], (1, 2): [".f_trace"]}),
        (".__dict__", "['x']", {(0, 2): [".x"]}),
        (".other", "['x']", {(0, 1): [".other"], (1, 2): ["['x']"]}),
    ],
)
def test_two_steps_are_taken_together_where_a_reader_sees_one(first, second, together):
    """A frame is passed over only when all that is in it has a name without it."""
    wiring = Wiring([object(), object(), object()])
    wiring.names = {(0, 1): [first], (1, 2): [second]}
    _join_steps(wiring, [False, True, False])

    assert wiring.names == together
