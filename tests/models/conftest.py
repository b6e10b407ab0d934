"""Loads the profile before Hypothesis sees a test."""

from __future__ import annotations

from tests.profiles import load_profile


load_profile()
