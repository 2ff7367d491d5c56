"""Headers, opcodes, types, names and octets that are wrong, and answers to what should be refused."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gnomon.base import codes
from gnomon.lab.faults.fault import SILENCE, Fault, Reply, ZoneFault, named, refer_to_root
from gnomon.lab.records import Response, RRset
from gnomon.lab.request import Request, read_request

if TYPE_CHECKING:
    from gnomon.lab.world import World

_TXT_IN, _TXT_CH = b"\0\x10\0\1", b"\0\x10\0\3"  # type and class; the lab writes all records in class IN
_INVALID = b"\x07invalid\0"
_ORDINARY_TYPES = frozenset({*range(1, 66), 99, 251, 252, 255, 256, 257})


@named("cut-rdata")
class CutRdata(ZoneFault):
    """Serves the records of type `value` with the first 3 octets of their data only (62, so CSYNC, unless given)."""

    default_value = int(codes.CSYNC)

    def reshape(self, request: Request, response: Response, world: World) -> None:
        def cut(rrset: RRset) -> RRset:
            if rrset.rtype != self.quantity:
                return rrset
            return RRset(rrset.owner, rrset.rtype, rrset.ttl_s, tuple(rdata[:3] for rdata in rrset.rdatas))

        response.answer = list(map(cut, response.answer))


@named("opcode-dropped")
class OpcodeDropped(Fault):
    """Answers nothing to opcodes other than QUERY."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.opcode else request


@named("opcode-answered")
class OpcodeAnswered(Fault):
    """Answers every opcode as if it were QUERY."""

    def hear(self, request: Request) -> Request | Reply:
        return request._replace(opcode=0)


@named("type-dropped")
class TypeDropped(Fault):
    """Answers nothing to questions for a type that it does not know."""

    def hear(self, request: Request) -> Request | Reply:
        return request if request.qtype in _ORDINARY_TYPES else SILENCE


@named("type-servfail")
class TypeServfail(Fault):
    """Answers SERVFAIL to questions for a type that it does not know."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype not in _ORDINARY_TYPES:
            response.empty(codes.SERVFAIL)


@named("type-notimp")
class TypeNotimp(Fault):
    """Answers NOTIMP to questions for a type that it does not know."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype not in _ORDINARY_TYPES:
            response.empty(codes.NOTIMP)


@named("case-lost")
class CaseLost(Fault):
    """Writes the queried name in lower case in the response."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        end = 12 + len(request.name)
        return [octets[:12] + octets[12:end].lower() + octets[end:]] if _has_question(octets) else [octets]


@named("case-sensitive")
class CaseSensitive(Fault):
    """Refuses questions with a capital letter in the name."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.asked[: len(request.name)] != request.name:
            response.empty(codes.REFUSED)


@named("ra-set")
class RaSet(Fault):
    """Sets the RA bit, though it does not recurse."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        response.ra = True


@named("wrong-id")
class WrongId(Fault):
    """Answers with another message ID."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        return [bytes([octets[0] ^ 0x55, octets[1] ^ 0xAA]) + octets[2:]]


@named("wrong-question")
class WrongQuestion(Fault):
    """Repeats another name than the one that was asked."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        if not _has_question(octets) or not octets[12]:
            return [octets]
        return [octets[:13] + (b"y" if octets[13:14] in b"xX" else b"x") + octets[14:]]


@named("garbage")
class Garbage(Fault):
    """Answers with the message ID and then random octets."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        return [octets[:2] + hashlib.shake_128(request.octets[2:]).digest(60)]


@named("malformed")
class Malformed(Fault):
    """Answers with a record whose length reaches past the end of the message."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        if not _has_question(octets):
            return [octets]
        head = octets[:6] + b"\0\1\0\0\0\0" + octets[12 : 12 + len(request.asked)]
        return [head + b"\xc0\x0c" + request.qtype.to_bytes(2, "big") + b"\0\1\0\0\x0e\x10\xff\xff" + b"\0" * 4]


@named("recursive")
class Recursive(Fault):
    """Is an open resolver: sets RA and answers any question it is asked with RD."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        response.ra = True
        if request.flags & 0x0100 and response.rcode == codes.REFUSED and request.qclass == codes.CLASS_IN:
            zone = world.zone_for(request.name, request.qtype)
            found = zone.answer(request.name, request.qtype, do=request.do)
            response.rcode, response.encloser = found.rcode, found.encloser
            response.answer, response.authority = found.answer, found.authority


