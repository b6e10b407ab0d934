"""Importing this makes every renderer ready: it loads what the first use would.

Inside a tracked block that would seem the program's: modules, and the tables that are
made when a kind of report is first met.
"""

from __future__ import annotations

import json

from . import _dot, _mermaid, _schema


__all__ = ["_dot", "_mermaid"]

_schema.schema()  # meets every kind; the rest of it is not wanted
# Up to 3.11 the encoder keeps brackets and words, which it makes when it needs them.
json.dumps([{}, [], {"": [None, True, False, 0, 0.5]}])
