"""``watch``: what a block did to the references to one object."""

from __future__ import annotations

import gc
import subprocess
import sys
from types import ModuleType
from weakref import ref

import pytest

from refscope import refcount, referrers, watch
from refscope.exceptions import ReportNotReadyError, TrackingError

from .kinds import Holder, Thing, fresh


def test_gained_and_lost():
    """References that came and went have their names."""
    thing = Thing()
    before, after = [thing], []
    with watch(thing) as watched:
        before.clear()
        after.append(thing)
        again = thing
    report = watched.report

    assert (report.before.count, report.after.count, report.diff) == (2, 3, 1)
    assert [one.name for one in report.gained] == [
        "[0]",
        "<local again in test_gained_and_lost>",
    ]
    assert [one.holder.address for one in report.lost] == [id(before)]
    assert (report.died, report.is_clean) == (False, False)
    assert again is thing


_WATCH_NOTHING = """
import refscope
thing = {}
with refscope.watch(thing) as watched:
    pass
report = watched.report
print(*{{one.holder.type_name for one in report.gained + report.lost}})
"""


@pytest.mark.needs_subprocess
@pytest.mark.parametrize("thing", [None, True])
def test_what_watches_is_no_holder(thing):
    """What everything has, refscope's own objects of the moment have too.

    A large process has so many holders that it would take half a minute.
    """
    script = _WATCH_NOTHING.format(thing)
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )

    assert "refscope." not in said.stdout


def test_nothing_happened():
    """An empty block changes nothing, and nothing of refscope is seen."""
    thing = Thing()
    with watch(thing) as watched:
        pass
    report = watched.report

    assert (report.diff, report.gained, report.lost) == (0, (), ())
    assert report.is_clean
    assert report.limits == ()
    assert report.headline.endswith(", as before")


def test_a_text_that_the_report_has_as_well():
    """What the first look found is refscope's: it has the names of holders."""
    name = fresh("a", "module")
    holder = ModuleType(name)
    with watch(name) as watched:
        pass
    report = watched.report

    assert holder.__name__ is name
    assert (report.diff, report.gained, report.lost) == (0, (), ())


def test_it_dies():
    """The object is held weakly, so it can die inside; then all are lost."""
    thing = Thing()
    with watch(thing) as watched:
        del thing
    report = watched.report

    assert (report.died, report.after, report.diff) == (True, None, -1)
    assert [one.name for one in report.lost] == ["<local thing in test_it_dies>"]
    assert report.headline.endswith("died, with 1 reference")


def test_what_cannot_be_held_weakly():
    """It is held, which does not count, and the limits say so."""
    items = [1]
    with watch(items) as watched:
        inside = refcount(items), referrers(items)
        other = {"items": items}
    report = watched.report

    assert (report.before.count, report.diff, report.died) == (1, 1, False)
    assert inside[0].count == 1
    assert [one.name for one in inside[1].references] == [
        "<local items in test_what_cannot_be_held_weakly>"
    ]
    assert inside[1].unaccounted == 0
    assert "held while the block ran" in report.limits[0]
    assert refcount(items).count == 2
    assert other


@pytest.mark.apart
def test_an_immortal_object():
    """There is no difference of no count."""
    with watch(Ellipsis) as watched:
        pass
    report = watched.report

    if report.before.immortal:
        assert report.diff is None
        assert report.headline == report.before.headline
        assert report.is_clean
    assert not report.died


def test_two_at_once():
    """Watches of one object do not count each other."""
    items = [1]
    with watch(items) as outer, watch(items) as inner:
        pass

    assert (outer.report.diff, inner.report.diff) == (0, 0)
    assert outer.report.before.count == inner.report.before.count == 1


def test_an_error_goes_through():
    """The report is there also when the block raises."""
    thing = Thing()
    holder = Holder()
    watched = watch(thing)

    def work():
        with watched:
            holder.found = thing
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        work()

    assert [one.name for one in watched.report.gained] == [".found"]


def test_not_ready():
    """Before the end there is no report, and the error says when there will be."""
    watched = watch(Thing)
    with pytest.raises(ReportNotReadyError, match="block has ended"):
        _ = watched.report


def test_one_block_only():
    """A watch is over with its block."""
    watched = watch(Thing)
    with watched:
        pass
    with pytest.raises(TrackingError, match="watch\\(\\) again"), watched:
        pass


def test_gone_before_the_block():
    """What is gone when the block begins cannot be watched, and has no report."""
    thing = Thing()
    watched = watch(thing)
    del thing
    with watched, pytest.raises(ReportNotReadyError, match="was gone"):
        _ = watched.report
    with pytest.raises(ReportNotReadyError, match="was gone"):
        _ = watched.report


def test_before_the_block():
    """What is held for a block that has not begun does not count either."""
    items = [1]
    watched = watch(items)
    count, report = refcount(items).count, referrers(items)

    assert count == 1
    assert [one.name for one in report.references] == [
        "<local items in test_before_the_block>"
    ]
    assert report.unaccounted == 0
    del watched
    assert refcount(items).count == 1


def test_a_watch_that_its_object_holds():
    """Both are garbage with their last name, though the watch holds the object."""

    class Items(list):
        __slots__ = ()

    items = Items()
    items.append(Thing())
    weak = ref(items[0])
    with pytest.raises(TypeError):
        ref(items)
    items.append(watch(items))
    del items
    gc.collect()

    assert weak() is None


def test_sys_count():
    """It is what sys says where ``watch`` is called."""
    items = [Thing()]
    with watch(items[0]) as watched:
        pass

    assert watched.report.before.sys_count == 2
