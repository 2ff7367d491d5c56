"""Types of questions: AAAA, ANY, and all that a survey asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, compress
from operator import attrgetter

from gnomon.base import Address, RRType
from gnomon.base.codes import ANY, AXFR, NOERROR, NXDOMAIN, RRSIG, SOA
from gnomon.checks.observed import Answer, asked_in, is_silent, is_udp
from gnomon.checks.outcome import Outcome, outcome, shown_by
from gnomon.checks.registry import IOP, SEC, check
from gnomon.checks.replies import (
    UNHEARD,
    UNHEARD_EDNS,
    Finding,
    dropped,
    finding,
    hear,
    labels,
    losing,
    probe,
    signed_servers,
    told,
    unheard,
)
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange

_AAAA, _HINFO = 28, 13


@check(
    "hdr.aaaa",
    properties=(IOP,),
    asked=("S25", "Q5"),
    codes={
        "answered": "All servers of {zone} that were heard answer questions for AAAA as they should.",
        "dropped": "{server} does not answer a question for AAAA; others it does.",
        "wrong-rcode": "{server} answers {rcode} to the question for AAAA of {name}, which exists.",
        "bad-rdata": "{server} sends an AAAA record of {octets} {octets:octet|octets}; 16 are due.",
        "a-fails": "{server} answers {rcode} to a question for A.",
        **UNHEARD,
    },
)
def aaaa(view: ZoneView) -> Iterator[Outcome]:
    """Questions for AAAA are answered, with NOERROR where the name exists.

    Why: every client asks for AAAA first; no answer costs it seconds, and NXDOMAIN makes it believe that the name has
        no IPv4 address either.
    Rule: the AAAA records of the apex of a zone are asked for without EDNS. Error if that is dropped, for another
        rcode than NOERROR, and for AAAA records of another length than 16 octets; warning if a question for A gets
        another rcode than NOERROR or NXDOMAIN.
    Source: RFC 4074 section 4; RFC 3596 section 2.2.
    Do: update the server or load balancer.
    """
    probed = probe(view, "S25", alive="Q1")
    findings = dropped(view, probed, "S25")
    for answer in probed.answers:
        message = answer.message
        lengths = [len(r.rdata) for r in message.answer if r.rtype == _AAAA and len(r.rdata) != 16]
        if message.rcode != NOERROR:
            facts = {"rcode": str(message.rcode), "name": str(answer.qname)}
            findings.append(finding("wrong-rcode", answer.address, answer, **facts))
        elif lengths:
            findings.append(finding("bad-rdata", answer.address, answer, octets=lengths[0]))
        a = view.answer("Q5", answer.address)
        if a is not None and a.message.edns is not None and a.message.rcode not in (NOERROR, NXDOMAIN):
            findings.append(finding("a-fails", answer.address, a, rcode=str(a.message.rcode)))
    yield from told(view, findings, "answered", probed.shown)
    yield from unheard(view, probed.heard, "S25")


_ANY_CODES = ("full", "some", "hinfo", "refused", "truncated", "empty")


@check(
    "hdr.any",
    properties=(IOP, SEC),
    asked=("S19",),
    codes={
        "full": "{servers} {servers:answers|answer} a question for ANY over UDP in full ({types}).",
        "some": "{servers} {servers:answers|answer} a question for ANY with a choice of records ({types}).",
        "hinfo": "{servers} {servers:answers|answer} a question for ANY with an HINFO record made for it.",
        "refused": "{servers} {servers:does|do} not answer questions for ANY ({rcodes}).",
        "truncated": "{servers} {servers:answers|answer} a question for ANY over TCP only.",
        "empty": "{servers} {servers:answers|answer} a question for ANY without records.",
        "dropped": "{server} does not answer a question for ANY at all.",
        **UNHEARD_EDNS,
    },
)
def any_type(view: ZoneView) -> Iterator[Outcome]:
    """Questions for ANY are not answered with everything over UDP.

    Why: the whole of a signed name is the largest answer there is, the favourite of those who flood others with it.
    Rule: notice if SOA and DNSKEY both come back over UDP from a signed zone; a few records, HINFO, TC, REFUSED and
        NOTIMP pass; warning if the question is dropped, which makes askers repeat it.
    Source: RFC 8482 section 4; RFC 5358 section 4.
    Do: switch minimal answers to ANY on.
    """
    probed, signing = probe(view, "S19", alive="Q3", edns=True, only_tcp=True), frozenset(signed_servers(view))
    groups: dict[str, list[Answer]] = {}
    for answer in probed.answers:
        groups.setdefault(_any_code(answer, answer.address in signing), []).append(answer)
    for code in (code for code in _ANY_CODES if code in groups):
        answers = groups[code]
        servers, rcodes = labels(view, [a.address for a in answers]), sorted({str(a.message.rcode) for a in answers})
        types = sorted({int(r.rtype) for a in answers for r in a.message.answer})
        yield outcome(code, shown_by(answers), servers=servers, types=_texts(types), rcodes=tuple(rcodes))
    yield from told(view, dropped(view, probed, "S19"), "", ())
    yield from unheard(view, probed.heard, "S19")


def _any_code(answer: Answer, is_signed: bool) -> str:
    message = answer.message
    types = {int(record.rtype) for record in message.answer} - {int(RRSIG)}
    if message.tc:
        return "truncated"
    if message.rcode != NOERROR:
        return "refused"
    if types == {_HINFO}:
        return "hinfo"
    if is_signed and is_udp(answer.exchange) and len(types) > 3 and int(SOA) in types:
        return "full"
    return "some" if types else "empty"


@check(
    "hdr.type-sweep",
    properties=(IOP,),
    asked=("Q3", "Q4", "Q5", "Q8", "Q8P", "Q8N", "Q9", "Z1M", "Z1T", "S25"),
    version=2,
    codes={
        "answered": "All servers of {zone} that were heard answer for all {count} types that were asked for.",
        "dropped": "{server} answers other questions, but none for {types}.",
        "error": "{server} answers {rcodes} to questions for {types}.",
        **UNHEARD,
    },
)
def type_sweep(view: ZoneView) -> Iterator[Outcome]:
    """Questions are answered whatever the type.

    Why: a firewall that lets only the types of its time through breaks DNSSEC, mail policies and what comes next.
    Rule: warning for each server that serves the zone and drops all questions for one type, or answers them with
        FORMERR, NOTIMP, REFUSED or SERVFAIL. Judged over the types that a survey asks for anyway: a question for every
        registered type would be 66 more messages to each server. A type that nobody registered: hdr.unknown-type.
    Source: RFC 3597 section 3; RFC 8906 section 8.1.2.
    Do: update the server, or open the firewall in front of it.
    """
    heard = hear(view, "Q1")
    findings, seen = list[Finding](), set[int]()
    answered, left = _answered_types(view)
    for address in [answer.address for answer in heard.answers]:
        good = answered.get(address, set())
        seen |= good
        silent, errors, attempts_of = list[int](), dict[int, str](), _others(left, address, good)
        for rtype, attempts in attempts_of.items():
            rcodes = [m.rcode for x in attempts if (m := view.message(x)) is not None]
            if rcodes:
                errors[rtype] = str(rcodes[0])
            elif any(map(is_silent, attempts)) and address not in losing(view):
                silent.append(rtype)
        for code, types in (("dropped", silent), ("error", list(errors))):
            if types:
                shown = tuple(x for rtype in types for x in attempts_of[rtype])
                facts = {"types": _texts(types), "rcodes": tuple(dict.fromkeys(errors.values()))}
                findings.append(Finding(code, address, shown, facts))
    if findings or not heard.answers:
        yield from told(view, findings, "", ())
    else:
        yield outcome("answered", heard.shown, count=len(seen))
    yield from unheard(view, heard, "Q1")


def _texts(types: list[int]) -> tuple[str, ...]:
    return tuple(str(RRType(rtype)) for rtype in sorted(types))


_DONE = frozenset({NOERROR, NXDOMAIN})
_WHERE_AND_WHAT = attrgetter("address", "qtype", "message.rcode")


def _asks(view: ZoneView) -> list[str]:
    """The questions that are in ordinary form, EDNS or not."""
    return [ask for ask in view.asks if ask[0] in "QZ" or ask == "S25"]


def _answered_types(view: ZoneView) -> tuple[dict[Address, set[int]], list[Exchange]]:
    """The types that each server answers for, NOERROR or NXDOMAIN, in some form of the question; all other attempts."""
    found, asks = defaultdict[Address, set[int]](set), _asks(view)
    answers = list(chain.from_iterable(map(view.answers, asks)))
    came = list(map(_WHERE_AND_WHAT, answers))
    good = {one for one in set(came) if one[1] is not None and one[2] in _DONE}
    for address, qtype, _ in good:
        found[address].add(qtype)
    answered = list(compress(answers, map(good.__contains__, came)))
    attempts = list(chain.from_iterable(map(view.asked, asks)))
    if len(attempts) == len(answered):
        return found, []
    settled = {id(answer.exchange) for answer in answered}
    return found, [x for x in attempts if id(x) not in settled]


def _others(attempts: list[Exchange], address: Address, good: set[int]) -> dict[int, list[Exchange]]:
    """The attempts at a server about other registered types than the `good` ones, by type."""
    found: dict[int, list[Exchange]] = {}
    for x in attempts:
        asked = asked_in(x.query) if x.address == address else None
        if asked is not None and asked[1] not in good and asked[1] < 65280 and asked[1] not in (ANY, AXFR):
            found.setdefault(int(asked[1]), []).append(x)
    return found
