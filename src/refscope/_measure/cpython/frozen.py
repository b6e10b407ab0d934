"""How many objects the program has frozen (``gc.freeze``).

The collector counts them anew each time it is asked, by going through all of them
(``gc.get_freeze_count``: gc_list_size, Python/gc.c), a twentieth of a second for a
million.  So what was read is kept for the rest of a block's entry or exit.  That there
are none is read at once, and never kept: what refscope then freezes must be known.
"""

from __future__ import annotations

import gc
import sys
from typing import ClassVar


_IS_312 = sys.version_info[:2] == (3, 12)
_FROZEN_BY_ITSELF = 1000 if _IS_312 else 0


class _Kept:
    """What was read, while somebody holds on to it."""

    holders: ClassVar[int] = 0
    count: ClassVar[int] = 0


def hold() -> None:
    """Read once from now on: refscope works, and the program waits."""
    _Kept.holders += 1
    _Kept.count = 0


def let_go() -> None:
    """Read each time from now on, unless another thread or block holds on.

    Nothing may be allocated here, not even by a call: it is the program's time.
    """
    if _Kept.holders:  # Ctrl-C may come before somebody held on
        _Kept.holders -= 1
    _Kept.count = 0


def forget() -> None:
    """Let nobody hold on: after a fork the other threads are not there any more."""
    _Kept.holders = _Kept.count = 0


def frozen_count() -> int:
    """Return how many objects the program has frozen.

    3.12 itself freezes a few hundred tuples of constants at each collection, all of
    them parts of code (immortal objects, update_refs, Modules/gcmodule.c).
    """
    if _Kept.count:
        return _Kept.count
    count = gc.get_freeze_count()
    if count <= _FROZEN_BY_ITSELF:
        return 0
    if _Kept.holders > 0:
        _Kept.count = count
    return count


def was_frozen(before: int) -> bool:
    """Return whether objects were frozen or thawed since there were so many.

    A frozen one may also just die.
    """
    now = frozen_count()
    return now > before or (now == 0 and before > 0)


def are_constants_frozen() -> bool:
    """Return whether all that is frozen are constants, by 3.12 itself."""
    return _IS_312 and not frozen_count() and gc.get_freeze_count() > 0
