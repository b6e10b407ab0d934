"""Reports in files."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from refscope._files import load, save
from refscope.exceptions import (
    ArgumentTypeError,
    InvalidArgumentError,
    NewerFormatError,
    ReportFormatError,
)
from refscope.render import to_json, to_text
from refscope.reports import DiffReport, Report, TrackReport

from .by_hand import site


REPORT = TrackReport(label="é", sites=(site("/b/a.py", 1, "f", 1),))


@pytest.mark.parametrize("name", ["a.json", "A.JSON", "a.b.json"])
def test_what_is_saved_is_loaded(tmp_path, name):
    """A report comes back equal, and its file ends with a line break."""
    save(REPORT, tmp_path / name)

    assert load(tmp_path / name) == REPORT
    assert (tmp_path / name).read_bytes().endswith(b"}\n")


def test_names_of_files_may_be_text(tmp_path):
    """A path is whatever open() takes by name."""
    save(REPORT, str(tmp_path / "a.json"))

    assert load(str(tmp_path / "a.json"), TrackReport) == REPORT


@pytest.mark.parametrize("path", [None, 3, b"a.json", ["a.json"]])
def test_a_path_is_text_or_has_one(path):
    """Anything else is refused by its kind: a number would be an open file."""
    with pytest.raises(ArgumentTypeError, match="a path is text or"):
        save(REPORT, path)
    with pytest.raises(ArgumentTypeError, match=f"not an? {type(path).__name__}"):
        load(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows can write such names")
@pytest.mark.parametrize("name", ["a\0.json", "\ud800.json"])
def test_no_file_has_such_a_name(name):
    """The system would refuse it in words of its own."""
    with pytest.raises(InvalidArgumentError, match="no file's name has"):
        save(REPORT, name)
    with pytest.raises(InvalidArgumentError, match=r"\\(x00|ud800)\.json"):
        load(name)


def test_text_files_hold_the_full_text(tmp_path):
    """A file has room for everything."""
    save(REPORT, tmp_path / "a.txt")

    assert (tmp_path / "a.txt").read_bytes().decode() == (
        to_text(REPORT, full=True) + "\n"
    )


@pytest.mark.parametrize("name", ["a.json", "a.txt"])
def test_redacted_files_do_not_tell(tmp_path, name):
    """Neither the label nor the folder is in the file."""
    save(REPORT, tmp_path / name, redact=True)
    content = (tmp_path / name).read_text(encoding="utf-8")

    assert "/b/" not in content
    assert "xe9" not in content
    assert "00e9" not in content


@pytest.mark.parametrize("name", ["report", "a.pickle", ".json"])
def test_unknown_suffixes_are_refused(tmp_path, name):
    """The message lists those that are known, and nothing is written."""
    with pytest.raises(InvalidArgumentError, match=r"known are \.json, \.txt"):
        save(REPORT, tmp_path / name)

    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced(tmp_path):
    """The later report is in it, and no draft is left."""
    save(DiffReport(by="site"), tmp_path / "a.json")
    save(REPORT, tmp_path / "a.json")

    assert load(tmp_path / "a.json") == REPORT
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    """Whatever goes wrong in the end, the file is whole and no draft is left."""
    save(REPORT, tmp_path / "a.json")

    def fail(*_):
        raise OSError("disk on fire")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk on fire"):
        save(DiffReport(by="site"), tmp_path / "a.json")

    assert load(tmp_path / "a.json") == REPORT
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_link_stays_a_link(tmp_path):
    """The report goes where the link leads."""
    (tmp_path / "there").mkdir()
    link = tmp_path / "a.json"
    try:
        link.symlink_to(tmp_path / "there" / "b.json")
    except OSError:
        pytest.skip("no symbolic links here")
    save(REPORT, link)

    assert link.is_symlink()
    assert load(tmp_path / "there" / "b.json") == REPORT


def test_a_kind_can_be_asked_for(tmp_path):
    """The base class stands for any; another one is refused by both names."""
    save(REPORT, tmp_path / "a.json")

    assert load(tmp_path / "a.json", Report) == REPORT
    with pytest.raises(
        ReportFormatError, match=r"a\.json: this is a TrackReport, and a DiffReport"
    ):
        load(tmp_path / "a.json", DiffReport)


def test_a_byte_order_mark_is_no_harm(tmp_path):
    """Some editors write one."""
    (tmp_path / "a.json").write_text(to_json(REPORT), encoding="utf-8-sig")

    assert load(tmp_path / "a.json") == REPORT


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"{", ReportFormatError, "this is not JSON"),
        (b"\xff\xfe{", ReportFormatError, "this is not UTF-8"),
        (b"{}", ReportFormatError, "this is not a report"),
        (b'{"format_version": 99}', NewerFormatError, "format 99"),
    ],
)
def test_errors_name_the_file(tmp_path, content, error, message):
    """One error per cause, and the file in front."""
    (tmp_path / "a.json").write_bytes(content)

    with pytest.raises(error, match=rf"a\.json: .*{message}"):
        load(tmp_path / "a.json")


def test_a_missing_file_is_missing(tmp_path):
    """What the system says best is left to it."""
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "a.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.needs_threads
def test_a_pipe_stays_a_pipe(tmp_path):
    """What is no file is written to, and not replaced by one."""
    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    read = []
    thread = threading.Thread(target=lambda: read.append(path.read_text("utf-8")))
    thread.start()
    save(TrackReport(label="x"), path)
    thread.join()

    assert stat.S_ISFIFO(path.stat().st_mode)
    assert "TrackReport" in read[0] or "track" in read[0]


@pytest.mark.skipif(os.name != "posix", reason="others keep no such permissions")
def test_a_private_file_stays_private(tmp_path):
    """Reports hold keys and labels."""
    path = tmp_path / "own.json"
    path.write_text("old")
    path.chmod(0o600)
    save(TrackReport(label="x"), path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_errors_name_what_was_asked_for(tmp_path):
    """Not the draft; and a name may be as long as the system allows."""
    with pytest.raises(FileNotFoundError) as caught:
        save(TrackReport(), tmp_path / "missing" / "x.json")
    save(TrackReport(), tmp_path / f"{'n' * 240}.json")

    assert caught.value.filename == str(tmp_path / "missing" / "x.json")


@pytest.mark.parametrize(
    "kind",
    [
        "TrackReport",
        (TrackReport, DiffReport),
        TrackReport | DiffReport,
        dict,
        dict[str, int],
        TrackReport(),
    ],
)
def test_a_kind_that_is_no_report(tmp_path, kind):
    """Only one class of report can be asked for."""
    path = tmp_path / "x.json"
    save(TrackReport(), path)

    with pytest.raises(ArgumentTypeError, match="a class of report"):
        load(path, kind)


@pytest.mark.skipif(os.name != "posix", reason="others keep no such permissions")
def test_a_draft_is_as_private(tmp_path, monkeypatch):
    """Nobody else can read the report while it is written."""
    path = tmp_path / "own.json"
    path.write_text("old")
    path.chmod(0o600)
    written = []
    chmod = os.chmod

    def watched(draft, mode):
        written.append(Path(draft).stat().st_size)
        chmod(draft, mode)

    monkeypatch.setattr(os, "chmod", watched)
    save(REPORT, path)

    assert written == [0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is full")
def test_a_full_disk_is_named(tmp_path):
    """The system does not say which file it was writing to."""
    (tmp_path / "full.json").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        save(REPORT, tmp_path / "full.json")

    assert caught.value.filename == str(tmp_path / "full.json")


def test_a_folder_is_named_as_it_was_asked_for(tmp_path, monkeypatch):
    """A folder is no file, and a relative name stays one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OSError, match=r"'a\.json'") as caught:
        save(REPORT, "a.json")

    assert caught.value.filename == "a.json"
