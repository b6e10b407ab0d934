"""How instances refer to their attributes.

Slots are read by their descriptors.  Since 3.11 the other attributes lie in the
instance itself until somebody asks for its ``__dict__``, which then stays: so names
that are likely are tried first, each with a look that runs no code of the program,
and only ``materialise`` asks for a dictionary that is not there.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import (
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    ModuleType,
)
from typing import Any, cast

from refscope._measure.cpython.classes import (
    MISSING,
    get_dict_offset,
    get_members,
    get_mro,
    has_managed_dict,
    has_method,
    is_dict,
    static_lookup,
    type_name,
)
from refscope._measure.cpython.managed import has_dict, is_dict_of, may_be_dict_of
from refscope._measure.cpython.places import codes_in

from .access import attribute_of
from .containers import dict_items
from .referents import Referents
from .spelling import attribute


_NO_SLOTS = ("__dictoffset__", "__weakrefoffset__")

get_module_dict: Callable[[object], dict[str, object]] = cast(
    "Any", get_members(ModuleType)["__dict__"]
).__get__
"""Reads the namespace of a module past its class."""


def name_slots(refs: Referents) -> None:
    """Name what the slots of all classes of an object hold."""
    for base in get_mro(refs.kind):
        if refs.is_done:
            return
        members = get_members(base)
        for name, member in list(members.items()):
            if type(member) is MemberDescriptorType and name not in _NO_SLOTS:
                _name_slot(refs, base, name, member)
        for name in compiled_names(base):
            _name_slot(refs, base, name, members.get(name))


def compiled_names(kind: type) -> list[str]:
    """Return what mypyc made slots of in a class, each read by a function of C.

    Its properties have descriptors of the same type, which run code of the program.
    """
    names = _texts(get_members(kind).get("__mypyc_attrs__"))
    return [name for name in names if name != "__dict__"]


def _name_slot(refs: Referents, base: type, name: str, member: object) -> None:
    is_hidden = static_lookup(refs.kind, name) is not member
    spelling = f"<slot {name} of {type_name(base)}>" if is_hidden else None
    refs.take_member(name, member, spelling)


def name_attributes(refs: Referents) -> None:
    """Name what is in the ``__dict__`` of an instance, or instead of one."""
    if not get_dict_offset(refs.kind):
        return
    if not has_managed_dict(refs.kind):
        _take_dict(refs, may_be_dict_of)
        return
    tried: dict[str, bool] = {}
    is_there = has_dict(refs.holder)
    if is_there:
        _take_dict(refs, is_dict_of)
    else:
        _name_inline(refs, list(refs.likely), tried)
        for names in (_names_of_class, _names_of_module, _names_of_stack):
            if refs.is_done:
                return
            _name_inline(refs, names(refs.kind), tried)
        if not refs.materialise:
            return
    _name_by_dict(refs, tried, is_there=is_there)


def _take_dict(refs: Referents, belongs: Callable[[object, object], bool]) -> None:
    for thing in refs.left():
        if is_dict(thing) and belongs(refs.holder, thing):
            refs.take(".__dict__", thing)


def _dict_descriptor(kind: type) -> object:
    """Return the descriptor of C that reads an instance's ``__dict__``."""
    for base in get_mro(kind):
        descriptor = get_members(base).get("__dict__")
        if type(descriptor) is GetSetDescriptorType:
            return descriptor
    return None


def _name_inline(refs: Referents, names: Iterable[str], tried: dict[str, bool]) -> None:
    """Try names on an instance, those where no code of the class can run.

    It is noted which of them named something.  None is tried twice: what is there under
    two names would have the first of them twice.
    """
    kind, holder = refs.kind, refs.holder
    for name in names:
        if refs.is_done:
            return
        if name in tried:
            continue
        tried[name] = False
        of_class = static_lookup(kind, name)
        if _is_harmless(of_class):
            try:
                value = object.__getattribute__(holder, name)
            except Exception:  # noqa: BLE001, S112  # unset
                continue
            if value is not of_class and refs.take(attribute(name), value):
                tried[name] = True
                refs.likely[name] = None


def _is_harmless(found: object) -> bool:
    """Return whether a class attribute would not be called by a look.

    A function is not: where an object has nothing of its own in its place, the look
    makes a bound method.
    """
    is_plain = found is MISSING or type(found) is FunctionType
    return is_plain or not has_method(found, "__get__")


def _name_by_dict(refs: Referents, tried: dict[str, bool], *, is_there: bool) -> None:
    """Name attributes by the ``__dict__``, which is made if there is none.

    One that the collector sees holds them itself.
    """
    descriptor = cast("Any", _dict_descriptor(refs.kind))
    if refs.is_done or descriptor is None:
        return
    members: object = descriptor.__get__(refs.holder)
    if refs.take(".__dict__", members) or (is_there and refs.has(members)):
        return
    items = [
        (name, value)
        for name, value in dict_items(members)
        if type(name) is not str or not tried.get(name)
    ]
    names, values = [name for name, _ in items], [value for _, value in items]
    refs.take_items(partial(attribute_of, refs.holder), names, values)


def _names_of_class(kind: type) -> Iterator[str]:
    """Yield names that the classes of an object speak of."""
    for base in get_mro(kind):
        members = get_members(base)
        yield from _texts(members.get("__static_attributes__"))  # 3.13+
        for key in ("__annotations__", "__annotations_cache__", "__dataclass_fields__"):
            yield from _texts(members.get(key))
        yield from _names_in(members)


def speaks_of(base: type, name: str) -> bool:
    """Return whether the code of a class, its bases left out, uses a name."""
    return name in _names_in(get_members(base))


def _names_of_module(kind: type) -> Iterator[str]:
    """Yield names that the modules of the classes speak of."""
    modules = cast("Mapping[str, object]", sys.modules)
    for base in get_mro(kind):
        name = get_members(base).get("__module__")
        if type(name) is str and name != "builtins":
            module = modules.get(name)
            if is_module(module):
                yield from _names_in(get_module_dict(module))


def _names_of_stack(_: type) -> list[str]:
    """Return names that the code uses that is running in this thread.

    A generator would hold the frame that holds it.
    """
    names: list[str] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        names += frame.f_code.co_names
        frame = frame.f_back
    return names


def is_module(thing: object) -> bool:
    """Return whether a thing is a module, also when its ``__class__`` lies."""
    return any(base is ModuleType for base in get_mro(type(thing)))


def _names_in(members: Mapping[str, object]) -> Iterator[str]:
    """Yield names that the code of a class or module uses."""
    for _, code in codes_in(members):
        yield from code.co_names
        yield from [name for name in code.co_consts if type(name) is str]


def _texts(names: object) -> Iterator[str]:
    if type(names) is tuple or type(names) is dict:
        for name in list(cast("Iterable[object]", names)):
            if type(name) is str:
                yield name


def name_class(refs: Referents) -> None:
    """Name the parts of a class."""
    holder = cast("type", refs.holder)
    for thing in _namespaces(holder):
        refs.take(".__dict__", thing)
    refs.take_members(type, ("__mro__", "__bases__", "__base__"))
    for thing in refs.left():
        if is_module(thing):
            refs.take("<module>", thing)


def _namespaces(holder: type) -> list[object]:
    """Return the dictionary that the proxy of a class stands for."""
    return gc.get_referents(get_members(holder))


def name_module(refs: Referents) -> None:
    """Name the namespace of a module, and what its C code keeps."""
    refs.take_members(ModuleType, ("__dict__",))
    refs.take_all("<module state>")
