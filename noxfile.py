"""Every check of the project, by name: ``nox -l`` lists them.

With ``CI`` in the environment nothing may be missing: each supported Python,
Node for Pyodide, and 100 % of branches over all of them together.  Without it,
what is not on this machine is named and skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox


nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"  # a missing Python is said, not fetched
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_external_run = True
nox.options.sessions = ["lint", "types", "tests", "pyodide", "coverage"]

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
PYODIDE = "314.0.7"  # of the npm package; CPython 3.14.2
IN_CI = "CI" in os.environ
# What looks at the whole heap again and again runs where little is imported.
BLOCKS = ("tests/track",)
LEAKS = ("tests/leaks", "tests/cycles")
EXAMPLES = ("docs", "README.md", "src")
PROGRAMS = ("tests/programs",)
DRAWN = ("tests/algorithms", "tests/models", "tests/reports")  # load Hypothesis
PARTS = BLOCKS + LEAKS + PROGRAMS + DRAWN
REST = ("tests", *(f"--ignore={path}" for path in PARTS))
# In CI each part is measured where coverage costs little (sys.monitoring), functions of
# plain data only there, and where lines of one Python alone are reached.
MEASURED = {
    "3.10": (LEAKS, REST),
    "3.11": (BLOCKS,),
    "3.12": (REST,),
    "3.13": (),
    "3.14": (REST,),
    "3.15": (LEAKS, DRAWN, REST, BLOCKS),
}
# Whole programs differ least between versions: in CI they are tried on the oldest, the
# most used and the newest.
TRY_PROGRAMS = ("3.10", "3.13", "3.15")
PROSE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs")
# A test that hangs is shown with its stack, and ends the run.
WATCHDOG = (
    "--override-ini=faulthandler_timeout=300",
    "--override-ini=faulthandler_exit_on_timeout=true",
)
# The tests look at the whole process, where a thread of pytest's or a cache of the
# interpreter can move a number: one that fails is run again, and the last line says it.
AGAIN = "--reruns=2"

_measured: set[str] = set()
"""The Pythons whose tests passed in this run of nox."""


def group(name: str) -> list[str]:
    """Return the requirements of one dependency group of ``pyproject.toml``."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


def install(session: nox.Session, name: str) -> None:
    """Install refscope as a user gets it, and one dependency group.

    A wheel is built from the tree each time.  pip does so by itself; uv would take
    the wheel of last time, as the version is the same.  pip would also compile all
    that it installs, for nothing: the tests compile into a folder of their own.
    """
    is_uv = session.venv_backend == "uv"
    option = "--reinstall-package=refscope" if is_uv else "--no-compile"
    session.install(option, ".", *group(name))


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, style, spelling and the direction of imports."""
    install(session, "lint")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("codespell", "src", "tests", "benchmarks", "noxfile.py", *PROSE)
    session.run("lint-imports", "--no-logo")
    session.run("interrogate", "--whitelist-regex", "test_.*", "tests")
    session.run("validate-pyproject", "pyproject.toml")


@nox.session
def types(session: nox.Session) -> None:
    """Check our own types, and those that a user sees."""
    install(session, "typing")
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "refscope", "--ignoreexternal")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests: those that coverage would disturb apart, without it."""
    python = str(session.python)
    install(session, "tests")
    for stale in ROOT.glob(f".coverage.{python}.*"):
        stale.unlink()
    exact = ("pytest", "-m", "exact or apart")
    others = ("pytest", "-m", "not exact and not apart")
    covered = ("coverage", "run", "-m", *others)
    runs: list[tuple[Sequence[str], Sequence[str]]]
    if session.posargs:
        runs = [(exact, session.posargs), (covered, session.posargs)]
    else:  # what takes longest comes first, so that both end together
        kinds = {
            part: covered if part in MEASURED[python] or not IN_CI else others
            for part in (LEAKS, REST, DRAWN, BLOCKS)
        }
        runs = [(kinds[LEAKS], LEAKS), (exact, BLOCKS + EXAMPLES), (kinds[REST], REST)]
        if python in TRY_PROGRAMS or not IN_CI:
            runs += [(exact, PROGRAMS)]
        runs += [(kinds[BLOCKS], BLOCKS), (exact, REST + LEAKS)]
        runs += [(exact, DRAWN), (kinds[DRAWN], DRAWN)]
    run_two_at_a_time(
        session,
        [("python", "-m", *kind, *WATCHDOG, AGAIN, *part) for kind, part in runs],
        COVERAGE_FILE=str(ROOT / f".coverage.{python}"),
    )
    if not session.posargs:
        _measured.add(python)


