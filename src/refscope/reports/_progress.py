"""How far a search has come, for the ``progress`` argument of what walks the heap."""

from __future__ import annotations

import attrs

from ._record import Record


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Progress(Record):
    """One moment of a search."""

    stage: str
    """What is being done, in a few words."""

    objects: int
    """Objects looked at so far, in all stages together."""

    elapsed: float
    """Seconds since the search began."""
