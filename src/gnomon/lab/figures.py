"""Figures about a real root zone, from which an embedded population is drawn (`data/root-figures.toml`).

To compute them again from another root zone file (plain or gzip, from IANA), at the top of a checkout:

    python -m gnomon.lab.figures root.zone.gz > src/gnomon/lab/data/root-figures.toml
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from gnomon.base import Address, Name
from gnomon.sources.zonefile import ParentZone, read_parent_zone

_HEAD = """\
# Figures about the root zone with serial {serial}, computed by gnomon.lab.figures from the file that IANA publishes.
# A platform is a group of zones whose name servers have their IPv4 addresses in the same set of /24 networks.
# "Named inside" counts the zones all of whose name servers have names inside the zone.
# DS sets are written algorithm/digest type, one per DS record; each counts the zones that have it.
"""


@dataclass(frozen=True, slots=True)
class RootFigures:
    """What `data/root-figures.toml` holds; lists of (value, count)."""

    serial: int
    soa_timers_s: tuple[int, int, int, int]
    zones: int
    unsigned: int
    named_inside: int
    name_servers: tuple[tuple[int, int], ...]
    hosts_dual: int
    hosts_ipv4_only: int
    hosts_ipv6_only: int
    ds_sets: tuple[tuple[str, int], ...]
    platforms: tuple[tuple[int, int, int], ...]  # zones, networks, how many such platforms


@cache
def root_figures() -> RootFigures:
    """The figures packaged with Gnomon."""
    text = resources.files("gnomon.lab").joinpath("data/root-figures.toml").read_text("utf-8")
    data = tomllib.loads(text)
    return RootFigures(
        data["serial"],
        tuple(data["soa_timers_s"]),
        data["zones"],
        data["unsigned"],
        data["named_inside"],
        tuple((int(n), count) for n, count in data["name_servers"].items()),
        data["hosts"]["dual"],
        data["hosts"]["ipv4_only"],
        data["hosts"]["ipv6_only"],
        tuple(data["ds_sets"].items()),
        tuple((zones, networks, count) for zones, networks, count in data["platforms"]),
    )


def compute(root: ParentZone) -> str:
    """The figures of a root zone as TOML."""
    platforms: Counter[frozenset[int]] = Counter()
    ds_sets: Counter[str] = Counter()
    for zone, names in root.ns.items():
        platforms[_networks(names, root.addresses)] += 1
        if zone in root.ds:
            ds_sets[" ".join(sorted(f"{ds.algorithm}/{ds.digest_type}" for ds in root.ds[zone]))] += 1
    shapes = Counter((zones, len(networks)) for networks, zones in platforms.items())
    hosts = Counter(
        frozenset(a.version for a in root.addresses.get(host, ()))
        for host in {h for ns in root.ns.values() for h in ns}
    )
    soa = root.soa
    sizes = Counter(len(names) for names in root.ns.values())
    lines = [
        _HEAD.format(serial=soa.serial),
        f"serial = {soa.serial}",
        f"soa_timers_s = [{soa.refresh_s}, {soa.retry_s}, {soa.expire_s}, {soa.minimum_s}]",
        f"zones = {len(root.ns)}",
        f"unsigned = {len(root.ns) - len(root.ds)}",
        f"named_inside = {sum(all(h.is_subdomain_of(z) for h in ns) for z, ns in root.ns.items())}",
        f"platforms = [  # zones, networks, how many such platforms\n{_rows(shapes)}]",
        "",
        "[hosts]",
        f"dual = {hosts[frozenset({4, 6})]}",
        f"ipv4_only = {hosts[frozenset({4})]}",
        f"ipv6_only = {hosts[frozenset({6})]}",
        "",
        "[name_servers]  # per zone",
        *(f"{number} = {count}" for number, count in sorted(sizes.items())),
        "",
        "[ds_sets]",
        *(f'"{text}" = {count}' for text, count in ds_sets.most_common()),
    ]
    return "\n".join(lines) + "\n"


def _networks(names: Iterable[Name], addresses: Mapping[Name, tuple[Address, ...]]) -> frozenset[int]:
    return frozenset(int(a) >> 8 for name in names for a in addresses.get(name, ()) if a.version == 4)


def _rows(shapes: Counter[tuple[int, int]]) -> str:
    rows = sorted(shapes.items(), reverse=True)
    return "".join(f"    [{zones}, {networks}, {count}],\n" for (zones, networks), count in rows)


if __name__ == "__main__":
    sys.stdout.write(compute(read_parent_zone(Path(sys.argv[1]))))
