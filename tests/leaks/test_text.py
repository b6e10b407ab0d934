"""Leaks, survivors and paths as text, from reports that are made by hand."""

from __future__ import annotations

import attrs
import pytest

import refscope
from refscope._measure.leaks.naming import print_of
from refscope.render import from_json, to_dot, to_json, to_text
from refscope.render._redact import redacted
from refscope.reports import (
    Cycle,
    ExpectationReport,
    Frame,
    HeapObject,
    Leak,
    LeakReport,
    MemoryChange,
    Reference,
    ReferencePath,
    RetentionReport,
    SurvivorGroup,
    Traceback,
    TrackReport,
    Verdict,
)


MADE_AT = Traceback((Frame("/home/ann/shop/orders.py", 41, "sell"),))


def thing(name, address, **more):
    """Return an object of a report."""
    return HeapObject(type_name=name, address=address, size=56, **more)


def path_over(*names, root="module shop", expression=None):
    """Return a path whose steps have these names."""
    things = [thing(f"shop.T{place}", place) for place in range(len(names) + 1)]
    steps = zip(things, things[1:], names)  # noqa: B905  # 3.10
    return ReferencePath(
        root=root,
        references=tuple(
            Reference(holder=holder, target=target, name=name)
            for holder, target, name in steps
        ),
        expression=expression,
        fingerprint="0a1b2c3d",
    )


LEAK = Leak(
    kind="objects",
    type_name="shop.Item",
    growth=(1, 1, 1),
    per_call=1.0,
    size_per_call=56.0,
    traceback=MADE_AT,
    held_by=path_over(".items", "[3]", expression="sys.modules['shop'].items[3]"),
    grows_at=0,
    fingerprint="12345678",
    verdict="held",
)
LEAKS = LeakReport(function="sell", rounds=3, leaks=(LEAK,))


def _leaks(**changes):
    return attrs.evolve(LEAKS, leaks=(attrs.evolve(LEAK, **changes),))


# -- Leaks.
def test_the_container_is_shown_to_look_at():
    """Python for what grows, without the key of the one object in it."""
    text = to_text(LEAKS)

    assert "   see sys.modules['shop'].items\n" in text
    assert "made at shop/orders.py:41 in sell" in text


def test_without_a_known_container_the_whole_path_is_shown():
    """Where it is not known what grows nothing is underlined or called a suspect."""
    text = to_text(_leaks(grows_at=None))

    assert "see sys.modules['shop'].items[3]" in text
    assert "grows" not in text
    assert "~~~" not in text


@pytest.mark.parametrize(
    ("rate", "names", "words"),
    [
        (1.0, (".items", "[3]"), ("grows +1 per call", "one more after each call")),
        (2.0, (".items", "[3]"), ("grows +2 per call", "2 more after each call")),
        (1.0, (".a", "[3]", ".b"), ("grows +1 per call", "one more after each call")),
        (7.0, (".a", "[3]", ".b"), ("  grows\n", "7 more after each call")),
    ],
)
def test_a_rate_is_of_the_container_only_if_the_objects_are_in_it(rate, names, words):
    """One item can bring many objects: then nobody knows how many items came."""
    text = to_text(_leaks(per_call=rate, held_by=path_over(*names), grows_at=0))

    assert all(word in text for word in words), text


def test_reasons_are_read_beside_long_names_and_types():
    """A type that is long gives room to the reason, which tells more than its start."""
    path = path_over("<local self in BaseEventLoop._run_once>", ".timers", "[x]")
    kind = "asyncio.unix_events._UnixSelectorEventLoop"
    steps = [
        attrs.evolve(step, target=attrs.evolve(step.target, type_name=kind))
        for step in path.references
    ]
    path = attrs.evolve(path, references=tuple(steps))
    text = to_text(_leaks(held_by=path, grows_at=1))

    assert "...electorEventLoop  unknown  grows +1 per call\n" in text
    assert "...electorEventLoop  YES      one more after each call\n" in text
    assert f"-> {kind} " in to_text(_leaks(held_by=path), full=True)


