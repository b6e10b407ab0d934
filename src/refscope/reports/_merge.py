"""Many reports of one kind added up to one.

Everything here is associative: reports may be merged in any grouping, in one
process or on the way through many.  Where a rule looks stricter than it need be,
that is the reason; the comments say where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeVar

from refscope import _units as units
from refscope.exceptions import ArgumentTypeError, MergeError

from ._base import Report
from ._cycles import CycleGroup, CycleKind, CycleReport
from ._diff import DiffReport
from ._heap import AllocationSite, Frame, Traceback
from ._leaks import LeakReport
from ._order import sorted_groups, sorted_sites, sorted_survivors, sorted_types
from ._record import changed
from ._retention import SurvivorGroup
from ._track import GcActivity, MemoryChange, TrackReport, TypeChange


R = TypeVar("R", bound=Report)
T = TypeVar("T")

_SECTIONS = ("memory", "sites", "types", "survivors", "cycles", "gc")
_NANOSECONDS = 10**9
_EXCEPTIONS_DIFFER = "Merged blocks were left by different exceptions or by none."


def merge(reports: Iterable[R]) -> R:
    """Add reports of one kind up to one report.

    Associative: ``merge([a, merge([b, c])])`` equals ``merge([a, b, c])``, as long
    as times stay below 52 days, where a float still tells nanoseconds apart.

    Args:
        reports: One or more reports of the same class.  One alone comes back as
            it is.

    Raises:
        MergeError: There is none, they differ in kind, or their kind does not
            add up.
        ArgumentTypeError: Something is no report.

    Example:
        >>> from refscope.reports import TrackReport, merge
        >>> merge([TrackReport(duration=0.1), TrackReport(duration=0.2)]).duration
        0.3
    """
    known = _checked(reports)
    if len(known) == 1:
        return known[0]
    adder: Callable[[Sequence[R]], R] | None = _ADDERS.get(type(known[0]))
    if adder is None:
        raise MergeError(
            f"{units.one(type(known[0]).__name__)} cannot be merged, because what it "
            f"leaves out does not add up: {_way_out(type(known[0]))}"
        )
    return adder(known)


def _way_out(kind: type[Report]) -> str:
    if kind is LeakReport:  # a rate is of one function, and what is no leak is unknown
        return "keep one for each function, or search a function that calls them all"
    return "merge the reports it was made of" if kind is DiffReport else "keep each"


def _checked(reports: Iterable[R]) -> list[R]:
    if issubclass(type(reports), Report):
        raise ArgumentTypeError(
            f"merge takes several reports: put the {type(reports).__name__} in a list"
        )
    try:
        each = iter(reports)
    except TypeError:
        raise ArgumentTypeError(
            f"merge takes a list of reports, not {units.one(type(reports).__name__)}"
        ) from None
    known = list(each)
    if not known:
        raise MergeError("there is no report to merge: merge needs one or more")
    _refuse_strangers(known)
    kinds = sorted({type(report).__name__ for report in known})
    if len(kinds) > 1:
        raise MergeError(
            f"reports of different kinds do not add up: {', '.join(kinds)}"
        )
    return known


def _refuse_strangers(things: Iterable[object]) -> None:
    for thing in things:
        # Not isinstance, which would ask a stranger for its __class__.
        if not issubclass(type(thing), Report):
            raise ArgumentTypeError(
                f"merge takes reports, and this is {units.one(type(thing).__name__)}"
            )


def _merged_tracks(reports: Sequence[TrackReport]) -> TrackReport:
    return TrackReport(
        complete=all(report.complete for report in reports),
        limits=_all_limits(reports),
        environment=_if_same(report.environment for report in reports),
        overhead=_added_times(report.overhead for report in reports),
        label=_if_same(report.label for report in reports),
        tags=_common([report.tag_items for report in reports]),
        calls=sum(report.calls for report in reports),
        calls_seen=sum(report.calls_seen for report in reports),
        duration=_added_times(report.duration for report in reports),
        exception=_if_same(report.exception for report in reports),
        measured=_common([report.measured for report in reports]),
        memory=_merged_memory([report.memory for report in reports]),
        sites=_merged_sites(site for report in reports for site in report.sites),
        types=_merged_types(change for report in reports for change in report.types),
        survivors=_merged_survivors(
            group for report in reports for group in report.survivors
        ),
        cycles=_perhaps_merged([report.cycles for report in reports]),
        gc=_merged_gc([report.gc for report in reports]),
    )


def _merged_memory(changes: Sequence[MemoryChange]) -> MemoryChange:
    return MemoryChange(
        size_diff=_added(change.size_diff for change in changes),
        count_diff=_added(change.count_diff for change in changes),
        peak=_largest(change.peak for change in changes),
        blocks_diff=_added(change.blocks_diff for change in changes),
        rss_diff=_added(change.rss_diff for change in changes),
        shared=any(change.shared for change in changes),
    )


def _merged_gc(activities: Sequence[GcActivity]) -> GcActivity:
    generations = zip_longest(
        *(activity.collections for activity in activities), fillvalue=0
    )
    return GcActivity(
        collections=tuple(sum(generation) for generation in generations),
        pause=_added_times(activity.pause for activity in activities),
        longest_pause=max(activity.longest_pause for activity in activities),
        collected=sum(activity.collected for activity in activities),
        uncollectable=sum(activity.uncollectable for activity in activities),
    )


def _merged_sites(sites: Iterable[AllocationSite]) -> tuple[AllocationSite, ...]:
    sums: dict[tuple[Frame, ...], tuple[int, int]] = {}
    for site in sites:
        size, count = sums.get(site.traceback.frames, (0, 0))
        sums[site.traceback.frames] = (size + site.size_diff, count + site.count_diff)
    # A row that adds up to nothing is dropped, and its depth with it: whether the
    # depths agreed could then depend on the grouping.  So none survives a merge.
    return sorted_sites(
        AllocationSite(Traceback(frames), size, count)
        for frames, (size, count) in sums.items()
        if size or count
    )


def _merged_types(changes: Iterable[TypeChange]) -> tuple[TypeChange, ...]:
    sums: dict[str, tuple[int, int | None]] = {}
    for change in changes:
        count, size = sums.get(change.type_name, (0, 0))
        sums[change.type_name] = (
            count + change.count_diff,
            _added((size, change.size_diff)),
        )
    # Not known is not zero: such a row stays, or a later sum would seem exact.
    return sorted_types(
        TypeChange(type_name=name, count_diff=count, size_diff=size)
        for name, (count, size) in sums.items()
        if count or size != 0
    )


def _merged_cycles(reports: Sequence[CycleReport]) -> CycleReport:
    said = dict.fromkeys(limit for report in reports for limit in report.limits)
    return CycleReport(
        complete=all(report.complete for report in reports),
        limits=tuple(said),
        environment=_if_same(report.environment for report in reports),
        overhead=_added_times(report.overhead for report in reports),
        groups=_merged_groups(group for report in reports for group in report.groups),
        objects=sum(report.objects for report in reports),
        size=sum(report.size for report in reports),
        uncollectable=sum(report.uncollectable for report in reports),
        freed=_added(report.freed for report in reports),
    )


def _perhaps_merged(reports: Sequence[CycleReport | None]) -> CycleReport | None:
    """Return what was found where cycles were looked for, None if nowhere."""
    known = [report for report in reports if report is not None]
    return _merged_cycles(known) if known else None


def _merged_groups(groups: Iterable[CycleGroup]) -> tuple[CycleGroup, ...]:
    sums: dict[tuple[CycleKind, str], CycleGroup] = {}
    for group in groups:
        key = group.kind, group.fingerprint
        known = sums.get(key)
        if known is not None:
            group = changed(  # noqa: PLW2901  # its numbers only
                known,
                count=known.count + group.count,
                objects=known.objects + group.objects,
                size=known.size + group.size,
            )
        sums[key] = group
    return sorted_groups(sums.values())


def _merged_survivors(groups: Iterable[SurvivorGroup]) -> tuple[SurvivorGroup, ...]:
    """Return the sums by type, place and shape; the first path of each stays."""
    sums: dict[tuple[str, str, Traceback | None, str | None], SurvivorGroup] = {}
    for group in groups:
        key = group.type_name, group.fingerprint, group.traceback, group.by_design
        known = sums.get(key)
        if known is not None:
            group = changed(  # noqa: PLW2901  # it takes the place of both
                known,
                count=known.count + group.count,
                size=known.size + group.size,
                retained_size=_added((known.retained_size, group.retained_size)),
            )
        sums[key] = group
    return sorted_survivors(sums.values())


def _all_limits(reports: Sequence[TrackReport]) -> tuple[str, ...]:
    """Return the union, and what the merged report cannot say of all blocks."""
    own = [*map(_partial_limit, _SECTIONS), _EXCEPTIONS_DIFFER]
    said = list(dict.fromkeys(limit for report in reports for limit in report.limits))
    new = {
        _partial_limit(section)
        for section in _SECTIONS
        if len({section in report.measured for report in reports}) > 1
    }
    if len({report.exception for report in reports}) > 1:
        new.add(_EXCEPTIONS_DIFFER)
    # These come last, also if they come from an earlier merge: else their place
    # would depend on the grouping.
    first = [limit for limit in said if limit not in own]
    last = [limit for limit in own if limit in new or limit in said]
    return (*first, *last)


def _partial_limit(section: str) -> str:
    return f"Not every merged block measured {section}: its numbers are of some blocks."


def _added(numbers: Iterable[int | None]) -> int | None:
    """Return the sum; None if one of the numbers is not known."""
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _largest(numbers: Iterable[int | None]) -> int | None:
    """Return the largest; None if one of the numbers is not known."""
    known: list[int] = []
    for number in numbers:
        if number is None:
            return None
        known.append(number)
    return max(known)


def _added_times(times: Iterable[float]) -> float:
    """Return the sum of seconds, added as whole nanoseconds."""
    # Floats round at each addition, so their sum depends on the grouping.
    known = [*times]
    try:
        return sum(round(time * _NANOSECONDS) for time in known) / _NANOSECONDS
    except (OverflowError, ValueError):  # there is an infinite one, or a NaN
        return sum(known)


def _if_same(values: Iterable[T]) -> T | None:
    """Return the value that all have, or None."""
    first, *others = values
    return first if all(other == first for other in others) else None


def _common(rows: Sequence[tuple[T, ...]]) -> tuple[T, ...]:
    """Return what all have, in the order of the first."""
    first, *others = rows
    return tuple(item for item in first if all(item in other for other in others))


_ADDERS: Mapping[type[Report], Callable[[Sequence[Any]], Any]] = {
    TrackReport: _merged_tracks,
    CycleReport: _merged_cycles,
}
