"""The JSON Schema of reports, from the same hints as writer and reader."""

from __future__ import annotations

from collections.abc import Sequence

from ._codecs import Codec, Record
from ._hints import KINDS, codec_of
from ._json import FORMAT_VERSION


def schema() -> dict[str, object]:
    """Return the schema."""
    kinds = [codec_of(kind) for kind in KINDS.values()]
    records = {record.kind.__name__: record for record in _records(kinds)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A report of refscope",
        "oneOf": [
            {**codec_of(kind).schema(), **_head(name)} for name, kind in KINDS.items()
        ],
        "$defs": {name: _definition(records[name]) for name in sorted(records)},
    }


def _records(codecs: Sequence[Codec]) -> list[Record]:
    """Return all records that are met on the way down from these."""
    pending, met = list(codecs), list(codecs)
    while pending:
        for part in pending.pop().parts():
            if part not in met:
                met.append(part)
                pending.append(part)
    return [codec for codec in met if type(codec) is Record]


def _definition(record: Record) -> dict[str, object]:
    properties = {field.key: field.codec.schema() for field in record.fields_of()}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _head(name: str) -> dict[str, object]:
    """Return what is asked of a document only: a report can be part of another."""
    properties = {
        "kind": {"const": name},
        "format_version": {"const": FORMAT_VERSION},
    }
    return {"properties": properties, "required": list(properties)}
