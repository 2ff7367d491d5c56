"""Healthy zones on real name servers, assessed: run as root, it prints what is wrong with them as JSON.

    unshare -n python tests/agreement/servers.py [SETUP]...

Root, `test.` and `other.test.` come from the lab; example.test. is served by the real servers at all its addresses.
Each setup is assessed by `gnomon assess`, over the network of a namespace of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import software as on
from namespace import Server, enter, hint_lines
from software import Commands, Site

from gnomon.base import Address, Name
from gnomon.lab import World, build_world
from gnomon.lab.nsd import zone_text

ZONE = Name.from_text(on.ORIGIN)
# All name servers inside the zone, so that the real servers have all of its addresses and nothing else.
HOSTS = ("ns1.example.test.", "ns2.example.test.", "ns3.example.test.")
NSEC3 = {"denial": "nsec3", "nsec3": {"iterations": 0, "salt": "", "opt_out": False}}
UNSIGNED = {"signed": False}
ONE_KEY = {"csk": True}
IPV4 = {"addresses": {host: [f"28.9.{at}.53"] for at, host in enumerate(HOSTS)}}
NO_CAA = {"services": ['_dmarc.example.test. 3600 IN TXT "v=DMARC1; p=reject"']}
TWO_ZSKS = {"extra_keys": [{"flags": 256, "signs": "data"}]}


@dataclass(frozen=True, slots=True)
class Setup:
    """The world's changes, and the software that shares its addresses; `signers`: each signs with a key of its own."""

    changes: Mapping[str, Any]
    software: Sequence[Callable[[Site], Commands]]
    signers: bool = False


def bind_with(options: str) -> Callable[[Site], Commands]:
    return lambda site: on.bind(site, options)


SETUPS: dict[str, Setup] = {
    **{
        f"{name} {denial}": Setup(changes, [make])
        for name, make in (("nsd", on.nsd), ("knot", on.knot), ("bind", on.bind), ("pdns", on.pdns))
        for denial, changes in (("nsec", {}), ("nsec3", NSEC3))
    },
    "knot online": Setup(ONE_KEY, [on.knot_online]),
    "pdns narrow": Setup(NSEC3, [on.pdns_narrow]),
    "bind inline": Setup(NSEC3, [on.bind_inline]),
    "bind cookies": Setup({}, [bind_with("require-server-cookie yes; minimal-responses no-auth;")]),
    "bind limited": Setup({}, [bind_with("rate-limit { responses-per-second 5; slip 2; }; max-udp-size 512;")]),
    "yadifa": Setup({**NSEC3, **NO_CAA}, [on.yadifa]),
    "gdnsd": Setup(UNSIGNED, [on.gdnsd]),
    "tinydns": Setup({**UNSIGNED, **IPV4}, [on.tinydns]),
    "unbound": Setup({}, [on.unbound]),
    "dnsdist": Setup({}, [on.dnsdist]),
    "dnsdist tcp": Setup({}, [on.dnsdist_over_tcp]),
    "three kinds": Setup(NSEC3, [on.nsd, on.knot, on.bind]),
    "two signers": Setup(TWO_ZSKS, [on.nsd, on.bind], signers=True),
    "coredns": Setup({}, [on.coredns]),
    "coredns online": Setup(ONE_KEY, [on.coredns_online]),
    "coredns sign": Setup(ONE_KEY, [on.coredns_sign]),
    "hickory nsec": Setup(ONE_KEY, [on.hickory]),
    "hickory nsec3": Setup({**NSEC3, **ONE_KEY}, [on.hickory]),
}


def main() -> None:
    enter()
    found = {}
    for name in sys.argv[1:] or list(SETUPS):
        print(name, file=sys.stderr)
        world = build_world({"ns": HOSTS, **SETUPS[name].changes, "clock": int(time.time())})
        with tempfile.TemporaryDirectory() as folder:
            found[name] = assess(SETUPS[name], world, Path(folder))
    json.dump(found, sys.stdout, indent=1, sort_keys=True)
    print()


def assess(setup: Setup, world: World, folder: Path) -> list[dict[str, Any]]:
    """The verdicts of notice and above on the zone, and what it offers over TLS."""
    (folder / "hints").write_text(hint_lines(world))
    (folder / "anchor").write_text("".join(f"{line}\n" for line in world.trust_anchors()))
    at = sites(setup, world, folder)
    addresses = [address for site in at for address in site.addresses]
    lab = Server(world, addresses)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with (folder / "log").open("w") as log:
            for make, site in zip(setup.software, at, strict=True):
                site.lay_out()
                for command in make(site):
                    processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        wait_for(addresses, processes, folder / "log")
        command = [sys.executable, "-m", "gnomon", "assess", str(ZONE), "--hints", str(folder / "hints")]
        command += ["--trust-anchor", str(folder / "anchor"), "--allow-net", "0.0.0.0/0", "--allow-net", "::/0"]
        done = subprocess.run(
            [*command, "--format", "json", "--fail-level", "never"], capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            sys.exit(f"assessing failed: {done.stderr}")
        return [v for v in verdicts(done.stdout) if v["level"] in BAD or v["check"] == "net.encrypted-auth"]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        lab.close()


def sites(setup: Setup, world: World, folder: Path) -> list[Site]:
    """One for each software: every host of the zone goes to one of them, in turn."""
    spec = world.zones[ZONE]
    keys = spec.signing.keys if spec.signing else ()
    lines = tuple(zone_text(world, spec).splitlines(keepends=True))
    count = len(setup.software)
    found = []
    for at in range(count):
        hosts = [host for number, host in enumerate(spec.ns) if number % count == at]
        addresses = tuple(address for host in hosts for address in world.addresses_of(host))
        own = [key for key in keys if not key.signs_keys][at] if setup.signers else None
        found.append(Site(folder / str(at), addresses, on.signed_by(lines, own) if own else lines, keys))
    return found


BAD = ("notice", "warning", "error", "critical", "unknown")


def verdicts(output: str) -> list[dict[str, Any]]:
    rows = [row for zone in json.loads(output) for row in zone["verdicts"]]
    return [{key: row[key] for key in ("check", "code", "level", "sentence")} for row in rows]


def wait_for(addresses: Sequence[Address], processes: Sequence[subprocess.Popen[bytes]], log: Path) -> None:
    import dns.message
    import dns.query

    for address in addresses:
        for _ in range(200):
            if any(process.poll() is not None for process in processes):
                sys.exit(f"a server ended: {log.read_text()}")
            try:
                said = dns.query.udp(dns.message.make_query(str(ZONE), "SOA"), str(address), timeout=0.2)
                if said.rcode() == 0:
                    break
            except Exception:
                pass
            time.sleep(0.05)
        else:
            sys.exit(f"{address} does not answer: {log.read_text()}")


if __name__ == "__main__":
    main()