def test_what_nobody_knows_is_left_out():
    """No line for a size, place, path or expression that was not measured."""
    text = to_text(
        _leaks(size_per_call=None, traceback=None, held_by=None, grows_at=None)
    )

    assert "#1 NEW [12345678] held: +1 shop.Item per call\n" in text
    for word in ("made at", "see ", "module"):
        assert word not in text

    text = to_text(_leaks(held_by=path_over("<local x in f>", root="thread Main")))

    assert "see " not in text
    assert "a running function" in text


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        ("module shop", "NO       modules stay"),
        ("builtins", "NO       modules stay"),
        ("thread MainThread", "NO       a running function"),
        ("signal handlers", "NO"),
    ],
)
def test_a_root_lives_for_a_reason(root, reason):
    """What a leak hangs on is alive, and the text says why if it can."""
    lines = to_text(_leaks(held_by=path_over(".a", ".b", "[x]", root=root), grows_at=1))

    [line] = [line for line in lines.splitlines() if line.strip().startswith(root)]
    assert line.rstrip().endswith(reason)


def test_leaks_of_c_are_told_apart():
    """An object that nobody holds, and memory that is no object of Python's."""
    thing_of_c = to_text(_leaks(verdict="native", held_by=None))
    memory = to_text(_leaks(kind="memory", type_name="", verdict="native"))

    assert "a reference was leaked in C" in thing_of_c
    assert "memory of C, or names of attributes" in memory
    assert "+1 memory block" in memory


@pytest.mark.parametrize(
    ("kind", "one", "many"),
    [
        ("cycles", "garbage cycle of shop.Item", "garbage cycles of shop.Item"),
        ("length", "item in a shop.Item", "items in a shop.Item"),
        ("references", "reference to a shop.Item", "references to a shop.Item"),
        ("memory", "block of shop.Item", "blocks of shop.Item"),
        ("objects", "shop.Item", "shop.Item"),
    ],
)
def test_what_grows_is_one_or_many(kind, one, many):
    """A noun stands beside its number as people say it."""
    first, second = (_leaks(kind=kind, per_call=rate).headline for rate in (1.0, 3.0))

    assert first.startswith(f"LEAKING: +1 {one}, ")
    assert second.startswith(f"LEAKING: +3 {many}, ")


def test_a_rare_leak_has_no_size_of_nothing():
    """What leaks with every hundredth call takes less than a byte per call."""
    report = _leaks(per_call=0.01, size_per_call=0.48)

    assert report.headline.startswith("LEAKING: +0.01 shop.Item, +0.48 B per call")
    assert "+0.01 shop.Item, +0.48 B per call" in to_text(report).partition("\n")[2]


def test_leaks_that_do_not_fit_are_counted():
    """A page has 25 lines; limit cuts rows, and full shows all."""
    many = attrs.evolve(
        LEAKS,
        leaks=tuple(
            attrs.evolve(LEAK, type_name=f"shop.T{number}") for number in range(9)
        ),
    )
    page, one = to_text(many).splitlines(), to_text(many, limit=1)

    assert len(page) <= 25
    assert any("more leaks (full=True shows all): shop.T" in line for line in page)
    assert "... 8 more leaks" in one
    assert one.count("NEW") == 1
    assert to_text(many, full=True).count("NEW") == 9


def test_an_unknown_resident_set_is_not_nothing():
    """Where the system does not tell, the text says so."""
    assert "RSS unknown per call" in to_text(LEAKS)
    assert "RSS +1.0 KiB per call" in to_text(attrs.evolve(LEAKS, rss_per_call=1024.0))


