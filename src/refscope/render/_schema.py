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
            _document(name, kind) for name, kind in zip(KINDS, kinds, strict=True)
        ],
        "$defs": {name: _definition(records[name]) for name in sorted(records)},
    }


def _document(name: str, kind: Codec) -> dict[str, object]:
    """Return the schema of a whole file: a report in another one has no head."""
    head: dict[str, object] = {
        "kind": {"const": name},
        "format_version": {"const": FORMAT_VERSION},
    }
    return {**kind.schema(), "properties": head, "required": list(head)}


def _records(codecs: Sequence[Codec]) -> list[Record]:
    """Return all records that are met on the way down from these."""
    pending, met = list(codecs), list(codecs)
    while pending:
        for part in pending.pop().parts():
            if part not in met:
                met.append(part)
                pending.append(part)
    return [codec for codec in met if isinstance(codec, Record)]


def _definition(record: Record) -> dict[str, object]:
    properties = {field.key: field.codec.schema() for field in record.fields_of()}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }
