"""How numbers are written: bytes, counts, seconds.  Pure functions to text."""

from __future__ import annotations


_BINARY = ("KiB", "MiB", "GiB", "TiB", "PiB")
_NO_FLOAT = 2**1000  # nearly: they end at 2**1024
_VOWELS = frozenset("aeioAEIO")
_TIMES = ((1e-6, "us"), (1e-3, "ms"), (1.0, "s"))


def size(number: int, *, sign: bool = False) -> str:
    """Return a number of bytes for people: ``1,023 B``, ``1.0 KiB``, ``-3.4 MiB``."""
    prefix = "+" if sign and number > 0 else "-" if number < 0 else ""
    amount = abs(number)
    if amount < 1024:
        return f"{prefix}{amount:,} B"
    if amount >= _NO_FLOAT:
        return f"{prefix}2**{amount.bit_length() - 1} B"
    value, unit = float(amount), ""
    for unit in _BINARY:  # noqa: B007  # the last one is used below
        value /= 1024
        if round(value, 1) < 1024:
            break
    return f"{prefix}{value:,.1f} {unit}"


def average_size(number: float) -> str:
    """Return bytes per call: ``+1.1 KiB``; ``+0.48 B`` where they are rare."""
    if 0 < abs(number) < 1:
        return f"{number:+.2g} B"
    return size(round(number), sign=True)


def count(number: int, *, sign: bool = False) -> str:
    """Return a number of things with thousands set apart: ``+2,001``."""
    return f"{number:+,}" if sign and number else f"{number:,}"


def seconds(number: float) -> str:
    """Return a time with the unit that fits: ``41 ms``, ``1.3 s``, ``0 s``."""
    if number - number != 0:  # infinite, or no number; not worth a module
        return f"{number} s"
    if abs(number) < 1e-6:
        return "<1 us" if number else "0 s"
    value, unit = number, ""
    for scale, unit in _TIMES:  # noqa: B007  # the last one is used below
        value = number / scale
        if abs(value) < 999.5:  # that would be rounded to 1,000
            break
    digits = 1 if abs(value) < 9.95 else 0
    return f"{value:,.{digits}f} {unit}"


def one(name: str) -> str:
    """Return a name of a type with its article: ``an int``, ``a TrackReport``.

    Most names with a u in front are spoken as "you": a user, a uuid.
    """
    return f"{'an' if name[:1] in _VOWELS else 'a'} {name}"


def plural(number: int, noun: str) -> str:
    """Return the number with its noun: ``1 block``, ``2 blocks``, ``0 blocks``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
