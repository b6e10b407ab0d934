"""What to change where a traceback keeps frames, and those their variables."""

from __future__ import annotations

from types import FrameType, TracebackType

from refscope._measure.algorithms.feedback import Edge

from .costs import is_exception, is_future
from .phrases import (
    Loop,
    forgetting,
    function_of,
    has_variable,
    is_variable,
    kept_by,
    variable,
)


def on_exception(loop: Loop) -> str:
    """An exception keeps its traceback, that a frame, and that the exception."""
    if loop.find(TracebackType) is None:
        return ""
    for edge in loop.edges:
        if is_variable(loop, edge) and (
            edge == loop.cut or _is_error(loop.target(edge))
        ):
            return _variables(loop, edge)
    for edge in loop.edges:
        if loop.name(edge) == ".f_locals":
            return (
                f"what locals() made in {function_of(loop, edge)} keeps "
                "an exception whose traceback keeps the frame: do not read locals() "
                "or f_locals where an exception is handled"
            )
    for edge in loop.edges:
        if is_exception(loop.target(edge)):
            if is_future(loop.holder(edge)):
                return _future(loop, edge)
            forget = forgetting(loop, edge)
            clear = forget and f"clear it with `finally: {forget}`, or "
            return (
                f"{kept_by(loop, edge)} keeps an exception, whose traceback keeps the "
                f"frame and its variables: {clear}keep error.with_traceback(None)"
            )
    return _traceback(loop)


def _variables(loop: Loop, edge: Edge) -> str:
    """A variable of a function keeps it, or those of more functions do."""
    name = variable(loop.name(edge))
    kept = {
        f"{variable(name)!r} of {function_of(loop, other)}": None
        for other, names in loop.wiring.names.items()
        if other[1] == edge[1] and is_variable(loop, other)
        for name in names
        if has_variable(name)
    }
    first = f"{name!r} of {function_of(loop, edge)}"
    others = sorted(kept.keys() - {first})
    if edge == loop.cut or not others:
        return (
            f"local {first} keeps {_kept_by_error(loop)} keeps the frame: end the "
            f"function with `finally: del {name}`"
        )
    more = others[0] if len(others) == 1 else f"{len(others)} others"
    return (
        f"local {first} and {more} keep {_kept_by_error(loop)} keeps their frames: "
        "`del` each in a `finally`, or keep error.with_traceback(None)"
    )


def _is_error(thing: object) -> bool:
    return is_exception(thing) or type(thing) is TracebackType


def _kept_by_error(loop: Loop) -> str:
    """Return what leads from a variable to its frame: mostly an exception."""
    if any(is_exception(loop.target(edge)) for edge in loop.edges):
        return "an exception whose traceback"
    return "a traceback, which"


def _traceback(loop: Loop) -> str:
    """A traceback is kept without its exception."""
    kept = [
        edge
        for edge in loop.edges
        if type(loop.target(edge)) is TracebackType
        and type(loop.holder(edge)) is not TracebackType
    ]
    edge = next(iter(kept), loop.cut)
    while type(loop.holder(edge)) is tuple:
        edge = loop.into(edge)
    forget = forgetting(loop, edge)
    if not forget or type(loop.holder(edge)) is FrameType:
        return _leading_to_traceback(loop)
    return (
        f"{kept_by(loop, edge)} keeps a traceback, which keeps the frame and its "
        f"variables: clear it with `finally: {forget}`"
    )


def _leading_to_traceback(loop: Loop) -> str:
    """A traceback is kept without its exception, by what a variable has."""
    for edge in loop.edges:
        if type(loop.holder(edge)) is FrameType and has_variable(loop.name(edge)):
            name = variable(loop.name(edge))
            return (
                f"variable {name!r} of {function_of(loop, edge)} leads to a traceback, "
                f"which keeps the frame: end the function with `finally: del {name}`"
            )
    return "a variable keeps a traceback, which keeps its frame: `del` it when done"


def _future(loop: Loop, edge: Edge) -> str:
    """A future has its exception for good, so variables are what can be cleared."""
    kept = f"{loop.spelled(edge)} keeps an exception, whose traceback keeps "
    own = next((each for each in loop.edges if is_variable(loop, each)), None)
    if own is None:
        return f"{kept}the frame and its variables: keep error.with_traceback(None)"
    place, name = function_of(loop, own), variable(loop.name(own))
    return (
        f"{kept}functions that lead to the {loop.kind(edge)} by a variable: end each, "
        f"as {place}, with `finally: del {name}`"
    )
