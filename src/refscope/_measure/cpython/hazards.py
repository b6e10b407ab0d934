"""What must not be asked for its referents.

The ``_asyncio`` module of 3.12 shows the collector the dead iterators that it keeps
for reuse (module_traverse, Modules/_asynciomodule.c).  ``gc.get_referents`` revives
them for a moment; when they die again they are put on the list of spare ones a second
time, which then is a ring, and the interpreter never comes to its end when it exits.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from itertools import repeat
from operator import is_


def hazard() -> object:
    """Return the one object to leave alone, or None."""
    return sys.modules.get("_asyncio")


def referents_of(things: Sequence[object]) -> list[object]:
    """Return what things refer to, as the collector sees it, past the hazard."""
    avoided = hazard()
    if avoided is None or not any(map(is_, things, repeat(avoided))):
        return gc.get_referents(*things)
    return gc.get_referents(*[thing for thing in things if thing is not avoided])
