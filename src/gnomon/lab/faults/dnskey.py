"""DNSKEY RRsets with odd keys among the zone's own, signed as they are; and questions for DS that are misunderstood."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gnomon.base import codes
from gnomon.lab.faults.fault import DelegationFault, ZoneFault, named
from gnomon.lab.keys import dnskey_rdata
from gnomon.lab.records import Response, RRset
from gnomon.lab.request import Request
from gnomon.lab.spec import DsSpec, KeySpec, ZoneSpec

if TYPE_CHECKING:
    from gnomon.lab.world import World
    from gnomon.lab.zone import Zone

_RSA, _P256, _ED25519 = 8, 13, 15
_REVOKED = 0x0080
_USUAL = b"\3\1\0\1"  # RFC 3110 section 2: length of the exponent, exponent 65537
# 512 bits each: times a prime of 13 bits; two neighbouring primes; as the faulty library of CVE-2017-15361 made them.
_SMALL_FACTOR = bytes.fromhex(
    "8d2bd4b5d5287b657a46868a565f195f1671b4c2837fd76e4c378aa7b1d975f8"
    "0c402983faa54b6fe08059a9bcd266b3d91a9ef1f578df69d6cbd0c794a7449b"
)
_CLOSE_FACTORS = bytes.fromhex(
    "2b2ade3813b94ed37418057cb5ebf4bff73e84c0ee8854ca6fe855e206735190"
    "f80e38383913eef90343199e29dd8f593e52c197fb4001121234af6f2382fb65"
)
_ROCA = bytes.fromhex(
    "9e10659eac2ab4368a4ae6ee84426474374551ef3f71a46631e33cc889e99563"
    "77c998dfce5fb7ee035b5cd6001c5af3465223fe8df59cfa01b2d6dae51d5a31"
)


class _OddKey(ZoneFault):
    """A fault that publishes one more key."""

    algorithm = _RSA
    material = b""

    def alter(self, zone: Zone) -> None:
        publish(zone, b"\1\0\3" + bytes([self.algorithm]) + self.material)


def publish(zone: Zone, rdata: bytes) -> None:
    """Add a DNSKEY to the apex of a signed zone."""
    keys = zone.nodes[zone.apex].get(codes.DNSKEY)
    if keys is not None:
        keys.rdatas = tuple(dict.fromkeys((*keys.rdatas, rdata)))


@named("key-exponent-1")
class KeyExponent1(_OddKey):
    """Publishes one more RSA key, with the exponent 1."""

    material = b"\1\1" + _CLOSE_FACTORS


@named("key-exponent-3")
class KeyExponent3(_OddKey):
    """Publishes one more RSA key, with the exponent 3."""

    material = b"\1\3" + _CLOSE_FACTORS


@named("key-large-exponent")
class KeyLargeExponent(_OddKey):
    """Publishes one more RSA key, with an exponent of 65 bits."""

    material = b"\x09\1\0\0\0\0\0\0\0\1" + _CLOSE_FACTORS


@named("key-small-factor")
class KeySmallFactor(_OddKey):
    """Publishes one more RSA key, with a small factor in its modulus."""

    material = _USUAL + _SMALL_FACTOR


@named("key-close-factors")
class KeyCloseFactors(_OddKey):
    """Publishes one more RSA key, made of neighbouring primes."""

    material = _USUAL + _CLOSE_FACTORS


@named("key-roca")
class KeyRoca(_OddKey):
    """Publishes one more RSA key, of the kind that the faulty library of CVE-2017-15361 made."""

    material = _USUAL + _ROCA


@named("key-off-curve")
class KeyOffCurve(_OddKey):
    """Publishes one more ECDSA key, which is no point of the curve."""

    algorithm = _P256
    material = bytes(range(64))


@named("key-small-order")
class KeySmallOrder(_OddKey):
    """Publishes one more Ed25519 key, which is the neutral point."""

    algorithm = _ED25519
    material = b"\1" + bytes(31)


@named("more-keys")
class MoreKeys(ZoneFault):
    """Publishes `value` more keys, which sign nothing (8 unless given)."""

    default_value = 8

    def alter(self, zone: Zone) -> None:
        for index in range(self.quantity):
            publish(zone, dnskey_rdata(KeySpec(256, _P256, 200 + index)))


@named("equal-tags")
class EqualTags(ZoneFault):
    """Publishes `value` more keys with the key tag of the last one (1 unless given)."""

    default_value = 1

    def alter(self, zone: Zone) -> None:
        keys = zone.nodes[zone.apex].get(codes.DNSKEY)
        for turn in range(1, self.quantity + 1):
            # The key tag is a sum over pairs of octets (RFC 4034 appendix B): their order does not count.
            head, material = (keys.rdatas[0][:4], keys.rdatas[0][4:]) if keys is not None else (b"", b"")
            publish(zone, head + material[2 * turn :] + material[: 2 * turn])


@named("revoked-signer")
class RevokedSigner(ZoneFault):
    """Signs its data with a key that is revoked."""

    def alter(self, zone: Zone) -> None:
        if zone.signing is not None:
            keys = tuple(replace(k, flags=k.flags | _REVOKED) if k.signs_data else k for k in zone.signing.keys)
            _set_keys(zone, keys)


@named("one-operator")
class OneOperator(ZoneFault):
    """Signs with half of the zone's four or more keys, the first (1 unless given) or the last: one of two operators."""

    default_value = 1

    def alter(self, zone: Zone) -> None:
        if zone.signing is not None and len(zone.signing.keys) > 3:
            half = len(zone.signing.keys) // 2
            keys = zone.signing.keys[:half] if self.quantity == 1 else zone.signing.keys[half:]
            zone.signing = replace(zone.signing, keys=keys)


