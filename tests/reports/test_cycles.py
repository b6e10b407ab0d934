"""Cycle reports: verdict, text, graphs, and what is left out on request."""

from __future__ import annotations

import re

import attrs
import pytest
from hypothesis import given

from refscope import save
from refscope.exceptions import ArgumentTypeError
from refscope.render import from_json, to_dot, to_json, to_mermaid, to_text
from refscope.render._redact import redacted_name
from refscope.reports import (
    Cycle,
    CycleGroup,
    CycleReport,
    Frame,
    HeapObject,
    Reference,
    ReferencePath,
    RetentionReport,
    Traceback,
    TrackReport,
)
from refscope.reports._cycles import loop_fingerprint
from refscope.reports._heap import shape_of

from .strategies import ANY_TEXT, cycle_reports


def thing(number, name, line=None, detail=None):
    """Return an object made at a line."""
    place = None if line is None else Traceback((Frame("/home/me/circular.py", line),))
    return HeapObject(
        type_name=f"circular.{name}",
        address=number,
        size=56,
        traceback=place,
        detail=detail,
    )


SERVAL = thing(1, "Serval", 18)
CAT = thing(2, "Cat", 19)
LOOP = (
    Reference(holder=SERVAL, target=CAT, name=".cousin"),
    Reference(holder=CAT, target=SERVAL, name="['secret key']"),
)
RING = Cycle(
    references=LOOP,
    length=2,
    component_size=2,
    held=0,
    size=112,
    retained_size=112,
    break_at=LOOP[1:],
    cuts=1,
    is_smallest=True,
    advice="make it a weakref.ref",
)
GROUP = CycleGroup(
    kind="garbage",
    count=1000,
    example=RING,
    fingerprint="9b1e04c2",
    type_names=("circular.Serval", "circular.Cat"),
    objects=2000,
    size=112_000,
)
REPORT = CycleReport(groups=(GROUP,), objects=2000, size=112_000)


def with_example(**changes):
    """Return a report of one group whose example is changed."""
    example = attrs.evolve(RING, **changes)
    return CycleReport(groups=(attrs.evolve(GROUP, example=example),), objects=2)


def test_the_text():
    """A shape, its loop with the places, and a mark under what to cut."""
    assert to_text(REPORT).splitlines() == [
        "1,000 garbage cycles, 1 shape: 2,000 objects, 109.4 KiB wait for gc",
        "",
        "#1 x1,000 [9b1e04c2]  2 objects, 112 B each, no finalizers",
        "   Serval .cousin -> Cat             me/circular.py:18",
        "   Cat    ['secret key'] -> Serval   me/circular.py:19",
        "          ^^^^^^^^^^^^^^ cut here (checked): make it a weakref.ref",
        "",
        "Limits     none",
    ]


@pytest.mark.parametrize(
    ("report", "headline"),
    [
        (CycleReport(), "CLEAN: no cycles"),
        (CycleReport(complete=False), "no cycles so far: the search ended early"),
        (CycleReport(uncollectable=2), "no cycles; 2 in gc.garbage"),
        (
            CycleReport(objects=3, size=9),
            "cycles not named, 0 shapes: 3 objects, 9 B wait for gc",
        ),
        (
            attrs.evolve(REPORT, freed=2000),
            "1,000 garbage cycles, 1 shape: 2,000 objects, 109.4 KiB; gc freed 2,000",
        ),
        (
            attrs.evolve(REPORT, groups=(attrs.evolve(GROUP, kind="live", count=1),)),
            "1 live cycle, 1 shape: 2,000 objects, 109.4 KiB",
        ),
        (
            attrs.evolve(REPORT, groups=(GROUP, attrs.evolve(GROUP, kind="live"))),
            "1,000 garbage and 1,000 live cycles, 2 shapes: 2,000 objects, 109.4 KiB",
        ),
    ],
)
def test_the_verdict(report, headline):
    """It says how many cycles of which kind, and what they hold."""
    assert report.headline == headline
    assert report.is_clean == headline.startswith("CLEAN")


def test_what_a_shape_says_of_itself():
    """What hangs on it, finalizers and whether they ran."""
    text = to_text(with_example(held=3, retained_size=4208, finalizers=2, finalized=1))

    assert (
        "2 objects, 112 B each, holding 3 more (4.0 KiB), 2 finalizers (1 ran)" in text
    )
    assert "holding 3 more, 1 finalizer" in to_text(
        with_example(held=3, retained_size=None, finalizers=1)
    )


def test_long_advice_has_lines_of_its_own():
    """Whatever the advice, no line is wider than the page."""
    lines = to_text(with_example(advice="word " * 40)).splitlines()

    assert max(map(len, lines)) <= 100
    assert "          ^^^^^^^^^^^^^^ cut here (checked):" in lines
    assert sum(line.count("word") for line in lines) == 40


