"""Whole zones assessed by Gnomon, Zonemaster and DNSViz, side by side in one run on the same servers.

    sudo python benchmarks/assess.py [--zones 20] [--bulk 1000] [--rounds 1] [--rtt-ms 20] [--dnsviz PATH] [--json FILE]

Makes a network namespace of its own, in it a signed root, a TLD, an operator and zones with three name servers each
(every one on IPv4 and IPv6), served by NSD, one instance for each depth. Measured are CPU and wall time of each tool's
processes (servers are not counted), its start-up alone, the queries that arrive at the servers' addresses, Gnomon's
judging alone, and, for how fast Python is on this machine just then, dnspython's reading of one message. Needs root
and the Debian package nsd; zonemaster-cli (Debian) and dnsviz (PyPI) are left out where they are missing. The tools do
not run the same checks, and Gnomon's survey asks fewer questions than its `assess`; compare ratios, not figures from
different runs.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import dns.message
import dns.rdata
from cryptography.hazmat.primitives.asymmetric import ec
from results import Row, write_json

from gnomon.base import ROOT, Address, Name, codes, reverse_name
from gnomon.judge import judge
from gnomon.lab import World
from gnomon.lab.keys import dnskey_rdata
from gnomon.lab.nsd import zone_text
from gnomon.lab.scenario import parse_records
from gnomon.lab.spec import DsSpec, RecordSpec, SigningSpec, SoaSpec, ZoneSpec, split_keys
from wire import cpu_us, referral

PORT_BEHIND = 5300
ONE, BULK, ALONE = "one zone", "survey and judge, bulk", "judging alone"
READER = "dnspython"
# The targets' 10 ms and 1/150 s in signed referrals as dnspython read them where the targets were set: in 608 us.
TARGETS_IN_REFERRALS = {BULK: "<= 16.4", ALONE: "<= 11"}
INSIDE = "GNOMON_BENCHMARK_INSIDE"
GNOMON = [str(Path(sys.executable).with_name("gnomon"))]
NETWORKS = ("28.0.0.0/8", "2a10::/16")
EVERYWHERE = ["--allow-net", "0.0.0.0/0", "--allow-net", "::/0"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement; seconds and queries are for one zone."""

    tool: str
    mode: str
    zones: int
    cpu_s: float
    wall_s: float
    udp_queries: float | None = None
    tcp_connections: float | None = None
    most_queries_at_one_address: int | None = None


# The world


