"""Addresses of name servers: usable on the public Internet, and the same at the parent and in the zone."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_network

from gnomon.base import Address
from gnomon.base.special import special_purpose
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.registry import IOP, REL, SEC, check
from gnomon.checks.replies import UNHEARD, hear, unheard
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange

_LOCAL = {
    "Private-Use", "Loopback", "Loopback Address", "Link Local", "Link-Local Unicast", "Unique-Local",
    "Shared Address Space", "Site-Local Unicast (deprecated)", "This network", "This host on this network",
    "Unspecified Address",
}  # fmt: skip


def _sources(view: ZoneView, address: Address | None = None) -> list[tuple[Exchange, ...]]:
    """The exchanges that name this address, or any name server's."""
    delegation = view.delegation()
    names = view.ns_names if address is None else view.names_at(address)
    return [delegation.exchanges if delegation else (), *(view.addresses_of(name).exchanges for name in names)]


@check(
    "addr.global",
    properties=(REL,),
    asked=("P1", "H1", "H2", "Q9"),
    codes={
        "all-global": "{count:The only name server address|All # name server addresses} of {zone} {count:is|are} "
        "globally reachable.",
        "some-global": "{count} of {total} name server addresses of {zone} {count:is|are} globally reachable.",
        "documentation": "{server} is an address for documentation ({block}).",
        "local": "{server} is an address for local use ({block}).",
        "not-global": "{server} is not globally reachable ({block}).",
        "none-global": "No name server address of {zone} is globally reachable.",
        "no-addresses": "No address is known of any name server of {zone}.",
    },
)
def addr_global(view: ZoneView) -> Iterator[Outcome]:
    """Every name server address is globally reachable unicast.

    Why: a private or reserved address leads nowhere, or to a machine in the network of whoever asks.
    Rule: error for each address in a block of IANA's special-purpose registries that is not globally reachable;
        critical if no address of the zone is. NAT64 addresses are addr.v6-embedded-v4's.
    Source: RFC 6890; RFC 8190; IANA special-purpose address registries.
    Do: publish the public address of the server, in the zone and as glue.
    """
    if not view.servers:
        yield unknown("no-addresses", *_sources(view))
        return
    special = {address: _special(address) for address in view.addresses}
    total, count = len(special), sum(block is None for block in special.values())
    for address, block in special.items():
        if block is not None:
            code = "documentation" if "Documentation" in block else "local" if block in _LOCAL else "not-global"
            server = view.server_label(address)
            yield outcome(code, *_sources(view, address), subject=server, server=server, block=block)
    code = "all-global" if count == total else "some-global" if count else "none-global"
    yield outcome(code, *_sources(view), count=count, total=total)


def _special(address: Address) -> str | None:
    """The block that makes the address special; a NAT64 address is global by itself, whatever address is in it."""
    block = special_purpose(address)
    return None if block and block.startswith("NAT64 of") else block


_EMBEDDING = tuple(
    (ip_network(block), how)
    for block, how in (
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("::/96", "IPv4-compatible"),
        ("2002::/16", "6to4"),
        ("2001::/32", "Teredo"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "local NAT64"),
    )
)


@check(
    "addr.v6-embedded-v4",
    properties=(IOP,),
    asked=("P1", "H2", "Q9"),
    codes={
        "native": "{count:The only IPv6 address|All # IPv6 addresses} of name servers of {zone} {count:is|are} native.",
        "embedded": "{server} is an IPv4 address in IPv6 form ({how}).",
        "no-v6": "No name server of {zone} has an IPv6 address.",
    },
)
def v6_embedded_v4(view: ZoneView) -> Iterator[Outcome]:
    """No IPv6 address is an IPv4 address in disguise.

    Why: such an address needs a translator or relay on the way that most networks do not have.
    Rule: error for each IPv4-mapped, IPv4-compatible, 6to4, Teredo or NAT64 address.
    Source: RFC 6890; RFC 7526; RFC 4291 section 2.5.5.
    Do: publish a native IPv6 address, or none.
    """
    addresses = [a for a in view.addresses if isinstance(a, IPv6Address)]
    faults = 0
    for address in addresses:
        how = next((how for block, how in _EMBEDDING if address in block), None)
        if how is not None:
            faults += 1
            server = view.server_label(address)
            yield outcome("embedded", *_sources(view, address), subject=server, server=server, how=how)
    if not addresses:
        yield not_applicable("no-v6", *_sources(view))
    elif not faults:
        yield outcome("native", *_sources(view), count=len(addresses))


