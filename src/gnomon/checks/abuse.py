"""How a zone's servers, or its delegation, can be turned against others."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter

from gnomon.base import Name
from gnomon.checks.observed import is_answered, is_udp
from gnomon.checks.outcome import Outcome, not_applicable, outcome
from gnomon.checks.registry import IOP, SEC, STA, check
from gnomon.checks.replies import UNHEARD, hear, unheard
from gnomon.checks.unjudged import unjudged
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.evidence.subject import cut_subject, name_subject

MANY_TIMES = 20
FAR_TOO_MANY_TIMES = 50
MANY_GLUELESS = 10
FAR_TOO_MANY_GLUELESS = 20
FETCH_QUERIES = 50


@check(
    "exp.amplification",
    properties=(SEC,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "S19"),
    codes={
        "moderate": "The largest answer over UDP is {times} times as long as its question ({question}, from {server}).",
        "large": "{server} answers {question} with {times} times as many octets ({octets}) over UDP.",
        "huge": "{server} answers {question} with {times} times as many octets ({octets}) over UDP, for anyone.",
        **UNHEARD,
    },
)
def amplification(view: ZoneView) -> Iterator[Outcome]:
    """Answers over UDP are not many times as long as their questions.

    Why: questions with a forged source address turn such servers against others, the more the longer the answers.
    Rule: the worst answer over UDP to any question about the zone, its keys or ANY, in octets of DNS messages; notice
        above 20 times, warning above 50 times. Rate limits and cookies may lower the harm and are not counted in.
    Source: RFC 5358 section 2; RFC 8482 section 4; RFC 9715 section 3.
    Do: answer ANY with one RRset; keep UDP answers below 1232 octets; use ECDSA keys; limit the rate of answers.
    """
    asked = [x for ask in ("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "S19") for x in view.asked(ask) if is_answered(x)]
    over_udp = filter(is_udp, asked)
    answered = [(len(x.response) / len(x.query), x) for x in over_udp if x.response is not None]
    if not answered:
        yield from unheard(view, hear(view, "Q1"), "Q1")
        return
    times, x = max(answered, key=itemgetter(0))
    question = _asked(view, x)
    server, octets = view.server_label(x.address), len(x.response or b"")
    code = "huge" if times > FAR_TOO_MANY_TIMES else "large" if times > MANY_TIMES else "moderate"
    yield outcome(code, x, server=server, question=question, times=round(times, 1), octets=octets)


def _asked(view: ZoneView, x: Exchange) -> str:
    message = view.message(x)
    question = message.question if message is not None else None
    return f"{question.name} {question.qtype}" if question is not None else x.ask


def _glueless(view: ZoneView) -> tuple[Name, ...]:
    """The delegated NS names whose addresses a resolver must look up elsewhere."""
    delegation = view.delegation()
    return tuple(n for n in view.parent_ns() if not (delegation and delegation.glue.get(n)))


@check(
    "exp.nxns-delegation",
    properties=(SEC, IOP),
    asked=("P1",),
    codes={
        "few": "{count} of the NS names of {zone} {count:comes|come} without addresses in the delegation.",
        "many": "{count} of the NS names of {zone} {count:comes|come} without addresses in the delegation: {names}.",
        "flood": "{count} of the NS names of {zone} {count:comes|come} without addresses in the delegation: {names}.",
        "root": "The root zone has no delegation.",
        "no-delegation": "No delegation of {zone} was found (see del.zone-exists).",
    },
)
def nxns_delegation(view: ZoneView) -> Iterator[Outcome]:
    """The delegation does not send resolvers after many names.

    Why: each NS name without an address costs a resolver two look-ups; delegations full of them are used for attacks.
    Rule: notice above 10 such names, warning above 20; resolvers go after 5 to 16 of them.
    Source: Afek and others, "NXNSAttack" (2020); CVE-2020-8616, CVE-2020-12662.
    Do: use fewer name servers; name some inside the zone, so that the delegation has their addresses.
    """
    names, delegation = _glueless(view), view.delegation()
    if delegation is None:
        yield not_applicable("root" if view.is_root else "no-delegation", view.asked("P1"))
        return
    code = "flood" if len(names) > FAR_TOO_MANY_GLUELESS else "many" if len(names) > MANY_GLUELESS else "few"
    yield outcome(code, delegation.exchanges, count=len(names), names=tuple(map(str, names)))


@check(
    "exp.camp-chain",
    properties=(SEC,),
    asked=("P1", "C0", "H1", "H2"),
    codes={
        "cheap": "Finding a server of {zone} from its top-level domain takes {count} {count:question|questions} at "
        "most.",
        "costly": "Finding a server of {zone} from its top-level domain can take {count} {count:question|questions}.",
        "root": "The root zone has no delegation.",
        "no-delegation": "No delegation of {zone} was found (see del.zone-exists).",
    },
)
def camp_chain(view: ZoneView) -> Iterator[Outcome]:
    """Resolvers can reach the zone's servers with few questions, even where most of them fail.

    Why: chains of aliases, delegations and names multiply; resolvers stop at a limit, and attackers make them work.
    Rule: one question for the zone, and for each NS name without an address in the delegation two for each name in
        its chain of aliases and one for each zone cut on the way below the top level; warning above 50, where one
        widely used resolver gives up.
    Source: Duan and others, "CAMP" (USENIX Security 2024); the limits of BIND and Unbound.
    Do: name servers inside the zone, or in few other zones.
    """
    delegation = view.delegation()
    if delegation is None:
        yield not_applicable("root" if view.is_root else "no-delegation", view.asked("P1"))
        return
    count, cuts, shown = 1, set[Name](), list(delegation.exchanges)
    for name in _glueless(view):
        host = view.addresses_of(name)
        shown += host.exchanges
        asked = {a.qname for a in view.answers_about(name_subject(name)) if a.exchange.ask in ("H1", "H2")}
        count += 2 * max(1, len(asked))
        cuts |= {above for above in name.ancestors()[1:-2] if view.about(cut_subject(above))}
    count += len(cuts)
    yield outcome("costly" if count > FETCH_QUERIES else "cheap", shown, count=count)


@unjudged("exp.cache-data", properties=(SEC,), needs="consent")
def cache_data() -> None:
    """Authoritative servers hold no cache that strangers can look into.

    Why: a cache shared with authority can be poisoned, and shows what its users look up.
    Rule: warning if names of others come back without recursion.
    Source: RFC 5358 section 4; KINDNS practice 4.
    Do: run authority and recursion on different addresses.
    """


@unjudged("exp.update", properties=(SEC,), needs="consent")
def update() -> None:
    """Servers refuse dynamic updates from strangers before they look at them.

    Why: answers to prerequisites tell a stranger what the zone holds, and an open door lets him change it.
    Rule: warning if a prerequisite that cannot be met is evaluated; refusal and NOTIMP pass.
    Source: RFC 2136 sections 3.2 and 3.3; RFC 3007.
    Do: allow updates with TSIG keys only.
    """


@unjudged("exp.notify", properties=(STA,), needs="consent")
def notify() -> None:
    """Servers ignore NOTIFY from strangers.

    Why: each makes a server ask its primary for the zone.
    Rule: reported if NOTIFY from a stranger is acknowledged.
    Source: RFC 1996 section 3.10.
    Do: allow NOTIFY from the primaries only.
    """


@unjudged("exp.tls-hygiene", properties=(SEC,), needs="transport")
def tls_hygiene() -> None:
    """Servers that offer DNS over TLS or QUIC have a valid certificate.

    Why: a certificate that is expired or of another name protects against listening at most.
    Rule: warning for a certificate that is expired or of another name, or TLS below 1.2.
    Source: RFC 9325; RFC 9539.
    Do: renew the certificate by machine.
    """
