"""How text is laid out: what may be shown, how wide, how many lines.

Names come from the program and may hold anything.  They are made printable before
they are measured, so that a width is a width.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar


T = TypeVar("T")

WIDTH = 100
LINES = 25
INDENT = 11


class Page:
    """The paper: bounded by default, endless with `full`."""

    __slots__ = ("full", "limit", "unicode")

    def __init__(self, *, full: bool, unicode: bool, limit: int | None = None) -> None:
        self.full: bool = full
        """True when nothing is cut, shortened or wrapped."""

        self.unicode: bool = unicode
        """True when printable characters beyond ASCII are shown as they are."""

        self.limit: int | None = limit
        """Rows of each list; None for as many as the paper has room for."""

    @property
    def is_bounded(self) -> bool:
        """Whether the text has to fit the page."""
        return not self.full and self.limit is None

    def printable(self, text: str) -> str:
        """Return the text with everything escaped that is no visible character."""
        if text.isascii() and text.isprintable():
            return text
        return "".join(map(self._shown, text))

    def _shown(self, char: str) -> str:
        if char.isprintable() and (self.unicode or char.isascii()):
            return char
        return char.encode("unicode_escape").decode("ascii")

    def start(self, text: str, width: int) -> str:
        """Return the text, its end cut off if it is wider."""
        shown = self.printable(text)
        if self.full or len(shown) <= width:
            return shown
        return shown[: width - 3] + "..."

    def end(self, text: str, width: int) -> str:
        """Return the text, its start cut off if it is wider."""
        shown = self.printable(text)
        if self.full or len(shown) <= width:
            return shown
        return "..." + shown[3 - width :]

    def line(self, text: str) -> str:
        """Return a whole line, cut at the edge of the page."""
        return self.start(text.rstrip(), WIDTH)

    def paragraph(self, text: str, width: int = WIDTH) -> list[str]:
        """Return the lines of a text that may be long; more lines are set in by 2."""
        shown = self.printable(text)
        if self.full:
            return [shown]
        lines = [""]
        for word in shown.split(" "):
            glue = " " if lines[-1].strip() else ""
            if glue and len(lines[-1]) + 1 + len(word) > width:
                lines.append("  ")
                glue = ""
            lines[-1] += glue + word
        return [self.start(line, width) for line in lines]

    def first(self, rows: Sequence[T], most: int) -> Sequence[T]:
        """Return the rows that fit, with one line left to count the others."""
        if self.limit is not None:
            return rows[: self.limit]
        if self.full or len(rows) <= most:
            return rows
        return rows[: most - 1]


def titled(title: str, rows: Iterable[str]) -> list[str]:
    """Return the rows with the title in front of the first."""
    lines = [" " * INDENT + row for row in rows]
    if lines:
        lines[0] = title.ljust(INDENT) + lines[0][INDENT:]
    return lines


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the cells set under each other; the last one as wide as it likes."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)][:-1]
    return ["  ".join([*map(str.ljust, row, widths), row[-1]]) for row in rows]


def without_folders(paths: Iterable[str]) -> Mapping[str, str]:
    """Return each path's last two parts, or more where two files would look alike."""
    short: dict[str, str] = {}
    pending = set(paths)
    parts = 2
    while pending:
        tails = {path: last_parts(path, parts) for path in pending}
        taken = [*tails.values(), *short.values()]
        done = {
            path
            for path, tail in tails.items()
            if tail == path or taken.count(tail) == 1
        }
        short.update((path, tails[path]) for path in done)
        pending -= done
        parts += 1
    return short


def last_parts(path: str, parts: int) -> str:
    """Return the end of a path; both separators, as reports travel between systems."""
    position = len(path)
    for _ in range(parts):
        position = max(path.rfind("/", 0, position), path.rfind("\\", 0, position))
        if position < 0:
            return path
    return path[position + 1 :]


def short_type(name: str, page: Page) -> str:
    """Return the last part of a type's full name, or all of it on an endless page."""
    return name if page.full else name.rpartition(".")[2]