@named("no-sep")
class NoSep(ZoneFault):
    """Has no SEP flag in any of its keys."""

    def alter(self, zone: Zone) -> None:
        if zone.signing is not None:
            _set_keys(zone, tuple(replace(key, flags=key.flags & ~1) for key in zone.signing.keys))


def _set_keys(zone: Zone, keys: tuple[KeySpec, ...]) -> None:
    assert zone.signing is not None
    zone.signing = replace(zone.signing, keys=keys)
    zone.nodes[zone.apex][codes.DNSKEY].rdatas = tuple(map(dnskey_rdata, keys))


@named("stray-key")
class StrayKey(ZoneFault):
    """Adds a DNSKEY of the name `www` to the answer about its own."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.DNSKEY and response.answer:
            first = response.answer[0]
            response.answer = [*response.answer, RRset(b"\3www" + first.owner, codes.DNSKEY, 3600, first.rdatas[:1])]


@named("many-ds")
class ManyDs(DelegationFault):
    """Publishes `value` DS records of keys that do not exist beside the right one (4 unless given)."""

    default_value = 4

    def delegate(self, zone: ZoneSpec) -> ZoneSpec:
        if not zone.ds:
            return zone
        first = zone.ds[0]
        strangers = (DsSpec(replace(first.key, index=300 + n)) for n in range(self.quantity))
        return replace(zone, ds=(first, *strangers))


@named("ds-of-last-too")
class DsOfLastToo(DelegationFault):
    """Publishes the DS record of the zone's last key beside the others."""

    def delegate(self, zone: ZoneSpec) -> ZoneSpec:
        if zone.signing is None:
            return zone
        return replace(zone, ds=tuple(dict.fromkeys((*zone.ds, DsSpec(zone.signing.keys[-1])))))


@named("ds-referral")
class DsReferral(ZoneFault):
    """Answers questions for the DS record of a delegation with the delegation."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.DS:
            zone = world.zone_for(request.name, codes.DS)
            node = zone.nodes.get(request.name, {})
            if request.name in zone.cuts:
                response.aa, response.answer, response.authority = False, [], [node[codes.NS]]


@named("ds-refused")
class DsRefused(ZoneFault):
    """Refuses questions for DS records."""

    def reshape(self, request: Request, response: Response, world: World) -> None:
        if request.qtype == codes.DS:
            response.empty(codes.REFUSED)
