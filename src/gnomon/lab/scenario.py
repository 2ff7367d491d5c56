"""Scenarios: a small healthy world, changed in a few places, with faults; what tests of checks are written in.

The base world: the root (two servers), `test.` (two), `other.test.` (two) and `example.test.` with the name servers
ns1.example.test., ns2.example.test. and ns1.other.test.; all signed with ECDSA P-256 and NSEC, every server with an
IPv4 and an IPv6 address in a prefix and an AS of its own; and `arpa.`, unsigned, with their names. example.test.
takes mail at mail.example.test. and has the policies for it. The addresses are
in globally routable space but are never contacted: the world runs in the process or on loopback.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import dns.exception
import dns.rdataset
import dns.zonefile

from gnomon.base import ROOT, Address, InputError, Name, codes, parse_address, reverse_name
from gnomon.base.signals import signal_name
from gnomon.lab.faults import make_fault
from gnomon.lab.keys import dnskey_rdata, ds_rdata
from gnomon.lab.spec import (
    DAY_S,
    DEFAULT_CLOCK_S,
    DsSpec,
    KeySpec,
    NetworkSpec,
    Placement,
    RecordSpec,
    SigningSpec,
    SoaSpec,
    ZoneSpec,
    split_keys,
)
from gnomon.lab.world import World

ZONE = Name.from_text("example.test.")

LOOKUP = Name.from_text("lookup.other.test.")
"""The zone of the prefix look-up service; its records are the `lookup` of a scenario's world: texts by address."""

_TEST = Name.from_text("test.")
_ARPA = Name.from_text("arpa.")
_OTHER = Name.from_text("other.test.")
_FIRST_ASN = 4_200_000_001  # private use (RFC 6996)
_HOSTS = (
    "a.root-servers.test.", "b.root-servers.test.", "a.nic.test.", "b.nic.test.", "ns1.other.test.", "ns2.other.test.",
    "ns1.example.test.", "ns2.example.test.", "mail.example.test.",
)  # fmt: skip
_WORLD_KEYS = frozenset(
    {"ns", "child_ns", "addresses", "glue", "signed", "algorithm", "rsa_bits", "csk", "denial", "nsec3", "ds", "cds",
     "soa", "validity", "extra_keys", "mx", "spf", "ptr", "ns_alias", "records", "ttl", "ns_ttl", "parent_signed",
     "parent_ttl", "clock", "lookup", "services", "signals", "elsewhere", "elsewhere_signed", "raw",
     "other_ns", "hidden"}
)  # fmt: skip
_SERVICES = (
    '_dmarc.example.test. 3600 IN TXT "v=DMARC1; p=reject"',
    'one._domainkey.example.test. 3600 IN TXT "v=DKIM1; p="',
    'example.test. 3600 IN CAA 0 issue "ca.test"',
)  # fmt: skip
_DS_MODES = ("good", "none", "wrong-digest", "sha1", "sha384", "no-key", "extra-no-key", "parent-differs", "each-ksk")
_CDS_MODES = (
    "none", "match", "other", "delete", "of-zsk", "cds-only", "cdnskey-only", "mismatch", "delete-mixed", "delete-odd",
    "wrong-digest",
)  # fmt: skip
_SIGNAL_MODES = ("none", "match", "other")
_FLAGS_REVOKE = 0x0080


@dataclass(frozen=True, slots=True)
class Scenario:
    """One named scenario of a file: a world, and the codes that the check must and must not yield in it.

    `zone` is the zone to be surveyed and judged. `undelegated` gives its delegation by hand (`ns` as "name" or
    "name/address", `ds` as text); `routing` says whether the world's routing table is given; `bounds` are those of the
    plan that are others than an assessment's.
    """

    name: str
    must: tuple[str, ...]
    must_not: tuple[str, ...]
    world: Mapping[str, Any]
    faults: tuple[Placement, ...]
    zone: Name = ZONE
    undelegated: Mapping[str, Sequence[str]] | None = None
    routing: bool = True
    bounds: Mapping[str, int] = field(default_factory=dict)

    def build(self) -> World:
        """The world of this scenario; example.test. is the zone that it is about.

        Raises:
            InputError: a key or value that does not exist.
        """
        return build_world(self.world, self.faults)


