"""How servers answer: the AA bit, the SOA in denials, and questions about zones that they do not serve."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gnomon.base import ROOT, Name
from gnomon.base.codes import NOERROR, NS, NXDOMAIN, SOA
from gnomon.checks.aliases import end_of_aliases, is_below
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, outcome, shown_by, unknown
from gnomon.checks.registry import IOP, REL, SEC, check
from gnomon.checks.replies import UNHEARD, UNHEARD_EDNS, hear, labels, probe, unheard
from gnomon.checks.view import ZoneView
from gnomon.wire import Message

_APEX_ASKS = ("Q1", "Q2", "Q3", "Q4", "Q5", "Q6")


@check(
    "resp.aa",
    properties=(REL, IOP),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "P1"),
    codes={
        "set": "All servers that serve {zone} answer with authority.",
        "missing": "{server} serves {zone}, but answers without authority to {questions}.",
        "referral-with-aa": "{server} of the parent claims authority in its referral to {zone}.",
        **UNHEARD,
    },
)
def aa(view: ZoneView) -> Iterator[Outcome]:
    """Servers set the AA bit in what they answer about their zone, and clear it in referrals.

    Why: resolvers discard answers without authority from a server that was named as authoritative, and may take a
        referral with authority for an empty answer.
    Rule: error for a server that answers the SOA question with authority and another question about the zone
        without; warning for a referral with AA. A server without authority for the SOA is del.lame's finding.
    Source: RFC 1035 section 4.1.1; RFC 2181 section 6.1; RFC 1034 section 4.3.2.
    Do: update the server; check that no cache stands in front of it.
    """
    clean, seen = True, hear(view, "Q1")
    asked = [answer for ask in _APEX_ASKS for answer in view.first_answers(ask).values()]
    suspects = [answer.address for answer in asked if not answer.message.aa]
    for address in [answer.address for answer in seen.answers if answer.address in suspects]:
        answers = [a for ask in _APEX_ASKS if (a := view.answer(ask, address)) is not None]
        bare = [a for a in answers if not a.message.aa and a.message.rcode in (NOERROR, NXDOMAIN)]
        if bare:
            clean = False
            server, questions = view.server_label(address), tuple(f"{a.qtype} {a.qname}".lower() for a in bare)
            shown = shown_by(bare)
            yield outcome("missing", shown, subject=server, server=server, questions=questions)
    for parent in view.parent_answers():
        if parent.says == "referral" and parent.answer.message.aa and not parent.answer.message.answer:
            clean = False
            server = str(parent.answer.address)
            yield outcome("referral-with-aa", parent.answer.exchange, subject=server, server=server)
    if seen.answers and clean:
        yield outcome("set", seen.shown)
    yield from unheard(view, seen, "Q1")


@check(
    "resp.negative-soa",
    properties=(REL, IOP),
    asked=("Q5", "Q6", "Q8P", "Q8N"),
    codes={
        "present": "Every negative answer of {zone} carries its SOA record.",
        "missing": "{servers} {servers:denies|deny} {questions} without an SOA record.",
        "wrong-owner": "{servers} {servers:denies|deny} {questions} with the SOA record of {owner}.",
        "no-negative-answer": "No server of {zone} gave a negative answer to judge.",
        **UNHEARD_EDNS,
    },
)
def negative_soa(view: ZoneView) -> Iterator[Outcome]:
    """Negative answers carry the SOA record of the zone.

    Why: without it resolvers cannot keep the denial and ask again each time.
    Rule: error if an NXDOMAIN or NODATA answer has no SOA record in its authority section, or one whose owner is not
        the apex.
    Source: RFC 2308 sections 2 and 3.
    Do: update the server; check what rewrites its answers.
    """
    found: dict[str, list[Answer]] = {}
    heard = hear(view, "Q6", "Q5", "Q8P", "Q8N")
    for answer in heard.answers:
        if code := _negative_code(answer.message, view.zone):
            found.setdefault(code, []).append(answer)
    for code, answers in sorted(found.items()):
        shown = shown_by(answers)
        if code != "present":
            owner = next((str(r.owner) for a in answers for r in a.message.authority if r.rtype == SOA), None)
            questions = tuple(dict.fromkeys(f"{a.qtype} {a.qname}" for a in answers))
            servers = labels(view, list(dict.fromkeys(a.address for a in answers)))
            yield outcome(code, shown, servers=servers, questions=questions, owner=owner)
        elif len(found) == 1:
            yield outcome(code, shown)
    if not found and heard.answers:
        yield unknown("no-negative-answer", heard.shown)
    yield from unheard(view, heard, "Q6", "Q5")


@lru_cache(maxsize=1024)
def _negative_code(message: Message, zone: Name) -> str:
    """The outcome's code for a denial; empty for any other answer."""
    if not message.aa or not (message.rcode == NXDOMAIN or (message.rcode == NOERROR and not message.answer)):
        return ""
    owners = {record.owner for record in message.authority if record.rtype == SOA}
    if message.question is not None and message.answer:
        name = end_of_aliases(message, message.question.name)
        if not name.is_subdomain_of(zone) or any(is_below(o, zone) and name.is_subdomain_of(o) for o in owners):
            return ""  # an alias has led into another zone that the server has too: the denial is of that one
    return "present" if zone in owners else "wrong-owner" if owners else "missing"


@check(
    "resp.upward-referral",
    properties=(SEC, IOP),
    asked=("S10", "S11"),
    codes={
        "none": "No server of {zone} that was heard refers strangers' questions to the root.",
        "upward": "{server} answers the question for the root's NS with a referral to the root ({octets} octets).",
        **UNHEARD,
    },
)
def upward_referral(view: ZoneView) -> Iterator[Outcome]:
    """Servers do not refer questions about zones that they do not serve to the root.

    Why: the referral is useless to resolvers and large enough to flood a forged sender with.
    Rule: warning if the NS question for the root gets NOERROR without authority and with the root's NS records in
        the authority section. REFUSED is right; a root server's own answer is another thing. A server that refuses
        another name that is not its own is not asked for the root's.
    Source: DNS-OARC, "Upward Referrals Considered Harmful"; RFC 9499.
    Do: remove the root hints from the authoritative server's configuration, so that it answers REFUSED.
    """
    probed = probe(view, "S11", alive="Q1", first="S10")
    upward = [a for a in probed.answers if _refers_up(a)]
    for answer in upward:
        server, octets = view.server_label(answer.address), len(answer.message.wire)
        yield outcome("upward", answer.exchange, subject=server, server=server, octets=octets)
    silent = probed.dropped
    if (probed.answers or silent) and not upward:
        shown = probed.shown
        yield outcome("none", shown, [x for address in silent for x in view.asked("S11", address)])
    yield from unheard(view, probed.heard, "S11", "S10")


def _refers_up(answer: Answer) -> bool:
    message = answer.message
    to_root = any(record.rtype == NS and record.owner == ROOT for record in message.authority)
    return message.rcode == NOERROR and not message.aa and not message.answer and to_root
