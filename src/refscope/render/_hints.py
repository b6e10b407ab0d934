"""Which form in JSON a type hint has.

A new class of report needs nothing here: it is added to ``AnyReport``, and its hints
are read when a report of its class is first met.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

import attrs

from refscope.reports import AnyReport, Report

from . import _checks as checks
from ._codecs import (
    Cells,
    Choice,
    Codec,
    Field,
    Perhaps,
    Record,
    Rows,
    Scalar,
    Table,
    Text,
)


KINDS: Mapping[str, type[Report]] = {
    kind.__name__: kind for kind in get_args(AnyReport)
}
"""Every kind of report by the name it has in a file."""


def codec_of(hint: object) -> Codec:
    """Return the form of values that have this type hint."""
    return _codec_of(hint)


@functools.cache
def _codec_of(hint: object) -> Codec:
    known = _PLAIN.get(hint)
    if known is not None:
        return known
    if isinstance(hint, type) and attrs.has(hint):
        return Record(hint, functools.cache(lambda: _fields_of(hint)))
    make = _COMPOSED.get(get_origin(hint))
    if make is None:
        raise _without_form(hint)
    return make(hint)


def _fields_of(kind: type[attrs.AttrsInstance]) -> tuple[Field, ...]:
    """Return the fields of an attrs class, those of its base first.

    A field that the constructor takes under another name is written under that
    name, and as the property of that name gives it: ``tags``, which is a mapping to
    everyone and a tuple of pairs inside, because tuples can be hashed.
    """
    hints = get_type_hints(kind)
    fields: list[Field] = []
    for field in attrs.fields(kind):
        name, hint = field.name, hints[field.name]
        if field.alias is not None and field.alias != name:
            name = field.alias
            hint = get_type_hints(getattr(kind, name).fget)["return"]
        fields.append(Field(name, codec_of(hint)))
    return tuple(fields)


def _perhaps(hint: object) -> Codec:
    inner = [part for part in get_args(hint) if part is not NoneType]
    if len(inner) != 1:
        raise _without_form(hint)
    return Perhaps(codec_of(inner[0]))


def _tuple(hint: object) -> Codec:
    parts = get_args(hint)
    if parts[1:] == (...,):
        return Rows(codec_of(parts[0]))
    return Cells(tuple(map(codec_of, parts)))


def _table(hint: object) -> Codec:
    key, item = get_args(hint)
    if key is not str:
        raise _without_form(hint)
    return Table(codec_of(item))


def _choice(hint: object) -> Codec:
    return Choice(get_args(hint))


def _without_form(hint: object) -> TypeError:
    return TypeError(f"reports cannot have a field of type {hint}: it has no JSON form")


_PLAIN: Mapping[object, Codec] = {
    str: Text(),
    int: Scalar("integer", checks.checked_integer),
    float: Scalar("number", checks.checked_number),
    bool: Scalar("boolean", checks.checked_boolean),
}
_COMPOSED: Mapping[object, Callable[[object], Codec]] = {
    Union: _perhaps,
    UnionType: _perhaps,
    tuple: _tuple,
    Mapping: _table,
    Literal: _choice,
}
