"""The message: a typed view of octets from anyone."""

from __future__ import annotations

from typing import Literal, NamedTuple

from gnomon import _core
from gnomon.base import Name, Rcode
from gnomon.base.codes import CLASS_IN
from gnomon.wire.edns import Edns
from gnomon.wire.records import TYPES, Question, Record, RRset, find_rrset

Section = Literal["answer", "authority", "additional"]
# A record is a tuple; made as one, it costs half.
_new = tuple.__new__
SECTIONS: tuple[Section, ...] = ("answer", "authority", "additional")


class Malformed(NamedTuple):
    """The first part of a message that cannot be read.

    `offset` counts octets from the start of the message to the label, pointer, fixed part or rdata at fault. The
    words of `reason` are listed in `_core.pyi`. `section`: 0 header and question, 1 answer, 2 authority, 3 additional.
    """

    offset: int
    reason: str
    section: int


class Message:
    """A DNS message as far as it can be read (RFC 1035 section 4.1); making one never raises.

    Immutable; equality and hash are those of the octets. Records and names are made on first use and kept.
    """

    __slots__ = ("_core", "_edns", "_opts", "_questions", "_rcode", "_rrsets", "_sections", "flags", "id", "wire")

    wire: bytes
    id: int
    flags: int

    def __init__(self, wire: bytes) -> None:
        """Read the octets; `flags` are the 16 bits after the ID as they came."""
        self.wire = wire
        self._core = core = _core.Message(wire)
        self.id = core.id
        self.flags = core.flags
        self._sections: list[tuple[Record, ...] | None] = [None, None, None]
        self._questions: tuple[Question, ...] | None = None
        self._opts: list[tuple[int, int, bytes, bytes]] | None = None
        self._edns: Edns | None = None
        self._rcode: Rcode | None = None
        self._rrsets: dict[tuple[str, Name, int], RRset | None] = {}

    @property
    def qr(self) -> bool:
        """It is a response."""
        return bool(self.flags & 0x8000)

    @property
    def opcode(self) -> int:
        return self.flags >> 11 & 15

    @property
    def aa(self) -> bool:
        """Authoritative answer."""
        return bool(self.flags & 0x0400)

    @property
    def tc(self) -> bool:
        """Truncated."""
        return bool(self.flags & 0x0200)

    @property
    def rd(self) -> bool:
        """Recursion desired."""
        return bool(self.flags & 0x0100)

    @property
    def ra(self) -> bool:
        """Recursion available."""
        return bool(self.flags & 0x0080)

    @property
    def z(self) -> bool:
        """The last reserved bit, which must be zero (RFC 1035 section 4.1.1, RFC 4035 section 3)."""
        return bool(self.flags & 0x0040)

    @property
    def ad(self) -> bool:
        """Authentic data (RFC 4035 section 3.2.3)."""
        return bool(self.flags & 0x0020)

    @property
    def cd(self) -> bool:
        """Checking disabled (RFC 4035 section 3.2.2)."""
        return bool(self.flags & 0x0010)

    @property
    def rcode(self) -> Rcode:
        """The response code with the upper 8 bits of the first OPT record (RFC 6891 section 6.1.3)."""
        if self._rcode is None:
            opts = self.opt_records()
            upper = opts[0][1] >> 24 if opts else 0
            self._rcode = Rcode(upper << 4 | self.flags & 15)
        return self._rcode

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT as the header claims them."""
        return self._core.counts

    @property
    def questions(self) -> tuple[Question, ...]:
        if self._questions is None:
            self._questions = tuple(
                [_new(Question, (Name(name), TYPES[qtype], qclass)) for name, qtype, qclass in self._core.questions]
            )
        return self._questions

    @property
    def question(self) -> Question | None:
        """The first question."""
        questions = self.questions
        return questions[0] if questions else None

    @property
    def answer(self) -> tuple[Record, ...]:
        return self._sections[0] or self._records(0)

    @property
    def authority(self) -> tuple[Record, ...]:
        return self._sections[1] or self._records(1)

    @property
    def additional(self) -> tuple[Record, ...]:
        """The additional section without OPT records."""
        return self._sections[2] or self._records(2)

    @property
    def edns(self) -> Edns | None:
        """The first OPT record, in whatever section it stood."""
        if self._edns is None and (opts := self.opt_records()):
            self._edns = Edns.from_opt(*opts[0][:3])
        return self._edns

    @property
    def opt_count(self) -> int:
        """The OPT records in all sections; more than one is an error (RFC 6891 section 6.1.1)."""
        return len(self.opt_records())

    @property
    def opt_owners(self) -> tuple[Name, ...]:
        """The owners of the OPT records, which must be the root (RFC 6891 section 6.1.2)."""
        return tuple(Name(owner) for _, _, _, owner in self.opt_records())

    @property
    def malformed(self) -> Malformed | None:
        found = self._core.malformed
        return Malformed(*found) if found else None

    @property
    def trailing_octets(self) -> int:
        """Octets after the last record that the header counts; 0 if the message is malformed before."""
        return self._core.trailing_octets

    @property
    def compressed_types(self) -> tuple[int, ...]:
        """The types of the records whose data hold a compressed name, each once.

        Only of those types whose names are read without compression: RFC 3597 section 4, RRSIG, NSEC, DNAME, SRV.
        """
        return self._core.compressed_types

    def records(self, section: Section) -> tuple[Record, ...]:
        """The records of that section."""
        return self._records(SECTIONS.index(section))

    def rrset(self, section: Section, owner: Name, rtype: int) -> RRset | None:
        """The RRset of that owner and type in the section, with the RRSIGs covering it; None without a record.

        Only records in the class of the question count (IN if there is no question).
        """
        key = (section, owner, int(rtype))
        if key not in self._rrsets:
            question = self.question
            rclass = question.qclass if question else CLASS_IN
            self._rrsets[key] = find_rrset(self.records(section), owner, rtype, rclass)
        return self._rrsets[key]

    def _records(self, index: int) -> tuple[Record, ...]:
        records = self._sections[index]
        if records is None:
            records = self._sections[index] = tuple(
                [
                    _new(Record, (Name(owner), TYPES[rtype], rclass, ttl_s, rdata))
                    for owner, rtype, rclass, ttl_s, rdata in self._core.section(index + 1)
                ]
            )
        return records

    def opt_records(self) -> list[tuple[int, int, bytes, bytes]]:
        """Class (UDP size in octets), TTL field, rdata and owner of each OPT record, as they came."""
        if self._opts is None:
            self._opts = self._core.opts
        return self._opts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.wire == other.wire

    def __hash__(self) -> int:
        return hash(self.wire)

    def __repr__(self) -> str:
        counts = "/".join(str(count) for count in self.counts)
        return f"<Message {self.rcode} {counts} {len(self.wire)} octets{' malformed' if self.malformed else ''}>"
