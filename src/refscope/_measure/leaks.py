"""What a leak is called: its fingerprint, its place among others, a telling type."""

from __future__ import annotations

from collections.abc import Sequence

from refscope.reports import Leak, ReferencePath
from refscope.reports._record import changed

from .retention import shape_of_path


_DULL = frozenset(
    ("weakref.ReferenceType", "functools.partial", "functools._lru_list_elem")
)
_TELLING = ("function", "frame", "generator", "coroutine")


def _is_dull(name: str) -> bool:
    """Return whether a type tells little about a program."""
    return "." not in name or name in _DULL


def telling(names: Sequence[str]) -> str:
    """Return the type that says most about a cycle."""
    ranked = [name for name in names if not _is_dull(name)]
    ranked += [name for name in names if name in _TELLING]
    return next(iter([*ranked, *names]), "")


def importance(leak: Leak) -> tuple[bool, bool, bool, int, float, str]:
    """Return the order of leaks: classes of the program first, the nearest of them.

    A class that leaks brings what every class has (weak references, tuples, functions,
    some of them nearer to a root), so among what is dull it comes first.
    """
    steps = 0 if leak.held_by is None else len(leak.held_by.references)
    return (
        leak.kind != "objects",
        _is_dull(leak.type_name),
        leak.type_name != "type",
        steps,
        -(leak.size_per_call or 0),
        leak.type_name,
    )


def shape_of_growth(path: ReferencePath | None, grows_at: int | None) -> list[str]:
    """Return the path without the key in what grows, which differs in each run."""
    if path is None:
        return []
    references = list(path.references)
    if grows_at is not None and grows_at + 1 < len(references):
        key = references[grows_at + 1]
        shape = {"[": "[x]", "{": "{x}"}.get(key.name[:1], key.name)
        references[grows_at + 1] = changed(key, name=shape)
    return shape_of_path(path.root, references)
