"""Plain functions, tracked call by call.

A wrapper hands each argument on, and holds none of them while the call runs.  With
``*args`` it would hold them in a tuple until the function returns: its own ``del data``
would free nothing, each argument would have a reference too many, and the tuple would
be in the peak of the blocks around.  So the wrapper gets the parameters of the
function, as text that is compiled, and gives each up before the call.
"""

from __future__ import annotations

import functools
import keyword
import sys
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FunctionType,
    GeneratorType,
)
from typing import TYPE_CHECKING, Any, Protocol, cast

from refscope._measure.heap import ours
from refscope._measure.session import boundary


_IS_SUSPENDED = object()
_CALLER_HOLDS = sys.version_info < (3, 11)
_PREFIX = "refscope_"
# Text to code: no collector tracks it, so that it is in no count of dictionaries.
_known: dict[str, CodeType] = {}
_MOST_KNOWN = 256
_VARARGS, _VARKEYWORDS = 0x04, 0x08  # CO_VARARGS, CO_VARKEYWORDS of inspect

# Names that no parameter has: those of the program may be ``type`` or ``function``.
_TEXT = """\
def refscope_make(refscope_function, refscope_tracker, refscope_label):
    def wrapper({parameters}):
        refscope_block = refscope_open(refscope_tracker, refscope_label, {names})
{give}
        refscope_block.start()
        try:
            refscope_result = refscope_function({arguments})
        except refscope_any as refscope_error:
            refscope_block.end(refscope_type(refscope_error))
            raise
        refscope_end(refscope_block, refscope_result)
        return refscope_result
    return wrapper
"""
_GIVE = """\
        refscope_block.given[{name!r}] = {name}
        del {name}"""


if TYPE_CHECKING:

    class Block(Protocol):
        given: dict[str, object]

        def keep(self, value: Any) -> None: ...
        def take(self) -> Any: ...
        def drops(self, value: object) -> bool: ...
        @property
        def is_empty_handed(self) -> bool: ...
        @property
        def is_open(self) -> bool: ...
        def start(self) -> None: ...
        def end(self, exception: type[BaseException] | None) -> None: ...
        def pause(self, slack: int = 0) -> None: ...
        def resume(self) -> None: ...

    class Tracker(Protocol):
        def new_block(self, label: str, *, is_call: bool) -> Block: ...


def plain(function: Any, tracker: Tracker, label: str) -> Any:
    """Return the function with a block around each call."""
    wrap = _passing if _is_fixed(function) else _any_arguments
    return functools.wraps(function)(wrap(function, tracker, label))


def new_block(
    tracker: Tracker, label: str, kwargs: dict[str, Any], *, is_call: bool = False
) -> Block:
    """Return the block of a call; the dictionary of its wrapper is ours."""
    boundary.begin_own()
    try:
        ours.claim(kwargs)
        return tracker.new_block(label, is_call=is_call)
    finally:
        boundary.end_own()


def _any_arguments(function: Any, tracker: Tracker, label: str) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        block = new_block(tracker, label, kwargs, is_call=True)
        block.start()
        try:
            # A call with ** copies the dictionary, in the block.
            result = function(*args, **kwargs) if kwargs else function(*args)
        except BaseException as error:
            block.end(type(error))
            raise
        _end(block, result)
        return result

    return wrapper


def _end(block: Block, result: object) -> None:
    """End the block of a plain function."""
    if is_suspended(result):
        block.keep(_IS_SUSPENDED)  # the report says so
    block.end(None)


def is_suspended(result: object) -> bool:
    """Return whether a result is a function that goes on later."""
    kind = cast("object", type(result))
    return kind is CoroutineType or kind is GeneratorType or kind is AsyncGeneratorType


def _is_fixed(function: Any) -> bool:
    """Return whether a function has parameters that a wrapper can have as well.

    Up to 3.10 who calls holds the arguments itself, and new code has a frame of its
    own: there it is False.
    """
    if _CALLER_HOLDS or type(function) is not FunctionType:
        return False
    code = function.__code__
    is_open = code.co_flags & (_VARARGS | _VARKEYWORDS)
    return not is_open and all(map(_is_plain, _parameters(code)))


def _parameters(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _passing(function: Any, tracker: Tracker, label: str) -> Any:
    """Return a function with the same parameters that calls this one in a block."""
    code: CodeType = function.__code__
    made = _code_for(_parameters(code), code.co_argcount, code.co_posonlyargcount)
    wrapper: FunctionType = FunctionType(made, _GLOBALS)(function, tracker, label)
    wrapper.__defaults__ = function.__defaults__
    wrapper.__kwdefaults__ = function.__kwdefaults__
    return wrapper


def _open(tracker: Tracker, label: str, names: tuple[str, ...]) -> Block:
    """Return the block of a call, with room for the arguments of these names."""
    boundary.begin_own()
    try:
        block = tracker.new_block(label, is_call=True)
        if names:
            block.given = cast("dict[str, object]", dict.fromkeys(names))
    finally:
        boundary.end_own()
    return block


def _is_plain(name: str) -> bool:
    """Return whether text may have this name; comprehensions have a ``.0``."""
    is_word = name.isidentifier() and not keyword.iskeyword(name)
    return is_word and not name.startswith(_PREFIX)


def _code_for(
    names: tuple[str, ...], positional: int, only_positional: int
) -> CodeType:
    """Return the code of ``refscope_make`` for these parameters."""
    parameters = [*names]
    if len(names) > positional:
        parameters.insert(positional, "*")
    if only_positional:
        parameters.insert(only_positional, "/")
    taken = [f"refscope_block.given.pop({name!r})" for name in names]
    for index in range(positional, len(names)):
        taken[index] = f"{names[index]}={taken[index]}"
    text = _TEXT.format(
        parameters=", ".join(parameters),
        names=repr(names),
        give="\n".join([_GIVE.format(name=name) for name in names]),
        arguments=", ".join(taken),
    )
    code = _known.get(text)
    if code is None:
        module = compile(text, ours.CALLS, "exec")
        code = next(each for each in module.co_consts if isinstance(each, CodeType))
        if len(_known) < _MOST_KNOWN:
            _known[text] = code
    return code


_GLOBALS = {
    "refscope_any": BaseException,
    "refscope_end": _end,
    "refscope_open": _open,
    "refscope_type": type,
}
