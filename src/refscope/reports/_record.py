"""Equality, hash and text of every record, written once.

attrs would compile these for each class: three quarters of the time that importing
refscope takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from refscope._typing import override


if TYPE_CHECKING:
    import attrs


R = TypeVar("R", bound="Record")


class Record:
    """Base of the frozen attrs classes: equal by value and type, hashable."""

    __slots__ = ()

    if TYPE_CHECKING:
        __attrs_attrs__: tuple[attrs.Attribute[object], ...]

    @override
    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(
            getattr(self, field.name) == getattr(other, field.name)
            for field in self.__attrs_attrs__
        )

    @override
    def __hash__(self) -> int:
        values = [getattr(self, field.name) for field in self.__attrs_attrs__]
        return hash((type(self).__name__, *values))

    @override
    def __repr__(self) -> str:
        values = ", ".join(
            f"{field.alias}={getattr(self, field.name)!r}"
            for field in self.__attrs_attrs__
        )
        return f"{type(self).__name__}({values})"


def changed(record: R, **changes: object) -> R:
    """Return the record with other values, as ``attrs.evolve``.

    That one's memory is on its own lines: inside a block it would be the program's.
    """
    values: dict[str, object] = {}
    for field in record.__attrs_attrs__:
        values[field.alias or field.name] = getattr(record, field.name)
    values.update(changes)
    return type(record)(**values)
