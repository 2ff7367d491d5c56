"""DNSKEYs, and signatures tried with them under a cap on work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gnomon.base import Address
from gnomon.checks.read import read
from gnomon.wire import RRset, dnssec, rdata
from gnomon.wire.dnssec import Verification
from gnomon.wire.rdata import Dnskey, Rrsig

# Work caps against crafted key sets (CVE-2023-50387): signatures per RRset, keys tried per signature.
MAX_SIGNATURES_PER_RRSET = 8
MAX_KEYS_PER_SIGNATURE = 4


@dataclass(frozen=True, slots=True)
class Key:
    """A DNSKEY of the apex and the servers that publish it."""

    rdata: bytes
    dnskey: Dnskey
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """One RRSIG over an RRset: the key it names (None: not among the keys) and whether it verifies.

    With several keys of the same tag `key` is the one that verifies, else the first. `verification` is None when
    no key fits or the cap on work was reached (`capped`).
    """

    rdata: bytes
    rrsig: Rrsig
    key: Key | None
    verification: Verification | None
    capped: bool = False


def try_signatures(rrset: RRset, keys: Sequence[Key]) -> tuple[Signature, ...]:
    """Each readable RRSIG of the RRset with the outcome of verifying it; the time is not looked at."""
    out = []
    for octets in rrset.signatures:
        rrsig = read(rdata.rrsig, octets)
        if rrsig is not None:
            capped = len(out) >= MAX_SIGNATURES_PER_RRSET
            out.append(_signature(rrset, octets, rrsig, keys, capped))
    return tuple(out)


def _signature(rrset: RRset, octets: bytes, rrsig: Rrsig, keys: Sequence[Key], capped: bool) -> Signature:
    fitting = [k for k in keys if (k.dnskey.key_tag, k.dnskey.algorithm) == (rrsig.key_tag, rrsig.algorithm)]
    first: Signature | None = None
    for key in () if capped else fitting[:MAX_KEYS_PER_SIGNATURE]:
        verification = dnssec.verify(rrset, octets, key.rdata)
        signature = Signature(octets, rrsig, key, verification)
        if verification.state.name == "VALID":
            return signature
        first = first or signature
    return first or Signature(octets, rrsig, fitting[0] if fitting else None, None, capped)
