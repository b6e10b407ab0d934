"""Variables of running frames that hold an object, and which of them count.

Until 3.13 each does.  Since 3.14 a parameter, and a variable bound to it or (3.15) to
a constant, can borrow the reference of somebody else; what it is cannot be read.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection, Iterable
from types import CodeType, FrameType

from refscope._measure.cpython.frames import place_in, variables_in
from refscope._measure.cpython.interpreter import BORROWS
from refscope._measure.names.code import local

from .copies import copies
from .refcounts import Box


_FRAMES_ARE_TRACKED = sys.version_info < (3, 11)
_IS_SUSPENDED = 0x20 | 0x80 | 0x200  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR


class Variable:
    """A variable that refers to the object."""

    __slots__ = ("frame", "may_borrow", "name")

    def __init__(self, frame: FrameType, name: str, *, may_borrow: bool) -> None:
        self.frame: FrameType = frame
        """Where it is."""
        self.name: str = name
        """How a report spells it."""
        self.may_borrow: bool = may_borrow
        """Whether it need not own its reference."""


class Variables:
    """What running frames have of an object."""

    __slots__ = ("direct", "in_cells")

    def __init__(self, direct: list[Variable], in_cells: list[str]) -> None:
        self.direct: list[Variable] = direct
        """Variables that refer to it, innermost first."""
        self.in_cells: list[str] = in_cells
        """Names of those that refer to a cell with it: the cell is the holder."""


def variables_holding(box: Box, frames: Iterable[FrameType]) -> Variables:
    """Return the variables that refer to what is in the box."""
    found = Variables([], [])
    for frame, values in variables_in(frames, lambda frame: _can_hold(box, frame)):
        code = frame.f_code
        names = [name for name, value in values if value is box[0]]
        cells = {*code.co_cellvars, *code.co_freevars}.intersection(names)
        borrowing = _borrowing(box, code, names) if BORROWS and names else ()
        found.in_cells.extend(name for name in names if name in cells)
        found.direct.extend(
            Variable(frame, local(name, place_in(code)), may_borrow=name in borrowing)
            for name in names
            if name not in cells
        )
    return found


def _can_hold(box: Box, frame: FrameType) -> bool:
    """Return whether variables have to be read: 3.10 can tell without a snapshot."""
    if not _FRAMES_ARE_TRACKED or frame.f_code.co_cellvars or frame.f_code.co_freevars:
        return True
    return any(thing is box[0] for thing in gc.get_referents(frame))


def _borrowing(box: Box, code: CodeType, names: list[str]) -> Collection[str]:
    """Return the variables that may have what they hold from a parameter, or code."""
    if any(constant is box[0] for constant in code.co_consts):
        return names
    flags = code.co_flags
    parameters = code.co_argcount + code.co_kwonlyargcount
    parameters += bool(flags & 0x04) + bool(flags & 0x08)  # *args, **kwargs
    # A generator outlives the call that made it: its parameters are its own.
    if not parameters or flags & _IS_SUSPENDED:
        return ()
    return copies(code, code.co_varnames[:parameters])


class Ownership:
    """Which variables own what they refer to."""

    __slots__ = ("borrowed", "is_certain", "unaccounted")

    def __init__(
        self, borrowed: list[bool], unaccounted: int, *, is_certain: bool
    ) -> None:
        self.borrowed: list[bool] = borrowed
        """For each variable."""
        self.unaccounted: int = unaccounted
        """References that are left."""
        self.is_certain: bool = is_certain
        """Whether there is no other way to share the references out."""


def share_out(references: int, variables: list[Variable]) -> Ownership:
    """Share the references that are left after the heap out among variables.

    Those that always own come first, then the others from the outermost frame on,
    since it is inner frames that borrow from outer ones.
    """
    sure = sum(not variable.may_borrow for variable in variables)
    others = len(variables) - sure
    slack = references - sure
    owning = min(max(slack, 0), others)
    borrowed: list[bool] = []
    for variable in variables:  # innermost first: the last ones own
        borrows = variable.may_borrow and others > owning
        others -= variable.may_borrow
        borrowed.append(borrows)
    is_certain = slack == 0 or (slack > 0 and not any(v.may_borrow for v in variables))
    return Ownership(borrowed, max(slack - owning, 0), is_certain=is_certain)
