"""Reports as text."""

from __future__ import annotations

import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refscope.exceptions import ArgumentTypeError, InvalidArgumentError
from refscope.render import to_text
from refscope.render._common_text import more_rows
from refscope.render._page import Page
from refscope.render._redact import redacted
from refscope.reports import (
    AllocationSite,
    Cycle,
    CycleGroup,
    CycleReport,
    DiffReport,
    DiffRow,
    Environment,
    Frame,
    GcActivity,
    HeapObject,
    MemoryChange,
    RefCount,
    Reference,
    ReferencePath,
    Report,
    SurvivorGroup,
    Traceback,
    TrackReport,
    TypeChange,
    diff,
)

from .by_hand import site
from .strategies import any_reports


ALL = ("memory", "sites", "types", "gc")
NOTHING = MemoryChange(size_diff=0, count_diff=0, peak=0)


def _full_report(**changes):
    report = TrackReport(
        label="load users",
        measured=ALL,
        duration=0.041,
        overhead=0.009,
        memory=MemoryChange(size_diff=1_104_000, count_diff=2001, peak=3_565_158),
        sites=(
            site("/home/ann/shop/orders.py", 43, "place", 1_048_576, 1000),
            site("/home/ann/shop/orders.py", 41, None, 56_000, 1000),
        ),
        types=(
            TypeChange(type_name="shop.Item", count_diff=1000, size_diff=56_000),
            TypeChange(type_name="dict", count_diff=-1, size_diff=None),
        ),
        gc=GcActivity(collections=(1, 1, 0), pause=0.003, longest_pause=0.002),
    )
    return attrs.evolve(report, **changes)


def _lines(report, **options):
    return to_text(report, **options).splitlines()


def test_a_block_that_kept_something():
    """Verdict, sites with the largest first, types, collector, limits."""
    text = to_text(_full_report())

    assert text == (
        "KEPT 'load users': kept +1.1 MiB, 2,001 blocks, 999 objects; "
        "peak +3.4 MiB, 41 ms (+9.0 ms refscope)\n"
        "\n"
        "Sites      +1.0 MiB   +1,000  shop/orders.py:43 in place\n"
        "           +54.7 KiB  +1,000  shop/orders.py:41\n"
        "Types      +1,000  shop.Item (+54.7 KiB)\n"
        "           -1      dict\n"
        "gc         2 collections, 3.0 ms (longest 2.0 ms), freed 0\n"
        "Limits     none"
    )


def test_print_shows_the_text():
    """str() of a report is its default text."""
    report = _full_report()

    assert str(report) == to_text(report)


def test_a_clean_block_is_two_lines():
    """When nothing changed, there is a verdict and what it rests on."""
    report = TrackReport(label="x", measured=("memory", "sites"), memory=NOTHING)

    assert _lines(report) == [
        report.headline,
        "Measured: memory, sites. Limits: none",
    ]


def test_a_clean_block_says_of_what_it_speaks():
    """How many calls were merged, and the tags, are said also if all was well."""
    report = TrackReport(calls=6, calls_seen=60, tags={"host": "a"}, memory=NOTHING)

    assert _lines(report)[1:] == [
        "Block      6 of 60 calls measured, host=a",
        "Measured: nothing. Limits: none",
    ]


def test_a_clean_block_shows_its_limits():
    """A verdict that does not cover everything says so."""
    report = TrackReport(limits=("No tracing.",), complete=False)

    assert _lines(report)[1:] == [
        "Measured: nothing",
        "Limits     Incomplete: there may be more than is reported.",
        "           No tracing.",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"sites": (site("a.py", 1, "f", -5),)},
        {"types": (TypeChange(type_name="T", count_diff=-1),)},
        {"memory": MemoryChange(size_diff=-1)},
        {"exception": "ValueError"},
    ],
)
def test_a_clean_block_that_changed_something_shows_it(changes):
    """Only a block in which nothing happened is as short as two lines."""
    report = attrs.evolve(TrackReport(measured=ALL, memory=NOTHING), **changes)

    assert report.is_clean
    assert len(_lines(report)) > 2


