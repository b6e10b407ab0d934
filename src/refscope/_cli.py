"""The commands: ``demo``, ``run``, ``show`` and ``diff``.

``run`` makes this process what ``python SCRIPT`` would have made it, opens a block and
executes the program.  All that it needs is imported here, before the block: an import
inside would be measured.  What leaves the program (an error, ``sys.exit``, Ctrl-C)
goes on to Python itself, so that exit status and exit handlers are those of the
program; only the traceback is shortened by the lines of refscope.
"""

# No pathlib: sys.path and __file__ hold what Python puts there, not normalized.
# ruff: noqa: PTH100, PTH109, PTH112, PTH118, PTH120

from __future__ import annotations

import argparse
import builtins
import contextlib
import io
import os
import pkgutil
import sys
from collections.abc import Callable, Generator, Sequence
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader, SourcelessFileLoader
from importlib.util import find_spec
from types import CodeType, FunctionType, ModuleType, TracebackType
from typing import Any, NoReturn, TextIO, TypeAlias

from refscope import _files
from refscope._block import Block
from refscope._track import track
from refscope._typing import override
from refscope._version import __version__
from refscope.exceptions import RefscopeError, TrackingError
from refscope.render import to_json, to_text
from refscope.reports import Report, diff


_Command: TypeAlias = Callable[[argparse.Namespace], int]
_NOT_READ = 1
_BAD_USE = 2
_PROGRAM = "SCRIPT [ARGS] | -m MODULE [ARGS]"


class _RefusalError(Exception):
    """A command that cannot be carried out; the message is for people."""


def main(words: Sequence[str], *, demo: Callable[[], str]) -> int:
    """Carry out one command and return the exit status.

    Args:
        words: The command line without the name of the program.
        demo: Returns what the command ``demo`` prints.
    """
    head, program = _split(words)
    options = _parser(demo).parse_args(head)
    options.program = program
    try:
        status: int = options.command(options)
    except _RefusalError as refusal:
        _say(f"refscope: {refusal}", sys.stderr)
        return _BAD_USE
    return status


def _say(text: str, stderr: TextIO | None) -> None:
    """Print where errors go, if there is such a place."""
    if stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # closed by the program
            print(text, file=stderr)


def _print(text: str) -> int:
    """Print what was asked for and return the exit status."""
    try:
        print(text, flush=True)  # noqa: T201  # the answer of a command
    except BrokenPipeError:  # whoever reads has read enough
        _forget_the_rest()
        return _NOT_READ
    except OSError as error:
        _forget_the_rest()
        raise _RefusalError(f"standard output: {error.strerror}") from None
    return 0


def _forget_the_rest() -> None:
    """Lead stdout nowhere, or Python writes once more what is left when it ends."""
    with contextlib.suppress(OSError):  # of a stand-in that is no file
        place = sys.stdout.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, place)
        os.close(nowhere)


# -- What is asked for.
class _Parser(argparse.ArgumentParser):
    """A parser that complains in one line."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(_BAD_USE, f"refscope: {message} (see {self.prog} --help)\n")


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Cut the words of ``run`` in front of the program: the rest is the program's."""
    place = 1 if words and words[0] == "run" else len(words)
    while place < len(words) and words[place].startswith("-"):
        if words[place] == "--":
            return [*words[:place]], [*words[place + 1 :]]
        if words[place].startswith("-m"):
            break
        place += 2 if words[place] in {"--frames", "--json", "--limit"} else 1
    return [*words[:place]], [*words[place:]]


