"""Reports for Hypothesis."""

from __future__ import annotations

import sys

import attrs
from hypothesis import strategies as st

from refscope.reports import (
    AllocationSite,
    Cycle,
    CycleGroup,
    CycleReport,
    DiffReport,
    DiffRow,
    Environment,
    ExpectationReport,
    Frame,
    GcActivity,
    HeapObject,
    Leak,
    LeakPart,
    LeakReport,
    MemoryChange,
    RefCount,
    RefCountChange,
    Reference,
    ReferencePath,
    ReferrersReport,
    RetentionReport,
    SurvivorGroup,
    Traceback,
    TrackReport,
    TypeChange,
    Verdict,
)


# Few names and small numbers, so that rows meet and cancel out.
NAMES = st.sampled_from(["a", "b", "c"])
SMALL = st.integers(-2, 2)

# By number: Hypothesis' own characters need a table, which takes seconds to make.
SURROGATES = range(0xD800, 0xE000)
CHARACTERS = st.one_of(
    st.integers(0, SURROGATES.start - 1), st.integers(SURROGATES.stop, sys.maxunicode)
).map(chr)
# Everything a str can hold: control characters, lone surrogates, and U+FDD0, which
# the JSON form gives a meaning of its own.
ANY_TEXT = st.text(
    st.one_of(
        CHARACTERS,
        st.sampled_from(SURROGATES).map(chr),
        st.sampled_from("\ud83d\ude00\ufdd0\x00\x1b\u202e\n\\/é"),
    ),
    max_size=12,
)


def _perhaps(strategy):
    return st.one_of(st.none(), strategy)


def frames(names):
    """Return a strategy of frames whose texts are `names`."""
    return st.builds(Frame, names, st.integers(0, 3), _perhaps(names))


def tracebacks(names):
    """Return a strategy of tracebacks."""
    rows = st.lists(frames(names), max_size=2).map(tuple)
    return st.builds(Traceback, rows, _perhaps(st.integers(1, 3)))


def sites(names, numbers):
    """Return a strategy of allocation sites."""
    return st.builds(AllocationSite, tracebacks(names), numbers, numbers)


def heap_objects(names):
    """Return a strategy of objects; some are frames and modules."""
    return st.builds(
        HeapObject,
        type_name=st.one_of(names, st.sampled_from(["frame", "module", "type"])),
        address=st.integers(0, 3),
        size=st.integers(0, 9),
        traceback=_perhaps(tracebacks(names)),
        detail=_perhaps(st.one_of(names, names.map("f at {}:1".format))),
    )


def references(names):
    """Return a strategy of tuples of references."""
    kinds = ["", ".x", "['secret']", "[3]", "{'k'}", "<local x in f>", "<cell x>"]
    one = st.builds(
        Reference,
        holder=heap_objects(names),
        target=heap_objects(names),
        name=st.one_of(names, st.sampled_from(kinds)),
        borrowed=st.booleans(),
    )
    return st.lists(one, max_size=4).map(tuple)


def _common(names):
    return {
        "complete": st.booleans(),
        "limits": st.lists(names, max_size=3).map(tuple),
        "environment": _perhaps(environments(names)),
    }


def ref_counts(names=NAMES, numbers=SMALL):
    """Return a strategy of counts."""
    return st.builds(
        RefCount,
        **_common(names),
        count=_perhaps(numbers),
        sys_count=numbers,
        stored=_perhaps(numbers),
        immortal=st.booleans(),
        exact=st.booleans(),
        type_name=names,
        address=st.integers(0, 3),
        value=_perhaps(names),
    )


def referrers_reports(names=NAMES, numbers=SMALL):
    """Return a strategy of reports of holders."""
    return st.builds(
        ReferrersReport,
        **_common(names),
        refcount=ref_counts(names, numbers),
        references=references(names),
        unaccounted=_perhaps(numbers),
        exact=st.booleans(),
    )


def ref_count_changes(names=NAMES, numbers=SMALL):
    """Return a strategy of changes of counts."""
    return st.builds(
        RefCountChange,
        **_common(names),
        before=ref_counts(names, numbers).map(_with_count),
        after=_perhaps(ref_counts(names, numbers).map(_with_count)),
        diff=_perhaps(numbers),
        died=st.booleans(),
        gained=references(names),
        lost=references(names),
    )


def _with_count(count):
    return attrs.evolve(count, count=1) if count.count is None else count


def type_changes(names, numbers):
    """Return a strategy of type changes."""
    return st.builds(
        TypeChange, type_name=names, count_diff=numbers, size_diff=_perhaps(numbers)
    )


