"""A whole signed zone verified by Gnomon beside BIND, ldns, Knot and OpenSSL, in one run.

    python benchmarks/zonefile.py [--delegations 100000,1000000] [--denial nsec,nsec3] [--rounds 1]
                                  [--tools bind,ldns,knot] [--root FILE] [--zones FOLDER] [--json FILE]

Makes a TLD-like zone (two name servers each, 30 % with DS, 10 % with glue) and signs it with ECDSA P-256, once with
NSEC and once with NSEC3; `--root` adds a snapshot of the root zone, re-signed with RSA-2048. `--zones` keeps the signed
zones there for the next run. Needs the Debian packages bind9-utils and openssl, and for comparison ldnsutils and
knot-dnssecutils; a tool that is missing is left out. Prints CPU seconds (of the operating system's accounting, so that
shared cores do not distort them), wall seconds, peak memory, and ratios, and writes the ratios as JSON; compare ratios,
not figures from different runs.

"Crypto alone" is the number of signatures times the CPU time of one verification by `openssl speed`, taken before and
after Gnomon's run.
"Parsing" is reading the file into a sorted zone, beside Knot's checks without DNSSEC.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from results import Row, write_json

SIGNING_TYPES = {"RRSIG", "NSEC", "DNSKEY", "ZONEMD"}


@dataclass(frozen=True, slots=True)
class Cost:
    cpu_s: float
    wall_s: float
    rss_mib: float


def delegations(count: int) -> Iterator[str]:
    """A registry's zone called `bench`, the same for the same count."""
    rnd = random.Random(count)
    yield "bench. 3600 IN SOA ns1.nic.bench. host.nic.bench. 1 1800 900 604800 900\n"
    for host in ("ns1", "ns2"):
        yield f"bench. 3600 IN NS {host}.nic.bench.\n{host}.nic.bench. 3600 IN A 192.0.2.{host[-1]}\n"
    for number in range(count):
        name = f"{hashlib.sha256(str(number).encode()).hexdigest()[:12]}{number}.bench."
        if rnd.random() < 0.1:
            for host in ("ns1", "ns2"):
                address = f"198.51.{rnd.randrange(256)}.{rnd.randrange(256)}"
                yield f"{name} 3600 IN NS {host}.{name}\n{host}.{name} 3600 IN A {address}\n"
        else:
            provider = rnd.randrange(5000)
            yield "".join(f"{name} 3600 IN NS ns{i}.provider{provider}.example.\n" for i in (1, 2))
        if rnd.random() < 0.3:
            yield f"{name} 3600 IN DS {rnd.randrange(65536)} 13 2 {rnd.getrandbits(256):064x}\n"


