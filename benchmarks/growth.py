"""Do time and memory per zone stay the same while the number of zones grows?

    python benchmarks/growth.py [--zones 100 --zones 1000 --zones 10000] [--json FILE]

Each number of zones is surveyed, with evidence, by a process of its own, and verified by another. Twenty zones share a
server; an engine without sockets answers for all, from the name alone, so that nothing but the survey grows. CPU and
peak memory are what the operating system accounts to the process, less what it had before.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from results import Row, write_json

from gnomon.base import Address, Name, new_ulid, parse_address
from gnomon.base.codes import NS, SOA, A
from gnomon.engine import Attempt, Attempts, Queries, Query, Status, take_queries
from gnomon.evidence import EvidenceDir, RunInfo, Tool, ZoneSource, verify
from gnomon.evidence import Plan as PlanOfRun
from gnomon.survey.plan import Plan
from gnomon.survey.runner import run_survey

SIZES = (100, 1_000, 10_000)
ZONES_PER_SERVER = 20
ROOT, TLD = parse_address("28.0.0.1"), parse_address("28.0.1.1")
TEST, OPS = b"\x04test\0", b"\x03ops\x04test\0"


class AnyEngine:
    """Answers for the root, `test.`, and the zones z000000.test., z000001.test. and so on."""

    def __init__(self) -> None:
        self._ready: list[Attempt] = []

    def submit(self, queries: Sequence[Query]) -> int:
        for q in queries:
            self._ready.append(
                Attempt(
                    q.tag, 1, q.transport, 10**18 + q.tag, 100, 5353, Status.ANSWERED, 0, q.wire,
                    answer(q.wire, q.address), True,
                )
            )  # fmt: skip
        return len(queries)

    def submit_batch(self, queries: Queries) -> int:
        return self.submit(take_queries(queries))

    def take(self, max_rows: int = 4096, timeout_ms: int = 1000) -> list[Attempt]:
        out, self._ready = self._ready[:max_rows], self._ready[max_rows:]
        return out

    def take_batch(self, max_rows: int = 4096, timeout_ms: int = 1000) -> Attempts:
        return Attempts(self.take(max_rows, timeout_ms))

    @property
    def pending(self) -> int:
        return len(self._ready)

    def close(self) -> None:
        self._ready = []


def answer(query: bytes, asked: Address) -> bytes:
    """The response of a server; every query that it cannot read gets FORMERR."""
    end = query.find(b"\0", 12) + 1
    if query[4:6] != b"\0\x01" or not end:
        return query[:2] + b"\x80\x01" + bytes(8)
    name, question = query[12:end].lower(), query[12 : end + 4]
    zone = name[-14:] if len(name) >= 14 and name.endswith(TEST) and name[-14:-12] == b"\x07z" else b""
    if asked == ROOT and name.endswith(TEST):
        return _referral(query, question, TEST, b"\x02ns" + TEST, TLD)
    if asked == TLD and zone:
        return _referral(query, question, zone, *_server(zone))
    return _authoritative(query, question, name, zone)


def _server(zone: bytes) -> tuple[bytes, Address]:
    number = int(zone[2:8]) // ZONES_PER_SERVER
    return b"\x07n%06d" % number + OPS, parse_address(f"28.1.{number >> 8}.{number & 255}")


def _referral(query: bytes, question: bytes, zone: bytes, server: bytes, address: Address) -> bytes:
    head = query[:2] + b"\x80\0\0\x01\0\0\0\x01\0\x01" + question
    return head + _record(zone, NS, server) + _record(server, A, address.packed)


def _authoritative(query: bytes, question: bytes, name: bytes, zone: bytes) -> bytes:
    server = _server(zone)[0] if zone else b"\x02ns" + TEST
    qtype = int.from_bytes(question[-4:-2], "big")
    data = {NS: server, SOA: server + server + b"\0\0\0\x01" * 5}.get(qtype)
    if qtype == A and name.endswith(OPS):
        data = parse_address(f"28.1.{int(name[2:8]) >> 8}.{int(name[2:8]) & 255}").packed
    counts = b"\0\x01\0\x01\0\0\0\0" if data else b"\0\x01\0\0\0\0\0\0"
    return query[:2] + b"\x84\0" + counts + question + (_record(name, qtype, data) if data else b"")


def _record(owner: bytes, rtype: int, rdata: bytes) -> bytes:
    return owner + rtype.to_bytes(2, "big") + b"\0\x01\0\0\x0e\x10" + len(rdata).to_bytes(2, "big") + rdata


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds, and peak memory in octets."""

    cpu_s: float
    octets: int

    @classmethod
    def now(cls) -> Cost:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return cls(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def survey(zones: int, path: Path) -> int:
    plan = Plan()
    names = [Name(b"\x07z%06d" % number + TEST) for number in range(zones)]
    source, of_run = ZoneSource("names", "benchmark", None, None, zones), PlanOfRun(plan.digest, plan.codes)
    run = RunInfo(
        new_ulid(0), Tool("gnomon", "0"), "2026-01-01T00:00:00Z", "none", source, of_run, {},
        {"a.root.": (str(ROOT),)}, (), {},
    )  # fmt: skip
    return run_survey(EvidenceDir.create(path, run, names), AnyEngine(), plan=plan).exchanges


def child(what: str, zones: int, path: Path) -> None:
    before = Cost.now()
    rows = survey(zones, path) if what == "survey" else verify(path).rows
    after = Cost.now()
    print(json.dumps({"rows": rows, "cpu_s": after.cpu_s - before.cpu_s, "octets": after.octets - before.octets}))


def measure(sizes: Sequence[int], folder: Path) -> Iterator[Row]:
    per_zone: dict[str, list[float]] = {}
    for zones in sizes:
        for what in ("survey", "verify"):
            command = [sys.executable, __file__, what, str(zones), str(folder / str(zones))]
            told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            name = f"{what} of {zones:,} zones"
            yield Row(f"{name}: CPU per zone", 1e6 * told["cpu_s"] / zones, "µs")
            yield Row(f"{name}: CPU per exchange", 1e6 * told["cpu_s"] / told["rows"], "µs")
            yield Row(f"{name}: peak memory", told["octets"] / 1e6, "MB")
            yield Row(f"{name}: peak memory per zone", told["octets"] / zones / 1e3, "kB")
            per_zone.setdefault(f"{what}: CPU per zone", []).append(told["cpu_s"] / zones)
            per_zone.setdefault(f"{what}: memory per zone", []).append(told["octets"] / zones)
    for name, of in per_zone.items():
        yield Row(f"{name}, of the most zones to the fewest", of[-1] / of[0], "times", "<= 1.2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zones", type=int, action="append", help="a number of zones; may be given several times")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="gnomon-growth-") as folder:
        for row in measure(args.zones or SIZES, Path(folder)):
            print(f"{row.name:56} {row.value:12,.1f} {row.unit:6} {row.target}", flush=True)
            rows.append(row)
    if args.json:
        write_json(args.json, "growth", rows)


if __name__ == "__main__":
    if sys.argv[1:2] in (["survey"], ["verify"]):
        child(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
