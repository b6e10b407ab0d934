"""Find out why memory grows: allocations, survivors, reference counts, cycles."""

from __future__ import annotations
