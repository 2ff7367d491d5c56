"""Decoders of record data, uncompressed as `Message` gives it. Each raises only `MalformedRdata`."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

from gnomon import _core
from gnomon.base import Address, Name, address_of


class MalformedRdata(ValueError):
    """The octets are not an rdata of that type; the text says what is wrong."""


class Soa(NamedTuple):
    """RFC 1035 section 3.3.13; `minimum_s` is the TTL of negative answers (RFC 2308 section 4)."""

    mname: Name
    rname: Name
    serial: int
    refresh_s: int
    retry_s: int
    expire_s: int
    minimum_s: int


class Mx(NamedTuple):
    """RFC 1035 section 3.3.9."""

    preference: int
    exchange: Name


class Ds(NamedTuple):
    """RFC 4034 section 5.1; CDS has the same form (RFC 7344 section 3.1)."""

    key_tag: int
    algorithm: int
    digest_type: int
    digest: bytes


class Dnskey(NamedTuple):
    """RFC 4034 section 2.1; CDNSKEY has the same form (RFC 7344 section 3.2)."""

    flags: int
    protocol: int
    algorithm: int
    key: bytes

    @property
    def is_zone_key(self) -> bool:
        return bool(self.flags & 0x0100)

    @property
    def is_sep(self) -> bool:
        """Secure entry point: a key meant for the parent's DS (RFC 4034 section 2.1.1)."""
        return bool(self.flags & 0x0001)

    @property
    def is_revoked(self) -> bool:
        """RFC 5011 section 2.1."""
        return bool(self.flags & 0x0080)

    @property
    def rdata(self) -> bytes:
        return struct.pack("!HBB", self.flags, self.protocol, self.algorithm) + self.key

    @property
    def key_tag(self) -> int:
        """RFC 4034 appendix B."""
        return _key_tag(self)

    @property
    def rsa_bits(self) -> int | None:
        """The size of the RSA modulus in bits (RFC 3110 section 2); None if the key is not of RSA or unreadable."""
        parts = self.rsa_parts
        return int.from_bytes(parts[1], "big").bit_length() if parts else None

    @property
    def rsa_exponent_bits(self) -> int | None:
        """The size of the RSA public exponent in bits; None as for `rsa_bits`."""
        parts = self.rsa_parts
        return int.from_bytes(parts[0], "big").bit_length() if parts else None

    @property
    def rsa_parts(self) -> tuple[bytes, bytes] | None:
        """Exponent and modulus of an RSA key (RFC 3110 section 2), neither empty; None as for `rsa_bits`."""
        if self.algorithm not in (1, 5, 7, 8, 10) or not self.key:
            return None
        at, length = 1, self.key[0]
        if length == 0:
            at, length = 3, int.from_bytes(self.key[1:3], "big")
        exponent, modulus = self.key[at : at + length], self.key[at + length :]
        return (exponent, modulus) if exponent and modulus else None


@lru_cache(maxsize=512)
def _key_tag(key: Dnskey) -> int:
    return _core.key_tag(key.rdata)


class Rrsig(NamedTuple):
    """RFC 4034 section 3.1; `expiration` and `inception` are serial numbers of seconds (section 3.1.5)."""

    type_covered: int
    algorithm: int
    labels: int
    original_ttl_s: int
    expiration: int
    inception: int
    key_tag: int
    signer: Name
    signature: bytes


class Csync(NamedTuple):
    """RFC 7477 section 2.1.1."""

    serial: int
    flags: int
    types: frozenset[int]


class Dsync(NamedTuple):
    """RFC 9859 section 2.1: for changes of `rtype`, whom to tell by which scheme (1 is NOTIFY)."""

    rtype: int
    scheme: int
    port: int
    target: Name


class Nsec(NamedTuple):
    """RFC 4034 section 4.1."""

    next_name: Name
    types: frozenset[int]


class Nsec3(NamedTuple):
    """RFC 5155 section 3.2; `next_hash` is the raw hash, not base32."""

    algorithm: int
    flags: int
    iterations: int
    salt: bytes
    next_hash: bytes
    types: frozenset[int]

    @property
    def opt_out(self) -> bool:
        return bool(self.flags & 1)


class Nsec3param(NamedTuple):
    """RFC 5155 section 4.2."""

    algorithm: int
    flags: int
    iterations: int
    salt: bytes


_SOA_TIMES = struct.Struct("!5I")
_DS_FIXED = struct.Struct("!HBB")
_DSYNC_FIXED = struct.Struct("!HBH")
_RRSIG_FIXED = struct.Struct("!HBBIIIH")
_NSEC3_FIXED = struct.Struct("!BBHB")


def soa(rdata: bytes) -> Soa:
    """The fields of a SOA."""
    mname, at = read_name(rdata, 0)
    rname, at = read_name(rdata, at)
    if len(rdata) != at + 20:
        raise MalformedRdata(f"SOA: {len(rdata) - at} octets after the names, 20 expected")
    return Soa(mname, rname, *_SOA_TIMES.unpack_from(rdata, at))


def ns(rdata: bytes) -> Name:
    """The name of an NS, CNAME, DNAME or PTR."""
    name, at = read_name(rdata, 0)
    if at != len(rdata):
        raise MalformedRdata(f"{len(rdata) - at} octets after the name")
    return name


