"""Whether reading an attribute or item leads to what was found: code may be between.

A name is spelled as Python where that Python leads there.  A class can have a property
of the name of an attribute, and what is in a class can make something else of itself.
"""

from __future__ import annotations

import functools
from types import (
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import cast

from refscope._measure.cpython.classes import (
    get_mro,
    has_method,
    is_class,
    static_lookup,
)

from .containers import CACHE, FIELD
from .spelling import attribute, collapsed, subscript


_AS_THEY_ARE = frozenset(
    map(
        id,
        (
            *(FunctionType, property, functools.cached_property, functools.partial),
            *(GetSetDescriptorType, MemberDescriptorType),
            *(MethodDescriptorType, WrapperDescriptorType),
            *(CACHE, FIELD),
        ),
    )
)
"""Types of what a class gives as it is, though it has a ``__get__``."""
_OF_NAMESPACE = {
    *("__abstractmethods__", "__annotations__", "__doc__", "__module__"),
    "__type_params__",
}
"""What classes and modules read in their own namespace, by descriptors of C."""
_IN_C = frozenset(map(id, (MethodDescriptorType, WrapperDescriptorType)))


def attribute_of(owner: object, name: object) -> str:
    """Return ``.name``; by way of ``__dict__`` where that leads elsewhere."""
    if type(name) is str and _is_hidden(owner, name):
        return f".__dict__{subscript(name)}"
    return attribute(name)


def collapsed_in(owner: object, first: str, second: str) -> str | None:
    """Return the name for a step to a ``__dict__`` and one into it, as ``collapsed``.

    By way of ``__dict__`` where the attribute of the owner leads elsewhere.
    """
    name = collapsed(first, second)
    if name is None or name.startswith(".__dict__") or not _is_hidden(owner, name[1:]):
        return name
    return first + second


def reads_items(holder: object) -> bool:
    """Return whether ``holder[key]`` runs no code of the program."""
    found = static_lookup(type(holder), "__getitem__")
    return id(type(found)) in _IN_C


def _is_hidden(owner: object, name: str) -> bool:
    """Return whether an attribute in a namespace is not what reading it gives."""
    of_class = static_lookup(type(owner), name)
    if has_method(of_class, "__set__") or has_method(of_class, "__delete__"):
        return not (name in _OF_NAMESPACE and _has_namespace(owner))
    if not is_class(owner):
        return False
    value = static_lookup(cast("type", owner), name)
    return has_method(value, "__get__") and id(type(value)) not in _AS_THEY_ARE


def _has_namespace(owner: object) -> bool:
    return is_class(owner) or ModuleType in get_mro(type(owner))
