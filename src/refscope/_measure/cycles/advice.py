"""What to change in the program, told by how a loop is made."""

from __future__ import annotations

import functools
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CellType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import cast

from refscope._measure.algorithms.feedback import Edge
from refscope._measure.cpython.classes import (
    can_be_weak,
    can_have_weak_slot,
    get_mro,
    identities,
    is_class,
    is_one_of,
    is_standard,
    type_name,
)
from refscope._measure.cpython.frames import place_in
from refscope._measure.names.attributes import speaks_of
from refscope._measure.names.code import CONTENTS
from refscope._measure.names.describe import detail_of
from refscope._measure.names.parts import REST_BY_NAME

from .costs import OWN_OBJECT, is_back_pointer, is_kept_by_property
from .errors import on_exception
from .phrases import (
    Loop,
    forgetting,
    function_of,
    has_variable,
    is_nameless,
    is_variable,
    kept_by,
    statement_on,
    variable,
    variable_of_cell,
)


def advice_on(loop: Loop) -> str:
    """Return a sentence: what the first idiom says that knows the loop."""
    for idiom in _IDIOMS:
        sentence = idiom(loop)
        if sentence:
            return sentence
    return _attribute(loop)


def _task(loop: Loop) -> str:
    """A task and what it waits for know each other, until one of the two is done."""
    if all(loop.name(edge) != _WAITS for edge in loop.edges):
        return ""
    return (
        "a task still waits for what only it leads to: cancel() and await it before "
        "its loop is closed"
    )


def _cache(loop: Loop) -> str:
    """A cache keeps what it was called with, mostly the ``self`` of a method."""
    edge = loop.find(_CACHE)
    if edge is None:
        return ""
    before = loop.into(edge)
    if loop.find(MethodType) is None and not is_class(loop.holder(before)):
        return (
            f"the functools.lru_cache in {loop.spelled(before)} keeps what it is kept "
            "by: cache by a key that does not lead to it, or use cache_clear()"
        )
    return (
        "functools.lru_cache keeps self: use functools.cached_property, or cache a "
        "function that is not given self"
    )


def _alias(loop: Loop) -> str:
    """What a type alias stands for is told by a function, which has it by a cell."""
    if all(loop.wiring.types[edge[0]] != _TYPE_ALIAS for edge in loop.edges):
        return ""
    return (
        "a type alias that speaks of itself is freed by gc only: make it once, in the "
        "module, and not in a function that is called often"
    )


def _partial(loop: Loop) -> str:
    edge = loop.find(functools.partial)
    if edge is None:
        return ""
    keeper = loop.keeper(edge)
    return (
        f"the functools.partial in {keeper} keeps what it is kept by: give it a "
        "weakref.ref or weakref.proxy, or make it when it is called"
    )


def _bound_method(loop: Loop) -> str:
    edge = loop.find(MethodType)
    if edge is None:
        return ""
    before = loop.into(edge)
    keeper = loop.keeper(edge)
    method = detail_of(loop.holder(edge))
    bound = f"the bound method {method}" if method else "a bound method"
    if loop.name(before) == ".__callback__":
        return (
            f"{loop.keeper(before)} is a weak reference whose callback is {bound}, "
            "which keeps its object: let the callback be a function that has the "
            "object by another weakref.ref"
        )
    kept = f"{keeper} keeps {bound}, which keeps its object: "
    if _is_called_by_others(loop, loop.keeping(edge), edge):
        kept += "give it a function that has the object by a weakref.ref"
    else:
        kept += "keep weakref.WeakMethod(...), or look the method up when it is called"
    return kept + _or_clear(loop, loop.way(loop.keeping(edge), edge))


def _is_called_by_others(loop: Loop, keeping: Edge, edge: Edge) -> bool:
    """Return whether not the package of the object calls what has been kept.

    Others would call a ``WeakMethod``, and get the method and not its result.
    """
    name, keeper = loop.name(keeping), type(loop.holder(keeping))
    owners = (base for base in reversed(get_mro(keeper)) if speaks_of(base, name[1:]))
    owner = next(owners, keeper)
    package, dot, _ = type_name(owner).partition(".")
    is_other = bool(dot) and package != loop.wiring.types[edge[1]].partition(".")[0]
    return is_other or is_standard(owner) or is_nameless(name)


