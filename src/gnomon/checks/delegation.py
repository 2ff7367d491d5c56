"""Delegation: does the zone exist for its parent, do the servers named there serve it, do both sides agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gnomon.base import Name
from gnomon.base.codes import NOERROR, NS, SOA
from gnomon.checks.observed import is_silent
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.parent import ParentAnswer
from gnomon.checks.read import in_order
from gnomon.checks.registry import IOP, REL, RES, STA, check
from gnomon.checks.replies import is_partial
from gnomon.checks.view import ZoneView


@check(
    "del.zone-exists",
    properties=(REL,),
    asked=("P1", "P4", "Q1"),
    version=4,
    codes={
        "delegated": "The parent of {zone} delegates it to {names}.",
        "no-such-zone": "No server of the parent knows {zone}: {says}. It does not exist as a zone.",
        "child-without-parent": "{servers} {servers:serves|serve} {zone}, but its parent does not delegate it "
        "({says}).",
        "some-parents-deny": "Some servers of the parent delegate {zone} and others do not: {says}.",
        "alias": "{zone} is not a zone but an alias (see del.alias-instead-of-zone).",
        "parent-unclear": "No server of the parent tells whether {zone} exists: {says}. Resolvers do not reach it.",
        "no-parent-answer": "No server of the parent of {zone} answered.",
        "root": "The root zone has no parent.",
        "given": "The delegation of {zone} was given by hand, so the parent was not asked.",
    },
)
def zone_exists(view: ZoneView) -> Iterator[Outcome]:
    """The parent delegates the zone.

    Why: resolvers find a zone only through its parent; without a delegation nothing below it can be reached.
    Rule: critical if every parent server denies the name and no server serves it; error if servers serve it all the
        same, if parent servers contradict each other, or if none answers, or none says anything of the zone. An alias
        is no zone; del.alias-instead-of-zone tells of it.
    Source: RFC 1034 section 4.2; RFC 9156 section 3.
    Do: have the registry (or the operator of the parent zone) publish the NS records of the zone; if the name is a
        host's, assess the zone that it lies in.
    """
    delegation = view.delegation()
    if view.is_root or (delegation is not None and delegation.given):
        yield not_applicable("root" if view.is_root else "given")
        return
    answers = view.parent_answers()
    if not answers:
        asked = view.asked("P1")
        yield (outcome if any(map(is_silent, asked)) else unknown)("no-parent-answer", asked)
        return
    seen = [a.answer.exchange for a in answers]
    says = tuple(f"{word} from {' '.join(of)}" for word, of in _by_word(answers).items())
    kinds = {a.says for a in answers}
    serving = [view.service(address) for address in view.addresses]
    working = [s for s in serving if s.state == "ok"]
    if kinds & {"referral", "answer"}:
        if kinds & {"nxdomain", "nodata", "alias"}:
            yield outcome("some-parents-deny", seen, says=says)
        else:
            yield outcome("delegated", seen, names=tuple(map(str, view.parent_ns())))
    elif "alias" in kinds:
        yield not_applicable("alias", seen)
    elif kinds & {"failure", "elsewhere"}:
        yield outcome("parent-unclear", seen, says=says)
    elif working:
        servers = tuple(view.server_label(s.address) for s in working)
        yield outcome("child-without-parent", seen, *(s.exchanges for s in working), servers=servers, says=says)
    else:
        yield outcome("no-such-zone", seen, says=says)


_WORDS = {
    "referral": "a delegation", "answer": "its NS records with authority", "nodata": "no NS records",
    "nxdomain": "NXDOMAIN", "alias": "an alias", "elsewhere": "a referral to another zone",
}  # fmt: skip


def _by_word(answers: Iterable[ParentAnswer]) -> dict[str, list[str]]:
    """The parent's servers by what they say, in words."""
    found: dict[str, list[str]] = {}
    for said in answers:
        word = _WORDS.get(said.says) or str(said.answer.message.rcode)
        found.setdefault(word, []).append(str(said.answer.address))
    return found


