"""The command line: programs run as under Python, reports shown and compared."""

from __future__ import annotations

import errno
import os
import py_compile
import signal
import subprocess
import sys
import sysconfig
import zipfile
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest

from refscope import _cli
from refscope.__main__ import main
from refscope._files import load, save
from refscope._measure.session import tracing
from refscope.exceptions import TrackingError
from refscope.render import to_text
from refscope.reports import TrackReport, diff

from .reports.by_hand import site
from .track.helpers import without_coverage


PROBE = """
import sys
members = {
    name: value if name in {"__file__", "__cached__", "__package__"} else type(value)
    for name, value in globals().items()
    if name.startswith("__")
}
print(sys.argv, sys.path[0], sorted(members.items()))
print(__name__, getattr(__spec__, "name", None), sys.modules["__main__"].sys is sys)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Be in an empty folder, and give the process back as it was."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [*sys.argv])
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setitem(sys.modules, "__mp_main__", sys.modules["__main__"])
    before = {*sys.modules}

    yield tmp_path

    for name in {*sys.modules} - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def reports(folder):
    """Have two reports in files."""
    before = TrackReport(label="a", sites=(site("/b/a.py", 1, "f", 100),))
    after = TrackReport(label="b", sites=(site("/b/a.py", 2, "f", 300),))
    save(before, folder / "a.json")
    save(after, folder / "b.json")
    return before, after


def _command(*words):
    return _cli.main(words, demo=lambda: "demonstrated")


def _write(name, text):
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def _python(*words, covered=False):
    """Return the answer of an interpreter; what it runs is mostly covered elsewhere."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        env=None if covered else without_coverage(),
        text=True,
        check=False,
        timeout=300,
    )


def _one_line(capsys, *words):
    """Return the one line that a refused command says."""
    status = _command(*words)
    said = capsys.readouterr()

    assert (status, said.out) == (2, "")
    assert said.err.startswith("refscope: ")
    assert said.err.count("\n") == 1
    return said.err


# -- Programs are run as Python runs them.
@pytest.mark.needs_subprocess
@pytest.mark.parametrize(
    "words",
    [
        "sub/../probe.py --limit 9 -m y",
        "link.py",
        "app.zip --full",
        "-mprobe a",
        "-m pkg",
        "-m pkg.probe -- a",
        "-- link.py -- a",
    ],
)
def test_programs_see_what_python_shows_them(folder, words):
    """Arguments, path and ``__main__`` are as under Python, and stdout is its own."""
    _write("probe.py", PROBE)
    _write("pkg/__main__.py", PROBE)
    _write("pkg/probe.py", PROBE)
    _write("pkg/__init__.py", "import sys; print(sys.argv, sys.path[0])")
    _write("sub/empty.py", "")
    with zipfile.ZipFile("app.zip", "w") as file:
        file.write("probe.py", "__main__.py")
    Path("link.py").symlink_to("probe.py")
    expected = _python(*words.split())
    actual = _python("-m", "refscope", "run", "--limit", "2", *words.split())

    assert actual.stdout == expected.stdout
    assert (actual.returncode, expected.returncode) == (0, 0)
    assert actual.stderr.startswith("KEPT")


ENDS = {
    "status": "sys.exit(7)",
    "text": "sys.exit('enough')",
    "error": "def f():\n    raise ValueError('no')\nf()",
    "chain": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    [][0]",
    "own hook": "sys.excepthook = lambda *error: print(error[1])\n1 / 0",
    "interrupt": "raise KeyboardInterrupt",
    "syntax": "def f(:",
}


@pytest.mark.needs_subprocess
@pytest.mark.parametrize("how", ENDS)
def test_programs_end_as_under_python(folder, how):
    """Status, traceback and exit handlers are Python's; the report comes before."""
    begin = "import atexit, sys\natexit.register(print, 'bye')\n"
    _write("script.py", begin + ENDS[how])
    expected = _python("script.py")
    actual = _python("-m", "refscope", "run", "script.py", covered=how == "status")
    report = actual.stderr[: -len(expected.stderr) or None]

    assert actual.returncode == expected.returncode
    assert actual.stdout == expected.stdout
    assert actual.stderr.endswith(expected.stderr)
    assert report.startswith("KEPT 'script.py'" if how != "syntax" else "")