def test_a_cut_beside_the_loop():
    """It is named, and a set of several is summed up."""
    other = Reference(holder=CAT, target=CAT, name=".me")
    text = to_text(
        with_example(break_at=(other, other, LOOP[0]), cuts=5, is_smallest=False)
    )

    assert "^^^^^^^ cut here (checked): make it" in text
    assert (
        "5 references to cut in all (fewer may do): Cat .me x2, Serval .cousin, ..."
        in text
    )
    both = to_text(with_example(break_at=(other, LOOP[0]), cuts=2))
    assert "2 references to cut in all (no fewer will do): Cat .me, Serval" in both
    alone = to_text(with_example(break_at=(other,)))
    assert "cut Cat .me (checked): make it" in alone


def test_nothing_known_about_cuts():
    """Without a set of cuts the advice stands alone."""
    text = to_text(with_example(break_at=(), cuts=0))

    assert "where to cut was not found out: make it a weakref.ref" in text


def test_long_loops_are_shortened():
    """Twelve steps are shown, with full=True all that the report has."""
    steps = tuple(
        Reference(holder=thing(n, "Node"), target=thing(n + 1, "Node"), name=".next")
        for n in range(20)
    )
    report = with_example(references=steps, length=500, break_at=steps[15:16])

    assert to_text(report).count("Node .next -> Node\n") == 12
    assert "... 488 more references, and back" in to_text(report)
    assert "cut Node .next (checked)" in to_text(report)
    assert (
        to_text(report, full=True).count("circular.Node .next -> circular.Node") == 20
    )


def test_no_more_shapes_than_fit():
    """The others are counted; a limit and full=True show as many as wanted."""
    groups = tuple(
        attrs.evolve(GROUP, fingerprint=f"{number:08x}") for number in range(9)
    )
    report = attrs.evolve(REPORT, groups=groups)

    text = to_text(report)
    assert len(text.splitlines()) <= 25
    assert text.count("#") == 4
    assert "... 5 more shapes (full=True shows all)" in text
    assert to_text(report, full=True).count("[0000000") == 9
    assert to_text(report, limit=2).count("[0000000") == 2


def test_a_long_loop_leaves_room_for_the_rest():
    """With much to say below and above, fewer steps are shown."""
    steps = tuple(
        Reference(holder=thing(n, "Node"), target=thing(n + 1, "Node"), name=".next")
        for n in range(30)
    )
    report = with_example(references=steps, length=30, break_at=(), advice="word " * 90)
    limits = tuple(f"sentence {number} " * 5 for number in range(9))

    lines = to_text(attrs.evolve(report, limits=limits)).splitlines()
    assert len(lines) <= 25
    assert sum("Node .next" in line for line in lines) == 8
    assert "   ... 22 more references, and back" in lines


def test_what_an_object_is_stands_where_its_place_is_unknown():
    """A function, a frame or a method is told by its name."""
    frame = thing(1, "frame", detail="load at /home/me/shop.py:41")
    loop = (
        Reference(holder=frame, target=CAT, name="<local cat in load>"),
        Reference(holder=CAT, target=frame, name=".frame"),
    )

    text = to_text(with_example(references=loop, break_at=loop[:1]))
    assert "frame <local cat in load> -> Cat   load at /home/me/shop.py:41" in text


@given(cycle_reports(names=ANY_TEXT))
def test_every_report_can_be_shown(report):
    """Whatever names a program has: text of the right size, graphs, JSON and back."""
    lines = to_text(report).splitlines()

    assert len(lines) <= 25
    assert max(map(len, lines)) <= 100
    assert all(line.isascii() for line in lines)
    assert to_text(report, full=True, redact=True)
    assert to_dot(report, redact=True)
    assert to_mermaid(report, redact=True)
    assert from_json(to_json(report)) == report


def test_redaction_leaves_out_keys_and_folders():
    """Types, attributes and last names of files stay."""
    frame = thing(3, "frame", detail="load at /home/me/shop.py:41")
    loop = (
        LOOP[1],
        Reference(holder=frame, target=CAT, name="[4711]"),
        Reference(holder=CAT, target=frame, name="{'token'}"),
        Reference(holder=attrs.evolve(CAT, type_name="list"), target=CAT, name="[3]"),
    )
    report = with_example(references=loop, advice="`del Cat['secret key']`")

    for text in (
        to_text(report, redact=True, full=True),
        to_json(report, redact=True),
        to_dot(report, redact=True),
        to_mermaid(report, redact=True),
    ):
        assert not re.search("secret|home|token|4711", text)
    shown = to_text(report, redact=True, full=True)
    assert "[...]" in shown
    assert "{...}" in shown
    assert "[3]" in shown
    assert "load at shop.py:41" in shown


