"""How each name server software is set up to serve one zone: its configuration, and the commands that run it.

Each gets the zone as a master file, signed or not, and where it signs itself the zone's private keys.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import dns.rdata
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gnomon.base import Address
from gnomon.base.codes import DNSKEY
from gnomon.lab.keys import dnskey_rdata, key_tag, p256_private
from gnomon.lab.spec import KeySpec
from gnomon.wire.presentation import rdata_text

ORIGIN = "example.test."
DNSSEC_TYPES = ("RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY")
Commands = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Site:
    """Where one instance runs: its folder, its addresses, the zone's records (one a line) and its keys.

    `zone` and `unsigned` in the folder are the zone with and without what signing adds.
    """

    folder: Path
    addresses: tuple[Address, ...]
    lines: tuple[str, ...]
    keys: tuple[KeySpec, ...]

    def lay_out(self) -> None:
        self.folder.mkdir()
        (self.folder / "zone").write_text("".join(self.lines))
        (self.folder / "unsigned").write_text("".join(line for line in self.lines if kind(line) not in DNSSEC_TYPES))

    @property
    def nsec3(self) -> bool:
        return any(kind(line) == "NSEC3PARAM" for line in self.lines)

    def listed(self, between: str, version: int | None = None, after: str = "") -> str:
        return between.join(f"{a}{after}" for a in self.addresses if version in (None, a.version))

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)


def kind(line: str) -> str:
    """The type of a master file's line."""
    return line.split()[3]


def signed_by(lines: Iterable[str], own: KeySpec) -> tuple[str, ...]:
    """The zone's lines as that signer has them: without what other keys for data sign."""
    tag, keys = str(key_tag(dnskey_rdata(own))), ("DNSKEY", "CDS", "CDNSKEY")
    return tuple(line for line in lines if kind(line) != "RRSIG" or line.split()[4] in keys or line.split()[10] == tag)


def key_files(site: Site, times: Sequence[str] = ()) -> list[Path]:
    """The keys in BIND's form; the paths of the private halves. At those `times` they came into use, long ago."""
    made = []
    for key in site.keys:
        rdata = dnskey_rdata(key)
        stem = site.folder / f"K{ORIGIN}+{key.algorithm:03}+{key_tag(rdata):05}"
        stem.with_name(f"{stem.name}.key").write_text(f"{ORIGIN} 3600 IN DNSKEY {rdata_text(DNSKEY, rdata)}\n")
        private = base64.b64encode(p256_private(key.index)).decode()
        file = stem.with_name(f"{stem.name}.private")
        used = "".join(f"{time}: 20200101000000\n" for time in times if key.signs_keys or time != "SyncPublish")
        file.write_text(f"Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: {private}\n{used}")
        made.append(file)
    return made


def pem_file(site: Site, key: KeySpec) -> Path:
    """A key as PKCS #8 in PEM."""
    secret = ec.derive_private_key(int.from_bytes(p256_private(key.index), "big"), ec.SECP256R1())
    file = site.folder / f"key{key.index}.pem"
    file.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def run(steps: Iterable[Sequence[str]]) -> None:
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(step)}: {done.stdout}{done.stderr}")


def nsd(site: Site, options: str = " rrl-ratelimit: 0\n answer-cookie: yes\n") -> Commands:
    folder = site.folder
    config = site.write(
        "conf",
        f'server:\n zonesdir: "{folder}"\n database: ""\n pidfile: "{folder}/pid"\n username: ""\n chroot: ""\n'
        f' zonelistfile: "{folder}/list"\n xfrdfile: "{folder}/xfrd"\n hide-version: yes\n'
        + "".join(f" ip-address: {address}\n" for address in site.addresses)
        + f'{options}remote-control:\n control-enable: no\nzone:\n name: "{ORIGIN}"\n zonefile: "zone"\n',
    )
    return [["nsd", "-d", "-c", config]]


def knot(site: Site, modules: str = "mod-cookies:\n  - id: default\n", use: str = "mod-cookies/default") -> Commands:
    folder = site.folder
    config = site.write(
        "conf",
        f'server:\n  listen: [{site.listed(", ", after="@53")}]\n  rundir: {folder}\n  version: ""\n'
        f'  identity: ""\ndatabase:\n  storage: {folder}\n{modules}'
        f"zone:\n  - domain: {ORIGIN}\n    storage: {folder}\n    file: zone\n    zonefile-load: whole\n"
        f"    zonefile-sync: -1\n    journal-content: none\n    module: [{use}]\n",
    )
    return [["knotd", "-c", config]]


def knot_online(site: Site) -> Commands:
    """Signs each answer by itself; no name exists not: NSEC at the name itself."""
    commands = knot(
        site,
        "policy:\n  - id: own\n    manual: on\n    single-type-signing: on\n    algorithm: ecdsap256sha256\n"
        "mod-onlinesign:\n  - id: own\n    policy: own\n",
        "mod-onlinesign/own",
    )
    (site.folder / "unsigned").replace(site.folder / "zone")
    arguments = [
        "algorithm=ecdsap256sha256",
        "ksk=yes",
        "zsk=yes",
        *(f"{t}=-1d" for t in ("created", "publish", "ready", "active")),
    ]
    run(
        ["keymgr", "-c", commands[0][2], ORIGIN, "import-pem", str(pem_file(site, key)), *arguments]
        for key in site.keys
    )
    return commands


