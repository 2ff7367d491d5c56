"""Proofs that something does not exist: the NSEC chain (RFC 4034) and the NSEC3 chain (RFC 5155) of one zone."""

from __future__ import annotations

import hashlib
from base64 import b32hexencode
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import cached_property

from gnomon.base import codes
from gnomon.lab.records import RRset
from gnomon.lab.spec import SigningSpec

Nodes = Mapping[bytes, Mapping[int, RRset]]


def labels(name: bytes) -> list[bytes]:
    """The labels of uncompressed octets, without the root label."""
    out = []
    while name[0]:
        out.append(name[1 : name[0] + 1])
        name = name[name[0] + 1 :]
    return out


def parent(name: bytes) -> bytes:
    """The name without its first label."""
    return name[name[0] + 1 :] if name[0] else name


def canonical_order(name: bytes) -> tuple[bytes, ...]:
    """Sort key of RFC 4034 section 6.1 (for octets in lower case)."""
    return tuple(reversed(labels(name)))


def type_bitmap(types: Iterable[int]) -> bytes:
    """The type bit maps field of NSEC and NSEC3 (RFC 4034 section 4.1.2)."""
    windows: dict[int, bytearray] = {}
    for rtype in sorted(types):
        window = windows.setdefault(rtype >> 8, bytearray())
        octet = (rtype & 255) >> 3
        window.extend(bytes(octet + 1 - len(window)))
        window[octet] |= 0x80 >> (rtype & 7)
    return b"".join(bytes([number, len(bits)]) + bits for number, bits in windows.items())


def next_closer(name: bytes, encloser: bytes) -> bytes:
    """The name one label longer than the encloser on the way to `name` (RFC 5155 section 1.3)."""
    while parent(name) != encloser:
        name = parent(name)
    return name


class NsecChain:
    """One NSEC per authoritative name and per delegation; empty non-terminals have none."""

    def __init__(self, apex: bytes, nodes: Nodes, ttl_s: int) -> None:
        self._nodes, self._ttl_s = nodes, ttl_s
        self._names = sorted(nodes, key=canonical_order)
        self._order = [canonical_order(name) for name in self._names]
        self._records: dict[int, RRset] = {}

    def nodata(self, name: bytes) -> list[RRset]:
        """Proof that `name`, which exists, has no such type: its own record, or the one that spans it (ENT)."""
        return [self._spanning(name)]

    def nxdomain(self, name: bytes, encloser: bytes) -> list[RRset]:
        """Proof that neither `name` nor the wildcard below its closest encloser exists (RFC 4035 section 3.1.3.2)."""
        first, wildcard = self._spanning(name), self._spanning(b"\x01*" + encloser)
        return [first] if first is wildcard else [first, wildcard]

    def expansion(self, name: bytes, encloser: bytes) -> list[RRset]:
        """Proof that `name` does not exist, beside an answer from the wildcard at its closest encloser."""
        return [self._spanning(name)]

    def all(self) -> list[RRset]:
        return [self._record(index) for index in range(len(self._names))]

    def _spanning(self, name: bytes) -> RRset:
        return self._record(bisect_right(self._order, canonical_order(name)) - 1)

    def _record(self, index: int) -> RRset:
        if index not in self._records:
            name = self._names[index]
            following = self._names[(index + 1) % len(self._names)]
            bitmap = type_bitmap({*self._nodes[name], codes.NSEC, codes.RRSIG})
            self._records[index] = RRset(name, codes.NSEC, self._ttl_s, (following + bitmap,))
        return self._records[index]


class Nsec3Chain:
    """One NSEC3 per name, empty non-terminals included; with opt-out, insecure delegations have none."""

    def __init__(
        self, apex: bytes, nodes: Nodes, cuts: set[bytes], ents: set[bytes], ttl_s: int, signing: SigningSpec
    ) -> None:
        self._apex, self._nodes, self._cuts, self._ttl_s = apex, nodes, cuts, ttl_s
        self._iterations, self._salt = signing.nsec3_iterations, signing.nsec3_salt
        self._opt_out = signing.nsec3_opt_out
        self._ents = ents
        self._records: dict[int, RRset] = {}

    def hash(self, name: bytes) -> bytes:
        """The hash of a name (RFC 5155 section 5)."""
        digest = hashlib.sha1(name + self._salt).digest()
        for _ in range(self._iterations):
            digest = hashlib.sha1(digest + self._salt).digest()
        return digest

    @property
    def param(self) -> bytes:
        """The NSEC3PARAM rdata; its flags are zero (RFC 5155 section 4.1.2)."""
        return bytes([1, 0]) + self._iterations.to_bytes(2, "big") + bytes([len(self._salt)]) + self._salt

    @cached_property
    def _chain(self) -> tuple[list[bytes], list[bytes]]:
        owners = set(self._nodes) | self._ents
        if self._opt_out:
            owners -= {name for name in self._cuts if codes.DS not in self._nodes[name]}
        pairs = sorted((self.hash(name), name) for name in owners)
        return [digest for digest, _ in pairs], [name for _, name in pairs]

    def nodata(self, name: bytes) -> list[RRset]:
        """The matching record; for an opted-out delegation the closest provable encloser proof (section 7.2.4)."""
        index = self._matching(name)
        if index is not None:
            return [self._record(index)]
        encloser = name
        while self._matching(encloser) is None:
            name, encloser = encloser, parent(encloser)
        return self._distinct(self._matching(encloser), self._covering(name))

    def nxdomain(self, name: bytes, encloser: bytes) -> list[RRset]:
        """Closest encloser, next closer name and wildcard (RFC 5155 section 7.2.2)."""
        closer = self._covering(next_closer(name, encloser))
        return self._distinct(self._matching(encloser), closer, self._covering(b"\x01*" + encloser))

    def expansion(self, name: bytes, encloser: bytes) -> list[RRset]:
        """That the next closer name does not exist (RFC 5155 section 7.2.6)."""
        return self._distinct(self._covering(next_closer(name, encloser)))

    def all(self) -> list[RRset]:
        return [self._record(index) for index in range(len(self._chain[0]))]

    def _distinct(self, *indices: int | None) -> list[RRset]:
        return [self._record(index) for index in dict.fromkeys(indices) if index is not None]

    def _matching(self, name: bytes) -> int | None:
        index = bisect_right(self._chain[0], self.hash(name)) - 1
        return index if index >= 0 and self._chain[1][index] == name else None

    def _covering(self, name: bytes) -> int:
        return (bisect_right(self._chain[0], self.hash(name)) - 1) % len(self._chain[0])

    def _record(self, index: int) -> RRset:
        if index not in self._records:
            hashes, names = self._chain
            name = names[index]
            types = set(self._nodes.get(name, ()))
            # An insecure delegation has nothing that is signed.
            if types and (name not in self._cuts or codes.DS in types):
                types.add(codes.RRSIG)
            following = hashes[(index + 1) % len(hashes)]
            rdata = (
                bytes([1, self._opt_out]) + self._iterations.to_bytes(2, "big") + bytes([len(self._salt)]) + self._salt
                + bytes([len(following)]) + following + type_bitmap(types)
            )  # fmt: skip
            owner = b"\x20" + b32hexencode(hashes[index]).lower() + self._apex
            self._records[index] = RRset(owner, codes.NSEC3, self._ttl_s, (rdata,))
        return self._records[index]
