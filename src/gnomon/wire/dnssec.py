"""DNSSEC primitives: one question each about given octets; no clock, no policy, no chain of trust."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from gnomon import _core
from gnomon.base import Name
from gnomon.wire.records import RRset

MAX_REMEMBERED = 2048


class State(Enum):
    """What became of a signature."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_CHECKABLE = "not-checkable"


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome for one signature; `reason` is empty unless the state is NOT_CHECKABLE.

    Reasons: algorithm, key-size, malformed-key, malformed-rrsig, malformed-name, internal.
    """

    state: State
    reason: str = ""

    @property
    def is_valid(self) -> bool:
        return self.state is State.VALID


def verify(rrset: RRset, rrsig_rdata: bytes, dnskey_rdata: bytes) -> Verification:
    """Whether the key made the signature over the RRset (RFC 4035 sections 5.3.2 and 5.3.3).

    Invalid too are: another type covered, key tag or algorithm than the key's, more labels than the owner has, an
    owner outside the signer's name. Left to the caller: the validity period, the key's flags and protocol, and that
    the signer is the zone. The same octets are mostly verified once in a process.
    """
    return _verification(rrset.owner.key, rrset.rtype, rrset.rclass, rrset.rdatas, rrsig_rdata, dnskey_rdata)


@lru_cache(maxsize=MAX_REMEMBERED)
def _verification(
    owner: bytes, rtype: int, rclass: int, rdatas: tuple[bytes, ...], rrsig_rdata: bytes, dnskey_rdata: bytes
) -> Verification:
    word = _core.verify_rrsig(owner, rtype, rclass, rdatas, rrsig_rdata, dnskey_rdata)
    state, _, reason = word.partition(":")
    return Verification(State(state), reason)


def key_tag(dnskey_rdata: bytes) -> int:
    """The key tag of a DNSKEY (RFC 4034 appendix B); 0 for fewer than 4 octets."""
    return _core.key_tag(dnskey_rdata)


@lru_cache(maxsize=512)
def ds_digest(owner: Name, dnskey_rdata: bytes, digest_type: int) -> bytes | None:
    """The digest of a DS for that key (RFC 4034 section 5.1.4): types 1, 2 and 4; None for any other."""
    return _core.ds_digest(owner.wire, dnskey_rdata, digest_type)


def nsec3_hash(name: Name, algorithm: int, iterations: int, salt: bytes) -> bytes | None:
    """The NSEC3 hash of a name (RFC 5155 section 5), 20 octets; None if not SHA-1 or over 50 iterations."""
    return _core.nsec3_hash(name.wire, algorithm, iterations, salt)


def serial_lt(a: int, b: int) -> bool:
    """Whether the 32-bit serial number `a` comes before `b` (RFC 1982 section 3.2); False where it is undefined."""
    return 0 < (b - a) & 0xFFFFFFFF < 0x80000000
