"""Reports as JSON, there and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NoReturn, cast

from refscope import _units as units
from refscope.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    NewerFormatError,
    ReportFormatError,
)
from refscope.reports import AnyReport, Report

from ._checks import Problem, checked_integer, checked_mapping, checked_text, entry
from ._hints import KINDS, codec_of
from ._redact import redacted


# History of the format:
#   1  the first: `kind`, `format_version`, and every field of the report by name.
# A key added, removed or given another meaning is a new version.
FORMAT_VERSION = 1


def to_json(report: Report, *, indent: int | None, redact: bool) -> str:
    """Return the report as a JSON object."""
    kind = type(report)
    if kind not in KINDS.values():
        raise ArgumentTypeError(f"{units.one(kind.__name__)} cannot be written as JSON")
    shown = redacted(report) if redact else report
    try:
        body = codec_of(kind).write(shown)
    except Problem as problem:
        raise InvalidArgumentError(f"{kind.__name__}.{problem}") from None
    head = {"kind": kind.__name__, "format_version": FORMAT_VERSION}
    return json.dumps({**head, **checked_mapping(body)}, indent=indent)


def from_json(text: str) -> AnyReport:
    """Return the report that was written."""
    try:
        document = checked_mapping(_parsed(text))
        kind = _kind(document)
        return cast("AnyReport", codec_of(kind).read(document))
    except Problem as problem:
        raise ReportFormatError(f"this is not a report: {problem}") from None


def _parsed(text: str) -> object:
    try:
        return json.loads(checked_text(text), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ReportFormatError(f"this is not JSON: {error}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _kind(document: Mapping[str, object]) -> type[Report]:
    # The version first, as a later one may have kinds that are not known here.
    version = entry(document, "format_version", checked_integer)
    if version > FORMAT_VERSION:
        raise NewerFormatError(
            f"this report has format {version}, and this refscope reads up to "
            f"{FORMAT_VERSION}: it takes a later refscope"
        )
    if version < 1:
        raise Problem(f"format_version: there is no format {version}")
    name = entry(document, "kind", checked_text)
    if name not in KINDS:
        raise Problem(f"kind: {name!r} is unknown, known are {', '.join(KINDS)}")
    return KINDS[name]