@check(
    "addr.glue-matches",
    properties=(REL, SEC),
    asked=("P1", "Q9", "H1", "H2"),
    version=2,
    codes={
        "match": "The glue of {zone} is the same as the authoritative addresses ({count} {count:name|names}).",
        "in-domain-differs": "The parent gives {glue} as glue for {name}; {zone} itself does not have {glue:it|them}.",
        "other-differs": "The parent gives {glue} as glue for {name}; its zone does not have "
        "{glue:this address|these addresses}.",
        "extra-authoritative": "{name} also has {extra}, for which the parent has no glue.",
        "no-authoritative": "No authoritative addresses of {name} were found to compare its glue with.",
        "none-confirms": "No server of {zone} confirms the glue of the name servers inside it.",
        "no-glue": "The delegation of {zone} carries no glue.",
        **UNHEARD,
    },
)
def glue_matches(view: ZoneView) -> Iterator[Outcome]:
    """The glue at the parent is what the zone of the name server says.

    Why: stale glue sends resolvers to an address that may belong to somebody else by now.
    Rule: error if a glue address is not among the authoritative addresses of the name; notice if a name inside the
        zone has authoritative addresses without glue.
    Source: IANA name server requirements; RFC 1912 section 2.3; RFC 2181 section 5.4.1.
    Do: update the host's addresses at the parent (or in the zone, if that is the wrong one).
    """
    delegation = view.delegation()
    glue = delegation.glue if delegation else {}
    if delegation is None or not glue:
        yield not_applicable("no-glue", view.asked("P1"))
        return
    faults, confirmed, refuted = 0, 0, []
    for name, given in glue.items():
        host, text, inside = view.addresses_of(name), str(name), name.is_subdomain_of(view.zone)
        shown = (*delegation.exchanges, *host.exchanges)
        known = [a for a in given if host.knows(a.version)]
        confirmed += bool(known) and inside
        wrong = [a for a in known if a not in host.authoritative]
        refuted += wrong
        extra = tuple(str(a) for a in host.authoritative if a not in given and inside)
        if wrong:
            code = "in-domain-differs" if inside else "other-differs"
            yield outcome(code, shown, subject=text, name=text, glue=tuple(map(str, wrong)))
        if extra:
            yield outcome("extra-authoritative", shown, subject=text, name=text, extra=extra)
        if not known:
            yield unknown("no-authoritative", shown, subject=text, name=text)
        faults += bool(wrong or extra or not known)
    if not faults:
        shown = (*delegation.exchanges, *(x for n in glue for x in view.addresses_of(n).exchanges))
        yield outcome("match", shown, count=len(glue))
    inside_names = [name for name in glue if name.is_subdomain_of(view.zone)]
    yield from _unconfirmed(view, bool(inside_names), bool(confirmed), refuted)


def _unconfirmed(view: ZoneView, has_inside: bool, confirmed: bool, refuted: list[Address]) -> Iterator[Outcome]:
    """Which servers could not be asked for the addresses inside the zone, and whether that left none.

    What was behind a glue address that is wrong does not matter.
    """
    if has_inside:
        at = [a for a in view.addresses if view.asked("Q9", a) or view.service(a).state not in ("ok", "unobserved")]
        yield from unheard(view, hear(view, "Q9", at=at or view.addresses).but(refuted), "Q9")
        if not confirmed:
            yield unknown("none-confirms", view.asked("Q9"), view.asked("Q1"))
