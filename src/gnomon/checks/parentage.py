"""Delegation: which zone is the parent, and do the servers above agree on it."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.registry import STA, check
from gnomon.checks.view import ZoneView


@check(
    "del.parent-determinable",
    properties=(STA,),
    asked=("P1", "P2"),
    codes={
        "found": "The parent of {zone} is {parent}, as {servers} say.",
        "undetermined": "The servers above {zone} place it in different parents: {claims}.",
        "failing": "{server} should speak for the parent of {zone} and answers {rcode}.",
        "not-found": "No server above {zone} shows which zone its parent is.",
        "root": "The root zone has no parent.",
        "given": "The delegation of {zone} was given by hand, so the parent was not looked for.",
    },
)
def parent_determinable(view: ZoneView) -> Iterator[Outcome]:
    """The servers above the zone agree which zone is its parent.

    Why: where some servers delegate a level in between and others do not, each resolver sees another tree.
    Rule: warning if servers place the zone in different parents, told by the owner of their SOA record, the signer of
        the DS, or a referral to a zone in between. Servers above that answer with an error are reported.
    Source: RFC 1034 section 4.2.1; RFC 9499.
    Do: let all servers of the zones above have the same delegations.
    """
    delegation = view.delegation()
    if view.is_root or (delegation is not None and delegation.given):
        yield not_applicable("root" if view.is_root else "given")
        return
    claims: dict[str, list[str]] = {}
    for answer in view.parent_answers():
        server, message = str(answer.answer.address), answer.answer.message
        if answer.says == "failure":
            shown = answer.answer.exchange
            yield outcome("failing", shown, subject=server, server=server, rcode=str(message.rcode))
        elif answer.parent is not None:
            claims.setdefault(str(answer.parent).lower(), []).append(server)
    seen = [answer.answer.exchange for answer in view.parent_answers()]
    shown_ds = [answer.exchange for answer in view.answers("P2")]
    if len(claims) > 1:
        told = tuple(f"{parent} at {' '.join(servers)}" for parent, servers in claims.items())
        yield outcome("undetermined", seen, shown_ds, claims=told)
    elif claims:
        ((parent, servers),) = claims.items()
        yield outcome("found", seen, shown_ds, parent=parent, servers=tuple(servers))
    else:
        yield unknown("not-found", view.asked("P1"), view.asked("P1N"), view.asked("P2"))
