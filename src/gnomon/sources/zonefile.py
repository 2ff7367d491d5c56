"""The delegations of a zone, from its master file: who is below it, served by whom, secured how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gnomon.base import Address, InputError, Name
from gnomon.base.codes import AAAA, DS, NS, SOA, A
from gnomon.base.provenance import Provenance
from gnomon.sources.files import at_line, provenance_of
from gnomon.sources.masterfile import read_records
from gnomon.wire import rdata

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ParentZone:
    """A zone seen as a parent. Names are keys in any case; values are in the order of the file, each once.

    `ns` are the name servers of each delegation, `apex_ns` those of the zone itself; `ds` the DS records of signed
    delegations; `addresses` all A and AAAA records by owner: glue, and what else the zone holds. `records` counts
    the records of these types and the SOA.
    """

    origin: Name
    soa: rdata.Soa
    apex_ns: tuple[Name, ...]
    ns: Mapping[Name, tuple[Name, ...]]
    ds: Mapping[Name, tuple[rdata.Ds, ...]]
    addresses: Mapping[Name, tuple[Address, ...]]
    records: int
    provenance: Provenance


def read_parent_zone(path: Path, origin: Name | None = None) -> ParentZone:
    """Read a zone's delegations, line by line; memory grows with the delegations, not with the file.

    Args:
        origin: the zone's name; if None, the owner of its SOA record.

    Raises:
        InputError: unreadable, bad syntax ("file, line N: reason"), no SOA or two, a name outside the zone, or a
            DS without delegation.
    """
    soa: tuple[int, Name, rdata.Soa] | None = None
    ns: dict[Name, list[Name]] = {}
    ds: dict[Name, list[rdata.Ds]] = {}
    addresses: dict[Name, list[Address]] = {}
    first_lines: dict[Name, int] = {}
    records = 0
    targets: dict[bytes, Name] = {}
    for line, owner, rtype, _, octets in read_records(path, origin, (SOA, NS, DS, A, AAAA)):
        records += 1
        first_lines.setdefault(owner, line)
        try:
            if rtype == NS:
                _put(ns, owner, targets.setdefault(octets, rdata.ns(octets)))
            elif rtype == DS:
                _put(ds, owner, rdata.ds(octets))
            elif rtype == SOA:
                if soa is not None and (owner, rdata.soa(octets)) != soa[1:]:
                    raise at_line(path, line, f"a second SOA record, of {owner}; a zone has one, at its top")
                soa = (line, owner, rdata.soa(octets))
            else:
                _put(addresses, owner, rdata.address(octets))
        except rdata.MalformedRdata as error:
            raise at_line(path, line, error) from None
    if soa is None:
        raise InputError(f"{path} has no SOA record: it is not a whole zone")
    top = soa[1]
    if origin is not None and origin != top:
        raise at_line(path, soa[0], f"the SOA record is of {top}, not of {origin}")
    for owner, line in first_lines.items():
        if not owner.is_subdomain_of(top):
            raise at_line(path, line, f"{owner} is outside the zone {top}")
    for owner in ds:
        if owner not in ns or owner == top:
            raise at_line(path, first_lines[owner], f"{owner} has a DS record, but no delegation")
    apex_ns = tuple(ns.pop(top, ()))
    return ParentZone(
        top, soa[2], apex_ns, _frozen(ns), _frozen(ds), _frozen(addresses), records, provenance_of(path)
    )  # fmt: skip


def _put(into: dict[Name, list[T]], owner: Name, value: T) -> None:
    values = into.setdefault(owner, [])
    if value not in values:  # RFC 2181 section 5: the same record twice is one
        values.append(value)


def _frozen(lists: dict[Name, list[T]]) -> dict[Name, tuple[T, ...]]:
    return {owner: tuple(values) for owner, values in lists.items()}
