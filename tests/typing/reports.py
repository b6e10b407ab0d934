"""What a type checker sees of reports, merging, comparing and files."""

from __future__ import annotations

from typing_extensions import assert_type

from refscope._files import load, save
from refscope.render import from_json, schema, to_json, to_text
from refscope.reports import AnyReport, DiffReport, TrackReport, diff, merge


def kinds_are_kept(report: TrackReport) -> None:
    """A merge has the class of what is merged, a loaded report the one asked for."""
    assert_type(merge([report]), TrackReport)
    assert_type(load("a.json"), AnyReport)
    assert_type(load("a.json", TrackReport), TrackReport)
    assert_type(from_json("{}"), AnyReport)


def comparing_gives_rows(before: TrackReport, after: TrackReport) -> None:
    """`by` is one of three words."""
    assert_type(diff(before, after, by="site"), DiffReport)
    diff(before, after, by="line")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def renderers_return_text(report: AnyReport) -> None:
    """Every kind of report is taken."""
    assert_type(to_text(report, full=True, unicode=True, redact=True), str)
    assert_type(to_json(report, indent=2), str)
    assert_type(schema(), dict[str, object])
    assert_type(save(report, "a.json", redact=True), None)
