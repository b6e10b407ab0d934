"""The forms that values have in JSON: how each is written, read and described.

The three stand together in one class per form, so that writer, reader and schema
cannot disagree.  Which form a type hint has is the business of ``_hints``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import NamedTuple

from refscope import _units as units
from refscope._typing import override

from ._checks import (
    Problem,
    checked_list,
    checked_mapping,
    checked_text,
    checked_tuple,
    entry,
    unexpected,
)


# Two surrogates that do not belong together would come back from JSON as the one
# character that they encode.  So U+FDD0, which is no character, goes between them;
# where there are some already, one more.
_MEETING = re.compile("(?<=[\ud800-\udbff])(\ufdd0*)(?=[\udc00-\udfff])")
_PARTED = re.compile("(?<=[\ud800-\udbff])\ufdd0(\ufdd0*)(?=[\udc00-\udfff])")


class Codec(ABC):
    """One form."""

    @abstractmethod
    def write(self, value: object) -> object:
        """Return what ``json.dumps`` takes."""

    @abstractmethod
    def read(self, value: object) -> object:
        """Return the value that was written."""

    @abstractmethod
    def schema(self) -> dict[str, object]:
        """Return the JSON Schema of what is written."""

    def parts(self) -> Iterable[Codec]:
        """Return the forms inside this one."""
        return ()


class Scalar(Codec):
    """A number, true, false or null."""

    def __init__(self, type_name: str, check: Callable[[object], object]) -> None:
        self.type_name = type_name
        self.check = check

    @override
    def write(self, value: object) -> object:
        return self.check(value)

    @override
    def read(self, value: object) -> object:
        return self.check(value)

    @override
    def schema(self) -> dict[str, object]:
        return {"type": self.type_name}


class Text(Codec):
    """Any text, lone surrogates included."""

    @override
    def write(self, value: object) -> str:
        text = checked_text(value)
        return text if text.isascii() else _MEETING.sub("\ufdd0\\1", text)

    @override
    def read(self, value: object) -> str:
        text = checked_text(value)
        return text if text.isascii() else _PARTED.sub("\\1", text)

    @override
    def schema(self) -> dict[str, object]:
        return {"type": "string"}


class Choice(Codec):
    """One of a few words."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    @override
    def write(self, value: object) -> object:
        return self.read(value)

    @override
    def read(self, value: object) -> object:
        if not isinstance(value, str) or value not in self.words:
            raise unexpected("one of " + ", ".join(map(repr, self.words)), value)
        return value

    @override
    def schema(self) -> dict[str, object]:
        return {"enum": list(self.words)}


class Perhaps(Codec):
    """A value, or null for not known."""

    def __init__(self, inner: Codec) -> None:
        self.inner = inner

    @override
    def write(self, value: object) -> object:
        return None if value is None else self.inner.write(value)

    @override
    def read(self, value: object) -> object:
        return None if value is None else self.inner.read(value)

    @override
    def schema(self) -> dict[str, object]:
        inner = self.inner.schema()
        if set(inner) == {"type"}:
            return {"type": [inner["type"], "null"]}
        return {"anyOf": [inner, {"type": "null"}]}

    @override
    def parts(self) -> Iterable[Codec]:
        return (self.inner,)


class Rows(Codec):
    """A tuple of any length."""

    def __init__(self, item: Codec) -> None:
        self.item = item

    @override
    def write(self, value: object) -> list[object]:
        return _each(repeat(self.item.write), checked_tuple(value))

    @override
    def read(self, value: object) -> tuple[object, ...]:
        return tuple(_each(repeat(self.item.read), checked_list(value)))

    @override
    def schema(self) -> dict[str, object]:
        return {"type": "array", "items": self.item.schema()}

    @override
    def parts(self) -> Iterable[Codec]:
        return (self.item,)


class Cells(Codec):
    """A tuple of known length, with a form for each place."""

    def __init__(self, items: tuple[Codec, ...]) -> None:
        self.items = items

    @override
    def write(self, value: object) -> list[object]:
        cells = self._complete(checked_tuple(value))
        return _each([item.write for item in self.items], cells)

    @override
    def read(self, value: object) -> tuple[object, ...]:
        cells = self._complete(checked_list(value))
        return tuple(_each([item.read for item in self.items], cells))

    def _complete(self, cells: Sequence[object]) -> Sequence[object]:
        if len(cells) != len(self.items):
            raise Problem(f"expected {len(self.items)} values, found {len(cells)}")
        return cells

    @override
    def schema(self) -> dict[str, object]:
        return {
            "type": "array",
            "prefixItems": [item.schema() for item in self.items],
            "minItems": len(self.items),
            "maxItems": len(self.items),
        }

    @override
    def parts(self) -> Iterable[Codec]:
        return self.items


class Table(Codec):
    """A mapping from texts."""

    def __init__(self, item: Codec) -> None:
        self.item = item
        self.key = Text()

    @override
    def write(self, value: object) -> dict[str, object]:
        return self._each(self.key.write, self.item.write, value)

    @override
    def read(self, value: object) -> dict[str, object]:
        return self._each(self.key.read, self.item.read, value)

    def _each(
        self,
        key: Callable[[object], str],
        item: Callable[[object], object],
        value: object,
    ) -> dict[str, object]:
        known = checked_mapping(value)
        result: dict[str, object] = {}
        name = ""
        try:
            for name, inner in known.items():
                result[key(name)] = item(inner)
        except Problem as problem:
            problem.path.append(f"[{name!r}]")
            raise
        return result

    @override
    def schema(self) -> dict[str, object]:
        return {"type": "object", "additionalProperties": self.item.schema()}

    @override
    def parts(self) -> Iterable[Codec]:
        return (self.item,)


class Field(NamedTuple):
    """One key of a record."""

    key: str
    """In JSON, as an argument of the class, and as an attribute of instances."""

    codec: Codec
    """Of the value."""


class Record(Codec):
    """An attrs class."""

    def __init__(self, kind: type, fields_of: Callable[[], Sequence[Field]]) -> None:
        self.kind = kind
        # Not the fields themselves, as a class may hold others of its own kind.
        self.fields_of = fields_of

    @override
    def write(self, value: object) -> dict[str, object]:
        if type(value) is not self.kind:
            raise unexpected(units.one(self.kind.__name__), value)
        result: dict[str, object] = {}
        key = ""
        try:
            for key, codec in self.fields_of():
                result[key] = codec.write(getattr(value, key))
        except Problem as problem:
            problem.path.append(f".{key}")
            raise
        return result

    @override
    def read(self, value: object) -> object:
        known = checked_mapping(value)
        values = {key: entry(known, key, codec.read) for key, codec in self.fields_of()}
        return self.kind(**values)

    @override
    def schema(self) -> dict[str, object]:
        return {"$ref": f"#/$defs/{self.kind.__name__}"}

    @override
    def parts(self) -> Iterable[Codec]:
        return [field.codec for field in self.fields_of()]


def _each(
    convert: Iterable[Callable[[object], object]], values: Sequence[object]
) -> list[object]:
    result: list[object] = []
    try:
        for function, value in zip(convert, values):  # noqa: B905  # may repeat forever
            result.append(function(value))
    except Problem as problem:
        problem.path.append(f"[{len(result)}]")
        raise
    return result
