"""References as reports have them: how alike names become one shape."""

from __future__ import annotations

import pytest

from refscope.reports import HeapObject, Reference


_OBJECT = HeapObject(type_name="list", address=16, size=56)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        (".x", ".x"),
        ("[3]", "[x]"),
        ("[-1]", "[x]"),
        ("['cart']", "['cart']"),
        ("['a b']", "[x]"),
        ("['']", "[x]"),
        ("['\u00e9t\u00e9']", "[x]"),
        ("['cut...", "[x]"),
        ("[(1, 'a')]", "[x]"),
        ("[...]", "[x]"),
        ("{'key'}", "{x}"),
        ("{...}", "{x}"),
        ("<cell x>", "<cell x>"),
        ("<local x in f>", "<local x in f>"),
        ("<?>", "<?>"),
        ("", ""),
    ],
)
def test_shapes_of_names(name, shape):
    """Indices and keys that are no plain identifiers differ from run to run."""
    reference = Reference(holder=_OBJECT, target=_OBJECT, name=name)

    assert reference.shape == shape
