"""Which function a line is in."""

from __future__ import annotations

import argparse
import ast
import asyncio.base_events
import collections
import dataclasses
import inspect
import sys
import types
import typing
import unittest.mock

import pytest

from refscope._measure.cpython import places


MODULES = [
    argparse,
    ast,
    asyncio.base_events,
    collections,
    dataclasses,
    inspect,
    typing,
    unittest.mock,
]


def _lines_of(code):
    return {line for _, _, line in code.co_lines() if line is not None}


def _codes(module):
    """Return name, code and lines of all functions in a file, last ones first."""
    codes = {}
    for name, code in places.codes_in(vars(module)):
        if code.co_filename == module.__file__:
            codes.setdefault(id(code), (name, code, _lines_of(code)))
    return sorted(codes.values(), key=lambda row: row[1].co_firstlineno, reverse=True)


def _wanted(codes):
    """Return all lines up to one behind the last; the file itself may be in a zip."""
    return range(1, max(line for _, _, lines in codes for line in lines) + 2)


@pytest.mark.apart
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_each_line_is_in_the_innermost_function(module):
    """Line by line, one function after the other: the same names, however nested."""
    codes = _codes(module)
    wanted = _wanted(codes)
    expected = {}
    for number in wanted:
        names = (
            name
            for name, code, lines in codes
            if code.co_firstlineno <= number and number in lines
        )
        expected[number] = next(names, None)
    frames = places.frames_of([(module.__file__, number) for number in wanted])

    assert {
        number: frames[module.__file__, number].function for number in wanted
    } == expected
    assert any(expected.values())
    assert not all(expected.values())


def test_each_function_is_looked_at_once(monkeypatch):
    """Many lines of a file with many functions take no longer than both."""
    looked = []

    def counted(code):
        looked.append(code)
        return _lines_of(code)

    monkeypatch.setattr(places, "_lines", counted)
    places.frames_of([(typing.__file__, number) for number in _wanted(_codes(typing))])

    assert len(looked) == len({*map(id, looked)}) == len(_codes(typing))


def test_no_more_functions_are_looked_at_than_needed(monkeypatch):
    """Those below the last line, and those above when all are found, are not."""
    [name, code, lines] = next(
        row for row in _codes(typing) if row[0] == "NamedTupleMeta.__new__"
    )
    looked = []

    def counted(code):
        looked.append(code)
        return _lines_of(code)

    monkeypatch.setattr(places, "_lines", counted)
    number = max(lines)
    frames = places.frames_of([(typing.__file__, number)])

    assert frames[typing.__file__, number].function == name
    assert looked[-1] is code
    assert all(each.co_firstlineno <= number for each in looked)


def test_methods_made_of_text_are_not_taken_for_one_another(monkeypatch):
    """All named tuples are made at the same line, each of them unlike the others."""
    made = inspect.ArgInfo.__new__.__code__
    line = made.co_filename, made.co_firstlineno
    named = inspect.__file__, max(_lines_of(inspect.getsource.__code__))
    frames = places.frames_of([line, named])

    assert [frames[line].function, frames[named].function] == [None, "getsource"]

    text = types.ModuleType("__main__")
    program = compile("def f():\n    pass", "<string>", "exec")
    exec(program, vars(text))  # noqa: S102
    monkeypatch.setitem(sys.modules, "__main__", text)

    assert places.frames_of([("<string>", 2)])["<string>", 2].function == "f"
