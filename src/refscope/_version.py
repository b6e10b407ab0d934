"""The version of refscope: the one place that says it; the build reads it here."""

from __future__ import annotations


__version__ = "0.1.0"