@pytest.mark.needs_subprocess
def test_ctrl_c(folder):
    """A program that is interrupted dies of it, after its report."""
    signal_it = (
        "import os, signal\n"
        # Where the tests run in the background it may be ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "while 1: pass"
    )
    _write("script.py", signal_it)
    answer = _python("-m", "refscope", "run", "script.py")

    assert answer.returncode == _python("script.py").returncode
    assert answer.returncode in {-signal.SIGINT, 130, 0xC000013A}
    assert "left by KeyboardInterrupt" in answer.stderr


@pytest.mark.needs_subprocess
@pytest.mark.needs_threads
@pytest.mark.parametrize("words", [["script.py"], ["-m", "script"]])
def test_main_can_be_pickled_and_spawned(folder, words):
    """Classes of ``__main__`` travel to other processes, and those find it."""
    _write(
        "script.py",
        "import multiprocessing, pickle\n"
        "class Item:\n"
        "    def __eq__(self, other): return type(other) is Item\n"
        "def send(queue, item): queue.put(item)\n"
        "if __name__ == '__main__':\n"
        "    assert pickle.loads(pickle.dumps(Item())) == Item()\n"
        "    spawn = multiprocessing.get_context('spawn')\n"
        "    queue = spawn.SimpleQueue()\n"
        "    process = spawn.Process(target=send, args=(queue, Item()))\n"
        "    process.start()\n"
        "    process.join()\n"
        "    print(process.exitcode, queue.get() == Item())\n",
    )
    answer = _python("-m", "refscope", "run", *words)

    assert (answer.stdout, answer.returncode) == ("0 True\n", 0)


@pytest.mark.exact
@pytest.mark.needs_subprocess
@pytest.mark.skipif(sys.version_info < (3, 11), reason="each call made a frame object")
def test_nothing_of_the_command_is_measured(folder):
    """An empty program gets an empty report."""
    _write("empty.py", "")
    answer = _python("-m", "refscope", "run", "empty.py")

    assert answer.stderr.startswith(
        "CLEAN 'empty.py': kept 0 B, 0 blocks, 0 objects; peak 0 B, "
    )


@pytest.mark.exact
@pytest.mark.needs_subprocess
def test_what_the_program_keeps(folder):
    """Memory that is there when the program ends is reported at its line."""
    _write("script.py", "kept = bytes(10_000_000)\n")
    _python("-m", "refscope", "run", "--json", "report.json", "script.py")
    report = load(folder / "report.json", TrackReport)
    largest = report.sites[0]

    assert largest.size_diff == sys.getsizeof(bytes(10_000_000))
    assert str(largest.traceback.innermost).endswith("script.py:1")
    assert not report.types


# -- The same in this process.
def test_report_goes_to_stderr(folder, capsys):
    """What the program prints and what refscope says are kept apart."""
    _write("script.py", "import sys\nprint(__name__, sys.argv)\nkept = [1.5] * 1000\n")

    assert _command("run", "--frames", "2", "--full", "script.py", "--full") == 0
    said = capsys.readouterr()
    assert said.out == "__main__ ['script.py', '--full']\n"
    assert said.err.startswith("KEPT 'script.py': kept +")
    assert f"{folder / 'script.py'}:3" in said.err


@pytest.mark.needs_subprocess
def test_callers_of_the_program(folder):
    """The lines of the command are not among them."""
    _write("script.py", "kept = bytes(1000)\n")
    said = _python("-m", "refscope", "run", "--frames=9", "--full", "script.py").stderr
    callers = [line for line in said.splitlines() if line.strip().startswith("from ")]

    assert f"{folder / 'script.py'}:1" in said
    assert callers
    assert all("<frozen runpy>" in line or "runpy.py" in line for line in callers)


def test_modules(folder, capsys):
    """A module is found by its name, and what it is called stays."""
    _write("pkg/__init__.py", "")
    _write("pkg/__main__.py", "import sys\nprint(__spec__.name, sys.argv[1:])\n")

    assert _command("run", "--limit=1", "-m", "pkg", "--limit=2") == 0
    said = capsys.readouterr()
    assert said.out == "pkg.__main__ ['--limit=2']\n"
    assert said.err.startswith("KEPT '-m pkg': kept +")


def test_both_names_of_main(folder, capsys):
    """The name that multiprocessing gave ``__main__`` moves with it."""
    _write("script.py", "import sys\nprint(sys.modules['__mp_main__'].sys is sys)\n")

    assert _command("run", "script.py") == 0
    assert capsys.readouterr().out == "True\n"


