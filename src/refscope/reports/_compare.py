"""Two reports of one kind, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeAlias

from refscope import _units as units
from refscope.exceptions import ArgumentTypeError, InvalidArgumentError, MergeError

from ._base import Report
from ._diff import DiffReport, DiffRow
from ._fingerprint import fingerprint
from ._heap import Frame
from ._leaks import LeakReport
from ._track import TrackReport


DiffKey: TypeAlias = Literal["site", "function", "fingerprint"]
"""What makes two rows the same row: the line, the function, or its fingerprint."""


def diff(before: Report, after: Report, *, by: DiffKey = "function") -> DiffReport:
    """Compare the allocation sites of two reports.

    Sizes are compared as the reports have them, not per call.  Sites that share a
    key are added, and rows with equal sizes are left out.

    Args:
        before: The first report.
        after: The second report, of the same kind.
        by: ``site`` compares ``file:line``, ``function`` compares
            ``file:function`` and survives shifted lines, ``fingerprint`` compares
            a hash of the file's last name and the function and survives another
            folder or machine too.  Where the function is unknown, the line stands
            in for it.

    Raises:
        InvalidArgumentError: ``by`` is none of these.
        MergeError: The reports differ in kind, or their kind has no sites.
        ArgumentTypeError: One of them is no report.

    Example:
        >>> from refscope.reports import AllocationSite, Frame, Traceback
        >>> from refscope.reports import TrackReport, diff
        >>> place = Traceback((Frame("shop.py", 41, "load"),))
        >>> before = TrackReport(sites=(AllocationSite(place, 1000, 2),))
        >>> after = TrackReport(sites=(AllocationSite(place, 1500, 3),))
        >>> for row in diff(before, after).rows:
        ...     print(row.key, row.status, row.before, row.after)
        shop.py:load grew 1000 1500
    """
    _check_arguments(before, after, by)
    first, second = _tracks(before, after)
    return DiffReport(
        complete=first.complete and second.complete and not _unmeasured(first, second),
        limits=tuple(_limits(first, second)),
        environment=first.environment if _same_environment(first, second) else None,
        by=by,
        before_label=first.label,
        after_label=second.label,
        rows=_rows(_sizes(first, _KEYS[by]), _sizes(second, _KEYS[by])),
    )


def _check_arguments(before: object, after: object, by: object) -> None:
    if not isinstance(by, str) or by not in _KEYS:
        raise InvalidArgumentError(f"by={by!r} is unknown: use one of {_choices()}")
    for thing in (before, after):
        if not issubclass(type(thing), Report):  # see merge
            raise ArgumentTypeError(
                f"diff takes two reports, and this is {units.one(type(thing).__name__)}"
            )


def _choices() -> str:
    return ", ".join(repr(name) for name in _KEYS)


def _tracks(before: Report, after: Report) -> tuple[TrackReport, TrackReport]:
    if type(before) is not type(after):
        raise MergeError(
            f"{units.one(type(before).__name__)} cannot be compared with "
            f"{units.one(type(after).__name__)}: both must be of one kind"
        )
    if not isinstance(before, TrackReport) or not isinstance(after, TrackReport):
        raise MergeError(
            f"two reports of kind {type(before).__name__} cannot be compared: "
            f"diff takes TrackReports{_way_out(type(before))}"
        )
    return before, after


def _way_out(kind: type[Report]) -> str:
    if kind is not LeakReport:
        return ""
    return (
        "; find_leaks(f, known={leak.fingerprint: 'reason'}) tells new leaks from old"
    )


def _unmeasured(before: TrackReport, after: TrackReport) -> list[str]:
    """Return which of the two reports has no sites because none were measured."""
    return [
        name
        for name, report in (("first", before), ("second", after))
        if "sites" not in report.measured and not report.sites
    ]


def _same_environment(before: TrackReport, after: TrackReport) -> bool:
    return before.environment == after.environment


def _limits(before: TrackReport, after: TrackReport) -> Iterator[str]:
    yield from dict.fromkeys((*before.limits, *after.limits))
    for name in _unmeasured(before, after):
        yield f"The {name} report did not measure sites."
    if before.calls != after.calls:
        yield (
            f"The first report adds up {units.plural(before.calls, 'call')} and the "
            f"second {units.plural(after.calls, 'call')}: sums are compared, not "
            "sizes per call."
        )
    if not _same_environment(before, after):
        yield "The reports were measured in different environments."


def _sizes(report: TrackReport, key: Callable[[Frame], str]) -> Mapping[str, int]:
    sizes: Counter[str] = Counter()
    for site in report.sites:
        sizes[key(site.traceback.innermost)] += site.size_diff
    return sizes


def _rows(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[DiffRow, ...]:
    rows = [_row(key, before, after) for key in before.keys() | after.keys()]
    changed = (row for row in rows if row.change)
    return tuple(sorted(changed, key=lambda row: (-abs(row.change), row.key)))


def _row(key: str, before: Mapping[str, int], after: Mapping[str, int]) -> DiffRow:
    old, new = before.get(key, 0), after.get(key, 0)
    # A site that only frees has a negative size: when it appears, memory shrinks.
    if new > old:
        status = "new" if key not in before else "grew"
    else:
        status = "gone" if key not in after else "shrank"
    return DiffRow(key=key, status=status, before=old, after=new)


def _site(frame: Frame) -> str:
    return f"{frame.filename}:{frame.lineno}"


def _function(frame: Frame) -> str:
    if frame.function is None:
        return _site(frame)
    return f"{frame.filename}:{frame.function}"


def _fingerprint(frame: Frame) -> str:
    # Both separators, because a report may come from another system.
    name = frame.filename.replace("\\", "/").rpartition("/")[2]
    return fingerprint(name, frame.function or str(frame.lineno))


_KEYS: Mapping[str, Callable[[Frame], str]] = {
    "site": _site,
    "function": _function,
    "fingerprint": _fingerprint,
}
