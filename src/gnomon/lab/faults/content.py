"""What a server knows of a zone: nothing, an older version, or something else than the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from gnomon.base import Name, codes
from gnomon.lab.faults.fault import SILENCE, Reply, ZoneFault, is_answer, named, refer_to_root
from gnomon.lab.records import Response, RRset
from gnomon.lab.request import Request

if TYPE_CHECKING:
    from gnomon.lab.world import World
    from gnomon.lab.zone import Zone


@named("lame-refused")
class LameRefused(ZoneFault):
    """Refuses questions for the zone."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if is_answer(response):
            response.empty(codes.REFUSED)


@named("lame-servfail")
class LameServfail(ZoneFault):
    """Answers SERVFAIL to questions for the zone."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if is_answer(response):
            response.empty(codes.SERVFAIL)


@named("lame-upward")
class LameUpward(ZoneFault):
    """Answers questions for the zone with a referral to the root."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if is_answer(response):
            refer_to_root(response, world)


@named("not-aa")
class NotAa(ZoneFault):
    """Answers for the zone without the AA bit."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        response.aa = False


@named("aa-lost")
class AaLost(ZoneFault):
    """Leaves the AA bit out of negative answers."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if not response.answer:
            response.aa = False


@named("referral-aa")
class ReferralAa(ZoneFault):
    """Sets the AA bit in referrals."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if response.rcode == codes.NOERROR and not response.answer:
            response.aa = True


@named("no-soa")
class NoSoa(ZoneFault):
    """Answers questions for the SOA record with an empty NOERROR response."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.SOA:
            response.answer, response.authority, response.additional = [], [], []


@named("stale-serial")
class StaleSerial(ZoneFault):
    """Holds an older version of the zone: the serial is `value` less (1 unless given)."""

    default_value = 1

    def alter(self, zone: Zone) -> None:
        _edit_soa(zone, numbers={0: lambda serial: serial - self.quantity})


@named("other-mname")
class OtherMname(ZoneFault):
    """Has another MNAME in its SOA record."""

    def alter(self, zone: Zone) -> None:
        _edit_soa(zone, mname=b"\x0cother-master" + zone.apex)


@named("other-rname")
class OtherRname(ZoneFault):
    """Has another RNAME in its SOA record."""

    def alter(self, zone: Zone) -> None:
        _edit_soa(zone, rname=b"\x0bother-admin" + zone.apex)


@named("other-timers")
class OtherTimers(ZoneFault):
    """Has half the REFRESH, RETRY and EXPIRE in its SOA record."""

    def alter(self, zone: Zone) -> None:
        _edit_soa(zone, numbers={1: _half, 2: _half, 3: _half})


@named("other-ns-set")
class OtherNsSet(ZoneFault):
    """Has one name server less in its apex NS RRset (a strange one in its place if it is the only one)."""

    def alter(self, zone: Zone) -> None:
        ns = zone.nodes[zone.apex][codes.NS]
        ns.rdatas = ns.rdatas[:-1] or (b"\x08other-ns" + zone.apex,)


@named("other-address")
class OtherAddress(ZoneFault):
    """Has other addresses for the hosts of the zone: the last octet differs."""

    def alter(self, zone: Zone) -> None:
        for node in zone.nodes.values():
            for rtype in (codes.A, codes.AAAA):
                if rtype in node:
                    node[rtype].rdatas = tuple(r[:-1] + bytes([r[-1] ^ 1]) for r in node[rtype].rdatas)


@named("other-ds")
class OtherDs(ZoneFault):
    """Has a wrong digest in every DS record of the zone's delegations."""

    def alter(self, zone: Zone) -> None:
        _edit_ds(zone, lambda rdata: rdata[:-1] + bytes([rdata[-1] ^ 1]))


@named("no-ds")
class NoDs(ZoneFault):
    """Has no DS records for the zone's delegations."""

    def alter(self, zone: Zone) -> None:
        for cut in zone.cuts:
            zone.nodes[cut].pop(codes.DS, None)


@named("short-ds")
class ShortDs(ZoneFault):
    """Has the digest cut short in every DS record of the zone's delegations."""

    def alter(self, zone: Zone) -> None:
        _edit_ds(zone, lambda rdata: rdata[:-4])


@named("ds-digest-type")
class DsDigestType(ZoneFault):
    """Has digest type `value` (1 unless given) in every DS record of the zone's delegations; the digest stays."""

    default_value = 1

    def alter(self, zone: Zone) -> None:
        _edit_ds(zone, lambda rdata: rdata[:3] + bytes([self.quantity % 256]) + rdata[4:])


@named("other-delegation")
class OtherDelegation(ZoneFault):
    """Has one name server less in every delegation from the zone."""

    def alter(self, zone: Zone) -> None:
        for cut in zone.cuts:
            ns = zone.nodes[cut][codes.NS]
            ns.rdatas = ns.rdatas[:-1] or ns.rdatas


@named("wildcard")
class Wildcard(ZoneFault):
    """Answers A and AAAA of any name in the zone, as a wildcard record would; unsigned."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if response.rcode == codes.NXDOMAIN:
            response.empty(codes.NOERROR)
            response.aa = True
            if request.qtype == codes.A:
                response.answer = [RRset(request.name, codes.A, 3600, (bytes([28, 255, 0, 1]),))]


@named("duplicate-soa")
class DuplicateSoa(ZoneFault):
    """Answers with two SOA records."""

    def alter(self, zone: Zone) -> None:
        soa = zone.nodes[zone.apex][codes.SOA]
        second = bytearray(soa.rdatas[0])
        second[-1] ^= 1
        soa.rdatas += (bytes(second),)


@named("hosts-refused")
class HostsRefused(ZoneFault):
    """Refuses questions for A and AAAA records."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype in (codes.A, codes.AAAA) and is_answer(response):
            response.empty(codes.REFUSED)


