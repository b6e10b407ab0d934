"""Whether a generator can wait with references on its stack that it does not own.

Since 3.14 a variable that is used and consumed within one basic block is not counted
(LOAD_FAST_BORROW; optimize_load_fast, Python/flowgraph.c).  If the block suspends in
between, as ``f(x, (yield))`` does, the generator has the object twice, in the variable
and on its stack, and owns one reference.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterator
from operator import attrgetter
from types import AsyncGeneratorType, CodeType, GeneratorType
from typing import cast


_PARTS = {
    id(GeneratorType): attrgetter("gi_yieldfrom", "gi_code"),
    id(AsyncGeneratorType): attrgetter("ag_await", "ag_code"),
}
GENERATORS = _PARTS.keys()
"""Identities of the types whose instances may borrow."""
_find_labels = cast("Callable[[bytes], list[int]]", dis.findlabels)
_BORROW = "LOAD_FAST_BORROW"
ENDS = ("RETURN_VALUE", "RAISE_VARARGS", "RERAISE")
"""Instructions behind which nothing goes on."""
_TAKES = ("POP_", "STORE_", "DELETE_", "LIST_", "SET_", "MAP_", "DICT_")
"""Instructions that leave nothing; what is below on the stack is as it was."""
_MAKES = ("BINARY_", "BUILD_", "CALL", "COMPARE_", "CONTAINS_", "FORMAT_", "UNARY_")
"""Instructions that leave something of their own."""


def may_own_less(thing: object, known: dict[int, bool]) -> bool:
    """Return whether a generator may have more references than it owns.

    One that waits for another one owns all that it has.

    Args:
        thing: Of one of the types in ``GENERATORS``.
        known: What was found out about codes, by identity; more is added.
    """
    awaited, code = _PARTS[id(type(thing))](thing)
    if id(code) not in known:
        known[id(code)] = may_borrow(code)
    return awaited is None and known[id(code)]


def may_borrow(code: CodeType) -> bool:
    """Return whether a generator of this code may wait with a borrowed reference.

    Of most instructions only the effect on the stack is known, and what such a one
    leaves may be what it found there: so it may be True where there is none.
    """
    stack: list[bool] = []  # of this block: whether it is borrowed
    for name, number, effect in _instructions(code):
        if name == "YIELD_VALUE" and any(stack[:-1]):
            return True
        if name.startswith(_BORROW):
            stack += [True] * name.count(_BORROW)
        elif name == "COPY":
            deepen(stack, number)
            stack.append(stack[-number])
        elif name == "SWAP":
            deepen(stack, number)
            stack[-1], stack[-number] = stack[-number], stack[-1]
        elif effect is None or name == "YIELD_VALUE":
            stack.clear()  # what goes on to another block, or is sent, is owned
        else:
            apply_effect(stack, name, effect)
    return False


def _instructions(code: CodeType) -> Iterator[tuple[str, int, int | None]]:
    """Yield name, argument and effect on the stack; no effect between two blocks.

    ``dis.get_instructions`` would ask constants for their text.
    """
    text = code.co_code
    targets = {*_find_labels(text)}
    number = 0
    for offset in range(0, len(text), 2):
        if offset in targets:
            yield "", 0, None
        opcode = text[offset]
        number = number << 8 | text[offset + 1]
        if opcode != dis.EXTENDED_ARG:
            name = dis.opname[opcode]
            given = number if opcode >= dis.HAVE_ARGUMENT else None
            yield name, number, dis.stack_effect(opcode, given)
            if opcode in dis.hasjrel or name in ENDS:
                yield "", 0, None
            number = 0


def apply_effect(stack: list[bool], name: str, effect: int) -> None:
    """Do to the stack what an instruction does, as far as that can be known."""
    if effect > 0:
        stack += [False] * effect
    elif effect < 0:
        deepen(stack, 1 - effect)
        taken = any(stack[effect:])
        del stack[effect:]
        stack[-1] |= taken and not name.startswith(_TAKES)
    if name.startswith(_MAKES) or (name == "LOAD_ATTR" and not effect):
        deepen(stack, 1)
        stack[-1] = False


def deepen(stack: list[bool], depth: int) -> None:
    """Add what other blocks left on the stack: that is owned."""
    stack[:0] = [False] * (depth - len(stack))