def make_world(count: int) -> World:
    """The root, `test.` with an operator `op.test.`, `arpa.`, and `count` zones with two servers of their own."""
    hosts: dict[Name, tuple[Address, ...]] = {}

    def server(text: str, third: int, last: int) -> Name:
        name = Name.from_text(text)
        hosts[name] = (IPv4Address(f"28.{third >> 8}.{third & 255}.{last}"), IPv6Address(f"2a10:{third:x}::{last:x}"))
        return name

    def zone(name: str, ns: Sequence[Name], index: int, records: Sequence[str] = (), nsec3: bool = False) -> ZoneSpec:
        keys = split_keys(13, index % 4)
        signing = SigningSpec(keys, "nsec3" if nsec3 else "nsec")
        soa = SoaSpec(ns[0], Name.from_text("hostmaster.op.test."))
        return ZoneSpec(Name.from_text(name), tuple(ns), soa, signing=signing, ds=(DsSpec(keys[0]),),
                        records=tuple(parse_records(records)))  # fmt: skip

    root_ns = [server(f"{letter}.root-lab.", 1, at) for at, letter in enumerate("ab", 1)]
    tld_ns = [server(f"{letter}.nic.test.", 2, at) for at, letter in enumerate("ab", 1)]
    # A survey asks one address slowly: the operator has a server for ten zones, and the benchmark ends in minutes.
    op_ns = [server(f"ns{at}.op.test.", 2048 + at, at & 127 | 128) for at in range(1, 3 + count // 10)]
    records = [f"{host} 3600 IN {'AAAA' if a.version == 6 else 'A'} {a}" for host in op_ns[2:] for a in hosts[host]]
    zones = [zone(".", root_ns, 0), zone("test.", tld_ns, 1), zone("op.test.", op_ns[:2], 2, records)]
    for index in range(count):
        name = f"z{index:04}.test."
        own = [server(f"ns{at}.{name}", 16 + index, at) for at in (1, 2)]
        records = [f"{name} 3600 IN MX 10 mail.{name}", f"mail.{name} 3600 IN A 28.0.9.9", f"{name} 3600 IN A 28.0.9.9",
                   f'{name} 3600 IN TXT "v=spf1 mx -all"']  # fmt: skip
        zones.append(zone(name, [*own, op_ns[index // 10]], index, records, nsec3=index % 2 == 1))
    reverse = [
        RecordSpec(reverse_name(address), codes.PTR, 3600, (host.key,)) for host, of in hosts.items() for address in of
    ]
    soa = SoaSpec(root_ns[0], Name.from_text("hostmaster.op.test."))
    zones.append(ZoneSpec(Name.from_text("arpa."), tuple(root_ns), soa, records=tuple(reverse)))
    return World(zones, hosts, population=[Name.from_text(f"z{index:04}.test.") for index in range(count)],
                 clock_s=int(time.time()))  # fmt: skip


@contextmanager
def served(world: World, folder: Path, rtt_ms: float) -> Iterator[None]:
    """NSD on the world's real addresses, one instance for each depth, with a delay in front if one is asked for."""
    port, by_depth = PORT_BEHIND if rtt_ms else 53, dict[int, list[Address]]()
    for address, zones in world.zones_at.items():
        by_depth.setdefault(min(len(zone.name.labels) for zone in zones), []).append(address)
    addresses = [address for of in by_depth.values() for address in of]
    # By route: with hundreds of addresses of its own, a host chooses slowly which of them to send from.
    Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1")
    batch = "".join(f"route replace local {network} dev lo\n" for network in NETWORKS)
    subprocess.run(["ip", "-batch", "-"], input="link set lo up\n" + batch, text=True, check=True)
    running: list[subprocess.Popen[bytes]] = []
    try:
        for depth, of in by_depth.items():
            instance = folder / f"nsd-{depth}"
            instance.mkdir(parents=True)
            here = {zone.name: zone for address in of for zone in world.zones_at[address]}
            (instance / "nsd.conf").write_text(nsd_config(instance, of, port, list(here)))
            for index, zone in enumerate(here.values()):
                (instance / f"{index}.zone").write_text(zone_text(world, zone))
            log = (instance / "out").open("wb")
            running.append(subprocess.Popen(["nsd", "-d", "-c", str(instance / "nsd.conf")], stdout=log, stderr=log))
        if rtt_ms:
            script = str(Path(__file__).with_name("delayed.py"))
            command = [sys.executable, script, str(rtt_ms), str(port), *map(str, addresses)]
            delay = subprocess.Popen(command, stdout=subprocess.PIPE)
            running.append(delay)
            assert delay.stdout is not None
            delay.stdout.readline()
        time.sleep(3)
        yield
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait()


def nsd_config(instance: Path, addresses: Sequence[Address], port: int, zones: Sequence[Name]) -> str:
    lines = "".join(f"    ip-address: {address}@{port}\n" for address in addresses)
    files = "".join(f'zone:\n    name: "{name}"\n    zonefile: "{index}.zone"\n' for index, name in enumerate(zones))
    return (
        f'server:\n{lines}    server-count: 1\n    zonesdir: "{instance}"\n    database: ""\n    username: ""\n'
        f'    pidfile: "{instance}/pid"\n    zonelistfile: "{instance}/list"\n    xfrdfile: "{instance}/xfrd"\n'
        f'    xfrdir: "{instance}"\n    tcp-count: 500\n    rrl-ratelimit: 0\nremote-control:\n    control-enable: no\n'
        + files
    )


class Counting(threading.Thread):
    """Counts what arrives at port 53 of any address of this network namespace."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(3))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 25)
        self._socket.settimeout(0.2)
        self._stop_now = threading.Event()
        self.udp: Counter[bytes] = Counter()
        self.tcp: Counter[bytes] = Counter()

    def run(self) -> None:
        while not self._stop_now.is_set():
            try:
                packet, (_, _, kind, _, _) = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            if kind == 0 and packet:  # to this host; what leaves comes by as another kind
                self._count(packet)

    def _count(self, packet: bytes) -> None:
        is_v4 = packet[0] >> 4 == 4
        protocol, rest = (packet[9], packet[(packet[0] & 15) * 4 :]) if is_v4 else (packet[6], packet[40:])
        to = packet[16:20] if is_v4 else packet[24:40]
        if len(rest) >= 14 and rest[2:4] == b"\x00\x35":
            if protocol == 17:
                self.udp[to] += 1
            elif protocol == 6 and rest[13] & 0x12 == 0x02:
                self.tcp[to] += 1

    def stop(self) -> None:
        self._stop_now.set()
        self.join()


# The tools


@dataclass(frozen=True, slots=True)
class Tools:
    """Command lines; a tool that is missing has none."""

    folder: Path
    world: World
    zonemaster: str | None
    dnsviz: str | None

    @property
    def _start(self) -> list[str]:
        return ["--hints", str(self.folder / "hints"), "--trust-anchor", str(self.folder / "anchor"), *EVERYWHERE]

    def gnomon(self, zones: Sequence[str]) -> list[list[str]]:
        return [[*GNOMON, "assess", *zones, *self._start, "--fail-level", "never", "--format", "jsonl"]]

    def bulk(self, zones: Sequence[str]) -> list[list[str]]:
        listed, evidence = self.folder / "bulk.txt", self.folder / "bulk"
        shutil.rmtree(evidence, ignore_errors=True)
        listed.write_text("".join(f"{zone}\n" for zone in zones))
        survey = [*GNOMON, "survey", "--zones", str(listed), "--evidence", str(evidence), *self._start]
        return [survey, [*GNOMON, "judge", str(evidence), "--jobs", "1"]]

    def for_zonemaster(self, zone: str) -> list[list[str]]:
        hints = str(self.folder / "hints")
        return [
            [str(self.zonemaster), "--hints", hints, "--level", "INFO", "--json", "--no-progress", "--no-time", zone]
        ]

    def for_dnsviz(self, zone: str) -> list[list[str]]:
        roots = ",".join(
            f"{name}={f'[{a}]' if a.version == 6 else a}" for name, of in self.world.hints().items() for a in of
        )
        out, keys = str(self.folder / f"{zone}json"), str(self.folder / "trusted.key")
        probe = [str(self.dnsviz), "probe", "-A", "-a", ".", "-x", f".:{roots}", "-o", out, zone]
        return [probe, [str(self.dnsviz), "grok", "-P", "-t", keys, "-c", "-r", out, "-o", "/dev/null", zone]]

    def write_inputs(self) -> None:
        """Hints and trust anchors in the forms that the tools read."""
        hints = self.world.hints()
        lines = [f". 3600 NS {name}\n" for name in hints]
        lines += [f"{name} 3600 {'AAAA' if a.version == 6 else 'A'} {a}\n" for name, of in hints.items() for a in of]
        (self.folder / "hints").write_text("".join(lines))
        (self.folder / "anchor").write_text("".join(f"{anchor}\n" for anchor in self.world.trust_anchors()))
        signing = self.world.zones[ROOT].signing
        keys = [dnskey_rdata(key) for key in signing.keys if key.signs_keys] if signing else []
        texts = (dns.rdata.from_wire(1, 48, key, 0, len(key)).to_text() for key in keys)
        (self.folder / "trusted.key").write_text("".join(f". IN DNSKEY {text}\n" for text in texts))


def cost(commands: Sequence[Sequence[str]]) -> tuple[float, float]:
    """CPU and wall seconds of commands, one after the other.

    Raises:
        SystemExit: one of them failed.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    for command in commands:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, env=_installed())
        if done.returncode:
            raise SystemExit(f"{' '.join(command[:4])} ... failed: {done.stderr.decode()[-400:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu_s, time.monotonic() - began


def _installed() -> dict[str, str]:
    """The environment in which Python keeps what it has compiled, as every installation does."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measured(tool: str, mode: str, zones: int, commands: Sequence[Sequence[str]], count: bool) -> Measured:
    """One measurement; `zones` share the cost."""
    print(f"{tool}, {mode} ...", file=sys.stderr)
    if not count:
        cpu_s, wall_s = cost(commands)
        return Measured(tool, mode, zones, cpu_s / zones, wall_s / zones)
    counting = Counting()
    counting.start()
    cpu_s, wall_s = cost(commands)
    time.sleep(0.5)
    counting.stop()
    udp, tcp = counting.udp.total() / zones, counting.tcp.total() / zones
    return Measured(
        tool, mode, zones, cpu_s / zones, wall_s / zones, udp, tcp, max((counting.udp + counting.tcp).values())
    )


def run(args: argparse.Namespace, folder: Path) -> list[Measured]:
    world = make_world(max(args.zones, args.bulk))
    tools = Tools(folder, world, shutil.which("zonemaster-cli"), shutil.which(args.dnsviz))
    tools.write_inputs()
    zones = [str(zone) for zone in world.population]
    peers = {"zonemaster": tools.for_zonemaster} if tools.zonemaster else {}
    peers |= {"dnsviz probe and grok": tools.for_dnsviz} if tools.dnsviz else {}
    rows: list[Measured] = []
    with served(world, folder / "plain", 0):
        startups = {
            "gnomon": [[*GNOMON, "--version"]],
            "zonemaster": [[str(tools.zonemaster), "--version"]],
            "dnsviz probe and grok": [[str(tools.dnsviz), "probe", "-h"], [str(tools.dnsviz), "grok", "-h"]],
        }
        for commands in (tools.gnomon(zones[:1]), *(command(zones[0]) for command in peers.values())):
            cost(commands)  # the first time compiles what is imported
        for tool in ("gnomon", *peers):
            rows += [measured(tool, "start-up", 1, startups[tool], False) for _ in range(3)]
        for _ in range(args.rounds):
            for zone in zones[: args.zones]:
                rows.append(measured("gnomon", ONE, 1, tools.gnomon([zone]), True))
                rows += [measured(tool, ONE, 1, command(zone), True) for tool, command in peers.items()]
            rows.append(reading())
            rows.append(measured("gnomon", BULK, args.bulk, tools.bulk(zones[: args.bulk]), True))
            rows.append(reading())
            rows.append(judging(folder / "bulk", args.bulk))
            rows.append(reading())
    if args.rtt_ms:
        with served(world, folder / "late", args.rtt_ms):
            for zone in zones[:3]:
                mode = f"one zone, {args.rtt_ms:g} ms"
                rows.append(measured("gnomon", mode, 1, tools.gnomon([zone]), False))
                rows += [measured(tool, mode, 1, command(zone), False) for tool, command in peers.items()]
    for missing in ("zonemaster", "dnsviz probe and grok"):
        if missing not in peers:
            print(f"{missing} is not here and was left out", file=sys.stderr)
    return rows


def judging(evidence: Path, zones: int) -> Measured:
    """Judging alone, in this process."""
    cpu, began = time.process_time(), time.monotonic()
    judge(evidence)
    return Measured("gnomon", ALONE, zones, (time.process_time() - cpu) / zones, (time.monotonic() - began) / zones)


def reading() -> Measured:
    """dnspython reads a signed referral: what the interpreter can do on this machine at this moment."""
    octets = referral(ec.generate_private_key(ec.SECP256R1()))[0]
    cost_s = cpu_us(lambda: dns.message.from_wire(octets), 3) / 1e6
    return Measured(READER, "a signed referral", 1, cost_s, cost_s)


def figures(taken: Sequence[Measured]) -> Iterator[Row]:
    """The medians of equal measurements, and what the targets are about."""
    medians: dict[tuple[str, str], dict[str, float]] = {}
    for tool, mode in dict.fromkeys((one.tool, one.mode) for one in taken):
        same = [asdict(one) for one in taken if (one.tool, one.mode) == (tool, mode)]
        names = ("cpu_s", "wall_s", "udp_queries", "tcp_connections", "most_queries_at_one_address")
        of = {name: statistics.median(one[name] for one in same) for name in names if same[0][name] is not None}
        medians[tool, mode] = of
        if tool == READER:
            yield Row(f"{tool}, {mode}: CPU", 1e6 * of["cpu_s"], "us")
            continue
        bulk, alone, late = (word in mode for word in ("bulk", "alone", " ms"))
        yield Row(f"{tool}, {mode}: CPU per zone", 1000 * of["cpu_s"], "ms", "<= 10" if bulk else "")
        yield Row(f"{tool}, {mode}: wall per zone", of["wall_s"], "s", "<= 1" if late and tool == "gnomon" else "")
        if alone:
            yield Row("gnomon, judging alone: zones per second and core", 1 / of["cpu_s"], "1/s", ">= 150")
        if "udp_queries" in of:
            yield Row(f"{tool}, {mode}: UDP queries per zone", of["udp_queries"], "")
            yield Row(f"{tool}, {mode}: TCP connections per zone", of["tcp_connections"], "")
    ours = medians["gnomon", BULK]["cpu_s"]
    reading_s = medians[READER, "a signed referral"]["cpu_s"]
    for mode, target in TARGETS_IN_REFERRALS.items():
        in_referrals = medians["gnomon", mode]["cpu_s"] / reading_s
        yield Row(f"gnomon, {mode}: CPU per zone, of {READER}'s for a signed referral", in_referrals, "times", target)
    for tool in dict.fromkeys(one.tool for one in taken if one.tool not in ("gnomon", READER)):
        bare = medians[tool, ONE]["cpu_s"] - medians[tool, "start-up"]["cpu_s"]
        yield Row(f"{tool}, one zone without its start-up, to gnomon in bulk: CPU", bare / ours, "times", ">= 15")
    if ("zonemaster", ONE) in medians:
        theirs, most = medians["zonemaster", ONE], medians["gnomon", ONE]
        ratio = most["most_queries_at_one_address"] / theirs["most_queries_at_one_address"]
        yield Row("gnomon to zonemaster, one zone: queries at the address asked most", ratio, "times", "<= 1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zones", type=int, default=5, help="zones that each tool assesses by themselves")
    parser.add_argument("--bulk", type=int, default=1000, help="zones of the bulk run")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--rtt-ms", type=float, default=20)
    parser.add_argument("--dnsviz", default="dnsviz")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("nsd") is None:
        raise SystemExit("this benchmark needs root (for a network namespace) and nsd: apt-get install nsd")
    if INSIDE not in os.environ:
        os.execvpe("unshare", ["unshare", "--net", sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})
    with tempfile.TemporaryDirectory(prefix="gnomon-assess-") as folder:
        taken = run(args, Path(folder))
    found = list(figures(taken))
    width = max(len(row.name) for row in found)
    for row in found:
        print(f"{row.name:{width}}  {row.value:10,.2f} {row.unit:6} {row.target}")
    if args.json:
        write_json(args.json, "assess", found)


if __name__ == "__main__":
    main()
