"""``python -m refscope demo``: a small program under ``track()``, with its reports.

It is the program of the article that refscope began from: two kinds of cats that know
each other, are deleted, and stay.
"""

from __future__ import annotations

import gc

from refscope._references import refcount, referrers
from refscope._track import track
from refscope.reports import RefCount, ReferrersReport, Report, TrackReport


# Up to 3.10 the 1024th call of a function allocates a cache, on the program's account.
_PAIRS = 500
_STORY = """\
refscope measures what a stretch of a running program allocates and keeps.
Here is a small program, and what refscope says about it.

1. The program makes one Serval and one Cat.  A report so far, in the open block:

{made}

   Two objects more, made at two lines.  There is no third line: what refscope and
   tracemalloc allocate for their own work is in no report.

   Then it deletes both.  The report of the whole block:

{deleted}

   Back to 0, by type and in bytes.  With its last reference an object is gone at once.

2. Now 500 pairs know each other before they are forgotten.  The collector is off, and
   collect=False tells refscope to leave it alone:

{waiting}

   No name leads to any of them, yet all are still there: each is referred to by its
   cousin, so no count of references gets to 0.

3. The same again, and this time refscope runs the collector before it counts:

{collected}

   It found them all, and says which reference to cut.  A cycle alone is not lost
   memory, but memory that comes back late: see the peak.  It is lost when something
   outside still refers to it.

4. How many references has the number 12, has a Cat, and who holds the Cat?

{counted}

   sys.getrefcount says one more where it counts its own argument.  12 is shared by
   everybody: since 3.12 its references are not counted at all.

Your own program:   python -m refscope run SCRIPT [ARGS]
A part of it:       with refscope.track() as block: ...    then print(block.report)"""


class Serval:
    """A wild cat with long legs."""

    cousin: Cat


class Cat:
    """A tame one."""

    cousin: Serval


def main() -> str:
    """Run the program part by part and return what it did, with its reports."""
    make_pairs(1)  # the first call of a function can leave memory behind
    made, deleted = two_cats()
    waiting, collected = cousins(collect=False), cousins(collect=True)
    counted = "\n".join(map(_quoted, cat_counted()))
    return _STORY.format(
        counted=counted,
        made=_quoted(made),
        deleted=_quoted(deleted),
        waiting=_quoted(waiting),
        collected=_quoted(collected),
    )


def two_cats() -> tuple[TrackReport, TrackReport]:
    """Make two objects and delete them; return the reports of both moments."""
    with track("two cats") as block:
        servy = Serval()
        whiky = Cat()
        so_far = block.peek()
        del servy, whiky
    return so_far, block.report


def cat_counted() -> tuple[RefCount, ReferrersReport]:
    """Count references to a number and to a Cat that a Serval knows."""
    our_var = 12
    servy, whiky = Serval(), Cat()
    servy.cousin = whiky
    return refcount(our_var), referrers(whiky)


def cousins(*, collect: bool) -> TrackReport:
    """Make and forget pairs while the collector is off; return the report."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        with track("cousins", collect=collect) as block:
            make_pairs(_PAIRS)
    finally:
        if was_enabled:
            gc.enable()
    return block.report


def make_pairs(number: int) -> None:
    """Make pairs of a Serval and a Cat that refer to each other, and forget them."""
    for _ in range(number):
        servy = Serval()
        whiky = Cat()
        servy.cousin = whiky
        whiky.cousin = servy


def _quoted(report: Report) -> str:
    return "\n".join(f"   | {line}".rstrip() for line in str(report).splitlines())
