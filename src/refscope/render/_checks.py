"""What a value must be, and what is said when it is something else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, NoneType
from typing import TypeVar, cast

from refscope import _units as units
from refscope._typing import override


T = TypeVar("T")


class Problem(Exception):  # noqa: N818  # never leaves this layer
    """A value that does not fit, and the way to it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.path: list[str] = []

    @override
    def __str__(self) -> str:
        """Return where it is and what is wrong."""
        where = "".join(reversed(self.path)).lstrip(".")
        return f"{where}: {self.message}" if where else self.message


def checked_text(value: object) -> str:
    """Return the value if it is text."""
    if not isinstance(value, str):
        raise unexpected("a string", value)
    return value


def checked_integer(value: object) -> int:
    """Return the value if it is a whole number; true is none."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise unexpected("an integer", value)
    return value


def checked_number(value: object) -> float:
    """Return the value if it is a finite number; true is none."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise unexpected("a number", value)
    try:
        number = float(value)
    except OverflowError:  # of an int
        number = math.inf
    if not math.isfinite(number):
        raise unexpected("a finite number", value)
    return number


def checked_boolean(value: object) -> bool:
    """Return the value if it is true or false."""
    if not isinstance(value, bool):
        raise unexpected("true or false", value)
    return value


def checked_mapping(value: object) -> Mapping[str, object]:
    """Return the value if it is a mapping of JSON, or one of reports.

    Not any Mapping: an abstract class fills caches when asked.
    """
    if not isinstance(value, (dict, MappingProxyType)):
        raise unexpected("an object", value)
    return cast("Mapping[str, object]", value)


def checked_list(value: object) -> Sequence[object]:
    """Return the value if it is a list, which is what JSON has."""
    if not isinstance(value, list):
        raise unexpected("a list", value)
    return cast("list[object]", value)


def checked_tuple(value: object) -> Sequence[object]:
    """Return the value if it is a tuple, which is what reports have."""
    if not isinstance(value, tuple):
        raise unexpected("a tuple", value)
    return cast("tuple[object, ...]", value)


def unexpected(wanted: str, value: object) -> Problem:
    """Return the problem that something else was found."""
    return Problem(f"expected {wanted}, found {_described(value)}")


def entry(table: Mapping[str, object], key: str, read: Callable[[object], T]) -> T:
    """Return what stands under the key, once it is read."""
    try:
        if key not in table:
            raise Problem("this key is missing")  # noqa: TRY301  # gets its path below
        return read(table[key])
    except Problem as problem:
        problem.path.append(f".{key}")
        raise


def _described(value: object) -> str:
    """Return what was found; only what JSON can hold is shown with its value."""
    name = _NAMES.get(type(value))
    if name is None:
        return units.one(type(value).__name__)
    text = json.dumps(value) if type(value) in _SHOWN else ""
    return f"{name} {text if len(text) <= 40 else text[:37] + '...'}".strip()


_SHOWN = (str, int, float, bool)
_NAMES: Mapping[type, str] = {
    str: "the string",
    int: "the number",
    float: "the number",
    bool: "",
    NoneType: "null",
    list: "a list",
    dict: "an object",
}
