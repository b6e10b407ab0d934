"""Reports in the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from refscope.reports import Report

from ._picture import Arrow, Panel, panels_of
from ._redact import redacted


def to_dot(report: Report, *, redact: bool = False) -> str:
    """Return the report as a directed graph."""
    return "\n".join(_lines(panels_of(redacted(report) if redact else report)))


def _lines(panels: Sequence[Panel]) -> Iterator[str]:
    yield "digraph refscope {"
    yield '  node [shape=box, fontname="monospace"];'
    yield '  edge [fontname="monospace"];'
    for number, panel in enumerate(panels, 1):
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={_quoted(panel.title)};"
        for box in panel.boxes:
            yield f"    {box.key} [label={_quoted(*box.lines)}];"
        for arrow in panel.arrows:
            yield f"    {arrow.start} -> {arrow.end} [{_style(arrow)}];"
        yield "  }"
    yield "}"


def _style(arrow: Arrow) -> str:
    style = f"label={_quoted(arrow.name)}"
    return f"{style}, color=red, style=dashed" if arrow.is_cut else style


def _quoted(*lines: str) -> str:
    """Return a string of the language, of one or more lines."""
    texts = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(texts) + '"'
