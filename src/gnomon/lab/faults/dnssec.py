"""Signatures and proofs that are missing, wrong or out of date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from gnomon.base import codes
from gnomon.lab.denial import type_bitmap
from gnomon.lab.faults.fault import SILENCE, DelegationFault, Fault, Reply, ZoneFault, named
from gnomon.lab.records import Response, RRset
from gnomon.lab.request import Request
from gnomon.lab.spec import DAY_S, DsSpec, ZoneSpec
from gnomon.wire import rdata

if TYPE_CHECKING:
    from gnomon.lab.world import World
    from gnomon.lab.zone import Zone

_DENIAL_TYPES = frozenset({codes.NSEC, codes.NSEC3})


@named("no-dnssec")
class NoDnssec(ZoneFault):
    """Serves the zone unsigned: no DNSKEY, no signatures, no denial records."""

    def alter(self, zone: Zone) -> None:
        zone.signing = None
        for rtype in (codes.DNSKEY, codes.CDS, codes.CDNSKEY):
            zone.nodes[zone.apex].pop(rtype, None)


@named("no-signatures")
class NoSignatures(ZoneFault):
    """Leaves the RRSIG records out."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        drop(response, lambda rrset: rrset.rtype == codes.RRSIG)


@named("no-dnskey")
class NoDnskey(ZoneFault):
    """Answers questions for the DNSKEY RRset with an empty NOERROR response."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.DNSKEY:
            response.answer = []


@named("expired-signatures")
class ExpiredSignatures(ZoneFault):
    """Serves signatures that expired `value` hours ago (24 unless given)."""

    default_value = 24

    def alter(self, zone: Zone) -> None:
        _set_validity(zone, -30 * DAY_S, -3600 * self.quantity)


@named("expiring-signatures")
class ExpiringSignatures(ZoneFault):
    """Serves signatures that expire in `value` hours (6 unless given)."""

    default_value = 6

    def alter(self, zone: Zone) -> None:
        _set_validity(zone, -14 * DAY_S, 3600 * self.quantity)


@named("future-signatures")
class FutureSignatures(ZoneFault):
    """Serves signatures that begin in `value` hours (24 unless given)."""

    default_value = 24

    def alter(self, zone: Zone) -> None:
        _set_validity(zone, 3600 * self.quantity, 14 * DAY_S + 3600 * self.quantity)


@named("wrong-signatures")
class WrongSignatures(ZoneFault):
    """Serves signatures with one bit flipped."""

    def alter(self, zone: Zone) -> None:
        zone.corrupt_signatures = True


@named("no-denial")
class NoDenial(ZoneFault):
    """Leaves NSEC and NSEC3 out of negative responses and referrals."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        drop(response, is_denial)


@named("wrong-denial")
class WrongDenial(ZoneFault):
    """Denies with the NSEC or NSEC3 record of the apex only, whatever was asked."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if not any(map(is_denial, response.authority)):
            return
        zone = world.zone_for(request.name, request.qtype)
        drop(response, is_denial)
        if zone.chain is not None:
            for record in zone.chain.nodata(zone.apex):
                response.authority += zone.with_signature(record, do=True)


@named("other-denial")
class OtherDenial(ZoneFault):
    """Denies with NSEC3 where the zone has NSEC, and with NSEC where it has NSEC3."""

    def alter(self, zone: Zone) -> None:
        if zone.signing is not None:
            zone.signing = replace(zone.signing, denial="nsec" if zone.signing.denial == "nsec3" else "nsec3")


@named("other-keys")
class OtherKeys(ZoneFault):
    """Has one key less in its DNSKEY RRset: the last in order."""

    def alter(self, zone: Zone) -> None:
        keys = zone.nodes[zone.apex].get(codes.DNSKEY)
        if keys is not None:
            keys.rdatas = keys.rdatas[:-1] or keys.rdatas


@named("denial-dropped")
class DenialDropped(Fault):
    """Answers nothing to questions for NSEC and NSEC3PARAM records."""

    def hear(self, request: Request) -> Request | Reply:
        return SILENCE if request.qtype in (codes.NSEC, codes.NSEC3PARAM) else request


@named("no-nsec3param")
class NoNsec3param(ZoneFault):
    """Answers questions for the NSEC3PARAM record with an empty NOERROR response."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.NSEC3PARAM:
            response.answer = []


