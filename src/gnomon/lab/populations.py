"""Worlds with a whole population of TLDs: from a real root zone file, or drawn from figures about one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from random import Random
from typing import TypeVar

from gnomon.base import Address, InputError, Name
from gnomon.lab.figures import RootFigures, root_figures
from gnomon.lab.spec import DEFAULT_CLOCK_S, NetworkSpec, SoaSpec, ZoneSpec
from gnomon.lab.tld import root_zone, sprinkle, tld_zone
from gnomon.lab.world import World
from gnomon.sources.zonefile import ParentZone, read_parent_zone

FAULTY_SHARE = 0.04
T = TypeVar("T")

_FIRST_ASN = 4_200_100_000  # private use (RFC 6996)
_SERIAL = 2026110100
_ROOT_SERVERS = tuple(Name.from_text(f"{letter}.root-servers.net.") for letter in "abcdefghijklm")


def build_from_root_zone(
    zone_file: Path, *, seed: int = 0, faulty_share: float = 0.0, clock_s: int = DEFAULT_CLOCK_S
) -> World:
    """A world with the delegations, addresses and DS algorithms of a real root zone.

    Below the delegations all is synthetic, and the root is signed with the lab's keys (see `gnomon.lab.tld`).

    Args:
        zone_file: master file, plain or .gz.
        seed: which faults, if `faulty_share` is not 0.
        faulty_share: share of the TLDs that get a fault.

    Raises:
        InputError: the file cannot be used as a root zone (file, line, reason).
    """
    root = read_parent_zone(zone_file)
    if not root.origin.is_root or not root.apex_ns:
        raise InputError(f"{zone_file} is the zone {root.origin}, not a root zone; give a root zone file from IANA")
    soa = root.soa
    spec = SoaSpec(
        _lower(soa.mname), _lower(soa.rname), soa.serial, soa.refresh_s, soa.retry_s, soa.expire_s, soa.minimum_s
    )  # fmt: skip
    zones = [root_zone(tuple(map(_lower, root.apex_ns)), spec)]
    for name, ns in root.ns.items():
        numbers = {tag: n for n, tag in enumerate(dict.fromkeys(ds.key_tag for ds in root.ds.get(name, ())))}
        ds_rows = [(numbers[ds.key_tag], ds.algorithm, ds.digest_type) for ds in root.ds.get(name, ())]
        zones.append(tld_zone(_lower(name), tuple(map(_lower, ns)), ds_rows, soa.serial // 100 * 100))
    hosts = {_lower(host): root.addresses.get(host, ()) for host in _host_names(root)}
    world = World(zones, hosts, clock_s=clock_s)
    if faulty_share:
        placements = sprinkle(world, world.population, seed, faulty_share)
        world = World(zones, hosts, faults=placements, clock_s=clock_s)
    return world


def build_embedded(
    seed: int = 0,
    *,
    tlds: int | None = None,
    faulty_share: float = FAULTY_SHARE,
    clock_s: int = DEFAULT_CLOCK_S,
) -> World:
    """A world that needs no input: real TLD names, everything else drawn from figures about the real root zone.

    Args:
        seed: same seed, same world.
        tlds: how many TLDs; None for all that the public suffix list knows (over 1,400).
        faulty_share: share of the TLDs that get a fault.

    Raises:
        InputError: more TLDs than there are, or under 2.
    """
    names = _tld_names()
    if tlds is not None and not 2 <= tlds <= len(names):
        raise InputError(f"{tlds} TLDs cannot be built; the embedded world has 2 to {len(names)}")
    random = Random(f"gnomon lab population {seed}")
    random.shuffle(names)
    # The root's own servers are hosts in net.
    net = Name.from_text("net.")
    names.remove(net)
    names.insert(0, net)
    names = names[: tlds or len(names)]
    plan = _Plan(root_figures(), random)
    zones = [root_zone(_ROOT_SERVERS, SoaSpec(_ROOT_SERVERS[0], Name.from_text("nstld.verisign-grs.com."), _SERIAL))]
    plan.place_root()
    for platform in plan.platforms(len(names)):
        members, names = names[: platform.zones], names[platform.zones :]
        zones += plan.place(platform, members)
    networks = sorted(plan.networks, key=lambda n: (n.first.version, int(n.first)))
    world = World(zones, plan.hosts, networks=networks, clock_s=clock_s)
    if faulty_share:
        placements = sprinkle(world, world.population, seed, faulty_share)
        world = World(zones, plan.hosts, faults=placements, networks=networks, clock_s=clock_s)
    return world


@dataclass(frozen=True, slots=True)
class _Platform:
    """Servers that serve the same zones: how many zones, in how many networks."""

    zones: int
    networks: int


@dataclass(slots=True)
class _Network:
    """An IPv4 /24 and an IPv6 /48 of one AS, and how many addresses are taken."""

    v4: int
    v6: int
    taken: int = 0

    def next(self) -> tuple[IPv4Address, IPv6Address]:
        host = self.taken % 250 + 1  # further servers share the addresses of the first
        self.taken += 1
        return IPv4Address(self.v4 + host), IPv6Address(self.v6 + (host << 16) + 0x53)


class _Plan:
    """Draws servers, addresses, networks and keys; in the order of the calls, from one source of randomness."""

    def __init__(self, figures: RootFigures, random: Random) -> None:
        self._figures, self._random = figures, random
        self.hosts: dict[Name, tuple[Address, ...]] = {}
        self.networks: list[NetworkSpec] = []
        self._operators = 0
        # Secondary providers: small registries have a part of their servers there.
        self._secondaries = [self._network(*self._operator(f"Lab secondary {n}")) for n in (1, 2, 3)]

    def platforms(self, zones: int) -> Iterator[_Platform]:
        """Platforms for that many zones, the largest first, in the proportions of the figures."""
        scale = zones / self._figures.zones
        left = zones
        for size, networks, count in sorted(self._figures.platforms, reverse=True):
            for _ in range(count):
                if left == 0:
                    return
                chosen = min(left, max(1, round(size * scale)))
                left -= chosen
                yield _Platform(chosen, networks)
        for _ in range(left):
            yield _Platform(1, 4)

    def place_root(self) -> None:
        """Thirteen root servers, each of an operator of its own."""
        for name in _ROOT_SERVERS:
            network = self._network(*self._operator(f"Lab root operator {name.labels[0].decode()}"))
            self.hosts[name] = network.next()

    def place(self, platform: _Platform, members: list[Name]) -> list[ZoneSpec]:
        """Zones on one platform, with name servers named inside each zone or after the operator."""
        random, figures = self._random, self._figures
        first = self._operator(f"Lab operator {self._operators + 1}")
        second = first if random.random() < 0.2 else (first[0] + 1, first[1] + " anycast")
        servers = max(2, platform.networks) if platform.zones > 1 else self._draw(figures.name_servers)
        networks = [self._network(*(first, second)[n % 2]) for n in range(min(platform.networks, servers))]
        if platform.zones == 1 and random.random() < 0.5:
            networks[-1] = random.choice(self._secondaries)
        if random.random() < figures.named_inside / figures.zones:
            suffixes = {zone: Name.from_wire(b"\x03nic" + zone.key) for zone in members}
        else:
            operator = Name.from_wire(bytes([len(label := b"lab-dns-%d" % first[0])]) + label + b"\x03net\0")
            suffixes = dict.fromkeys(members, operator)
        out = []
        for zone in members:
            ns = tuple(suffixes[zone].prepend(b"%c" % (97 + n)) for n in range(servers))
            for n, host in enumerate(ns):
                if host not in self.hosts:
                    self.hosts[host] = self._families(networks[n % len(networks)].next())
            out.append(tld_zone(zone, ns, self._ds(), _SERIAL))
        return out

    def _ds(self) -> list[tuple[int, int, int]]:
        """DS records like those of some zone: equal ones are of different keys, different digests of one key."""
        figures = self._figures
        if self._random.random() < figures.unsigned / figures.zones:
            return []
        rows: list[tuple[int, int, int]] = []
        for text in self._draw(figures.ds_sets).split():
            algorithm, digest = map(int, text.split("/"))
            rows.append((sum(row[1:] == (algorithm, digest) for row in rows), algorithm, digest))
        return rows

    def _families(self, pair: tuple[IPv4Address, IPv6Address]) -> tuple[Address, ...]:
        figures = self._figures
        (families,) = self._random.choices(
            (pair, pair[:1], pair[1:]), (figures.hosts_dual, figures.hosts_ipv4_only, figures.hosts_ipv6_only)
        )
        return families

    def _draw(self, rows: tuple[tuple[T, int], ...]) -> T:
        return self._random.choices([value for value, _ in rows], [count for _, count in rows])[0]

    def _operator(self, name: str) -> tuple[int, str]:
        """A new operator: the first of two AS numbers, and its name."""
        self._operators += 1
        return _FIRST_ASN + 2 * self._operators, name

    def _network(self, asn: int, name: str) -> _Network:
        """The next /24 and /48; neighbours in the order lie in different /16 and /32."""
        number = len(self.networks) // 2
        v4 = int(IPv4Address("28.0.0.0")) + (number % 256 << 16) + (number // 256 << 8)
        v6 = int(IPv6Address("2a11::")) + (number << 96)
        self.networks.append(NetworkSpec(IPv4Address(v4), IPv4Address(v4 + 255), asn, name))
        self.networks.append(NetworkSpec(IPv6Address(v6), IPv6Address(v6 + (1 << 80) - 1), asn, name))
        return _Network(v4, v6)


def _tld_names() -> list[Name]:
    """The TLDs of the ICANN section of the public suffix list, in order."""
    text = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text("utf-8")
    section = text.partition("===BEGIN ICANN DOMAINS===")[2].partition("===END ICANN DOMAINS===")[0]
    rules = (line.split()[0] for line in section.splitlines() if line.strip() and not line.startswith("//"))
    return sorted({Name(Name.from_text(rule.rpartition(".")[2]).key) for rule in rules})


def _host_names(root: ParentZone) -> dict[Name, None]:
    return dict.fromkeys([*root.apex_ns, *(host for ns in root.ns.values() for host in ns)])


def _lower(name: Name) -> Name:
    return Name(name.key)
