"""Fingerprints are the same in every run, on every Python, after unrelated edits."""

from __future__ import annotations

import pytest


pytestmark = [
    pytest.mark.apart,
    pytest.mark.needs_subprocess,
    pytest.mark.needs_threads,
]

# If one of these changes, every baseline that users have committed is void.
LEAKS = {
    "sell": ["objects 87c034bc"],
    "see": ["objects d1d0dc5f"],
    "chain": ["objects 1c8babad"],
    "ring": ["cycles 209b8899"],
    "share": ["references ca7b60e0"],
    "name": ["memory 24459c9b"],
}
SURVIVORS = ["fingerprinted.Item bddfc959", "fingerprinted.Page 2590638c"]
PATHS = {
    "key": ["95418186"],
    "name": ["d175ed31"],
    "closure": ["9f48d705"],
    "method": ["ca61a6a4"],
    "generator": ["d5b340c6"],
    "shared": ["7c331053", "9079b251"],
}


def test_of_leaks(fingerprints):
    """Kind and shape of the path, whatever the keys in what grows."""
    assert fingerprints["leaks"] == LEAKS


def test_of_survivors(fingerprints):
    """Type, function and path, whatever the lines."""
    assert fingerprints["survivors"] == SURVIVORS


def test_of_paths(fingerprints):
    """Root, names and types, whatever the addresses."""
    assert fingerprints["paths"] == PATHS
