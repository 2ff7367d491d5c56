"""Authenticated denial of existence: what NSEC or NSEC3 records prove (RFC 4035 section 5.4, RFC 5155 section 8).

The records given must already be validated: nothing here looks at signatures.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from gnomon.base import InputError, Name
from gnomon.base.codes import CNAME, DNAME, DS, NS, NSEC, NSEC3, SOA
from gnomon.checks.read import read
from gnomon.wire import RRset, dnssec, rdata
from gnomon.wire.rdata import Nsec, Nsec3

# RFC 9276 section 3.2 lets validators treat more as insecure; BIND, Knot Resolver and PowerDNS do above 50.
MAX_ITERATIONS = 50
MAX_HASHES_PER_RESPONSE = 32

OPT_OUT = 1
NXNAME = 128

_WHOLE_HASH = re.compile(rb"(?:[0-9a-vA-V]{8})+")


class Proof(StrEnum):
    """What came of asking a set of denial records."""

    PROVEN = "proven"
    OPTED_OUT = "opted-out"
    TOO_COSTLY = "nsec3-iterations"
    MISSING = "missing"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class HashedSpan:
    """One NSEC3 record with its owner's hash."""

    owner_hash: bytes
    fields: Nsec3


class Denial:
    """The NSEC and NSEC3 records of one response of one zone, asked for proofs."""

    def __init__(self, zone: Name, rrsets: Iterable[RRset]) -> None:
        self._zone = zone
        self._spans: list[tuple[Name, Nsec]] = []
        self._hashed: list[HashedSpan] = []
        for rrset in rrsets:
            if rrset.rtype == NSEC:
                spans = [read(rdata.nsec, octets) for octets in rrset.rdatas]
                self._spans += [(rrset.owner, span) for span in spans if span is not None]
            elif rrset.rtype == NSEC3:
                self._hashed += [span for octets in rrset.rdatas if (span := hashed_span(zone, rrset.owner, octets))]
        self._hashes: dict[Name, bytes | None] = {}

    def no_type(self, name: Name, rtype: int) -> Proof:
        """Whether they prove that `name` has no RRset of that type (NODATA)."""
        if self._spans:
            return self._nsec_no_type(name, rtype)
        return self._with_nsec3(lambda: self._nsec3_no_type(name, rtype))

    def no_name(self, name: Name) -> Proof:
        """Whether they prove that `name` does not exist and no wildcard covers it (NXDOMAIN)."""
        if self._spans:
            return self._nsec_no_name(name)
        return self._with_nsec3(lambda: self._nsec3_no_name(name))

    def no_closer(self, name: Name, wildcard_labels: int) -> Proof:
        """Whether they prove that an answer from `*.<last wildcard_labels labels>` was right for `name`."""
        if self._spans:
            covering = self._absent(name)
            is_closest = covering and len(_closest_encloser(name, *covering).labels) == wildcard_labels
            return Proof.PROVEN if is_closest else Proof.FAILS
        next_closer = name.ancestors()[max(len(name.labels) - wildcard_labels - 1, 0)]
        return self._with_nsec3(lambda: self._opted(self._nsec3_covering(next_closer)))

    def lacking_for_no_name(self, name: Name) -> str:
        """What is missing first to prove that `name` does not exist: "encloser", "name", "wildcard", or nothing."""
        if self._spans:
            if self._is_compactly_denied(name):
                return ""
            covering = self._absent(name)
            if covering is None:
                return "name"
            wildcard = _wildcard_of(_closest_encloser(name, *covering))
            return "" if wildcard and self._absent(wildcard) else "wildcard"
        try:
            encloser, covers = self._closest_provable(name)
            if encloser is None:
                return "encloser"
            wildcard = _wildcard_of(encloser)
            is_covered = wildcard is not None and self._nsec3_covering(wildcard) is not None
            return "name" if covers is None else "" if is_covered else "wildcard"
        except _TooManyHashes:
            return ""

    def covers(self, name: Name) -> bool:
        """Whether any record says that nothing is at `name`; False where that takes too many hashes."""
        try:
            return self._covered(name) is not None or (bool(self._hashed) and self._nsec3_covering(name) is not None)
        except _TooManyHashes:
            return False

    def matches(self, name: Name) -> bool:
        """Whether any record is the one of `name` itself; True where that takes too many hashes."""
        try:
            return any(owner == name for owner, _ in self._spans) or self._nsec3_at(name) is not None
        except _TooManyHashes:
            return True

    # NSEC

    def _nsec_no_type(self, name: Name, rtype: int) -> Proof:
        for owner, span in self._spans:
            if owner == name:
                return Proof.PROVEN if _denies(span.types, rtype) else Proof.FAILS
            if self._covers(owner, span, name) and span.next_name.is_subdomain_of(name):
                return Proof.PROVEN  # an empty non-terminal: RFC 4035 section 5.4 with RFC 8020
        covering = self._covered(name)
        if covering is None:
            return Proof.FAILS
        wildcard = _wildcard_of(_closest_encloser(name, *covering))
        match = next((span for owner, span in self._spans if owner == wildcard), None)
        return Proof.PROVEN if match and _denies(match.types, rtype) else Proof.FAILS

    def _nsec_no_name(self, name: Name) -> Proof:
        if self._is_compactly_denied(name):
            return Proof.PROVEN
        covering = self._absent(name)
        if covering is None:
            return Proof.FAILS
        wildcard = _wildcard_of(_closest_encloser(name, *covering))
        return Proof.PROVEN if wildcard and self._absent(wildcard) else Proof.FAILS

    def _is_compactly_denied(self, name: Name) -> bool:
        return any(owner == name and NXNAME in span.types for owner, span in self._spans)  # RFC 9824 section 3.1

    def _absent(self, name: Name) -> tuple[Name, Nsec] | None:
        """The NSEC that shows that neither the name nor anything below it exists (RFC 4592 section 2.2.2)."""
        covering = self._covered(name)
        return covering if covering and not covering[1].next_name.is_subdomain_of(name) else None

    def _covered(self, name: Name) -> tuple[Name, Nsec] | None:
        """The NSEC between whose names `name` lies: no record stands there, if perhaps below."""
        return next((one for one in self._spans if self._covers(*one, name)), None)

    def _covers(self, owner: Name, span: Nsec, name: Name) -> bool:
        if name.is_subdomain_of(owner) and _cut_off(span.types):
            return False  # a delegation's or DNAME's NSEC says nothing of what is below (RFC 6840 section 4.1)
        if span.next_name == self._zone:
            return owner < name and name.is_subdomain_of(self._zone)
        return owner < name < span.next_name and span.next_name.is_subdomain_of(self._zone)

    # NSEC3

    def _with_nsec3(self, prove: Callable[[], Proof]) -> Proof:
        if not self._hashed:
            return Proof.MISSING
        if max(span.fields.iterations for span in self._hashed) > MAX_ITERATIONS:
            return Proof.TOO_COSTLY
        try:
            return prove()
        except _TooManyHashes:
            return Proof.TOO_COSTLY

    def _nsec3_no_type(self, name: Name, rtype: int) -> Proof:
        match = self._nsec3_at(name)
        if match is not None:
            return Proof.PROVEN if _denies(match.types, rtype) else Proof.FAILS
        encloser, covering = self._closest_provable(name)
        if encloser is None or covering is None:
            return Proof.FAILS
        if covering.flags & OPT_OUT:  # a delegation, or a name above some: RFC 5155 section 8.6 and erratum 3441
            return Proof.OPTED_OUT
        if rtype == DS:
            return Proof.FAILS
        wildcard = _wildcard_of(encloser)
        match = self._nsec3_at(wildcard) if wildcard else None
        return self._opted(covering) if match and _denies(match.types, rtype) else Proof.FAILS

    def _nsec3_no_name(self, name: Name) -> Proof:
        encloser, covering = self._closest_provable(name)
        wildcard = _wildcard_of(encloser) if encloser else None
        if wildcard is None or self._nsec3_covering(wildcard) is None:
            return Proof.FAILS
        return self._opted(covering)

    def _closest_provable(self, name: Name) -> tuple[Name | None, Nsec3 | None]:
        """The closest encloser and the NSEC3 that covers the next closer name (RFC 5155 section 8.3)."""
        next_closer = name
        for ancestor in name.ancestors()[1:]:
            if not ancestor.is_subdomain_of(self._zone):
                break
            match = self._nsec3_at(ancestor)
            if match is not None:
                return (None, None) if _cut_off(match.types) else (ancestor, self._nsec3_covering(next_closer))
            next_closer = ancestor
        return None, None

    def _nsec3_at(self, name: Name) -> Nsec3 | None:
        for span in self._hashed:
            if self._hash(name, span.fields) == span.owner_hash:
                return span.fields
        return None

    def _nsec3_covering(self, name: Name) -> Nsec3 | None:
        for span in self._hashed:
            start, end, hashed = span.owner_hash, span.fields.next_hash, self._hash(name, span.fields)
            if hashed is not None and (start < hashed < end if start < end else hashed > start or hashed < end):
                return span.fields
        return None

    @staticmethod
    def _opted(covering: Nsec3 | None) -> Proof:
        if covering is None:
            return Proof.FAILS
        return Proof.OPTED_OUT if covering.flags & OPT_OUT else Proof.PROVEN

    def _hash(self, name: Name, like: Nsec3) -> bytes | None:
        """The hash with the parameters of the first record; None for records of other parameters."""
        first = self._hashed[0].fields
        if (like.algorithm, like.iterations, like.salt) != (first.algorithm, first.iterations, first.salt):
            return None
        if name not in self._hashes:
            if len(self._hashes) >= MAX_HASHES_PER_RESPONSE:
                raise _TooManyHashes
            self._hashes[name] = dnssec.nsec3_hash(name, first.algorithm, first.iterations, first.salt)
        return self._hashes[name]


