"""CPU per exchange of the query engine, beside massdns, dnsperf and ZDNS on the same server in one run.

    python benchmarks/engine.py [--queries 60000] [--rounds 7] [--massdns PATH] [--zdns PATH] [--json FILE]

NSD serves names from memory on loopback, pinned to one core, the clients in turn to another. CPU is what the operating
system accounts to the client, kernel included; of the peers it is the whole process, of Gnomon from the first name to
the last answer (batches), or to the last segment on the disk (evidence). Compare ratios, not figures of different
runs. Needs the Debian package nsd; for signed answers also ldnsutils, for TLS openssl. Peers that are not installed
are named and left out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from results import Row, write_json

from gnomon._core import Recording, compose_query
from gnomon.base import Name, Transport
from gnomon.engine import Limits, NetworkEngine, Queries
from gnomon.evidence import EvidenceDir, Plan, RunInfo, Tool, ZoneSource, zone_subject
from gnomon.wire import compose

SERVER, PORT, TLS_PORT = "127.0.0.1", 5390, 5391
NAMES, WINDOW = 20_000, 500
ZDNS_SHARE = 10  # it takes some 20 times as long for each
EXCHANGES_PER_ZONE, SEGMENT_ROWS = 8, 20_000
SERVER_CORE, CLIENT_CORE = 0, max(os.sched_getaffinity(0))
DO = (0, 1232, 0x8000, ())
LIMITS = Limits(
    rate_qps=1e9, burst=10**6, in_flight_per_address=WINDOW, prefix_rate_qps=1e9, prefix_burst=10**6,
    in_flight_per_prefix=WINDOW, in_flight_total=WINDOW, breaker_silent=0, total_qps=0.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """What one client did: answers, its CPU and the server's, and the clock."""

    answered: int
    cpu_s: float
    server_cpu_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of comparisons: which zone is asked how, and by which clients."""

    name: str
    zone: str
    transport: Transport = Transport.UDP
    is_do: bool = False
    share: float = 1.0
    """Of the queries asked for."""


KINDS = (
    Kind("unsigned, UDP", "q.test."),
    Kind("signed (DO), UDP", "s.test.", is_do=True),
    Kind("unsigned, TCP", "q.test.", Transport.TCP, share=0.5),
    Kind("unsigned, TLS", "q.test.", Transport.DOT, share=0.5),
)


# The client that is measured: a process of its own


def client(kind: Kind, count: int, evidence: Path | None) -> None:
    """Ask for `count` names and print what it cost; with `evidence` every exchange is stored there."""
    names = (b"\x0aname%06d" % (n % NAMES) for n in range(count))
    zone = Name.from_text(kind.zone).wire
    transport, port = int(kind.transport), TLS_PORT if kind.transport is Transport.DOT else PORT
    flags = DO if kind.is_do else None
    keeping = _Keeping(evidence) if evidence else None
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    answered = asked = 0
    queries = Queries()
    with NetworkEngine(LIMITS, allow_net=[ip_network("127.0.0.0/8")]) as engine:
        while asked < count or engine.pending:
            if asked < count and engine.pending < 4 * WINDOW:
                for tag in range(asked, min(asked + 2 * WINDOW, count)):
                    wire = compose_query(next(names) + zone, 1, 1, 0, flags)
                    queries.append(tag, SERVER, wire, transport, port, 3, 2000)
                asked += engine.submit_batch(queries)
            batch = engine.take_batch()
            answered += batch.statuses.count(0)
            if keeping:
                keeping.keep(batch.heads(), batch)
    if keeping:
        keeping.end()
    wall_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"answered": answered, "cpu_s": cpu_s, "wall_s": wall_s}))


class _Keeping:
    """Stores exchanges as a survey does: some for each zone, zones in segments of some ten thousand exchanges."""

    def __init__(self, path: Path) -> None:
        source = ZoneSource("names", "benchmark", None, None, 0)
        plan = Plan("0", ("Q1",))
        run = RunInfo("01BENCHMARK", Tool("gnomon", "0"), "2026-01-01T00:00:00Z", "lo", source, plan, {}, {}, (), {})
        self._writer = EvidenceDir.create(path, run, []).writer()
        self._zones: dict[int, tuple[Name, Recording]] = {}
        self._left: dict[int, int] = {}  # queries of a zone whose last attempt is to come
        self._seq = 0

    def keep(self, heads: Sequence[tuple[int, int, int, bool, bytes | None]], batch: object) -> None:
        for row, (tag, _, _, last, _) in enumerate(heads):
            number = tag // EXCHANGES_PER_ZONE
            if number not in self._zones:
                zone = Name(b"\x07z%06d\x04test\x00" % number)
                self._zones[number] = zone, Recording(zone_subject(zone))
                self._left[number] = EXCHANGES_PER_ZONE
            self._zones[number][1].take(batch, row, self._seq, "Q1", None, SERVER, PORT, "benchmark")  # type: ignore[arg-type]
            self._seq += 1
            self._left[number] -= last
            if not self._left[number]:
                self._finish(number)

    def _finish(self, number: int) -> None:
        zone, recording = self._zones.pop(number)
        del self._left[number]
        self._writer.add_recording(recording)
        self._writer.finish_zone(zone)
        if self._writer.ready_rows >= SEGMENT_ROWS:
            self._writer.flush()

    def end(self) -> None:
        for number in list(self._zones):
            self._finish(number)
        self._writer.flush()
        self._writer.close()


# The server


@contextmanager
def nsd(work: Path, signed: Path | None, has_tls: bool) -> Iterator[subprocess.Popen[bytes]]:
    zones = f"zone:\n name: q.test\n zonefile: {work}/q.test\n"
    zones += f"zone:\n name: s.test\n zonefile: {signed}\n" if signed else ""
    tls = f" ip-address: {SERVER}@{TLS_PORT}\n tls-port: {TLS_PORT}\n" if has_tls else ""
    tls += f" tls-service-key: {work}/key.pem\n tls-service-pem: {work}/cert.pem\n" if has_tls else ""
    (work / "nsd.conf").write_text(
        f'server:\n ip-address: {SERVER}@{PORT}\n{tls} username: ""\n chroot: ""\n database: ""\n pidfile: {work}/pid\n'
        f" zonelistfile: {work}/list\n xfrdfile: {work}/xfrd\n xfrdir: {work}\n zonesdir: {work}\n server-count: 1\n"
        f" receive-buffer-size: 4194304\n send-buffer-size: 4194304\n minimal-responses: no\n tcp-count: 1000\n"
        f"remote-control:\n control-enable: no\n{zones}"
    )
    command = ["taskset", "-c", str(SERVER_CORE), "nsd", "-d", "-c", str(work / "nsd.conf")]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _wait_for_answer()
        yield server
    finally:
        server.terminate()
        server.wait()


def _wait_for_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        probe.connect((SERVER, PORT))
        for _ in range(150):
            try:
                probe.send(compose.query(Name.from_text("name000001.q.test."), 1))
                probe.recv(512)
                return
            except OSError:
                time.sleep(0.1)
    sys.exit("nsd does not answer")


def zone_file(work: Path, zone: str) -> Path:
    records = "".join(f"name{n:06d} A 127.0.{n >> 8 & 255}.{n & 255}\n" for n in range(NAMES))
    file = work / zone.rstrip(".")
    file.write_text(f"$ORIGIN {zone}\n$TTL 3600\n@ SOA ns h 1 1 1 1 1\n@ NS ns\nns A 127.0.0.1\n{records}")
    return file


def signed_zone(work: Path) -> Path | None:
    """The zone s.test with real ECDSA signatures; None without ldns-signzone."""
    if not (shutil.which("ldns-keygen") and shutil.which("ldns-signzone")):
        return None
    file = zone_file(work, "s.test.")
    made = subprocess.run(
        ["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "s.test."], cwd=work, capture_output=True, text=True, check=True
    )
    subprocess.run(["ldns-signzone", "-f", "s.signed", file.name, made.stdout.strip()], cwd=work, check=True)
    return work / "s.signed"


def certificate(work: Path) -> bool:
    if not shutil.which("openssl"):
        return False
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", work / "key.pem", "-out", work / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return True


# Running clients in turn


def measure(argv: Sequence[str | Path], server: int, answers: Callable[[str], int]) -> Run:
    before_s, start = _tree_cpu_s(server), time.perf_counter()
    command = ["taskset", "-c", str(CLIENT_CORE), *map(str, argv)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"{argv[0]} failed")
    cpu_s = usage.ru_utime + usage.ru_stime
    if found := re.search(r"^\{.*\}$", out, re.M):
        told = json.loads(found[0])
        cpu_s, wall_s = told.get("cpu_s", cpu_s), told.get("wall_s", wall_s)
    return Run(answers(out), cpu_s, _tree_cpu_s(server) - before_s, wall_s)


def _tree_cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children, from their accounting in /proc."""
    total, todo = 0.0, [pid]
    while todo:
        one = todo.pop()
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
        for task in Path(f"/proc/{one}/task").iterdir():
            todo += map(int, (task / "children").read_text().split())
    return total / os.sysconf("SC_CLK_TCK")


