"""Delegation: how many name servers a zone has, at the parent and at the apex, and over which IP version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gnomon.base import Address, Name
from gnomon.base.codes import NS
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.registry import IOP, RES, SEC, check
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange

_SIDES = ("delegated", "apex")


def _names(view: ZoneView, side: str) -> tuple[Name, ...]:
    return view.parent_ns() if side == "delegated" else view.apex_ns_names


def _addresses(view: ZoneView, side: str) -> Mapping[Name, tuple[Address, ...]]:
    return view.delegated_servers if side == "delegated" else view.apex_servers


def _shown(view: ZoneView, side: str) -> tuple[Exchange, ...]:
    delegation = view.delegation()
    if side == "delegated":
        return delegation.exchanges if delegation else view.asked("P1")
    return view.apex_exchanges(NS)


@check(
    "del.ns-count-min",
    properties=(RES,),
    asked=("P1", "Q3"),
    codes={
        "delegated-enough": "The parent names {count} name servers for {zone}: {names}.",
        "delegated-two": "The parent names only two name servers for {zone}: {names}.",
        "delegated-too-few": "The parent names only {count} name {count:server|servers} for {zone}: {names}.",
        "delegated-none": "{zone} has no delegation to count.",
        "apex-enough": "{zone} names {count} name servers itself: {names}.",
        "apex-two": "{zone} names only two name servers itself: {names}.",
        "apex-too-few": "{zone} names only {count} name {count:server|servers} itself: {names}.",
        "apex-none": "No server of {zone} gives its NS records with authority.",
    },
)
def ns_count_min(view: ZoneView) -> Iterator[Outcome]:
    """The zone has at least two name servers, at the parent and at the apex.

    Why: one server is one failure away from an unreachable zone.
    Rule: error if either set has fewer than two names; exactly two is a notice for top-level and critical zones.
    Source: RFC 1034 section 4.1; RFC 2182 section 5; IANA name server requirements; KINDNS.
    Do: add name servers in other networks, first to the zone and then at the registry.
    """
    for side in _SIDES:
        names, shown = _names(view, side), _shown(view, side)
        texts, count = tuple(map(str, names)), len(names)
        if not names:
            make = not_applicable if side == "delegated" else unknown
            yield make(f"{side}-none", shown)
        else:
            word = "too-few" if count < 2 else "two" if count == 2 else "enough"
            yield outcome(f"{side}-{word}", shown, count=count, names=texts)


@check(
    "del.ns-count-v4",
    properties=(RES,),
    asked=("P1", "Q3", "H1", "Q9"),
    codes={
        "delegated-enough": "{count} delegated name servers of {zone} have an IPv4 address.",
        "delegated-one": "Only {names} of the delegated name servers of {zone} has an IPv4 address.",
        "delegated-none": "No delegated name server of {zone} has an IPv4 address.",
        "delegated-unknown": "Not all delegated name servers of {zone} could be looked up for IPv4: {names}.",
        "apex-enough": "{count} name servers at the apex of {zone} have an IPv4 address.",
        "apex-one": "Only {names} of the name servers at the apex of {zone} has an IPv4 address.",
        "apex-none": "No name server at the apex of {zone} has an IPv4 address.",
        "apex-unknown": "Not all name servers at the apex of {zone} could be looked up for IPv4: {names}.",
        "no-names": "{zone} has no NS names to look up.",
    },
)
def ns_count_v4(view: ZoneView) -> Iterator[Outcome]:
    """At least two name servers have an IPv4 address.

    Why: resolvers that only have IPv4 lose the zone with the single server they can use.
    Rule: error if exactly one NS name has an IPv4 address, warning if none has; at the parent and at the apex.
    Source: RFC 3901 section 3; RFC 4472 section 1.3.
    Do: give at least two name servers an A record (and glue at the parent where they are inside the zone).
    """
    yield from _count_family(view, 4)


@check(
    "del.ns-count-v6",
    properties=(RES, IOP),
    asked=("P1", "Q3", "H2", "Q9"),
    codes={
        "delegated-enough": "{count} delegated name servers of {zone} have an IPv6 address.",
        "delegated-one": "Only {names} of the delegated name servers of {zone} has an IPv6 address.",
        "delegated-none": "No delegated name server of {zone} has an IPv6 address.",
        "delegated-unknown": "Not all delegated name servers of {zone} could be looked up for IPv6: {names}.",
        "apex-enough": "{count} name servers at the apex of {zone} have an IPv6 address.",
        "apex-one": "Only {names} of the name servers at the apex of {zone} has an IPv6 address.",
        "apex-none": "No name server at the apex of {zone} has an IPv6 address.",
        "apex-unknown": "Not all name servers at the apex of {zone} could be looked up for IPv6: {names}.",
        "no-names": "{zone} has no NS names to look up.",
    },
)
def ns_count_v6(view: ZoneView) -> Iterator[Outcome]:
    """At least two name servers have an IPv6 address.

    Why: resolvers in IPv6-only networks cannot reach the zone otherwise, or lean on a single server.
    Rule: at most one NS name with an IPv6 address is an error for the root, top-level and critical zones and a warning
        for others; at the parent and at the apex.
    Source: RFC 3901 and its successor in the DNSOP working group; Internet.nl.
    Do: give at least two name servers an AAAA record (and glue at the parent where they are inside the zone).
    """
    yield from _count_family(view, 6)


def _count_family(view: ZoneView, version: int) -> Iterator[Outcome]:
    if not view.ns_names:
        yield not_applicable("no-names", view.asked("P1"))
    for side in _SIDES:
        servers = _addresses(view, side)
        having = [n for n, found in servers.items() if any(a.version == version for a in found)]
        hosts = [view.addresses_of(name) for name in servers]
        unsure = [h for h in hosts if h.name not in having and not h.knows(version)]
        shown = [_shown(view, side), *(h.exchanges for h in hosts)]
        if not servers:
            continue
        if len(having) < 2 and unsure:
            yield unknown(f"{side}-unknown", *shown, names=tuple(str(h.name) for h in unsure))
        elif len(having) < 2:
            word = "one" if having else "none"
            yield outcome(f"{side}-{word}", *shown, count=len(having), names=tuple(map(str, having)))
        else:
            yield outcome(f"{side}-enough", *shown, count=len(having))


@check(
    "del.ns-count-max",
    properties=(IOP, SEC),
    asked=("P1", "Q3"),
    codes={
        "in-limits": "{zone} has {count} name {count:server|servers}, no more than resolvers consider.",
        "over-13": "{zone} has {count} name servers; some resolvers consider 13 at most.",
        "over-20": "{zone} has {count} name servers; common resolvers consider 13 or 20 at most.",
        "no-names": "{zone} has no NS names.",
    },
)
def ns_count_max(view: ZoneView) -> Iterator[Outcome]:
    """The zone has no more name servers than resolvers consider.

    Why: what is beyond the limit is never asked, and long NS sets are a tool for amplification attacks on resolvers.
    Rule: warning above 20 names at the parent or at the apex, notice above 13.
    Source: limits of BIND and PowerDNS (13) and Unbound (20); the NXNSAttack countermeasures.
    Do: take away names; anycast behind few names serves better than many names.
    """
    count = max(len(view.parent_ns()), len(view.apex_ns_names))
    shown = (*_shown(view, "delegated"), *_shown(view, "apex"))
    if not count:
        yield not_applicable("no-names", shown)
    else:
        yield outcome("over-20" if count > 20 else "over-13" if count > 13 else "in-limits", shown, count=count)


@check(
    "del.ns-distinct-addresses",
    properties=(RES,),
    asked=("P1", "Q3", "H1", "H2", "Q9"),
    codes={
        "delegated-distinct": "The delegated name servers of {zone} share no address.",
        "delegated-shared": "Delegated name servers of {zone} share addresses: {shared}.",
        "delegated-single": "All delegated name servers of {zone} are one machine: {shared}.",
        "apex-distinct": "The name servers at the apex of {zone} share no address.",
        "apex-shared": "Name servers at the apex of {zone} share addresses: {shared}.",
        "apex-single": "All name servers at the apex of {zone} are one machine: {shared}.",
        "no-addresses": "No address is known of any name server of {zone}.",
    },
)
def ns_distinct_addresses(view: ZoneView) -> Iterator[Outcome]:
    """No two name servers share an address.

    Why: two names of one machine look like a reserve and are none.
    Rule: warning if two NS names share an address, error if fewer than two distinct addresses are left; at the parent
        and at the apex.
    Source: RFC 1034 section 4.1; RFC 2182 section 3.
    Do: run the second name server on a machine of its own, in another network.
    """
    known = False
    for side in _SIDES:
        owners: dict[Address, list[str]] = {}
        for name, addresses in _addresses(view, side).items():
            for address in addresses:
                owners.setdefault(address, []).append(str(name))
        shared = tuple(f"{address} ({' '.join(names)})" for address, names in owners.items() if len(names) > 1)
        shown = [_shown(view, side), *(view.addresses_of(name).exchanges for name in _names(view, side))]
        if owners:
            known = True
            word = "distinct" if not shared else "single" if len(owners) < 2 else "shared"
            yield outcome(f"{side}-{word}", *shown, shared=shared)
    if not known:
        yield unknown("no-addresses", *(view.addresses_of(name).exchanges for name in view.ns_names))
