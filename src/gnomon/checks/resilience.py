"""Resilience: are the name servers spread over networks, so that one failure leaves others."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import summarize_address_range

from gnomon.base import Address
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.registry import RES, check
from gnomon.checks.routes import Announced, announced, has_source, shown
from gnomon.checks.view import ZoneView
from gnomon.sources.routing import Route

_FAMILIES = ((4, "v4"), (6, "v6"))

_UNSETTLED = {
    "v4-unrouted": "No announced block is known for {addresses} of {zone}.",
    "v4-lookup-failed": "The look-up service gave no usable answer about {addresses} of {zone}.",
    "v4-none": "No name server of {zone} has an IPv4 address.",
    "v6-unrouted": "No announced block is known for {addresses} of {zone}.",
    "v6-lookup-failed": "The look-up service gave no usable answer about {addresses} of {zone}.",
    "v6-none": "No name server of {zone} has an IPv6 address.",
    "no-routing-table": "Neither a routing table nor a look-up service was given.",
}


def _subnet(address: Address) -> str:
    """The /24 or /48 around an address."""
    length = 24 if address.version == 4 else 48
    first = int(address) >> address.max_prefixlen - length << address.max_prefixlen - length
    return f"{type(address)(first)}/{length}"


def _block(route: Route) -> str:
    networks = list(summarize_address_range(route.first, route.last))
    return str(networks[0]) if len(networks) == 1 else f"{route.first}-{route.last}"


def _unsettled(view: ZoneView, family: str, found: list[Announced]) -> Iterator[Outcome]:
    """The addresses of which it is not known where they are announced."""
    for how, code in (("unrouted", "unrouted"), ("failed", "lookup-failed")):
        of = [one for one in found if one.how == how]
        if of:
            yield unknown(f"{family}-{code}", shown(view, of), addresses=tuple(str(one.address) for one in of))


@check(
    "res.as-diversity",
    properties=(RES,),
    asked=("P1", "H1", "H2", "Q9", "R1"),
    version=2,
    codes={
        "v4-diverse": "The IPv4 addresses of {zone} are announced by {count} networks: {ases}.",
        "v4-one-as": "All IPv4 addresses of {zone} are announced by one network: {ases}.",
        "v6-diverse": "The IPv6 addresses of {zone} are announced by {count} networks: {ases}.",
        "v6-one-as": "All IPv6 addresses of {zone} are announced by one network: {ases}.",
        **_UNSETTLED,
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
    if not has_source(view):
        yield unknown("no-routing-table")
        return
    for version, family in _FAMILIES:
        found = list(announced(view, version).values())
        names = {one.route.asn: one.route.name for one in found if one.route}
        ases = tuple(f"AS{asn} {names[asn] or ''}".rstrip() for asn in sorted(names))
        if not found:
            yield not_applicable(f"{family}-none")
            continue
        if len(ases) < 2:
            yield from _unsettled(view, family, found)
        if len(ases) > 1 or all(one.route for one in found):
            code = "one-as" if len(ases) == 1 else "diverse"
            yield outcome(f"{family}-{code}", shown(view, found), count=len(ases), ases=ases)


@check(
    "res.prefix-diversity",
    properties=(RES,),
    asked=("P1", "H1", "H2", "Q9", "R1"),
    version=2,
    codes={
        "v4-diverse": "The IPv4 addresses of {zone} lie in {count} announced blocks, each in one of its own.",
        "v4-known-diverse": "The IPv4 addresses of {zone} with a known announced block have one each for themselves.",
        "v4-some-share": "Some IPv4 addresses of {zone} share {blocks:an announced block|announced blocks}: {blocks}.",
        "v4-all-share": "Every announced block of the IPv4 addresses of {zone} has several of them: {blocks}.",
        "v4-one-block": "All IPv4 addresses of {zone} lie in one announced block: {blocks}.",
        "v4-one-subnet": "All IPv4 addresses of {zone} lie in one /24: {blocks}.",
        "v4-one-address": "{zone} has a single IPv4 address, in {blocks}.",
        "v6-diverse": "The IPv6 addresses of {zone} lie in {count} announced blocks, each in one of its own.",
        "v6-known-diverse": "The IPv6 addresses of {zone} with a known announced block have one each for themselves.",
        "v6-some-share": "Some IPv6 addresses of {zone} share {blocks:an announced block|announced blocks}: {blocks}.",
        "v6-all-share": "Every announced block of the IPv6 addresses of {zone} has several of them: {blocks}.",
        "v6-one-block": "All IPv6 addresses of {zone} lie in one announced block: {blocks}.",
        "v6-one-subnet": "All IPv6 addresses of {zone} lie in one /48: {blocks}.",
        "v6-one-address": "{zone} has a single IPv6 address, in {blocks}.",
        **_UNSETTLED,
    },
)
def prefix_diversity(view: ZoneView) -> Iterator[Outcome]:
    """The name servers lie in at least two announced address blocks, for each IP version.

    Why: a block that is withdrawn or hijacked takes all addresses in it away at once.
    Rule: error for top-level and critical zones if there is one address only, or if all lie in one block and in one /24
        (IPv6: /48), else a warning; warning if all lie in one announced block. One level lower for ordinary zones.
        Sharing among some is reported.
    Source: RFC 2182 section 3.1; KINDNS.
    Do: add a name server in another address block, preferably in another network.
    """
    if not has_source(view):
        yield unknown("no-routing-table")
        return
    for version, family in _FAMILIES:
        found = list(announced(view, version).values())
        if not found:
            yield not_applicable(f"{family}-none")
            continue
        yield from _unsettled(view, family, found)
        word, blocks = _spread(found)
        if word:
            yield outcome(f"{family}-{word}", shown(view, found), count=len(blocks), blocks=blocks)


def _spread(found: list[Announced]) -> tuple[str, tuple[str, ...]]:
    """How the addresses of one IP version lie, in one word, and the blocks that matter; no word if that is open."""
    members: dict[str, int] = {}
    for one in found:
        if one.route:
            members[_block(one.route)] = members.get(_block(one.route), 0) + 1
    shared = tuple(block for block, count in members.items() if count > 1)
    if any(one.route is None for one in found):
        return ("some-share", shared) if shared else ("known-diverse" if members else "", tuple(members))
    if len(found) == 1:
        return "one-address", tuple(members)
    if len(members) == 1:
        subnets = {_subnet(one.address) for one in found}
        return ("one-subnet", tuple(subnets)) if len(subnets) == 1 else ("one-block", tuple(members))
    if not shared:
        return "diverse", tuple(members)
    return "all-share" if len(shared) == len(members) else "some-share", shared
