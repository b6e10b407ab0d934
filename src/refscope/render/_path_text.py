"""Paths as text: one line for each step, suspects underlined."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from refscope.reports import Frame, Reference, ReferencePath, Traceback, Verdict

from ._page import WIDTH, Page, columns, last_parts


_NAME_WIDTH = 36
_TYPE_WIDTH = 40
_LEAST_TYPE_WIDTH = 18
_REASON_WIDTH = 24
MOST_STEPS = 8
_STEPS = (MOST_STEPS, 6, 4)
"""How many are shown of a long path: at best, and in what always finds room."""


class Step:
    """One line of a path."""

    __slots__ = ("cells", "is_suspect")

    def __init__(
        self, cells: tuple[str, str, str, str], *, is_suspect: bool = False
    ) -> None:
        self.cells: tuple[str, str, str, str] = cells
        """Name, type, verdict, reason."""

        self.is_suspect: bool = is_suspect
        """Whether its name is underlined."""


def path_lines(  # noqa: PLR0913  # one for each choice of the caller
    path: ReferencePath,
    judge: Callable[[int], Verdict],
    page: Page,
    *,
    suspects: Collection[Reference] = (),
    shape_from: int | None = None,
    most: int = MOST_STEPS,
) -> list[str]:
    """Return a path, root first.

    Args:
        path: The path.
        judge: The verdict on the holder at a place; 0 is the root.
        page: The paper.
        suspects: References to underline.
        shape_from: The first reference whose key is shown as ``[x]``.
        most: Steps to show of a long path.
    """
    marked = frozenset(suspects)
    first, missing, last = _shown(len(path.references) + 1, page, most)
    words = {place: _words(judge(place)) for place in (*first, *last)}

    def name_at(place: int) -> str:
        name = path.references[place - 1].name
        is_shape = shape_from is not None and place > shape_from
        return page.start(_as_shape(name) if is_shape else name, _NAME_WIDTH)

    names = {place: name_at(place) for place in words if place}
    width = _type_width(names.values(), [reason for _, reason in words.values()])

    def step(place: int) -> Step:
        if place == 0:
            return Step((page.end(path.root, 60), "", *words[0]))
        reference = path.references[place - 1]
        target = f"-> {page.end(_target(reference), width)}"
        cells = (names[place], target, *words[place])
        return Step(cells, is_suspect=reference in marked)

    gap = Step((f"... {missing:,} more steps (full=True shows all)", "", "", ""))
    steps = [*map(step, first), *([gap] if missing else []), *map(step, last)]
    return _lines(steps)


def _type_width(names: Iterable[str], reasons: Iterable[str]) -> int:
    """Return how wide types may be for reasons to be read beside them."""
    name, reason = (max(map(len, texts), default=0) for texts in (names, reasons))
    room = WIDTH - len(" " * 3 + "  " + "  -> " + "  unknown  ") - name
    room -= min(reason, _REASON_WIDTH)  # a longer one is cut anyway
    return max(_LEAST_TYPE_WIDTH, min(_TYPE_WIDTH, room))


def fitting(rows_of: Callable[[int], list[str]], page: Page, room: int) -> list[str]:
    """Return the rows that are made with the most steps that there is room for."""
    rows: list[str] = []
    for most in _STEPS:  # pragma: no branch  # the last one always fits
        rows = rows_of(most)
        if len(rows) <= room or not page.is_bounded:
            break
    return rows


def _lines(steps: Sequence[Step]) -> list[str]:
    first, *others = steps
    names = columns([(f"  {step.cells[0]}", step.cells[1]) for step in others])
    width = max(map(len, [first.cells[0], *names]))
    rows = [first.cells[0], *names]
    lines: list[str] = []
    for step, row in zip(steps, rows, strict=True):
        verdict = f"{row.ljust(width)}  {step.cells[2].ljust(7)}  {step.cells[3]}"
        lines.append(verdict.rstrip())
        if step.is_suspect:
            lines.append("  " + "~" * len(step.cells[0]))
    return lines


def _shown(number: int, page: Page, most: int) -> tuple[range, int, range]:
    """Return which steps of a long path are shown: its two ends, not those between.

    Before anything is made of them: a path can have thousands.
    """
    missing = number - most
    if page.full or missing <= 1:
        return range(number), 0, range(0)
    half = most // 2
    return range(half), missing, range(number - half, number)


def _words(verdict: Verdict) -> tuple[str, str]:
    leaking = verdict.leaking
    return leaking if leaking == "unknown" else leaking.upper(), verdict.reason


def _target(reference: Reference) -> str:
    target = reference.target
    named = target.type_name in {"type", "function", "module", "method"}
    return (
        f"{target.type_name} {target.detail}"
        if named and target.detail
        else (target.type_name)
    )


def _as_shape(name: str) -> str:
    return {"[": "[x]", "{": "{x}"}.get(name[:1], name)


def steps_in_line(path: ReferencePath) -> list[str]:
    """Return root and steps of a path that is told in a line or two."""
    steps = [
        f"{reference.name}: {reference.target.type_name}"
        for reference in path.references
    ]
    return [path.root, *steps]


def place_of(traceback: Traceback | None, page: Page) -> str | None:
    """Return where something was allocated: the innermost line, and who called it."""
    if traceback is None or not traceback.frames:
        return None
    return " < ".join([_short(frame, page) for frame in traceback.frames[:-3:-1]])


def _short(frame: Frame, page: Page) -> str:
    name = frame.filename if page.full else last_parts(frame.filename, 2)
    text = f"{page.end(name, 40)}:{frame.lineno}"
    return (
        text
        if frame.function is None
        else f"{text} in {page.start(frame.function, 30)}"
    )
