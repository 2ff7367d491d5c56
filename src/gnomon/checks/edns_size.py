"""EDNS and the size of answers: truncation, and what a server sends at most."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Address
from gnomon.base.codes import DNSKEY, FORMERR, NOERROR
from gnomon.checks.observed import Answer, is_answered, is_udp, parsed
from gnomon.checks.outcome import Arg, Outcome, not_applicable, shown_by, unknown
from gnomon.checks.registry import IOP, SEC, check
from gnomon.checks.replies import (
    UNHEARD_EDNS,
    Finding,
    dropped,
    finding,
    hear,
    is_partial,
    probe,
    told,
    unheard,
)
from gnomon.checks.sent import sent
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange


@check(
    "edns.truncated-opt",
    properties=(IOP,),
    asked=("S5",),
    codes={
        "with-opt": "Truncated answers from the servers of {zone} have an OPT record.",
        "missing-opt": "{server} leaves the OPT record out of a truncated answer.",
        "dropped": "{server} does not answer a question with DO that allows 512 octets.",
        "wrong-rcode": "{server} answers {rcode} to a question with DO that allows 512 octets.",
        "fits": "No server of {zone} had to truncate its answer of 512 octets at most.",
        **UNHEARD_EDNS,
    },
)
def truncated_opt(view: ZoneView) -> Iterator[Outcome]:
    """Truncated answers have an OPT record.

    Why: without it the asker takes the server for one without EDNS and asks again without DNSSEC.
    Rule: the DNSKEY RRset is asked for with DO and 512 octets at most. Warning for a truncated answer without OPT, and
        for another rcode than NOERROR; error if it is dropped.
    Source: RFC 6891 section 7; RFC 8906 section 8.2.7.
    Do: update the server, or the middlebox that truncates its answers.
    """
    probed = probe(view, "S5", alive="Q3", edns=True, only_tcp=True)
    findings = dropped(view, probed, "S5")
    for answer in probed.answers:
        message, rcode = answer.message, str(answer.message.rcode)
        if message.tc and message.edns is None:
            findings.append(finding("missing-opt", answer.address, answer))
        elif message.rcode != NOERROR and message.rcode != FORMERR:
            findings.append(finding("wrong-rcode", answer.address, answer, rcode=rcode))
    cut = [answer for answer in probed.answers if answer.message.tc]
    yield from told(view, findings, "with-opt", shown_by(cut))
    if probed.answers and not cut and not findings:
        yield not_applicable("fits", probed.shown)
    yield from unheard(view, probed.heard, "S5")


@check(
    "edns.bufsize-honoured",
    properties=(SEC, IOP),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "S5", "S6", "S19"),
    codes={
        "kept": "No server of {zone} sent more over UDP than was asked for.",
        "exceeded": "{server} sends {octets} octets over UDP where {allowed} were allowed ({asks}).",
        "no-answer": "No server of {zone} sent an answer over UDP.",
    },
)
def bufsize_honoured(view: ZoneView) -> Iterator[Outcome]:
    """Answers over UDP are no larger than the query allows.

    Why: what is larger may be lost on its way, in fragments or at a firewall; and a server that ignores the size can
        be used to flood a forged sender.
    Rule: error for an answer over UDP with more octets than the query's OPT allows, or than 512 without OPT or with a
        smaller size.
    Source: RFC 6891 sections 6.2.3 to 6.2.5; RFC 1035 section 4.2.1.
    Do: update the server, or the middlebox that ignores the size.
    """
    over_udp = list(filter(is_udp, sent(view).exchanges))
    findings = list[Finding]()
    large = [x for x in view.exchanges if x.response is not None and len(x.response) > 512 and is_udp(x)]
    for address in view.addresses if any(len(x.response or b"") > _allowed(view, x) for x in large) else ():
        answered = [(x, _allowed(view, x)) for x in _over_udp(view, address)]
        over = [(x, allowed) for x, allowed in answered if len(x.response or b"") > allowed]
        if over:
            largest, allowed = max(over, key=lambda pair: len(pair[0].response or b""))
            asks = tuple(dict.fromkeys(x.ask for x, _ in over))
            facts: dict[str, Arg] = {"octets": len(largest.response or b""), "allowed": allowed, "asks": asks}
            findings.append(Finding("exceeded", address, tuple(x for x, _ in over), facts))
    yield from told(view, findings, "kept", over_udp)
    if not over_udp and not findings:
        yield unknown("no-answer", view.asked("Q1"))


def _over_udp(view: ZoneView, address: Address) -> Iterator[Exchange]:
    for ask in view.asks:
        if ask[0] in "QZS":
            yield from (x for x in view.asked(ask, address) if is_answered(x) and is_udp(x))


def _allowed(view: ZoneView, exchange: Exchange) -> int:
    """The octets that the query allows in an answer over UDP."""
    query, key = exchange.query, view.zone.key
    end = 12 + len(key)
    # One question about the zone's apex, and OPT right behind it: no need to read each query as a message.
    if query[4:12] == b"\0\1\0\0\0\0\0\1" and query[12:end].lower() == key and query[end + 4 : end + 7] == b"\0\0\x29":
        return max(512, int.from_bytes(query[end + 7 : end + 9], "big"))
    edns = parsed(query).edns
    return max(512, edns.udp_size_octets) if edns else 512


@check(
    "edns.truncation-rule",
    properties=(IOP,),
    asked=("S5", "Q4"),
    codes={
        "kept": "Servers of {zone} that leave out records for want of room say so.",
        "cut": "{server} leaves records of the DNSKEY RRset out where 512 octets are allowed, without the TC bit.",
        "nothing-to-compare": "Not judged for {zone}: no server gave its DNSKEY RRset whole and in 512 octets.",
        "unsigned": "No server of {zone} has a readable DNSKEY: there is no RRset large enough to be cut.",
        **UNHEARD_EDNS,
    },
)
def truncation_rule(view: ZoneView) -> Iterator[Outcome]:
    """An answer that does not have all records says that it is truncated.

    Why: resolvers take an answer without the TC bit for the whole; they then lack keys, and validation fails.
    Rule: warning if the answer to the DNSKEY question of 512 octets has some records of the RRset, not all that the
        same server gives otherwise, and no TC bit. An RRset is sent whole or the answer is truncated.
    Source: RFC 2181 section 9; RFC 6891 section 4.3.
    Do: update the server.
    """
    heard = hear(view, "Q4", edns=True)
    compared, findings = list[Answer](), list[Finding]()
    for whole in heard.answers:
        full = whole.message.rrset("answer", view.zone, DNSKEY)
        small = view.answer("S5", whole.address)
        if full is None or small is None or small.qname != view.zone or (is_partial(small) and not small.message.tc):
            continue
        compared.append(small)
        part = small.message.rrset("answer", view.zone, DNSKEY)
        if not small.message.tc and small.message.rcode == NOERROR and (part is None or part.rdatas != full.rdatas):
            findings.append(finding("cut", whole.address, whole, small))
    yield from told(view, findings, "kept", shown_by(compared))
    shown = heard.shown
    if heard.answers and not compared:
        unsigned = all(a.message.rrset("answer", view.zone, DNSKEY) is None for a in heard.answers)
        yield not_applicable("unsigned", shown) if unsigned else unknown("nothing-to-compare", shown)
    yield from unheard(view, heard, "Q4")
