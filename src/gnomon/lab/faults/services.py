"""Servers that are wrong about records for services only, or tell and send too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gnomon.base import codes
from gnomon.lab.faults.fault import SILENCE, Fault, Reply, ZoneFault, named
from gnomon.lab.faults.message import VersionShown
from gnomon.lab.records import Response, RRset
from gnomon.lab.request import Request

if TYPE_CHECKING:
    from gnomon.lab.world import World
    from gnomon.lab.zone import Zone

_POLICY = b"v=DMARC1; p=none; sp=reject; psd=y"
_CAA_TYPES = (codes.CAA,)
_OTHER_TYPES = (codes.HTTPS, codes.TLSA, codes.A, codes.AAAA)


@named("dnskey-dropped")
class DnskeyDropped(Fault):
    """Answers nothing to questions for DNSKEY."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.qtype == codes.DNSKEY and request.qclass == codes.CLASS_IN else request


@named("caa-dropped")
class CaaDropped(Fault):
    """Answers nothing to questions for CAA."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.qtype in _CAA_TYPES and request.qclass == codes.CLASS_IN else request


@named("caa-servfail")
class CaaServfail(ZoneFault):
    """Answers SERVFAIL to questions for CAA."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype in _CAA_TYPES:
            response.empty(codes.SERVFAIL)


@named("caa-not-aa")
class CaaNotAa(ZoneFault):
    """Leaves the AA bit out of answers to questions for CAA."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype in _CAA_TYPES:
            response.aa = False


@named("other-caa")
class OtherCaa(ZoneFault):
    """Has a CAA record that forbids all certificates."""

    def alter(self, zone: Zone) -> None:
        zone.nodes[zone.apex][codes.CAA] = RRset(zone.apex, codes.CAA, 3600, (b"\0\x05issue;",))


@named("services-unreadable")
class ServicesUnreadable(ZoneFault):
    """Has CAA and HTTPS records at the apex whose data ends too early."""

    def alter(self, zone: Zone) -> None:
        for rtype, rdata in ((codes.CAA, b"\0\x20issue"), (codes.HTTPS, b"\0\1\0\0\1\0\xff")):
            zone.nodes[zone.apex][rtype] = RRset(zone.apex, rtype, 3600, (rdata,))


@named("https-disordered")
class HttpsDisordered(ZoneFault):
    """Has an HTTPS record at the apex with its parameters in falling order."""

    def alter(self, zone: Zone) -> None:
        rdata = b"\0\1\0" + b"\0\3\0\2\x01\xbb" + b"\0\1\0\3\x02h2"
        zone.nodes[zone.apex][codes.HTTPS] = RRset(zone.apex, codes.HTTPS, 3600, (rdata,))


@named("hosts-servfail")
class HostsServfail(ZoneFault):
    """Answers SERVFAIL to questions for addresses, HTTPS and TLSA."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype in _OTHER_TYPES:
            response.empty(codes.SERVFAIL)


@named("aaaa-nxdomain")
class AaaaNxdomain(ZoneFault):
    """Denies that a name exists where it only has no AAAA record."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.AAAA and response.rcode == codes.NOERROR and not response.answer and response.aa:
            response.rcode = codes.NXDOMAIN


@named("ixfr-open")
class IxfrOpen(ZoneFault):
    """Transfers the zone to anyone who asks for what has changed."""


@named("any-whole")
class AnyWhole(ZoneFault):
    """Answers ANY with everything at the name, over UDP too, whatever its size."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.ANY and response.answer:
            zone = world.zone_for(request.name, codes.ANY)
            response.answer = list(zone.nodes.get(request.name, {}).values())
            response.oversize = True


@named("nsid-internal")
class NsidInternal(Fault):
    """Gives the name of its host in the inner network as its identifier."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        response.edns_options.append((codes.OPTION_NSID, b"dns7.dc1.corp"))


@named("nsid-private-address")
class NsidPrivateAddress(Fault):
    """Gives an address of the inner network as its identifier."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        response.edns_options.append((codes.OPTION_NSID, b"dns7 (10.1.2.3)"))


@named("no-nsid")
class NoNsid(Fault):
    """Gives an empty identifier."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        response.edns_options.append((codes.OPTION_NSID, b""))


@named("version-bind-shown")
class VersionBindShown(VersionShown):
    """Shows that it runs BIND."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        super().reshape(request, response, world)
        for rrset in response.answer:
            rrset.rdatas = (b"\x069.20.1",) if rrset.rtype == codes.TXT and request.qclass != 1 else rrset.rdatas


@named("dmarc-above")
class DmarcAbove(ZoneFault):
    """Has a DMARC policy for all names below the zone."""

    def alter(self, zone: Zone) -> None:
        owner = b"\x06_dmarc" + zone.apex
        zone.nodes[owner] = {codes.TXT: RRset(owner, codes.TXT, 3600, (bytes([len(_POLICY)]) + _POLICY,))}


@named("below-servfail")
class BelowServfail(ZoneFault):
    """Answers SERVFAIL to questions for TXT below the apex."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.TXT and world.zone_for(request.name, codes.TXT).apex != request.name:
            response.empty(codes.SERVFAIL)


@named("version-servfail")
class VersionServfail(Fault):
    """Answers SERVFAIL to questions in class CH."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qclass == codes.CLASS_CH:
            response.empty(codes.SERVFAIL)


@named("version-dropped")
class VersionDropped(Fault):
    """Answers nothing to questions in class CH."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.qclass == codes.CLASS_CH else request


@named("spf-null")
class SpfNull(ZoneFault):
    """Has an SPF record at the apex that lets nobody send."""

    def alter(self, zone: Zone) -> None:
        zone.nodes[zone.apex][codes.TXT] = RRset(zone.apex, codes.TXT, 3600, (b"\x0bv=spf1 -all",))