def _or_clear(loop: Loop, told: Sequence[Edge]) -> str:
    """Return what else can be done: to clear what is marked, if it was not told of."""
    edge, name = loop.cut, loop.name(loop.cut)
    is_attribute = name[:1] == "." and name[-2:] != "__"
    if edge in told or edge not in loop.edges or not is_attribute:
        return ""
    if is_back_pointer(name) and can_be_weak(type(loop.target(edge))):
        return f", or make {kept_by(loop, edge)} a weakref.ref"
    statement = forgetting(loop, edge)
    return f", or clear {kept_by(loop, edge)} with `finally: {statement}`"


def _suspended(loop: Loop) -> str:
    edge = loop.find(GeneratorType, CoroutineType, AsyncGeneratorType)
    if edge is None:
        return ""
    kind = loop.wiring.types[edge[0]].replace("_", " ")
    function = detail_of(loop.holder(edge))
    close = "aclose()" if kind == "async generator" else "close()"
    if not _can_be_deleted(loop, edge):
        return f"the suspended {kind} {function} is kept by what it keeps: {close} it"
    name = variable(loop.name(edge))
    return (
        f"the suspended {kind} {function} is kept by its own variable {name!r}: "
        f"`del {name}` before it waits, or {close} it"
    )


def _can_be_deleted(loop: Loop, edge: Edge) -> bool:
    """Return whether a suspended function may do without one of its variables.

    A method mostly needs its ``self`` when it goes on; what is in a cell is another
    function's too, and an expression has no place to delete anything.
    """
    name = loop.name(edge)
    is_own = name[:7] == "<local " and name[:12] != OWN_OBJECT
    function = detail_of(loop.holder(edge)) or ""
    return is_own and has_variable(name) and function[-9:] != "<genexpr>"


def _closure(loop: Loop) -> str:
    edge = loop.find(CellType)
    if edge is None:
        return ""
    into = loop.into(edge)
    name = variable(loop.name(into))
    if loop.name(into) == _OF_NAMESPACE:
        return _made_again(loop)
    if loop.find(FunctionType) is None:
        return ""
    closure = loop.into(into)
    has_class = any(is_class(loop.holder(each)) for each in loop.edges)
    if has_class or name == "__classdict__":  # where annotations look for names (3.14)
        return _made_again(loop)
    if loop.name(closure) != ".__closure__":
        return ""
    return _function(loop, edge, name)


def _function(loop: Loop, edge: Edge, name: str) -> str:
    """A function keeps a variable."""
    into = loop.into(edge)
    closure = loop.into(into)
    keeper, kept = loop.holder(closure), loop.target(edge)
    function = _written_as(keeper)
    if kept is keeper:
        return (
            f"the inner function {function} refers to itself by its variable {name!r}: "
            f"move it to the module, or clear it with `finally: {name} = None`"
        )
    if type(kept) is FunctionType and _are_closures(loop):
        return (
            f"the inner functions {function} and {_written_as(kept)} refer to each "
            "other by their variables: move them to the module, or clear one with "
            f"`finally: {name} = None`"
        )
    other = _or_clear(loop, [closure, into, edge])
    return (
        f"the function {function} keeps its variable {name!r}, which leads back to it: "
        f"pass {name} as an argument, {'' if other else 'or '}let it use a "
        f"weakref.ref{other}"
    )


def _written_as(function: object) -> str | None:
    """Return the name of a function, where it took another one's that of its code."""
    name = detail_of(function) or ""
    code = cast("FunctionType", function).__code__
    is_own = name.rpartition(".")[2] == code.co_name
    return name if is_own else place_in(code)


def _are_closures(loop: Loop) -> bool:
    """Return whether there is nothing on a loop but functions and their variables."""
    return all(
        loop.name(edge) in {".__closure__", CONTENTS} or has_variable(loop.name(edge))
        for edge in loop.edges
    )


def _class(loop: Loop) -> str:
    if not all(_is_part_of_class(loop, edge) for edge in loop.edges):
        return ""
    return _made_again(loop)


def _made_again(loop: Loop) -> str:
    """Only making it once helps; its name may be told by a function in it."""
    holders = [loop.holder(edge) for edge in loop.edges]
    name = next((detail_of(each) for each in holders if is_class(each)), None)
    if name is None:
        # A method, and the functions in it that know its annotations.
        inside = [
            detail_of(each) or "" for each in holders if type(each) is FunctionType
        ]
        name = min(inside, key=len, default="").rpartition(".")[0]
    made = f"the class {name}" if name else "it"
    return (
        f"a class always refers to itself, only gc frees it: make {made} "
        "once, in the module, and not in a function that is called often"
    )


def _is_part_of_class(loop: Loop, edge: Edge) -> bool:
    return any(map(is_class, (loop.holder(edge), loop.target(edge))))