@named("version-shown")
class VersionShown(Fault):
    """Shows its software and version to CH TXT version.bind."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if (request.qclass, request.qtype, request.name) == (codes.CLASS_CH, codes.TXT, b"\x07version\x04bind\0"):
            response.empty(codes.NOERROR)
            response.aa = True
            response.answer = [RRset(request.name, codes.TXT, 0, (b"\x10lab server 9.8.7",))]

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        return [octets.replace(_TXT_IN, _TXT_CH, 1)] if request.qclass == codes.CLASS_CH else [octets]


@named("version-class-in")
class VersionClassIn(VersionShown):
    """Shows its software and version to CH TXT version.bind, in a record of class IN."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        return [octets]


@named("axfr-open")
class AxfrOpen(ZoneFault):
    """Transfers the zone to anyone."""


@named("upward-referral")
class UpwardReferral(Fault):
    """Answers questions outside its zones with a referral to the root."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if response.rcode == codes.REFUSED and request.qclass == codes.CLASS_IN and request.qtype != codes.AXFR:
            refer_to_root(response, world)


def _has_question(octets: bytes) -> bool:
    return octets[4:6] == b"\0\1"


@named("ad-dropped")
class AdDropped(Fault):
    """Answers nothing to queries with the AD bit."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.flags & 0x0020 else request


@named("tc-dropped")
class TcDropped(Fault):
    """Answers nothing to queries with the TC bit."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.flags & 0x0200 else request


@named("tc-refused")
class TcRefused(Fault):
    """Answers FORMERR to queries with the TC bit."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.flags & 0x0200:
            response.empty(codes.FORMERR)


@named("ra-copied")
class RaCopied(Fault):
    """Gives the RA bit of the query back."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        response.ra = response.ra or bool(request.flags & 0x0080)


@named("rd-refused")
class RdRefused(Fault):
    """Refuses queries with the RD bit."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.flags & 0x0100:
            response.empty(codes.REFUSED)


@named("rd-lost")
class RdLost(Fault):
    """Leaves the RD bit of the query out of the response."""

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        return [octets[:2] + bytes([octets[2] & ~0x01]) + octets[3:]]


@named("aaaa-dropped")
class AaaaDropped(Fault):
    """Answers nothing to questions for AAAA."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.qtype == codes.AAAA else request


@named("aaaa-denied")
class AaaaDenied(Fault):
    """Answers NXDOMAIN to questions for AAAA that it has no records for."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.AAAA and not response.answer and response.rcode == codes.NOERROR:
            response.rcode = codes.NXDOMAIN


@named("any-full")
class AnyFull(Fault):
    """Answers questions for ANY with everything it has."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.ANY and response.answer:
            response.answer = list(world.zone_for(request.name, codes.SOA).nodes[request.name].values())


@named("two-questions")
class TwoQuestions(Fault):
    """Answers the first of two questions."""

    def hear(self, request: Request) -> Request | Reply:
        if request.octets[4:6] != b"\0\2":
            return request
        return read_request(request.octets[:4] + b"\0\1" + request.octets[6:], request.transport) or request


@named("tsig-ignored")
class TsigIgnored(Fault):
    """Answers signed queries as if they were not."""

    def hear(self, request: Request) -> Request | Reply:
        return request._replace(tsig=b"")


@named("denies-all")
class DeniesAll(Fault):
    """Denies with authority what is outside its zones."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if response.rcode == codes.REFUSED and request.qclass == codes.CLASS_IN and request.qtype != codes.AXFR:
            response.rcode, response.aa = codes.NXDOMAIN, True


@named("denies-invalid")
class DeniesInvalid(Fault):
    """Denies by itself what is below invalid., as RFC 6761 section 6.4 has it."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.name.endswith(_INVALID) and request.qclass == codes.CLASS_IN:
            response.rcode, response.aa = codes.NXDOMAIN, True
            soa = b"\x09localhost\0" + b"\x06nobody" + _INVALID + bytes(20)
            response.authority = [RRset(_INVALID, codes.SOA, 10_800, (soa,))]


@named("compressed-rdata")
class CompressedRdata(Fault):
    """Adds an SRV record with a compressed target."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if response.answer:
            response.additional.append(RRset(request.name, codes.SRV, 3600, (b"\0\0\0\0\0\0\xc0\x0c",)))


@named("servfail-sometimes")
class ServfailSometimes(Fault):
    """Answers SERVFAIL to about every third query, whatever it asks."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.octets[0] % 3 == 0:
            response.empty(codes.SERVFAIL)
