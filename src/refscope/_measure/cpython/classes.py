"""Facts about a class that are read past its metaclass, so that no program code runs.

``cls.__name__`` asks the metaclass first; the slots of ``type`` itself do not.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import cast
from weakref import ReferenceType


get_flags: Callable[[type], int] = type.__dict__["__flags__"].__get__
_read_mro: Callable[[type], tuple[type, ...] | None] = type.__dict__["__mro__"].__get__
get_members: Callable[[type], Mapping[str, object]] = type.__dict__["__dict__"].__get__
get_subclasses: Callable[[type], list[type]] = type.__subclasses__
_get_module: Callable[[type], object] = type.__dict__["__module__"].__get__
_get_qualname: Callable[[type], str] = type.__dict__["__qualname__"].__get__
_get_basic_size: Callable[[type], int] = type.__dict__["__basicsize__"].__get__
_get_weakref_offset: Callable[[type], int] = type.__dict__["__weakrefoffset__"].__get__
get_dict_offset: Callable[[type], int] = type.__dict__["__dictoffset__"].__get__
_get_item_size: Callable[[type], int] = type.__dict__["__itemsize__"].__get__
_get_callback: Callable[[object], object]
_get_callback = ReferenceType.__dict__["__callback__"].__get__
_get_referent: Callable[[object], object] = ReferenceType.__dict__["__call__"]

WORD = 8 if sys.maxsize > 2**32 else 4
FREE_THREADED = object.__basicsize__ == 4 * WORD  # as is a build with trace-refs

# Bits of type.__flags__ (Include/object.h, Include/internal/pycore_object.h).
_MANAGED_WEAKREF = 1 << 3  # 3.12+
_MANAGED_DICT = 1 << 4  # 3.11+
_HEAP_TYPE = 1 << 9  # such a type may die, all others stay
_HAVE_GC = 1 << 14
_DICT_SUBCLASS = 1 << 29
_TYPE_SUBCLASS = 1 << 31

_union_meta = getattr(typing, "_UnionGenericAliasMeta", None)  # 3.14+
_names: dict[int, str] = {}


MISSING = object()
"""What ``static_lookup`` finds where there is nothing."""


def get_mro(kind: type) -> tuple[type, ...]:
    """Return a class and its bases, nothing while it is being made.

    CPython makes some types ready only when an attribute is asked for first, as that
    of ``iter(memoryview(b""))`` (3.10).
    """
    bases = _read_mro(kind)
    if bases is None and not is_heap_type(kind):
        type.__getattribute__(kind, "__mro__")
        bases = _read_mro(kind)
    return bases or ()


def static_lookup(kind: type, name: str) -> object:
    """Return what a class or its bases have under a name, unbound; or MISSING."""
    for base in get_mro(kind):
        members = get_members(base)
        if name in members:
            return members[name]
    return MISSING


def has_method(thing: object, name: str) -> bool:
    """Return whether the class of a thing or one of its bases has a member."""
    return static_lookup(type(thing), name) is not MISSING


def is_class(thing: object) -> bool:
    """Return whether a thing is a class, also when its ``__class__`` lies."""
    return bool(get_flags(type(thing)) & _TYPE_SUBCLASS)


def identities(*kinds: type) -> frozenset[int]:
    """Return some classes as ``derives_from`` and ``is_one_of`` look for them."""
    return frozenset(map(id, kinds))


def derives_from(kind: type, bases: frozenset[int]) -> bool:
    """Return whether a class is one of others or derived from it, past metaclasses."""
    return not bases.isdisjoint(map(id, get_mro(kind)))


def is_one_of(thing: object, kinds: frozenset[int]) -> bool:
    """Return whether a thing is of one of these types or of one derived from it."""
    return derives_from(type(thing), kinds)


def can_be_weak(kind: type) -> bool:
    """Return whether there can be weak references to instances of a type."""
    return bool(_get_weakref_offset(kind))


def can_have_weak_slot(kind: type) -> bool:
    """Return whether a class could be written so that its instances can be weak."""
    return is_heap_type(kind) and not _get_item_size(kind)


def is_heap_type(kind: type) -> bool:
    """Return whether a class was made at run time: its instances refer to it."""
    return bool(get_flags(kind) & _HEAP_TYPE)


def is_metaclass(kind: type) -> bool:
    """Return whether the instances of a type are classes."""
    return bool(get_flags(kind) & _TYPE_SUBCLASS)


def is_standard(kind: type) -> bool:
    """Return whether a class is of a module that comes with Python."""
    package, dot, _ = type_name(kind).partition(".")
    return bool(dot) and package in sys.stdlib_module_names


MODULES = identities(ModuleType)


def class_known_by(thing: object) -> object:
    """Return the class that a base may know by a weak reference, None for others."""
    kind: type = type(thing)
    if kind is not ReferenceType or _get_callback(thing) is not None:
        return None
    referent = _get_referent(thing)
    return referent if is_class(referent) else None


def makes_classes_or_modules(kind: type) -> bool:
    """Return whether the instances of a type lead to most of a program."""
    return is_metaclass(kind) or derives_from(kind, MODULES)


def method_of(kind: type, name: str) -> Callable[[object], object]:
    """Return a method of a built-in type, to be called past what a class overrides."""
    return cast("Callable[[object], object]", get_members(kind)[name])


def is_dict(thing: object) -> bool:
    """Return whether a thing is a dictionary or of a subclass, by its type alone."""
    return bool(get_flags(type(thing)) & _DICT_SUBCLASS)


def has_managed_dict(kind: type) -> bool:
    """Return whether attributes lie in the instances, until ``__dict__`` is read."""
    return sys.version_info >= (3, 11) and bool(get_flags(kind) & _MANAGED_DICT)


def type_name(kind: type) -> str:
    """Return ``module.Qualname``, built-in types without module."""
    known = _names.get(id(kind))
    if known is not None:
        return known
    name = str.__str__(_get_qualname(kind))
    try:
        module = _get_module(kind)
    except AttributeError:  # a class that deleted it
        module = None
    if type(module) is str and module != "builtins":
        name = f"{module}.{name}"
    if not is_heap_type(kind):
        _names[id(kind)] = name
    return name


def object_size(kind: type) -> int:
    """Return the shallow size of every instance in bytes, -1 if they differ.

    What ``sys.getsizeof`` says where ``__sizeof__`` is that of ``object``.
    """
    owner = next(base for base in get_mro(kind) if "__sizeof__" in get_members(base))
    if owner is not object or _get_item_size(kind):
        return -1
    return _get_basic_size(kind) + header_size(kind)


def header_size(kind: type) -> int:
    """Return the bytes that lie before an object of this type in its memory block.

    As ``_PyType_PreHeaderSize`` (Objects/typeobject.c): the collector's two words,
    and two more where a dictionary or weak references are managed (3.11, 3.12).
    """
    flags = get_flags(kind)
    words = 2 if flags & _HAVE_GC and not FREE_THREADED else 0
    if flags & (_MANAGED_WEAKREF | _MANAGED_DICT) and sys.version_info >= (3, 11):
        words += 2
    return words * WORD


def metaclasses_are_plain() -> bool:
    """Return whether ``type`` itself hashes and compares every class there is.

    The metaclass of ``typing_extensions.Protocol`` does it with harmless code, and
    that of ``typing._UnionGenericAlias`` for one class, which has no instances.
    """
    todo = get_subclasses(type)
    while todo:
        kind = todo.pop()
        members = get_members(kind)
        is_special = "__hash__" in members or "__eq__" in members
        if is_special and not _is_harmless(kind):
            return False
        todo.extend(get_subclasses(kind))
    return True


def _is_harmless(metaclass: type) -> bool:
    if metaclass is _union_meta:
        return True
    if type_name(metaclass) != "typing_extensions._ProtocolMeta":
        return False
    extensions = sys.modules.get("typing_extensions")  # where somebody imported it
    return type(extensions) is ModuleType and metaclass is type(
        vars(extensions).get("Protocol")
    )
