"""Places of many objects, and what is made of them."""

from __future__ import annotations

from refscope._measure.tracebacks import (
    commonest,
    traceback_of_place,
    with_functions,
)


def test_what_has_no_place_has_no_traceback():
    """Most of a group may come from free lists, which tracing has not seen."""
    place = (("shop.py", 3), ("main.py", 1))
    most = commonest([None, place, None])

    assert most is None
    assert traceback_of_place(most) is None
    assert with_functions(traceback_of_place(most)) is None


def test_a_place_is_a_traceback():
    """Innermost last, as tracebacks are read."""
    place = (("shop.py", 3), ("main.py", 1))
    traceback = traceback_of_place(commonest([None, place, place]))

    assert [frame.lineno for frame in traceback.frames] == [1, 3]