def bind(site: Site, options: str = "minimal-responses yes;", zone: str = 'file "zone";', more: str = "") -> Commands:
    v4, v6 = site.listed(" ", 4, ";"), site.listed(" ", 6, ";")
    config = site.write(
        "conf",
        f'options {{ directory "{site.folder}"; pid-file none; session-keyfile none; listen-on {{ {v4} }};\n'
        f" listen-on-v6 {{ {v6} }}; listen-on port 853 tls ephemeral {{ {v4} }};\n"
        f" listen-on-v6 port 853 tls ephemeral {{ {v6} }};\n"
        " recursion no; allow-transfer { none; }; version none; hostname none;\n"
        f" server-id none; dnssec-validation no; notify no; {options} }};\n"
        f'controls {{ }};\n{more}\nzone "{ORIGIN}" {{ type primary; {zone} }};\n',
    )
    return [["named", "-f", "-c", config]]


def bind_inline(site: Site) -> Commands:
    """Signs the zone itself, by a policy, and publishes CDS and CDNSKEY."""
    key_files(site, ("Created", "Publish", "Activate", "SyncPublish"))
    denial = "nsec3param iterations 0 optout no salt-length 0;" if site.nsec3 else ""
    return bind(
        site,
        f'key-directory "{site.folder}"; minimal-responses yes;',
        'file "unsigned"; dnssec-policy own; inline-signing yes;',
        "dnssec-policy own { keys { ksk lifetime unlimited algorithm ecdsap256sha256;\n"
        f" zsk lifetime unlimited algorithm ecdsap256sha256; }}; {denial} }};",
    )


def pdns(site: Site, steps: Sequence[Sequence[str]] = ()) -> Commands:
    """PowerDNS makes NSEC records itself, so it signs itself, with the keys to which the parent's DS leads."""
    folder = site.folder
    site.write(
        "pdns.conf",
        f"launch=gsqlite3\ngsqlite3-database={folder}/db\ngsqlite3-dnssec=yes\nlocal-address={site.listed(',')}\n"
        f"socket-dir={folder}\nversion-string=anonymous\nsecurity-poll-suffix=\ndisable-axfr=yes\nserver-id=disabled\n"
        f"guardian=no\ndaemon=no\nexpand-alias=no\nzone-cache-refresh-interval=0\n",
    )
    schema = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
    subprocess.run(["sqlite3", str(folder / "db")], input=schema.read_bytes(), check=True)
    todo = [["load-zone", ORIGIN, str(folder / "unsigned")]]
    for key, file in zip(site.keys, key_files(site), strict=True):
        todo.append(["import-zone-key", ORIGIN, str(file), "active", "ksk" if key.signs_keys else "zsk"])
    if site.nsec3:
        todo.append(["set-nsec3", ORIGIN, "1 0 0 -"])
    todo += [list(step) for step in steps]
    run(["pdnsutil", f"--config-dir={folder}", *step] for step in [*todo, ["rectify-zone", ORIGIN]])
    return [["pdns_server", f"--config-dir={folder}"]]


def pdns_narrow(site: Site) -> Commands:
    """NSEC3 records made for each question."""
    return pdns(site, [["set-nsec3", ORIGIN, "1 0 0 -", "narrow"]])


def yadifa(site: Site) -> Commands:
    folder = site.folder
    config = site.write(
        "conf",
        f'<main>\n daemon off\n logpath "{folder}"\n pidfile "{folder}/pid"\n datapath "{folder}"\n'
        f' keyspath "{folder}"\n xfrpath "{folder}"\n user root\n group root\n listen {site.listed(",")}\n'
        ' version-chaos ""\n hostname-chaos ""\n</main>\n'
        "<channels>\n all all.log 0644\n</channels>\n<loggers>\n server * all\n database * all\n</loggers>\n"
        f"<zone>\n type primary\n domain {ORIGIN}\n file zone\n allow-transfer none\n allow-update none\n</zone>\n",
    )
    return [["yadifad", "-c", config]]


def gdnsd(site: Site) -> Commands:
    (site.folder / "zones").mkdir()
    (site.folder / "unsigned").replace(site.folder / "zones" / ORIGIN.rstrip("."))
    site.write(
        "config",
        f"options => {{ listen => [ {site.listed(', ')} ], run_dir => {site.folder}, state_dir => {site.folder} }}\n",
    )
    return [["gdnsd", "-c", str(site.folder), "start"]]


