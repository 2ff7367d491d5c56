"""Healthy signed zones on real name servers, assessed: run as root, it prints what is wrong with them as JSON.

    unshare -n python tests/agreement/servers.py [nsd knot bind pdns]

Root, `test.` and `other.test.` come from the lab; example.test. is served by the real server at all its addresses,
with NSEC and with NSEC3. Each of them is assessed by `gnomon assess`, over the network of a namespace of its own.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from namespace import Server, enter, hint_lines

from gnomon.base import Address, Name
from gnomon.lab import World, build_world
from gnomon.lab.keys import p256_private
from gnomon.lab.nsd import zone_text
from gnomon.lab.spec import KeySpec

ZONE = Name.from_text("example.test.")
# All name servers inside the zone, so that one real server has all of its addresses and nothing else.
WORLD: dict[str, Any] = {"ns": ["ns1.example.test.", "ns2.example.test.", "ns3.example.test."]}
DENIALS: dict[str, dict[str, Any]] = {
    "nsec": {"denial": "nsec"},
    "nsec3": {"denial": "nsec3", "nsec3": {"iterations": 0, "salt": "", "opt_out": False}},
}


def main() -> None:
    enter()
    found = {}
    for server in sys.argv[1:] or list(SERVERS):
        for denial, changes in DENIALS.items():
            print(f"{server} {denial}", file=sys.stderr)
            world = build_world({**WORLD, **changes, "clock": int(time.time())})
            with tempfile.TemporaryDirectory() as folder:
                found[f"{server} {denial}"] = assess(server, world, Path(folder))
    json.dump(found, sys.stdout, indent=1, sort_keys=True)
    print()


KEYS: list[KeySpec] = []


def assess(server: str, world: World, folder: Path) -> list[dict[str, Any]]:
    """The verdicts of notice and above on the zone, and what it offers over TLS."""
    spec = next(zone for zone in world.zones.values() if zone.name == ZONE)
    KEYS[:] = spec.signing.keys if spec.signing else ()
    addresses = [address for address, zones in world.zones_at.items() if any(zone.name == ZONE for zone in zones)]
    (folder / "zone").write_text(zone_text(world, spec))
    (folder / "hints").write_text(hint_lines(world))
    (folder / "anchor").write_text("".join(f"{line}\n" for line in world.trust_anchors()))
    lab = Server(world, addresses)
    process = subprocess.Popen(
        SERVERS[server](folder, addresses), stdout=(folder / "log").open("w"), stderr=subprocess.STDOUT
    )
    try:
        wait_for(addresses, process, folder / "log")
        command = [sys.executable, "-m", "gnomon", "assess", str(ZONE), "--hints", str(folder / "hints")]
        command += ["--trust-anchor", str(folder / "anchor"), "--allow-net", "0.0.0.0/0", "--allow-net", "::/0"]
        done = subprocess.run(
            [*command, "--format", "json", "--fail-level", "never"], capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            sys.exit(f"assessing {server} failed: {done.stderr}")
        return [v for v in verdicts(done.stdout) if v["level"] in BAD or v["check"] == "net.encrypted-auth"]
    finally:
        process.terminate()
        process.wait()
        lab.close()


BAD = ("notice", "warning", "error", "critical", "unknown")


def verdicts(output: str) -> list[dict[str, Any]]:
    rows = [row for zone in json.loads(output) for row in zone["verdicts"]]
    return [{key: row[key] for key in ("check", "code", "level", "sentence")} for row in rows]


def wait_for(addresses: Sequence[Address], process: subprocess.Popen[bytes], log: Path) -> None:
    import dns.message
    import dns.query

    for address in addresses:
        for _ in range(200):
            if process.poll() is not None:
                sys.exit(f"the server ended: {log.read_text()}")
            try:
                dns.query.udp(dns.message.make_query(str(ZONE), "SOA"), str(address), timeout=0.2)
                break
            except Exception:
                time.sleep(0.05)
        else:
            sys.exit(f"{address} does not answer: {log.read_text()}")


def nsd(folder: Path, addresses: Sequence[Address]) -> list[str]:
    listen = "".join(f" ip-address: {address}\n" for address in addresses)
    (folder / "conf").write_text(
        f'server:\n{listen} zonesdir: "{folder}"\n database: ""\n pidfile: "{folder}/pid"\n username: ""\n chroot: ""\n'
        f' zonelistfile: "{folder}/list"\n xfrdfile: "{folder}/xfrd"\n hide-version: yes\n rrl-ratelimit: 0\n'
        " answer-cookie: yes\nremote-control:\n control-enable: no\n"
        f'zone:\n name: "{ZONE}"\n zonefile: "zone"\n'
    )
    return ["nsd", "-d", "-c", str(folder / "conf")]


def knot(folder: Path, addresses: Sequence[Address]) -> list[str]:
    listen = ", ".join(f"{address}@53" for address in addresses)
    (folder / "conf").write_text(
        f'server:\n  listen: [{listen}]\n  rundir: {folder}\n  version: ""\n  identity: ""\n'
        f"database:\n  storage: {folder}\n"
        "mod-cookies:\n  - id: default\n"
        f"zone:\n  - domain: {ZONE}\n    storage: {folder}\n    file: zone\n    zonefile-load: whole\n"
        "    zonefile-sync: -1\n    journal-content: none\n    module: mod-cookies/default\n"
    )
    return ["knotd", "-c", str(folder / "conf")]


def bind(folder: Path, addresses: Sequence[Address]) -> list[str]:
    v4 = " ".join(f"{address};" for address in addresses if address.version == 4)
    v6 = " ".join(f"{address};" for address in addresses if address.version == 6)
    (folder / "conf").write_text(
        f'options {{ directory "{folder}"; pid-file none; session-keyfile none; listen-on {{ {v4} }};\n'
        f" listen-on-v6 {{ {v6} }}; listen-on port 853 tls ephemeral {{ {v4} }};\n"
        f" listen-on-v6 port 853 tls ephemeral {{ {v6} }};\n"
        " recursion no; allow-transfer { none; }; version none; hostname none;\n"
        " server-id none; dnssec-validation no; notify no; minimal-responses yes; };\n"
        f'controls {{ }};\nzone "{ZONE}" {{ type primary; file "zone"; }};\n'
    )
    return ["named", "-f", "-c", str(folder / "conf")]


def pdns(folder: Path, addresses: Sequence[Address]) -> list[str]:
    listen = ",".join(map(str, addresses))
    (folder / "pdns.conf").write_text(
        f"launch=gsqlite3\ngsqlite3-database={folder}/db\ngsqlite3-dnssec=yes\nlocal-address={listen}\n"
        f"socket-dir={folder}\nversion-string=anonymous\nsecurity-poll-suffix=\ndisable-axfr=yes\nserver-id=disabled\n"
        "guardian=no\ndaemon=no\nexpand-alias=no\nzone-cache-refresh-interval=0\n"
    )
    schema = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
    subprocess.run(["sqlite3", str(folder / "db")], input=schema.read_bytes(), check=True)
    # PowerDNS makes NSEC records itself, so it signs itself, with the keys to which the parent's DS leads.
    signed = (folder / "zone").read_text().splitlines(keepends=True)
    unsigned = [line for line in signed if line.split()[3] not in ("RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY")]
    (folder / "unsigned").write_text("".join(unsigned))
    steps = [["load-zone", str(ZONE), str(folder / "unsigned")]]
    for key in KEYS:
        private = base64.b64encode(p256_private(key.index)).decode()
        file = folder / f"key{key.index}"
        file.write_text(f"Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: {private}\n")
        steps.append(["import-zone-key", str(ZONE), str(file), "active", "ksk" if key.signs_keys else "zsk"])
    if any(line.split()[3] == "NSEC3PARAM" for line in signed):
        steps.append(["set-nsec3", str(ZONE), "1 0 0 -"])
    for step in [*steps, ["rectify-zone", str(ZONE)]]:
        subprocess.run(["pdnsutil", f"--config-dir={folder}", *step], check=True, capture_output=True)
    return ["pdns_server", f"--config-dir={folder}"]


SERVERS: dict[str, Callable[[Path, Sequence[Address]], list[str]]] = {
    name: make
    for name, make, program in (
        ("nsd", nsd, "nsd"), ("knot", knot, "knotd"), ("bind", bind, "named"), ("pdns", pdns, "pdns_server"),
    )
    if shutil.which(program)
}  # fmt: skip


if __name__ == "__main__":
    main()
