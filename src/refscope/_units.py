"""How numbers are written: bytes, counts, seconds.  Pure functions to text."""

from __future__ import annotations


_BINARY = ("KiB", "MiB", "GiB", "TiB", "PiB")
_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def size(number: int, *, sign: bool = False) -> str:
    """Return a number of bytes for people: ``1,023 B``, ``1.0 KiB``, ``-3.4 MiB``."""
    prefix = "+" if sign and number > 0 else "-" if number < 0 else ""
    amount = abs(number)
    if amount < 1024:
        return f"{prefix}{amount:,} B"
    value, unit = float(amount), ""
    for unit in _BINARY:  # noqa: B007  # the last one is used below
        value /= 1024
        if round(value, 1) < 1024:
            break
    return f"{prefix}{value:,.1f} {unit}"


def count(number: int, *, sign: bool = False) -> str:
    """Return a number of things with thousands set apart: ``+2,001``."""
    return f"{number:+,}" if sign and number else f"{number:,}"


def seconds(number: float) -> str:
    """Return a time with the unit that fits: ``41 ms``, ``1.3 s``, ``0 s``."""
    for scale, unit in _TIMES:
        if number >= scale:
            value = number / scale
            return f"{value:.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return "0 s" if number == 0 else "<1 us"


def plural(number: int, noun: str) -> str:
    """Return the number with its noun: ``1 block``, ``2 blocks``, ``0 blocks``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
