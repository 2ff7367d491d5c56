"""Decoders of the record data by which services are found and trusted: TLSA, CAA, SVCB and HTTPS.

As those of `gnomon.wire.rdata`, each raises only `MalformedRdata`.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from gnomon.base import Address, Name
from gnomon.wire.rdata import MalformedRdata, read_name

MANDATORY, ALPN, NO_DEFAULT_ALPN, PORT, IPV4HINT, ECH, IPV6HINT = range(7)
_KEY_NAMES = ("mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint")


class Tlsa(NamedTuple):
    """RFC 6698 section 2.1."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def label(self) -> str:
        """The three numbers as they are written, and the beginning of the data."""
        return f"{self.usage} {self.selector} {self.matching} {self.data[:4].hex()}..."


class Caa(NamedTuple):
    """RFC 8659 section 4.1; `tag` in lower case."""

    flags: int
    tag: str
    value: str

    @property
    def is_critical(self) -> bool:
        return bool(self.flags & 0x80)


class Svcb(NamedTuple):
    """RFC 9460 section 2.2; `params` in the order in which they came, keys as numbers."""

    priority: int
    target: Name
    params: tuple[tuple[int, bytes], ...]

    @property
    def is_alias(self) -> bool:
        return self.priority == 0

    def param(self, key: int) -> bytes | None:
        """The value of the first parameter with that key."""
        return next((value for other, value in self.params if other == key), None)

    def hints(self) -> tuple[Address, ...]:
        """The addresses of ipv4hint and ipv6hint, as far as they are whole."""
        v4, v6 = self.param(IPV4HINT) or b"", self.param(IPV6HINT) or b""
        found: list[Address] = [IPv4Address(v4[at : at + 4]) for at in range(0, len(v4) - 3, 4)]
        return (*found, *(IPv6Address(v6[at : at + 16]) for at in range(0, len(v6) - 15, 16)))


def key_name(key: int) -> str:
    """The name of a service parameter key (RFC 9460 section 14.3.2)."""
    return _KEY_NAMES[key] if key < len(_KEY_NAMES) else f"key{key}"


def tlsa(rdata: bytes) -> Tlsa:
    """The fields of a TLSA; the data may be empty."""
    if len(rdata) < 3:
        raise MalformedRdata(f"TLSA: {len(rdata)} octets, at least 3 expected")
    return Tlsa(rdata[0], rdata[1], rdata[2], rdata[3:])


def caa(rdata: bytes) -> Caa:
    """The fields of a CAA; the value's octets outside ASCII are kept as the characters of the same number."""
    if len(rdata) < 2 or not 1 <= rdata[1] <= len(rdata) - 2:
        raise MalformedRdata("CAA: the tag is empty or goes beyond the rdata")
    tag = rdata[2 : 2 + rdata[1]]
    if not tag.isalnum():
        raise MalformedRdata("CAA: the tag has an octet that is no ASCII letter or digit")
    return Caa(rdata[0], tag.decode("ascii").lower(), rdata[2 + rdata[1] :].decode("latin-1"))


def svcb(rdata: bytes) -> Svcb:
    """The fields of an SVCB or HTTPS; the order of the parameters is not judged here."""
    if len(rdata) < 3:
        raise MalformedRdata(f"SVCB: {len(rdata)} octets, at least 3 expected")
    target, at = read_name(rdata, 2)
    params: list[tuple[int, bytes]] = []
    while at < len(rdata):
        end = at + 4 + int.from_bytes(rdata[at + 2 : at + 4], "big")
        if at + 4 > len(rdata) or end > len(rdata):
            raise MalformedRdata(f"SVCB: the parameter at octet {at} goes beyond the rdata")
        params.append((int.from_bytes(rdata[at : at + 2], "big"), rdata[at + 4 : end]))
        at = end
    return Svcb(rdata[0] << 8 | rdata[1], target, tuple(params))
