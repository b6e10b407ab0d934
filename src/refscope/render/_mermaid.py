"""Reports in the language of Mermaid, which Markdown on many sites draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from refscope.reports import Report

from ._picture import Panel, panels_of
from ._redact import redacted


def to_mermaid(report: Report, *, redact: bool = False) -> str:
    """Return the report as a flow chart."""
    return "\n".join(_lines(panels_of(redacted(report) if redact else report)))


def _lines(panels: Sequence[Panel]) -> Iterator[str]:
    yield "flowchart LR"
    cuts: list[int] = []
    drawn = 0
    for number, panel in enumerate(panels, 1):
        yield f"  subgraph g{number}[{_quoted(panel.title)}]"
        for box in panel.boxes:
            yield f"    {box.key}[{_quoted(*box.lines)}]"
        for arrow in panel.arrows:
            yield f"    {arrow.start} -->|{_quoted(arrow.name)}| {arrow.end}"
            if arrow.is_cut:
                cuts.append(drawn)
            drawn += 1
        yield "  end"
    if cuts:
        yield (f"  linkStyle {','.join(map(str, cuts))} stroke:red,stroke-dasharray:4")


def _quoted(*lines: str) -> str:
    """Return a label; what the language or HTML would read is written as entities."""
    texts = ["".join(map(_entity, line)) for line in lines]
    return '"' + "<br/>".join(texts) + '"'


def _entity(char: str) -> str:
    return char if char.isalnum() or char in _PLAIN else f"#{ord(char)};"


_PLAIN = " ._-:,/()'"