def _parser(demo: Callable[[], str]) -> _Parser:
    parser = _Parser(
        prog="python -m refscope",
        description="Find out what a Python program allocates and keeps.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_demo(commands, demo)
    _add_run(commands)
    _add_show(commands)
    _add_diff(commands)
    return parser


def _add(
    commands: Any, name: str, about: str, command: _Command
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=about, allow_abbrev=False
    )
    parser.set_defaults(command=command)
    return parser


def _add_demo(commands: Any, demo: Callable[[], str]) -> None:
    def command(_options: argparse.Namespace) -> int:
        return _print(demo())

    _add(commands, "demo", "track a small program and explain its reports", command)


def _add_run(commands: Any) -> None:
    about = "run a program and report on stderr what it allocated and kept"
    parser = _add(commands, "run", about, _run)
    parser.usage = f"python -m refscope run [OPTIONS] {_PROGRAM}"
    frames = "lines of the stack to keep of each allocation; each one costs time"
    parser.add_argument("--frames", type=int, default=1, metavar="N", help=frames)
    file = "write the report there too, for show and diff"
    parser.add_argument("--json", metavar="FILE", help=file)
    _add_text_options(parser)


def _add_show(commands: Any) -> None:
    parser = _add(commands, "show", "print a report that was saved as JSON", _show)
    parser.add_argument("file", metavar="FILE")
    _add_text_options(parser)


def _add_diff(commands: Any) -> None:
    parser = _add(commands, "diff", "compare the sites of two saved reports", _diff)
    parser.add_argument("before", metavar="A")
    parser.add_argument("after", metavar="B")
    keys = ("site", "function", "fingerprint")
    parser.add_argument("--by", choices=keys, default="function", help="what a row is")
    _add_text_options(parser)


def _add_text_options(parser: argparse.ArgumentParser) -> None:
    rows = "show that many rows of each list; by default what fits into 25 lines"
    parser.add_argument("--limit", type=int, metavar="N", help=rows)
    full = "show whole paths, all frames and, without --limit, all rows"
    parser.add_argument("--full", action="store_true", help=full)


# -- The commands that read reports.
def _show(options: argparse.Namespace) -> int:
    with _refusing():
        text = _text(_files.load(options.file), options)
    return _print(text)


def _diff(options: argparse.Namespace) -> int:
    with _refusing():
        before, after = _files.load(options.before), _files.load(options.after)
        text = _text(diff(before, after, by=options.by), options)
    return _print(text)


def _text(report: Report, options: argparse.Namespace) -> str:
    return to_text(report, full=options.full, limit=options.limit)


@contextlib.contextmanager
def _refusing() -> Generator[None, None, None]:
    """Turn what a user can do wrong into one line."""
    try:
        yield
    except OSError as error:
        raise _RefusalError(f"{error.filename}: {error.strerror}") from None
    except (RefscopeError, ImportError) as error:
        raise _RefusalError(str(error)) from None


# -- The command that runs a program.
def _run(options: argparse.Namespace) -> int:
    """Run the program under ``track`` and return 0; what it raises goes on."""
    stderr = sys.stderr
    try:
        with _refusing():
            _check(options)
            name, begin = _program(options.program)
            block = track(name, frames=options.frames).new_block(None)
    except SyntaxError:
        _leave_out_our_lines()
        raise
    _start(block)
    try:
        begin()
    except _RefusalError:
        block.stop()
        raise
    except BaseException as error:
        block.end(type(error))
        status = _deliver(block.report, options, stderr)
        if status and isinstance(error, SystemExit) and error.code in (None, 0):
            return status  # the program did well, and refscope did not
        _leave_out_our_lines()
        raise
    return _deliver(block.stop(), options, stderr)


def _start(block: Block) -> None:
    """Open the block; what could refuse in the program's stead is over by then."""
    try:
        block.start()
    except TrackingError as error:
        raise _RefusalError(str(error)) from None


def _check(options: argparse.Namespace) -> None:
    """Refuse now what would fail after a long run."""
    if options.limit is not None and options.limit < 0:
        raise _RefusalError(f"--limit takes 0 or more, not {options.limit}")
    if options.json is not None:
        name = options.json
        options.json = os.path.abspath(name)  # the program may change folder
        folder = os.path.dirname(options.json)
        if not os.path.isdir(folder):
            raise _RefusalError(f"{folder}: no such folder to write JSON to")
        if not name or os.path.isdir(options.json):
            raise _RefusalError(f"--json takes the name of a file, not {name!r}")


def _deliver(report: Report, options: argparse.Namespace, stderr: TextIO | None) -> int:
    """Write the report if asked to, show it, and return the exit status."""
    status = 0
    if options.json is not None:
        try:
            _files._replace(options.json, to_json(report) + "\n")
        except OSError as error:
            _say(f"refscope: {options.json}: {error.strerror}", stderr)
            status = _BAD_USE
    _say(_text(report, options), stderr)
    return status


def _leave_out_our_lines() -> None:
    """Have the error of the program shown as if Python ran it."""
    hook = getattr(sys, "excepthook", sys.__excepthook__)  # the program may delete it

    def show(kind: type, error: BaseException, trace: TracebackType | None) -> None:
        while trace is not None and _file(trace) != _OUR_FILE:
            trace = trace.tb_next
        while trace is not None and _file(trace) in {_OUR_FILE, _IMPORTER}:
            trace = trace.tb_next
        hook(kind, error.with_traceback(trace), trace)

    sys.excepthook = show


def _file(trace: TracebackType) -> str:
    return trace.tb_frame.f_code.co_filename


_OUR_FILE = _file.__code__.co_filename
_IMPORTER = find_spec.__code__.co_filename


# -- What Python does before it runs a program.
def _program(words: Sequence[str]) -> tuple[str, Callable[[], object]]:
    """Return the name of the program and what begins it; all is ready for it."""
    if not words:
        raise _RefusalError(f"run takes a program: {_PROGRAM}")
    name, *own = words
    module = _main_module()
    if name.startswith("-m"):
        name, *own = [name[2:], *own] if name[2:] else own or [""]
        if not name:
            raise _RefusalError("-m takes the name of a module")
        _settle(["-m", *own], os.getcwd())
        return f"-m {name}", partial(_run_module, name, module)
    path = os.path.join(os.getcwd(), name)
    importer = pkgutil.get_importer(path)
    if importer is None:
        folder, code = os.path.dirname(os.path.realpath(path)), _load_file(path, module)
    else:
        folder, code = path, _load_spec(importer.find_spec("__main__"), name, module)
    _settle(words, folder)
    # Not exec, which would make such a function inside the block.
    return name, FunctionType(code, vars(module))


def _main_module() -> ModuleType:
    """Return a new ``__main__``, which it stays: exit handlers may look for it."""
    module = ModuleType("__main__")
    vars(module).update(__builtins__=builtins)
    if sys.version_info < (3, 14):
        vars(module).update(__annotations__={})
    # The second is multiprocessing's name of it, if that was imported already.
    for name in {"__main__", "__mp_main__"} & {*sys.modules}:
        sys.modules[name] = module
    return module


def _settle(words: Sequence[str], folder: str) -> None:
    """Put the program's words and folder where Python puts them."""
    sys.argv[:] = words
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path[0] = folder


def _load_file(path: str, module: ModuleType) -> CodeType:
    """Return the code of a file, source or compiled, without writing a cache."""
    loader: Any = SourceFileLoader("__main__", path)
    if path.endswith(".pyc"):
        loader = SourcelessFileLoader("__main__", path)
        code: CodeType = loader.get_code("__main__")
    else:
        with io.open_code(path) as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
    vars(module).update(__file__=path, __loader__=loader, **_cache(None))
    return code


def _run_module(name: str, module: ModuleType) -> None:
    """Find a module, which imports the packages it is in, and run it."""
    spec = _find(name)
    code = _load_spec(spec, name, module)
    sys.argv[0] = str(spec.origin)
    FunctionType(code, vars(module))()


def _find(name: str) -> ModuleSpec:
    """Return where a module is, or the ``__main__`` of a package."""
    spec = None
    try:
        spec = find_spec(name) if all(name.split(".")) else None
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise  # another module, which the package wants
    if spec is None:
        raise _RefusalError(f"no module named {name!r}")
    if spec.submodule_search_locations is None:
        return spec
    return _find(f"{name}.__main__")


def _load_spec(spec: ModuleSpec | None, name: str, module: ModuleType) -> CodeType:
    """Return the code of a module and fill in its members, as an import would."""
    if spec is None:
        raise _RefusalError(f"{name}: there is no __main__.py in it")
    get_code: Callable[[str], CodeType | None] | None
    get_code = getattr(spec.loader, "get_code", None)
    code: CodeType | None = None if get_code is None else get_code(spec.name)
    if code is None:
        raise _RefusalError(f"{name}: this module is not written in Python")
    vars(module).update(
        __file__=spec.origin,
        __loader__=spec.loader,
        __package__=spec.parent,
        __spec__=spec,
        **_cache(spec.cached),
    )
    return code


def _cache(path: str | None) -> dict[str, str | None]:
    return {"__cached__": path} if sys.version_info < (3, 15) else {}
