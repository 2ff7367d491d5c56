"""Delegation: do all ways to a working server lead there, from the parent's names and from the zone's own."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from gnomon.base import Address, Name
from gnomon.base.codes import NOERROR, NS, A
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, REL, RES, STA, check
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.evidence.subject import cut_subject
from gnomon.wire import rdata
from gnomon.wire.rdata import Soa


@check(
    "del.broken-but-functional",
    properties=(REL,),
    asked=("Q1", "Q10"),
    codes={
        "not-broken": "A server of {zone} gives its SOA record with authority.",
        "www-answers": "No server gives the SOA record of {zone} with authority, but {servers} "
        "{servers:gives|give} an address of www.{zone}: a web site may seem to work.",
        "nothing": "No server gives the SOA record of {zone} with authority, nor an address of www.{zone}.",
        "no-answer": "No server of {zone} answered at all.",
    },
)
def broken_but_functional(view: ZoneView) -> Iterator[Outcome]:
    """A zone that seems to work for its web site works as a zone too.

    Why: it explains why users see a site although the zone fails every test; the next resolver may not be so lenient.
    Rule: notice if no server answers for the zone with authority, and one gives an address of www all the same. That
        the zone is broken is del.any-server-works's.
    Source: practice; Zonemaster Basic03.
    Do: load the zone on its servers so that they answer with authority.
    """
    if any(view.service(address).state == "ok" for address in view.addresses):
        yield not_applicable("not-broken", view.asked("Q1"))
        return
    answers = view.answers("Q10")
    found = [a for a in answers if a.message.rcode == NOERROR and any(r.rtype == A for r in a.message.answer)]
    if found:
        servers = tuple(view.server_label(a.address) for a in found)
        yield outcome("www-answers", shown_by(found), servers=servers)
    elif answers:
        yield outcome("nothing", shown_by(answers))
    else:
        yield not_applicable("no-answer", view.asked("Q1"), view.asked("Q10"))


@check(
    "del.hidden-authority",
    properties=(STA, REL),
    asked=("P1", "Q3", "Q1"),
    codes={
        "none": "Every address that the NS records of {zone} lead to is delegated.",
        "serve": "{count:The address|The # addresses} that only the NS records of {zone} itself lead to "
        "{count:serves|serve} it.",
        "fails": "{server}, which only the NS records of {zone} itself name, does not serve it ({state}), though "
        "delegated servers do.",
        "not-observed": "{servers:An address|Addresses} that only the NS records of {zone} itself lead to could not be "
        "asked: {servers}.",
        "no-delegation": "{zone} has no delegation to compare.",
    },
)
def hidden_authority(view: ZoneView) -> Iterator[Outcome]:
    """Servers that only the zone itself names serve it as well as the delegated ones.

    Why: resolvers prefer the zone's own NS records once they have them, and then use servers that no test of the
        delegation sees.
    Rule: notice for each address behind the apex NS records, but not behind the delegation, that does not serve the
        zone while a delegated one does.
    Source: RFC 2181 section 5.4.1.
    Do: repair the server, or take it out of the zone's NS records.
    """
    delegation = view.delegation()
    if delegation is None:
        yield not_applicable("no-delegation", view.asked("P1"))
        return
    delegated = set(view.delegated_addresses)
    hidden = [a for a in view.addresses if a not in delegated]
    services = [view.service(a) for a in hidden]
    works = any(view.service(a).state == "ok" for a in delegated)
    unseen = [s for s in services if s.state == "unobserved"]
    faults = 0
    for s in services:
        if works and s.state not in ("ok", "unobserved"):
            faults += 1
            server = view.server_label(s.address)
            yield outcome("fails", s.exchanges, subject=server, server=server, state=s.state)
    if unseen:
        yield unknown("not-observed", servers=tuple(view.server_label(s.address) for s in unseen))
    if not hidden:
        yield outcome("none", delegation.exchanges, view.apex_exchanges(NS))
    elif not faults and not unseen:
        yield outcome("serve", *(s.exchanges for s in services), count=len(services))


@check(
    "del.resolver-view",
    properties=(STA, IOP),
    asked=("P1", "Q3", "Q1"),
    codes={
        "same": "{zone} works for resolvers that keep the parent's NS records and for those that prefer its own.",
        "own-names-fail": "{names:The only name server|None of the name servers} that {zone} names itself "
        "{names:does not serve|serves} it ({names}): it fails for resolvers that prefer {names:this|these}.",
        "contents-differ": "The name servers that the parent names and those that {zone} names itself serve different "
        "zones.",
        "none-works": "No delegated server serves {zone} (see del.any-server-works).",
        "no-apex-ns": "No server of {zone} gives its NS records with authority.",
        "not-observed": "The name servers that {zone} names itself could not be asked.",
    },
)
def resolver_view(view: ZoneView) -> Iterator[Outcome]:
    """The zone works alike for resolvers that follow the parent's NS records and for those that follow its own.

    Why: both kinds exist in numbers; a zone that works for one only is broken for many users and fine for the tester.
    Rule: error if none of the servers behind the apex NS records serves the zone, or if no SOA record (apart from its
        serial) of theirs is one that the delegated servers have.
    Source: RFC 2181 section 5.4.1; Sommese 2020 ("When Parents and Children Disagree").
    Do: make the NS records of both sides the same, with servers that have the same zone.
    """
    own = [a for addresses in view.apex_servers.values() for a in addresses]
    delegated = _contents(view, view.delegated_addresses)
    states = {view.service(a).state for a in own}
    shown = [x for a in dict.fromkeys((*own, *view.delegated_addresses)) for x in view.service(a).exchanges]
    names = tuple(map(str, view.apex_ns_names))
    if not delegated:
        yield not_applicable("none-works", shown)
    elif not view.apex_ns_names:
        yield unknown("no-apex-ns", view.asked("Q3"))
    elif own and states == {"unobserved"}:
        yield unknown("not-observed", shown)
    elif "ok" not in states:
        yield outcome("own-names-fail", shown, view.apex_exchanges(NS), names=names)
    elif not delegated & _contents(view, own):
        yield outcome("contents-differ", shown)
    else:
        yield outcome("same", shown)


def _contents(view: ZoneView, addresses: Iterable[Address]) -> set[Hashable]:
    soas: list[Soa | None] = [view.soa(a) for a in addresses if view.service(a).state == "ok"]
    return {soa._replace(serial=0) for soa in soas if soa is not None}


@check(
    "del.cyclic-dependency",
    properties=(REL, RES),
    asked=("P1", "C0"),
    codes={
        "acyclic": "At least two name servers of {zone}, or all, can be found without asking {zone} itself: {names}.",
        "one-left": "Of the name servers of {zone} only {names} can be found without asking {zone} itself; {needing} "
        "cannot.",
        "cyclic": "No name server of {zone} can be found without asking {zone} itself: {needing}.",
        "no-delegation": "{zone} has no delegation.",
    },
)
def cyclic_dependency(view: ZoneView) -> Iterator[Outcome]:
    """The name servers can be found without the zone itself.

    Why: where finding a server needs the very zone that it serves, nobody who starts with an empty cache gets there.
    Rule: error if every NS name needs the zone: it lies inside without glue, or in a zone all of whose name servers do;
        warning if only one does not, and others do. Circles over more than one other zone are not looked for; their
        names do not resolve (del.ns-resolvable).
    Source: RFC 1034 section 4.2.1; Pappas 2004 ("Impact of Configuration Errors on DNS Robustness").
    Do: register glue for hosts inside the zone, and use some name servers in a domain that does not depend on it.
    """
    delegation = view.delegation()
    if delegation is None or not delegation.ns_names:
        yield not_applicable("no-delegation", view.asked("P1"))
        return
    shown: list[Exchange] = list(delegation.exchanges)
    free: list[str] = []
    needing: list[str] = []
    for name in delegation.ns_names:
        if name in delegation.glue:
            free.append(str(name))
            continue
        needs, seen = (True, []) if name.is_subdomain_of(view.zone) else _needs_zone(view, name)
        shown += seen
        (needing if needs else free).append(str(name))
    if not free:
        yield outcome("cyclic", shown, needing=tuple(needing))
    else:
        code = "one-left" if len(free) == 1 and needing else "acyclic"
        yield outcome(code, shown, names=tuple(free), needing=tuple(needing))


def _needs_zone(view: ZoneView, name: Name) -> tuple[bool, list[Exchange]]:
    """Whether every name server of the zone that holds `name` lies inside the viewed zone, without glue."""
    delegation = view.delegation()
    glued = delegation.glue if delegation else {}
    for above in name.ancestors()[1:-1]:
        for answer in view.answers_about(cut_subject(above)):
            names = _delegated(answer, above)
            if answer.exchange.ask == "C0" and names:
                has_glue = {r.owner for r in answer.message.additional}
                inside = [n for n in names if n.is_subdomain_of(view.zone) and n not in has_glue and n not in glued]
                return len(inside) == len(names), [answer.exchange]
    return False, []


def _delegated(answer: Answer, zone: Name) -> tuple[Name, ...]:
    records = (*answer.message.authority, *answer.message.answer)
    return read_all(rdata.ns, (r.rdata for r in records if r.rtype == NS and r.owner == zone))
