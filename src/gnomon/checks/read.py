"""Reading record data that may be damaged: what cannot be read is left out, never raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar

from gnomon.base import Address, Name
from gnomon.wire import rdata

T = TypeVar("T")


def read(parse: Callable[[bytes], T], octets: bytes) -> T | None:
    """The parsed record data, None if it is malformed; equal octets are read once."""
    value: T | None = _read(parse, octets)
    return value


@lru_cache(maxsize=8192)
def _read(parse: Callable[[bytes], object], octets: bytes) -> Any:
    try:
        return parse(octets)
    except rdata.MalformedRdata:
        return None


def read_all(parse: Callable[[bytes], T], many: Iterable[bytes]) -> tuple[T, ...]:
    """All that could be read, in the order given."""
    return tuple([value for octets in many if (value := _read(parse, octets)) is not None])


def in_order(names: Iterable[Name]) -> tuple[Name, ...]:
    """The names in canonical order (RFC 4034 section 6.1), each once."""
    return tuple(sorted(set(names), key=name_order))


@lru_cache(maxsize=65_536)
def name_order(name: Name) -> tuple[bytes, ...]:
    """Sort key: canonical order; remembered, for the same names are sorted again and again."""
    return Name(name.key).labels[::-1]


@lru_cache(maxsize=1 << 16)
def address_order(address: Address) -> tuple[int, int]:
    """Sort key: IPv4 before IPv6, then by number."""
    return address.version, int(address)