def load_scenarios(path: Path) -> tuple[Scenario, ...]:
    """The scenarios of a TOML file.

    Raises:
        InputError: not TOML, or not scenarios; says which scenario and key.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: the scenario file cannot be read: {error}") from None
    rows = data.get("scenario")
    if not isinstance(rows, list) or set(data) != {"scenario"}:
        raise InputError(f"{path}: a scenario file holds [[scenario]] tables and nothing else")
    try:
        return tuple(_scenario(row) for row in rows)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _scenario(row: Mapping[str, Any]) -> Scenario:
    name = row.get("name")
    if not isinstance(name, str):
        raise InputError("a scenario has no name")
    unknown = set(row) - {"name", "must", "must_not", "world", "faults", "zone", "undelegated", "routing", "bounds"}
    if unknown:
        raise InputError(f"scenario {name!r}: unknown key {sorted(unknown)[0]!r}")
    faults = []
    for fault in row.get("faults", []):
        if set(fault) - {"fault", "at", "zone", "value"} or not {"fault", "at"} <= set(fault):
            raise InputError(f"scenario {name!r}: a fault has the keys fault, at, and optionally zone and value")
        make_fault(fault["fault"], fault.get("value"))
        zone = Name.from_text(fault.get("zone", str(ZONE)))
        faults.append(Placement(fault["fault"], fault["at"], zone, fault.get("value")))
    return Scenario(
        name, tuple(row.get("must", ())), tuple(row.get("must_not", ())), row.get("world", {}), tuple(faults),
        Name.from_text(row.get("zone", str(ZONE))), row.get("undelegated"), bool(row.get("routing", True)),
        row.get("bounds", {}),
    )  # fmt: skip


def build_world(changes: Mapping[str, Any] | None = None, faults: Iterable[Placement] = ()) -> World:
    """The base world with these changes (the keys of a scenario's `world` table) and faults.

    Raises:
        InputError: a key or value that does not exist.
    """
    changes = changes or {}
    unknown = set(changes) - _WORLD_KEYS
    if unknown:
        known = ", ".join(sorted(_WORLD_KEYS))
        raise InputError(f"the scenario's world has an unknown key {sorted(unknown)[0]!r}; known are: {known}")
    ns = _names(changes.get("ns", ["ns1.example.test.", "ns2.example.test.", "ns1.other.test."]))
    child_ns = _names(changes["child_ns"]) if "child_ns" in changes else None
    aliases = {Name.from_text(a): Name.from_text(b) for a, b in changes.get("ns_alias", {}).items()}
    hosts, networks = _hosts([*ns, *(child_ns or ()), *aliases.values()], aliases, changes.get("addresses", {}))
    zone, extra_faults = _zone(changes, ns, child_ns, aliases)
    parent_signed = bool(changes.get("parent_signed", True))
    root = _base_zone(ROOT, ["a.root-servers.test.", "b.root-servers.test."], 0)
    test = _base_zone(_TEST, ["a.nic.test.", "b.nic.test."], 1)
    test = replace(test, ttl_s=int(changes.get("parent_ttl", test.ttl_s)))
    if not parent_signed:
        test = replace(test, signing=None, ds=())
    other = _base_zone(_OTHER, ["ns1.other.test.", "ns2.other.test."], 2)
    elsewhere = parse_records(changes.get("elsewhere", []))
    lookups = [*_lookups(changes.get("lookup", {})), *_signals(changes.get("signals", "none"), zone)]
    if "other_ns" in changes:
        # Without glue: who delegates these names circularly means it.
        names = _names(changes["other_ns"])
        other = replace(other, ns=names, glue=dict.fromkeys(names, ()))
    other = replace(other, records=tuple(lookups))
    test, other = (
        replace(above, records=(*above.records, *(r for r in elsewhere if _holder(r.owner) == above.name)))
        for above in (test, other)
    )
    if not changes.get("elsewhere_signed", True):
        other = replace(other, signing=None, ds=())
    return World(
        [root, test, other, _reverse_zone(hosts, changes.get("ptr", {})), zone], hosts,
        faults=[*extra_faults, *faults], networks=networks, population=[ZONE],
        clock_s=int(changes.get("clock", DEFAULT_CLOCK_S)),
    )  # fmt: skip


def _base_zone(name: Name, ns: Sequence[str], index: int) -> ZoneSpec:
    keys = split_keys(13, index)
    servers = _names(ns)
    soa = SoaSpec(servers[0], Name.from_text("hostmaster.example.test."))
    return ZoneSpec(name, servers, soa, signing=SigningSpec(keys), ds=(DsSpec(keys[0]),))


def _lookups(texts: Mapping[str, Sequence[str]]) -> list[RecordSpec]:
    lines = []
    for address in map(parse_address, texts):
        labels = address.reverse_pointer.rpartition(".in-addr" if address.version == 4 else ".ip6")[0]
        owner = f"{labels}.origin{'' if address.version == 4 else '6'}.{LOOKUP}"
        lines += [f'{owner} 3600 IN TXT "{text}"' for text in texts[str(address)]]
    return parse_records(lines)


def _reverse_zone(hosts: Mapping[Name, tuple[Address, ...]], given: Mapping[str, Sequence[str]]) -> ZoneSpec:
    """arpa, unsigned, with the name of every host address."""
    servers = _names(["a.root-servers.test.", "b.root-servers.test."])
    soa = SoaSpec(servers[0], Name.from_text("hostmaster.example.test."))
    names: dict[Address, list[Name]] = {}
    for host, addresses in hosts.items():
        for address in addresses:
            names.setdefault(address, []).append(host)
    names |= {parse_address(address): list(map(Name.from_text, of)) for address, of in given.items()}
    records = [
        RecordSpec(reverse_name(address), codes.PTR, 3600, tuple(name.key for name in of))
        for address, of in names.items()
        if of
    ]
    return ZoneSpec(_ARPA, servers, soa, records=tuple(records))


def _hosts(
    names: Iterable[Name], aliases: Mapping[Name, Name], given: Mapping[str, Sequence[str]]
) -> tuple[dict[Name, tuple[Address, ...]], list[NetworkSpec]]:
    """Addresses of all hosts, and the routing table: a network and an AS per host."""
    hosts: dict[Name, tuple[Address, ...]] = {}
    networks: list[NetworkSpec] = []
    for index, host in enumerate(dict.fromkeys([*map(Name.from_text, _HOSTS), *names])):
        v4 = int(IPv4Address("28.1.1.0")) + index * 0x10100
        v6 = int(IPv6Address("2a10:5001::")) + (index << 96)
        asn, title = _FIRST_ASN + index, f"Lab network {index + 1}"
        networks.append(NetworkSpec(IPv4Address(v4), IPv4Address(v4 + 255), asn, title))
        networks.append(NetworkSpec(IPv6Address(v6), IPv6Address(v6 + (1 << 96) - 1), asn, title))
        if host not in aliases:
            hosts[host] = (IPv4Address(v4 + 53), IPv6Address(v6 + 0x53))
    for text, addresses in given.items():
        hosts[Name.from_text(text)] = tuple(parse_address(address) for address in addresses)
    networks.sort(key=lambda network: (network.first.version, int(network.first)))
    return hosts, networks


def _zone(
    changes: Mapping[str, Any], ns: tuple[Name, ...], child_ns: tuple[Name, ...] | None, aliases: Mapping[Name, Name]
) -> tuple[ZoneSpec, list[Placement]]:
    records = [RecordSpec(alias, codes.CNAME, 3600, (target.key,)) for alias, target in aliases.items()]
    exchanges = changes.get("mx", ["10 mail.example.test."])
    if exchanges:
        records += parse_records(f"{ZONE} 3600 IN MX {exchange}" for exchange in exchanges)
    policies = changes.get("spf", ["v=spf1 mx -all"])
    if policies:
        records += parse_records(f"{ZONE} 3600 IN TXT {_strings(policy)}" for policy in policies)
    records += parse_records(changes.get("services", _SERVICES))
    records += parse_records(changes.get("records", []))
    records += [_raw(line) for line in changes.get("raw", [])]
    signing = _signing(changes) if changes.get("signed", True) else None
    ds, faults = _ds(changes, signing)
    records += _cds(changes.get("cds", "none"), signing, ds)
    zone = ZoneSpec(
        ZONE, ns, _soa(changes.get("soa", {})), child_ns=child_ns, signing=signing, ds=ds, records=tuple(records),
        glue={Name.from_text(n): tuple(map(parse_address, a)) for n, a in changes.get("glue", {}).items()},
        ttl_s=int(changes.get("ttl", 3600)), ns_ttl_s=int(changes.get("ns_ttl", 86_400)),
        hidden=_names(changes.get("hidden", [])),
    )  # fmt: skip
    return zone, faults


def _strings(text: str) -> str:
    """The text of a TXT record as strings of at most 255 octets."""
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text) or 1, 255))


def _signing(changes: Mapping[str, Any]) -> SigningSpec:
    algorithm, bits = int(changes.get("algorithm", 13)), int(changes.get("rsa_bits", 2048))
    keys: tuple[KeySpec, ...] = split_keys(algorithm, 3, bits=bits)
    if changes.get("csk", False):
        keys = (replace(keys[0], signs_data=True),)
    for index, extra in enumerate(changes.get("extra_keys", [])):
        keys = (*keys, _extra_key(extra, 10 + index, algorithm))
    nsec3 = changes.get("nsec3", {})
    validity = changes.get("validity", {})
    _only(nsec3, {"iterations", "salt", "opt_out"}, "nsec3")
    _only(validity, {"inception_s", "expiration_s"}, "validity")
    denial = changes.get("denial", "nsec3" if "nsec3" in changes else "nsec")
    _one_of(denial, ("nsec", "nsec3"), "denial")
    return SigningSpec(
        keys, denial, int(nsec3.get("iterations", 0)), bytes.fromhex(nsec3.get("salt", "")),
        bool(nsec3.get("opt_out", False)), int(validity.get("inception_s", -DAY_S)),
        int(validity.get("expiration_s", 20 * DAY_S)),
    )  # fmt: skip


def _extra_key(extra: Mapping[str, Any], index: int, algorithm: int) -> KeySpec:
    _only(extra, {"flags", "algorithm", "rsa_bits", "protocol", "revoked", "signs"}, "extra_keys")
    flags = int(extra.get("flags", 256)) | (_FLAGS_REVOKE if extra.get("revoked", False) else 0)
    signs = extra.get("signs", "none")
    _one_of(signs, ("none", "keys", "data", "all"), "extra_keys.signs")
    return KeySpec(
        flags,
        int(extra.get("algorithm", algorithm)),
        index,
        int(extra.get("rsa_bits", 2048)),
        signs_keys=signs in ("keys", "all"),
        signs_data=signs in ("data", "all"),
        protocol=int(extra.get("protocol", 3)),
    )


def _ds(changes: Mapping[str, Any], signing: SigningSpec | None) -> tuple[tuple[DsSpec, ...], list[Placement]]:
    """What the parent publishes, and a fault where its servers differ."""
    mode = changes.get("ds", "good")
    _one_of(mode, _DS_MODES, "ds")
    if not changes.get("parent_signed", True) or (signing is None and "ds" not in changes) or mode == "none":
        return (), []
    key = signing.keys[0] if signing is not None else split_keys(int(changes.get("algorithm", 13)), 3)[0]
    good, stranger = DsSpec(key), DsSpec(replace(key, index=key.index + 20))
    if mode == "parent-differs":
        return (good,), [Placement("other-ds", "b.nic.test.", _TEST)]
    return {
        "good": (good,),
        "wrong-digest": (DsSpec(key, corrupt=True),),
        "sha1": (DsSpec(key, 1),),
        "sha384": (DsSpec(key, 4),),
        "no-key": (stranger,),
        "extra-no-key": (good, stranger),
        "each-ksk": tuple(DsSpec(one) for one in (signing.keys if signing is not None else ()) if one.flags & 1),
    }[mode], []


def _holder(owner: Name) -> Name:
    """Which of the zones `other.test.` and `test.` holds a name below `test.`."""
    return _OTHER if owner.is_subdomain_of(_OTHER) else _TEST


def _signals(mode: str, zone: ZoneSpec) -> tuple[RecordSpec, ...]:
    """The CDS and CDNSKEY records by which the operator of ns1.other.test. vouches for the zone (RFC 9615)."""
    _one_of(mode, _SIGNAL_MODES, "signals")
    name = signal_name(ZONE, Name.from_text("ns1.other.test."))
    if mode == "none" or name is None:
        return ()
    own = [r for r in zone.records if r.rtype in (codes.CDS, codes.CDNSKEY) and r.owner == ZONE]
    last = 0 if mode == "match" else 1
    return tuple(replace(r, owner=name, rdatas=tuple(o[:-1] + bytes([o[-1] ^ last]) for o in r.rdatas)) for r in own)


def _cds(mode: str, signing: SigningSpec | None, ds: tuple[DsSpec, ...]) -> list[RecordSpec]:
    """CDS and CDNSKEY at the apex: equal to the DS, of another key, a deletion (RFC 8078 section 4), or faulty."""
    _one_of(mode, _CDS_MODES, "cds")
    if mode == "none" or signing is None:
        return []
    stranger = replace(signing.keys[0], index=signing.keys[0].index + 40)
    key = {"other": stranger, "of-zsk": signing.keys[-1]}.get(mode, signing.keys[0])
    wanted = ds if mode == "match" and ds else (DsSpec(key, corrupt=mode == "wrong-digest"),)
    cds = tuple(ds_rdata(ZONE.key, entry) for entry in wanted)
    cdnskey = (dnskey_rdata(stranger if mode == "mismatch" else key),)
    if mode.startswith("delete"):
        odd = b"\1" if mode == "delete-odd" else b"\0"
        cds = (b"\0\0\0\0" + odd, *(cds if mode == "delete-mixed" else ()))
        cdnskey = (b"\0\0\3\0" + odd, *(cdnskey if mode == "delete-mixed" else ()))
    made = [RecordSpec(ZONE, codes.CDS, 3600, cds), RecordSpec(ZONE, codes.CDNSKEY, 3600, cdnskey)]
    return {"cds-only": made[:1], "cdnskey-only": made[1:]}.get(mode, made)


def _soa(values: Mapping[str, Any]) -> SoaSpec:
    _only(values, {"mname", "rname", "serial", "refresh", "retry", "expire", "minimum"}, "soa")
    return SoaSpec(
        Name.from_text(values.get("mname", "ns1.example.test.")),
        Name.from_text(values.get("rname", "hostmaster.example.test.")),
        int(values.get("serial", 2026010100)), int(values.get("refresh", 14_400)), int(values.get("retry", 3_600)),
        int(values.get("expire", 1_209_600)), int(values.get("minimum", 3_600)),
    )  # fmt: skip


def parse_records(lines: Iterable[str]) -> list[RecordSpec]:
    """Records in presentation form, one a line (owner TTL class type rdata), as RRsets.

    Raises:
        InputError: a line that is no record.
    """
    grouped: dict[tuple[Name, int, int], list[bytes]] = {}
    for line in lines:
        try:
            (rrset,) = dns.zonefile.read_rrsets(line, rdclass=None, default_ttl=3600)
        except (dns.exception.DNSException, ValueError) as error:
            raise InputError(f"{line!r} is not a record in presentation form: {error}") from None
        owner = Name(rrset.name.canonicalize().to_wire() or b"\0")
        rdatas = [rdata.to_digestable() for rdata in rrset]
        grouped.setdefault((owner, int(rrset.rdtype), rrset.ttl), []).extend(rdatas)
    return [RecordSpec(owner, rtype, ttl_s, tuple(rdatas)) for (owner, rtype, ttl_s), rdatas in grouped.items()]


def _raw(line: str) -> RecordSpec:
    """A record whose data may be anything: owner, number of the type, octets in hexadecimal."""
    owner, rtype, octets = line.split()
    return RecordSpec(Name(Name.from_text(owner).key), int(rtype), 60, (bytes.fromhex(octets),))


def _names(texts: Iterable[str]) -> tuple[Name, ...]:
    return tuple(Name(Name.from_text(text).key) for text in texts)


def _only(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            names = ", ".join(sorted(known))
            raise InputError(f"the scenario's {where} has an unknown key {key!r}; known are: {names}")


def _one_of(value: object, known: Sequence[str], where: str) -> None:
    if value not in known:
        raise InputError(f"the scenario's {where} is {value!r}; it must be one of: {', '.join(known)}")