def test_the_block_and_the_process_are_told():
    """Merged calls, the exception, tags, and memory beyond what is traced."""
    report = _full_report(
        calls=10,
        calls_seen=1000,
        exception="ValueError",
        tags={"host": "a"},
        memory=MemoryChange(rss_diff=4096, blocks_diff=-12, shared=True),
    )
    lines = _lines(report)

    assert (
        "Block      10 of 1,000 calls measured, left by ValueError, host=a"
    ) in lines
    assert (
        "Process    RSS +4.0 KiB, pymalloc -12 blocks, "
        "shared with other threads, tasks or blocks"
    ) in lines


def test_sections_without_rows_say_why():
    """Not measured is not none."""
    report = _full_report(
        sites=(), types=(), measured=("types",), gc=GcActivity(collections=())
    )
    lines = _lines(report)

    assert "Sites      not measured" in lines
    assert "Types      none" in lines
    assert "gc         not measured" in lines


def test_uncollectable_objects_are_counted():
    """A collector that gave up is named."""
    gc = GcActivity(collections=(1,), collected=2000, uncollectable=3)

    assert ("gc         1 collection, 0 s, freed 2,000, 3 uncollectable") in _lines(
        _full_report(gc=gc)
    )


def test_rows_that_are_cut_are_counted():
    """The default text is bounded, and says what is missing."""
    sites = tuple(site("a.py", line, "f", 10) for line in range(30))
    types = tuple(
        TypeChange(type_name=f"T{number}", count_diff=1) for number in range(1200)
    )
    report = _full_report(sites=sites, types=types)
    lines = _lines(report)

    assert len(lines) <= 25
    assert "           ... 21 more sites (full=True shows all)" in lines
    assert "           ... 1,195 more types (full=True shows all)" in lines
    assert len(_lines(report, full=True)) > 1230


BOUNDED = Page(full=False, unicode=False)


@pytest.mark.parametrize(
    ("rows", "page", "lines"),
    [
        ("abc", BOUNDED, []),
        ("a" * 2003, BOUNDED, ["... 2,000 more sites (full=True shows all)"]),
        ("abcd", BOUNDED, ["... 1 more site (full=True shows all)"]),
        ("abcde", Page(full=False, unicode=False, limit=3), ["... 2 more sites"]),
        ("abcd", Page(full=True, unicode=False, limit=3), ["... 1 more site"]),
    ],
)
def test_the_hint_fits(rows, page, lines):
    """One is one, and who asked for a limit needs no advice."""
    assert more_rows(rows, rows[:3], "sites", page) == lines


def _thing(name, address):
    return HeapObject(type_name=f"shop.{name}", address=address, size=48)


def _group(number, steps=1):
    holders = [_thing("TheCustomerFacingOrderRepository", n) for n in range(steps + 1)]
    path = ReferencePath(
        root="module shop.orders.repositories",
        references=tuple(
            Reference(holder=one, target=other, name=f".by_customer_number_{place}")
            for place, (one, other) in enumerate(itertools.pairwise(holders))
        ),
        expression="sys.modules['shop'].orders",
        fingerprint="0badcafe",
    )
    return SurvivorGroup(
        type_name=f"shop.Kind{number}", count=1, size=48, held_by=path, fingerprint="ab"
    )


def _shape(number):
    one, other = (
        _thing("TheInventoryReservationSessionManagerForOrders", number),
        _thing("TheBackgroundReconciliationWorkerImplementation", number + 1),
    )
    there = Reference(
        holder=one, target=other, name=".reference_to_the_other_part_of_it"
    )
    back = Reference(
        holder=other, target=one, name=".reference_to_the_owning_part_of_it"
    )
    cycle = Cycle(
        references=(there, back),
        length=2,
        component_size=2,
        held=0,
        size=96,
        retained_size=96,
        finalizers=0,
        finalized=0,
        break_at=(back,),
        cuts=1,
        is_smallest=True,
        advice="make it a weakref.ref, since it leads back to what owns it: " * 4,
    )
    return CycleGroup(
        kind="garbage",
        count=1,
        example=cycle,
        fingerprint=f"{number:08x}",
        type_names=("shop.One",),
        objects=2,
        size=96,
    )