def memory_changes(numbers):
    """Return a strategy of memory changes."""
    some = _perhaps(numbers)
    return st.builds(
        MemoryChange,
        size_diff=some,
        count_diff=some,
        peak=_perhaps(numbers.map(abs)),
        blocks_diff=some,
        rss_diff=some,
        shared=st.booleans(),
    )


def gc_activities(times):
    """Return a strategy of collector activities."""
    naturals = st.integers(0, 5)
    return st.builds(
        GcActivity,
        collections=st.lists(naturals, max_size=4).map(tuple),
        pause=times,
        longest_pause=times,
        collected=naturals,
        uncollectable=naturals,
    )


def environments(names):
    """Return a strategy of environments."""
    return st.builds(
        Environment,
        python=names,
        implementation=names,
        free_threaded=st.booleans(),
        platform=names,
        refscope=names,
    )


def track_reports(names=NAMES, numbers=SMALL, times=None):
    """Return a strategy of track reports, every field of which varies."""
    times = st.floats(0, 5e5) if times is None else times
    sections = ("memory", "sites", "types", "gc")
    return st.builds(
        TrackReport,
        complete=st.booleans(),
        limits=st.lists(names, max_size=3).map(tuple),
        environment=_perhaps(environments(names)),
        overhead=times,
        label=_perhaps(names),
        tags=st.dictionaries(names, names, max_size=3),
        calls=st.integers(1, 3),
        calls_seen=st.integers(1, 3),
        duration=times,
        exception=_perhaps(names),
        measured=st.lists(st.sampled_from(sections), unique=True).map(tuple),
        memory=memory_changes(numbers),
        sites=st.lists(sites(names, numbers), max_size=4).map(tuple),
        types=st.lists(type_changes(names, numbers), max_size=4).map(tuple),
        survivors=st.lists(survivors(names, numbers), max_size=2).map(tuple),
        cycles=_perhaps(cycle_reports(names, numbers)),
        gc=gc_activities(times),
    )


def diff_reports(names=NAMES, numbers=SMALL):
    """Return a strategy of diff reports."""
    status = st.sampled_from(["new", "gone", "grew", "shrank"])
    rows = st.builds(DiffRow, key=names, status=status, before=numbers, after=numbers)
    return st.builds(
        DiffReport,
        complete=st.booleans(),
        limits=st.lists(names, max_size=3).map(tuple),
        environment=_perhaps(environments(names)),
        by=st.sampled_from(["site", "function", "fingerprint"]),
        before_label=_perhaps(names),
        after_label=_perhaps(names),
        rows=st.lists(rows, max_size=4).map(tuple),
    )


def members(names, numbers):
    """Return a strategy of objects."""
    rows = st.lists(frames(names), max_size=2).map(tuple)
    return st.builds(
        HeapObject,
        type_name=names,
        address=st.integers(1, 4),
        size=numbers,
        traceback=_perhaps(st.builds(Traceback, rows, _perhaps(st.integers(1, 3)))),
        detail=_perhaps(names),
    )


def cycles(names, numbers):
    """Return a strategy of cycles, which need not make sense."""
    things = members(names, numbers)
    references = st.builds(
        Reference, holder=things, target=things, name=names, borrowed=st.booleans()
    )
    rows = st.lists(references, max_size=3).map(tuple)
    return st.builds(
        Cycle,
        references=rows,
        length=st.integers(0, 200),
        component_size=numbers,
        held=_perhaps(numbers),
        size=numbers,
        retained_size=_perhaps(numbers),
        finalizers=st.integers(0, 2),
        finalized=st.integers(0, 2),
        break_at=rows,
        cuts=st.integers(0, 20),
        is_smallest=st.booleans(),
        advice=names,
    )


def cycle_groups(names, numbers):
    """Return a strategy of groups of cycles."""
    return st.builds(
        CycleGroup,
        kind=st.sampled_from(["garbage", "live"]),
        count=numbers,
        example=cycles(names, numbers),
        fingerprint=names,
        type_names=st.lists(names, max_size=2).map(tuple),
        objects=numbers,
        size=numbers,
    )


def cycle_reports(names=NAMES, numbers=SMALL, times=None):
    """Return a strategy of cycle reports, every field of which varies."""
    return st.builds(
        CycleReport,
        complete=st.booleans(),
        limits=st.lists(names, max_size=3).map(tuple),
        environment=_perhaps(environments(names)),
        overhead=st.floats(0, 5e5) if times is None else times,
        groups=st.lists(
            cycle_groups(names, numbers),
            max_size=3,
            unique_by=lambda group: (group.kind, group.fingerprint),
        ).map(tuple),
        objects=numbers,
        size=numbers,
        uncollectable=st.integers(0, 2),
        freed=_perhaps(st.integers(0, 3)),
    )