def test_folders(folder, capsys):
    """A folder with a ``__main__`` is a program."""
    _write("app/__main__.py", "import sys\nprint(sys.path[0], __spec__.name)\n")

    assert _command("run", "app") == 0
    assert capsys.readouterr().out == f"{folder / 'app'} __main__\n"


def test_compiled_files(folder, capsys):
    """A file of byte code is a program."""
    _write("script.py", "print(__file__)\n")
    py_compile.compile("script.py", "script.pyc")

    assert _command("run", "script.pyc") == 0
    assert capsys.readouterr().out == f"{folder / 'script.pyc'}\n"


def test_sys_exit_goes_on(folder, capsys):
    """``sys.exit`` ends this process as the program wished, after the report."""
    _write("script.py", "import sys\nsys.exit('enough')\n")

    with pytest.raises(SystemExit, match="enough"):
        _command("run", "script.py")
    assert "left by SystemExit" in capsys.readouterr().err


def test_unprintable_ends(folder, capsys):
    """Whatever the program gives to ``sys.exit`` arrives as it is."""
    _write("script.py", "import sys\nsys.exit([1])\n")

    with pytest.raises(SystemExit) as caught:
        _command("run", "script.py")
    assert caught.value.code == [1]


def test_errors_are_shown_without_our_lines(folder, capsys):
    """The traceback of a program's error begins in the program."""
    _write("script.py", "def f():\n    raise ValueError('no')\nf()\n")

    with pytest.raises(ValueError, match="no") as caught:
        _command("run", "script.py")
    assert capsys.readouterr().err.startswith("KEPT")
    sys.excepthook(caught.type, caught.value, caught.tb)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[1] == f'  File "{folder / "script.py"}", line 3, in <module>'
    assert lines[-1] == "ValueError: no"


@pytest.mark.parametrize("script", ["1 / 0", "1 /"])
def test_errors_of_a_program_without_a_hook(folder, capsys, monkeypatch, script):
    """One that has deleted ``sys.excepthook`` has its error shown by Python's own."""
    _write("script.py", script)
    monkeypatch.delattr(sys, "excepthook")

    with pytest.raises((ZeroDivisionError, SyntaxError)) as caught:
        _command("run", "script.py")
    capsys.readouterr()
    sys.excepthook(caught.type, caught.value, caught.tb)
    first, second, *_ = capsys.readouterr().err.splitlines()

    assert f'  File "{folder / "script.py"}", line 1' in second + first


def test_errors_of_a_package(folder, capsys):
    """What a package misses is its own error, not a wrong name."""
    _write("pkg/__init__.py", "import nothing_of_this_name\n")
    _write("pkg/module.py", "")

    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name") as caught:
        _command("run", "-m", "pkg.module")
    capsys.readouterr()
    sys.excepthook(caught.type, caught.value, caught.tb)
    lines = capsys.readouterr().err.splitlines()
    init = folder / "pkg" / "__init__.py"
    assert lines[1] == f'  File "{init}", line 1, in <module>'


def test_syntax_errors(folder, capsys):
    """A script that is no Python is shown as Python shows it."""
    _write("script.py", "def f(:\n")

    with pytest.raises(SyntaxError) as caught:
        _command("run", "script.py")
    sys.excepthook(caught.type, caught.value, caught.tb)
    first = capsys.readouterr().err.splitlines()[0]
    assert first == f'  File "{folder / "script.py"}", line 1'


def test_safe_path(folder, monkeypatch):
    """Where Python adds no folder to the path, nothing on it is replaced."""
    flags = {name: getattr(sys.flags, name) for name in dir(sys.flags)}
    public = {name: flag for name, flag in flags.items() if not name.startswith("_")}
    fake = SimpleNamespace(**{**public, "safe_path": True, "isolated": 1})
    monkeypatch.setattr(sys, "flags", fake)
    _write("script.py", "")
    before = [*sys.path]
    _command("run", "script.py")

    assert sys.path == before


@pytest.mark.parametrize("stderr", [None, "closed"])
def test_no_place_for_the_report(folder, monkeypatch, stderr):
    """A process without stderr runs its program all the same."""
    if stderr == "closed":
        stderr = StringIO()
        stderr.close()
    monkeypatch.setattr(sys, "stderr", stderr)
    _write("script.py", "")

    assert _command("run", "--json", "report.json", "script.py") == 0
    assert load("report.json").label == "script.py"


