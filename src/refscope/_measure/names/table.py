"""How an object refers to another: one table from type to rule.

``edges`` gives a name to each reference that the collector sees, in the spelling of
Python where Python has one.  No code of the program runs: types are those of
``type()``, attributes are read by the descriptors of C, containers by the methods of
their built-in type.
"""

from __future__ import annotations

import itertools
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from refscope._measure.cpython.classes import get_mro, type_name

from . import attributes, code, containers
from .parts import PARTS, PARTS_BY_NAME, REST, REST_BY_NAME, REST_BY_TYPE, UNDERLYING
from .referents import Edge, Referents, Wanted, positions
from .spelling import collapsed, place


Rule = Callable[[Referents], None]

__all__ = ["Edge", "collapsed", "edges", "names_of"]


def edges(
    holder: object, *, materialise: bool = False, likely: dict[str, None] | None = None
) -> list[Edge]:
    """Return name and target of each reference that the collector sees from a holder.

    With multiplicity; the name is None where it cannot be told.

    Args:
        holder: Any object.
        materialise: Make the ``__dict__`` of an instance or the frame object of a
            generator if there is no other way to a name.  They stay.
        likely: Names of attributes that others of its type had; more are added.
    """
    return _named(Referents(holder, materialise=materialise, likely=likely))


def names_of(
    holder: object, target: object, *, materialise: bool = False
) -> list[str | None]:
    """Return how a holder refers to one target, one name for each reference."""
    wanted = Wanted(target)
    if id(type(holder)) in _PLAIN_SEQUENCES:
        items = cast("Sequence[object]", holder)
        return [*map(place, positions(items, wanted))]
    refs = Referents(holder, wanted, materialise=materialise)
    return [name for name, _ in _named(refs)]


def _named(refs: Referents) -> list[Edge]:
    if refs.kind is not type(refs.holder):  # pragma: no cover  # changed under us
        return []
    bases = get_mro(refs.kind)
    refs.take(".__class__", refs.kind)
    for base in bases:
        if refs.is_done:
            return refs.named
        rule = _RULES.get(id(base)) or _RULES_BY_NAME.get(type_name(base))
        if rule is not None:
            rule(refs)
        _name_parts(refs, base)
    attributes.name_slots(refs)
    attributes.name_attributes(refs)
    _name_rest(refs, bases)
    refs.take_all(None)
    return refs.named


def _name_parts(refs: Referents, base: type) -> None:
    parts = _PARTS.get(id(base)) or PARTS_BY_NAME.get(type_name(base))
    if parts:
        refs.take_members(base, parts)


def _name_rest(refs: Referents, bases: tuple[type, ...]) -> None:
    for base in bases:
        name = _REST.get(id(base)) or REST_BY_NAME.get(type_name(base))
        if name is not None:
            for kind, better in REST_BY_TYPE.get(name, ()):
                refs.take_kind(better, kind)
            refs.take_all(name)
            return


def _underlying_types() -> list[type]:
    """Return the types of iterators and views."""
    table = OrderedDict[int, int]()
    plain = dict(table)
    samples: list[object] = [
        *(iter([]), iter(()), iter(plain), iter({0}), iter(""), iter("\xe9")),
        *(iter(b""), iter(bytearray()), iter(range(0)), iter(table)),
        *(iter(deque[int]()), reversed(deque[int]())),
        *(plain.keys(), plain.values(), plain.items()),
        *(iter(plain.values()), iter(plain.items())),
        *(table.keys(), table.values(), table.items()),
        *(reversed([]), reversed(()), reversed(plain), reversed(table)),
        *(reversed(plain.values()), reversed(plain.items())),
        iter(int, 0),
    ]
    kinds = [kind for kind in vars(itertools).values() if type(kind) is type]
    return [*map(type, samples), enumerate, zip, map, filter, *kinds]


_RULES: Mapping[int, Rule] = {
    id(dict): containers.name_dict,
    id(defaultdict): containers.name_default_dict,
    id(list): containers.name_list,
    id(tuple): containers.name_tuple,
    id(deque): containers.name_deque,
    id(set): containers.name_set,
    id(frozenset): containers.name_frozen_set,
    id(containers.FROZEN_DICT): containers.name_frozen_dict,
    id(containers.CACHE): containers.name_cache,
    id(types.FunctionType): code.name_function,
    id(types.CellType): code.name_cell,
    id(types.FrameType): code.name_frame,
    id(types.GeneratorType): code.name_suspended,
    id(types.CoroutineType): code.name_suspended,
    id(types.AsyncGeneratorType): code.name_suspended,
    id(type): attributes.name_class,
    id(types.ModuleType): attributes.name_module,
}
_RULES_BY_NAME: Mapping[str, Rule] = {
    containers.ELEMENT: containers.name_element,
    "typing.ParamSpec": code.name_type_variable,
    "typing.TypeVar": code.name_type_variable,
    "typing.TypeVarTuple": code.name_type_variable,
    "hamt_bitmap_node": containers.name_context_node,
    "hamt_collision_node": containers.name_context_node,
}
# Identities, because a metaclass may have a hash of its own; these types never die.
_PLAIN_SEQUENCES = {id(list), id(tuple)}
_UNDERLYING_TYPES = _underlying_types()
_PARTS = {id(kind): parts for kind, parts in PARTS.items()}
_REST = {
    **{id(kind): UNDERLYING for kind in _UNDERLYING_TYPES},
    **{id(kind): name for kind, name in REST.items()},
}