def _steps(names, numbers):
    things = members(names, numbers)
    return st.builds(
        Reference, holder=things, target=things, name=names, borrowed=st.booleans()
    )


def paths(names, numbers):
    """Return a strategy of paths, which need not make sense."""
    return st.builds(
        ReferencePath,
        root=names,
        references=st.lists(_steps(names, numbers), max_size=12).map(tuple),
        expression=_perhaps(names),
        fingerprint=names,
    )


def survivors(names, numbers):
    """Return a strategy of groups of survivors."""
    rows = st.lists(frames(names), max_size=2).map(tuple)
    return st.builds(
        SurvivorGroup,
        type_name=names,
        count=numbers,
        size=numbers,
        traceback=_perhaps(st.builds(Traceback, rows, st.none())),
        held_by=_perhaps(paths(names, numbers)),
        fingerprint=names,
        retained_size=_perhaps(numbers),
        by_design=_perhaps(names),
    )


def _heads(names, times):
    """Return what all reports have, with the time that refscope took."""
    return {**_common(names), "overhead": times}


def leaks(names, numbers, times):
    """Return a strategy of leaks."""
    rows = st.lists(frames(names), max_size=2).map(tuple)
    return st.builds(
        Leak,
        kind=st.sampled_from(["objects", "memory", "cycles", "references", "length"]),
        type_name=names,
        growth=st.lists(numbers, max_size=3).map(tuple),
        growth_calls=st.integers(1, 9),
        per_call=times,
        size_per_call=_perhaps(times),
        traceback=_perhaps(st.builds(Traceback, rows, st.none())),
        held_by=_perhaps(paths(names, numbers)),
        grows_at=_perhaps(st.integers(-1, 3)),
        cycle=_perhaps(cycles(names, numbers)),
        fingerprint=names,
        verdict=st.sampled_from(["held", "cycle", "native", "unknown"]),
        known=_perhaps(names),
        parts=st.lists(
            st.builds(LeakPart, type_name=names, per_call=times, fingerprint=names),
            max_size=2,
        ).map(tuple),
    )


def leak_reports(names=NAMES, numbers=SMALL, times=None):
    """Return a strategy of leak reports."""
    times = st.floats(-1e9, 1e9) if times is None else times
    return st.builds(
        LeakReport,
        **_heads(names, times),
        function=names,
        leaks=st.lists(leaks(names, numbers, times), max_size=3).map(tuple),
        rounds=st.integers(0, 9),
        calls=st.integers(1, 9),
        total_calls=st.integers(0, 99),
        size_per_call=_perhaps(times),
        rss_per_call=_perhaps(times),
    )


def retention_reports(names=NAMES, numbers=SMALL, times=None):
    """Return a strategy of retention reports."""
    times = st.floats(0, 5e5) if times is None else times
    verdicts = st.builds(
        Verdict,
        st.sampled_from(["yes", "no", "unknown"]),
        names,
        type_name=_perhaps(names),
        address=_perhaps(st.integers(1, 4)),
    )
    return st.builds(
        RetentionReport,
        **_heads(names, times),
        subject=members(names, numbers),
        paths=st.lists(paths(names, numbers), max_size=3).map(tuple),
        verdicts=st.lists(verdicts, max_size=3).map(tuple),
        suspects=st.lists(_steps(names, numbers), max_size=2).map(tuple),
        retained_size=_perhaps(numbers),
    )


def expectation_reports(names=NAMES, numbers=SMALL, times=None):
    """Return a strategy of reports of expectations."""
    times = st.floats(0, 5e5) if times is None else times
    return st.builds(
        ExpectationReport,
        **_heads(names, times),
        type_name=names,
        reason=names,
        gone=st.booleans(),
        freed_by=st.sampled_from(["refcount", "gc", None]),
        waited=times,
        retention=_perhaps(retention_reports(names, numbers, times)),
    )


def any_reports():
    """Return a strategy of every kind of report, with every text and number."""
    numbers = st.integers()
    times = st.floats(allow_nan=False, allow_infinity=False)
    return st.one_of(
        track_reports(ANY_TEXT, numbers, times),
        diff_reports(ANY_TEXT, numbers),
        cycle_reports(ANY_TEXT, numbers, times),
        leak_reports(ANY_TEXT, numbers, times),
        retention_reports(ANY_TEXT, numbers, times),
        expectation_reports(ANY_TEXT, numbers, times),
        ref_counts(ANY_TEXT, numbers),
        referrers_reports(ANY_TEXT, numbers),
        ref_count_changes(ANY_TEXT, numbers),
    )
