"""The Python that leads along a path, taken apart into its steps."""

from __future__ import annotations

from refscope.reports import ReferencePath


UNSPELLED = "[...]"
"""A key that is cut in the name of a step, or that reading runs code for."""


def steps_of(path: ReferencePath) -> tuple[str, list[str]] | None:
    """Return how Python begins, and its part for each step; None if there is none."""
    if path.expression is None:
        return None
    end = len(path.expression)
    parts: list[str] = []
    for reference in reversed(path.references):
        part = _part(path.expression, end, reference.name)
        end -= len(part)
        parts.append(part)
    return path.expression[: max(0, end)], parts[::-1]


def spelled(path: ReferencePath, number: int) -> str | None:
    """Return Python for the first steps of a path, None if there is none.

    Also where a later step has no spelling, as an element of a set.
    """
    steps = steps_of(path)
    if steps is not None:
        return steps[0] + "".join(steps[1][:number])
    module = path.root.removeprefix("module ")
    names = [step.name for step in path.references[:number]]
    if (module == path.root and module != "builtins") or not all(
        name[:1] in {".", "["} for name in names
    ):
        return None
    return f"sys.modules[{module!r}]" + "".join(names)


def _part(expression: str, end: int, name: str) -> str:
    """Return what stands for a name at a place of an expression."""
    if expression.endswith(name, 0, end) or "[" not in name:
        return name
    return name[: name.index("[")] + UNSPELLED
