"""Header, question and form of messages: unknown opcodes and types, letter case, octets that can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from gnomon.base import Name
from gnomon.base.codes import NOERROR, NOTIMP
from gnomon.checks.observed import Answer, parsed, unreadable, unreadable_in
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.registry import IOP, REL, SEC, check
from gnomon.checks.replies import UNHEARD, UNHEARD_EDNS, everything_heard, hear, is_dropped, probe, unheard
from gnomon.checks.sent import Sent, sent
from gnomon.checks.view import ZoneView
from gnomon.wire import Message

_OPCODE = 15
_SECTIONS = ("header or question", "answer", "authority", "additional")


@check(
    "hdr.unknown-opcode",
    properties=(IOP,),
    asked=("S7",),
    codes={
        "notimp": "All servers of {zone} that were heard answer NOTIMP to an opcode that they do not know.",
        "dropped": "{server} does not answer a message with an unknown opcode.",
        "wrong-rcode": "{server} answers {rcode} to a message with an unknown opcode; NOTIMP is due.",
        "opcode-changed": "{server} answers a message of opcode 15 with opcode {opcode}.",
        **UNHEARD,
    },
)
def unknown_opcode(view: ZoneView) -> Iterator[Outcome]:
    """Servers answer NOTIMP to an opcode that they do not know.

    Why: whoever drops what he does not know makes every new use of the protocol wait for timeouts.
    Rule: to a message of opcode 15 error if it is dropped; warning unless the answer is NOTIMP with the same opcode.
    Source: RFC 8906 section 8.1.4; RFC 1035 section 4.1.1.
    Do: update the server, or the firewall in front of it.
    """
    probed, clean = probe(view, "S7", alive="Q1"), True
    for answer in probed.answers:
        message = answer.message
        if message.rcode != NOTIMP or message.opcode != _OPCODE:
            clean, server = False, view.server_label(answer.address)
            code = "wrong-rcode" if message.rcode != NOTIMP else "opcode-changed"
            facts = {"subject": server, "server": server, "rcode": str(message.rcode)}
            yield outcome(code, answer.exchange, opcode=message.opcode, **facts)
    for address in probed.dropped:
        server = view.server_label(address)
        yield outcome("dropped", view.asked("S7", address), subject=server, server=server)
    if probed.answers and clean and not probed.dropped:
        yield outcome("notimp", probed.shown)
    yield from unheard(view, probed.heard, "S7")


@check(
    "hdr.unknown-type",
    properties=(IOP, REL),
    asked=("Q6",),
    version=2,
    codes={
        "nodata": "All servers of {zone} that were heard answer questions for an unknown type as for any other.",
        "dropped": "{server} does not answer a question for an unknown type; others it does.",
        "error": "{server} answers {rcode} to a question for an unknown type.",
        "answered": "{server} answers a question for an unknown type with records.",
        **UNHEARD_EDNS,
    },
)
def unknown_type(view: ZoneView) -> Iterator[Outcome]:
    """Servers answer a question for a type that they do not know like any other.

    Why: new types such as HTTPS reach every server; those who drop or refuse them delay or break the clients.
    Rule: to a private-use type at the apex error if it is dropped while other questions are answered, and for any
        rcode but NOERROR; warning for records in the answer section.
    Source: RFC 3597 section 3; RFC 8906 section 8.1.2; RFC 4074 section 4.
    Do: update the server, or the firewall or load balancer in front of it.
    """
    heard, clean = hear(view, "Q6", edns=True), True
    for answer in heard.answers:
        message = answer.message
        if message.rcode != NOERROR or message.answer:
            clean, server = False, view.server_label(answer.address)
            code = "answered" if message.rcode == NOERROR else "error"
            yield outcome(code, answer.exchange, subject=server, server=server, rcode=str(message.rcode))
    silent = heard.missing.get("no-answer", ())
    dropped = [a for a in silent if view.answer("Q6", a) is None and view.answer("Q3", a) and is_dropped(view, "Q6", a)]
    for address in dropped:
        server = view.server_label(address)
        yield outcome("dropped", view.asked("Q6", address), subject=server, server=server)
    if heard.answers and clean and not dropped:
        yield outcome("nodata", heard.shown)
    yield from unheard(view, heard.but(dropped), "Q6")


@check(
    "hdr.case-preserved",
    properties=(SEC, IOP),
    asked=("Q2",),
    codes={
        "preserved": "All servers of {zone} that were heard repeat the name in the case of the query.",
        "lost": "{server} repeats the name as {name}; the query had {asked}.",
        "no-question": "{server} repeats no question.",
        "not-mixed": "The name of {zone} was not sent in mixed case, so this could not be seen.",
        **UNHEARD_EDNS,
    },
)
def case_preserved(view: ZoneView) -> Iterator[Outcome]:
    """Servers repeat the query's name in its letter case.

    Why: resolvers mix the case at random and compare it, which makes forged answers harder.
    Rule: warning if the name in the question section of the answer differs in case from the query's, or is missing.
    Source: draft-vixie-dnsext-dns0x20; RFC 4343 section 4.1; RFC 5452 section 9.1.
    Do: update the server, or the load balancer in front of it.
    """
    heard, clean = hear(view, "Q2"), True
    names = [(answer, _asked_name(answer)) for answer in heard.answers]
    mixed = {answer: name for answer, name in names if name.lower() != name != name.upper()}
    for answer, as_sent in mixed.items():
        question = answer.message.question
        if question is None or question.name.wire != as_sent:
            clean, server = False, view.server_label(answer.address)
            name, asked = str(question.name) if question else None, str(Name(as_sent))
            code = "lost" if question else "no-question"
            yield outcome(code, answer.exchange, subject=server, server=server, name=name, asked=asked)
    if mixed and clean:
        yield outcome("preserved", shown_by(mixed))
    elif heard.answers and not mixed:
        yield not_applicable("not-mixed", heard.shown)
    yield from unheard(view, heard, "Q2")


def _asked_name(answer: Answer) -> bytes:
    """The name as it was sent; empty if the query has none."""
    question = parsed(answer.exchange.query).question
    return question.name.wire if question else b""


@check(
    "hdr.wellformed",
    properties=(IOP, SEC),
    asked=("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "S4", "S6", "S7", "S8", "S10", "S16", "S17", "S18", "S22"),
    version=2,
    codes={
        "good": "{count:The only message|All # messages} from the servers of {zone} can be read to the end.",
        "malformed": "{server} sends messages that cannot be read ({asks}): {reason} at octet {offset} in the {part}.",
        "trailing-octets": "{server} sends messages with {octets} {octets:octet|octets} after the last record "
        "({asks}).",
        "several-opt": "{server} sends messages with more than one OPT record ({asks}).",
        "bad-record": "{server} sends records whose data are not of their type: {records} ({asks}).",
        "no-answer": "No server of {zone} sent a message.",
    },
)
def wellformed(view: ZoneView) -> Iterator[Outcome]:
    """Every message can be read to its last octet.

    Why: what cannot be read is lost for everybody, and odd octets are how parsers are attacked.
    Rule: error for each server that sends a message which breaks off, counts more records than it has, has names that
        loop or octets after the last record, or records of a known type with data that cannot be of that type, or more
        than one OPT record. One outcome for each server and kind, with the first message as example; all are kept as
        evidence.
    Source: RFC 1035 section 4; RFC 6891 section 6.1.1; RFC 9267.
    Do: update the server, or look for a middlebox that rewrites its answers.
    """
    everything, clean = sent(view), True
    for address, answers in () if _are_wellformed(everything) else everything_heard(view).items():
        server = view.server_label(address)
        broken = [a for a in answers if a.message.malformed is not None]
        trailing = [a for a in answers if a.message.trailing_octets]
        odd = [a for a in answers if unreadable_in(a.message)]
        options = [a for a in answers if _has_several_opt(a.message)]
        clean = clean and not (broken or trailing or odd or options)
        if broken and (fault := broken[0].message.malformed) is not None:
            facts = {"reason": fault.reason, "part": _SECTIONS[fault.section]}
            asks, offset = _asks(broken), fault.offset
            yield outcome(
                "malformed", shown_by(broken), subject=server, server=server, asks=asks, offset=offset, **facts
            )
        if trailing:
            octets, asks = trailing[0].message.trailing_octets, _asks(trailing)
            yield outcome(
                "trailing-octets", shown_by(trailing), subject=server, server=server, octets=octets, asks=asks
            )
        if options:
            yield outcome("several-opt", shown_by(options), subject=server, server=server, asks=_asks(options))
        if odd:
            records = tuple(dict.fromkeys(f"{r.rtype} {r.owner}" for a in odd for r in unreadable_in(a.message)))
            yield outcome("bad-record", shown_by(odd), subject=server, server=server, records=records, asks=_asks(odd))
    if not everything.answers:
        yield unknown("no-answer", view.asked("Q1"))
    elif clean:
        yield outcome("good", everything.exchanges, count=len(everything.exchanges))


def _are_wellformed(everything: Sent) -> bool:
    if any(m.malformed is not None or m.trailing_octets or _has_several_opt(m) for m in everything.messages):
        return False
    return not unreadable(chain(*everything.sections))


def _has_several_opt(message: Message) -> bool:
    return message.opt_count > 1 and message.malformed is None


def _asks(answers: Sequence[Answer]) -> tuple[str, ...]:
    return tuple(answer.exchange.ask for answer in answers)
