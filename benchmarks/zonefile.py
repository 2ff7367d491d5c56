"""A whole signed zone verified by Gnomon beside BIND, ldns, Knot and OpenSSL, in one run.

    python benchmarks/zonefile.py [--delegations 100000] [--rounds 1] [--tools bind,ldns,knot] [--root FILE]

Makes a TLD-like zone (two name servers each, 30 % with DS, 10 % with glue) and signs it with ECDSA P-256, once with
NSEC and once with NSEC3; `--root` adds a snapshot of the root zone, re-signed with RSA-2048. Needs the Debian packages
bind9-utils and openssl, and for comparison ldnsutils and knot-dnssecutils; a tool that is missing is left out. Prints
CPU and wall seconds, peak memory, and the ratios; compare ratios, not figures from different runs.

"Crypto alone" is the number of signatures times the CPU time of one verification by `openssl speed` in the same run.
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
    always = ("-q", "-P", "-S", "-K", str(keys), "-o", origin, "-O", "full", "-e", "+30d", "-f", str(out))
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
    all_tools = {
        "gnomon": [sys.executable, "-c", gnomon, "zonefile", "audit", str(path)],
        "bind": ["dnssec-verify", "-q", "-o", origin, str(path)],
        "ldns": ["ldns-verify-zone", "-V", "1", str(path)],
        "knot": ["kzonecheck", "-o", origin, "-d", "on", str(path)],
    }
    return {t: c for t, c in all_tools.items() if t == "gnomon" or (t in tools and shutil.which(c[0]))}


def compare(title: str, path: Path, origin: str, tools: Sequence[str], rounds: int, verify_s: float) -> None:
    with path.open() as file:
        signatures = sum(1 for line in file if re.search(r"\sRRSIG\s+[A-Z0-9]+ \d+ \d+ \d+ \d{14}", line))
    crypto_s = signatures * verify_s
    runs: dict[str, list[Cost]] = {tool: [] for tool in commands(path, origin, tools)}
    for _ in range(rounds):
        for tool, command in commands(path, origin, tools).items():
            runs[tool].append(run(command))
    middle = {
        tool: Cost(*(statistics.median(getattr(cost, of) for cost in costs) for of in ("cpu_s", "wall_s", "rss_mib")))
        for tool, costs in runs.items()
    }
    ours = middle["gnomon"]
    ratio = ours.cpu_s / crypto_s
    print(f"{title}: {signatures:,} signatures, crypto alone {crypto_s:.2f} s CPU, gnomon/crypto {ratio:.2f}")
    for tool, cost in middle.items():
        line = f"  {tool:7} cpu {cost.cpu_s:7.2f} s  wall {cost.wall_s:7.2f} s  memory {cost.rss_mib:7.1f} MiB"
        if tool != "gnomon":
            ratios = (ours.cpu_s / cost.cpu_s, ours.wall_s / cost.wall_s, ours.rss_mib / cost.rss_mib)
            line += "   gnomon/{}: cpu {:.2f} wall {:.2f} memory {:.2f}".format(tool, *ratios)
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delegations", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tools", default="bind,ldns,knot")
    parser.add_argument("--root", type=Path)
    options = parser.parse_args()
    tools = options.tools.split(",")
    load_1min = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load_1min:.1f} before the run")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        unsigned = work / "unsigned"
        with unsigned.open("w") as file:
            file.writelines(delegations(options.delegations))
        verify_s = openssl_verify_s("ecdsap256")
        for title, how in (("NSEC", ()), ("NSEC3", ("-3", "-", "-H", "0"))):
            zone = work / title
            sign(unsigned, "bench", ("-a", "ECDSAP256SHA256"), zone, *how)
            compare(f"{options.delegations:,} delegations, {title}", zone, "bench", tools, options.rounds, verify_s)
        if options.root:
            with gzip.open(options.root, "rt") as source, unsigned.open("w") as file:
                file.writelines(x for x in source if x.split()[3] not in SIGNING_TYPES)
            sign(unsigned, ".", ("-a", "RSASHA256", "-b", "2048"), work / "root")
            compare("root", work / "root", ".", tools, options.rounds, openssl_verify_s("rsa2048"))


if __name__ == "__main__":
    main()
