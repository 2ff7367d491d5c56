"""Routing tables: from an address to the autonomous system (AS) that originates its prefix, and the AS's name."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton

from gnomon.base import Address, InputError
from gnomon.base.provenance import Provenance
from gnomon.sources.files import at_line, lines, provenance_of, split_csv, table

_LOW = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Route:
    """The range of addresses that an AS originates; `name` is the AS's, None if the table has no name for it."""

    first: Address
    last: Address
    asn: int
    name: str | None


class RoutingTable:
    """Ranges of addresses with their origin AS, in arrays of 12 (IPv4) and 36 (IPv6) octets a range."""

    provenance: tuple[Provenance, ...]

    def __init__(self, v4: _Ranges, v6: _Ranges, names: Mapping[int, str], provenance: tuple[Provenance, ...]) -> None:
        """Use `read_routes`."""
        self._ranges = {4: v4, 6: v6}
        self._names = names
        self.provenance = provenance

    def __len__(self) -> int:
        return sum(len(ranges.asn) for ranges in self._ranges.values())

    def route(self, address: Address) -> Route | None:
        """The range that holds `address`; None if no AS originates it."""
        found = self._ranges[address.version].find(int(address))
        if found is None:
            return None
        first, last, asn = found
        kind = type(address)
        return Route(kind(first), kind(last), asn, self._names.get(asn))


def read_routes(paths: Iterable[Path], as_names: Path | None = None) -> RoutingTable:
    """Read one or more CSV files (plain or gzip) of `first,last,asn[,name]`, both address families, in any order.

    Args:
        as_names: a CSV file with columns asn, handle, org: names for ASes that the tables do not name.

    Raises:
        InputError: unreadable, bad syntax ("file, line N: reason"), or two ranges overlap.
    """
    names: dict[int, str] = _read_names(as_names) if as_names is not None else {}
    v4, v6 = _Ranges(32), _Ranges(128)
    sources = []
    for path in paths:
        for number, fields in table(path, ("first", "last", "asn", "name"), range(3, 5)):
            ranges, family = (v6, AF_INET6) if ":" in fields[0] else (v4, AF_INET)
            try:
                first = int.from_bytes(inet_pton(family, fields[0]), "big")
                last = int.from_bytes(inet_pton(family, fields[1]), "big")
            except (OSError, ValueError):
                raise at_line(path, number, f"{fields[0]!r} to {fields[1]!r} is no range of addresses") from None
            if first > last:
                raise at_line(path, number, f"the range {fields[0]} to {fields[1]} ends before it begins")
            asn = _asn(fields[2], path, number)
            ranges.append(first, last, asn)
            if len(fields) == 4 and fields[3]:
                names[asn] = fields[3]
        sources.append(provenance_of(path))
    for ranges in (v4, v6):
        ranges.sort()
    if as_names is not None:
        sources.append(provenance_of(as_names))
    return RoutingTable(v4, v6, names, tuple(sources))


def _read_names(path: Path) -> dict[int, str]:
    """AS names from a CSV file with a header: `org` where there is one, else `handle`."""
    names: dict[int, str] = {}
    numbered = lines(path)
    header = next((text for _, text in numbered), "").split(",")
    try:
        asn_at, handle_at, org_at = header.index("asn"), header.index("handle"), header.index("org")
    except ValueError:
        raise InputError(f"{path}, line 1: no header with the columns asn, handle and org") from None
    for number, text in numbered:
        fields = split_csv(text, path, number)
        if len(fields) != len(header):
            raise at_line(path, number, f"{len(fields)} fields instead of {len(header)}")
        name = fields[org_at] or fields[handle_at]
        if name:
            names[_asn(fields[asn_at], path, number)] = name
    return names


def _asn(text: str, path: Path, number: int) -> int:
    asn = int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else -1
    if not 0 <= asn < 1 << 32:
        raise at_line(path, number, f"{text!r} is no AS number")
    return asn


class _Ranges:
    """Ranges of one address family as arrays; 128-bit numbers in two halves."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        width = "I" if bits == 32 else "Q"
        self.asn = array("I")
        self._first, self._last = array(width), array(width)
        self._first_low, self._last_low = array("Q"), array("Q")

    def append(self, first: int, last: int, asn: int) -> None:
        self.asn.append(asn)
        if self._bits == 32:
            self._first.append(first)
            self._last.append(last)
        else:
            self._first.append(first >> 64)
            self._first_low.append(first & _LOW)
            self._last.append(last >> 64)
            self._last_low.append(last & _LOW)

    def sort(self) -> None:
        """Put the ranges in order.

        Raises:
            InputError: two of them overlap.
        """
        size = len(self.asn)
        if any(self._begin(i) <= self._begin(i - 1) for i in range(1, size)):
            order = sorted(range(size), key=self._begin)
            for column in (self.asn, self._first, self._last, self._first_low, self._last_low):
                if column:
                    column[:] = array(column.typecode, [column[i] for i in order])
        for i in range(1, size):
            if self._begin(i) <= self._end(i - 1):
                kind = IPv4Address if self._bits == 32 else IPv6Address
                raise InputError(
                    f"the ranges {kind(self._begin(i - 1))} to {kind(self._end(i - 1))} and {kind(self._begin(i))} to "
                    f"{kind(self._end(i))} of the routing table overlap: keep the more specific one and cut the other"
                )

    def find(self, number: int) -> tuple[int, int, int] | None:
        at = bisect_right(range(len(self.asn)), number, key=self._begin) - 1
        if at < 0 or number > self._end(at):
            return None
        return self._begin(at), self._end(at), self.asn[at]

    def _begin(self, at: int) -> int:
        return self._first[at] if self._bits == 32 else self._first[at] << 64 | self._first_low[at]

    def _end(self, at: int) -> int:
        return self._last[at] if self._bits == 32 else self._last[at] << 64 | self._last_low[at]
