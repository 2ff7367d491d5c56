"""Identifiers of runs: 26 characters that sort by time (ULID: 48 bits of milliseconds, 80 random bits)."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_ulid(at_ms: int) -> str:
    """A new identifier for something that begins at `at_ms` (Unix time in milliseconds)."""
    value = (at_ms & ((1 << 48) - 1)) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