@pytest.mark.parametrize("limits", [0, 9])
@pytest.mark.parametrize("cycles", [0, 1, 2, 40])
@pytest.mark.parametrize("survivors", [0, 1, 2, 40])
@pytest.mark.parametrize("tags", [{}, {"host": "web-1"}])
def test_a_report_of_everything_is_bounded(survivors, cycles, limits, tags):
    """One row at least of each list finds room, whatever the others need."""
    report = _full_report(
        label="reconcile all of the open orders now, and of those before",
        tags=tags,
        sites=tuple(site("/srv/app/gen.py", line, "f", 10) for line in range(60)),
        types=tuple(
            TypeChange(type_name=f"shop.T{number}", count_diff=1)
            for number in range(60)
        ),
        survivors=tuple(_group(number, steps=9) for number in range(survivors)),
        cycles=CycleReport(groups=tuple(map(_shape, range(0, 2 * cycles, 2)))),
        limits=tuple(
            f"{number}: {'what is not known ' * 9}" for number in range(limits)
        ),
        memory=MemoryChange(size_diff=1, count_diff=1, peak=1, rss_diff=1, shared=True),
        exception="shop.orders.repositories.OutOfStock",
    )
    lines = _lines(report)
    text = "\n".join(lines)

    assert len(lines) <= 25
    assert ("shop.Kind0" in text) == bool(survivors)
    assert ("[00000000]" in text) == bool(cycles)
    assert "shop.T0" in text
    assert "app/gen.py:0" in text
    assert ("... 39 more shapes" in text) == (cycles == 40)


def _path_over(*names):
    """Return the text of a block with a path over these attributes, as one line."""
    holders = [_thing("Page", place) for place in range(len(names) + 1)]
    path = ReferencePath(
        root="module shop",
        references=tuple(
            Reference(holder=one, target=other, name=name)
            for name, (one, other) in zip(
                names, itertools.pairwise(holders), strict=True
            )
        ),
        fingerprint="0badcafe",
    )
    group = attrs.evolve(_group(0), held_by=path)
    return " ".join(to_text(_full_report(survivors=(group,))).split())


def test_a_path_that_is_cut_shows_both_ends():
    """What to look at, and the last steps, with all that there is room for."""
    text = to_text(_full_report(survivors=(_group(0, steps=9),)))

    words = " ".join(text.split())

    assert "held by module shop.orders.repositories -> ... -> .by_customer" in words
    assert "_8: shop.TheCustomerFacingOrderRepository" in words

    words = _path_over(".last", *[f".step_{number}" for number in range(20)])

    assert "held by module shop -> .last: shop.Page -> ... -> .step_1" in words
    assert " -> .step_18: shop.Page -> .step_19: shop.Page Sites" in words


def test_a_step_that_is_too_long_is_cut():
    """With what is before it where that finds room."""
    name = f"['{'x' * 200}']"

    assert " -> .last: shop.Page -> ... -> ...xxx" in _path_over(".last", ".a", name)
    assert "held by module shop -> ... -> ...xxx" in _path_over(name, ".a", name)
    assert "held by module shop -> ...xxx" in _path_over(name)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (".item", "at sys.modules['shop'].item"),
        ("['a']", "in sys.modules['shop']"),
        ("{3}", "in sys.modules['shop']"),
    ],
)
def test_suspects(name, place):
    """What to look at first is named with a place that can be pasted."""
    step = Reference(holder=_thing("Shop", 1), target=_thing("Item", 2), name=name)
    path = ReferencePath(
        root="module shop",
        references=(step,),
        expression=f"sys.modules['shop']{name}",
        fingerprint="0badcafe",
    )
    group = attrs.evolve(_group(0), held_by=path, count=1000)
    [suspect] = [
        line
        for line in _lines(_full_report(survivors=(group, _group(1))))
        if line.startswith("Suspect")
    ]

    assert suspect == f"Suspect: 1,000 shop.Kind0 {place}   [ab]"