@check(
    "del.any-server-works",
    properties=(REL,),
    asked=("P1", "Q1", "Q2", "Q7", "H1", "H2"),
    codes={
        "works": "{count} of {total} delegated {total:address|addresses} {count:serves|serve} {zone}.",
        "none-works": "{total:The only delegated address does not serve|None of the # delegated addresses serves} "
        "{zone}.",
        "no-addresses": "{names:The only delegated name server|None of the delegated name servers} of {zone} has "
        "{names:no|an} address: {names}.",
        "unresolved": "The name server {name} has no address.",
        "silent": "{server} does not answer.",
        "unexpected-rcode": "{server} answers {rcode} for {zone}.",
        "not-authoritative": "{server} answers for {zone} without authority.",
        "broken": "{server} answers for {zone} with authority but without its SOA record.",
        "not-observed": "{total:The only delegated address|None of the # delegated addresses} of {zone} could "
        "{total:not be|be} asked.",
        "no-delegation": "{zone} has no delegation.",
    },
)
def any_server_works(view: ZoneView) -> Iterator[Outcome]:
    """At least one delegated address serves the zone.

    Why: with none, every name in the zone fails for everybody once caches run out.
    Rule: critical if no delegated address gives NOERROR with AA and the SOA of the zone over UDP or TCP, or if the
        delegated name servers have no address at all. Only then is each name and address explained (info).
    Source: RFC 1035 section 3.3.13; RFC 2181 section 6.1.
    Do: load the zone on the servers that the parent names, or correct the names and addresses at the parent.
    """
    delegation = view.delegation()
    if delegation is None and not view.addresses:
        yield not_applicable("no-delegation", view.asked("P1"))
        return
    services = [view.service(address) for address in view.delegated_addresses]
    working = [s for s in services if s.state == "ok"]
    total = len(services)
    if working:
        yield outcome("works", *(s.exchanges for s in working), count=len(working), total=total)
        return
    if services and all(s.state == "unobserved" for s in services):
        yield unknown("not-observed", *(s.exchanges for s in services), total=total)
        return
    hosts = [view.addresses_of(name) for name in view.parent_ns()]
    shown = [s.exchanges for s in services] or [host.exchanges for host in hosts]
    yield outcome("none-works" if services else "no-addresses", *shown, total=total, names=_texts(view.parent_ns()))
    for host in hosts:
        if not host.addresses:
            yield outcome("unresolved", host.exchanges, subject=str(host.name), name=str(host.name))
    for s in services:
        code = _WHY.get(s.state)
        if code is not None:
            server = view.server_label(s.address)
            yield outcome(code, s.exchanges, subject=server, server=server, rcode=s.rcode or "no answer")


_WHY = {
    "silent": "silent", "refused": "unexpected-rcode", "servfail": "unexpected-rcode", "rcode": "unexpected-rcode",
    "malformed": "broken", "no-soa": "broken", "recursive": "not-authoritative",
    "upward-referral": "not-authoritative", "not-authoritative": "not-authoritative",
}  # fmt: skip


@check(
    "del.lame",
    properties=(REL, RES),
    asked=("P1", "Q1", "Q2", "Q7", "H1", "H2"),
    codes={
        "none-lame": "{total:The only delegated address serves|All # delegated addresses serve} {zone}.",
        "too-few-left": "Only {count} of {total} delegated {total:address|addresses} {count:serves|serve} {zone}; the "
        "{lame:other|others}: {lame}.",
        "refused": "{server} refuses to answer for {zone}.",
        "servfail": "{server} answers SERVFAIL for {zone}.",
        "rcode": "{server} answers {rcode} for {zone}.",
        "not-authoritative": "{server} answers for {zone} without authority.",
        "recursive": "{server} answers for {zone} as a resolver, from its cache.",
        "upward-referral": "{server} refers questions for {zone} to a zone above it.",
        "malformed": "{server} answers for {zone} with a message that cannot be read.",
        "silent-only": "Of {total} delegated {total:address|addresses} {count} {count:does|do} not answer at all; no "
        "other fault.",
        "none-works": "No delegated address serves {zone}; see del.any-server-works.",
        "not-observed": "{servers:A delegated address|Delegated addresses} of {zone} could not be asked: {servers}.",
        "no-delegation": "{zone} has no delegated addresses.",
    },
)
def lame(view: ZoneView) -> Iterator[Outcome]:
    """Every delegated address is authoritative for the zone.

    Why: a lame server costs every resolver time and tries, and takes away the reserve that several servers give.
    Rule: warning for each lame address (REFUSED, SERVFAIL, another rcode, no authority, an upward referral, an answer
        from a cache, unreadable); error if at least half of the addresses do not serve or fewer than two are left.
        Silent addresses count for that; each is reported by net.udp. Lack of an SOA is del.soa-present's.
    Source: RFC 1912 section 2.8; RFC 9499; Akiwate 2020; Pappas 2009.
    Do: configure the zone on the lame server, or take it out of the NS records at the parent and at the apex.
    """
    services = [view.service(a) for a in view.delegated_addresses] if view.delegation() else []
    working = [s for s in services if s.state in ("ok", "no-soa")]
    known = [s for s in services if s.state != "unobserved"]
    bad = [s for s in known if s not in working]
    if not services or (not working and known):
        yield not_applicable("none-works" if services else "no-delegation", *(s.exchanges for s in services))
        return
    for s in bad:
        if s.state != "silent":
            server = view.server_label(s.address)
            yield outcome(s.state, s.exchanges, subject=server, server=server, rcode=s.rcode)
    lost = tuple(f"{view.server_label(s.address)} {s.state}" for s in bad)
    shown = [s.exchanges for s in known]
    if bad and (2 * len(bad) >= len(known) or len(working) < 2):
        yield outcome("too-few-left", *shown, count=len(working), total=len(known), lame=lost)
    elif bad and all(s.state == "silent" for s in bad):
        yield outcome("silent-only", *shown, count=len(bad), total=len(known))
    elif len(known) < len(services):
        unseen = tuple(view.server_label(s.address) for s in services if s not in known)
        yield unknown("not-observed", servers=unseen)
    elif not bad:
        yield outcome("none-lame", *shown, total=len(known))


