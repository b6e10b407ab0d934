"""Caches of the standard library that are plain dictionaries, and yet have a bound."""

from __future__ import annotations

import sys

from .names_attributes import get_module_dict


_CACHES = (
    ("re", "_cache", 512),
    ("re", "_cache2", 256),  # from 3.12 on
    ("xml.etree.ElementPath", "_cache", 101),
)
"""Module, name, and how many entries it takes; the same from 3.10 to 3.15."""


def bounded(thing: object) -> tuple[str, int] | None:
    """Return the name of such a cache and how many entries it takes at most."""
    for module, name, most in _CACHES:
        namespace = get_module_dict(sys.modules.get(module, sys))
        if namespace.get(name) is thing:
            return f"cache {module}.{name}", most
    return None