def test_the_suspect_of_a_set_is_in_the_set():
    """Though no Python leads to the object itself."""
    assert "Suspect: 1 shop.Kind0 in sys.modules['shop'].seen [ab]" in _path_over(
        ".seen", "{...}"
    )
    assert "Suspect" not in _path_over(".seen", "<node>", "{...}")


@pytest.mark.parametrize(
    "changes",
    [
        {"held_by": None},
        {"by_design": "module shop was imported"},
        {
            "held_by": ReferencePath(
                root="held by C only", references=(), fingerprint=""
            )
        },
    ],
)
def test_no_suspects(changes):
    """What is there by design, or has no place, is no suspect; words come once."""
    text = to_text(_full_report(survivors=(attrs.evolve(_group(0), **changes),)))

    assert "Suspect" not in text
    assert "held by held by" not in text


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("limit", [0, 1, 30])
def test_a_limit_decides_how_many_rows_there_are(limit, full):
    """Every list has as many rows as asked for, and says how many are missing."""
    sites = tuple(site("a.py", line, None, 1) for line in range(40))
    types = tuple(TypeChange(type_name=f"T{n}", count_diff=1) for n in range(50))
    report = _full_report(sites=sites, types=types)
    lines = _lines(report, limit=limit, full=full)

    assert len([line for line in lines if " a.py:" in line]) == limit
    assert len([line for line in lines if "  T" in line]) == limit
    assert any(f"... {40 - limit} more sites" in line for line in lines)


def test_a_limit_holds_for_comparisons():
    """Rows of a comparison are counted like those of a block."""
    rows = tuple(
        DiffRow(key=f"a.py:{n}", status="new", before=0, after=1) for n in range(90)
    )
    lines = _lines(DiffReport(by="site", rows=rows), limit=80)

    assert len([line for line in lines if "a.py" in line]) == 80
    assert "... 10 more rows" in lines


def test_a_negative_limit_is_refused():
    """There are no rows below none."""
    with pytest.raises(InvalidArgumentError, match="-1"):
        to_text(_full_report(), limit=-1)


@pytest.mark.parametrize("limit", ["3", 1.5, True, [], object()])
def test_a_limit_is_a_number_of_rows(limit):
    """Anything else is refused at the door, by its kind."""
    with pytest.raises(ArgumentTypeError, match=r"limit takes .*, not an? \w+"):
        to_text(_full_report(), limit=limit)


def test_types_without_objects_are_shown_in_full_only():
    """A merge can leave a row whose size is not known; it is no change of objects."""
    report = _full_report(types=(TypeChange(type_name="T", count_diff=0),))

    assert "Types      none" in _lines(report)
    assert "Types      0  T" in _lines(report, full=True)


def test_full_text_has_frames_paths_and_places():
    """Innermost first, callers under it, and how much deeper the stack was."""
    frames = (Frame("/srv/main.py", 9, "main"), Frame("/srv/shop/orders.py", 41))
    report = _full_report(
        sites=(AllocationSite(Traceback(frames, 4), 10, 1),),
        environment=Environment(
            python="3.13.0",
            implementation="cpython",
            free_threaded=True,
            platform="linux-64",
            refscope="0.1.0",
        ),
    )
    lines = _lines(report, full=True)
    start = lines.index("Sites      +10 B  +1  /srv/shop/orders.py:41")

    assert lines[start + 1 : start + 3] == [
        "             from /srv/main.py:9 in main",
        "             ... 2 outer frames not recorded",
    ]
    assert (
        "Python     3.13.0 cpython linux-64, free-threaded, refscope 0.1.0"
    ) in lines
    assert not any(line.startswith("Python") for line in _lines(report))


def test_a_place_without_threads_is_told_plainly():
    """Nothing is said about what is usual."""
    here = Environment(
        python="3.10.1",
        implementation="cpython",
        free_threaded=False,
        platform="win32-64",
        refscope="0.1.0",
    )

    assert ("Python     3.10.1 cpython win32-64, refscope 0.1.0") in _lines(
        _full_report(environment=here), full=True
    )


