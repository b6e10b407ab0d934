"""The published schema."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Literal

import jsonschema
import pytest
from hypothesis import given

from refscope.render import schema, to_json
from refscope.render._hints import codec_of
from refscope.reports import TrackReport

from .strategies import any_reports


VALIDATOR = jsonschema.Draft202012Validator(schema())


def test_the_published_file_is_the_schema():
    """After a change of the reports, write it again.

    python -c "import json; from refscope.render import schema; \
print(json.dumps(schema(), indent=2))" > src/refscope/render/report.schema.json
    """
    published = files("refscope.render").joinpath("report.schema.json")

    assert json.loads(published.read_text(encoding="utf-8")) == schema()


def test_the_schema_is_a_schema():
    """It is valid by the rules of its own draft."""
    jsonschema.Draft202012Validator.check_schema(schema())


@given(any_reports())
def test_reports_validate(report):
    """Whatever is written fits the schema."""
    VALIDATOR.validate(json.loads(to_json(report)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "Foo"),
        ("format_version", 2),
        ("calls", "1"),
        ("calls", True),
        ("limits", [1]),
        ("memory", None),
        ("tags", {"a": 1}),
        ("survivors", [1]),
    ],
)
def test_what_is_no_report_does_not_validate(key, value):
    """The schema is as strict as the reader."""
    document = json.loads(to_json(TrackReport()))

    assert VALIDATOR.is_valid(document)
    assert not VALIDATOR.is_valid({**document, key: value})


def test_forms_that_reports_may_need():
    """Words and pairs have schemas too, and so have values that may be missing."""
    assert codec_of(Literal["yes", "no"] | None).schema() == {
        "anyOf": [{"enum": ["yes", "no"]}, {"type": "null"}]
    }
    assert codec_of(tuple[str, int]).schema() == {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "integer"}],
        "minItems": 2,
        "maxItems": 2,
    }
    assert [part.schema() for part in codec_of(tuple[str, int]).parts()] == [
        {"type": "string"},
        {"type": "integer"},
    ]
