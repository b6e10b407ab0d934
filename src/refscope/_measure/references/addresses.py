"""Addresses turned into objects, by proof.

Nothing is ever read at an address.  Objects that can be reached are compared with it,
by ``id()``: what is found is alive, and is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import indexOf, not_
from types import FrameType
from typing import cast

from refscope._measure.budget import Budget
from refscope._measure.cpython.classes import WORD
from refscope._measure.cpython.frames import own_frames, running_frames
from refscope._measure.cpython.listed import finished, listed
from refscope.exceptions import AddressError, ArgumentTypeError

from .hidden import behind, frame_values


_STAGE = "comparing addresses"
_WAY_OUT = (
    "it may be gone, be refscope's own, or be held from C alone; "
    "take addresses from id() or hex_address() of objects that are still held"
)


def parsed(address: object) -> int:
    """Return an address given as a number or as hexadecimal text.

    Raises:
        ArgumentTypeError: It is neither.
        AddressError: It can be no address.
    """
    if type(address) is int:
        number = address
    elif type(address) is str:
        number = _from_text(address)
    else:
        raise ArgumentTypeError(
            "object_at takes an address as int or hexadecimal text, not "
            f"{type(address).__name__}"
        )
    if number <= 0 or number.bit_length() > 64:
        raise AddressError(
            f"{shown(number)} is no address: those are 1 to 64 bits long"
        )
    if number % WORD:
        raise AddressError(
            f"{number:#x} is no address of an object: those are multiples of {WORD}"
        )
    return number


def _from_text(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise AddressError(
            f"{text[:40]!r} is no address: write it as in '0x7ff3c002ea90'"
        ) from None


def shown(number: int) -> str:
    """Return a number as an address, if it is not too long to be one."""
    return f"{number:#x}" if number.bit_length() <= 128 else "a number of many digits"


def find(address: int, caller: FrameType | None, budget: Budget) -> list[object]:
    """Return a list of the object at an address.

    What this call makes can be where something else was, and is left out with all
    that it alone holds.

    Raises:
        AddressError: There is none that can be reached.
    """
    objects = listed()
    frames = running_frames(caller)
    try:
        ours = {id(budget), id(objects), id(frames), *map(id, own_frames(caller))}
        if address not in ours and (found := _among(objects, address)):
            return found
        are_others = map(not_, map(ours.__contains__, map(id, objects)))
        objects[:] = list(compress(objects, are_others))
        return _find_behind(address, objects, frames, budget)
    finally:
        objects.clear()  # our own frames are in it (3.10): it would hold itself


def _find_behind(
    address: int, objects: list[object], frames: list[FrameType], budget: Budget
) -> list[object]:
    """Look among variables, and at what everything refers to."""
    if budget.spend(len(objects), _STAGE):
        values = frame_values(frames)
        if found := _among(values, address):
            return found
        for chunk in behind(objects, values, budget):
            if found := _among(chunk.referents, address):
                return found
    raise AddressError(
        f"no live object is known at {address:#x}: {_WAY_OUT} "
        f"({_searched(len(objects), len(frames), budget)})"
    )


def _among(things: list[object], address: int) -> list[object]:
    try:
        position = indexOf(map(id, things), address)
    except ValueError:
        return []
    found = things[position]
    kind = type(found)  # compared by identity: a metaclass may have a hash of its own
    is_sequence = kind is tuple or kind is list
    if is_sequence and not finished([cast("Sequence[object]", found)]):
        return []  # C is still building it: whoever reads it crashes
    return [found]


def _searched(objects: int, frames: int, budget: Budget) -> str:
    what = f"searched: {objects:,} tracked objects, variables of {frames:,} frames"
    if budget.is_spent:
        return f"{what}; {budget.why}"
    return f"{what}, and whatever these refer to"
