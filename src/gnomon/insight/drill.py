"""Failure drills: what stops resolving, and what is left hanging by a thread, when something goes away.

The rule is the least fixed point of the dependency graph with cold caches: a zone resolves if its parent does and at
least one of its servers is up, serves the zone, and its address can be learnt: from glue, or because the zone that
holds the server's name resolves. Starting from "nothing resolves" makes glueless cycles dark, as they are in reality.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gnomon.base import InputError, Name
from gnomon.insight.indicator import open_tables

KINDS = {"operator": "a DNS operator", "as": "an autonomous system", "address": "one server address"}


@dataclass(frozen=True, slots=True)
class Server:
    """One address of one name server name of one zone, as the survey found it."""

    zone: str
    ns_name: str
    address: str
    family: int
    operator: str
    asn: int | None
    as_name: str
    glue: bool
    serves: bool

    def part(self, kind: str) -> str | None:
        """What the drill of that kind takes away to lose this server; None where it is not known."""
        if kind == "as":
            return None if self.asn is None else f"AS{self.asn}"
        return self.operator if kind == "operator" else self.address


@dataclass(frozen=True, slots=True)
class Affected:
    """A zone that a drill touches. `left` counts the addresses that still serve it, of `before`."""

    zone: str
    result: str
    left: int
    before: int
    why: str


@dataclass(frozen=True, slots=True)
class DrillResult:
    """Outcome of one drill. Zones not listed are unaffected.

    Results: dark (resolves no longer), brittle (one address, operator or AS is left), degraded (under half of the
    addresses are left, or a family is gone), touched (lost something, still sound).
    """

    kind: str
    lost: str
    label: str
    zones: int
    already_dark: int
    rounds: int
    affected: tuple[Affected, ...]

    def count(self, result: str) -> int:
        return sum(a.result == result for a in self.affected)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One line of the ranking of single points of failure."""

    lost: str
    label: str
    touched: int
    dark: int
    brittle: int