@named("wrong-bitmap")
class WrongBitmap(ZoneFault):
    """Lists only the type A in its NSEC and NSEC3 records."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        edit_denial(response, lambda rtype, rdata: rdata[: bitmap_at(rtype, rdata)] + b"\0\1\x40")


@named("short-bitmap")
class ShortBitmap(ZoneFault):
    """Leaves type `value` (257, CAA, unless given) out of its NSEC and NSEC3 records."""

    default_value = 257

    def reshape(self, request: Request, response: Response, world: World) -> None:
        def shortened(rtype: int, octets: bytes) -> bytes:
            fields = rdata.nsec(octets) if rtype == codes.NSEC else rdata.nsec3(octets)
            return octets[: bitmap_at(rtype, octets)] + type_bitmap(fields.types - {self.quantity})

        edit_denial(response, shortened)


@named("nsec3-flags")
class Nsec3Flags(ZoneFault):
    """Has `value` (2 unless given) as flags of its NSEC3 records."""

    default_value = 2

    def reshape(self, request: Request, response: Response, world: World) -> None:
        edit_denial(response, lambda rtype, r: r[:1] + bytes([self.quantity]) + r[2:] if rtype == codes.NSEC3 else r)


@named("nsec3-algorithm")
class Nsec3Algorithm(ZoneFault):
    """Has `value` (2 unless given) as hash algorithm of its NSEC3 records."""

    default_value = 2

    def reshape(self, request: Request, response: Response, world: World) -> None:
        edit_denial(response, lambda rtype, r: bytes([self.quantity]) + r[1:] if rtype == codes.NSEC3 else r)


@named("negative-without-soa")
class NegativeWithoutSoa(ZoneFault):
    """Leaves the SOA record out of negative responses."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        response.authority = [r for r in response.authority if _covered(r) != codes.SOA]


@named("no-cds")
class NoCds(ZoneFault):
    """Has no CDS, CDNSKEY and CSYNC records."""

    def alter(self, zone: Zone) -> None:
        for rtype in (codes.CDS, codes.CDNSKEY, codes.CSYNC):
            zone.nodes[zone.apex].pop(rtype, None)


@named("wrong-ds")
class WrongDs(DelegationFault):
    """Publishes a wrong digest in every DS record of the delegation."""

    def delegate(self, zone: ZoneSpec) -> ZoneSpec:
        return replace(zone, ds=tuple(replace(ds, corrupt=True) for ds in zone.ds))


@named("ds-of-zsk")
class DsOfZsk(DelegationFault):
    """Publishes the DS record of the last key of the zone instead of the first."""

    def delegate(self, zone: ZoneSpec) -> ZoneSpec:
        return replace(zone, ds=(DsSpec(zone.signing.keys[-1]),)) if zone.signing is not None else zone


@named("insecure")
class Insecure(DelegationFault):
    """Publishes no DS record in the delegation."""

    def delegate(self, zone: ZoneSpec) -> ZoneSpec:
        return replace(zone, ds=())


def _set_validity(zone: Zone, inception_s: int, expiration_s: int) -> None:
    if zone.signing is not None:
        zone.signing = replace(zone.signing, inception_s=inception_s, expiration_s=expiration_s)


def _covered(rrset: RRset) -> int:
    """The type of an RRset; of an RRSIG, the type it covers."""
    return int.from_bytes(rrset.rdatas[0][:2], "big") if rrset.rtype == codes.RRSIG else rrset.rtype


def is_denial(rrset: RRset) -> bool:
    """An NSEC or NSEC3 record set, or the signatures over one."""
    return _covered(rrset) in _DENIAL_TYPES


def drop(response: Response, unwanted: Callable[[RRset], bool]) -> None:
    """Leave these record sets out."""
    response.answer = [r for r in response.answer if not unwanted(r)]
    response.authority = [r for r in response.authority if not unwanted(r)]
    response.additional = [r for r in response.additional if not unwanted(r)]


def edit_denial(response: Response, change: Callable[[int, bytes], bytes]) -> None:
    """Replace the rdata of NSEC and NSEC3 records; their signatures stay as they are."""

    def edited(rrset: RRset) -> RRset:
        if rrset.rtype not in _DENIAL_TYPES:
            return rrset
        return RRset(rrset.owner, rrset.rtype, rrset.ttl_s, tuple(change(rrset.rtype, r) for r in rrset.rdatas))

    response.answer = list(map(edited, response.answer))
    response.authority = list(map(edited, response.authority))


def bitmap_at(rtype: int, rdata: bytes) -> int:
    """Where the type bit map begins: after the next name, or after the salt and the next hash."""
    at = 0
    if rtype == codes.NSEC:
        while rdata[at]:
            at += rdata[at] + 1
        return at + 1
    at = 5 + rdata[4]
    return at + 1 + rdata[at]