def quiet(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def sign(unsigned: Path, origin: str, algorithm: Sequence[str], out: Path, *options: str) -> None:
    keys = out.parent / "keys"
    if not any(keys.glob(f"K{'' if origin == '.' else origin}.+*")):
        keys.mkdir(exist_ok=True)
        for flag in ((), ("-f", "KSK")):
            quiet("dnssec-keygen", "-q", "-K", str(keys), *algorithm, *flag, origin)
    places = ("-K", str(keys), "-d", str(keys), "-f", str(out))
    always = ("-q", "-P", "-S", *places, "-o", origin, "-O", "full", "-e", "+30d")
    quiet("dnssec-signzone", *always, *options, str(unsigned))


def run(command: Sequence[str]) -> Cost:
    """One run of a command that must succeed, and what it cost."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} says {process.returncode} about a good zone")
    return Cost(used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss / 1024)


def openssl_verify_s(algorithm: str) -> float:
    """CPU seconds of one verification."""
    out = subprocess.run(["openssl", "speed", "-seconds", "2", algorithm], capture_output=True, text=True).stdout
    return 1 / float(re.findall(r"[\d.]+", out.strip().splitlines()[-1])[-1])


def commands(path: Path, origin: str, tools: Sequence[str]) -> dict[str, list[str]]:
    gnomon = "import sys; from gnomon.cli import main; sys.argv[0] = 'gnomon'; main()"
    parse = "import sys; from pathlib import Path; from gnomon.zonefile import load_zone; load_zone(Path(sys.argv[1]))"
    all_tools = {
        "gnomon": [sys.executable, "-c", gnomon, "zonefile", "audit", str(path)],
        "bind": ["dnssec-verify", "-q", "-o", origin, str(path)],
        "ldns": ["ldns-verify-zone", "-V", "1", str(path)],
        "knot": ["kzonecheck", "-o", origin, "-d", "on", str(path)],
        "gnomon-parse": [sys.executable, "-c", parse, str(path)],
        "knot-parse": ["kzonecheck", "-o", origin, "-d", "off", str(path)],
    }
    wanted = {"gnomon", *tools} | ({"gnomon-parse", "knot-parse"} if "knot" in tools else set())
    return {tool: command for tool, command in all_tools.items() if tool in wanted and shutil.which(command[0])}


# Tool to the bounds of gnomon's share of its cost: CPU, wall, memory.
TARGETS = {"bind": ("", "<= 0.6", "<= 0.5")}


def compare(title: str, path: Path, origin: str, tools: Sequence[str], rounds: int, algorithm: str) -> Iterator[Row]:
    """Run all tools in turn; what they cost is printed, and the ratios are the rows."""
    with path.open() as file:
        signatures = sum(1 for line in file if re.search(r"\sRRSIG\s+[A-Z0-9]+ \d+ \d+ \d+ \d{14}", line))
    verify_s = [openssl_verify_s(algorithm)]
    runs: dict[str, list[Cost]] = {tool: [] for tool in commands(path, origin, tools)}
    for _ in range(rounds):
        for tool, command in commands(path, origin, tools).items():
            runs[tool].append(run(command))
            if tool == "gnomon":
                verify_s.append(openssl_verify_s(algorithm))
    crypto_s = signatures * statistics.median(verify_s)
    cost = {
        tool: Cost(*(statistics.median(getattr(cost, of) for cost in costs) for of in ("cpu_s", "wall_s", "rss_mib")))
        for tool, costs in runs.items()
    }
    print(f"{title}: {signatures:,} signatures, crypto alone {crypto_s:.2f} s CPU")
    for tool, of in cost.items():
        print(f"  {tool:13} cpu {of.cpu_s:7.2f} s  wall {of.wall_s:7.2f} s  memory {of.rss_mib:7.1f} MiB", flush=True)
    ours = cost["gnomon"]
    yield Row(f"{title}: CPU of the crypto alone", ours.cpu_s / crypto_s, "times", "<= 1.25")
    yield Row(f"{title}: memory", ours.rss_mib, "MiB")
    for tool in ("bind", "ldns", "knot"):
        if tool in cost:
            cpu, wall, memory = TARGETS.get(tool, ("", "", ""))
            yield Row(f"{title}: CPU of {tool}", ours.cpu_s / cost[tool].cpu_s, "times", cpu)
            yield Row(f"{title}: wall of {tool}", ours.wall_s / cost[tool].wall_s, "times", wall)
            yield Row(f"{title}: memory of {tool}", ours.rss_mib / cost[tool].rss_mib, "times", memory)
    if {"gnomon-parse", "knot-parse"} <= cost.keys():
        ratio = cost["gnomon-parse"].cpu_s / cost["knot-parse"].cpu_s
        yield Row(f"{title}: parsing, CPU of knot", ratio, "times", "<= 1.5")


def zones(folder: Path, options: argparse.Namespace) -> Iterator[tuple[str, Path, str, str]]:
    """(title, signed zone, origin, algorithm to `openssl speed`); those that `folder` has are not made again."""
    how = {"nsec": (), "nsec3": ("-3", "-", "-H", "0")}
    for count in map(int, options.delegations.split(",")):
        unsigned = folder / f"{count}.unsigned"
        for denial in options.denial.split(","):
            zone = folder / f"{count}.{denial}"
            if not zone.exists():
                with unsigned.open("w") as file:
                    file.writelines(delegations(count))
                sign(unsigned, "bench", ("-a", "ECDSAP256SHA256"), zone, *how[denial])
                unsigned.unlink()
            yield f"{count:,} delegations, {denial.upper()}", zone, "bench", "ecdsap256"
    if options.root:
        unsigned, zone = folder / "root.unsigned", folder / "root"
        with gzip.open(options.root, "rt") as source, unsigned.open("w") as file:
            file.writelines(x for x in source if x.split()[3] not in SIGNING_TYPES)
        sign(unsigned, ".", ("-a", "RSASHA256", "-b", "2048"), zone)
        yield "root zone, RSA", zone, ".", "rsa2048"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delegations", default="100000")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tools", default="bind,ldns,knot")
    parser.add_argument("--denial", default="nsec,nsec3")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--zones", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[Row] = []
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the run")
    with tempfile.TemporaryDirectory() as name:
        folder = options.zones or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for title, zone, origin, algorithm in zones(folder, options):
            for row in compare(title, zone, origin, options.tools.split(","), options.rounds, algorithm):
                rows.append(row)
                print(f"  {row.name.partition(': ')[2]:24} {row.value:8.2f} {row.unit:6} {row.target}", flush=True)
    if options.json:
        write_json(options.json, "zonefile", rows)


if __name__ == "__main__":
    main()
