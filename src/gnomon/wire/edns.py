"""The OPT pseudo-record (RFC 6891 section 6.1)."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon import _core

DO = 0x8000


@dataclass(frozen=True, slots=True)
class Edns:
    """What one OPT record says. `flags` are all 16 bits (DO is 0x8000), `options` are (code, data) in order.

    `options_complete` is False if the octets end inside an option: those before it are there.
    """

    udp_size_octets: int = 1232
    version: int = 0
    flags: int = 0
    options: tuple[tuple[int, bytes], ...] = ()
    options_complete: bool = True

    @classmethod
    def from_opt(cls, udp_size_octets: int, ttl: int, rdata: bytes) -> Edns:
        """The fields of an OPT record; the upper 8 bits of its TTL field belong to the rcode and are left out."""
        options, complete = _core.parse_options(rdata) if rdata else ([], True)
        return cls(udp_size_octets, ttl >> 16 & 0xFF, ttl & 0xFFFF, tuple(options), complete)

    @property
    def do(self) -> bool:
        """The sender wants, or gives, DNSSEC records (RFC 3225)."""
        return bool(self.flags & DO)

    def option(self, code: int) -> bytes | None:
        """The data of the first option with that code."""
        return next((data for number, data in self.options if number == code), None)
