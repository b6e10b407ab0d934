"""What a call of refscope's adds to a count, on 3.10.

CALL_FUNCTION and the like leave their arguments on the caller's stack.  The bytecode
tells whether the caller called refscope, or something of C that did so.
"""

from __future__ import annotations

import gc
import opcode
import sys
from types import CellType, CodeType, FrameType, FunctionType

from refscope._measure.cpython.classes import get_members, get_mro


def _codes(*names: str) -> frozenset[int]:
    return frozenset(opcode.opmap.get(name, -1) for name in names)


_PLAIN_CALLS = _codes("CALL_FUNCTION", "CALL_METHOD")
_KEYWORD_CALL = opcode.opmap.get("CALL_FUNCTION_KW", -1)
_METHOD = opcode.opmap.get("LOAD_METHOD", -1)
_ATTRIBUTES = _codes("LOAD_METHOD", "LOAD_ATTR")
_GLOBALS = _codes("LOAD_GLOBAL", "LOAD_NAME")
_VARIABLES = _codes("LOAD_FAST", "LOAD_DEREF", "LOAD_CLASSDEREF")
_LOADS = _ATTRIBUTES | _GLOBALS | _VARIABLES
_JUMPS = frozenset([*opcode.hasjrel, *opcode.hasjabs])


def on_stack(caller: FrameType, function: CodeType, kind: type) -> tuple[int, bool]:
    """Return how many references the call itself has, and whether that is sure.

    Of ``f(*a, **k)`` the tuple and the dictionary are objects of their own.  A call
    without positional arguments got them from somewhere else, as from a method.

    Args:
        caller: Where the call was made, as far as Python knows.
        function: What was called, of refscope.
        kind: The type of the argument.
    """
    text, position = caller.f_code.co_code, caller.f_lasti
    operation, number = text[position], text[position + 1]
    is_keyword = operation == _KEYWORD_CALL
    if not is_keyword and operation not in _PLAIN_CALLS:
        return 0, True
    found = _callee(text, position, number + is_keyword)
    if not number:
        is_method = found is not None and found[0] == _METHOD
        name = caller.f_code.co_names[found[1]] if found and is_method else None
        return int(name is not None and _is_method(kind, name, function)), True
    if found is None:
        return 1, True
    operation, number = found
    if operation in _ATTRIBUTES:  # under another name it may be this one, too
        return 1, caller.f_code.co_names[number] == function.co_name
    if operation not in _LOADS:
        return 1, False
    return (1, True) if _leads_to(caller, *found, function) else (0, False)


def _callee(text: bytes, position: int, above: int) -> tuple[int, int] | None:
    """Return the instruction that put on the stack what is called, and its number.

    None if arguments have conditions in them: C is hardly ever called so.

    Args:
        text: The code.
        position: Where the call is.
        above: How many values it has above what is called.
    """
    found, place = 0, position - 2
    while found != above or text[place] == opcode.EXTENDED_ARG:
        operation, number = text[place], _number(text, place)
        if operation in _JUMPS:
            return None
        given = number if operation >= opcode.HAVE_ARGUMENT else None
        found += opcode.stack_effect(operation, given)
        place -= 2
    return None if text[place] in _JUMPS else (text[place], _number(text, place))


def _number(text: bytes, place: int) -> int:
    """Return the number of an instruction, which may take several bytes."""
    number, shift = text[place + 1], 8
    while place > 1 and text[place - 2] == opcode.EXTENDED_ARG:
        place -= 2
        number |= text[place + 1] << shift
        shift += 8
    return number


def _is_method(kind: type, name: str, function: CodeType) -> bool:
    """Return whether a class has a function under a name: its caller has ``self``."""
    members = (get_members(base).get(name) for base in get_mro(kind))
    first = next((member for member in members if member is not None), None)
    return _is(first, function)


def _leads_to(
    caller: FrameType, operation: int, number: int, function: CodeType
) -> bool:
    """Return whether a name is that of the function, or one of some variables is."""
    if operation in _VARIABLES:
        return any(
            _is(thing, function)
            or (type(thing) is CellType and _is_in(thing, function))
            for thing in gc.get_referents(caller)
        )
    return _is(caller.f_globals.get(caller.f_code.co_names[number]), function)


def _is(thing: object, function: CodeType) -> bool:
    return type(thing) is FunctionType and thing.__code__ is function


def _is_in(cell: CellType, function: CodeType) -> bool:
    return any(_is(thing, function) for thing in gc.get_referents(cell))


def call_of_old(kind: type) -> tuple[int, bool]:
    """Return what the call of our caller has on a stack, on 3.10; and if it is sure.

    A hook of Python has also copied our caller's variables (call_trampoline): the
    copy is made anew, without what was deleted meanwhile.
    """
    frame = sys._getframe(1)
    if sys.gettrace() is not None or sys.getprofile() is not None:
        _ = frame.f_locals
    caller = frame.f_back
    return (0, True) if caller is None else on_stack(caller, frame.f_code, kind)
