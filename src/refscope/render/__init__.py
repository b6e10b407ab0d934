"""How it is shown: functions from a report to text.

None of them opens, prints or measures anything.  Those that many programs never
need are loaded when they are called first.
"""

from refscope.reports import AnyReport, Report

from ._text import check_count, to_text


__all__ = ["from_json", "schema", "to_dot", "to_json", "to_mermaid", "to_text"]


def to_json(report: Report, *, indent: int | None = None, redact: bool = False) -> str:
    """Return the report as a JSON object, in ASCII, that ``from_json`` takes back.

    Every field is a key.  Two more say what it is: ``kind``, the name of the class,
    and ``format_version``.

    Args:
        report: Any report.
        indent: Spaces per level; None puts everything on one line.
        redact: Leave out labels, tags, keys, names of threads and folders of files.

    Raises:
        InvalidArgumentError: A number is infinite or not a number, which JSON
            cannot say, or ``indent`` is below 0.
        ArgumentTypeError: ``indent`` is no whole number, or this no report.

    Example:
        >>> from refscope.render import from_json, to_json
        >>> from refscope.reports import TrackReport
        >>> report = TrackReport(label="load users", tags={"host": "a"})
        >>> from_json(to_json(report)) == report
        True
    """
    check_count("indent", indent, "spaces")
    from ._json import to_json as to_json_now  # noqa: PLC0415  # loaded on first use

    return to_json_now(report, indent=indent, redact=redact)


def to_dot(report: Report, *, redact: bool = False) -> str:
    """Return the report as a graph in the language of Graphviz.

    References to cut, and those that are suspects, are red and dashed.

    Args:
        report: A ``CycleReport``, ``LeakReport``, ``RetentionReport`` or
            ``ExpectationReport``.
        redact: Leave out keys and the folders of files.

    Raises:
        ArgumentTypeError: Reports of this kind have no graph.

    Example:
        >>> from refscope.render import to_dot
        >>> from refscope.reports import CycleReport
        >>> to_dot(CycleReport()).splitlines()[0]
        'digraph refscope {'
    """
    from ._dot import to_dot as to_dot_now  # noqa: PLC0415  # see to_json

    return to_dot_now(report, redact=redact)


def to_mermaid(report: Report, *, redact: bool = False) -> str:
    """Return the report as a flow chart in the language of Mermaid.

    References to cut, and those that are suspects, are red and dashed.

    Args:
        report: A ``CycleReport``, ``LeakReport``, ``RetentionReport`` or
            ``ExpectationReport``.
        redact: Leave out keys and the folders of files.

    Raises:
        ArgumentTypeError: Reports of this kind have no graph.

    Example:
        >>> from refscope.render import to_mermaid
        >>> from refscope.reports import CycleReport
        >>> to_mermaid(CycleReport())
        'flowchart LR'
    """
    from ._mermaid import to_mermaid as to_mermaid_now  # noqa: PLC0415  # see to_json

    return to_mermaid_now(report, redact=redact)


def from_json(text: str) -> AnyReport:
    """Return the report that ``to_json`` wrote, equal to the one it was made of.

    Keys that are not known are ignored, so that other tools may add their own.

    Raises:
        NewerFormatError: A later refscope wrote it.
        ReportFormatError: It is not a report; the message says where and why.
    """
    from ._json import from_json as from_json_now  # noqa: PLC0415  # see to_json

    return from_json_now(text)


def schema() -> dict[str, object]:
    """Return the JSON Schema (draft 2020-12) of what ``to_json`` writes.

    The package holds it as a file too: ``refscope/render/report.schema.json``.
    """
    from ._schema import schema as schema_now  # noqa: PLC0415  # see to_json

    return schema_now()
