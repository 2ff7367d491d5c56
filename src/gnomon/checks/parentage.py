"""Delegation: which zone is the parent, and do the servers of the zones above agree on it."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Name
from gnomon.base.codes import NOERROR, NS, NXDOMAIN, SOA
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.registry import STA, check
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.evidence.subject import cut_subject


@check(
    "del.parent-determinable",
    properties=(STA,),
    asked=("P1", "P2", "C3", "C4"),
    version=2,
    codes={
        "found": "The parent of {zone} is {parent}, as {servers} {servers:says|say}.",
        "undetermined": "The servers above {zone} place it in different parents: {claims}.",
        "failing": "{server} should speak for {above}, above {zone}, and answers {how}.",
        "not-found": "No server above {zone} shows which zone its parent is.",
        "root": "The root zone has no parent.",
        "given": "The delegation of {zone} was given by hand, so the parent was not looked for.",
    },
)
def parent_determinable(view: ZoneView) -> Iterator[Outcome]:
    """The servers of the zones above agree which zone is the parent.

    Why: where some servers delegate a level in between and others do not, each resolver sees another tree.
    Rule: warning if servers place the zone in different parents, told by the owner of their SOA record, the signer of
        the DS, or a referral to a zone in between; also if some servers of a zone further up delegate the next zone
        on the way down and others deny it. Servers above that do not serve their own zone are reported (info).
    Source: RFC 1034 section 4.2.1; RFC 9499.
    Do: let all servers of the zones above have the same delegations.
    """
    delegation = view.delegation()
    if view.is_root or (delegation is not None and delegation.given):
        yield not_applicable("root" if view.is_root else "given")
        return
    yield from _failing(view)
    claims = _claims(view)
    seen = [answer.answer.exchange for answer in view.parent_answers()]
    shown = (*seen, *(answer.exchange for answer in view.answers("P2")), *_shown_above(view))
    if len(claims) > 1:
        told = tuple(f"{parent} at {' '.join(servers)}" for parent, servers in claims.items())
        yield outcome("undetermined", shown, claims=told)
    elif claims:
        ((parent, servers),) = claims.items()
        yield outcome("found", shown, parent=parent, servers=tuple(servers))
    else:
        yield unknown("not-found", view.asked("P1"), view.asked("P1N"), view.asked("P2"))


def _claims(view: ZoneView) -> dict[str, list[str]]:
    """The servers by the zone that they take for the parent."""
    claims: dict[str, list[str]] = {}
    for said in view.parent_answers():
        if said.parent is not None and said.says != "failure":
            claims.setdefault(str(said.parent).lower(), []).append(str(said.answer.address))
    for zone in view.zone.ancestors()[1:-1]:
        answers = _answers(view, zone, "C3")
        delegating = [answer for answer in answers if _delegates(answer, zone)]
        denying = [(answer, above) for answer in answers if (above := _denies(answer, zone))]
        if delegating and denying:
            claims.setdefault(str(zone).lower(), []).extend(str(answer.address) for answer in delegating)
            for answer, above in denying:
                claims.setdefault(str(above).lower(), []).append(str(answer.address))
    return claims


def _failing(view: ZoneView) -> Iterator[Outcome]:
    """The servers above that answer with an error, or not as servers of their own zone."""
    for said in view.parent_answers():
        if said.says == "failure":
            server, how = str(said.answer.address), str(said.answer.message.rcode)
            above = str(view.parent_zone)
            yield outcome("failing", said.answer.exchange, subject=server, server=server, above=above, how=how)
    for zone in view.zone.ancestors()[1:]:
        for answer in _answers(view, zone, "C4"):
            message, server = answer.message, str(answer.address)
            if message.rcode != NOERROR:
                how = str(message.rcode)
            elif not message.aa:
                how = "without authority"
            elif message.rrset("answer", zone, NS) is None:
                how = "without NS records of it"
            else:
                continue
            yield outcome("failing", answer.exchange, subject=server, server=server, above=str(zone), how=how)


def _answers(view: ZoneView, zone: Name, ask: str) -> list[Answer]:
    return [answer for answer in view.answers_about(cut_subject(zone)) if answer.exchange.ask == ask]


def _shown_above(view: ZoneView) -> list[Exchange]:
    return [answer.exchange for zone in view.zone.ancestors()[1:-1] for answer in _answers(view, zone, "C3")]


def _delegates(answer: Answer, zone: Name) -> bool:
    """A referral to the zone, or an answer for it: then the server serves both."""
    message = answer.message
    records = (r for section in (message.answer, message.authority) for r in section)
    return message.rcode == NOERROR and any(r.owner == zone and r.rtype in (NS, SOA) for r in records)


def _denies(answer: Answer, zone: Name) -> Name | None:
    """The zone that says with authority that there is no delegation of `zone`."""
    message = answer.message
    if not message.aa or message.rcode not in (NOERROR, NXDOMAIN) or _delegates(answer, zone):
        return None
    owners = (r.owner for r in message.authority if r.rtype == SOA)
    return next((owner for owner in owners if owner != zone and zone.is_subdomain_of(owner)), None)
