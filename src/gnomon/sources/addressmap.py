"""The lab's map of real addresses to loopback addresses: CSV lines `real,loopback`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.base import Address, InputError, parse_address
from gnomon.base.provenance import Provenance
from gnomon.sources.files import at_line, provenance_of, table


@dataclass(frozen=True, slots=True)
class AddressMap:
    """Where a query to a real address goes instead; all targets are loopback addresses."""

    loopback: Mapping[Address, Address]
    provenance: Provenance


def read_address_map(path: Path) -> AddressMap:
    """Read a map.

    Raises:
        InputError: unreadable, a line that is not two addresses, a target outside loopback, or an address twice.
    """
    loopback: dict[Address, Address] = {}
    for number, (real_text, loopback_text) in table(path, ("real", "loopback"), range(2, 3)):
        try:
            real, target = parse_address(real_text), parse_address(loopback_text)
        except InputError as error:
            raise at_line(path, number, error) from None
        if not target.is_loopback:
            raise at_line(path, number, f"{target} is not a loopback address; a lab never leaves loopback")
        if real in loopback:
            raise at_line(path, number, f"{real} is mapped a second time")
        loopback[real] = target
    return AddressMap(loopback, provenance_of(path))
