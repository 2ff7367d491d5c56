"""What an answer tells the planner; pure functions over hostile messages, never raising."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from gnomon.base import Address, Name
from gnomon.base.codes import AAAA, CNAME, DNSKEY, DS, NOERROR, NS, NXDOMAIN, SOA, A
from gnomon.wire import MalformedRdata, Message, Record, rdata

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Referral:
    """The NS names of a zone in canonical order, with those of their addresses that may be believed."""

    zone: Name
    ns_names: tuple[Name, ...]
    glue: Mapping[Name, tuple[Address, ...]]


def referral(message: Message, name: Name, above: Name) -> Referral | None:
    """The delegation on the way from the zone `above` down to `name`, itself included.

    NS records in the answer section count for `name` only: then the server serves both zones. Glue is believed for
    hosts inside `above` (RFC 9471 section 2.1 and 2.2: in-domain and sibling), whatever else is in the message.
    """
    records = _delegating(message, name, above)
    if not records:
        return None
    zone = max((r.owner for r in records), key=lambda owner: len(owner.wire))
    names = {host for r in records if r.owner == zone and (host := _read(rdata.ns, r)) is not None}
    glue = _by_owner(message.additional, {host for host in names if host.is_subdomain_of(above)})
    return Referral(zone, names_in_order(names), glue)


def refers(message: Message, name: Name, above: Name) -> bool:
    """There is a `referral`."""
    return bool(_delegating(message, name, above))


def apex_ns(message: Message, zone: Name) -> tuple[Name, ...]:
    """The NS names that an authoritative answer gives for its own zone, in message order."""
    if not message.aa or message.rcode != NOERROR:
        return ()
    records = (r for r in message.answer if r.rtype == NS and r.owner == zone)
    return tuple(name for r in records if (name := _read(rdata.ns, r)) is not None)


def primary(message: Message, zone: Name) -> Name | None:
    """The MNAME of the SOA record that an authoritative answer gives for its own zone."""
    soas = (_read(rdata.soa, r) for r in message.answer if r.rtype == SOA and r.owner == zone)
    return next((soa.mname for soa in soas if soa is not None), None)


def has_dnskey(message: Message) -> bool:
    return any(r.rtype == DNSKEY for r in message.answer)


def has_ds(message: Message, zone: Name) -> bool:
    return any(r.rtype == DS and r.owner == zone for r in (*message.answer, *message.authority))


def addresses(records: Iterable[Record], owners: Iterable[Name]) -> tuple[Address, ...]:
    """The addresses that A and AAAA records of `owners` hold, sorted, IPv4 first."""
    wanted = set(owners)
    return in_order(a for found in _by_owner(records, wanted).values() for a in found)


def alias(message: Message, name: Name) -> Name | None:
    """The target of the CNAME record of `name` in the answer."""
    targets = (_read(rdata.ns, r) for r in message.answer if r.rtype == CNAME and r.owner == name)
    return next((target for target in targets if target is not None), None)


def end_of_aliases(message: Message, name: Name) -> Name:
    """The last target of the CNAME records in the answer that begin at `name`; itself without any."""
    for _ in range(len(message.answer)):
        target = alias(message, name)
        if target is None:
            break
        name = target
    return name


def is_nxdomain(message: Message) -> bool:
    return message.rcode == NXDOMAIN


def is_empty(message: Message, name: Name) -> bool:
    """There is nothing about `name` in it: no answer, no delegation."""
    return not message.answer and not any(r.rtype == NS and r.owner == name for r in message.authority)


def is_final(message: Message) -> bool:
    """It settles the question: an authoritative answer, NODATA with SOA, or NXDOMAIN; not a refusal or failure."""
    if message.rcode == NXDOMAIN:
        return True
    return message.rcode == NOERROR and (message.aa or any(r.rtype == SOA for r in message.authority))


def names_in_order(names: Iterable[Name]) -> tuple[Name, ...]:
    """Each name once, in canonical order (RFC 4034 section 6.1)."""
    return tuple(sorted(set(names)))


def in_order(found: Iterable[Address]) -> tuple[Address, ...]:
    """Each address once, IPv4 before IPv6, then by number."""
    return tuple(sorted(set(found), key=lambda address: (address.version, int(address))))


def _delegating(message: Message, name: Name, above: Name) -> list[Record]:
    """The NS records that show the next zone on the way down to `name`."""
    if message.rcode != NOERROR:
        return []
    records = [r for r in message.answer if r.rtype == NS and r.owner == name]
    return records or [r for r in message.authority if r.rtype == NS and _is_between(r.owner, name, above)]


def _is_between(owner: Name, name: Name, above: Name) -> bool:
    return owner != above and name.is_subdomain_of(owner) and owner.is_subdomain_of(above)


def _by_owner(records: Iterable[Record], wanted: set[Name]) -> dict[Name, tuple[Address, ...]]:
    found: dict[Name, set[Address]] = {}
    for record in records:
        if record.rtype in (A, AAAA) and record.owner in wanted:
            address = _read(rdata.address, record)
            if address is not None:
                found.setdefault(record.owner, set()).add(address)
    return {owner: in_order(of) for owner, of in found.items()}


def _read(parse: Callable[[bytes], T], record: Record) -> T | None:
    try:
        return parse(record.rdata)
    except MalformedRdata:
        return None