def mx(rdata: bytes) -> Mx:
    """The fields of an MX."""
    if len(rdata) < 3:
        raise MalformedRdata(f"MX: {len(rdata)} octets, at least 3 expected")
    return Mx(rdata[0] << 8 | rdata[1], ns(rdata[2:]))


def txt(rdata: bytes) -> tuple[bytes, ...]:
    """The character strings of a TXT, at least one (RFC 1035 section 3.3.14)."""
    out, at = [], 0
    while at < len(rdata):
        end = at + 1 + rdata[at]
        if end > len(rdata):
            raise MalformedRdata(f"TXT: the string at octet {at} goes beyond the rdata")
        out.append(rdata[at + 1 : end])
        at = end
    if not out:
        raise MalformedRdata("TXT: no string")
    return tuple(out)


def address(rdata: bytes) -> Address:
    """The address of an A or AAAA, by the number of octets."""
    if len(rdata) not in (4, 16):
        raise MalformedRdata(f"address: {len(rdata)} octets, 4 or 16 expected")
    return address_of(rdata)


def ds(rdata: bytes) -> Ds:
    """The fields of a DS or CDS."""
    if len(rdata) < 5:
        raise MalformedRdata(f"DS: {len(rdata)} octets, at least 5 expected")
    key_tag, algorithm, digest_type = _DS_FIXED.unpack_from(rdata)
    return Ds(key_tag, algorithm, digest_type, rdata[4:])


def dnskey(rdata: bytes) -> Dnskey:
    """The fields of a DNSKEY or CDNSKEY; the key may be empty."""
    if len(rdata) < 4:
        raise MalformedRdata(f"DNSKEY: {len(rdata)} octets, at least 4 expected")
    flags, protocol, algorithm = _DS_FIXED.unpack_from(rdata)
    return Dnskey(flags, protocol, algorithm, rdata[4:])


def rrsig(rdata: bytes) -> Rrsig:
    """The fields of an RRSIG; the signature may be empty."""
    if len(rdata) < 19:
        raise MalformedRdata(f"RRSIG: {len(rdata)} octets, at least 19 expected")
    signer, at = read_name(rdata, 18)
    covered, algorithm, labels, ttl_s, expiration, inception, tag = _RRSIG_FIXED.unpack_from(rdata)
    return Rrsig(covered, algorithm, labels, ttl_s, expiration, inception, tag, signer, rdata[at:])


def csync(rdata: bytes) -> Csync:
    """The fields of a CSYNC."""
    if len(rdata) < 6:
        raise MalformedRdata(f"CSYNC: {len(rdata)} octets, at least 6 expected")
    return Csync(int.from_bytes(rdata[:4], "big"), int.from_bytes(rdata[4:6], "big"), type_bitmap(rdata[6:]))


def dsync(rdata: bytes) -> Dsync:
    """The fields of a DSYNC."""
    if len(rdata) < 6:
        raise MalformedRdata(f"DSYNC: {len(rdata)} octets, at least 6 expected")
    rtype, scheme, port = _DSYNC_FIXED.unpack_from(rdata)
    return Dsync(rtype, scheme, port, ns(rdata[5:]))


def nsec(rdata: bytes) -> Nsec:
    """The fields of an NSEC."""
    next_name, at = read_name(rdata, 0)
    return Nsec(next_name, type_bitmap(rdata[at:]))


def nsec3(rdata: bytes) -> Nsec3:
    """The fields of an NSEC3."""
    parameters, at = _nsec3_parameters(rdata)
    if at >= len(rdata) or rdata[at] == 0 or at + 1 + rdata[at] > len(rdata):
        raise MalformedRdata("NSEC3: the next hashed owner name is empty or goes beyond the rdata")
    end = at + 1 + rdata[at]
    return Nsec3(*parameters, rdata[at + 1 : end], type_bitmap(rdata[end:]))


def nsec3param(rdata: bytes) -> Nsec3param:
    """The fields of an NSEC3PARAM."""
    parameters, at = _nsec3_parameters(rdata)
    if at != len(rdata):
        raise MalformedRdata(f"NSEC3PARAM: {len(rdata) - at} octets after the salt")
    return parameters


def type_bitmap(octets: bytes) -> frozenset[int]:
    """The types of a type bit map (RFC 4034 section 4.1.2): windows in rising order, 1 to 32 octets each."""
    types = _core.type_bitmap(octets)
    if types is None:
        raise MalformedRdata("type bit map: a window is out of order, or has not the 1 to 32 octets that it claims")
    return types


def _nsec3_parameters(rdata: bytes) -> tuple[Nsec3param, int]:
    if len(rdata) < 5 or len(rdata) < 5 + rdata[4]:
        raise MalformedRdata("NSEC3: the octets end before or inside the salt")
    algorithm, flags, iterations, salt_octets = _NSEC3_FIXED.unpack_from(rdata)
    end = 5 + salt_octets
    return Nsec3param(algorithm, flags, iterations, rdata[5:end]), end


def read_name(rdata: bytes, at: int) -> tuple[Name, int]:
    """The uncompressed name at octet `at`, and the offset after it."""
    found = _core.name_at(rdata, at)
    if found is None:
        raise MalformedRdata(f"no name of at most 255 octets in labels of at most 63 begins at octet {at} and ends")
    return found