def test_files_that_look_alike_are_told_apart():
    """Paths are short, but two files never get one name."""
    report = _full_report(
        sites=(
            site("/srv/a/shop/orders.py", 1, None, 9),
            site("/srv/b/shop/orders.py", 1, None, 8),
            site("C:\\lib\\json\\decoder.py", 1, None, 7),
            site("/opt/x/y/z.py", 1, None, 6),
            site("y/z.py", 1, None, 5),
            site("<string>", 1, None, 4),
        )
    )
    places = [line.split()[-1] for line in _lines(report) if line.endswith(":1")]

    assert places == [
        "a/shop/orders.py:1",
        "b/shop/orders.py:1",
        "json\\decoder.py:1",
        "x/y/z.py:1",
        "y/z.py:1",
        "<string>:1",
    ]


def test_long_names_are_cut_where_they_say_least():
    """The end of a path and the start of a function stay."""
    report = _full_report(
        sites=(site("d" * 80 + "/orders.py", 41, "f" * 80, 10),),
        types=(TypeChange(type_name="m" * 80 + ".Item", count_diff=1),),
    )
    lines = _lines(report)
    place = next(line for line in lines if line.startswith("Sites"))
    name = next(line for line in lines if line.startswith("Types"))

    assert "/orders.py:41 in fff" in place
    assert place.endswith("f...")
    assert name.endswith("m.Item")
    assert max(map(len, lines)) <= 100


def test_long_labels_leave_room_for_the_verdict():
    """The label is cut, not the numbers; the full text has all of it."""
    report = _full_report(label="x" * 500)

    assert "xxx...': kept +1.1 MiB" in to_text(report).replace("\n ", "")
    assert "x" * 500 in to_text(report, full=True)


def test_labels_are_cut_by_what_they_take_on_the_page():
    """An escaped character takes up to ten places."""
    report = _full_report(label="\U0001f600" * 30)

    assert _lines(report)[0].startswith("KEPT '\\U0001f600\\U0001f600\\U0001f600...'")


def test_many_limits_are_cut_and_counted():
    """Limits are sentences: they are wrapped, and five lines are enough."""
    report = _full_report(limits=tuple(f"{n} " + "word " * 30 for n in range(9)))
    lines = _lines(report)
    start = next(n for n, line in enumerate(lines) if line.startswith("Limits"))

    assert len(lines[start:]) == 5
    assert lines[-1] == "           ... 9 limits in all (full=True shows them)"
    assert len([line for line in _lines(report, full=True) if "word" in line]) == 9


def test_one_long_limit_is_one():
    """A sentence that takes more lines than there are is counted as one."""
    lines = _lines(TrackReport(limits=("word " * 150,)))

    assert lines[-1] == "           ... 1 limit in all (full=True shows them)"


def test_names_cannot_break_the_page():
    """Control characters, surrogates and marks of direction are always escaped."""
    report = _full_report(
        sites=(site("a\n\x1b[31m\u202e\ud800é.py", 1, "f", 10),), label="a\nb"
    )

    assert "a\\n\\x1b[31m\\u202e\\ud800\\xe9.py:1" in to_text(report)
    assert "a\\n\\x1b[31m\\u202e\\ud800é.py:1" in to_text(report, unicode=True)


def test_redacted_text_has_no_label_tags_or_folders():
    """What tells about a person or a machine is left out; the rest stays."""
    report = _full_report(tags={"host": "secret"})
    text = to_text(report, full=True, redact=True)

    assert "load users" not in text
    assert "secret" not in text
    assert "ann" not in text
    assert " orders.py:43 in place" in text


def test_a_comparison():
    """Verdict, labels, rows, limits."""
    before = TrackReport(
        label="v1", measured=ALL, sites=(site("/srv/shop/a.py", 1, "f", 1024),)
    )
    after = TrackReport(
        measured=ALL,
        sites=(
            site("/srv/shop/a.py", 1, "f", 2048),
            site("/srv/shop/b.py", 1, "g", 100),
        ),
    )

    assert to_text(diff(before, after)) == (
        "WORSE: +1.1 KiB in 2 functions\n"
        "before: 'v1', after: no label\n"
        "\n"
        "grew  +1.0 KiB  1.0 KiB -> 2.0 KiB  shop/a.py:f\n"
        "new   +100 B    0 B -> 100 B        shop/b.py:g\n"
        "\n"
        "Limits     none"
    )