def test_few_calls_tell_nothing_about_the_resident_set():
    """It grows by whole pages, and not before spare ones are used up."""
    few = to_text(attrs.evolve(LEAKS, rss_per_call=0.0, total_calls=24))
    many = to_text(attrs.evolve(LEAKS, rss_per_call=0.0, total_calls=1_024))

    assert "RSS 0 B per call (too few calls to tell). 24 calls" in few
    assert "RSS 0 B per call. 1,024 calls" in many


@pytest.mark.parametrize(
    ("names", "root", "see"),
    [
        ((".seen", "{3}"), "module shop", "see sys.modules['shop'].seen\n"),
        ((".seen", "{3}"), "builtins", "see sys.modules['builtins'].seen\n"),
        (("<cell x>", "{3}"), "module shop", None),
        ((".seen", "{3}"), "thread Main", None),
    ],
)
def test_the_container_is_shown_though_its_element_has_no_spelling(names, root, see):
    """Python for a set is known, and none for what is in it."""
    text = to_text(_leaks(held_by=path_over(*names, root=root)))

    assert see in text if see else "see " not in text


# -- Paths.
def retention(*paths, **more):
    """Return a report of these paths."""
    return RetentionReport(subject=thing("shop.Item", 99), paths=paths, **more)


def test_a_long_path_shows_its_ends():
    """The middle is counted; full shows it all, and no endless Python is offered."""
    names = [f".a{number}" for number in range(20)]
    report = retention(path_over(*names, expression="x" + "".join(names)))
    text = to_text(report)

    assert "more steps (full=True shows all)" in text
    assert ".a0" in text
    assert ".a19" in text
    assert ".a9 " not in text
    assert "see " not in text
    assert ".a9 " in to_text(report, full=True)


def test_paths_that_do_not_fit_are_counted():
    """A page has 25 lines; limit cuts paths, and full shows all."""
    paths = [path_over(".a", ".b", f"['{number}']") for number in range(9)]
    page, two = to_text(retention(*paths)), to_text(retention(*paths), limit=2)

    assert len(page.splitlines()) <= 25
    assert "more paths (full=True shows all)" in page
    assert "... 7 more paths" in two
    assert two.count("#") == 2
    assert to_text(retention(*paths), full=True).count("#") == 9


def test_a_subject_is_described():
    """Size, what would die with it, what else is known, and where it was made."""
    subject = thing("function", 255, detail="shop.sell", traceback=MADE_AT)
    text = to_text(RetentionReport(subject=subject, retained_size=2048))

    assert "56 B at 0xff, 2.0 KiB would die with it, shop.sell" in text
    assert "made at shop/orders.py:41 in sell" in text
    assert "would die" not in to_text(RetentionReport(subject=subject))


def test_a_search_that_was_cut_short_found_no_path_yet():
    """Nothing found and nothing there are not the same."""
    assert "cut short" in retention(complete=False).headline
    assert "nothing that Python can see" in retention().headline


def test_the_headline_counts_holders_that_were_not_followed():
    """The number is data, too: nobody has to read the limits for it."""
    paths = [path_over(".a"), path_over(".b")]
    report = retention(*paths, more_holders=99)

    assert report.headline == "shop.Item is kept by 101 holders, 2 of them shown"
    assert "kept by 2 holders" in retention(*paths).headline
    assert from_json(to_json(report)) == report


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (thing("function", 9, detail="shop.sell"), "function shop.sell"),
        (thing("type", 9, detail="shop.Item"), "type shop.Item"),
        (thing("list", 9, detail="3 items"), "list"),
        (thing("frame", 9, detail="sell at shop.py:3"), "frame"),
        (thing("shop.Item", 9), "shop.Item"),
    ],
)
def test_the_headline_calls_what_has_a_name_by_it(subject, name):
    """A length or a place is no name."""
    report = RetentionReport(subject=subject, paths=(path_over(".a"),))

    assert report.headline == f"{name} is kept by 1 holder"


