"""Reading record data that may be damaged: what cannot be read is left out, never raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from gnomon.base import Address
from gnomon.wire import rdata

T = TypeVar("T")


def read(parse: Callable[[bytes], T], octets: bytes) -> T | None:
    """The parsed record data, None if it is malformed."""
    try:
        return parse(octets)
    except rdata.MalformedRdata:
        return None


def read_all(parse: Callable[[bytes], T], many: Iterable[bytes]) -> tuple[T, ...]:
    """All that could be read, in the order given."""
    return tuple(value for octets in many if (value := read(parse, octets)) is not None)


def address_order(address: Address) -> tuple[int, int]:
    """Sort key: IPv4 before IPv6, then by number."""
    return address.version, int(address)
