"""What a user gets: the metadata and the files of the installed package."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

import pytest

import refscope
from refscope import _version


@pytest.fixture
def distribution():
    """Return the installed distribution; in CI it must be there."""
    try:
        found = metadata.distribution("refscope")
    except metadata.PackageNotFoundError:
        if "CI" in os.environ:
            raise
        pytest.skip("refscope is on the path, but not installed")
    if '"editable": true' in (found.read_text("direct_url.json") or ""):
        pytest.skip("refscope is installed as a link to the tree")
    return found


def test_two_runtime_dependencies(distribution):
    """A user of refscope gets attrs and typing-extensions with it, nothing else."""
    names = [re.split(r"[^\w-]", line)[0] for line in distribution.requires]

    assert sorted(names) == ["attrs", "typing-extensions"]


def test_version_is_said_once(distribution):
    """The version of the distribution is the one in the source."""
    assert distribution.version == _version.__version__


def test_pythons(distribution):
    """Python 3.10 and later can install it, and this one is among those named."""
    here = ".".join(map(str, sys.version_info[:2]))
    classifiers = distribution.metadata.get_all("Classifier")

    assert distribution.metadata["Requires-Python"] == ">=3.10"
    assert f"Programming Language :: Python :: {here}" in classifiers


@pytest.mark.parametrize("module", [refscope, refscope.render])
def test_names_that_are_offered(module):
    """What ``from __future__`` brings is nothing for users, who see it in an editor."""
    names = {*dir(module)}

    assert "annotations" not in names
    assert names >= {*module.__all__}


def test_license(distribution):
    """The licence is MIT, and its text comes along."""
    texts = [file.name for file in distribution.files if "licenses" in file.parts]

    assert distribution.metadata["License-Expression"] == "MIT"
    assert texts == ["LICENSE"]


def test_wheel_is_tested(distribution):
    """The tests import the installed files, not those of the working tree."""
    installed = Path(distribution.locate_file("refscope/__init__.py"))

    assert installed.samefile(refscope.__file__)


def test_typed():
    """Type checkers find the marker that says: this package has types."""
    assert resources.files("refscope").joinpath("py.typed").is_file()


def test_schemas_are_json():
    """The JSON Schema of the reports is readable where it is installed."""
    files = [*_walk(resources.files("refscope"))]
    schemas = [file for file in files if file.name.endswith(".schema.json")]

    assert schemas
    for schema in schemas:
        assert json.loads(schema.read_text("utf-8"))["$schema"]


@pytest.mark.needs_subprocess
def test_imports_only_what_it_depends_on():
    """Importing all of refscope loads no other package, whatever is installed."""
    code = """if True:
        import pkgutil, sys
        before = {name.partition(".")[0] for name in sys.modules}
        import refscope
        for module in pkgutil.walk_packages(refscope.__path__, "refscope."):
            if not module.name.endswith("__main__"):
                __import__(module.name)
        after = {name.partition(".")[0] for name in sys.modules}
        print(*sorted(after - before - sys.stdlib_module_names))
    """
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)

    assert {*answer.stdout.split()} <= {
        "_interpreters",  # of the standard library, left out of its list of names
        "_xxsubinterpreters",
        "attr",
        "attrs",
        "refscope",
        "typing_extensions",
    }


@pytest.mark.needs_subprocess
def test_import_leaves_out_what_costs_much():
    """Modules that refscope can do without are a tenth of what the import costs."""
    code = """if True:
        import sys, attrs
        before = {*sys.modules}
        import refscope
        print(*{*sys.modules} - before)
    """
    command = [sys.executable, "-S", "-c", code]  # no .pth files, which import too
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    answer = subprocess.run(
        command, check=True, capture_output=True, text=True, env=env
    )

    unwanted = {"typing_extensions", "signal", "json", "logging", "statistics"}
    assert unwanted.isdisjoint(answer.stdout.split())


def _walk(folder):
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry)
        else:
            yield entry


def test_errors_to_tell_apart_are_offered_with_the_verbs():
    """What a block or a question may raise is caught without another import."""
    for name in ("NotMeasuredError", "ReportNotReadyError", "TrackingError"):
        assert getattr(refscope, name) is getattr(refscope.exceptions, name)
