"""One question of the plan: the message, when and how often it is asked, and what it costs at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from gnomon.base import ROOT, Name, RRType, Transport
from gnomon.base.codes import CLASS_CH, CLASS_IN, OPTION_COOKIE, SOA, TXT
from gnomon.wire import Edns, Message, compose

UDP_SIZE_OCTETS = 1232  # fits every path without fragments (RFC 9715 section 3)
UNKNOWN_OPTION = (65001, b"gnom")  # first of the options for local use (RFC 6891 section 9)

_NAME_AT = 12  # after the header (RFC 1035 section 4.1)

Unit = Literal[
    "address", "parent", "inside", "outside", "host server", "record server", "pair", "parent server", "above", "chain",
    "host inside", "text inside", "host elsewhere", "text elsewhere", "between", "special name", "cookie address",
]  # fmt: skip
"""What a question is asked once for: a server address of the zone, a server of its parent, an NS name inside the zone
or outside it, one of the servers that the plan's host_servers, record_servers or parent_servers allow, one of two
servers, a label or a zone above the zone, a host or a policy that the zone's records name, inside the zone or
elsewhere, a name between the zone and one of its names, a special-use name, an address that gave a cookie. Several
multiply; none is once."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One question of the plan; each is one object.

    `asks` is the message and `when` its condition, in words; `feeds` are families of checks. It is asked once for each
    of `per`; `only_after` is True if it is asked only after something went wrong or out of the ordinary, so that a
    healthy zone costs none of it. `parts` are the codes of the questions that are asked where its answer is not
    `proper`: each has one of its features, or lacks one, so that a fault can be put down to one of them.

    `flags` are further header bits and `questions` the number of times that the question section has the question.
    `cookie` adds a client cookie (RFC 7873) of its own for each server address, alone or with a server cookie: the
    one that the address gave, a wrong one, or too few octets. `extra` adds a TSIG record of a key that nobody has
    (RFC 8945), or the SOA record that an IXFR query has (RFC 1995).

    `attempts` counts sendings over the question's transport; with `follow_truncation` a truncated answer over UDP is
    asked for once more over TCP. `most_sent` is the most messages it can cost: over UDP one more over TCP, after
    truncation or a wrong answer. `port` is where it is sent (RFC 1035 section 4.2; RFC 7858 section 3.1).
    """

    code: str
    subject: Literal["zone", "server", "name", "cut"]
    asks: str
    qtype: RRType
    when: str
    feeds: tuple[str, ...]
    transport: Transport = Transport.UDP
    edns: Edns | None = None
    cookie: Literal["", "client", "server", "wrong", "short"] = ""
    mix_case: bool = False
    qclass: int = CLASS_IN
    opcode: int = 0
    rd: bool = False
    flags: int = 0
    questions: int = 1
    extra: Literal["", "tsig", "soa"] = ""
    attempts: int = 2
    timeout_ms: int = 2000
    follow_truncation: bool = True
    per: tuple[Unit, ...] = ("address",)
    only_after: bool = False
    parts: tuple[str, ...] = ()
    proper: Callable[[Message], bool] | None = None
    most_sent: int = field(init=False)
    port: int = field(init=False)
    _around: tuple[bytes, bytes] | None = field(init=False)  # its octets, where nothing but the name differs

    def __post_init__(self) -> None:
        object.__setattr__(self, "most_sent", self.attempts + (self.transport is Transport.UDP))
        object.__setattr__(self, "port", 853 if self.transport is Transport.DOT else 53)
        is_fixed = not self.cookie and not self.extra and self.questions == 1
        of_root = _compose(self, ROOT, b"")
        object.__setattr__(self, "_around", (of_root[:_NAME_AT], of_root[_NAME_AT + 1 :]) if is_fixed else None)

    def compose(self, qname: Name, cookie: bytes = b"") -> bytes:
        """The query message for `qname`; `cookie` is the client cookie, followed by the server's if that is known."""
        if self._around is None:
            return _compose(self, qname, cookie)
        before, after = self._around
        return before + qname.wire + after

    @property
    def longest_ms(self) -> int:
        """The longest that an answer to it can be waited for, once it is its turn."""
        return self.most_sent * self.timeout_ms


def _compose(question: Question, qname: Name, cookie: bytes) -> bytes:
    edns = question.edns
    if question.cookie and edns is not None:
        option = (OPTION_COOKIE, _cookie(question, cookie))
        edns = Edns(edns.udp_size_octets, edns.version, edns.flags, (*edns.options, option))
    flags = (question.opcode & 15) << 11 | (0x0100 if question.rd else 0) | question.flags
    wire = compose.query(qname, question.qtype, qclass=question.qclass, flags=flags, edns=edns)
    if question.questions != 1:
        wire = compose.with_questions(wire, question.questions)
    if question.extra == "tsig":
        return compose.with_unknown_tsig(wire)
    return compose.with_authority_soa(wire, qname) if question.extra == "soa" else wire


def _cookie(question: Question, known: bytes) -> bytes:
    if question.cookie == "wrong":
        return known[:8] + bytes(octet ^ 0xFF for octet in known[8:] or bytes(16))
    return known[:8] if question.cookie == "client" else known[:4] if question.cookie == "short" else known


def is_proper(message: Message) -> bool:
    """An authoritative SOA answer, or one that was cut off, without the reserved header bit."""
    has_soa = message.tc or any(record.rtype == SOA for record in message.answer)
    return message.rcode == 0 and message.aa and has_soa and not message.z and message.malformed is None


def is_proper_with_edns(message: Message) -> bool:
    """The same, with an OPT of version 0 that gives nothing back that a server does not know."""
    return is_proper(message) and _is_clean(message.edns)


def is_proper_badvers(message: Message) -> bool:
    """BADVERS, no records, and an OPT of version 0 that gives nothing back that a server does not know."""
    return message.rcode == 16 and not message.answer and _is_clean(message.edns)


def is_refusal(message: Message) -> bool:
    """REFUSED without an offer to recurse."""
    return message.rcode == 5 and not message.ra


def is_format_error(message: Message) -> bool:
    """FORMERR."""
    return message.rcode == 1


def tells_a_text(message: Message) -> bool:
    """An answer with a TXT record of class CH that is not empty."""
    texts = [record.rdata for record in message.answer if record.rtype == TXT and record.rclass == CLASS_CH]
    return message.rcode == 0 and any(text.strip(b"\0 ") for text in texts)


def _is_clean(edns: Edns | None) -> bool:
    return edns is not None and edns.version == 0 and not edns.flags & 0x7FFF and edns.option(UNKNOWN_OPTION[0]) is None