def test_the_graph_for_graphviz():
    """Boxes with places, arrows with names, the cut in red."""
    assert to_dot(REPORT).splitlines() == [
        "digraph refscope {",
        '  node [shape=box, fontname="monospace"];',
        '  edge [fontname="monospace"];',
        "  subgraph cluster_1 {",
        '    label="#1 1,000 garbage [9b1e04c2]";',
        '    n1_0 [label="Serval\\nme/circular.py:18"];',
        '    n1_1 [label="Cat\\nme/circular.py:19"];',
        '    n1_0 -> n1_1 [label=".cousin"];',
        "    n1_1 -> n1_0 [label=\"['secret key']\", color=red, style=dashed];",
        "  }",
        "}",
    ]


def test_quotes_in_graphs():
    """No name can end a label."""
    hostile = Reference(holder=CAT, target=CAT, name="['a\"\\<b>|]']")
    report = with_example(references=(hostile,), break_at=())

    assert 'label="[\'a\\"\\\\<b>|]\']"' in to_dot(report)
    assert "|\"#91;'a#34;#92;#60;b#62;#124;#93;'#93;\"|" in to_mermaid(report)


def test_the_graph_for_mermaid():
    """The same boxes and arrows."""
    detail = thing(2, "Cat", detail="a cat")
    loop = (Reference(holder=detail, target=detail, name=".me"),)

    assert to_mermaid(with_example(references=loop, break_at=loop)).splitlines() == [
        "flowchart LR",
        '  subgraph g1["#35;1 1,000 garbage #91;9b1e04c2#93;"]',
        '    n1_0["Cat<br/>a cat"]',
        '    n1_0 -->|".me"| n1_0',
        "  end",
        "  linkStyle 0 stroke:red,stroke-dasharray:4",
    ]


def test_graphs_of_other_reports():
    """A report without references has no graph."""
    with pytest.raises(ArgumentTypeError, match="a TrackReport cannot be drawn"):
        to_dot(TrackReport())


def test_pictures_hold_visible_characters_only(tmp_path):
    """Names of threads and attributes may hold anything."""
    hostile = Reference(holder=CAT, target=CAT, name=".a\udce9\n\x1b[31m")
    path = ReferencePath(
        root="thread a\udce9\n\x1b[31m", references=(hostile,), fingerprint=""
    )
    report = RetentionReport(subject=CAT, paths=(path,))
    for suffix in (".dot", ".mmd"):
        name = tmp_path / f"path{suffix}"
        save(report, name)
        lines = name.read_text(encoding="utf-8").splitlines()
        assert all(line.strip().isprintable() for line in lines)


@pytest.mark.parametrize(
    ("suffix", "start"), [(".dot", "digraph refscope {"), (".mmd", "flowchart LR")]
)
def test_graphs_are_saved_by_suffix(tmp_path, suffix, start):
    """The suffix names the language."""
    path = tmp_path / f"ring{suffix}"

    save(REPORT, path)

    assert path.read_text(encoding="utf-8").startswith(start)


def test_fingerprints_do_not_depend_on_where_a_loop_begins():
    """Nor on indices, keys that are no names, or the module that a function is in."""
    assert loop_fingerprint(LOOP) == loop_fingerprint(LOOP[::-1])
    other = attrs.evolve(LOOP[1], name="['another key']")
    assert loop_fingerprint((LOOP[0], other)) == loop_fingerprint(LOOP)
    assert loop_fingerprint(LOOP[:1]) != loop_fingerprint(LOOP)
    assert loop_fingerprint(()) == loop_fingerprint((), is_whole=False)
    assert loop_fingerprint(LOOP * 3, is_whole=False) == loop_fingerprint(
        LOOP, is_whole=False
    )


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("<local e in Shop.sell>", "<local e in sell>"),
        ("<evaluation stack of a.<locals>.f>", "<evaluation stack of f>"),
        ("<cached result for 'x'>", "<cached result>"),
        ("<cached key 'x'>", "<cached key>"),
        ("<cell x>", "<cell x>"),
        ("{3}", "{x}"),
    ],
)
def test_shapes_of_names(name, shape):
    """What differs between runs and versions is left out."""
    assert shape_of(name) == shape


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (".x", ".x"),
        ("[3]", "[...]"),
        ("['secret']", "[...]"),
        ("{'secret'}", "{...}"),
        (".__dict__['secret key']", ".__dict__[...]"),
        ("<cached key 'secret'>", "<cached key ...>"),
        ("<cached result for 'secret'>", "<cached result for ...>"),
    ],
)
def test_keys_are_left_out(name, shown):
    """Names without data stay as they are."""
    assert redacted_name(name) == shown
