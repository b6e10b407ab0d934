"""What must not be asked for its referents.

The ``_asyncio`` module of 3.12 shows the collector the dead iterators that it keeps
for reuse (module_traverse, Modules/_asynciomodule.c).  ``gc.get_referents`` revives
them for a moment; when they die again they are put on the list of spare ones a second
time, which then is a ring, and the interpreter never comes to the end of it at exit.
"""

from __future__ import annotations

import sys


def hazard() -> object:
    """Return the one object to leave alone, or None."""
    return sys.modules.get("_asyncio")
