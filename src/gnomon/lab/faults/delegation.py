"""What a server says of delegations: those it makes, and its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gnomon.base import codes
from gnomon.lab.faults.fault import ZoneFault, named
from gnomon.lab.records import Response
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


@named("no-apex-ns")
class NoApexNs(ZoneFault):
    """Answers questions for the NS records of the zone with an empty NOERROR response."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.NS and response.aa:
            response.answer, response.authority, response.additional = [], [], []


@named("ns-ttl")
class NsTtl(ZoneFault):
    """Has the TTL `value` (60 unless given) on its apex NS records."""

    default_value = 60

    def alter(self, zone: Zone) -> None:
        ns = zone.nodes[zone.apex][codes.NS]
        ns.ttl_s = ns.original_ttl_s = self.quantity
