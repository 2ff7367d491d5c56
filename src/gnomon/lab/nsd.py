"""The same population on a real name server: signed zone files and a configuration for NSD (or any other) on loopback.

A server that holds a parent and its child answers for both, so that no referral is seen. Therefore one instance per
depth: that of depth 0 has the root and what else is served at root server addresses, that of depth 1 the TLDs, and
so on. Faults are left out: a real server cannot have most of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from gnomon.base import Address, InputError, Name, RRType
from gnomon.lab.records import SERVER_UDP_SIZE_OCTETS, RRset
from gnomon.lab.spec import ZoneSpec
from gnomon.lab.world import World

_CONFIG = """\
server:
    ip-address: {address}@{port}
    server-count: 1
    zonesdir: "{zones}"
    database: ""
    pidfile: "{instance}/nsd.pid"
    zonelistfile: "{instance}/zone.list"
    xfrdfile: "{instance}/xfrd.state"
    logfile: "{instance}/nsd.log"
    username: ""
    chroot: ""
    hide-version: yes
    hide-identity: yes
    rrl-ratelimit: 0
    ipv4-edns-size: {size}
    minimal-responses: yes

remote-control:
    control-enable: no

"""


@dataclass(frozen=True, slots=True)
class NsdInstance:
    """One name server to run: `nsd -d -c config`."""

    config: Path
    address: IPv4Address
    zones: tuple[Name, ...]


def export_for_nsd(world: World, directory: Path, port: int) -> tuple[NsdInstance, ...]:
    """Write zone files, a configuration per instance and the address map that leads to the instances.

    `addresses.csv` in the directory (real,loopback) is used in place of the world's own. Signatures are valid from
    the world's clock.

    Raises:
        InputError: the directory cannot be written.
    """
    depth_of: dict[Address, int] = {
        address: min(len(zone.name.labels) for zone in zones) for address, zones in world.zones_at.items()
    }
    instances = []
    directory = directory.resolve()
    try:
        zones_dir = directory / "zones"
        zones_dir.mkdir(parents=True, exist_ok=True)
        for zone in world.zones.values():
            text = zone_text(world, zone)
            (zones_dir / _file_name(zone.name)).write_text(text, "ascii")
        for depth in sorted(set(depth_of.values())):
            folder = directory / f"instance-{depth}"
            folder.mkdir(exist_ok=True)
            served: dict[Name, None] = {}
            for address, zones in world.zones_at.items():
                if depth_of[address] == depth:
                    served.update(dict.fromkeys(zone.name for zone in zones))
            config = _CONFIG.format(
                address=_local(depth), port=port, zones=zones_dir, instance=folder, size=SERVER_UDP_SIZE_OCTETS
            ) + "".join(f'zone:\n    name: "{name}"\n    zonefile: "{_file_name(name)}"\n\n' for name in served)
            path = folder / "nsd.conf"
            path.write_text(config, "ascii")
            instances.append(NsdInstance(path, _local(depth), tuple(served)))
        rows = "".join(f"{address},{_local(depth)}\n" for address, depth in depth_of.items())
        (directory / "addresses.csv").write_text("real,loopback\n" + rows, "ascii")
    except OSError as error:
        raise InputError(f"the zones cannot be written to {directory}: {error.strerror}") from None
    return tuple(instances)


def zone_text(world: World, zone: ZoneSpec) -> str:
    """A zone as a master file, signed, one record a line."""
    return "".join(_lines(rrset) for rrset in world.zone(zone.name.key).all_rrsets())


def _lines(rrset: RRset) -> str:
    head = f"{Name(rrset.owner)} {rrset.ttl_s} IN {RRType(rrset.rtype)}"
    rtype = dns.rdatatype.RdataType.make(rrset.rtype)
    rdatas = (dns.rdata.from_wire(dns.rdataclass.IN, rtype, r, 0, len(r)) for r in rrset.rdatas)
    return "".join(f"{head} {rdata.to_text()}\n" for rdata in rdatas)


def _file_name(name: Name) -> str:
    """The zone's name in hexadecimal where it is more than letters, digits and hyphens."""
    text = str(name).removesuffix(".")
    plain = text.replace(".", "").replace("-", "").isalnum() and text.isascii()
    return (text if plain else "x" + name.key.hex()) + ".zone" if not name.is_root else "root.zone"


def _local(depth: int) -> IPv4Address:
    return IPv4Address(f"127.2.{depth}.1")