def hashed_span(zone: Name, owner: Name, octets: bytes) -> HashedSpan | None:
    """The NSEC3 record of that owner; None if it cannot be read or its owner is no hash directly below `zone`.

    Records with a flag other than opt-out are ignored (RFC 5155 section 8.2).
    """
    fields = read(rdata.nsec3, octets)
    if fields is None or fields.flags & ~OPT_OUT or owner.is_root or owner.parent() != zone:
        return None
    owner_hash = hash_of_label(owner.labels[0])
    return None if owner_hash is None else HashedSpan(owner_hash, fields)


def hash_of_label(label: bytes) -> bytes | None:
    """The hash that the first label of an NSEC3 owner is (base32 with extended hex alphabet); None if it is none."""
    if _WHOLE_HASH.fullmatch(label):  # all of them but damaged ones; the library's reader goes octet by octet
        return int(label, 32).to_bytes(len(label) * 5 // 8, "big")
    try:
        return base64.b32hexdecode(label.upper())
    except (binascii.Error, ValueError):
        return None


class _TooManyHashes(Exception):
    """The cap on hashes of one response was reached."""


def _denies(types: frozenset[int], rtype: int) -> bool:
    """Whether a bitmap at the name itself denies the type (RFC 6840 sections 4.1, 4.3 and 4.4)."""
    if rtype in types or CNAME in types:
        return False
    if rtype == DS:  # the parent's side of a cut: NS without SOA
        return NS in types and SOA not in types
    return not (NS in types and SOA not in types)


def _cut_off(types: frozenset[int]) -> bool:
    return DNAME in types or (NS in types and SOA not in types)


def _closest_encloser(name: Name, owner: Name, span: Nsec) -> Name:
    """The longest existing ancestor that the covering NSEC shows: shared with its owner or its next name."""
    return max(_common(name, owner), _common(name, span.next_name), key=lambda found: len(found.labels))


def _common(one: Name, other: Name) -> Name:
    return next(ancestor for ancestor in one.ancestors() if other.is_subdomain_of(ancestor))


def _wildcard_of(encloser: Name) -> Name | None:
    try:
        return encloser.prepend(b"*")
    except InputError:
        return None
