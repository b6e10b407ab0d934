"""How functions, frames and what is suspended refer to their parts and variables."""

from __future__ import annotations

import gc
from types import (
    AsyncGeneratorType,
    CellType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
)
from typing import cast

from refscope._measure.cpython.classes import is_dict
from refscope._measure.cpython.frames import names_in, place_in, variables_at_rest
from refscope._measure.cpython.managed import CAN_READ, is_dict_of

from .containers import dict_keys
from .referents import Referents
from .spelling import LONGEST


_FUNCTION_PARTS = (
    "__code__",
    "__globals__",
    "__closure__",
    "__defaults__",
    "__kwdefaults__",
    "__builtins__",
    "__name__",
    "__qualname__",
    "__module__",
    "__doc__",
    "__type_params__",
)
CONTENTS = ".cell_contents"
"""The name of what a cell holds, as long as its variable is not known."""
STACK = "<evaluation stack of "
"""How the names of what waits in the middle of an expression begin."""

_FRAME_PARTS = ("f_back", "f_code", "f_globals", "f_builtins", "f_trace")
_PREFIXES: dict[int, str] = {
    id(GeneratorType): "gi",
    id(CoroutineType): "cr",
    id(AsyncGeneratorType): "ag",
}


def name_function(refs: Referents) -> None:
    """Name the parts of a function.

    Its ``__dict__`` and annotations are told apart without asking: asking for the one
    would make it, and asking for the other runs code (3.14).
    """
    refs.take_members(FunctionType, _FUNCTION_PARTS)
    function = cast("FunctionType", refs.holder)
    for thing in refs.left():
        if type(thing) is FunctionType:
            refs.take(".__annotate__", thing)
        elif not is_dict(thing):  # as long as nobody asked for them (up to 3.13)
            refs.take("<annotations>", thing)
        elif are_annotations(function, thing, is_known=CAN_READ):
            refs.take(".__annotations__", thing)
        else:
            refs.take(".__dict__", thing)


def are_annotations(function: FunctionType, thing: object, *, is_known: bool) -> bool:
    """Return whether it is the annotations of a function and not its ``__dict__``.

    Where its memory cannot be read, a dictionary that has parameters for keys; a tuple
    always is it.
    """
    if not is_dict(thing):
        return True
    if is_known:
        return not is_dict_of(function, thing)
    code = function.__code__
    known = {*code.co_varnames, "return"}
    keys = dict_keys(thing)
    return bool(keys) and all(type(key) is str and key in known for key in keys)


def name_type_variable(refs: Referents) -> None:
    """Name what bounds a type variable, unless code of the program tells it.

    A function does, if it was made by the syntax of 3.12; it is called when it is
    asked for, and has no name.
    """
    if FunctionType not in map(type, gc.get_referents(refs.holder)):
        refs.take_members(refs.kind, ("__bound__", "__constraints__", "__default__"))


def name_cell(refs: Referents) -> None:
    """Name what a variable of a closure holds."""
    refs.take_members(CellType, (CONTENTS[1:],))


def name_frame(refs: Referents) -> None:
    """Name the parts and variables of a frame."""
    refs.take_members(FrameType, _FRAME_PARTS)
    if not refs.is_done:
        _name_inside(refs, cast("FrameType", refs.holder))


def name_suspended(refs: Referents) -> None:
    """Name the parts and variables of a generator or coroutine.

    Its frame object is made when somebody asks for it first (3.11), and stays.
    """
    kind, prefix = next(
        (base, _PREFIXES[id(base)])
        for base in (GeneratorType, CoroutineType, AsyncGeneratorType)
        if refs.kind is base
    )
    awaited = "yieldfrom" if kind is GeneratorType else "await"
    parts = ("code", awaited, "origin")
    refs.take_members(kind, [f"{prefix}_{part}" for part in parts])
    refs.take_members(kind, ("__name__", "__qualname__"))
    has_frame = FrameType in map(type, gc.get_referents(refs.holder))
    if has_frame or (refs.materialise and not refs.is_done):
        refs.take_members(kind, (f"{prefix}_frame",))
        frame = getattr(refs.holder, f"{prefix}_frame", None)
        if type(frame) is FrameType and not refs.is_done:
            _name_inside(refs, frame)


def _name_inside(refs: Referents, frame: FrameType) -> None:
    """Name variables, the cells of variables, and the rest by its type."""
    code = frame.f_code
    inside = place_in(code)[:LONGEST]
    refs.take(".f_code", code)
    refs.take(".f_globals", frame.f_globals)
    variables = variables_at_rest(frame, refs.holder)
    shared = {*code.co_cellvars, *code.co_freevars}
    for name, value in variables:
        if not refs.take(local(name, inside), value) and name in shared:
            _take_cell(refs, name, value)
    for thing in refs.left():
        if type(thing) is CellType:
            refs.take("<cell>", thing)
        elif type(thing) is FunctionType and thing.__code__ is code:
            refs.take("<function>", thing)
        elif are_variables(thing, code):  # up to 3.12
            refs.take(".f_locals", thing)
    refs.take_all(f"{STACK}{inside}>")


def are_variables(thing: object, code: CodeType) -> bool:
    """Return whether a dictionary may be what ``locals()`` made of a function."""
    if type(thing) is not dict or not thing:
        return False
    keys, names = dict_keys(cast("object", thing)), names_in(code)
    return all(type(key) is str and key in names for key in keys)


def local(name: str, function: str) -> str:
    """Return ``<local x in f>``."""
    return f"<local {name} in {function}>"


def cell(name: str) -> str:
    """Return ``<cell x>``."""
    return f"<cell {name}>"


def _take_cell(refs: Referents, name: str, value: object) -> None:
    """Take the cell that holds the value of a variable."""
    for thing in refs.left():
        if type(thing) is CellType and _contents(thing) is value:
            refs.take(cell(name), thing)
            return


def _contents(held: CellType) -> object:
    try:
        return cast("object", held.cell_contents)
    except ValueError:  # empty
        return None
