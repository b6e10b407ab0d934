"""Which variables of a function may be copies of others, told from its code.

Since 3.14 a parameter can borrow the reference of the caller, and what is copied from
such a variable borrows too, also when the parameter has another value by now.  What a
call, a loop or an operation gives is owned.
"""

from __future__ import annotations

import dis
from collections.abc import Collection, Iterator
from types import CodeType

from refscope._measure.cpython.borrowing import ENDS, apply_effect, deepen
from refscope._measure.cpython.frames import names_in


_LOADS = "LOAD_FAST"
_STORES = "STORE_FAST"
_PASSES = "FORMAT_SIMPLE"
"""An instruction that may leave what it got: a text is formatted as itself."""
_UNPACKS = "UNPACK_"
_BACKWARDS = "BACKWARD"  # leads to a stack that is known already
_CACHE = 0  # words for the interpreter, behind an instruction


def copies(code: CodeType, sources: Collection[str]) -> set[str]:
    """Return the sources, and the variables that may have got a value of theirs.

    Args:
        code: That of a function.
        sources: Names of variables.
    """
    found = set(sources)
    known = -1
    while known < len(found):  # a copy of a copy can stand before the first one
        known = len(found)
        _Pass(code, found).run()
    return found


class _Pass:
    """Goes once through a code, with the evaluation stack that it has everywhere.

    A stack says of each value whether it may be that of a source.  Where the code is
    reached by an error only, nothing is known of it: what is stored there is the error,
    or what a variable had before a comprehension, which is no copy by that.
    """

    __slots__ = ("_code", "_found", "_names", "_stack", "_targets")

    def __init__(self, code: CodeType, found: set[str]) -> None:
        self._code = code
        self._names = names_in(code)
        self._found = found
        self._stack: list[bool] = []
        self._targets: dict[int, list[bool]] = {}

    def run(self) -> None:
        """Add the copies to what was found."""
        for place, opcode, number, following in _instructions(self._code.co_code):
            name = dis.opname[opcode]
            self._join(self._targets.pop(place, None))
            if name.startswith((_LOADS, _STORES)):
                self._move(name, number)
            elif name == "COPY":
                self._stack.append(self._deepen(number)[-number])
            elif name == "SWAP":
                stack = self._deepen(number)
                stack[-1], stack[-number] = stack[-number], stack[-1]
            elif name != _PASSES:
                if name.startswith(_UNPACKS):
                    self._deepen(1)[-1] = False
                self._other(opcode, number, following)

    def _join(self, other: list[bool] | None) -> None:
        """Go on with what either of two ways has left."""
        if other is not None:
            stack = self._deepen(len(other))
            start = len(stack) - len(other)
            stack[start:] = [a or b for a, b in zip(stack[start:], other, strict=True)]

    def _move(self, name: str, number: int) -> None:
        """Carry out one or two loads and stores of variables."""
        verbs = [part for part in name.split("_") if part in {"LOAD", "STORE"}]
        numbers = [number] if len(verbs) == 1 else [number >> 4, number & 15]
        for verb, place in zip(verbs, numbers, strict=True):
            variable = self._names[place]
            if verb == "LOAD":
                self._stack.append(variable in self._found)
            elif self._deepen(1).pop():
                self._found.add(variable)

    def _other(self, opcode: int, number: int, following: int) -> None:
        """Note what a jump leaves where it leads, and go on behind it."""
        name = dis.opname[opcode]
        given = number if opcode >= dis.HAVE_ARGUMENT else None
        if opcode in dis.hasjrel and _BACKWARDS not in name:
            other = [*self._stack]
            apply_effect(other, name, dis.stack_effect(opcode, given, jump=True))
            self._targets[following + 2 * number] = other
        apply_effect(self._stack, name, dis.stack_effect(opcode, given, jump=False))
        if name.startswith((*ENDS, "JUMP_")):
            self._stack = []

    def _deepen(self, depth: int) -> list[bool]:
        deepen(self._stack, depth)
        return self._stack


def _instructions(text: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield the place of each instruction, what it is, its number, and what follows."""
    places = [place for place in range(0, len(text), 2) if text[place] != _CACHE]
    start, number = -1, 0
    for place, following in zip(places, [*places[1:], len(text)], strict=True):
        start = place if start < 0 else start
        number = number << 8 | text[place + 1]
        if text[place] != dis.EXTENDED_ARG:
            yield start, text[place], number, following
            start, number = -1, 0