def tinydns(site: Site) -> Commands:
    """IPv4 over UDP; over TCP axfrdns answers."""
    data = []
    for line in (site.folder / "unsigned").read_text().splitlines():
        owner, ttl_s, _, rtype, text = line.split(None, 4)
        rdata = dns.rdata.from_text("IN", rtype, text, relativize=False)
        wire = "".join(f"\\{octet:03o}" for octet in rdata.to_wire() or b"")
        if rtype == "SOA":
            data.append("Z{}:{}:{}:{}:{}:{}:{}:{}:{}\n".format(owner, *text.split(), ttl_s))
        elif rtype == "NS":
            data.append(f"&{owner}::{text}:{ttl_s}\n")
        elif rtype == "A":
            data.append(f"+{owner}:{text}:{ttl_s}\n")
        elif rtype == "MX":
            preference, host = text.split()
            data.append(f"@{owner}::{host}:{preference}:{ttl_s}\n")
        else:
            data.append(f":{owner}:{rdata.rdtype}:{wire}:{ttl_s}\n")
    site.write("data", "".join(data))
    subprocess.run(["tinydns-data"], cwd=site.folder, check=True)
    commands = []
    for address in site.addresses:
        env = ["env", f"ROOT={site.folder}", "UID=0", "GID=0", f"IP={address}"]
        commands += [[*env, "tinydns"], [*env, "tcpserver", "-RHl0", str(address), "53", "axfrdns"]]
    return commands


def unbound(site: Site) -> Commands:
    folder = site.folder
    config = site.write(
        "conf",
        f'server:\n directory: "{folder}"\n chroot: ""\n username: ""\n pidfile: ""\n do-daemonize: no\n logfile: ""\n'
        ' use-syslog: no\n hide-identity: yes\n hide-version: yes\n module-config: "iterator"\n'
        ' local-zone: "test." nodefault\n'
        " access-control: 0.0.0.0/0 refuse_non_local\n access-control: ::/0 refuse_non_local\n"
        + "".join(f" interface: {address}\n" for address in site.addresses)
        + f'remote-control:\n control-enable: no\nauth-zone:\n name: "{ORIGIN}"\n zonefile: "{folder}/zone"\n'
        " for-downstream: yes\n for-upstream: no\n",
    )
    return [["unbound", "-d", "-c", config]]


def dnsdist(site: Site, rules: str = "") -> Commands:
    """In front of NSD on loopback, with a cache."""
    behind = nsd(replace(site, addresses=()), " ip-address: 127.0.0.53@5353\n rrl-ratelimit: 0\n")
    listen = [f"[{address}]" if address.version == 6 else str(address) for address in site.addresses]
    config = site.write(
        "dnsdist.conf",
        "setSecurityPollSuffix('')\nsetACL({'0.0.0.0/0', '::/0'})\n"
        + "".join(f"addLocal('{address}:53')\n" for address in listen)
        + "newServer{address='127.0.0.53:5353', healthCheckMode='up'}\n"
        f"getPool(''):setCache(newPacketCache(10000))\n{rules}",
    )
    return [*behind, ["dnsdist", "-C", config, "--supervised", "--disable-syslog"]]


def dnsdist_over_tcp(site: Site) -> Commands:
    """Every question over UDP is sent to TCP, as in a flood."""
    return dnsdist(site, "addAction(AllRule(), TCAction())\n")


def coredns(site: Site, plugins: str = "file zone") -> Commands:
    config = site.write("Corefile", f"{ORIGIN} {{\n bind {site.listed(' ')}\n errors\n {plugins}\n}}\n")
    return [["env", "-C", str(site.folder), "coredns", "-conf", config]]


def coredns_online(site: Site) -> Commands:
    """Signs each answer by itself, with the least NSEC."""
    files = " ".join(str(file.with_suffix("")) for file in key_files(site))
    return coredns(site, f"dnssec {{\n  key file {files}\n }}\n file unsigned")


def coredns_sign(site: Site) -> Commands:
    files = " ".join(str(file.with_suffix("")) for file in key_files(site))
    signed = f"file db.{ORIGIN}signed {{\n  reload 1s\n }}"
    return coredns(site, f"sign unsigned {{\n  key file {files}\n  directory .\n }}\n {signed}")


def hickory(site: Site) -> Commands:
    v4 = ", ".join(f'"{a}"' for a in site.addresses if a.version == 4)
    v6 = ", ".join(f'"{a}"' for a in site.addresses if a.version == 6)
    keys = "".join(
        f'[[zones.keys]]\nkey_path = "{pem_file(site, key)}"\nalgorithm = "ECDSAP256SHA256"\n' for key in site.keys
    )
    proof = "{ nsec3 = { iterations = 0, salt = [], opt_out = false } }" if site.nsec3 else '"nsec"'
    config = site.write(
        "conf.toml",
        f'listen_addrs_ipv4 = [{v4}]\nlisten_addrs_ipv6 = [{v6}]\ndirectory = "{site.folder}"\n'
        "drop_privileges = false\n"
        f'[[zones]]\nzone = "{ORIGIN}"\nzone_type = "Primary"\n'
        + (f"nx_proof_kind = {proof}\n" if site.keys else "")
        + '[[zones.stores]]\ntype = "file"\nzone_path = "unsigned"\n'
        + keys,
    )
    return [["hickory-dns", "-c", config]]
