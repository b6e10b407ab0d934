"""Which function has a line, read from the modules that are loaded.

tracemalloc records file and line only.  The function is found among the code objects
of the modules of that file: no source is read, nothing is imported, and a line whose
function is gone or unknown stays without a name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from operator import is_
from types import CodeType, FunctionType, ModuleType
from typing import cast

from refscope.reports import Frame

from .classes import get_members, is_class


_ANONYMOUS = ("<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>")
_MADE_OF_TEXT = "<string>"
"""The file of each method of each named tuple and data class: their lines tell nobody
which it is.  That of a program given as text (``python -c``) has the same name.
"""


def frames_of(lines: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Frame]:
    """Return one frame for each (file name, line number), with its function."""
    wanted: dict[str, set[int]] = {}
    for filename, lineno in lines:
        wanted.setdefault(filename, set()).add(lineno)
    functions = _functions_at(wanted)
    return {
        (filename, lineno): Frame(filename, lineno, functions.get((filename, lineno)))
        for filename, numbers in wanted.items()
        for lineno in numbers
    }


def _functions_at(wanted: dict[str, set[int]]) -> dict[tuple[str, int], str]:
    """Return the innermost named function of each line that has one."""
    codes: dict[str, dict[int, tuple[str, CodeType]]] = {name: {} for name in wanted}
    for module in list(sys.modules.values()):
        if type(module) is ModuleType:
            members = vars(module)
            filename = members.get("__file__")
            is_main = members.get("__name__") == "__main__"
            if is_main or (type(filename) is str and filename in wanted):
                strange = "" if filename is None else _MADE_OF_TEXT
                for name, code in codes_in(members):
                    if code.co_filename in codes and code.co_filename != strange:
                        codes[code.co_filename].setdefault(id(code), (name, code))
    found: dict[tuple[str, int], str] = {}
    for filename, known in codes.items():
        for lineno, name in _names_of(wanted[filename], known.values()):
            found[filename, lineno] = name
    return found


def _names_of(
    lines: set[int], codes: Iterable[tuple[str, CodeType]]
) -> Iterator[tuple[int, str]]:
    """Yield each line of a file that a function executes, with the innermost one."""
    missing, last = lines.copy(), max(lines)
    # What begins last is innermost, so who comes first has the line.
    for name, code in sorted(codes, key=_first_line, reverse=True):
        first = code.co_firstlineno
        if first <= last:
            here = {line for line in missing & _lines(code) if line >= first}
            yield from zip(here, repeat(name))
            missing -= here
        if not missing:
            break


def _first_line(named: tuple[str, CodeType]) -> int:
    return named[1].co_firstlineno


def _lines(code: CodeType) -> set[int]:
    """Return the lines that a code object itself executes."""
    return {line for _, _, line in code.co_lines() if line is not None}


def codes_in(members: Mapping[str, object]) -> Iterator[tuple[str, CodeType]]:
    """Yield qualified name and code of all functions of a module or class."""
    todo: list[object] = list(members.values())
    seen: set[int] = set()
    while todo:
        thing = todo.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if type(thing) is FunctionType:
            yield from _with_nested(str.__str__(thing.__qualname__), thing.__code__)
            todo.extend(_wrapped(thing))
        elif any(map(is_, repeat(type(thing)), (staticmethod, classmethod))):
            todo.append(_function_of(thing))
        elif type(thing) is property:
            todo += [thing.fget, thing.fset, thing.fdel]
        elif is_class(thing):
            own = get_members(cast("type", thing))
            if own.get("__module__") is members.get("__name__"):
                todo.extend(own.values())


def _function_of(method: object) -> object:
    """Return what a static or class method wraps."""
    function: object = getattr(method, "__func__", None)
    return function


def _wrapped(function: FunctionType) -> Iterator[object]:
    """Yield functions that a decorator keeps in its closure."""
    for cell in function.__closure__ or ():
        try:
            held: object = cell.cell_contents
        except ValueError:
            continue
        if type(held) is FunctionType:
            yield held


def _with_nested(name: str, code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """Yield a function's code and that of the functions inside it, outer first."""
    todo = [(name, code)]
    while todo:
        name, code = todo.pop(0)
        yield name, code
        for constant in code.co_consts:
            if type(constant) is CodeType:
                inner = constant.co_name
                inside = name if inner in _ANONYMOUS else f"{name}.<locals>.{inner}"
                todo.append((inside, constant))
