"""Two reports compared, row by row."""

from __future__ import annotations

import attrs

from refscope import _units as units
from refscope._typing import override

from ._base import Report
from ._record import Record


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
        """Whether nothing is new and nothing grew."""
        return all(row.status in {"gone", "shrank"} for row in self.rows)

    @property
    @override
    def headline(self) -> str:
        """The verdict in one line."""
        total = sum(row.change for row in self.rows)
        verdict = "SAME" if not self.rows else "BETTER" if self.is_clean else "WORSE"
        changed = units.plural(len(self.rows), self.by)
        return f"{verdict}: {units.size(total, sign=True)} in {changed}"
