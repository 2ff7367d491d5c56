"""What BIND and PowerDNS Recursor, as validating resolvers, say of a zone in a lab world; for `peers.py`."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
from namespace import hint_lines
from situations import PROBE, Situation

from gnomon.lab import World

_AT, _PORT = "127.0.0.1", 5300
_WAIT_S = 30

_BIND = """
options {
  directory "FOLDER"; listen-on port PORT { ADDRESS; }; listen-on-v6 { none; }; recursion yes; dnssec-validation yes;
  empty-zones-enable no; qname-minimization off; trust-anchor-telemetry no; pid-file none; session-keyfile none;
};
controls { };
zone "." { type hint; file "hints"; };
trust-anchors {
ANCHORS
};
"""
_POWERDNS = """
local-address=ADDRESS
local-port=PORT
query-local-address=0.0.0.0, ::
dont-query=
hint-file=FOLDER/hints
lua-config-file=FOLDER/anchors.lua
dnssec=validate
qname-minimization=no
security-poll-suffix=
socket-dir=FOLDER
"""


@dataclass(frozen=True, slots=True)
class Resolver:
    """How a resolver is started: its files lie in FOLDER, with a line `anchor` in them for each DS of the root."""

    command: tuple[str, ...]
    files: Mapping[str, str]
    anchor: str


RESOLVERS = {
    "bind": Resolver(
        ("named", "-g", "-n", "1", "-c", "FOLDER/named.conf"),
        {"named.conf": _BIND},
        ' . static-ds {} {} {} "{}";',
    ),
    "powerdns": Resolver(
        ("pdns_recursor", "--config-dir=FOLDER", "--daemon=no", "--write-pid=no"),
        {"recursor.conf": _POWERDNS, "anchors.lua": 'clearTA(".")\nANCHORS\n'},
        'addTA(".", "{} {} {} {}")',
    ),
}


def ask_resolver(resolver: Resolver, world: World, situation: Situation, folder: Path) -> dict[str, str]:
    """The status of the zone's SOA, and of the answer for a name that does not exist: what its AD bit and code say."""
    asked = {"soa": (situation.zone, "SOA"), "denial": (f"{PROBE}.{situation.zone}", "A")}
    with _running(resolver, world, folder):
        return {word: _status(name, rtype) for word, (name, rtype) in asked.items()}


@contextmanager
def _running(resolver: Resolver, world: World, folder: Path) -> Iterator[None]:
    anchors = "\n".join(resolver.anchor.format(*line.split(" DS ")[1].split()) for line in world.trust_anchors())
    words = {"FOLDER": str(folder), "ADDRESS": _AT, "PORT": str(_PORT), "ANCHORS": anchors}

    def filled(text: str) -> str:
        return functools.reduce(lambda done, word: done.replace(word, words[word]), words, text)

    for name, text in {**resolver.files, "hints": hint_lines(world)}.items():
        (folder / name).write_text(filled(text))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([filled(word) for word in resolver.command], stdout=log, stderr=log)
    try:
        for _ in range(100):
            try:
                dns.query.udp(dns.message.make_query("version.bind", "TXT", "CH"), _AT, 0.2, _PORT)
            except (OSError, dns.exception.DNSException):
                if process.poll() is not None:
                    raise RuntimeError((folder / "log").read_text()) from None
                continue
            break
        yield
    finally:
        process.kill()
        process.wait()


def _status(name: str, rtype: str) -> str:
    query = dns.message.make_query(name, rtype, want_dnssec=True)
    query.flags |= dns.flags.AD
    try:
        reply = dns.query.tcp(query, _AT, _WAIT_S, _PORT)
    except dns.exception.Timeout:
        return "timeout"
    if reply.rcode() == dns.rcode.SERVFAIL:
        return "servfail"
    return "secure" if reply.flags & dns.flags.AD else "insecure"