def _connection(loop: Loop) -> str:
    """An open connection keeps a cache of statements, and that the connection."""
    if all(loop.name(edge) != _OF_CONNECTION for edge in loop.edges):
        return ""
    return "an sqlite3.Connection refers to itself until it is closed: close() it"


def _document(loop: Loop) -> str:
    """The nodes of a document know their parents and neighbours."""
    if not loop.wiring.types[loop.cut[0]].startswith("xml.dom.minidom."):
        return ""
    return (
        "an xml.dom.minidom document refers to itself until it is unlinked: call its "
        "unlink() when done, or use it in a `with` statement"
    )


def _frame(loop: Loop) -> str:
    """A variable keeps a frame, mostly its own."""
    if loop.name(loop.cut)[:1] == ".":
        return ""
    for edge in loop.edges:
        if is_variable(loop, edge):
            name = variable(loop.name(edge))
            return (
                f"local {name!r} of {function_of(loop, edge)} keeps a frame, which "
                f"keeps its variables: end the function with `finally: del {name}`"
            )
    return ""


def _kept_by_property(loop: Loop) -> str:
    """A property has put a value into its object: that cannot be another one."""
    edge = loop.cut
    if not is_kept_by_property(loop.holder(edge), loop.name(edge)):
        return ""
    return (
        f"{loop.spelled(edge)} is kept by functools.cached_property: clear it with "
        f"`finally: {statement_on(loop, edge)}`, or make it a property"
    )


def _attribute(loop: Loop) -> str:
    """The rest: cut where it is best, by a weak reference where there can be one."""
    edge = loop.cut
    spelled, statement = loop.spelled(edge), statement_on(loop, edge)
    target = loop.target(edge)
    if is_nameless(loop.name(edge)):
        return (
            f"{spelled} has no name in Python: let go of it by a method of the "
            f"{loop.kind(edge)}, as close() or clear()"
        )
    name = variable_of_cell(loop, edge) if edge in loop.edges else ""
    if name:
        return (
            f"the variable {name!r} of a closure leads back to it: clear it with "
            f"`finally: {name} = None`, or let it be a weakref.ref"
        )
    if is_back_pointer(loop.name(edge)):
        return _owner(loop)
    if not can_be_weak(type(target)):
        return f"{spelled} cannot be weak: clear it with `finally: {statement}`"
    if _may_have_one_holder(loop):
        return (
            f"{spelled} may be all that keeps the {type_name(type(target))}, so it "
            f"cannot be weak: clear it with `finally: {statement}`"
        )
    return f"make {spelled} a weakref.ref, or clear it with `finally: {statement}`"


def _owner(loop: Loop) -> str:
    """A part has its whole, of which there can mostly be a weak reference."""
    edge = loop.cut
    spelled, kind = loop.spelled(edge), type(loop.target(edge))
    if can_be_weak(kind):
        return f"{spelled} leads back to the owner: make it a weakref.ref"
    if can_have_weak_slot(kind):
        return (
            f"{spelled} leads back to the owner: make it a weakref.ref, for which "
            f"{type_name(kind).rpartition('.')[2]} needs a slot `__weakref__`"
        )
    return (
        f"{spelled} leads back to the owner, which cannot be weak: clear it with "
        f"`finally: {statement_on(loop, edge)}`"
    )


def _may_have_one_holder(loop: Loop) -> bool:
    """Return whether a weak reference would mostly lose what it leads to.

    A queue, event or table of the standard library is a part of what has it.
    """
    holder, target = loop.holder(loop.cut), loop.target(loop.cut)
    if holder is target:
        return False
    if is_one_of(target, _OWNED):
        return True
    is_part = is_standard(type(target)) and not is_class(target)
    return is_part and not is_standard(type(holder))


_OWNED = identities(
    *(set, frozenset, deque, array, memoryview),
    *(FunctionType, BuiltinFunctionType, functools.partial),
)
"""Types that can be referred to weakly, but mostly have one holder."""
_OF_CONNECTION = REST_BY_NAME["sqlite3.Connection"]
_TYPE_ALIAS = "typing.TypeAliasType"
_OF_NAMESPACE = "['__classdictcell__']"
"""What names the cell in which annotations look for names (3.14)."""
_CACHE = type(functools.lru_cache(lambda: None))
_WAITS = "._fut_waiter"
_IDIOMS: Sequence[Callable[[Loop], str]] = (
    on_exception,
    _task,
    _connection,
    _document,
    _alias,
    _cache,
    _partial,
    _bound_method,
    _suspended,
    _closure,
    _class,
    _frame,
    _kept_by_property,
)
