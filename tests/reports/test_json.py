"""Reports as JSON, there and back."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Literal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refscope.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    NewerFormatError,
    ReportFormatError,
)
from refscope.render import from_json, to_json
from refscope.render._checks import Problem
from refscope.render._hints import KINDS, codec_of
from refscope.reports import (
    CycleReport,
    DiffReport,
    DiffRow,
    ExpectationReport,
    HeapObject,
    LeakReport,
    MemoryChange,
    RefCount,
    RefCountChange,
    ReferrersReport,
    Report,
    RetentionReport,
    TrackReport,
    TypeChange,
)

from .by_hand import site
from .strategies import CHARACTERS, any_reports


REPORT = TrackReport(
    label="load",
    tags={"host": "a"},
    measured=("memory", "sites"),
    memory=MemoryChange(size_diff=10),
    sites=(site("a.py", 1, "f", 10),),
    types=(TypeChange(type_name="T", count_diff=1),),
)


def _changed(change):
    """Return the JSON of REPORT after `change` was called with its document."""
    document = json.loads(to_json(REPORT))
    change(document)
    return json.dumps(document)


def _set(*path, to):
    def change(document):
        *way, last = path
        for step in way:
            document = document[step]
        document[last] = to

    return change


@given(any_reports(), st.sampled_from([None, 0, 2]))
def test_reports_come_back_equal(report, indent):
    """Every number, text, tuple and None is what it was, and the text is ASCII."""
    text = to_json(report, indent=indent)

    assert text.isascii()
    assert from_json(text) == report


@pytest.mark.parametrize("indent", [TrackReport, "  ", 2.0, True])
def test_an_indent_is_a_number_of_spaces(indent):
    """Anything else is refused at the door, by its kind."""
    with pytest.raises(ArgumentTypeError, match=r"indent takes .*, not an? \w+"):
        to_json(REPORT, indent=indent)


def test_a_negative_indent_is_refused():
    """There are no spaces below none."""
    with pytest.raises(InvalidArgumentError, match="0 or more spaces, not -1"):
        to_json(REPORT, indent=-1)


@given(
    st.lists(st.sampled_from("\ud800\udbff\udc00\udfff\ufdd0x"), max_size=9).map(
        "".join
    )
)
def test_surrogates_stay_apart(text):
    """JSON would join two to one character; they come back as they were."""
    report = TrackReport(label=text, tags={text: text})

    assert from_json(to_json(report)) == report


@given(st.text(CHARACTERS))
def test_texts_are_written_as_they_are(text):
    """Other tools read the very text, unless surrogates meet in it."""
    document = json.loads(to_json(TrackReport(label=text, tags={text: text})))

    assert (document["label"], document["tags"]) == (text, {text: text})


def test_the_form():
    """Kind and version come first, then the fields; tags are an object."""
    document = json.loads(to_json(REPORT))

    assert list(document)[:3] == ["kind", "format_version", "complete"]
    assert (document["kind"], document["format_version"]) == ("TrackReport", 1)
    assert document["tags"] == {"host": "a"}
    assert document["memory"]["peak"] is None
    assert document["survivors"] == []


def test_no_report_has_a_field_of_the_envelope():
    """`kind` and `format_version` of a document are never a field of a report."""
    keys = {
        field.key for kind in KINDS.values() for field in codec_of(kind).fields_of()
    }

    assert keys.isdisjoint({"kind", "format_version"})


def test_subclasses_of_text_and_numbers_are_written_plainly():
    """A label may come from a library with texts of its own."""

    class Label(str):
        __slots__ = ()

    report = from_json(to_json(TrackReport(label=Label("x"))))

    assert type(report.label) is str


def test_whole_numbers_are_numbers():
    """A tool may have written 1.0 as 1; the report has a float again."""
    report = from_json(_changed(_set("duration", to=2)))

    assert (report.duration, type(report.duration)) == (2.0, float)


def test_unknown_keys_are_ignored():
    """Other tools may add their own, at every level."""
    text = _changed(
        lambda document: (
            document.update(url="x"),
            document["memory"].update(note="y"),
        )
    )

    assert from_json(text) == REPORT


def test_redacted_json_has_no_label_tags_or_folders():
    """It is a report like any other."""
    report = TrackReport(
        label="x", tags={"a": "b"}, sites=(site("/b/a.py", 1, "f", 1),)
    )

    assert from_json(to_json(report, redact=True)) == TrackReport(
        sites=(site("a.py", 1, "f", 1),)
    )


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_are_not_written(number):
    """The message says which field has it."""
    with pytest.raises(
        InvalidArgumentError, match=r"TrackReport\.gc\.pause: .* finite"
    ):
        to_json(TrackReport(gc=attrs.evolve(REPORT.gc, pause=number)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"calls": True}, "calls: expected an integer, found true"),
        ({"label": 1.5}, "label: expected a string, found the number 1.5"),
        ({"memory": None}, "memory: expected a MemoryChange, found null"),
        ({"limits": ["a"]}, "limits: expected a tuple, found a list"),
        ({"limits": (b"a",)}, r"limits\[0\]: expected a string, found a bytes"),
        (
            {"survivors": (1,)},
            r"survivors\[0\]: expected a SurvivorGroup, found the number 1",
        ),
        ({"tags": {"a": 1}}, r"tags\['a'\]: expected a string, found the number 1"),
    ],
)
def test_what_could_not_be_read_is_not_written(changes, message):
    """A report made by hand may hold anything; its file must not."""
    with pytest.raises(InvalidArgumentError, match=rf"^TrackReport\.{message}$"):
        to_json(attrs.evolve(TrackReport(), **changes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            _set("memory", "size_diff", to=True),
            "memory.size_diff: expected an integer, found true",
        ),
        (
            _set("sites", 0, "traceback", "frames", 0, "lineno", to=1.0),
            (
                "sites[0].traceback.frames[0].lineno: "
                "expected an integer, found the number 1.0"
            ),
        ),
        (
            _set("complete", to=1),
            "complete: expected true or false, found the number 1",
        ),
        (_set("duration", to="1"), 'duration: expected a number, found the string "1"'),
        (_set("duration", to=False), "duration: expected a number, found false"),
        (
            _set("duration", to=10**400),
            (
                "duration: expected a finite number, "
                "found the number 1000000000000000000000000000000000000..."
            ),
        ),
        (_set("label", to=[]), "label: expected a string, found a list"),
        (_set("limits", to={}), "limits: expected a list, found an object"),
        (_set("tags", to=[]), "tags: expected an object, found a list"),
        (_set("tags", "x", to=None), "tags['x']: expected a string, found null"),
        (_set("memory", to=None), "memory: expected an object, found null"),
        (
            _set("survivors", to=[1]),
            "survivors[0]: expected an object, found the number 1",
        ),
        (_set("cycles", to=1), "cycles: expected an object, found the number 1"),
        (_set("kind", to="Foo"), "kind: 'Foo' is unknown, known are "),
        (_set("kind", to=1), "kind: expected a string, found the number 1"),
        (_set("format_version", to=0), "format_version: there is no format 0"),
        (
            _set("format_version", to="1"),
            'format_version: expected an integer, found the string "1"',
        ),
        (lambda document: document.pop("kind"), "kind: this key is missing"),
        (
            lambda document: document["memory"].pop("peak"),
            "memory.peak: this key is missing",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(change, message):
    """The message says where it is, what should be there, and what is."""
    with pytest.raises(ReportFormatError) as caught:
        from_json(_changed(change))

    assert str(caught.value).startswith(f"this is not a report: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "this is not JSON: Expecting value"),
        (to_json(REPORT)[:-9], "this is not JSON: "),
        pytest.param(
            "[" * 100_000,
            "this is not JSON: ",
            marks=pytest.mark.skipif(
                sys.platform == "emscripten", reason="overflows the WebAssembly stack"
            ),
        ),
        (to_json(REPORT).replace("0.0", "NaN"), "this is not JSON: NaN"),
        (to_json(REPORT).replace("0.0", "1e999"), "overhead: expected a finite number"),
        ("[]", "this is not a report: expected an object, found a list"),
        ("{}", "this is not a report: format_version: this key is missing"),
    ],
)
def test_broken_texts_are_refused(text, message):
    """Whatever is in a file, there is one kind of error for it."""
    with pytest.raises(ReportFormatError, match=message):
        from_json(text)


def test_only_text_is_read():
    """Bytes have an encoding that is not known here."""
    with pytest.raises(ReportFormatError, match="expected a string, found a bytes"):
        from_json(b"{}")


def test_newer_formats_are_told_apart():
    """Also if the later refscope has kinds that this one does not know."""
    text = _changed(_set("format_version", to=2)).replace("TrackReport", "FooReport")

    with pytest.raises(NewerFormatError, match=r"format 2, .* reads up to 1"):
        from_json(text)


def test_a_kind_without_form_is_refused_by_name():
    """A report class that is not in AnyReport could not be read again."""

    @attrs.frozen
    class Other(Report):
        pass

    with pytest.raises(ArgumentTypeError, match="an Other cannot be written as JSON"):
        to_json(Other())


def test_every_kind_can_be_redacted():
    """A kind that is added needs its rule, or its files would tell too much."""
    count = RefCount(
        count=1,
        sys_count=2,
        stored=1,
        immortal=False,
        exact=True,
        type_name="T",
        address=1,
    )
    samples = [
        TrackReport(),
        DiffReport(by="site"),
        CycleReport(),
        LeakReport(),
        RetentionReport(subject=HeapObject(type_name="T", address=1, size=1)),
        ExpectationReport(type_name="T", reason="", gone=True),
        count,
        RefCountChange(before=count, diff=-1, died=True),
        ReferrersReport(refcount=count, unaccounted=0),
    ]

    assert {type(sample) for sample in samples} == set(KINDS.values())
    assert [from_json(to_json(sample, redact=True)) for sample in samples] == samples


@attrs.frozen
class Node:
    """A record that holds others of its own kind."""

    word: Literal["yes", "no"]
    pair: tuple[str, int]
    row: DiffRow | None
    inner: Node | None = None
    scores: Mapping[str, float] = attrs.field(factory=dict)


def test_forms_that_reports_may_need():
    """Words, pairs, records that may be missing, and records in records."""
    row = DiffRow(key="a", status="new", before=0, after=1)
    codec = codec_of(Node)
    node = Node("yes", ("a", 1), row, Node("no", ("b", 2), None), {"x": 0.5})
    written = codec.write(node)

    assert json.loads(json.dumps(written)) == written
    assert codec.read(written) == node


@pytest.mark.parametrize("word", ["maybe", 1])
def test_words_are_a_closed_set(word):
    """The message has the choices."""
    codec = codec_of(Literal["yes", "no"])

    with pytest.raises(Problem, match="expected one of 'yes', 'no', found"):
        codec.read(word)


@pytest.mark.parametrize("cells", [["a"], ["a", 1, 2]])
def test_pairs_are_pairs(cells):
    """A tuple of known length is read at that length only."""
    with pytest.raises(Problem, match="expected 2 values"):
        codec_of(tuple[str, int]).read(cells)


@pytest.mark.parametrize(
    "hint", [complex, int | str, int | str | None, Mapping[int, str], list[int]]
)
def test_a_hint_without_form_is_the_author_s_mistake(hint):
    """It is found when the class is first met, not when a file is read."""
    with pytest.raises(TypeError, match="has no JSON form"):
        codec_of(hint)
