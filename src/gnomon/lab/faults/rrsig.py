"""RRSIG records that are missing for some types, or odd in one of their fields (RFC 4034 section 3.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gnomon.base import codes
from gnomon.lab.faults.fault import ZoneFault, named
from gnomon.lab.records import Response, RRset
from gnomon.lab.request import Request

if TYPE_CHECKING:
    from gnomon.lab.world import World

_SIGNER_AT = 18


@named("unsigned-type")
class UnsignedType(ZoneFault):
    """Leaves the RRSIG records over type `value` out (2, so NS, unless given)."""

    default_value = int(codes.NS)

    def reshape(self, request: Request, response: Response, world: World) -> None:
        edit_signatures(response, lambda rdatas: rdatas if _covers(rdatas[0]) != self.quantity else ())


@named("wrong-type-signatures")
class WrongTypeSignatures(ZoneFault):
    """Serves the RRSIG records over type `value` with one bit flipped (2, so NS, unless given)."""

    default_value = int(codes.NS)

    def reshape(self, request: Request, response: Response, world: World) -> None:
        each_signature(response, lambda rdata: _flipped(rdata) if _covers(rdata) == self.quantity else rdata)


@named("orphan-signatures")
class OrphanSignatures(ZoneFault):
    """Names a key that does not exist in the RRSIG records over type `value` (2, so NS, unless given)."""

    default_value = int(codes.NS)

    def reshape(self, request: Request, response: Response, world: World) -> None:
        each_signature(response, lambda rdata: _orphaned(rdata) if _covers(rdata) == self.quantity else rdata)


@named("extra-signatures")
class ExtraSignatures(ZoneFault):
    """Adds `value` signatures by keys that do not exist to each record set (1 unless given)."""

    default_value = 1

    def reshape(self, request: Request, response: Response, world: World) -> None:
        def more(rdatas: tuple[bytes, ...]) -> tuple[bytes, ...]:
            return rdatas + tuple(_orphaned(rdatas[0], 1 + n) for n in range(self.quantity))

        edit_signatures(response, more)


@named("new-algorithm-signatures")
class NewAlgorithmSignatures(ZoneFault):
    """Adds a signature of algorithm `value` (15 unless given), without a key of it, to each record set but DNSKEY."""

    default_value = 15

    def reshape(self, request: Request, response: Response, world: World) -> None:
        def more(rdatas: tuple[bytes, ...]) -> tuple[bytes, ...]:
            added = rdatas[0][:2] + bytes([self.quantity]) + rdatas[0][3:]
            return rdatas if _covers(rdatas[0]) == codes.DNSKEY else (*rdatas, added)

        edit_signatures(response, more)


@named("spoilt-copies")
class SpoiltCopies(ZoneFault):
    """Adds a copy of each signature that does not verify."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        edit_signatures(response, lambda rdatas: rdatas + tuple(map(_flipped, rdatas)))


@named("other-signer")
class OtherSigner(ZoneFault):
    """Names the zone above as signer."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        def change(rdata: bytes) -> bytes:
            return rdata[:_SIGNER_AT] + rdata[_SIGNER_AT + 1 + rdata[_SIGNER_AT] :]

        each_signature(response, change)


@named("more-labels")
class MoreLabels(ZoneFault):
    """Counts `value` labels too many in its signatures (1 unless given)."""

    default_value = 1

    def reshape(self, request: Request, response: Response, world: World) -> None:
        each_signature(response, lambda rdata: rdata[:3] + bytes([rdata[3] + self.quantity]) + rdata[4:])


@named("short-signatures")
class ShortSignatures(ZoneFault):
    """Cuts the last octet off its signatures."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        each_signature(response, lambda rdata: rdata[:-1])


@named("raised-ttl")
class RaisedTtl(ZoneFault):
    """Serves its records with a TTL that is `value` seconds over the one they were signed with (60 unless given)."""

    default_value = 60

    def reshape(self, request: Request, response: Response, world: World) -> None:
        def raised(rrset: RRset) -> RRset:
            return RRset(rrset.owner, rrset.rtype, rrset.ttl_s + self.quantity, rrset.rdatas, rrset.original_ttl_s)

        _edit(response, raised)


@named("short-signature-ttl")
class ShortSignatureTtl(ZoneFault):
    """Serves RRSIG records with a TTL that is `value` seconds under that of what they sign (60 unless given)."""

    default_value = 60

    def reshape(self, request: Request, response: Response, world: World) -> None:
        def lowered(rrset: RRset) -> RRset:
            if rrset.rtype != codes.RRSIG:
                return rrset
            return RRset(rrset.owner, rrset.rtype, max(rrset.ttl_s - self.quantity, 0), rrset.rdatas)

        _edit(response, lowered)


def each_signature(response: Response, change: Callable[[bytes], bytes]) -> None:
    """Replace the rdata of every RRSIG record."""
    edit_signatures(response, lambda rdatas: tuple(map(change, rdatas)))


def edit_signatures(response: Response, change: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]) -> None:
    """Replace the RRSIG records over each record set; none removes them."""

    def edited(rrset: RRset) -> RRset:
        if rrset.rtype != codes.RRSIG:
            return rrset
        return RRset(rrset.owner, rrset.rtype, rrset.ttl_s, change(rrset.rdatas))

    _edit(response, edited)
    for section in (response.answer, response.authority, response.additional):
        section[:] = [rrset for rrset in section if rrset.rdatas]


def _edit(response: Response, edited: Callable[[RRset], RRset]) -> None:
    response.answer = list(map(edited, response.answer))
    response.authority = list(map(edited, response.authority))
    response.additional = list(map(edited, response.additional))


def _covers(rdata: bytes) -> int:
    return int.from_bytes(rdata[:2], "big")


def _flipped(rdata: bytes) -> bytes:
    return rdata[:-1] + bytes([rdata[-1] ^ 1])


def _orphaned(rdata: bytes, by: int = 1) -> bytes:
    tag = int.from_bytes(rdata[16:18], "big")
    return rdata[:16] + ((tag + 4096 + by) & 0xFFFF).to_bytes(2, "big") + rdata[18:]