def test_a_long_path_is_not_judged_step_by_step():
    """Only what is shown is looked up among the verdicts, and each at once."""
    asked = []

    class Verdicts(tuple):
        """Tells how often it is gone through."""

        __slots__ = ()

        def __iter__(self):
            asked.append(1)
            return super().__iter__()

    path = path_over(*[f"[{number}]" for number in range(500)])
    verdicts = Verdicts([Verdict("yes", "sold", address=n) for n in range(501)])
    report = retention(path, verdicts=verdicts)
    text = to_text(report)
    few = len(asked)
    to_text(report, full=True)

    assert text.count("YES") == 8
    assert few < 20
    assert len(asked) < 20


def test_an_object_that_is_the_root_has_a_path_without_steps():
    """A module is its own root; there is no step with a verdict then."""
    text = to_text(retention(path_over(root="module shop"), verdicts=(Verdict("no"),)))

    assert "module shop  unknown" in text


def test_verdicts_belong_to_objects():
    """By address; an object without one is not known."""
    report = retention(verdicts=(Verdict("yes", "closed", address=99),))

    assert report.verdict_of(report.subject).reason == "closed"
    assert report.verdict_of(thing("shop.Cart", 3)).leaking == "unknown"


def test_an_expectation_tells_how_long_it_waited():
    """And nothing about holders when the object is gone; a picture is empty then."""
    gone = ExpectationReport(
        type_name="shop.Item", reason="sold", gone=True, freed_by="gc", waited=0.25
    )
    held = attrs.evolve(
        gone, gone=False, freed_by=None, retention=retention(path_over(".a"))
    )

    assert "waited 250 ms" in to_text(gone)
    assert "at 0x" not in to_text(gone)
    assert "at 0x63" in to_text(held)
    assert "waited" not in to_text(attrs.evolve(held, waited=0.0))
    assert "subgraph" not in to_dot(gone)
    assert "subgraph" in to_dot(held)


# -- The page.
LIMITS = tuple(f"{number}: {'what is not known ' * 9}" for number in range(10))


@pytest.mark.parametrize("steps", [0, 1, 7, 8, 9, 40])
@pytest.mark.parametrize("number", [1, 3])
def test_every_default_text_fits_a_page(number, steps):
    """At least one path finds room, beside all that may be said besides."""
    path = path_over(*[f".a{step}" for step in range(steps)], expression="x.a0")
    path = attrs.evolve(path, root="module " + "shop." * 50)
    kept = retention(
        *[path] * number,
        suspects=path.references,
        limits=LIMITS,
        complete=False,
        overhead=1.0,
        retained_size=9,
    )
    kept = attrs.evolve(kept, subject=attrs.evolve(kept.subject, traceback=MADE_AT))
    expected = ExpectationReport(
        type_name="shop." * 50,
        reason="it was sold " * 25,
        gone=False,
        waited=1.0,
        retention=kept,
        limits=LIMITS,
    )
    leak = attrs.evolve(LEAK, held_by=path, grows_at=steps - 1 if steps else None)
    leaks = attrs.evolve(LEAKS, leaks=(leak,) * number, limits=LIMITS)
    for report in (kept, expected, leaks):
        text = to_text(report)
        lines = text.splitlines()

        assert len(lines) <= 25
        assert max(map(len, lines)) <= 100
        assert "#1 " in text
        assert lines[-1].endswith("in all (full=True shows them)")
        assert ("more steps" in text) == (steps >= 7)
        assert "more steps" not in to_text(report, full=True)


def test_long_advice_is_cut():
    """A page has 25 lines; full and limit show all of it."""
    step = Reference(holder=thing("A", 1), target=thing("A", 1), name=".a")
    cycle = Cycle(
        references=(step,) * 9,
        length=9,
        component_size=9,
        size=56,
        advice="make it a weakref.ref " * 40 + "at last",
    )
    report = attrs.evolve(_leaks(cycle=cycle), limits=LIMITS)

    assert len(to_text(report).splitlines()) <= 25
    assert "at last" not in to_text(report)
    assert "at last" in to_text(report, full=True)
    assert "at last" in to_text(report, limit=1)


