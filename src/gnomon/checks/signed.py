"""DNSKEYs as the view gives them; signatures are examined in `validation`."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.base import Address
from gnomon.wire.rdata import Dnskey


@dataclass(frozen=True, slots=True)
class Key:
    """A DNSKEY of the apex and the servers that publish it."""

    rdata: bytes
    dnskey: Dnskey
    addresses: tuple[Address, ...]