class Graph:
    """Zones, their servers, and which zone holds which server name; built once, drilled many times."""

    def __init__(self, servers: Iterable[Server], zones: Iterable[str]) -> None:
        self.zones = sorted(set(zones))
        self.servers: dict[str, list[Server]] = {zone: [] for zone in self.zones}
        for server in servers:
            self.servers[server.zone].append(server)
        hosts = {s.ns_name for group in self.servers.values() for s in group}
        self._host_zone = {host: self._enclosing(Name.from_text(host)) for host in hosts}
        self._parent = {zone: self._enclosing(Name.from_text(zone).parent()) for zone in self.zones if zone != "."}
        self._dependants: dict[str, set[str]] = defaultdict(set)
        for zone in self.zones:
            for need in self._needs(zone):
                self._dependants[need].add(zone)
        self._by_part: dict[str, dict[str, list[Server]]] = {kind: defaultdict(list) for kind in KINDS}
        for group in self.servers.values():
            for server in group:
                for kind in KINDS:
                    part = server.part(kind)
                    if part is not None:
                        self._by_part[kind][part].append(server)
        self.resolves, _ = self._fixed_point(set(self.zones), set(), {})

    @classmethod
    def of_run(cls, evidence: Path, profile: str = "default") -> Graph:
        """The graph of a judged run, from its derived tables."""
        with open_tables(evidence, profile) as db:
            rows = db.execute(
                "SELECT zone, ns_name, address, family, operator, asn, as_name, glue, state = 'ok' FROM servers"
            ).fetchall()
            zones = [row[0] for row in db.execute("SELECT zone FROM zones WHERE delegated").fetchall()]
        known = set(zones)
        return cls((Server(*row) for row in rows if row[0] in known), zones)

    def drill(self, kind: str, lost: str) -> DrillResult:
        """Take `lost` away.

        Raises:
            InputError: unknown kind, or nothing in the population depends on `lost`.
        """
        if kind not in KINDS:
            raise InputError(f"there is no drill {kind!r}; known: {', '.join(KINDS)}")
        failed = self._by_part[kind].get(lost)
        if not failed:
            largest = ", ".join(r.lost for r in self.rank(kind, 3))
            raise InputError(f"no server in this population belongs to {lost!r}; the largest of the kind: {largest}")
        after, rounds, region = self._lose(failed)
        gone = {id(server) for server in failed}
        affected = [self._outcome(zone, after, gone) for zone in sorted(region) if self.resolves[zone]]
        return DrillResult(
            kind, lost, self._label(kind, failed[0]), len(self.zones), sum(not up for up in self.resolves.values()),
            rounds, tuple(a for a in affected if a.result != "unaffected"),
        )  # fmt: skip

    def rank(self, kind: str, most: int = 20) -> list[Ranked]:
        """The single losses of that kind that hurt most zones: by dark, then brittle, then touched zones."""
        ranking = []
        for part, failed in self._by_part[kind].items():
            after, _, region = self._lose(failed)
            gone = {id(server) for server in failed}
            results = [self._outcome(zone, after, gone).result for zone in region if self.resolves[zone]]
            touched = sum(r != "unaffected" for r in results)
            ranking.append(
                Ranked(
                    part,
                    self._label(kind, failed[0]),
                    touched,
                    results.count("dark"),
                    results.count("brittle"),
                )
            )
        return sorted(ranking, key=lambda r: (-r.dark, -r.brittle, -r.touched, r.lost))[:most]

    def _lose(self, failed: list[Server]) -> tuple[dict[str, bool], int, set[str]]:
        """State after the loss, rounds of the cascade, and the zones that could change at all."""
        gone = {id(server) for server in failed}
        region, queue = set[str](), [server.zone for server in failed]
        while queue:
            zone = queue.pop()
            if zone not in region:
                region.add(zone)
                queue += self._dependants[zone]
        after, rounds = self._fixed_point(region, gone, self.resolves)
        return after, rounds, region

    def _fixed_point(self, region: set[str], gone: set[int], known: dict[str, bool]) -> tuple[dict[str, bool], int]:
        state = {**known, **dict.fromkeys(region, False)}
        rounds, todo = 0, region
        while todo:
            up = {zone for zone in todo if self._stands(zone, state, gone)}
            if not up:
                break
            rounds += 1
            state.update(dict.fromkeys(up, True))
            todo = {d for zone in up for d in self._dependants[zone] if d in region and not state[d]}
        return state, rounds

    def _stands(self, zone: str, state: dict[str, bool], gone: set[int]) -> bool:
        parent = self._parent.get(zone)
        if parent is not None and not state[parent]:
            return False
        return any(self._usable(server, state, gone) for server in self.servers[zone])

    def _usable(self, server: Server, state: dict[str, bool], gone: set[int]) -> bool:
        if id(server) in gone or not server.serves:
            return False
        host = self._host_zone[server.ns_name]
        # A name outside the population is taken as resolvable; the report says so.
        return server.glue or host is None or (host != server.zone and state[host])

    def _outcome(self, zone: str, after: dict[str, bool], gone: set[int]) -> Affected:
        before = [s for s in self.servers[zone] if self._usable(s, self.resolves, set())]
        left = [s for s in before if self._usable(s, after, gone)]
        n_before, n_left = len({s.address for s in before}), len({s.address for s in left})
        if not after[zone]:
            return Affected(zone, "dark", n_left, n_before, self._why_dark(zone, after, gone))
        if n_left == n_before:
            return Affected(zone, "unaffected", n_left, n_before, "")
        one_as = len({s.asn for s in left}) == 1 and left[0].asn is not None
        for thin, why in (
            (n_left == 1, "one address is left"),
            (len({s.operator for s in left}) == 1, f"only {left[0].operator} is left"),
            (one_as, f"only AS{left[0].asn} is left"),
        ):
            if thin:
                return Affected(zone, "brittle", n_left, n_before, why)
        lost_families = {s.family for s in before} - {s.family for s in left}
        if 2 * n_left < n_before or lost_families:
            why = f"IPv{min(lost_families)} is gone" if lost_families else f"{n_left} of {n_before} addresses are left"
            return Affected(zone, "degraded", n_left, n_before, why)
        return Affected(zone, "touched", n_left, n_before, f"{n_left} of {n_before} addresses are left")

    def _why_dark(self, zone: str, after: dict[str, bool], gone: set[int]) -> str:
        parent = self._parent.get(zone)
        if parent is not None and not after[parent]:
            return f"its parent {parent} is dark"
        blocked = {self._host_zone[s.ns_name] for s in self.servers[zone] if s.serves and id(s) not in gone}
        dark_hosts = sorted(h for h in blocked if h is not None and not after[h])
        if dark_hosts:
            return f"the names of its remaining servers lie in {', '.join(dark_hosts)}, which is dark too"
        return "every address that served it is lost"

    def _needs(self, zone: str) -> set[str]:
        needs = {self._parent.get(zone)} | {self._host_zone[s.ns_name] for s in self.servers[zone] if not s.glue}
        return {need for need in needs if need is not None and need != zone}

    def _enclosing(self, name: Name) -> str | None:
        return next((key for a in name.ancestors() if (key := str(a).lower()) in self.servers), None)

    @staticmethod
    def _label(kind: str, server: Server) -> str:
        if kind == "as":
            return f"AS{server.asn} {server.as_name}".strip()
        return server.operator if kind == "operator" else server.address
