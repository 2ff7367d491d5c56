"""Synthetic zones of top-level domains, common to all populations, and a sprinkle of faults among them.

The keys are the lab's: nobody but IANA and the registries can make the root's and the TLDs' signatures. Where a real
root zone publishes DS records, the lab's root publishes as many, of the same algorithms and digest types, for keys
of the lab.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from random import Random

from gnomon.base import ROOT, Address, Name
from gnomon.lab.spec import (
    SIGNING_ALGORITHMS,
    DsSpec,
    KeySpec,
    Placement,
    SigningSpec,
    SoaSpec,
    ZoneSpec,
    split_keys,
)
from gnomon.lab.world import World

_TIMERS = ((14_400, 3_600, 1_209_600, 3_600), (21_600, 3_600, 2_419_200, 3_600), (28_800, 7_200, 1_209_600, 1_800))
_RSASHA1 = 5  # says nothing about NSEC3 (RFC 5155 section 2), so its zones have NSEC
_POOL = 4  # key pairs per algorithm; zones share them

# (fault, where, weight): what is wrong in a population. `one`: at one address that serves no other zone;
# `server`: at one name server of the zone; `all` and `parent` as in a placement.
_SPRINKLE = (
    ("dead", "one", 4),
    ("no-tcp", "one", 3),
    ("no-edns", "one", 1),
    ("edns-version-ignored", "one", 2),
    ("option-echoed", "one", 1),
    ("truncating", "one", 1),
    ("recursive", "one", 1),
    ("version-shown", "one", 3),
    ("upward-referral", "one", 1),
    ("type-dropped", "one", 1),
    ("lame-refused", "server", 3),
    ("not-aa", "server", 1),
    ("stale-serial", "server", 4),
    ("other-ns-set", "server", 2),
    ("other-timers", "server", 1),
    ("axfr-open", "server", 2),
    ("expired-signatures", "all", 1),
    ("expiring-signatures", "all", 2),
    ("wrong-signatures", "server", 1),
    ("no-denial", "server", 1),
    ("wrong-ds", "parent", 1),
)
_OF_SIGNED = {"expired-signatures", "expiring-signatures", "wrong-signatures", "no-denial", "wrong-ds"}


def tld_zone(name: Name, ns: tuple[Name, ...], ds: Sequence[tuple[int, int, int]], serial: int) -> ZoneSpec:
    """A healthy zone of a TLD.

    Args:
        ds: (number of the key from 0, algorithm, digest type) of each DS record; none for an unsigned zone. Keys
            of algorithms that the lab cannot make are left out.
    """
    draw = _draw(name)
    refresh_s, retry_s, expire_s, minimum_s = _TIMERS[draw % len(_TIMERS)]
    soa = SoaSpec(ns[0], _rname(name), serial - draw % 40, refresh_s, retry_s, expire_s, minimum_s)
    usable = [row for row in ds if row[1] in SIGNING_ALGORITHMS]
    if not usable:
        return ZoneSpec(name, ns, soa, ns_ttl_s=172_800)
    keys: dict[tuple[int, int], KeySpec] = {}
    zsks: dict[int, KeySpec] = {}
    for number, algorithm, _ in usable:
        # Every key that has a DS signs the DNSKEY RRset, as in the middle of a roll.
        ksk, zsk = split_keys(algorithm, (draw + number) % _POOL)
        keys.setdefault((number, algorithm), ksk)
        zsks.setdefault(algorithm, zsk)
    signing = SigningSpec(
        (*keys.values(), *zsks.values()),
        denial="nsec" if draw % 100 < 15 or _RSASHA1 in zsks else "nsec3",
        nsec3_opt_out=draw % 100 < 75,
    )
    ds_specs = tuple(dict.fromkeys(DsSpec(keys[number, algorithm], digest) for number, algorithm, digest in usable))
    return ZoneSpec(name, ns, soa, signing=signing, ds=ds_specs, ns_ttl_s=172_800)


def root_zone(ns: tuple[Name, ...], soa: SoaSpec) -> ZoneSpec:
    """The root: RSA/SHA-256 with 2,048 bits and NSEC, and the TTLs of the real one."""
    return ZoneSpec(ROOT, ns, soa, signing=SigningSpec(split_keys(8, 0)), ttl_s=86_400, ns_ttl_s=518_400)


def sprinkle(world: World, zones: Iterable[Name], seed: int, share: float) -> list[Placement]:
    """Faults for about `share` of the zones, one each; the same for the same seed."""
    random = Random(f"gnomon lab faults {seed}")
    candidates = list(zones)
    random.shuffle(candidates)
    kinds = [row[0] for row in _SPRINKLE]
    weights = [row[2] for row in _SPRINKLE]
    where = {fault: place for fault, place, _ in _SPRINKLE}
    out: list[Placement] = []
    wanted = round(share * len(candidates))
    for name in candidates:
        if len(out) == wanted:
            break
        (fault,) = random.choices(kinds, weights)
        at = _place(world, world.zones[name], where[fault], random)
        if at is not None and (fault not in _OF_SIGNED or world.zones[name].ds):
            out.append(Placement(fault, at, name))
    return sorted(out, key=lambda placement: placement.zone or ROOT)


def _place(world: World, zone: ZoneSpec, where: str, random: Random) -> str | None:
    if where == "one":
        own: list[Address] = [a for a in world.servers_of(zone) if len(world.zones_at[a]) == 1]
        return str(random.choice(own)) if own else None
    if where == "server":
        return str(random.choice(zone.ns))
    return where


def _rname(name: Name) -> Name:
    return Name.from_wire(b"\x0ahostmaster\x03nic" + name.key)


def _draw(name: Name) -> int:
    """A number for a name that is the same in every process and every world."""
    return int.from_bytes(hashlib.sha256(b"gnomon lab zone " + name.key).digest()[:4], "big")
