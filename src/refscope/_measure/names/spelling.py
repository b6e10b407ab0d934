"""How references are spelled: the text of names, without asking a key for its own."""

from __future__ import annotations

from keyword import iskeyword
from types import EllipsisType, NoneType
from typing import cast


LONGEST = 60
"""Characters of a key that are shown."""

_MOST_BITS = 196  # 59 digits; a long int takes long to write, or is refused
_MOST_ITEMS = 4
_CONSTANTS = {id(kind) for kind in (bool, NoneType, EllipsisType)}


def spelled(key: object) -> str | None:
    """Return the ``repr`` of a key of an exact built-in type; None for all others.

    Longer texts are cut, with dots behind the quote: that is no Python any more.
    """
    kind = type(key)
    if kind is str or kind is bytes:
        return _cut(cast("str", key))
    if kind is int:
        number = cast("int", key)
        return repr(number) if number.bit_length() <= _MOST_BITS else None
    if kind is tuple:
        return _spelled_items(cast("tuple[object, ...]", key))
    if kind is float:
        return _spelled_float(cast("float", key))
    if kind is complex:
        return repr(key) if _is_finite(cast("complex", key)) else None
    return repr(key) if id(kind) in _CONSTANTS else None


def subscript(key: object) -> str:
    """Return ``['key']``, or ``[...]`` where the key cannot be shown."""
    text = spelled(key)
    return "[...]" if text is None else f"[{text}]"


def element(key: object) -> str:
    """Return ``{'key'}``, or ``{...}`` where the key cannot be shown."""
    text = spelled(key)
    return "{...}" if text is None else f"{{{text}}}"


def place(index: object) -> str:
    """Return ``[3]``."""
    return f"[{index}]"


def attribute(name: object) -> str:
    """Return ``.name``; by way of ``__dict__`` where that is no Python."""
    if type(name) is str and is_plain(name):
        return f".{name}"
    return f".__dict__{subscript(name)}"


def is_plain(name: str) -> bool:
    """Return whether a name can stand behind a dot."""
    is_name = name.isidentifier() and not iskeyword(name) and len(name) <= LONGEST
    return is_name and (name.isascii() or _is_normal(name))


def _is_normal(name: str) -> bool:
    """Return whether Python reads a name as it is: in code it is normalised."""
    from unicodedata import normalize  # noqa: PLC0415  # a large table, for few names

    return normalize("NFKC", name) == name


def collapsed(first: str | None, second: str | None) -> str | None:
    """Return the one name for a step to a ``__dict__`` and one into it.

    None where the two do not belong together.

    >>> collapsed(".__dict__", "['cart']"), collapsed(".__dict__", "['a b']")
    ('.cart', ".__dict__['a b']")
    """
    if first != ".__dict__" or second is None or second[:1] != "[":
        return None
    key = second[2:-2]
    if second == f"['{key}']" and is_plain(key):
        return f".{key}"
    return first + second


def _cut(text: str) -> str:
    whole = repr(text[:LONGEST])
    if len(text) <= LONGEST and len(whole) <= LONGEST:
        return whole
    size = LONGEST
    while len(whole) > LONGEST - 3:  # what is escaped takes more room than it shows
        size -= max(1, (len(whole) - LONGEST + 3) // 4)
        whole = repr(text[:size])
    return f"{whole}..."


def _spelled_float(number: float) -> str | None:
    """Return a number, none for the one that equals no other."""
    if _is_finite(number):
        return repr(number)
    return f"float('{number!r}')" if number == number else None  # noqa: PLR0124


def _is_finite(number: complex) -> bool:
    return number - number == 0


def _spelled_items(items: tuple[object, ...]) -> str | None:
    if len(items) > _MOST_ITEMS:
        return None
    texts = [spelled(item) for item in items if type(item) is not tuple]
    if len(texts) < len(items):
        return None
    text = ", ".join([part for part in texts if part is not None])
    if None in texts or len(text) > LONGEST - 3:
        return None
    return f"({text},)" if len(items) == 1 else f"({text})"
