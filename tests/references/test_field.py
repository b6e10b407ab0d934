"""A real leak of an extension: multidict 6.3.1 keeps the lists it was made from.

It is skipped where multidict is not installed; other versions must be clean.
"""

from __future__ import annotations

import pytest

from refscope import referrers


multidict = pytest.importorskip("multidict")

LEAKS = multidict.__version__ == "6.3.1"


def test_lists_that_nobody_in_python_holds():
    """A list that was given to a MultiDict has a reference too many, or none."""
    pairs = [("accept", [1]), ("host", [2])]
    more = [("x-id", [3])]
    headers = multidict.MultiDict(pairs)
    headers.update(more)
    del headers
    reports = [referrers(pairs), referrers(more)]

    assert [len(report.references) for report in reports] == [1, 1]
    assert [bool(report.unaccounted) for report in reports] == [LEAKS, LEAKS]