def test_the_verdict_of_a_comparison_follows_what_is_said():
    """What grew is not hidden behind more that shrank."""
    before = TrackReport(measured=ALL, sites=(site("a.py", 1, "f", 10**6),))
    grown = site("b.py", 5, "g", 5)
    after = TrackReport(measured=ALL, sites=(site("a.py", 1, "f", 1), grown))

    assert diff(before, after).headline == (
        "WORSE: +5 B in 1 function, -976.6 KiB in 1 function"
    )
    assert diff(after, before).headline == (
        "WORSE: +976.6 KiB in 1 function, -5 B in 1 function"
    )
    assert diff(before, TrackReport(measured=ALL)).headline == (
        "BETTER: -976.6 KiB in 1 function"
    )


def test_a_comparison_without_difference():
    """Two lines are enough."""
    assert _lines(DiffReport(by="site")) == [
        "SAME: 0 B in 0 sites",
        "Limits     none",
    ]


def test_what_was_not_measured_is_not_the_same():
    """Reports without sites cannot be compared by these."""
    report = diff(TrackReport(label="a"), TrackReport(label="b"))

    assert report.headline.startswith("UNKNOWN: ")
    assert not report.is_clean


def test_a_repr_is_one_line_of_visible_characters():
    """Whatever names there are, and however long."""
    count = RefCount(
        count=1,
        sys_count=2,
        stored=1,
        immortal=False,
        exact=True,
        type_name="first\nsecond \x1b[31m" + "x" * 1000,
        address=16,
    )

    assert repr(count).isprintable()
    assert "first\\nsecond \\x1b[31m" in repr(count)
    assert len(repr(count)) < 400


def test_long_comparisons_are_cut_and_counted():
    """Full text has whole keys and all rows."""
    rows = tuple(
        DiffRow(key=f"/srv/shop/a.py:{line}", status="new", before=0, after=5)
        for line in range(100)
    )
    report = DiffReport(by="site", rows=rows)
    lines = _lines(report)

    assert len(lines) == 25
    assert lines[-3] == "... 80 more rows (full=True shows all)"
    assert _lines(report, full=True)[2].endswith("  /srv/shop/a.py:0")
    assert len(_lines(report, full=True)) == 104


def test_redacted_comparisons_have_no_labels_or_folders():
    """Keys keep the file's last name."""
    row = DiffRow(key="C:\\ann\\a.py:f", status="new", before=0, after=5)
    report = DiffReport(by="function", before_label="secret", rows=(row,))
    text = to_text(report, full=True, redact=True)

    assert "secret" not in text
    assert "ann" not in text
    assert "  a.py:f" in text


@given(any_reports(), st.booleans(), st.booleans())
def test_the_default_text_is_bounded_and_printable(report, unicode, redact):
    """No report, however strange, leaves 25 lines of 100 visible characters."""
    lines = to_text(report, unicode=unicode, redact=redact).split("\n")

    assert len(lines) <= 25
    assert max(map(len, lines)) <= 100
    assert all(line.isprintable() and (unicode or line.isascii()) for line in lines)


@given(any_reports(), st.booleans())
def test_the_full_text_is_printable(report, unicode):
    """Only line breaks of ours break lines, and every encoding can print it."""
    text = to_text(report, full=True, unicode=unicode)

    assert all(line.isprintable() for line in text.split("\n"))
    assert unicode or text.isascii()


@pytest.mark.parametrize("redact", [False, True])
def test_a_kind_without_renderer_is_refused_by_name(redact):
    """A report class that nobody registered is no reason for a wrong text."""

    @attrs.frozen
    class Other(Report):
        pass

    with pytest.raises(ArgumentTypeError, match="an Other cannot be shown as text"):
        to_text(Other(), redact=redact)
    with pytest.raises(ArgumentTypeError, match="an Other cannot be redacted"):
        redacted(Other())
