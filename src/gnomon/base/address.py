"""Where a query goes: an address, a port and a transport, with the server name it was found under."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from gnomon.base.errors import InputError
from gnomon.base.names import Name

Address = IPv4Address | IPv6Address


class Transport(IntEnum):
    """How a message travels; the numbers are stored in evidence."""

    UDP = 0
    TCP = 1
    DOT = 2


@dataclass(frozen=True, slots=True, order=True)
class NameServer:
    """A name server host and one of its addresses, as found in a delegation or an apex NS RRset."""

    name: Name
    address: Address

    def __str__(self) -> str:
        return f"{self.name}/{self.address}"


@lru_cache(maxsize=1 << 16)
def reverse_name(address: Address) -> Name:
    """The name under in-addr.arpa or ip6.arpa that has the PTR records of an address (RFC 1035 3.5, RFC 3596 2.5)."""
    return Name.from_text(f"{address.reverse_pointer}.")


@lru_cache(maxsize=1 << 16)
def parse_address(text: str) -> Address:
    """Read an IPv4 or IPv6 address.

    Raises:
        InputError: not an address.
    """
    kind: type[_V4 | _V6]
    for kind in (_V4, _V6):
        try:
            return address_of(kind(text).packed)
        except ValueError:
            continue
    raise InputError(f"{text!r} is not an IPv4 or IPv6 address")


@lru_cache(maxsize=1 << 16)
def address_of(octets: bytes) -> Address:
    """The address of 4 or 16 octets; mostly the same object for the same address.

    Raises:
        ValueError: another number of octets.
    """
    return _V4(octets) if len(octets) == 4 else _V6(octets)


# Addresses are keys everywhere, and named in most sentences; hash and text of the library's classes are slow to make.
# Each object keeps both, as methods of a number and of a text: calling these takes no step of the interpreter.


class _V4(IPv4Address):
    __slots__ = ("__hash__", "__str__")

    def __init__(self, address: object) -> None:
        super().__init__(address)
        self.__hash__ = super().__hash__().__index__  # type: ignore[method-assign]
        self.__str__ = super().__str__().__str__  # type: ignore[method-assign]


class _V6(IPv6Address):
    __slots__ = ("__hash__", "__str__")

    def __init__(self, address: object) -> None:
        super().__init__(address)
        self.__hash__ = super().__hash__().__index__  # type: ignore[method-assign]
        self.__str__ = super().__str__().__str__  # type: ignore[method-assign]
