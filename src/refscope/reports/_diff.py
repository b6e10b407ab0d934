"""Two reports compared, row by row."""

from __future__ import annotations

import attrs

from refscope import _units as units
from refscope._typing import override

from ._base import Report
from ._record import Record


_LESS = frozenset({"gone", "shrank"})


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DiffRow(Record):
    """One place or type in both reports."""

    key: str
    """``file:line``, ``file:function``, a type's name or a fingerprint."""

    status: str
    """``new``, ``gone``, ``grew`` or ``shrank``."""

    before: int
    """Bytes (for a type: objects) in the first report; 0 when it is new."""

    after: int
    """Bytes (for a type: objects) in the second report; 0 when it is gone."""

    @property
    def change(self) -> int:
        """``after - before``."""
        return self.after - self.before


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DiffReport(Report):
    """What is different between two reports; rows that are equal are left out."""

    by: str
    """What the rows are: ``site``, ``function`` or ``fingerprint``."""

    before_label: str | None = None
    """Label of the first report."""

    after_label: str | None = None
    """Label of the second report."""

    rows: tuple[DiffRow, ...] = ()
    """Largest change first."""

    @property
    @override
    def is_clean(self) -> bool:
        """Whether it is known that nothing is new and nothing grew."""
        return self.complete and all(row.status in _LESS for row in self.rows)

    @property
    @override
    def headline(self) -> str:
        """The verdict in one line: what grew, and what shrank."""
        if not (self.rows or self.complete):
            return f"UNKNOWN: what both kept by {self.by} was not measured"
        is_worse = any(row.status not in _LESS for row in self.rows)
        verdict = "WORSE" if is_worse else "BETTER" if self.rows else "SAME"
        more = [row.change for row in self.rows if row.status not in _LESS]
        less = [row.change for row in self.rows if row.status in _LESS]
        parts = [part for part in (more, less) if part] or [[]]
        return f"{verdict}: {', '.join(map(self._sum, parts))}"

    def _sum(self, changes: list[int]) -> str:
        size = units.size(sum(changes), sign=True)
        return f"{size} in {units.plural(len(changes), self.by)}"