Command = tuple[list[str | Path], int, Callable[[str], int]]
"""What to run, how many names it asks for, and how its answers are counted."""


def clients(kind: Kind, work: Path, count: int, tools: dict[str, str]) -> dict[str, Command]:
    """What to run for each client that can do this kind, and how its answers are counted."""

    def ours(out: str) -> int:
        return int(json.loads(out)["answered"])

    def all_of_them(out: str) -> int:
        return count

    def lines(out: str) -> int:
        return out.count('"NOERROR"')

    def completed(out: str) -> int:
        return int(re.findall(r"Queries completed:\s+(\d+)", out)[0])

    me = [sys.executable, __file__, "client", kind.name, str(count)]
    found: dict[str, Command] = {
        "gnomon, batches": (me, count, ours),
        "gnomon, evidence": ([*me, str(work / f"evidence-{time.monotonic_ns()}")], count, ours),
    }
    names, pairs, resolvers = work / "names", work / "pairs", work / "resolvers"
    asked = [f"name{n % NAMES:06d}.{kind.zone}" for n in range(count)]
    names.write_text("".join(f"{name}\n" for name in asked))
    pairs.write_text("".join(f"{name} A\n" for name in asked))
    few = asked[: max(count // ZDNS_SHARE, 1)]
    (work / "few").write_text("".join(f"{name}\n" for name in few))
    resolvers.write_text(f"{SERVER}:{PORT}\n")
    if kind.transport is Transport.UDP and not kind.is_do and "massdns" in tools:
        options = ["-t", "A", "-o", "S", "-w", "/dev/null", "-q", "-s", str(WINDOW), "--root", "--norecurse"]
        buffers = ["--sndbuf", "4194304", "--rcvbuf", "4194304"]
        found["massdns"] = ([tools["massdns"], "-r", resolvers, *options, *buffers, names], count, all_of_them)
    if "dnsperf" in tools:
        mode = {Transport.UDP: "udp", Transport.TCP: "tcp", Transport.DOT: "dot"}[kind.transport]
        port = TLS_PORT if kind.transport is Transport.DOT else PORT
        options = ["-n", "1", "-q", str(WINDOW), "-c", "1", "-T", "1", "-m", mode, *(["-D"] if kind.is_do else [])]
        found["dnsperf"] = ([tools["dnsperf"], "-s", SERVER, "-p", str(port), "-d", pairs, *options], count, completed)
    if "zdns" in tools and kind.transport is not Transport.DOT:
        how = (
            ["--tcp-only"] if kind.transport is Transport.TCP else ["--udp-only", *(["--dnssec"] if kind.is_do else [])]
        )
        options = ["--name-servers", f"{SERVER}:{PORT}", "--threads", "100", "--local-addr", SERVER, *how]
        found["zdns"] = ([tools["zdns"], "A", "--input-file", work / "few", *options], len(few), lines)
    return found


def tools_found(args: argparse.Namespace) -> dict[str, str]:
    found = {}
    for name in ("massdns", "dnsperf", "zdns"):
        path = shutil.which(getattr(args, name, None) or name)
        if path:
            found[name] = path
        else:
            print(f"{name} is not installed: left out")
    return found


def compare(kind: Kind, work: Path, server: int, args: argparse.Namespace, tools: dict[str, str]) -> Iterator[Row]:
    count = int(args.queries * kind.share)
    runs: dict[str, list[Run]] = {}
    for _ in range(args.rounds):
        for name, (argv, asked, answers) in clients(kind, work, count, tools).items():
            run = measure(argv, server, answers)
            runs.setdefault(name, []).append(run)
            if run.answered < asked:
                print(f"{kind.name}, {name}: {asked - run.answered} of {asked} unanswered", flush=True)
            shutil.rmtree(argv[-1], ignore_errors=True) if name == "gnomon, evidence" else None
    costs = {name: [1e6 * run.cpu_s / max(run.answered, 1) for run in of] for name, of in runs.items()}
    rate = {name: statistics.median(run.answered / run.wall_s for run in of) for name, of in runs.items()}
    for name, of in costs.items():
        yield Row(f"{kind.name}: {name}", statistics.median(of), "µs")
    for name, peer, target in (
        ("gnomon, batches", "massdns", "<= 1.2"), ("gnomon, batches", "dnsperf", "< 0.5"),
        ("gnomon, batches", "zdns", ""), ("gnomon, evidence", "massdns", "<= 2"),
    ):  # fmt: skip
        if peer in costs:
            bound = target if kind is KINDS[0] else ""
            # Of one round each: what else the machine does then weighs on both.
            ratio = statistics.median(ours / theirs for ours, theirs in zip(costs[name], costs[peer], strict=True))
            yield Row(f"{kind.name}: {name}, of {peer}", ratio, "times", bound)
    if kind is KINDS[0]:
        best = max(rate.values())
        yield Row(
            f"{kind.name}: rate of gnomon, batches, of the fastest", rate["gnomon, batches"] / best, "times", ">= 0.8"
        )
    busy = statistics.median(run.server_cpu_s / run.wall_s for run in runs["gnomon, batches"])
    yield Row(f"{kind.name}: share of its core that the server used", busy, "times")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--massdns", help="its program, if it is not in the PATH")
    parser.add_argument("--zdns", help="its program, if it is not in the PATH")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if shutil.which("nsd") is None:
        sys.exit("nsd is not installed: apt-get install nsd")
    tools = tools_found(args)
    rows: list[Row] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # the server is stopped too
    with tempfile.TemporaryDirectory(prefix="gnomon-engine-") as folder:
        work = Path(folder)
        zone_file(work, "q.test.")
        signed, has_tls = signed_zone(work), certificate(work)
        with nsd(work, signed, has_tls) as server:
            for kind in KINDS:
                if (kind.is_do and not signed) or (kind.transport is Transport.DOT and not has_tls):
                    print(f"{kind.name}: left out, its tools are not installed (ldnsutils, openssl)")
                    continue
                for row in compare(kind, work, server.pid, args, tools):
                    print(f"{row.name:64} {row.value:9.2f} {row.unit:6} {row.target}", flush=True)
                    rows.append(row)
                if args.json:
                    write_json(args.json, "engine", rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["client"]:
        kind = next(kind for kind in KINDS if kind.name == sys.argv[2])
        client(kind, int(sys.argv[3]), Path(sys.argv[4]) if len(sys.argv) > 4 else None)
    else:
        main()