@check(
    "del.soa-present",
    properties=(REL,),
    asked=("Q1",),
    version=2,
    codes={
        "present": "Every server that is authoritative for {zone} returns its SOA record.",
        "missing": "{server} answers with authority but returns no SOA record of {zone}.",
        "none-authoritative": "No server answers for {zone} with authority.",
    },
)
def soa_present(view: ZoneView) -> Iterator[Outcome]:
    """Every authoritative server returns the SOA record.

    Why: without it secondaries cannot tell versions, and resolvers cannot keep negative answers.
    Rule: error for each server that answers the SOA question with NOERROR and AA but without an SOA owned by the zone.
    Source: RFC 2181 section 6.1; RFC 1035 section 5.2.
    Do: check that the server has loaded the zone, and not an empty or a parent zone instead.
    """
    answers = [a for a in view.answers("Q1") if a.message.aa and a.message.rcode == NOERROR and not is_partial(a)]
    without = [a for a in answers if not any(r.rtype == SOA and r.owner == view.zone for r in a.message.answer)]
    for answer in without:
        server = view.server_label(answer.address)
        yield outcome("missing", answer.exchange, subject=server, server=server)
    if not answers:
        yield not_applicable("none-authoritative", view.asked("Q1"))
    elif not without:
        yield outcome("present", shown_by(answers))


@check(
    "del.parent-child-ns-match",
    properties=(STA, REL),
    asked=("P1", "Q3", "Q1"),
    codes={
        "equal": "The parent and the servers of {zone} name the same {count:name server|# name servers}.",
        "disjoint": "The parent names {parent} for {zone}, its own servers name {child}: no name in common.",
        "parent-only-dead": "The parent names {name} for {zone}; the zone does not, and {name} does not serve it.",
        "parent-only": "The parent names {name} for {zone}, the zone itself does not.",
        "child-only": "{zone} names {names}, its parent does not.",
        "no-child-answer": "No server of {zone} gives its NS records with authority.",
        "no-delegation": "{zone} has no delegation to compare.",
    },
)
def parent_child_ns_match(view: ZoneView) -> Iterator[Outcome]:
    """The NS names at the parent and at the apex are the same.

    Why: resolvers use either set; where they differ, zones behave differently by resolver and changes get lost.
    Rule: error if the sets have no name in common, or if a name that only the parent has does not serve the zone;
        warning if it does serve; notice for names that only the zone has.
    Source: RFC 1034 section 4.2.2; RFC 7477 section 1; Sommese 2020.
    Do: publish the same NS records on both sides; after a change at the zone, tell the registry.
    """
    delegation, child = view.delegation(), set(view.apex_ns_names)
    if delegation is None:
        yield not_applicable("no-delegation", view.asked("P1"))
        return
    if not child:
        yield unknown("no-child-answer", view.asked("Q3"))
        return
    parent = set(delegation.ns_names)
    seen = [*delegation.exchanges, *view.apex_exchanges(NS)]
    if not parent & child:
        yield outcome("disjoint", seen, parent=_texts(parent), child=_texts(child))
        return
    for name in in_order(parent - child):
        services = [view.service(a) for a in view.delegated_servers[name]]
        dead = bool(services) and not any(s.state in ("ok", "unobserved") for s in services)
        code = "parent-only-dead" if dead else "parent-only"
        yield outcome(code, seen, *(s.exchanges for s in services), subject=str(name), name=str(name))
    if child - parent:
        yield outcome("child-only", seen, names=_texts(child - parent))
    if parent == child:
        yield outcome("equal", seen, count=len(parent))


