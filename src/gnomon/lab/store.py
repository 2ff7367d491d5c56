"""A world as a directory:

    world.jsonl      zones, hosts and faults, one JSON object a line, the format's name in the first
    addresses.csv    real,loopback: where each name server address is served
    zones.txt        the population: the zones that a survey of this world is about
    hints.zone       NS and addresses of the root, as root hints
    trust-anchor.ds  DS of the root's KSK
    asn.csv          first,last,asn,name: the routing table, if the world has one

A world is loaded from the first three and asn.csv; the rest is for the tools that survey it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from gnomon.base import Address, InputError, Name, parse_address
from gnomon.lab.spec import (
    DEFAULT_CLOCK_S,
    DsSpec,
    KeySpec,
    NetworkSpec,
    Placement,
    RecordSpec,
    SigningSpec,
    SoaSpec,
    ZoneSpec,
)
from gnomon.lab.world import World
from gnomon.sources.addressmap import read_address_map
from gnomon.sources.files import at_line, lines, table

_FORMAT = "gnomon lab world"
_VERSION = 1


def save(world: World, directory: Path) -> None:
    """Write a world into a directory, which is made if it is not there; files of these names are replaced.

    Raises:
        InputError: the directory cannot be written.
    """
    rows: list[Mapping[str, Any]] = [{"format": _FORMAT, "version": _VERSION}]
    rows += [{"zone": _zone_row(zone)} for zone in world.zones.values()]
    rows += [{"host": str(name), "addresses": [str(a) for a in addresses]} for name, addresses in world.hosts.items()]
    rows += [{"fault": f.fault, "at": f.at, "zone": _text(f.zone), "value": f.value} for f in world.faults]
    contents = {
        "world.jsonl": "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows),
        "addresses.csv": "real,loopback\n" + "".join(f"{a},{b}\n" for a, b in world.loopback.items()),
        "zones.txt": "".join(f"{name}\n" for name in world.population),
        "hints.zone": "".join(
            f". 518400 IN NS {name}\n"
            + "".join(f"{name} 518400 IN {'A' if a.version == 4 else 'AAAA'} {a}\n" for a in addresses)
            for name, addresses in world.hints().items()
        ),
        "trust-anchor.ds": "".join(f"{ds}\n" for ds in world.trust_anchors()),
        "asn.csv": _networks_text(world.networks),
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            path = directory / name
            if text:
                path.write_text(text, "utf-8")
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"the lab world cannot be written to {directory}: {error.strerror}") from None


def load(directory: Path, *, clock_s: int = DEFAULT_CLOCK_S) -> World:
    """Read a world.

    Raises:
        InputError: a file is missing or malformed (file, line, reason).
    """
    zones: list[ZoneSpec] = []
    hosts: dict[Name, tuple[Address, ...]] = {}
    faults: list[Placement] = []
    path = directory / "world.jsonl"
    if not path.is_file():
        raise InputError(f"{directory} holds no lab world (no world.jsonl); make one with `gnomon lab build`")
    for number, line in lines(path):
        try:
            row = json.loads(line)
            if number == 1:
                _check_format(row)
            elif "zone" in row and "fault" not in row:
                zones.append(_zone(row["zone"]))
            elif "host" in row:
                hosts[_name(row["host"])] = tuple(parse_address(a) for a in row["addresses"])
            elif "fault" in row:
                zone = None if row["zone"] is None else _name(row["zone"])
                faults.append(Placement(row["fault"], row["at"], zone, row["value"]))
            else:
                raise ValueError("neither zone, host nor fault")
        except (ValueError, KeyError, TypeError, AttributeError, InputError) as error:
            what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else error
            raise at_line(path, number, f"not a line of a lab world: {what}") from None
    address_map = read_address_map(directory / "addresses.csv").loopback
    loopback = {real: local for real, local in address_map.items() if isinstance(local, IPv4Address)}
    population = [_population_name(directory / "zones.txt", n, text) for n, text in lines(directory / "zones.txt")]
    try:
        return World(
            zones, hosts, faults=faults, networks=_networks(directory / "asn.csv"), population=population,
            loopback=loopback, clock_s=clock_s,
        )  # fmt: skip
    except InputError as error:
        raise InputError(f"{directory}: {error}") from None


def _check_format(row: Any) -> None:
    if row.get("format") != _FORMAT or row.get("version") != _VERSION:
        raise ValueError(f"the first line must say format {_FORMAT!r} and version {_VERSION}; build the world anew")


def _population_name(path: Path, number: int, text: str) -> Name:
    try:
        return _name(text)
    except InputError as error:
        raise at_line(path, number, error) from None


def _networks_text(networks: Iterable[NetworkSpec]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    rows = [(n.first, n.last, n.asn, n.name) for n in networks]
    if rows:
        writer.writerows([("first", "last", "asn", "name"), *rows])
    return out.getvalue()


def _networks(path: Path) -> list[NetworkSpec]:
    if not path.exists():
        return []
    out = []
    for number, (first, last, asn, name) in table(path, ("first", "last", "asn", "name"), range(4, 5)):
        try:
            out.append(NetworkSpec(parse_address(first), parse_address(last), int(asn), name))
        except (InputError, ValueError) as error:
            raise at_line(path, number, error) from None
    return out


# Zones as JSON: values that are the default are left out


def _zone_row(zone: ZoneSpec) -> dict[str, Any]:
    soa = zone.soa
    row: dict[str, Any] = {
        "name": str(zone.name),
        "ns": [str(name) for name in zone.ns],
        "child_ns": None if zone.child_ns is None else [str(name) for name in zone.child_ns],
        "soa": [str(soa.mname), str(soa.rname), soa.serial, soa.refresh_s, soa.retry_s, soa.expire_s, soa.minimum_s],
        "hidden": [str(name) for name in zone.hidden],
        "ttl_s": zone.ttl_s,
        "ns_ttl_s": zone.ns_ttl_s,
        "glue": {str(name): [str(a) for a in addresses] for name, addresses in zone.glue.items()},
        "ds": [[astuple(ds.key), ds.digest_type, ds.corrupt] for ds in zone.ds],
        "records": [[str(r.owner), r.rtype, r.ttl_s, [rdata.hex() for rdata in r.rdatas]] for r in zone.records],
    }
    if zone.signing is not None:
        row["signing"] = asdict(zone.signing) | {
            "keys": [astuple(key) for key in zone.signing.keys],
            "nsec3_salt": zone.signing.nsec3_salt.hex(),
        }
    return {key: value for key, value in row.items() if value not in (None, [], {})}


def _zone(row: Any) -> ZoneSpec:
    mname, rname, *numbers = row["soa"]
    return ZoneSpec(
        _name(row["name"]),
        tuple(map(_name, row["ns"])),
        SoaSpec(_name(mname), _name(rname), *map(_number, numbers)),
        child_ns=tuple(map(_name, row["child_ns"])) if "child_ns" in row else None,
        signing=_signing(row["signing"]) if "signing" in row else None,
        ds=tuple(DsSpec(_key(key), _number(digest), bool(corrupt)) for key, digest, corrupt in row.get("ds", ())),
        glue={_name(name): tuple(map(parse_address, a)) for name, a in row.get("glue", {}).items()},
        records=tuple(
            RecordSpec(_name(owner), _number(rtype), _number(ttl_s), tuple(map(bytes.fromhex, rdatas)))
            for owner, rtype, ttl_s, rdatas in row.get("records", ())
        ),
        ttl_s=_number(row["ttl_s"]),
        ns_ttl_s=_number(row["ns_ttl_s"]),
        hidden=tuple(map(_name, row.get("hidden", ()))),
    )


@cache
def _name(text: str) -> Name:
    return Name(Name.from_text(text).key)


def _text(name: Name | None) -> str | None:
    return None if name is None else str(name)


def _number(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << 32:
        raise ValueError(f"{value!r} is not a number from 0 to 4294967295")
    return value


def _key(values: Any) -> KeySpec:
    return _key_of(tuple(values))


@cache
def _key_of(values: tuple[Any, ...]) -> KeySpec:
    flags, algorithm, index, bits, signs_keys, signs_data, protocol = values
    return KeySpec(
        _number(flags), _number(algorithm), _number(index), _number(bits), bool(signs_keys), bool(signs_data),
        _number(protocol),
    )  # fmt: skip


def _signing(row: Any) -> SigningSpec:
    if row["denial"] not in ("nsec", "nsec3"):
        raise ValueError(f"the denial {row['denial']!r} is neither nsec nor nsec3")
    return SigningSpec(
        tuple(_key(key) for key in row["keys"]),
        row["denial"],
        _number(row["nsec3_iterations"]),
        bytes.fromhex(row["nsec3_salt"]),
        bool(row["nsec3_opt_out"]),
        int(row["inception_s"]),
        int(row["expiration_s"]),
    )
