"""Denial records that prove too little, too much, or in an unusual way."""

from __future__ import annotations

from base64 import b32hexencode
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gnomon.base import codes
from gnomon.lab.denial import Nsec3Chain, next_closer, type_bitmap
from gnomon.lab.faults.dnssec import bitmap_at, drop, edit_denial, is_denial
from gnomon.lab.faults.fault import ZoneFault, named
from gnomon.lab.records import Response, RRset
from gnomon.lab.request import Request

if TYPE_CHECKING:
    from gnomon.lab.world import World
    from gnomon.lab.zone import Zone

_NXNAME = 128


@named("dropped-proof")
class DroppedProof(ZoneFault):
    """Leaves the denial record number `value` out of negative responses (1, the first, unless given)."""

    default_value = 1

    def reshape(self, request: Request, response: Response, world: World) -> None:
        records = [rrset for rrset in response.authority if rrset.rtype in (codes.NSEC, codes.NSEC3)]
        if len(records) > 1:
            owner = records[self.quantity - 1 : self.quantity]
            drop(response, lambda rrset: is_denial(rrset) and rrset.owner in {one.owner for one in owner})


@named("foreign-denial")
class ForeignDenial(ZoneFault):
    """Denies with the last denial record of the zone, whatever was asked."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        zone = world.zone_for(request.name, request.qtype)
        if any(map(is_denial, response.authority)) and zone.chain is not None:
            drop(response, is_denial)
            response.authority += zone.with_signature(zone.chain.all()[-1], do=True)


@named("wide-denial")
class WideDenial(ZoneFault):
    """Has the apex as next name in its NSEC records, so that they cover everything behind them."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        apex = world.zone_for(request.name, request.qtype).apex

        def widened(rtype: int, rdata: bytes) -> bytes:
            at = 0
            while rtype == codes.NSEC and rdata[at]:
                at += rdata[at] + 1
            return apex + rdata[at + 1 :] if rtype == codes.NSEC else rdata

        edit_denial(response, widened)


@named("denial-outside")
class DenialOutside(ZoneFault):
    """Has the first name behind the zone as next name in its NSEC records."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        zone = world.zone_for(request.name, request.qtype)
        label, above = zone.apex[1 : zone.apex[0] + 1], zone.apex[zone.apex[0] + 1 :]
        behind = bytes([len(label) + 1]) + label + b"0" + above

        def moved(section: list[RRset]) -> Iterator[RRset]:
            for rrset in section:
                if rrset.rtype == codes.NSEC:
                    rdata = behind + rrset.rdatas[0][bitmap_at(codes.NSEC, rrset.rdatas[0]) :]
                    one = RRset(rrset.owner, codes.NSEC, rrset.ttl_s, (rdata,))
                    yield from zone.with_signature(one, request.do)
                elif not is_denial(rrset):
                    yield rrset

        if not any(rrset.rtype == codes.NSEC3 for rrset in response.authority):
            response.answer, response.authority = list(moved(response.answer)), list(moved(response.authority))


@named("long-denial")
class LongDenial(ZoneFault):
    """Serves denial records with a TTL of `value` seconds (86400 unless given)."""

    default_value = 86_400

    def reshape(self, request: Request, response: Response, world: World) -> None:
        def lengthened(rrset: RRset) -> RRset:
            ttl_s = self.quantity if is_denial(rrset) else rrset.ttl_s
            return RRset(rrset.owner, rrset.rtype, ttl_s, rrset.rdatas, rrset.original_ttl_s, rrset.signature)

        response.authority = list(map(lengthened, response.authority))


@named("compact-denial")
class CompactDenial(ZoneFault):
    """Denies names compactly (RFC 9824): NOERROR with a record of the name, which lists type `value` too if given."""

    default_value = 0
    marks: tuple[int, ...] = (_NXNAME,)

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if response.rcode != codes.NXDOMAIN:
            return
        zone = world.zone_for(request.name, request.qtype)
        response.rcode, response.encloser = codes.NOERROR, None
        if not request.do:
            return
        drop(response, is_denial)
        types = {int(codes.RRSIG), int(codes.NSEC), *self.marks, *([self.quantity] if self.quantity else [])}
        rdata = b"\1\0" + request.name + type_bitmap(types)
        response.authority += zone.with_signature(RRset(request.name, codes.NSEC, zone.negative_ttl_s, (rdata,)), True)


@named("unmarked-denial")
class UnmarkedDenial(CompactDenial):
    """Denies names compactly without the NXNAME type; the record of the name lists type `value` too if given."""

    marks = ()


@named("minimal-denial")
class MinimalDenial(ZoneFault):
    """Denies names with records made for the question, which span no other name (RFC 4470; RFC 7129 appendix B)."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        zone, encloser = world.zone_for(request.name, request.qtype), response.encloser
        if not any(map(is_denial, response.authority)) or response.rcode != codes.NXDOMAIN or encloser is None:
            return
        response.encloser = None
        absent = (next_closer(request.name, encloser), b"\x01*" + encloser)
        made = [_around(name, zone.negative_ttl_s) for name in absent]
        if isinstance(chain := zone.chain, Nsec3Chain):
            types = chain.nodata(encloser)[0].rdatas[0][len(chain.param) + 21 :]
            made = [_narrow(chain, zone, encloser, 0, types), *(_narrow(chain, zone, name, 1, b"") for name in absent)]
        drop(response, is_denial)
        for record in made:
            response.authority += zone.with_signature(record, do=True)


def _around(name: bytes, ttl_s: int) -> RRset:
    """An NSEC record from just before the name to just behind it, but above nothing: that would show it to be there."""
    label, above = name[1 : name[0] + 1], name[name[0] + 1 :]
    before, behind = label[:-1] + bytes([label[-1] - 1]) + b"~", label + b"\0"
    owner, following = (bytes([len(one)]) + one + above for one in (before, behind))
    return RRset(owner, codes.NSEC, ttl_s, (following + type_bitmap((codes.RRSIG, codes.NSEC)),))


def _narrow(chain: Nsec3Chain, zone: Zone, name: bytes, before: int, types: bytes) -> RRset:
    """An NSEC3 record from so many hashes before that of the name to the one behind it."""
    digest = int.from_bytes(chain.hash(name), "big")
    owner, following = ((digest + by).to_bytes(20, "big") for by in (-before, 1))
    rdata = chain.param + b"\x14" + following + types
    return RRset(b"\x20" + b32hexencode(owner).lower() + zone.apex, codes.NSEC3, zone.negative_ttl_s, (rdata,))
