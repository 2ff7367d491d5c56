"""Servers that are wrong about the records for mail only: MX and TXT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gnomon.base import codes
from gnomon.lab.faults.fault import SILENCE, Fault, Reply, ZoneFault, named
from gnomon.lab.records import Response, RRset
from gnomon.lab.request import Request

if TYPE_CHECKING:
    from gnomon.lab.world import World
    from gnomon.lab.zone import Zone

_MAIL_TYPES = (codes.MX, codes.TXT)


@named("mail-dropped")
class MailDropped(Fault):
    """Answers nothing to questions for MX and TXT."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.qtype in _MAIL_TYPES and request.qclass == codes.CLASS_IN else request


@named("mail-servfail")
class MailServfail(ZoneFault):
    """Answers SERVFAIL to questions for MX and TXT."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype in _MAIL_TYPES:
            response.empty(codes.SERVFAIL)


@named("mail-not-aa")
class MailNotAa(ZoneFault):
    """Leaves the AA bit out of answers to questions for MX and TXT."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype in _MAIL_TYPES:
            response.aa = False


@named("no-mail")
class NoMail(ZoneFault):
    """Has no MX and no TXT records at the apex."""

    def alter(self, zone: Zone) -> None:
        for rtype in _MAIL_TYPES:
            zone.nodes[zone.apex].pop(rtype, None)


@named("mail-added")
class MailAdded(ZoneFault):
    """Has an MX record and an SPF record at the apex, whatever the zone has."""

    def alter(self, zone: Zone) -> None:
        rdatas = {codes.MX: b"\x00\x0a\x04mail" + zone.apex, codes.TXT: b"\x0ev=spf1 mx -all"}
        for rtype, rdata in rdatas.items():
            zone.nodes[zone.apex][rtype] = RRset(zone.apex, rtype, 3600, (rdata,))


@named("other-mail")
class OtherMail(ZoneFault):
    """Has other MX preferences, and other last characters in its TXT records."""

    def alter(self, zone: Zone) -> None:
        node = zone.nodes[zone.apex]
        if codes.MX in node:
            node[codes.MX].rdatas = tuple(bytes([rdata[0] ^ 1]) + rdata[1:] for rdata in node[codes.MX].rdatas)
        if codes.TXT in node:
            node[codes.TXT].rdatas = tuple(rdata[:-1] + b"x" for rdata in node[codes.TXT].rdatas)