@check(
    "del.ns-resolvable",
    properties=(REL,),
    asked=("C0", "H1", "H2", "Q9"),
    version=2,
    codes={
        "all-resolve": "{count:The only NS name|All # NS names} of {zone} {count:resolves|resolve} to an address.",
        "nxdomain": "The NS name {name} does not exist.",
        "no-address": "The NS name {name} has neither an IPv4 nor an IPv6 address.",
        "failed": "No server gave an answer for the addresses of the NS name {name} ({rcode}).",
        "alias": "The NS name {name} is an alias; its addresses were not judged (see del.ns-not-cname).",
        "glue-only": "The addresses of the NS name {name} are known from glue only; its own zone did not confirm them.",
        "not-asked": "The addresses of the NS name {name} were not asked for.",
        "no-names": "{zone} has no NS names.",
    },
)
def ns_resolvable(view: ZoneView) -> Iterator[Outcome]:
    """Every NS name resolves to an address.

    Why: a name without an address is a server that does not exist; if its domain can be registered, whoever does so
        answers for the zone.
    Rule: error if a name gives NXDOMAIN, has neither A nor AAAA, or no server on the way to it answers usefully.
    Source: RFC 1035 section 7; RFC 1912 section 2.8.
    Do: give the host its address records, or take the name out of the NS records on both sides.
    """
    good, shown = 0, []
    for name in view.ns_names:
        host, text = view.addresses_of(name), str(name)
        if host.resolution == "resolved" or (host.resolution == "alias" and host.authoritative):
            good += 1
            shown.append(host.exchanges)
        elif host.resolution in ("nxdomain", "no-address"):
            yield outcome(host.resolution, host.exchanges, subject=text, name=text)
        elif host.resolution == "alias":
            yield unknown("alias", host.exchanges, subject=text, name=text)
        elif host.glue:
            yield unknown("glue-only", host.exchanges, subject=text, name=text)
        elif host.resolution == "failed":
            rcode = "no answer" if host.rcode is None else str(host.rcode)
            yield outcome("failed", host.exchanges, subject=text, name=text, rcode=rcode)
        else:
            yield unknown("not-asked", subject=text, name=text)
    if not view.ns_names:
        yield not_applicable("no-names", view.asked("P1"))
    elif good == len(view.ns_names):
        yield outcome("all-resolve", *shown, count=good)


@check(
    "del.ns-not-cname",
    properties=(IOP,),
    asked=("H1", "H2", "Q9"),
    codes={
        "no-alias": "{count:The only NS name|None of the # NS names} of {zone} that {count:was|were} looked up is "
        "{count:no|an} alias.",
        "alias": "The NS name {name} is an alias of {target}.",
        "not-resolved": "No NS name of {zone} gave an answer that shows whether it is an alias.",
    },
)
def ns_not_cname(view: ZoneView) -> Iterator[Outcome]:
    """No NS name is an alias.

    Why: resolvers may refuse such a server, and additional data never carries an alias.
    Rule: error for each NS name that owns a CNAME record or lies below a DNAME record.
    Source: RFC 2181 section 10.3; RFC 1912 section 2.4.
    Do: put the target's name into the NS records, or give the name its own address records.
    """
    found = [view.addresses_of(name) for name in view.ns_names]
    aliases = [host for host in found if host.alias is not None]
    plain = [host for host in found if host.resolution in ("resolved", "no-address", "nxdomain")]
    for host in aliases:
        yield outcome("alias", host.exchanges, subject=str(host.name), name=str(host.name), target=str(host.alias))
    if not aliases and plain:
        yield outcome("no-alias", *(host.exchanges for host in plain), count=len(plain))
    elif not aliases:
        yield unknown("not-resolved", *(host.exchanges for host in found))


def _texts(names: Iterable[Name]) -> tuple[str, ...]:
    return tuple(map(str, in_order(names)))
