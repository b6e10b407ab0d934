"""Short names that are the same in every run, on every machine."""

from __future__ import annotations

import binascii


def fingerprint(*parts: str) -> str:
    """Return eight hex digits for the parts.

    Not for secrets: 32 bits tell a few thousand shapes apart, and no more is meant.
    """
    # CRC-32, because hashlib alone would take a twentieth of refscope's import.
    text = "\0".join(parts)
    return f"{binascii.crc32(text.encode('utf-8', 'surrogatepass')):08x}"
