"""Containers of refscope's for objects of the program, known by their type.

Whoever asks the heap for holders must not meet the list that holds the question.
"""

from __future__ import annotations

from typing import TypeVar
from weakref import ReferenceType

from . import census


T = TypeVar("T")


class Kept(list[T]):
    """A list that is no holder."""

    __slots__ = ()


class KeptById(dict[int, T]):
    """A dictionary that is no holder."""

    __slots__ = ()


class KeptWeakly(ReferenceType[T]):
    """A weak reference that is no object of the program."""

    __slots__ = ()


census.own(KeptWeakly)
census.own(Kept, KeptById, holds_ours=False)
