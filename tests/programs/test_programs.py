"""Leaks of forty shapes: named in the program, and silence in its corrected twin."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest


pytestmark = pytest.mark.apart

SOURCE = Path(__file__).with_name("programs.py")


def _table():
    """Yield name, type and options of each program, without running the file."""
    for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body:
        calls = [*getattr(node, "decorator_list", ())]
        for call in calls:
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "program":
                options = {word.arg: _value(word.value) for word in call.keywords}
                kind = [*map(_value, call.args), "leaky_programs.Item"][0]
                yield node.name, kind, options


def _value(node):
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else "leaky_programs"
            for part in node.values
        )
    if isinstance(node, ast.Tuple):
        return tuple(map(_value, node.elts))
    if isinstance(node, ast.BinOp):
        return node.left.value / node.right.value
    return node.value


def _names_in(variable):
    """Return the keys of a dictionary of the file, in order."""
    for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == variable:
            return [key.value for key in node.value.keys]
    raise AssertionError(variable)


TABLE = list(_table())
NAMES = [name for name, _, _ in TABLE]


def _is_on(names, path):
    """Return whether names are on a path in this order."""
    left = iter(path or ())
    return all(any(name == step for step in left) for name in names)


def test_there_are_forty_programs():
    """As many shapes as were asked for."""
    assert len(TABLE) >= 40


@pytest.mark.needs_subprocess
@pytest.mark.needs_threads
@pytest.mark.parametrize(("name", "type_name", "options"), TABLE, ids=NAMES)
def test_the_leak_is_named(findings, name, type_name, options):
    """Kind, type, verdict, rate and holder are right."""
    rate = options.get("per_call", 1.0)
    kind = options.get("kind", "objects")
    fitting = [
        leak
        for leak in findings[name]["leaky"]["leaks"]
        if leak["type_name"] == type_name
        and leak["kind"] == kind
        and leak["verdict"] == options.get("verdict", "held")
        and options.get("root") in {None, leak["root"]}
        and _is_on(options.get("names", ()), leak["names"])
    ]

    assert fitting, findings[name]["leaky"]
    assert any(
        abs(leak["per_call"] - rate) < 0.1 or kind == "memory" for leak in fitting
    )


@pytest.mark.needs_subprocess
@pytest.mark.needs_threads
@pytest.mark.parametrize("name", ["subclass_registry", "singledispatch_registry"])
def test_a_class_comes_before_what_it_brings(findings, name):
    """Its weak references, tuples and functions leak as well, and tell less."""
    kinds = [leak["type_name"] for leak in findings[name]["leaky"]["leaks"]]

    assert kinds[0] == "type"
    assert len(kinds) > 1


@pytest.mark.needs_subprocess
@pytest.mark.needs_threads
@pytest.mark.parametrize("name", NAMES)
def test_the_corrected_twin_is_silent(findings, name):
    """No leak is reported where there is none."""
    assert findings[name]["fixed"]["leaks"] == []


@pytest.mark.needs_subprocess
@pytest.mark.needs_threads
@pytest.mark.parametrize("name", _names_in("CLEAN"))
def test_no_false_alarm(findings, name):
    """Work that leaves nothing is clean."""
    assert findings["clean"][name]["leaks"] == []


@pytest.mark.needs_subprocess
@pytest.mark.needs_threads
@pytest.mark.parametrize("name", _names_in("OWN"))
def test_refscope_does_not_leak(findings, name):
    """Its own functions leave nothing behind."""
    assert findings["clean"][name]["leaks"] == []
