"""What a leak is called: its fingerprint, its place among others, a telling type."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

from refscope._measure.algorithms.series import Phase
from refscope._measure.heap.roots import C_ONLY
from refscope._measure.retention.search import shape_of_path
from refscope.reports import CycleGroup, Leak, LeakPart, ReferencePath, Traceback
from refscope.reports._fingerprint import fingerprint
from refscope.reports._order import EXCEPTIONS, is_dull
from refscope.reports._record import changed


_FIRST = frozenset(("type", "module", "_asyncio.Task"))
_CODE = frozenset(
    ("async_generator", "coroutine", "frame", "function", "generator", "method")
)
THREAD = "threading.Thread"
_THREADING = threading.Thread.run.__code__.co_filename
_IN_FRAMES = frozenset(("method", "function", "method_descriptor"))
_TELLING = ("function", "frame", "generator", "coroutine")


def telling(names: Sequence[str]) -> str:
    """Return the type that says most about a cycle."""
    ranked = [name for name in names if "." in name and not is_dull(name)]
    ranked += [name for name in names if name in EXCEPTIONS]
    ranked += [name for name in names if name == "type"]  # has the others as members
    ranked += [name for name in names if name in _TELLING]
    return next(iter([*ranked, *names]), "")


def alike(groups: Sequence[CycleGroup], calls: int) -> list[CycleGroup]:
    """Return the groups, those of equal types as one where each is rare.

    Their references have other names in each call, as keys that are numbered do.
    """
    found: dict[tuple[str, ...], CycleGroup] = {}
    for group in groups:
        names = group.type_names
        is_rare = 2 * group.count < calls
        key = names if is_rare else (*names, group.fingerprint)
        before = found.get(key)
        found[key] = group if before is None else _merged(before, group)
    return [*found.values()]


def _merged(one: CycleGroup, other: CycleGroup) -> CycleGroup:
    """Return two groups as one, with a fingerprint of their types alone."""
    return changed(
        one,
        count=one.count + other.count,
        objects=one.objects + other.objects,
        size=one.size + other.size,
        fingerprint=fingerprint("leak", "cycles", *one.type_names),
    )


def first_shown(phases: Sequence[Phase], share: float) -> Phase:
    """Return the first phase whose rounds all show a part of what grew, or the last."""
    shown = [phase for phase in phases if round(min(phase.growth) * share) > 0]
    return (*shown, phases[-1])[0]


def importance(
    leak: Leak, threads: Collection[str]
) -> tuple[bool, bool, bool, int, bool, int, float, str]:
    """Return the order of leaks: classes of the program first, the nearest of them.

    What a path holds stays for good, so it comes before cycles, which gc frees.

    A class that leaks brings what every class has (weak references, tuples, functions,
    some of them nearer to a root), so among what is dull it comes first.  So do a
    module, a thread and a task, which have even more.  Then come functions and what
    runs them, as their names tell more than a list or set around them.  What only C is
    known to hold may be kept for objects that leak by a path, so it comes after those.
    """
    path = leak.held_by
    steps = 0 if path is None else len(path.references)
    is_by_c = path is None or path.root == C_ONLY
    is_object = leak.kind == "objects"
    stays = is_object or (leak.kind != "length" and not is_by_c)
    return (
        not stays,
        not is_object,
        is_dull(leak.type_name),
        _dullness(leak.type_name, threads),
        is_object and is_by_c,
        steps,
        -(leak.size_per_call or 0),
        leak.type_name,
    )


def _dullness(type_name: str, threads: Collection[str]) -> int:
    if type_name in _FIRST or type_name in threads:
        return 0
    return 1 if type_name in _CODE else 2


def _without_digits(name: str) -> str:
    """Return an attribute's name without the number of the call."""
    return "".join([c for c in name if not c.isdigit()])


def shape_of_growth(path: ReferencePath | None, grows_at: int | None) -> list[str]:
    """Return the path without the key in what grows, which differs in each run."""
    if path is None:
        return []
    references = list(path.references)
    if grows_at is not None and grows_at + 1 < len(references):
        key = references[grows_at + 1]
        shape = {"[": "[x]", "{": "{x}"}.get(key.name[:1], _without_digits(key.name))
        references[grows_at + 1] = changed(key, name=shape)
    return shape_of_path(path.root, references)


def print_of(
    kind: str,
    name: str,
    path: ReferencePath | None,
    grows_at: int | None,
    made_at: Traceback | None = None,
) -> str:
    """Return the fingerprint of a leak: its type, and the shape of its path.

    Without its kind: whether an object is counted or its memory is, or that the
    same one is taken again, is seen otherwise on another version of Python.  Where
    there is no path, the kind alone tells leaks of one type apart, and memory that is
    no object by the function that took it: a baseline with one is not one with all.
    """
    shape = shape_of_growth(path, grows_at)
    if not (shape or name) and made_at is not None:
        frame = made_at.innermost
        file = frame.filename.replace("\\", "/").rpartition("/")[2]
        return fingerprint("leak", kind, file, frame.function or "")
    return fingerprint("leak", *([] if shape else [kind]), name, *shape)


def folded(leaks: Sequence[Leak], threads: Collection[str]) -> list[Leak]:
    """Return the leaks, a thread with what only it and its frames hold as one.

    Each thread brings an event, locks, methods and the like.  What the collector does
    not show, its frames in C, holds some of them.

    Args:
        leaks: All that were found.
        threads: Names of the classes of threads among them.
    """
    owners = [leak for leak in leaks if leak.type_name in threads and leak.held_by]
    if len(owners) != 1:
        return [*leaks]
    (thread,) = owners
    hanging = [leak for leak in leaks if leak is not thread and _hangs(leak, thread)]
    parts = [
        LeakPart(
            type_name=leak.type_name,
            per_call=leak.per_call,
            fingerprint=leak.fingerprint,
        )
        for leak in hanging
    ]
    owner = changed(thread, parts=tuple(parts))
    rest = [leak for leak in leaks if not any(leak is part for part in hanging)]
    return [owner if leak is thread else leak for leak in rest]


def _hangs(leak: Leak, thread: Leak) -> bool:
    """Return whether it grows with a thread, and dies with it."""
    path, grows_at = leak.held_by, leak.grows_at
    if path is None:
        is_usual = leak.type_name in _IN_FRAMES or _is_made_for_threads(leak)
        return is_usual and leak.verdict == "native"
    if path.root.startswith("module threading"):
        return leak.type_name == "weakref.ReferenceType"
    if grows_at is None:
        return False
    made = [step.holder.type_name for step in path.references[grows_at + 2 :]]
    is_local = path.root.startswith("thread ") and grows_at == -1
    return is_local or (thread.type_name in made and leak.per_call >= thread.per_call)


def _is_made_for_threads(leak: Leak) -> bool:
    """Return whether ``threading`` made it: C has the arguments of ``run()``."""
    made_at = leak.traceback
    return made_at is not None and made_at.innermost.filename == _THREADING
