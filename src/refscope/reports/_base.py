"""What every report has in common."""

from __future__ import annotations

import attrs

from refscope._typing import override

from ._record import Record


_LONGEST = 300
"""Characters of a verdict that ``repr`` shows."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Environment(Record):
    """Where a report was measured."""

    python: str
    """Version of Python, as in ``3.13.0``."""

    implementation: str
    """``cpython`` or another name of ``sys.implementation``."""

    free_threaded: bool
    """True for a build without the global interpreter lock."""

    platform: str
    """``sys.platform`` and the width of a pointer, as in ``linux-64``."""

    refscope: str
    """Version of refscope that measured."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Report(Record):
    """Base of all reports: numbers, strings and tuples, never a live object."""

    complete: bool = True
    """False when a search was cut short: there may be more than is reported."""

    limits: tuple[str, ...] = ()
    """What was skipped, shared, cut or cannot be known here, in plain sentences."""

    environment: Environment | None = None
    """Where it was measured; None when merged from different places."""

    overhead: float = 0.0
    """Seconds of refscope's own work, its collections included."""

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to worry about in what was measured."""
        raise NotImplementedError

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        raise NotImplementedError

    @override
    def __repr__(self) -> str:
        """Return one line of visible characters: the class and the verdict."""
        return f"<{type(self).__name__} {_visible(self.headline)}>"

    @override
    def __str__(self) -> str:
        """Return the text of ``render.to_text``: ASCII, at most 25 lines."""
        from refscope.render import to_text  # noqa: PLC0415  # the one line that reaches a renderer

        return to_text(self)


def _visible(text: str) -> str:
    """Return the text, its middle cut if it is long, with all escaped that is hidden.

    Names and reasons come from the program, and may hold whatever steers a terminal.
    """
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"
    return "".join(
        [
            each if each.isprintable() else each.encode("unicode_escape").decode()
            for each in text
        ]
    )
