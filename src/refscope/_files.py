"""Reports in files.  What is in a file is the business of ``refscope.render``."""

# No pathlib, which alone would take a twentieth of refscope's import.
# ruff: noqa: PTH101, PTH105, PTH108, PTH116, PTH118, PTH120, PTH122, PTH123

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar, cast, overload

from refscope import _units as units
from refscope.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    ReportFormatError,
)
from refscope.render import from_json, to_dot, to_json, to_mermaid, to_text
from refscope.reports import AnyReport, Report


R = TypeVar("R", bound=Report)
PathName: TypeAlias = str | os.PathLike[str]


def save(report: Report, path: PathName, *, redact: bool = False) -> None:
    """Write the report to a file, in the form that its suffix names.

    ``.json`` can be loaded again; ``.txt`` is the whole text, every row of it;
    ``.dot`` and ``.mmd`` are graphs for Graphviz and Mermaid.  The file appears
    complete or not at all, and replaces one that was there, with the permissions of
    that one.  What is no file, as a pipe or a device, is written to.

    Args:
        report: Any report.
        path: Where to; the folder must be there.
        redact: Leave out labels, tags, keys, names of threads and folders of files.

    Raises:
        InvalidArgumentError: The suffix is not known, or no file can have this name.
        ArgumentTypeError: ``path`` is no path, or ``report`` no report.
        OSError: The file cannot be written; ``filename`` is ``path``.
    """
    name = _name_of(path)
    write = _WRITERS.get(os.path.splitext(name)[1].lower())
    if write is None:
        raise InvalidArgumentError(
            f"{name!r} has no suffix that says what to write: "
            f"known are {', '.join(_WRITERS)}"
        )
    _replace(name, write(report, redact) + "\n")


@overload
def load(path: PathName) -> AnyReport: ...
@overload
def load(path: PathName, kind: type[R]) -> R: ...
def load(path: PathName, kind: type[R] | None = None) -> AnyReport | R:
    """Return the report that a ``.json`` file holds.

    Args:
        path: The file.
        kind: Class that the report must have; by default any.

    Raises:
        NewerFormatError: A later refscope wrote it.
        ReportFormatError: It is no report, or one of another kind.
        InvalidArgumentError: No file can have this name.
        ArgumentTypeError: ``kind`` is no class of report, or ``path`` no path.
        OSError: The file cannot be read.
    """
    name = _name_of(path)
    try:
        report = from_json(_content(name))
    except ReportFormatError as error:
        raise type(error)(f"{name}: {error}") from None
    if kind is None:
        return report
    _check_kind(kind)
    if not isinstance(report, kind):
        raise ReportFormatError(
            f"{name}: this is {units.one(type(report).__name__)}, and "
            f"{units.one(kind.__name__)} was asked for"
        )
    return report


def _name_of(path: object) -> str:
    """Return the name of a file as text."""
    name = path
    if not isinstance(name, str) and hasattr(type(name), "__fspath__"):
        name = cast("object", os.fspath(cast("PathName", path)))
    if not isinstance(name, str):
        raise ArgumentTypeError(
            "a path is text or a pathlib.Path, such as 'report.json', "
            f"not {units.one(type(name).__name__)}"
        )
    try:
        is_possible = b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        is_possible = False
    if not is_possible:
        raise InvalidArgumentError(f"{name!r} has characters that no file's name has")
    return name


def _check_kind(kind: object) -> None:
    if not (isinstance(kind, type) and issubclass(kind, Report)):
        raise ArgumentTypeError(
            "load takes a class of report as its kind, such as TrackReport, "
            f"not {kind!r:.60}"
        )


def _text(report: Report, redact: bool) -> str:  # noqa: FBT001  # one of a table
    return to_text(report, full=True, redact=redact)


def _json(report: Report, redact: bool) -> str:  # noqa: FBT001  # one of a table
    return to_json(report, redact=redact)


def _dot(report: Report, redact: bool) -> str:  # noqa: FBT001  # one of a table
    return to_dot(report, redact=redact)


def _mermaid(report: Report, redact: bool) -> str:  # noqa: FBT001  # one of a table
    return to_mermaid(report, redact=redact)


def _content(name: str) -> str:
    try:
        with open(name, encoding="utf-8") as file:
            # Some editors and shells put a byte order mark in front.  The codec that
            # knows it would be loaded now, and this may be inside a block.
            return file.read().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ReportFormatError(f"this is not UTF-8: {error}") from None


def _replace(name: str, text: str) -> None:
    """Put a finished file in the place of the one with this name."""
    # Through a link to what it links to, so that the link stays.
    target = os.path.realpath(name)
    mode = _mode_of(target)
    try:
        if mode is None or stat.S_ISREG(mode):
            _draft(target, mode, text)
        else:  # a pipe or device stays what it is
            with open(target, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        if error.errno is not None:  # else its text stands alone
            # Nobody knows of the draft, and a full disk names no file.
            error.filename = name
        raise


def _draft(target: str, mode: int | None, text: str) -> None:
    """Write a file beside the target, and give it the target's name."""
    # Not from tempfile, whose files only their owner can read.
    draft = os.path.join(os.path.dirname(target), f".refscope-{os.urandom(4).hex()}")
    try:
        with open(draft, "x", encoding="utf-8", newline="\n") as file:
            if mode is not None:  # as private as it was, before anything is in it
                os.chmod(draft, stat.S_IMODE(mode))
            file.write(text)
        os.replace(draft, target)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(draft)


def _mode_of(path: str) -> int | None:
    """Return kind and permissions of a file, None if there is none yet."""
    try:
        return os.stat(path).st_mode
    except OSError:
        return None


_WRITERS: Mapping[str, Callable[[Report, bool], str]] = {
    ".json": _json,
    ".txt": _text,
    ".dot": _dot,
    ".mmd": _mermaid,
}
