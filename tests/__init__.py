"""Tests, by what they ask; `models` and `algorithms` against simpler answers."""
