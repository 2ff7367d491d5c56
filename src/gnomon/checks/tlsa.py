"""What can be wrong with a TLSA record by itself."""

from __future__ import annotations

from gnomon.wire.services import Tlsa

ALL_USAGES = frozenset({0, 1, 2, 3})
MAIL_USAGES = frozenset({2, 3})
"""Senders of mail cannot check the others (RFC 7672 section 3.1.3)."""

_DIGEST_OCTETS = {1: 32, 2: 64}


def wrong_with(record: Tlsa, usages: frozenset[int]) -> str:
    """Why nobody can use the record, as the second half of a sentence; empty if it can be used."""
    if record.usage not in ALL_USAGES:
        return f"there is no certificate usage {record.usage}"
    if record.usage not in usages:
        return f"certificate usage {record.usage} means nothing there"
    if record.selector not in (0, 1):
        return f"there is no selector {record.selector}"
    if record.matching == 0:
        return "" if record.data else "it holds no data"
    octets = _DIGEST_OCTETS.get(record.matching)
    if octets is None:
        return f"there is no matching type {record.matching}"
    return "" if len(record.data) == octets else f"its digest has {len(record.data)} octets in place of {octets}"


def is_whole(record: Tlsa) -> bool:
    """It holds a server's whole certificate or key where a digest is due (RFC 7671 section 10.1.2)."""
    return record.matching == 0 and record.usage in (1, 3)
