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
    "sell": ["objects 05dc47fa"],
    "see": ["objects 5c90fc91"],
    "chain": ["objects fa34b97b"],
    "ring": ["cycles 209b8899"],
    "share": ["references 386e15a0"],
    "name": ["memory f6423dab"],
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
    """Type and shape of the path, whatever the keys in what grows."""
    assert fingerprints["leaks"] == LEAKS


def test_of_survivors(fingerprints):
    """Type, function and path, whatever the lines."""
    assert fingerprints["survivors"] == SURVIVORS


def test_of_paths(fingerprints):
    """Root, names and types, whatever the addresses."""
    assert fingerprints["paths"] == PATHS
