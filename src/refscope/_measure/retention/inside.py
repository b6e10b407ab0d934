"""What is inside a running frame: it is held by it, and the collector is not told.

That is the cells of its variables, and up to 3.12 the dictionary that ``locals()``, a
debugger or a trace hook left in it.  Neither is a holder beside the variables.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import CellType, FrameType

from refscope._measure.cpython.frames import running_frames
from refscope._measure.names.code import are_variables


_HAS_SNAPSHOTS = sys.version_info < (3, 13)


def is_part_of_frame(thing: object, holders: Iterable[object]) -> bool:
    """Return whether a thing that nothing is known to hold is inside a running frame.

    A dictionary is if its keys are variables of one: whose it is cannot be asked.

    Args:
        thing: A direct holder of an object.
        holders: Frames and other roots that have that object.
    """
    if type(thing) is CellType:
        return any(type(one) is FrameType and _has_cells(one) for one in holders)
    return _HAS_SNAPSHOTS and any(
        are_variables(thing, frame.f_code) for frame in running_frames(sys._getframe(1))
    )


def _has_cells(frame: FrameType) -> bool:
    return bool(frame.f_code.co_cellvars or frame.f_code.co_freevars)