def run_two_at_a_time(
    session: nox.Session, commands: Iterable[Sequence[str]], **variables: str
) -> None:
    """Run the tests of several commands; show what each said when it has ended.

    A run of chosen tests may choose none of one kind, which is pytest's status 5.
    """
    search = os.pathsep.join([*(session.bin_paths or ()), os.environ["PATH"]])
    env = {**os.environ, "PATH": search, "PYTHONIOENCODING": "utf-8", **variables}
    # The tests start hundreds of processes, and each would compile what it imports.
    compiled = Path(session.create_tmp()) / "compiled"
    shutil.rmtree(compiled, ignore_errors=True)
    env["PYTHONPYCACHEPREFIX"] = str(compiled.resolve())
    env.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(command: Sequence[str]) -> int:
        program = str(shutil.which(command[0], path=search))
        done = subprocess.run(  # noqa: S603  # our own
            [program, *command[1:]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        session.log(" ".join(command))
        sys.stdout.write(done.stdout)
        sys.stdout.flush()
        return done.returncode

    with ThreadPoolExecutor(max_workers=2) as pool:
        statuses = [*pool.map(run, commands)]
    if any(status not in ({0, 5} if session.posargs else {0}) for status in statuses):
        session.error(f"tests failed, see above: exit statuses {statuses}")


@nox.session
def pyodide(session: nox.Session) -> None:
    """Run the tests in WebAssembly: 32 bit, no threads, no processes."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        sentence = f"Pyodide needs {' and '.join(missing)}, not found on PATH"
        if IN_CI:
            session.error(sentence)
        session.skip(sentence)
    folder = ROOT / ".pyodide"
    wheels, site = folder / "wheels", folder / "site"
    for old in (wheels, site, folder / "compiled"):
        shutil.rmtree(old, ignore_errors=True)
    npm = ("npm", "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error")
    session.run(
        *npm, "--prefix", str(folder), f"pyodide@{PYODIDE}", external=True, silent=True
    )
    session.install("pip")
    pip = ("python", "-m", "pip", "--quiet", "--disable-pip-version-check")
    session.run(*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), ".")
    # Only wheels without compiled code: Pyodide's own need its package server.
    anywhere = ("--python-version=3.14", "--implementation=py", "--platform=any")
    session.run(
        *(*pip, "install", "--no-compile", "--target", str(site)),
        *("--only-binary=:all:", *anywhere),
        *(str(wheel) for wheel in wheels.glob("*.whl")),
        *group("pyodide"),
    )
    run = ("node", "tests/pyodide/run.mjs", str(folder / "node_modules/pyodide"))
    plain = ("pytest", AGAIN, "-p", "no:cacheprovider", "-p", "no:faulthandler")
    # Apart, as elsewhere: sys.monitoring, which some tests use, leaves something on
    # each code object that runs after it.
    runs: list[tuple[str, Sequence[str]]]
    if session.posargs:
        runs = [("not exact", session.posargs), ("exact", session.posargs)]
    else:  # what takes longest comes first
        others = ("tests", *EXAMPLES, *(f"--ignore={path}" for path in BLOCKS + DRAWN))
        runs = [("not exact", REST), ("not exact", LEAKS), ("exact", others)]
        runs += [("exact", BLOCKS), ("not exact", BLOCKS), ("not exact", DRAWN)]
        runs += [("exact", DRAWN)]
    commands = [(*run, str(site), *plain, "-m", kind, *part) for kind, part in runs]
    run_two_at_a_time(session, commands)


@nox.session
def coverage(session: nox.Session) -> None:
    """Fail below 100 % of branches, if each supported Python was there."""
    if not any(ROOT.glob(".coverage.3.*")):
        session.skip("no test ran under coverage, so there is nothing to report")
    session.install("coverage[toml]")
    session.run("coverage", "combine")
    absent = [python for python in PYTHONS if python not in _measured]
    if absent and not IN_CI:
        session.log(f"100 % is not demanded: no full run on {', '.join(absent)}")
        session.run("coverage", "report", "--fail-under=0")
    else:
        session.run("coverage", "report")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Run one benchmark: ``nox -s bench -- benchmarks/NAME.py``."""
    install(session, "bench")
    session.run("python", *session.posargs)