@named("zone-version")
class ZoneVersion(ZoneFault):
    """Gives the serial as zone version when asked for it, too high by `value`; cut short where that is 255."""

    default_value = 0
    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.edns is not None and request.edns.asks(codes.OPTION_ZONEVERSION):
            soas = [rrset for rrset in response.answer if rrset.rtype == codes.SOA]
            for soa in soas:
                serial = int.from_bytes(soa.rdatas[0][-20:-16], "big") + self.quantity
                labels = len(Name(soa.owner).labels)
                data = bytes([labels, 0]) + serial.to_bytes(4, "big")
                response.edns_options.append((codes.OPTION_ZONEVERSION, data if self.quantity < 255 else data[:3]))


def _half(seconds: int) -> int:
    return seconds // 2


def _edit_ds(zone: Zone, change: Callable[[bytes], bytes]) -> None:
    for cut in zone.cuts:
        ds = zone.nodes[cut].get(codes.DS)
        if ds is not None:
            ds.rdatas = tuple(map(change, ds.rdatas))


def _edit_soa(
    zone: Zone,
    *,
    mname: bytes | None = None,
    rname: bytes | None = None,
    numbers: Mapping[int, Callable[[int], int]] = MappingProxyType({}),
) -> None:
    soa = zone.nodes[zone.apex][codes.SOA]
    values = [int.from_bytes(soa.rdatas[0][at:][:4], "big") for at in range(-20, 0, 4)]
    for index, change in numbers.items():
        values[index] = change(values[index]) % 2**32
    names = (mname or zone.spec.soa.mname.key) + (rname or zone.spec.soa.rname.key)
    soa.rdatas = (names + b"".join(value.to_bytes(4, "big") for value in values),)


@named("ent-denied")
class EntDenied(ZoneFault):
    """Answers NXDOMAIN for names that have no records but others below them; to type `value` only, if given."""

    default_value = 0

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if self.quantity in (0, request.qtype) and request.name in world.zone_for(request.name, codes.SOA).ents:
            response.rcode = codes.NXDOMAIN


@named("ent-servfail")
class EntServfail(ZoneFault):
    """Answers SERVFAIL for names that have no records but others below them."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.name in world.zone_for(request.name, codes.SOA).ents:
            response.empty(codes.SERVFAIL)


@named("ent-dropped")
class EntDropped(ZoneFault):
    """Answers nothing to questions for `sub` below the apex."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.name.startswith(b"\3sub") else request


@named("foreign-data")
class ForeignData(ZoneFault):
    """Adds the address of a stranger's name to every answer."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        response.additional.append(RRset(b"\3www\x08stranger\4test\0", codes.A, 3600, (bytes([28, 255, 0, 9]),)))


@named("flapping")
class Flapping(ZoneFault):
    """Gives an SOA record of an older serial now and then."""

    varies = True

    def reshape(self, request: Request, response: Response, world: World) -> None:
        for at, rrset in enumerate(response.answer):
            if rrset.rtype == codes.SOA and request.octets[0] & 1:
                rdata = rrset.rdatas[0]
                serial = int.from_bytes(rdata[-20:-16], "big") - 7
                changed = (rdata[:-20] + serial.to_bytes(4, "big") + rdata[-16:],)
                response.answer[at] = RRset(rrset.owner, codes.SOA, rrset.ttl_s, changed)


@named("apex-address")
class ApexAddress(ZoneFault):
    """Has an address at the apex."""

    def alter(self, zone: Zone) -> None:
        zone.nodes[zone.apex][codes.A] = RRset(zone.apex, codes.A, 3600, (bytes([28, 255, 0, 7]),))


@named("alias-beside")
class AliasBeside(ZoneFault):
    """Has an address beside every alias."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        aliases = [rrset.owner for rrset in response.answer if rrset.rtype == codes.CNAME]
        response.answer += [RRset(owner, codes.A, 3600, (bytes([28, 255, 0, 8]),)) for owner in aliases]


@named("dname")
class Dname(ZoneFault):
    """Has a DNAME record at the apex, to other.test.: names that it lacks are aliases; unsigned."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if response.rcode == codes.NXDOMAIN:
            apex = world.zone_for(request.name, codes.SOA).apex
            response.empty(codes.NOERROR)
            response.aa = True
            response.answer = [RRset(apex, codes.DNAME, 3600, (_OTHER,)), *self.synthesised(request.name, apex)]

    def synthesised(self, name: bytes, apex: bytes) -> list[RRset]:
        """The CNAME that the DNAME stands for."""
        return [RRset(name, codes.CNAME, 3600, (name[: len(name) - len(apex)] + _OTHER,))]


@named("dname-bare")
class DnameBare(Dname):
    """Has a DNAME record at the apex, and makes no CNAME of it."""

    def synthesised(self, name: bytes, apex: bytes) -> list[RRset]:
        return []


@named("ttl-uneven")
class TtlUneven(ZoneFault):
    """Gives the first record of each NS RRset a TTL of its own."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        for at, rrset in enumerate(response.answer):
            if rrset.rtype == codes.NS and len(rrset.rdatas) > 1:
                first = RRset(rrset.owner, codes.NS, rrset.ttl_s + 60, rrset.rdatas[:1])
                rest = RRset(rrset.owner, codes.NS, rrset.ttl_s, rrset.rdatas[1:])
                response.answer[at : at + 1] = [first, rest]
                break


_OTHER = b"\5other\4test\0"
