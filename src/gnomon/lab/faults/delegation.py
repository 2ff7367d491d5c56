"""What a server says of delegations: those it makes, and its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gnomon.base import codes
from gnomon.lab.faults.fault import ZoneFault, named
from gnomon.lab.records import Response, RRset
from gnomon.lab.request import Request

if TYPE_CHECKING:
    from gnomon.lab.world import World
    from gnomon.lab.zone import Zone


@named("no-delegations")
class NoDelegations(ZoneFault):
    """Has none of the delegations of the zone: the names do not exist."""

    def alter(self, zone: Zone) -> None:
        for cut in zone.cuts:
            del zone.nodes[cut]
        zone.cuts.clear()
        zone.glue.clear()


@named("alias-at-cut")
class AliasAtCut(ZoneFault):
    """Has an alias in place of every delegation: a CNAME record, or a DNAME record where `value` is given."""

    default_value = 0

    def alter(self, zone: Zone) -> None:
        rtype = codes.DNAME if self.quantity else codes.CNAME
        target = bytes([len(b"target%d" % self.quantity)]) + b"target%d" % self.quantity + zone.apex
        for cut in zone.cuts:
            zone.nodes[cut] = {rtype: RRset(cut, rtype, 3600, (target,))}
        zone.cuts.clear()
        zone.glue.clear()


@named("other-glue")
class OtherGlue(ZoneFault):
    """Has other addresses in its glue: the last octet differs."""

    def alter(self, zone: Zone) -> None:
        for rrset in (rrset for rrsets in zone.glue.values() for rrset in rrsets):
            rrset.rdatas = tuple(r[:-1] + bytes([r[-1] ^ 1]) for r in rrset.rdatas)


@named("no-apex-ns")
class NoApexNs(ZoneFault):
    """Answers questions for the NS records of the zone with an empty NOERROR response."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.NS and response.aa:
            response.answer, response.authority, response.additional = [], [], []


@named("ns-refused")
class NsRefused(ZoneFault):
    """Refuses questions for the NS records of the zone."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.NS and response.aa:
            response.empty(codes.REFUSED)


@named("ns-not-aa")
class NsNotAa(ZoneFault):
    """Gives the NS records of the zone without the AA bit."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.NS:
            response.aa = False


@named("ns-other-owner")
class NsOtherOwner(ZoneFault):
    """Gives its NS records with a name below the zone as their owner."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.NS and response.aa:
            response.answer = [replace(r, owner=b"\x05other" + r.owner, signature=None) for r in response.answer[:1]]


@named("ns-ttl")
class NsTtl(ZoneFault):
    """Has the TTL `value` (60 unless given) on its apex NS records."""

    default_value = 60

    def alter(self, zone: Zone) -> None:
        ns = zone.nodes[zone.apex][codes.NS]
        ns.ttl_s = ns.original_ttl_s = self.quantity
