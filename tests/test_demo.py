"""The demo: what it prints is true on every Python."""

from __future__ import annotations

import gc
import re
import subprocess
import sys

import pytest

from refscope import _demo
from refscope.__main__ import main


SERVAL, CAT = "refscope._demo.Serval", "refscope._demo.Cat"


def _types(report):
    return {change.type_name: change.count_diff for change in report.types}


def _functions(report):
    return [site.traceback.innermost.function for site in report.sites]


@pytest.mark.exact
def test_two_cats():
    """Two objects made are +2 by type at two lines; deleted, they are 0 at none."""
    _demo.two_cats()
    made, deleted = _demo.two_cats()

    assert _types(made) == {SERVAL: 1, CAT: 1}
    assert _functions(made) == ["two_cats", "two_cats"]
    assert (deleted.types, deleted.sites, deleted.memory.size_diff) == ((), (), 0)


@pytest.mark.exact
def test_cousins_wait_for_the_collector():
    """Cycles are all there while the collector is off, and gone after it ran."""
    _demo.make_pairs(1)
    waiting, collected = (_demo.cousins(collect=collect) for collect in (False, True))
    types = _types(waiting)

    assert (types[SERVAL], types[CAT]) == (500, 500)
    assert waiting.gc.collections == (0, 0, 0)
    assert {*_functions(waiting)} == {"make_pairs"}
    assert collected.is_clean
    assert (collected.types, collected.sites) == ((), ())
    assert collected.memory.peak >= waiting.memory.size_diff * 0.9


@pytest.mark.parametrize("enabled", [True, False])
def test_collector_is_given_back(enabled):
    """The demo leaves the collector switched as it was."""
    gc.collect()
    (gc.enable if enabled else gc.disable)()
    try:
        _demo.cousins(collect=True)
        is_enabled = gc.isenabled()
    finally:
        gc.enable()

    assert is_enabled == enabled


def test_a_cat_is_counted():
    """The number is that of its holders, each of which has its name."""
    number, cat = _demo.cat_counted()

    assert number.immortal == (sys.version_info >= (3, 11))
    assert cat.refcount.count == 2
    assert [one.name for one in cat.references] == [
        ".cousin",
        "<local whiky in cat_counted>",
    ]
    assert cat.unaccounted == 0


def test_story(capsys, monkeypatch):
    """The four reports stand in the text in the order that it tells."""
    monkeypatch.setattr(sys, "argv", ["refscope", "demo"])

    assert main() == 0
    text = capsys.readouterr().out
    heads = re.findall(r"\| ([A-Z]+) '(.+?)'", text)
    assert [label for _, label in heads] == ["two cats"] * 2 + ["cousins"] * 2
    assert "{" not in text
    assert max(map(len, text.splitlines())) <= 105


@pytest.mark.exact
@pytest.mark.needs_subprocess
def test_verdicts():
    """What the text says about each report is what the report says."""
    command = [sys.executable, "-m", "refscope", "demo"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)

    verdicts = re.findall(r"\| ([A-Z]+) '", answer.stdout)
    assert verdicts == ["KEPT", "CLEAN", "KEPT", "CYCLES"]
    assert answer.stderr == ""