# -- What cannot be run.
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nowhere.py"], "nowhere.py: No such file or directory"),
        (["empty"], "empty: there is no __main__.py in it"),
        (["broken.pyc"], "bad magic number"),
        (["-m", "nowhere"], "no module named 'nowhere'"),
        (["-m", "nowhere.at.all"], "no module named 'nowhere.at.all'"),
        (["-m", "json.nowhere"], "no module named 'json.nowhere'"),
        (["-m", "json.tool.nowhere"], "no module named 'json.tool.nowhere'"),
        (["-m", "empty"], "no module named 'empty.__main__'"),
        (["-m", ".relative"], "no module named '.relative'"),
        (["-m"], "-m takes the name of a module"),
        (["-m", "sys"], "sys: this module is not written in Python"),
        ([], "run takes a program: SCRIPT [ARGS] | -m MODULE [ARGS]"),
        (["--frames", "0", "a.py"], "frames takes 1 to 65,535, not 0"),
        (["--limit", "-1", "a.py"], "--limit takes 0 or more, not -1"),
        (["--json", "no/such.json", "a.py"], "no such folder to write JSON to"),
        (["--json", "empty", "a.py"], "--json takes the name of a file, not 'empty'"),
        (["--json", "", "a.py"], "--json takes the name of a file, not ''"),
        (["--"], "run takes a program: SCRIPT [ARGS] | -m MODULE [ARGS]"),
    ],
)
def test_what_cannot_be_run(folder, capsys, words, reason):
    """A program that cannot be run, or not so, is refused in one line."""
    _write("a.py", "raise AssertionError")
    _write("broken.pyc", "this is no byte code")
    _write("empty/other.py", "")

    assert reason in _one_line(capsys, "run", *words)


def test_where_tracing_is_refused(folder, capsys, monkeypatch):
    """A process that cannot be traced is said so before the program begins."""

    def refuse():
        raise TrackingError("not beside another interpreter")

    monkeypatch.setattr(tracing, "refuse_other_interpreters", refuse)
    _write("a.py", "raise AssertionError")

    assert "another interpreter" in _one_line(capsys, "run", "a.py")


def test_json_that_cannot_be_written(folder, capsys):
    """The report is shown also when its file cannot be written, and the status is 2."""
    _write("a.py", "import os; os.mkdir('a.json')")

    assert _command("run", "--json", "a.json", "a.py") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"refscope: {folder / 'a.json'}: ")
    assert "'a.py': kept" in said


@pytest.mark.parametrize(("code", "status"), [("", 2), ("0", 2), ("3", 3), ("''", "")])
def test_json_of_a_program_that_exits(folder, capsys, code, status):
    """Who ends by ``sys.exit`` has done as well as who just ends."""
    _write("a.py", f"import os, sys; os.mkdir('a.json'); sys.exit({code})")
    try:
        ended = _command("run", "--json", "a.json", "a.py")
    except SystemExit as error:
        ended = error.code

    assert ended == status
    assert f"refscope: {folder / 'a.json'}: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["go"], [], ["run", "--nonsense"], ["diff", "a"], ["run", "--frames"]]
)
def test_wrong_use(capsys, words):
    """A command line that is not understood gets one line and status 2."""
    with pytest.raises(SystemExit) as caught:
        _command(*words)

    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


# -- Reports in files.
def test_a_run_can_be_shown_again(folder, capsys):
    """``show`` prints what ``run`` printed, wherever the program has gone."""
    _write("script.py", "import os\nos.chdir('/')\nkept = [[] for _ in range(100)]\n")
    _command("run", "--json", "report.json", "script.py")
    said = capsys.readouterr().err

    assert _command("show", str(folder / "report.json")) == 0
    assert capsys.readouterr().out == said


def test_show(reports, capsys):
    """The text is that of ``to_text``, with its choices."""
    assert _command("show", "a.json", "--full", "--limit", "0") == 0
    text = to_text(reports[0], full=True, limit=0)
    assert capsys.readouterr().out == text + "\n"


