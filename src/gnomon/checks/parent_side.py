"""Delegation: what the servers of the parent say, beside that the zone exists."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from gnomon.base import Address, Transport
from gnomon.base.codes import NS
from gnomon.checks.observed import is_answered, is_udp
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.parent import ParentAnswer
from gnomon.checks.registry import IOP, REL, SEC, STA, check
from gnomon.checks.view import ZoneView

_NO_PARENT = {
    "root": "The root zone has no parent.",
    "given": "The delegation of {zone} was given by hand, so the parent was not asked.",
}


def _without_parent(view: ZoneView) -> str:
    delegation = view.delegation()
    if view.is_root:
        return "root"
    return "given" if delegation is not None and delegation.given else ""


@check(
    "del.parent-consistent",
    properties=(STA, SEC),
    asked=("P1",),
    version=2,
    codes={
        "agree": "{count:The only server|The # servers} of the parent that {count:was|were} asked "
        "{count:delegates|delegate} {zone} to the same name servers.",
        "ns-differ": "The servers of the parent delegate {zone} to different name servers: {values}.",
        "glue-differ": "The servers of the parent give different glue for {zone}: {values}.",
        "fewer-than-two": "Fewer than two servers of the parent gave a delegation of {zone}.",
        **_NO_PARENT,
    },
)
def parent_consistent(view: ZoneView) -> Iterator[Outcome]:
    """The servers of the parent give the same delegation.

    Why: a server of the parent with an old copy leads users to servers that are gone, or that belong to others by now.
    Rule: notice if the NS names or the glue differ. One look does not show how long it lasts; a difference that lasts
        longer than the parent's REFRESH is a fault there. DS records are dnssec.ds-consistent's.
    Source: RFC 1034 section 4.2.2.
    Do: tell the operator of the parent zone which of its servers differs.
    """
    why = _without_parent(view)
    if why:
        yield not_applicable(why)
        return
    answers = [a for a in view.parent_answers() if a.ns_names]
    # A server that serves both zones answers with the zone's own records, which tell nothing of the delegation.
    answers = [a for a in answers if a.says == "referral"] or answers
    seen = [a.answer.exchange for a in answers]
    if len(answers) < 2:
        yield not_applicable("fewer-than-two", seen or view.asked("P1"))
        return
    names = {a.answer.address: tuple(sorted(map(str, set(a.ns_names)))) for a in answers}
    glue = {a.answer.address: _glue(a) for a in answers if a.says == "referral" and not a.answer.message.tc}
    values = _tell(names)
    if len(values) > 1:
        yield outcome("ns-differ", seen, values=values)
    elif len(values := _tell(glue)) > 1:
        yield outcome("glue-differ", seen, values=values)
    else:
        yield outcome("agree", seen, count=len(answers))


def _glue(answer: ParentAnswer) -> tuple[str, ...]:
    return tuple(sorted(f"{name}/{address!s}" for name, of in answer.glue.items() for address in of))


def _tell(values: Mapping[Address, Hashable]) -> tuple[str, ...]:
    """What was said, each with the servers that said it."""
    groups: dict[Hashable, list[str]] = {}
    for address, value in values.items():
        groups.setdefault(value, []).append(str(address))
    told = ((" ".join(value) if isinstance(value, tuple) else str(value), of) for value, of in groups.items())
    return tuple(f"{text or 'none'} at {' '.join(of)}" for text, of in told)


@check(
    "del.alias-instead-of-zone",
    properties=(IOP,),
    asked=("P1", "P4"),
    codes={
        "no-alias": "No server of the parent has an alias at {zone}.",
        "alias": "{zone} is not a zone but an alias, as {servers} {servers:says|say}; review its "
        "{targets:target|targets} {targets} instead.",
        "dname-at-some": "{servers} {servers:has|have} a DNAME at {zone}, though other servers of the parent delegate "
        "it.",
        "alias-at-some": "{servers} {servers:has|have} a CNAME at {zone}, though other servers of the parent delegate "
        "it.",
        "targets-differ": "The servers of the parent let the alias {zone} lead to different names: {targets}.",
        "no-parent-answer": "No server of the parent of {zone} answered.",
        **_NO_PARENT,
    },
)
def alias_instead_of_zone(view: ZoneView) -> Iterator[Outcome]:
    """Where the parent has an alias there is no zone, and all its servers have the same alias.

    Why: a CNAME or DNAME record sends every question elsewhere; a zone beside it is never asked.
    Rule: notice if the name is an alias (CNAME, or DNAME at the name), or is one at some servers of the parent, which
        del.zone-exists calls an error; error if the aliases lead to different names.
    Source: RFC 6672 section 2; RFC 2181 section 10.1.
    Do: look at the target instead; or replace the alias by a delegation, on all servers of the parent.
    """
    why = _without_parent(view)
    answers = view.parent_answers()
    if why or not answers:
        yield not_applicable(why) if why else unknown("no-parent-answer", view.asked("P1"))
        return
    aliases = [a for a in answers if a.says == "alias"]
    shown = [a.answer.exchange for a in answers]
    if not aliases:
        yield outcome("no-alias", shown)
        return
    shown += [x for a in aliases for x in view.asked("P4", a.answer.address)]
    targets = tuple(sorted({str(a.target) for a in aliases if a.target is not None}))
    by_dname = {a.answer.address: view.answer("P4", a.answer.address) is not None for a in aliases}
    if any(a.says in ("referral", "answer") for a in answers):
        for is_dname, code in ((True, "dname-at-some"), (False, "alias-at-some")):
            servers = tuple(str(address) for address, by in by_dname.items() if by is is_dname)
            if servers:
                yield outcome(code, shown, servers=servers)
    else:
        yield outcome("alias", shown, servers=tuple(map(str, by_dname)), targets=targets)
    if len(targets) > 1:
        yield outcome("targets-differ", shown, targets=targets)


@check(
    "del.referral-fits-1232",
    properties=(IOP, REL),
    asked=("P1",),
    codes={
        "fits": "The referral to {zone}, with its DS records or their denial, takes {octets} octets.",
        "truncated": "{parent} truncates the referral to {zone} over UDP and completes it over TCP.",
        "tcp-fails": "{parent} truncates the referral to {zone} over UDP and does not complete it over TCP.",
        "no-referral": "No server of the parent gave a referral to {zone}.",
    },
)
def referral_fits_1232(view: ZoneView) -> Iterator[Outcome]:
    """The referral with its DNSSEC records fits into 1232 octets.

    Why: what does not fit is asked again over TCP, by every resolver, before it can even ask the zone's own servers.
    Rule: notice if a server of the parent truncates the referral at 1232 octets; warning if TCP then fails.
    Source: RFC 9715 section 3; RFC 9471 section 3.
    Do: use fewer name servers, names that share their ending, or fewer DS records.
    """
    says = {a.answer.address: a.says for a in view.parent_answers()}
    referred = [address for address, word in says.items() if word == "referral"]
    octets, faults = 0, 0
    seen = []
    for address in says if referred else ():
        attempts, parent = [x for x in view.asked("P1", address) if is_answered(x)], str(address)
        is_cut = any(is_udp(x) and (m := view.message(x)) and m.tc for x in attempts)
        if is_cut or address in referred:
            seen += attempts
            octets = max([octets, *(len(x.response or b"") for x in attempts)])
        if is_cut:
            faults += 1
            code = "truncated" if any(x.transport == Transport.TCP for x in attempts) else "tcp-fails"
            yield outcome(code, view.asked("P1", address), subject=parent, parent=parent)
    if not seen:
        yield not_applicable("no-referral", view.asked("P1"))
    elif not faults:
        yield outcome("fits", seen, octets=octets)


_RATIO = 24


@check(
    "del.ns-ttl-match",
    properties=(STA,),
    asked=("P1", "Q3"),
    codes={
        "alike": "The NS records of {zone} live {parent_s} s at the parent and {child_s} s at the apex.",
        "child-far-lower": "The NS records of {zone} live {child_s} s at the apex but {parent_s} s at the parent.",
        "child-far-higher": "The NS records of {zone} live {child_s} s at the apex but {parent_s} s at the parent.",
        "not-comparable": "The TTL of the NS records of {zone} is not known from both sides.",
    },
)
def ns_ttl_match(view: ZoneView) -> Iterator[Outcome]:
    """NS records live about as long at the parent as at the apex.

    Why: resolvers keep one or the other; where they differ much, nobody can say how long a change takes.
    Rule: notice if the TTL at the apex is under a 24th or over 24 times the one at the parent.
    Source: Moura 2019 ("Cache Me If You Can"); RFC 9199 section 6.
    Do: set the TTL of the zone's NS records near the one that the parent uses.
    """
    referrals = [(a.answer, a.answer.message.rrset("authority", view.zone, NS)) for a in view.parent_answers()]
    parent = [rrset.ttl_s for _, rrset in referrals if rrset is not None]
    child = [rrset.ttl_s for rrset in view.apex_rrset(NS).values()]
    shown = [answer.exchange for answer, rrset in referrals if rrset is not None], view.apex_exchanges(NS)
    if not parent or not child:
        yield not_applicable("not-comparable", *shown)
        return
    parent_s = min(parent)
    lower, higher = min(child), max(child)
    if lower * _RATIO < parent_s:
        yield outcome("child-far-lower", *shown, parent_s=parent_s, child_s=lower)
    elif higher > parent_s * _RATIO:
        yield outcome("child-far-higher", *shown, parent_s=parent_s, child_s=higher)
    else:
        yield outcome("alike", *shown, parent_s=parent_s, child_s=lower)
