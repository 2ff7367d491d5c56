"""Resilience: are the name servers spread over networks, so that one failure leaves others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import summarize_address_range

from gnomon.base import Address
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.registry import RES, check
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.sources.routing import Route

_FAMILIES = ((4, "v4"), (6, "v6"))


def _routes(view: ZoneView, version: int) -> Mapping[Address, Route | None]:
    table = view.routing
    addresses = [a for a in view.addresses if a.version == version]
    return view.once(("routes", version), lambda: {a: table.route(a) if table else None for a in addresses})


def _shown(view: ZoneView) -> list[Exchange]:
    delegation = view.delegation()
    hosts = (view.addresses_of(name).exchanges for name in view.ns_names)
    return [*(delegation.exchanges if delegation else ()), *(x for of in hosts for x in of)]


def _subnet(address: Address) -> str:
    """The /24 or /48 around an address."""
    length = 24 if address.version == 4 else 48
    first = int(address) >> address.max_prefixlen - length << address.max_prefixlen - length
    return f"{type(address)(first)}/{length}"


def _block(route: Route) -> str:
    networks = list(summarize_address_range(route.first, route.last))
    return str(networks[0]) if len(networks) == 1 else f"{route.first}-{route.last}"


@check(
    "res.as-diversity",
    properties=(RES,),
    asked=("P1", "H1", "H2", "Q9"),
    codes={
        "v4-diverse": "The IPv4 addresses of {zone} are announced by {count} networks: {ases}.",
        "v4-one-as": "All IPv4 addresses of {zone} are announced by one network: {ases}.",
        "v4-unrouted": "The routing table does not cover {addresses} of {zone}.",
        "v4-none": "No name server of {zone} has an IPv4 address.",
        "v6-diverse": "The IPv6 addresses of {zone} are announced by {count} networks: {ases}.",
        "v6-one-as": "All IPv6 addresses of {zone} are announced by one network: {ases}.",
        "v6-unrouted": "The routing table does not cover {addresses} of {zone}.",
        "v6-none": "No name server of {zone} has an IPv6 address.",
        "no-routing-table": "No routing table was given.",
    },
)
def as_diversity(view: ZoneView) -> Iterator[Outcome]:
    """The name servers are announced by at least two networks (ASes), for each IP version.

    Why: a routing mistake or an outage of the only network takes all servers away at once.
    Rule: warning if all addresses of an IP version have one origin AS; one level lower for ordinary zones. Anycast is
        not taken into account.
    Source: RFC 2182 section 3.1; IANA name server requirements; KINDNS.
    Do: add a name server in another network, for example with a second provider.
    """
    if view.routing is None:
        yield unknown("no-routing-table")
        return
    for version, family in _FAMILIES:
        routes = _routes(view, version)
        names = {route.asn: route.name for route in routes.values() if route}
        unrouted = tuple(str(a) for a, route in routes.items() if not route)
        ases = tuple(f"AS{asn} {names[asn] or ''}".rstrip() for asn in sorted(names))
        if not routes:
            yield not_applicable(f"{family}-none")
        elif unrouted and len(ases) < 2:
            yield unknown(f"{family}-unrouted", _shown(view), addresses=unrouted)
        else:
            code = "one-as" if len(ases) == 1 else "diverse"
            yield outcome(f"{family}-{code}", _shown(view), count=len(ases), ases=ases)


@check(
    "res.prefix-diversity",
    properties=(RES,),
    asked=("P1", "H1", "H2", "Q9"),
    codes={
        "v4-diverse": "The IPv4 addresses of {zone} lie in {count} announced blocks, each in one of its own.",
        "v4-some-share": "IPv4 addresses of {zone} share announced blocks: {blocks}.",
        "v4-one-block": "All IPv4 addresses of {zone} lie in one announced block: {blocks}.",
        "v4-one-subnet": "All IPv4 addresses of {zone} lie in one /24: {blocks}.",
        "v4-unrouted": "The routing table does not cover {addresses} of {zone}.",
        "v4-none": "No name server of {zone} has an IPv4 address.",
        "v6-diverse": "The IPv6 addresses of {zone} lie in {count} announced blocks, each in one of its own.",
        "v6-some-share": "IPv6 addresses of {zone} share announced blocks: {blocks}.",
        "v6-one-block": "All IPv6 addresses of {zone} lie in one announced block: {blocks}.",
        "v6-one-subnet": "All IPv6 addresses of {zone} lie in one /48: {blocks}.",
        "v6-unrouted": "The routing table does not cover {addresses} of {zone}.",
        "v6-none": "No name server of {zone} has an IPv6 address.",
        "no-routing-table": "No routing table was given.",
    },
)
def prefix_diversity(view: ZoneView) -> Iterator[Outcome]:
    """The name servers lie in at least two announced address blocks, for each IP version.

    Why: a block that is withdrawn or hijacked takes all addresses in it away at once.
    Rule: error for top-level and critical zones if all addresses lie in one /24 (IPv6: /48), else a warning; warning if
        all lie in one announced block. One level lower for ordinary zones. Sharing among some is reported.
    Source: RFC 2182 section 3.1; KINDNS.
    Do: add a name server in another address block, preferably in another network.
    """
    if view.routing is None:
        yield unknown("no-routing-table")
        return
    for version, family in _FAMILIES:
        routes = _routes(view, version)
        subnets = {_subnet(address) for address in routes}
        members: dict[str, list[Address]] = {}
        for address, route in routes.items():
            if route:
                members.setdefault(_block(route), []).append(address)
        unrouted = tuple(str(a) for a, route in routes.items() if not route)
        shared = tuple(block for block, of in members.items() if len(of) > 1)
        if not routes:
            yield not_applicable(f"{family}-none")
        elif len(subnets) == 1:
            yield outcome(f"{family}-one-subnet", _shown(view), blocks=tuple(subnets))
        elif unrouted and len(members) < 2:
            yield unknown(f"{family}-unrouted", _shown(view), addresses=unrouted)
        elif len(members) == 1:
            yield outcome(f"{family}-one-block", _shown(view), blocks=tuple(members))
        else:
            code = "some-share" if shared else "diverse"
            yield outcome(f"{family}-{code}", _shown(view), count=len(members), blocks=shared)