@pytest.mark.parametrize("by", ["site", "function", "fingerprint"])
def test_diff(reports, capsys, by):
    """Two files are compared by what the user asks for."""
    assert _command("diff", "a.json", "b.json", "--by", by) == 0
    assert capsys.readouterr().out == f"{diff(*reports, by=by)}\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "a.json: "),
        ("[1]", "a.json: "),
        ('{"kind": "TrackReport", "format_version": 99}', "99"),
        ("\udcff", "UTF-8"),
        (None, "a.json: No such file or directory"),
    ],
)
@pytest.mark.parametrize("words", [["show", "a.json"], ["diff", "a.json", "a.json"]])
def test_files_that_cannot_be_read(folder, capsys, content, reason, words):
    """A file that is no report, or too new a one, gets one line that names it."""
    if content is not None:
        (folder / "a.json").write_bytes(content.encode("utf-8", "surrogateescape"))

    assert reason in _one_line(capsys, *words)


def test_reports_that_cannot_be_compared(reports, capsys):
    """Only reports of blocks are compared."""
    save(diff(*reports), "c.json")

    assert "cannot be compared" in _one_line(capsys, "diff", "a.json", "c.json")


# -- Where nothing can be printed.
PRINTING = [["show", "a.json"], ["diff", "a.json", "b.json"], ["demo"]]


def _closed_pipe():
    """Return the end for writing of a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    return os.fdopen(write, "w", encoding="ascii")


def _full_disk():
    if not Path("/dev/full").exists():
        pytest.skip("no disk that is full")
    return Path("/dev/full").open("w", encoding="ascii")


@pytest.mark.needs_subprocess
@pytest.mark.skipif(os.name != "posix", reason="others tell it by another error")
@pytest.mark.parametrize("words", PRINTING)
def test_a_closed_pipe_ends_quietly(reports, capsys, monkeypatch, words):
    """Who reads ``| head`` has read enough: no message, only a status."""
    with _closed_pipe() as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        status = _command(*words)

    assert status == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("words", PRINTING)
def test_a_full_disk_is_said(reports, capsys, monkeypatch, words):
    """What cannot be written is said in one line."""
    with _full_disk() as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        status = _command(*words)

    assert status == 2
    assert capsys.readouterr().err == (
        "refscope: standard output: No space left on device\n"
    )


def test_a_place_that_is_no_file(reports, capsys, monkeypatch):
    """Whatever stands in for stdout may fail too."""

    def fail(*_):
        raise OSError(errno.EIO, "no luck")

    monkeypatch.setattr(sys, "stdout", SimpleNamespace(write=fail, fileno=fail))

    assert _command("show", "a.json") == 2
    assert capsys.readouterr().err == "refscope: standard output: no luck\n"


@pytest.mark.needs_subprocess
@pytest.mark.skipif(os.name != "posix", reason="others tell it by another error")
@pytest.mark.parametrize(
    ("place", "answer"),
    [
        (_closed_pipe, (1, "")),
        (_full_disk, (2, "refscope: standard output: No space left on device\n")),
    ],
)
def test_python_has_nothing_to_add(reports, place, answer):
    """What is left in its buffer is not tried again when Python ends."""
    command = [sys.executable, "-m", "refscope", "show", "a.json"]
    with place() as stdout:
        ended = subprocess.run(
            command,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=without_coverage(),
            text=True,
            check=False,
            timeout=300,
        )

    assert (ended.returncode, ended.stderr) == answer


# -- The rest.
def test_demo_is_the_callers(capsys):
    """What ``demo`` prints is handed in."""
    assert _command("demo") == 0
    assert capsys.readouterr().out == "demonstrated\n"


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["run", "--help"]])
def test_information(capsys, words):
    """Help and version go to stdout, with status 0."""
    with pytest.raises(SystemExit) as caught:
        _command(*words)

    assert caught.value.code == 0
    assert capsys.readouterr().out


def test_main_reads_the_command_line(reports, capsys, monkeypatch):
    """``main`` takes the words from ``sys.argv``."""
    monkeypatch.setattr(sys, "argv", ["refscope", "show", "a.json"])

    assert main() == 0
    assert capsys.readouterr().out == f"{reports[0]}\n"


@pytest.mark.needs_subprocess
def test_installed_script(reports):
    """What is installed as ``refscope`` does what ``python -m refscope`` does."""
    script = Path(sysconfig.get_path("scripts"), "refscope")
    if not script.exists():
        pytest.skip("refscope is on the path, but not installed")
    answer = _python(script, "show", "a.json")

    assert answer.stdout == f"{reports[0]}\n"
