"""Whether, when and over what a server can be reached, and how much it sends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gnomon.base import Transport, codes
from gnomon.lab.faults.fault import RESET, SILENCE, Closed, Fault, Reply, is_answer, named
from gnomon.lab.records import Response, RRset
from gnomon.lab.request import Request

if TYPE_CHECKING:
    from gnomon.lab.world import World


@named("dead")
class Dead(Fault):
    """Answers nothing over any transport."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE


@named("no-udp")
class NoUdp(Fault):
    """Answers nothing over UDP."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.transport is Transport.UDP else request


@named("no-tcp")
class NoTcp(Fault):
    """Resets TCP connections."""

    def hear(self, request: Request) -> Request | Reply:
        return RESET if request.transport is Transport.TCP else request


@named("tcp-silent")
class TcpSilent(Fault):
    """Takes TCP connections but answers nothing over them."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.transport is Transport.TCP else request


@named("tcp-refused")
class TcpRefused(Fault):
    """Refuses over TCP what it answers over UDP."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.transport is Transport.TCP and is_answer(response):
            response.empty(codes.REFUSED)


@named("tcp-empty")
class TcpEmpty(Fault):
    """Leaves the answer out over TCP."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.transport is Transport.TCP and is_answer(response):
            response.answer = []


@named("tcp-not-aa")
class TcpNotAa(Fault):
    """Answers without the AA bit over TCP."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.transport is Transport.TCP:
            response.aa = False


@named("tcp-other-soa")
class TcpOtherSoa(Fault):
    """Has another MINIMUM in its SOA record over TCP."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.transport is Transport.TCP and request.qtype == codes.SOA:
            response.answer = [
                replace(rrset, rdatas=tuple(r[:-1] + bytes([r[-1] ^ 1]) for r in rrset.rdatas))
                if rrset.rtype == codes.SOA
                else rrset
                for rrset in response.answer
            ]


@named("tcp-one-answer")
class TcpOneAnswer(Fault):
    """Answers only the question for the SOA record over TCP, as if it read one question from each connection."""

    def hear(self, request: Request) -> Request | Reply:
        is_later = request.transport is Transport.TCP and request.qtype != codes.SOA
        return SILENCE if is_later else request


@named("other-source")
class OtherSource(Fault):
    """Answers over UDP from another address; shown by the engine without a network only."""


@named("tls")
class Tls(Fault):
    """Answers over TLS too, which is no fault; shown by the engine without a network only, as all of TLS."""

    takes_tls = True


@named("tls-broken")
class TlsBroken(Tls):
    """Takes connections on the port for TLS and does not speak it."""

    def hear(self, request: Request) -> Request | Reply:
        return Closed.NO_TLS if request.transport is Transport.DOT else request


@named("tls-silent")
class TlsSilent(Tls):
    """Answers nothing over TLS."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.transport is Transport.DOT else request


@named("tls-refused")
class TlsRefused(Tls):
    """Refuses over TLS what it answers over UDP."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.transport is Transport.DOT and is_answer(response):
            response.empty(codes.REFUSED)


@named("lossy")
class Lossy(Fault):
    """Does not see `value` percent (30 unless given) of the queries over UDP."""

    default_value = 30

    def hear(self, request: Request) -> Request | Reply:
        is_lost = request.transport is Transport.UDP and int.from_bytes(request.octets[:2], "big") % 100 < self.quantity
        return SILENCE if is_lost else request


@named("large-allowed")
class LargeAllowed(Fault):
    """Sends over UDP whatever a query that allows 4,096 octets or more can take, in fragments if need be."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.transport is Transport.UDP and request.edns is not None and request.edns.size_octets >= 4096:
            response.oversize = True


@named("large-lost")
class LargeLost(Fault):
    """Sends nothing over UDP that is larger than `value` octets (1,000 unless given)."""

    default_value = 1_000

    def rewrite(self, request: Request, octets: bytes) -> list[bytes]:
        is_lost = request.transport is Transport.UDP and len(octets) > self.quantity
        return [] if is_lost else [octets]


@named("slow")
class Slow(Fault):
    """Answers late: `value` milliseconds after the query (800 unless given)."""

    default_value = 800


@named("truncating")
class Truncating(Fault):
    """Sets TC and sends no records in every response over UDP."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.transport is Transport.UDP:
            response.answer, response.authority, response.additional = [], [], []
            response.tc = True


@named("tcp-only")
class TcpOnly(Fault):
    """Answers every query over UDP by itself, with RD, RA and TC and no records, as filters against floods do."""

    def hear(self, request: Request) -> Request | Reply:
        if request.transport is not Transport.UDP:
            return request
        octets, flags = request.octets, 0x8280 | (request.flags & 0x7910)
        asked = octets[4:6] + bytes(6) + request.asked if request.asked else octets[4:]
        return [octets[:2] + flags.to_bytes(2, "big") + asked]


@named("large-udp")
class LargeUdp(Fault):
    """Sends over 1,400 octets over UDP in every answer, whatever size the query allows."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.transport is Transport.UDP and is_answer(response):
            text = b"\xff" + b"x" * 255
            response.additional.append(RRset(request.name, codes.TXT, 0, (text * 6,)))
            response.oversize = True
