"""Crafted evidence for the checks of messages, answers and names: what no server of the lab says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rrset

from crafted import Change, both, on, raw, rcode, record, remade, silence
from gnomon.base import ROOT, Name
from gnomon.checks.view import ZoneView
from gnomon.engine import Mismatch, Status
from gnomon.evidence import Exchange

Message = dns.message.Message
_QUESTION_END = 12 + len(Name.from_text("example.test.").wire) + 4
_OPT = b"\0\0\x29\x04\xd0" + bytes(6)
_SOA = "example.test. 3600 IN SOA {} hostmaster.example.test. {} 14400 3600 1209600 3600"


def options(*pairs: tuple[int, bytes]) -> Callable[[Message], object]:
    """The message with these EDNS options instead of its own."""
    return lambda m: m.use_edns(0, m.ednsflags, 1232, options=[dns.edns.GenericOption(*pair) for pair in pairs])


def version(number: int) -> Callable[[Message], object]:
    """The message with another EDNS version, -1 for no OPT."""
    return lambda m: m.use_edns(edns=number, ednsflags=m.ednsflags, payload=1232, options=m.options)


def answer(*texts: str) -> Callable[[Message], object]:
    """The message with these records as its answer."""

    def edit(m: Message) -> None:
        m.answer[:] = [record(text) for text in texts]

    return edit


def with_aa(code: str, *texts: str) -> Callable[[Message], object]:
    """The message as an authoritative one of that rcode with these records."""

    def edit(m: Message) -> None:
        m.flags |= dns.flags.AA
        m.set_rcode(dns.rcode.from_text(code))
        m.authority.clear()
        answer(*texts)(m)

    return edit


def unasked(m: Message) -> None:
    """The message as an answer of NOERROR without a question section."""
    m.set_rcode(dns.rcode.NOERROR)
    m.question.clear()


def inserted(octets: bytes, answer_rr: bytes) -> bytes:
    """A message about example.test. with one answer record more, the first."""
    count = int.from_bytes(octets[6:8], "big") + 1
    return octets[:6] + count.to_bytes(2, "big") + octets[8:_QUESTION_END] + answer_rr + octets[_QUESTION_END:]


def delegated(m: Message) -> None:
    m.flags &= ~dns.flags.AA
    m.set_rcode(0)
    m.authority[:] = [dns.rrset.from_text(m.question[0].name, 60, "IN", "NS", "ns1.other.test.")]


def dname(target: str, ttl_s: int) -> Callable[[Message], object]:
    """The message as made with a DNAME at the apex to other.test. and this CNAME."""

    def edit(m: Message) -> None:
        name = m.question[0].name
        alias = target.replace("*", str(name.labels[0].decode()))
        with_aa("NOERROR", "example.test. 3600 IN DNAME other.test.")(m)
        m.answer.append(dns.rrset.from_text(name, ttl_s, "IN", "CNAME", alias))

    return edit


def many_texts(m: Message) -> None:
    m.answer[:] = [dns.rrset.from_text("example.test.", 60, "IN", "TXT", *(f"t{n}" for n in range(300)))]


def many_types(m: Message) -> None:
    """All NSEC records with 104 types."""
    for at, rrset in enumerate(m.authority):
        if rrset.rdtype == 47:
            octets = rrset[0].next.to_wire() + b"\0\x0d" + b"\xff" * 13
            nsec = dns.rdata.from_wire(1, 47, octets, 0, len(octets))
            m.authority[at] = dns.rrset.from_rdata(rrset.name, rrset.ttl, nsec)


def renamed(zone: Name) -> Change:
    """Nothing but the name of a zone."""
    return lambda view: ZoneView(zone, ())


def also(ask: str, exchanges: Callable[[ZoneView], list[Exchange]]) -> Change:
    """The view with some exchanges once more, as if another question had been asked."""
    return lambda view: remade(view, [*view.exchanges, *(replace(x, ask=ask) for x in exchanges(view))])


def of_root(ask: str) -> Change:
    """The root, asked for special-use names, with the answers to another question."""
    return lambda view: ZoneView(ROOT, [replace(x, ask="Z6") for x in view.asked(ask)])


def two_addresses(view: ZoneView) -> list[Exchange]:
    """The address of one name server from one server, and that of another from another."""
    asked = [x for x in view.asked("Q9") if x.query[-15:-11] == b"\0\1\0\1"]
    first = asked[0]
    return [first, next(x for x in asked if x.address != first.address and x.query[13:16] != first.query[13:16])]


def cut(m: Message) -> None:
    """The message truncated to nothing."""
    m.flags |= dns.flags.TC
    m.answer.clear()


def mismatched(ask: str, edit: Callable[[bytes], bytes]) -> Change:
    """The responses to a question as messages that the engine did not take for answers, for their ID."""

    def change(x: Exchange) -> Exchange:
        if x.ask != ask or x.response is None:
            return x
        return replace(x, response=edit(x.response), status=Status.MISMATCHED, os_error=int(Mismatch.ID))

    return lambda view: remade(view, map(change, view.exchanges))


def two_opts(octets: bytes) -> bytes:
    """A message with one OPT record more."""
    return octets[:10] + (int.from_bytes(octets[10:12], "big") + 1).to_bytes(2, "big") + octets[12:] + _OPT


MESSAGE_CASES: dict[str, Change] = {
    "edns.ede/malformed": on("Q3", options((15, b"\0"))),
    "edns.error-reporting/unreadable": on("Q3", options((18, b"\5ab"))),
    "edns.expire/bad-length": on("S6", options((9, b"\0\1"))),
    "edns.keepalive/bad-length": on("Q7", options((11, b"\0"))),
    "edns.nsid/absent": on("Q2", options()),
    "edns.option-list/dropped": raw("S6", silence),
    "edns.option-list/together": on("S6", rcode("FORMERR")),
    "edns.support/with-options": on("Q2", rcode("SERVFAIL")),
    "edns.truncated-opt/dropped": raw("S5", silence),
    "edns.truncated-opt/wrong-rcode": on("S5", rcode("SERVFAIL")),
    "edns.truncation-rule/nothing-to-compare": raw("S5", silence, ""),
    "edns.version-plus/no-opt": on("S4", version(-1)),
    "edns.version-plus/not-empty": on("S4", answer("example.test. 60 IN A 192.0.2.1")),
    "edns.version-plus/wrong-version": on("S4", version(1)),
    "hdr.aaaa/a-fails": on("Q5", rcode("SERVFAIL")),
    "hdr.aaaa/bad-rdata": raw("S25", lambda o: inserted(o, b"\xc0\x0c\0\x1c\0\1\0\0\0\0\0\4abcd")),
    "hdr.any/dropped": raw("S19", silence),
    "hdr.any/empty": on("S19", answer()),
    "hdr.any/hinfo": on("S19", answer('example.test. 60 IN HINFO "RFC8482" ""')),
    "hdr.any/refused": on("S19", rcode("REFUSED")),
    "hdr.any/truncated": on("S19", lambda m: setattr(m, "flags", m.flags | dns.flags.TC)),
    "hdr.case-insensitive/dropped": both(also("Q2K", lambda view: list(view.asked("Q1"))), raw("Q2", silence)),
    "hdr.case-insensitive/not-mixed": renamed(Name.from_text("123.")),
    "hdr.case-insensitive/unclear": raw("Q2", silence),
    "hdr.flags/all-dropped": raw("S8", silence),
    "hdr.flags/together": on("S8", rcode("FORMERR")),
    "hdr.qdcount/none-answered": also("S15", lambda view: list(view.asked("Q1"))),
    "hdr.qdcount/two-dropped": raw("S16", silence),
    "hdr.qdcount/two-other-rcode": on("S16", rcode("REFUSED")),
    "hdr.question-echo/missing": on("Q1", lambda m: m.question.clear()),
    "hdr.question-echo/missing-in-transfer": on("S20", unasked),
    "hdr.question-echo/no-response": mismatched("Q3", lambda o: o[:2] + bytes([o[2] & 0x7F]) + o[3:]),
    "hdr.question-echo/wrong": on("Q1", lambda m: m.set_opcode(dns.opcode.NOTIFY)),
    "hdr.rd-in-zone/dropped": both(
        also("S9", lambda view: list(view.asked("S8"))), raw("S8", silence), raw("S9", silence)
    ),
    "hdr.tsig-unknown-key/dropped": raw("S22", silence),
    "hdr.tsig-unknown-key/no-error": raw("S22", lambda o: o[:-4] + bytes(4)),
    "hdr.tsig-unknown-key/wrong-rcode": raw("S22", lambda o: o[:3] + b"\5" + o[4:]),
    "hdr.wellformed/several-opt": raw("Q2", two_opts),
    "hdr.type-sweep/error": on("Q8N", rcode("NOTIMP")),
    "net.tc-fallback/cut-over-tcp": on("Q7", cut),
    "resp.determinism/changes": on("Q2", answer(_SOA.format("other.test.", 2026010100))),
    "resp.determinism/moved": on("Q1", answer(_SOA.format("ns1.example.test.", 2026010099))),
    "resp.nxdomain-honest/delegated": on("Q5", delegated),
    "resp.nxdomain-honest/error": on("Q5", rcode("SERVFAIL")),
    "resp.out-of-zone/answered": on("S10", with_aa("NOERROR", "example.test. 60 IN A 192.0.2.1")),
    "resp.out-of-zone/empty": on("S10", with_aa("NOERROR")),
    "resp.special-use/answered": of_root("Q9"),
    "resp.special-use/denied": of_root("Q5"),
    "resp.steering-declared/differs": also("Z1A", two_addresses),
    "syn.cname-alone/at-apex": on("Q3", lambda m: m.answer.append(record("example.test. 60 IN CNAME other.test."))),
    "syn.dname/ttl-differs": on("Q5", dname("*.other.test.", 60)),
    "syn.dname/ttl-zero": on("Q5", dname("*.other.test.", 0)),
    "syn.dname/wrong-target": on("Q5", dname("www.other.test.", 3600)),
    "syn.rdata-canonical/pointer": raw("Q1", lambda o: inserted(o, b"\xc0\x1e\0\1\0\1\0\0\0\0\0\4abcd")),
    "syn.rrset-size/refused": on("Z1T", many_texts, ""),
    "syn.types-per-name/too-many": on("Q6", many_types),
    "syn.zone-length/label-length": renamed(Name(b"\x40" + b"a" * 64 + b"\0")),
    "syn.zone-length/too-long": renamed(Name((b"\x3f" + b"a" * 63) * 4 + b"\0")),
}
