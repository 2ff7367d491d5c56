"""Spans of NSEC and NSEC3 records: between names of the zone, or made for one question by a server that signs."""

from __future__ import annotations

from gnomon.base import InputError, Name
from gnomon.base.codes import NSEC, RRSIG
from gnomon.checks.proofs import NXNAME
from gnomon.wire.rdata import Nsec, Nsec3

_OWN_TYPES = frozenset({int(RRSIG), int(NSEC), NXNAME})


def is_made(owner: Name, nsec: Nsec) -> bool:
    """Whether an NSEC record was made for a question, and so leads to no other name of the zone.

    Its owner has nothing of its own (a name with data has a record of another type, RFC 4035 section 2.3; RFC 4470
    section 4), or it ends right behind its beginning (RFC 9824 section 3.1).
    """
    return nsec.types <= _OWN_TYPES or nsec.next_name == successor(owner)


def is_made_hashed(owner: Name, nsec3: Nsec3) -> bool:
    """Whether an NSEC3 record spans two hashes only ("white lies", RFC 7129 appendix B)."""
    try:
        start = int(owner.labels[0], 32)
    except (IndexError, ValueError):
        return False
    return int.from_bytes(nsec3.next_hash, "big") - start in (1, 2)


def successor(name: Name) -> Name | None:
    """The first name after it in canonical order; None if that would be too long to be written so."""
    try:
        return name.prepend(b"\0")
    except InputError:
        return None
