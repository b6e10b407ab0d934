"""How built-in containers refer to what is in them.

Contents are read by the methods of the built-in type itself: a subclass may have
overridden them.
"""

from __future__ import annotations

import builtins
import functools
import gc
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from itertools import pairwise
from types import WrapperDescriptorType
from typing import NamedTuple, TypeVar, cast

from refscope._measure.cpython.classes import (
    get_members,
    get_mro,
    is_dict,
    method_of,
    static_lookup,
    type_name,
)
from refscope._measure.cpython.listed import items_of

from .referents import Referents
from .spelling import attribute, element, place, subscript


T = TypeVar("T")


Items = Iterable[object]
Pairs = Iterable[tuple[object, object]]

FROZEN_DICT: type = getattr(builtins, "frozendict", dict)
"""The type of 3.15; ``dict`` before."""

CACHE = type(functools.lru_cache(lambda: None))
"""The type of a function with a cache."""

_dict_items = cast("Callable[[object], Pairs]", method_of(dict, "items"))
_frozen_dict_items = cast("Callable[[object], Pairs]", method_of(FROZEN_DICT, "items"))
_dict_keys = cast("Callable[[object], Items]", method_of(dict, "keys"))
_list_size = cast("Callable[[object], int]", method_of(list, "__len__"))
_tuple_size = cast("Callable[[object], int]", method_of(tuple, "__len__"))
_deque_iter = cast("Callable[[object], Items]", method_of(deque, "__iter__"))
_set_iter = cast("Callable[[object], Items]", method_of(set, "__iter__"))
_frozen_set_iter = cast("Callable[[object], Items]", method_of(frozenset, "__iter__"))

_ATTEMPTS = 3


class _Sample(NamedTuple):
    field: int


ELEMENT = "xml.etree.ElementTree.Element"
FIELD = type(get_members(_Sample)["field"])
"""The type of what reads a field of a named tuple."""


def snapshot(read: Callable[[object], Iterable[T]], holder: object) -> list[T]:
    """Return the items of a container that another thread may be changing."""
    for _ in range(_ATTEMPTS):
        try:
            return list(read(holder))
        except RuntimeError:  # noqa: PERF203  # changed size during iteration
            continue
    return []


def dict_items(holder: object) -> list[tuple[object, object]]:
    """Return keys and values of a dictionary, past whatever its class overrides."""
    return snapshot(_dict_items, holder)


def dict_keys(holder: object) -> list[object]:
    """Return the keys of a dictionary, past whatever its class overrides."""
    return snapshot(_dict_keys, holder)


def name_dict(refs: Referents) -> None:
    """Name values by their keys, then keys."""
    _name_pairs(refs, dict_items(refs.holder))


def name_frozen_dict(refs: Referents) -> None:
    """Name values and keys of the frozendict of 3.15, which is no dict."""
    _name_pairs(refs, snapshot(_frozen_dict_items, refs.holder))


def _name_pairs(refs: Referents, pairs: list[tuple[object, object]]) -> None:
    keys = [key for key, _ in pairs]
    refs.take_items(subscript, keys, [value for _, value in pairs])
    refs.take_items(element, keys, keys)


def name_default_dict(refs: Referents) -> None:
    """Name the function that makes what is missing."""
    refs.take_members(defaultdict, ("default_factory",))


def name_list(refs: Referents) -> None:
    """Name items by their place."""
    items = items_of(refs.holder, _list_size(refs.holder))
    refs.take_items(place, range(len(items)), items)


def name_tuple(refs: Referents) -> None:
    """Name items by their place, or by the field of a named tuple."""
    items = items_of(refs.holder, _tuple_size(refs.holder))
    fields = _fields_of(refs.kind)
    if len(fields) == len(items):
        refs.take_items(attribute, fields, items)
    else:
        refs.take_items(place, range(len(items)), items)


def _fields_of(kind: type) -> tuple[str, ...]:
    """Return the fields of a named tuple; nothing for other tuples."""
    for base in get_mro(kind):
        fields = get_members(base).get("_fields")
        if type(fields) is tuple:
            texts = cast("tuple[object, ...]", fields)
            if all(_is_field(kind, text) for text in texts):
                return cast("tuple[str, ...]", texts)
    return ()


def _is_field(kind: type, name: object) -> bool:
    """Return whether a class reads a name as ``namedtuple`` does."""
    return type(name) is str and type(static_lookup(kind, name)) is FIELD


def name_element(refs: Referents) -> None:
    """Name the children of an XML element; its attributes are not asked for.

    Asking makes a dictionary where there is none (``Modules/_elementtree.c``): what is
    left when all else has its name must be it.
    """
    base = next(b for b in get_mro(refs.kind) if type_name(b) == ELEMENT)
    children = get_members(base)["__getitem__"]
    if type(children) is not WrapperDescriptorType:  # written in Python
        return
    items: list[object] = children(refs.holder, slice(None))
    refs.take_items(place, range(len(items)), items)


def name_deque(refs: Referents) -> None:
    """Name items by their place."""
    items = snapshot(_deque_iter, refs.holder)
    refs.take_items(place, range(len(items)), items)


def name_set(refs: Referents) -> None:
    """Name elements by themselves."""
    items = snapshot(_set_iter, refs.holder)
    refs.take_items(element, items, items)


def name_frozen_set(refs: Referents) -> None:
    """Name elements by themselves."""
    items = snapshot(_frozen_set_iter, refs.holder)
    refs.take_items(element, items, items)


def _cache_dict(cache: object) -> object:
    """Return the ``__dict__`` of a cache, which it has from ``update_wrapper``."""
    return cast("object", object.__getattribute__(cache, "__dict__"))


def name_cache(refs: Referents) -> None:
    """Name what ``functools.lru_cache`` keeps.

    Of a bounded cache the collector sees keys and results by turns, in the order of
    their use (lru_cache_tp_traverse, Modules/_functoolsmodule.c).
    """
    everything = gc.get_referents(refs.holder)
    cache = next(filter(is_dict, everything), None)  # ``__dict__`` comes later
    refs.take("<cache>", cache)
    keys = set(map(id, [] if cache is None else dict_keys(cache)))
    for thing, result in pairwise(everything):
        if id(thing) in keys:
            refs.take(f"<cached result for {element(thing)[1:-1]}>", result)
            refs.take(f"<cached key {element(thing)[1:-1]}>", thing)
    own = _cache_dict(refs.holder)
    for cache in filter(is_dict, everything):
        if cache is not own:
            refs.take("<cache>", cache)


def name_context_node(refs: Referents) -> None:
    """Name values of context variables in a node of the tree of a context.

    The collector sees them in pairs (Python/hamt.c): the value, then its variable.
    """
    everything = gc.get_referents(refs.holder)
    for value, variable in pairwise(everything):
        if type(variable) is ContextVar:
            name = cast("ContextVar[object]", variable).name
            refs.take(f"<context variable {name}>", value)
            refs.take("<context variable>", cast("object", variable))
