"""Addresses of name servers: their records in each IP version, how long these live, and who announces them."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Name
from gnomon.base.codes import AAAA, A
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.registry import IOP, REL, RES, SEC, check
from gnomon.checks.routes import announced, has_source, shown
from gnomon.checks.unjudged import unjudged
from gnomon.checks.view import ZoneView
from gnomon.evidence.subject import name_subject

_FAMILIES = ((4, "IPv4"), (6, "IPv6"))


@check(
    "addr.glue-family-gap",
    properties=(RES, IOP),
    asked=("P1", "Q9"),
    codes={
        "complete": "The glue of {zone} has every IP version that its name servers have ({names}).",
        "missing": "{name} has the {family} {addresses:address|addresses} {addresses}, and the parent has no {family} "
        "glue for it.",
        "unconfirmed": "No authoritative answer shows the addresses of the name servers inside {zone}.",
        "none-inside": "No name server of the delegation of {zone} is inside it.",
    },
)
def glue_family_gap(view: ZoneView) -> Iterator[Outcome]:
    """A name server with addresses of both IP versions has glue of both.

    Why: a resolver that has only the missing version cannot find the server, and so perhaps the zone.
    Rule: warning if a name server inside the zone has authoritative addresses of an IP version, and the delegation none
        of that version. Glue without authoritative addresses is addr.glue-matches's.
    Source: RFC 3901 section 4; RFC 9471 section 3.
    Do: register the host's addresses of both versions at the parent.
    """
    delegation = view.delegation()
    inside = [name for name in view.parent_ns() if name.is_subdomain_of(view.zone)]
    if delegation is None or not inside:
        yield not_applicable("none-inside", view.asked("P1"))
        return
    judged: list[str] = []
    faults = 0
    for name in inside:
        host, glue = view.addresses_of(name), delegation.glue.get(name, ())
        if not host.authoritative:
            continue
        judged.append(str(name))
        for version, family in _FAMILIES:
            own = tuple(str(a) for a in host.authoritative if a.version == version)
            if own and not any(a.version == version for a in glue):
                faults += 1
                evidence = (*delegation.exchanges, *host.exchanges)
                subject = f"{name} {family}"
                yield outcome("missing", evidence, subject=subject, name=str(name), family=family, addresses=own)
    evidence = (*delegation.exchanges, *(x for name in inside for x in view.addresses_of(name).exchanges))
    if not judged:
        yield unknown("unconfirmed", evidence)
    elif not faults:
        yield outcome("complete", evidence, names=tuple(judged))


@check(
    "addr.ttl-floor",
    properties=(RES,),
    asked=("Q9", "H1", "H2"),
    codes={
        "fine": "The addresses of the name servers of {zone} live at least {ttl_s} s.",
        "low": "The addresses of {name} live {ttl_s} s, under an hour.",
        "very-low": "The addresses of {name} live {ttl_s} s, under five minutes.",
        "not-seen": "No authoritative answer shows the addresses of a name server of {zone}.",
    },
)
def ttl_floor(view: ZoneView) -> Iterator[Outcome]:
    """The addresses of name servers live long enough to ride out an outage.

    Why: when they run out of the caches, the zone is gone for everybody, however long its own records live.
    Rule: for each NS name by the lowest TTL of its authoritative A and AAAA records: warning under 300 s, notice under
        3600 s.
    Source: RFC 9199 section 6; Moura 2019 ("Cache Me If You Can").
    Do: give the host's address records a TTL of an hour or more; a day is common.
    """
    lowest: list[int] = []
    faults = 0
    evidence = []
    for name in view.ns_names:
        found = [(ttl_s, answer.exchange) for answer in _answers(view, name) for ttl_s in _ttls_s(answer, name)]
        if not found:
            continue
        ttl_s, exchange = min(found, key=lambda item: item[0])
        lowest.append(ttl_s)
        evidence.append(exchange)
        if ttl_s < 3600:
            faults += 1
            code = "very-low" if ttl_s < 300 else "low"
            yield outcome(code, exchange, subject=str(name), name=str(name), ttl_s=ttl_s)
    if not lowest:
        yield unknown("not-seen", view.asked("Q9"))
    elif not faults:
        yield outcome("fine", evidence, ttl_s=min(lowest))


def _answers(view: ZoneView, name: Name) -> tuple[Answer, ...]:
    walked = (a for a in view.answers_about(name_subject(name)) if a.exchange.ask in ("H1", "H2"))
    return tuple(a for a in (*view.answers_for_host(name), *walked) if a.message.aa)


def _ttls_s(answer: Answer, name: Name) -> list[int]:
    return [r.ttl_s for r in answer.message.answer if r.owner == name and r.rtype in (A, AAAA)]


@check(
    "addr.routed",
    properties=(REL,),
    asked=("P1", "H1", "H2", "Q9", "R1"),
    codes={
        "routed": "{count:The only name server address|All # name server addresses} of {zone} "
        "{count:lies in an announced block|lie in announced blocks}.",
        "unrouted": "No announced block is known for {addresses}.",
        "lookup-failed": "The look-up service gave no usable answer about {addresses} of {zone}.",
        "no-routing-table": "Neither a routing table nor a look-up service was given.",
        "no-addresses": "No address is known of any name server of {zone}.",
    },
)
def routed(view: ZoneView) -> Iterator[Outcome]:
    """Every name server address lies in an announced address block.

    Why: an address that nobody announces cannot be reached from outside its own network.
    Rule: warning for addresses for which the routing table, or the look-up service, knows no announced block. How many
        networks see the announcement takes many tables and is not judged.
    Source: RFC 1930 section 5.
    Do: have the network operator announce the block, or publish another address.
    """
    if not view.addresses:
        yield unknown("no-addresses", view.asked("P1"))
        return
    if not has_source(view):
        yield unknown("no-routing-table")
        return
    found = [one for version, _ in _FAMILIES for one in announced(view, version).values()]
    failed = [one for one in found if one.how == "failed"]
    missing = [one for one in found if one.how == "unrouted"]
    if missing:
        yield outcome("unrouted", shown(view, missing), addresses=tuple(view.server_label(o.address) for o in missing))
    if failed:
        yield unknown("lookup-failed", shown(view, failed), addresses=tuple(str(one.address) for one in failed))
    if not missing and not failed:
        yield outcome("routed", shown(view, found), count=len(found))


@unjudged("addr.allocated", properties=(SEC, REL), needs="allocation-data")
def allocated() -> None:
    """Every name server address lies in an allocated address block.

    Why: whoever announces unallocated space is not bound to anybody, and the space may be given to others any time.
    Rule: error if the block is unallocated at IANA, or available or reserved at the regional registry; warning if it
        was returned within the last 30 days.
    Source: RFC 7020; statistics exchange format of the regional registries.
    Do: move the server to addresses that the operator holds.
    """


@unjudged("addr.reassignment-risk", properties=(SEC,), needs="reference-list")
def reassignment_risk() -> None:
    """No name server address is one that a cloud hands out to its next customer.

    Why: after a machine is deleted its address goes to a stranger, who then answers for the zone.
    Rule: warning if an address lies in a pool of short-lived addresses of a public cloud, and the operator is not the
        cloud's own DNS service.
    Source: Liu 2016 ("All Your DNS Records Point to Us"); Borgolte 2018 ("Cloud Strife").
    Do: use reserved addresses, and take a server out of the NS records before it is switched off.
    """