def test_a_long_verdict_says_that_it_is_cut():
    """Three lines are enough for a name; full shows all."""
    report = attrs.evolve(LEAKS, leaks=(), function="f" + " f" * 300)
    lines = to_text(report).splitlines()

    assert lines[2].endswith("...")
    assert not lines[3].startswith("  f")
    assert "f f f (3 rounds" in to_text(report, full=True)


def test_a_long_reason_leaves_room_for_the_verdict():
    """What keeps the object stands behind it."""
    kept = retention(path_over("<local item>", root="sell"))
    report = ExpectationReport(
        type_name="shop.Item", reason="sold " * 99, gone=False, retention=kept
    )
    head = " ".join(to_text(report).split("\n")[:3])

    assert "sold so...; kept only by local item of sell" in head
    assert "sold " * 99 in to_text(report, full=True)


# -- Survivors.
def _tracked(**changes):
    group = SurvivorGroup(
        type_name="shop.Item",
        count=3,
        size=168,
        traceback=MADE_AT,
        held_by=path_over(".items", "['ann@example.org']"),
    )
    return TrackReport(
        measured=("survivors",),
        memory=MemoryChange(size_diff=168, count_diff=3),
        survivors=(attrs.evolve(group, **changes),),
    )


def test_survivors_are_shown_with_holder_or_reason():
    """What the design keeps needs no holder, and some have neither."""
    held, kept = to_text(_tracked()), to_text(_tracked(by_design="a cache of re"))
    neither = to_text(_tracked(held_by=None, traceback=None))

    assert "held by module shop -> .items" in held
    assert "orders.py:41" in held
    assert "by design: a cache of re" in kept
    assert "held by" not in kept
    assert "held by" not in neither
    assert "orders.py" not in neither


def test_survivors_are_shown_without_keys_and_folders():
    """Keys are data, folders tell about a person; names of files stay."""
    text = to_text(redacted(_tracked()), full=True)

    assert "ann" not in text
    assert "orders.py:41" in text
    assert redacted(_tracked(traceback=None)).survivors[0].traceback is None


def test_names_of_threads_are_redacted():
    """A program puts data into them; that it is a running thread stays known."""
    path = path_over("<local item in work>", root="thread user 4711")
    subject = thing("shop.Item", 1)
    report = RetentionReport(subject=subject, paths=(path,), verdicts=())
    tracked = _tracked(held_by=path)

    assert "thread user 4711" in to_json(tracked)
    assert "4711" not in to_json(tracked, redact=True)
    assert "4711" not in to_json(report, redact=True)
    assert "thread ... -> " in to_text(tracked, redact=True)


def test_what_was_cut_short_is_not_clean():
    """Nobody knows what the rest of the search would have found."""
    leaks = LeakReport(complete=False, function="f", rounds=5, total_calls=10)
    subject = HeapObject(type_name="shop.Item", address=1, size=16)

    assert not leaks.is_clean
    assert not leaks.is_leaking
    assert leaks.headline.startswith("UNKNOWN: the search was cut short")
    assert LeakReport().is_clean
    assert not RetentionReport(subject=subject, complete=False).is_clean
    assert RetentionReport(subject=subject).is_clean


def test_a_fingerprint_is_of_the_shape():
    """Whether objects are counted or their memory makes no other leak of it."""
    path = path_over(".cart", "[3]")
    prints = {print_of(kind, "str", path, 0) for kind in ("objects", "memory")}

    assert len(prints) == 1
    assert print_of("references", "list", None, None) != print_of(
        "objects", "list", None, None
    )


class Pair:
    """Refers to itself twice."""

    def __init__(self):
        self.one = self
        self.other = [self]


def test_all_that_is_to_cut_is_said_of_a_cycle():
    """One reference is not enough, so the advice on one is not either."""
    text = str(refscope.find_leaks(Pair))

    assert "2 references to cut in all (no fewer will do)" in text
