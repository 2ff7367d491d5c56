"""Surveys without disk or network: the scheduler driven over an in-process engine, and small worlds to survey."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

from gnomon._core import Recording, Rows
from gnomon.base import Address, Name, NameServer, Transport, parse_address
from gnomon.engine import Attempt, Attempts, Engine, Queries, Query, Status, take_queries
from gnomon.evidence import Exchange, zone_subject
from gnomon.evidence.row import exchanges_from, table_of
from gnomon.lab.engine import LabEngine, TimedLabEngine
from gnomon.lab.spec import Placement, RecordSpec, SoaSpec, ZoneSpec
from gnomon.lab.world import World
from gnomon.survey.cuts import Walker
from gnomon.survey.plan import Plan
from gnomon.survey.scheduler import Asked, Scheduler
from gnomon.survey.zone import ZoneSurvey

TURNS = 20_000  # more than any test needs: a survey that does not end fails instead of hanging


def name(text: str) -> Name:
    return Name.from_text(text)


@dataclass
class Surveyed:
    """What a driven survey recorded."""

    exchanges: list[Exchange]
    finished: list[Name]
    scheduler: Scheduler

    def asks(self, subject: str) -> dict[str, int]:
        """How many exchanges of each code a subject has."""
        return dict(Counter(x.ask for x in self.exchanges if x.subject == subject))

    def at(self, *addresses: str) -> list[Exchange]:
        wanted = {parse_address(address) for address in addresses}
        return [x for x in self.exchanges if x.address in wanted]

    def codes_at(self, address: str) -> set[str]:
        return {x.ask for x in self.at(address)}

    def questions(self) -> list[tuple[str, str, str, bytes]]:
        """Everything asked, without what differs between runs."""
        return sorted((x.subject, x.ask, str(x.address), x.query[2:].lower()) for x in self.exchanges)


def exchanges_of(recording: Recording) -> list[Exchange]:
    """What was recorded, in the order in which it was."""
    rows = Rows.of([recording])
    exchanges = exchanges_from(table_of(rows, rows.leaves(), 0, len(rows)), "", 0)
    return sorted((replace(exchange, ref=None) for exchange in exchanges), key=lambda exchange: exchange.seq)


def drive(
    engine: Engine,
    zones: Iterable[str],
    hints: Mapping[Name, Sequence[Address]],
    *,
    plan: Plan | None = None,
    undelegated: Mapping[str, Sequence[str]] | None = None,
    concurrency: int = 50,
    run_id: str = "01TEST",
    recorded: Mapping[Asked, list[Exchange]] | None = None,
    zones_at_most: int | None = None,
) -> Surveyed:
    """Survey `zones`; with `zones_at_most` stop when so many are finished, like an interrupted run."""
    plan = plan or Plan()
    wanted = [name(zone) for zone in zones]
    silent: dict[Address, int] = {}
    walker = Walker(
        plan,
        run_id,
        [NameServer(host, address) for host, addresses in hints.items() for address in addresses],
        zones=wanted,
        undelegated={name(zone): given(*ns) for zone, ns in (undelegated or {}).items()},
        silent=silent,
    )
    clock = (lambda: engine.now_s) if isinstance(engine, TimedLabEngine) else time.monotonic
    scheduler = Scheduler(plan, walker.make, vantage="test", silent=silent, recorded=recorded, clock=clock)
    surveyed = Surveyed([], [], scheduler)
    left = list(reversed(wanted))
    for _ in range(TURNS):
        while left and scheduler.zones_in_work < concurrency:
            zone = left.pop()
            scheduler.start_zone(zone, zone_subject(zone), ZoneSurvey(walker, zone).steps())
        if scheduler.queries:
            engine.submit_batch(scheduler.queries)
        scheduler.deliver(engine.take_batch())
        for recording in scheduler.take_shared():
            surveyed.exchanges += exchanges_of(recording)
        for zone, recording in scheduler.take_zones():
            surveyed.exchanges += exchanges_of(recording)
            surveyed.finished.append(zone)
        if (scheduler.is_idle and not left) or len(surveyed.finished) == zones_at_most:
            break
    else:
        raise AssertionError("the survey does not end")
    assert zones_at_most is not None or len(surveyed.finished) == len(wanted)
    return surveyed


def drive_lab(world: World, *zones: str, **options: object) -> Surveyed:
    return drive(LabEngine(world), zones, world.hints(), **options)  # type: ignore[arg-type]


def given(*ns: str) -> SimpleNamespace:
    glue: dict[Name, tuple[Address, ...]] = {}
    for text in ns:
        host, _, address = text.partition("/")
        glue[name(host)] = (*glue.get(name(host), ()), *([parse_address(address)] if address else []))
    return SimpleNamespace(ns_names=tuple(glue), glue=glue)


def zone_spec(
    zone: str,
    ns: Sequence[str],
    *,
    child_ns: Sequence[str] | None = None,
    glue: Mapping[str, Sequence[str]] | None = None,
    records: Sequence[RecordSpec] = (),
) -> ZoneSpec:
    """An unsigned zone."""
    return ZoneSpec(
        name(zone),
        tuple(map(name, ns)),
        SoaSpec(name("ns.test."), name("hostmaster.test.")),
        child_ns=None if child_ns is None else tuple(map(name, child_ns)),
        glue={name(host): tuple(map(parse_address, of)) for host, of in (glue or {}).items()},
        records=tuple(records),
    )


def tree(zones: Sequence[ZoneSpec], hosts: Mapping[str, Sequence[str]], *faults: tuple[str, str]) -> World:
    """A world with a root at 28.0.0.1 and `test.` at 28.0.1.1, and these zones, hosts and (fault, where) below."""
    base = [zone_spec(".", ["a.root."]), zone_spec("test.", ["ns.test."])]
    addresses = {"a.root.": ["28.0.0.1"], "ns.test.": ["28.0.1.1"], **hosts}
    return World(
        [*base, *zones],
        {name(host): tuple(map(parse_address, of)) for host, of in addresses.items()},
        faults=[Placement(fault, at) for fault, at in faults],
    )


class ScriptedEngine:
    """Answers with whatever `respond` returns: octets, or None for silence. The ID is put right."""

    def __init__(self, respond: Callable[[Address, Transport, bytes], bytes | None]) -> None:
        self._respond = respond
        self._ready: list[Attempt] = []
        self.sent: Counter[Address] = Counter()

    def submit(self, queries: Sequence[Query]) -> int:
        for query in queries:
            self._ready += self._attempts(query)
        return len(queries)

    def submit_batch(self, queries: Queries) -> int:
        return self.submit(take_queries(queries))

    def _attempts(self, query: Query) -> list[Attempt]:
        out: list[Attempt] = []
        transports = [query.transport] * query.attempts
        while transports:
            transport = transports.pop(0)
            self.sent[query.address] += 1
            response = self._respond(query.address, transport, query.wire)
            status = Status.TIMEOUT if response is None else Status.ANSWERED
            if response is not None:
                response = query.wire[:2] + response[2:]
                truncated = len(response) > 2 and response[2] & 2 and transport is Transport.UDP
                transports = [Transport.TCP] if truncated and query.tcp_after_truncation else []
            out.append(
                Attempt(
                    query.tag, len(out) + 1, transport, 1, None, 5353, status, 0, query.wire, response, not transports
                )
            )
        return out

    def take(self, max_rows: int = 4096, timeout_ms: int = 1000) -> list[Attempt]:
        out, self._ready = self._ready[:max_rows], self._ready[max_rows:]
        return out

    def take_batch(self, max_rows: int = 4096, timeout_ms: int = 1000) -> Attempts:
        return Attempts(self.take(max_rows, timeout_ms))

    @property
    def pending(self) -> int:
        return sum(attempt.last for attempt in self._ready)

    def close(self) -> None:
        self._ready = []
