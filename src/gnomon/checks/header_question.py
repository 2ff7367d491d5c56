"""The question section and what belongs to it: counts, letter case, class, keys that nobody has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from operator import attrgetter

from gnomon.base import Address
from gnomon.base.codes import CLASS_IN, FORMERR, NOERROR, NOTAUTH, NXDOMAIN, SOA, TSIG
from gnomon.checks.observed import MISMATCHED, Answer, is_silent, parsed
from gnomon.checks.outcome import Outcome, not_applicable, shown_by, unknown
from gnomon.checks.registry import IOP, REL, SEC, check
from gnomon.checks.replies import (
    UNHEARD,
    UNHEARD_EDNS,
    Finding,
    dropped,
    everything_heard,
    finding,
    probe,
    told,
    unheard,
)
from gnomon.checks.sent import CHAOS, sent, told_of_all
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import Message

_BADKEY = 17
_STATUS = attrgetter("status")
_HEADER_OCTETS = 12
_WRONG = (1, 4)  # of `gnomon.engine.Mismatch`: ID, question
_TRANSFERS = ("S20", "S21")


@check(
    "hdr.qdcount",
    properties=(IOP, SEC),
    asked=("S15", "S16"),
    codes={
        "refused": "All servers of {zone} that were heard refuse a message with two questions.",
        "two-answered": "{server} answers a message with two questions ({rcode}); FORMERR is due.",
        "two-other-rcode": "{server} answers {rcode} to a message with two questions; FORMERR is due.",
        "two-dropped": "{server} does not answer a message with two questions; FORMERR is due.",
        "none-answered": "{server} answers a message without a question with records.",
        **UNHEARD,
    },
)
def qdcount(view: ZoneView) -> Iterator[Outcome]:
    """A query has one question: two are a format error.

    Why: nobody can say which question rcode and AA of an answer to two belong to; clients and filters that look at the
        first one only are fooled by the second.
    Rule: warning if a message with two questions is answered, or dropped; notice for another rcode than FORMERR;
        warning if a message without a question (and without a cookie, which alone would allow it) gets records; it is
        sent only to servers that do not answer FORMERR to two. Such a message may be dropped.
    Source: RFC 9619 section 4; RFC 7873 section 5.4.
    Do: update the server.
    """
    probed, none = probe(view, "S16", alive="Q1"), probe(view, "S15", alive="Q1")
    findings = dropped(view, probed, "S16", "two-dropped")
    for answer in probed.answers:
        rcode = answer.message.rcode
        if rcode != FORMERR:
            code = "two-answered" if rcode in (NOERROR, NXDOMAIN) else "two-other-rcode"
            findings.append(finding(code, answer.address, answer, rcode=str(rcode)))
    for answer in none.answers:
        if answer.message.answer or answer.message.authority:
            findings.append(finding("none-answered", answer.address, answer))
    yield from told(view, findings, "refused", probed.shown)
    yield from unheard(view, probed.heard, "S16")


@check(
    "hdr.tsig-unknown-key",
    properties=(IOP,),
    asked=("S22",),
    codes={
        "badkey": "All servers of {zone} that were heard answer BADKEY to a key that they do not know.",
        "dropped": "{server} does not answer a query signed with a key that it does not know.",
        "ignored": "{server} answers a query signed with a key that it does not know as if it were not signed.",
        "wrong-rcode": "{server} answers {rcode} to a query signed with a key that it does not know; NOTAUTH is due.",
        "no-error": "{server} answers NOTAUTH to an unknown key without saying BADKEY.",
        **UNHEARD,
    },
)
def tsig_unknown_key(view: ZoneView) -> Iterator[Outcome]:
    """A query signed with a key that the server does not know gets BADKEY.

    Why: whoever signs must learn that his signature was not checked; silence looks like a dead server.
    Rule: warning if such a query is dropped; notice unless the answer is NOTAUTH with a TSIG record that says BADKEY.
        Servers that know nothing of TSIG at all are among those that get the notice.
    Source: RFC 8945 sections 5.2.1 and 5.3.2.
    Do: update the server, or the firewall in front of it.
    """
    probed = probe(view, "S22", alive="Q1")
    findings = dropped(view, probed, "S22")
    for answer in probed.answers:
        rcode = answer.message.rcode
        if rcode in (NOERROR, NXDOMAIN):
            findings.append(finding("ignored", answer.address, answer))
        elif rcode != NOTAUTH:
            findings.append(finding("wrong-rcode", answer.address, answer, rcode=str(rcode)))
        elif not _says_badkey(answer.message):
            findings.append(finding("no-error", answer.address, answer))
    yield from told(view, findings, "badkey", probed.shown)
    yield from unheard(view, probed.heard, "S22")


def _says_badkey(message: Message) -> bool:
    """The last record is a TSIG whose error field, before the empty other data, is BADKEY."""
    tsig = [record for record in message.additional if record.rtype == TSIG]
    return bool(tsig) and int.from_bytes(tsig[-1].rdata[-4:-2], "big") == _BADKEY


@check(
    "hdr.class",
    properties=(IOP,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "S17", "S18"),
    codes={
        "same": "All records from the servers of {zone} have the class that was asked for.",
        "foreign": "{server} sends records of another class than was asked for: {records} ({asks}).",
        "no-answer": "No server of {zone} sent an answer.",
    },
)
def record_class(view: ZoneView) -> Iterator[Outcome]:
    """Answers hold records of the class that was asked for.

    Why: classes are worlds of their own; clients drop such records or, worse, take them for what they asked.
    Rule: warning for a server that sends a record of another class than its question in any section. OPT and TSIG,
        whose class is no class, are not looked at.
    Source: RFC 1035 section 3.2.4; RFC 1034 section 3.6.
    Do: update the server.
    """
    findings = list[Finding]()
    for address, answers in () if _have_class_of_question(view) else everything_heard(view).items():
        wrong = [(answer, records) for answer in answers if (records := _foreign(answer))]
        if wrong:
            records = tuple(dict.fromkeys(text for _, texts in wrong for text in texts))
            asks = tuple(answer.exchange.ask for answer, _ in wrong)
            findings.append(finding("foreign", address, *(a for a, _ in wrong), records=records, asks=asks))
    yield from told_of_all(view, findings, "same")
    if not sent(view).answers:
        yield unknown("no-answer", view.asked("Q1"))


def _have_class_of_question(view: ZoneView) -> bool:
    """Whether it is plain that no record has another class than was asked for."""
    everything = sent(view)
    sections = (*everything.about_zone, *everything.about_server)
    if any(r.rclass != CLASS_IN and r.rtype != TSIG for section in sections for r in section):
        return False
    return not any(_foreign(answer) for ask in CHAOS for answer in view.answers(ask))


def _foreign(answer: Answer) -> tuple[str, ...]:
    if answer.exchange.ask not in CHAOS:
        return _not_of_class(answer.message, CLASS_IN)
    asked = parsed(answer.exchange.query).question
    return _not_of_class(answer.message, asked.qclass if asked else CLASS_IN)


@lru_cache(maxsize=4096)
def _not_of_class(message: Message, qclass: int) -> tuple[str, ...]:
    records = (*message.answer, *message.authority, *message.additional)
    wrong = (r for r in records if r.rclass != qclass and r.rtype != TSIG)
    return tuple(f"{r.owner} CLASS{r.rclass} {r.rtype}" for r in wrong)


@check(
    "hdr.case-insensitive",
    properties=(IOP, REL),
    asked=("Q1", "Q2", "Q2K"),
    codes={
        "same": "All servers of {zone} that were heard find the name whatever its letter case.",
        "differs": "{server} answers {rcode} to the name in mixed case, and properly to its own case.",
        "dropped": "{server} does not answer a query for the name in mixed case; for its own case it does.",
        "unclear": "Not judged at {servers}: that query fails there in its own case too (see edns.support).",
        "not-mixed": "The name of {zone} has no letters, so its case does not matter.",
        **UNHEARD_EDNS,
    },
)
def case_insensitive(view: ZoneView) -> Iterator[Outcome]:
    """Names are found whatever their letter case.

    Why: names are the same in any case, and resolvers mix it at random; who looks case up literally denies his own
        zone to them.
    Rule: the SOA is asked for in mixed case; where that is not answered properly, in the name's own case. Error if only
        the latter is.
    Source: RFC 1035 section 2.3.3; RFC 4343 section 3.
    Do: update the server.
    """
    probed = probe(view, "Q2", alive="Q3")
    findings, unclear, good = list[Finding](), list[Address](), list[Answer]()
    if view.zone.wire.lower() == view.zone.wire.upper():
        yield not_applicable("not-mixed", probed.shown)
        return
    mixed: Mapping[Address, Answer | None] = {a.address: a for a in probed.answers} | dict.fromkeys(probed.dropped)
    for address, answer in mixed.items():
        own = view.answer("Q2K", address)
        if answer is not None and _has_soa(answer):
            good.append(answer)
        elif own is None or not _has_soa(own):
            unclear.append(address)
        elif answer is None:
            findings.append(Finding("dropped", address, (*view.asked("Q2", address), own.exchange), {}))
        else:
            findings.append(finding("differs", address, answer, own, rcode=str(answer.message.rcode)))
    yield from told(view, findings, "same", shown_by(good))
    if unclear:
        servers = tuple(view.server_label(address) for address in unclear)
        yield unknown("unclear", [x for address in unclear for x in view.asked("Q2", address)], servers=servers)
    yield from unheard(view, probed.heard, "Q2")


def _has_soa(answer: Answer) -> bool:
    message = answer.message
    return message.rcode == NOERROR and (message.tc or any(record.rtype == SOA for record in message.answer))


@check(
    "hdr.question-echo",
    properties=(SEC,),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7"),
    version=2,
    codes={
        "echoed": "All servers of {zone} that were heard repeat ID, opcode and question of the query.",
        "wrong": "{server} sends answers with another {parts} than the query's ({asks}).",
        "no-response": "{server} sends messages that answer nothing ({asks}): {faults}.",
        "missing": "{server} answers without a question section ({asks}).",
        "missing-in-transfer": "{server} begins zone transfers without a question section ({asks}).",
        "no-answer": "No server of {zone} sent an answer.",
    },
)
def question_echo(view: ZoneView) -> Iterator[Outcome]:
    """Answers repeat the message ID, the opcode and the question of the query.

    Why: it is how an answer is told from a forged one; resolvers drop all others.
    Rule: error for a server from whose address messages come with another ID or opcode, or another name, type or class
        in the question than in the query; for messages with the QR bit clear, or too short for a header; and for an
        answer of NOERROR or NXDOMAIN without a question section. Errors about the message itself may come without one.
        Notice where only zone transfers come without: secondaries take them from old servers.
    Source: RFC 5452 section 9.1; RFC 1035 section 4.1; RFC 5936 section 2.2.1.
    Do: update the server; look for a middlebox that answers in its place.
    """
    findings = list[Finding]()
    for address, answers in () if _all_echo(view) else everything_heard(view).items():
        wrong = [x for ask in view.asks if ask[0] in "QZS" for x in view.asked(ask, address) if _is_mismatch(x)]
        bare = [answer for answer in answers if _lacks_question(answer)]
        no_response = {x: fault for x in wrong if (fault := _no_response(x.response or b""))}
        wrong = [x for x in wrong if x not in no_response] + [a.exchange for a in answers if _has_other_opcode(a)]
        if no_response:
            facts = {"faults": tuple(dict.fromkeys(no_response.values())), "asks": _asks(no_response)}
            findings.append(Finding("no-response", address, tuple(no_response), facts))
        if wrong:
            parts = tuple(dict.fromkeys(part for x in wrong for part in _different(x)))
            findings.append(Finding("wrong", address, tuple(wrong), {"parts": parts, "asks": _asks(wrong)}))
        transfers = [answer for answer in bare if answer.exchange.ask in _TRANSFERS]
        others = [answer for answer in bare if answer not in transfers]
        for code, of in (("missing", others), ("missing-in-transfer", transfers)):
            if of:
                findings.append(finding(code, address, *of, asks=tuple(a.exchange.ask for a in of)))
    yield from told_of_all(view, findings, "echoed")
    if not sent(view).answers and not findings:
        yield unknown("no-answer", [x for x in view.asked("Q1") if is_silent(x)])


def _all_echo(view: ZoneView) -> bool:
    """Whether it is plain that nothing is wrong: all that came was accepted, and has its question and opcode."""
    if MISMATCHED in map(_STATUS, view.exchanges) and any(map(_is_mismatch, view.exchanges)):
        return False
    return not any((not m.counts[0] or m.opcode) and m.rcode in (NOERROR, NXDOMAIN) for m in sent(view).messages)


def _is_mismatch(exchange: Exchange) -> bool:
    """A message that another ID or question kept from being the answer; not its case, cookie, source or time."""
    return exchange.status == MISMATCHED and exchange.os_error in _WRONG and exchange.response is not None


def _has_other_opcode(answer: Answer) -> bool:
    """An answer of NOERROR or NXDOMAIN whose opcode is not the query's; hdr.unknown-opcode judges that of an error."""
    message = answer.message
    return message.rcode in (NOERROR, NXDOMAIN) and message.opcode not in (0, answer.exchange.query[2] >> 3 & 15)


def _no_response(octets: bytes) -> str:
    """Why a message cannot be an answer to anything; empty if it can."""
    if len(octets) < _HEADER_OCTETS:
        return f"{len(octets)} octets, less than a header"
    return "" if octets[2] & 0x80 else "marked as queries (QR clear)"


def _asks(exchanges: Iterable[Exchange]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(x.ask for x in exchanges))


def _lacks_question(answer: Answer) -> bool:
    message = answer.message
    if message.counts[0] or message.rcode not in (NOERROR, NXDOMAIN):
        return False
    return bool(parsed(answer.exchange.query).questions)


def _different(exchange: Exchange) -> Iterator[str]:
    """What is not the query's in a message that was not accepted; where it came from, if all of that is."""
    query, response = Message(exchange.query), Message(exchange.response or b"")
    asked, got, before = query.question, response.question, 0
    for name, differs in (
        ("ID", query.id != response.id),
        ("opcode", query.opcode != response.opcode),
        ("name", bool(asked and got and asked.name != got.name)),
        ("type", bool(asked and got and asked.qtype != got.qtype)),
        ("class", bool(asked and got and asked.qclass != got.qclass)),
    ):
        before += differs
        if differs:
            yield name
    if not before:
        yield "source address or form"
