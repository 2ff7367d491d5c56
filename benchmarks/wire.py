"""Messages read and signatures verified, beside dnspython and the bare crypto, in one run.

    python benchmarks/wire.py [--rounds 5] [--json FILE]

A signed referral (4 NS, DS with its RRSIG, 8 glue addresses, EDNS) is made into the lazy view, read whole (each record
of each section, as a value), and read by dnspython. An ECDSA P-256 signature over that DS is verified from Python, and
natively beside the bare verification of the same octets by the same library (`cargo bench`, where cargo is installed).
Prints CPU microseconds, the median of the rounds; compare ratios, not figures from different runs.
"""

from __future__ import annotations

import argparse
import itertools
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.dnssec
import dns.message
import dns.name
import dns.rdata
import dns.rrset
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from results import Row, write_json

from gnomon import _core
from gnomon.wire import Message

ROUND_S = 0.3
OTHER_NAMES = 10_000


def referral(key: ec.EllipticCurvePrivateKey) -> tuple[bytes, dns.rrset.RRset, bytes, bytes]:
    """The message; its DS RRset; the RRSIG over that and the DNSKEY, as octets."""
    made = dns.message.make_response(
        dns.message.make_query("www.example-domain.test.", "A", want_dnssec=True, payload=1232), our_payload=1232
    )

    def rrset(owner: str, rtype: str, *rdatas: str) -> dns.rrset.RRset:
        return dns.rrset.from_text(owner, 3600, "IN", rtype, *rdatas)

    hosts = [f"ns{number}.dns-operator.test." for number in range(4)]
    ds = rrset("example-domain.test.", "DS", "12345 13 2 " + "ab" * 32)
    dnskey = dns.dnssec.make_dnskey(key.public_key(), 13)
    rrsig = dns.dnssec.sign(ds, key, dns.name.from_text("test."), dnskey, inception=1, expiration=2)
    made.authority = [rrset("example-domain.test.", "NS", *hosts), ds, dns.rrset.from_rdata(ds.name, 3600, rrsig)]
    made.additional = [rrset(host, "A", f"198.51.100.{number}") for number, host in enumerate(hosts)]
    made.additional += [rrset(host, "AAAA", f"2001:db8::{number}") for number, host in enumerate(hosts)]
    return made.to_wire(), ds, rrsig.to_wire() or b"", dnskey.to_wire() or b""


def cpu_us(work: Callable[[], object], rounds: int) -> float:
    """CPU microseconds of one call, the median of the rounds."""
    work()
    costs = []
    for _ in range(rounds):
        calls, began = 0, time.process_time()
        while (spent := time.process_time() - began) < ROUND_S:
            for _ in range(20):
                work()
            calls += 20
        costs.append(spent / calls * 1e6)
    return statistics.median(costs)


def read_whole(octets: bytes) -> object:
    message = Message(octets)
    return message.question, message.answer, message.authority, message.additional, message.edns, message.malformed


def with_other_names(octets: bytes) -> Iterator[bytes]:
    """The message with other names each time, more than are kept at hand before one comes again."""
    of = [
        octets.replace(b"example-domain", b"%014d" % number).replace(b"dns-operator", b"%012d" % number)
        for number in range(OTHER_NAMES)
    ]
    return itertools.cycle(of)


def native_verify_us() -> tuple[float, float] | None:
    """Bare and whole verification in the native core; None without cargo."""
    if not shutil.which("cargo"):
        return None
    command = ["cargo", "bench", "--quiet", "-p", "gnomon-core", "--bench", "verify"]
    folder = Path(__file__).resolve().parents[1] / "rust"
    out = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    bare_us, whole_us = (float(figure) for figure in re.findall(r"([\d.]+) us", out))
    return bare_us, whole_us


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    key = ec.generate_private_key(ec.SECP256R1())
    octets, ds, rrsig, dnskey = referral(key)
    owner, rdatas = ds.name.to_wire() or b"", [rdata.to_wire() or b"" for rdata in ds]
    if _core.verify_rrsig(owner, int(ds.rdtype), 1, rdatas, rrsig, dnskey) != "valid":
        raise SystemExit("the signature that was just made does not verify")
    data, public = b"x" * 100, key.public_key()
    signature = key.sign(data, ec.ECDSA(hashes.SHA256()))
    apex, rrsig_rdata = dns.name.from_text("test."), dns.rdata.from_wire(1, 46, rrsig, 0, len(rrsig))
    keys = {apex: dns.rrset.from_rdata(apex, 1, dns.rdata.from_wire(1, 48, dnskey, 0, len(dnskey)))}

    others = with_other_names(octets)

    def measured(name: str, work: Callable[[], object], target: str = "") -> Row:
        return Row(name, cpu_us(work, options.rounds), "us", target)

    rows = [
        measured(f"signed referral, {len(octets)} octets: lazy", lambda: Message(octets), "< 2"),
        measured("signed referral: read whole", lambda: read_whole(octets), "< 10"),
        measured("signed referral: read whole, names never seen", lambda: read_whole(next(others))),
        measured("signed referral: dnspython", lambda: dns.message.from_wire(octets)),
        measured(
            "P-256 signature over a DS: from Python",
            lambda: _core.verify_rrsig(owner, int(ds.rdtype), 1, rdatas, rrsig, dnskey),
        ),
        measured("P-256: cryptography (OpenSSL)", lambda: public.verify(signature, data, ec.ECDSA(hashes.SHA256()))),
        measured(
            "P-256 signature over a DS: dnspython",
            lambda: dns.dnssec.validate_rrsig(ds, rrsig_rdata, keys, now=1),
        ),
    ]
    ours, theirs = rows[1].value, rows[3].value
    rows.append(Row("signed referral: dnspython, of ours read whole", theirs / ours, "times"))
    if native := native_verify_us():
        bare_us, whole_us = native
        rows.append(Row("P-256 signature over a DS: native, of the bare crypto", whole_us / bare_us, "times", "<= 1.2"))
    for row in rows:
        print(f"{row.name:56} {row.value:9.2f} {row.unit:6} {row.target}")
    if options.json:
        write_json(options.json, "wire", rows)


if __name__ == "__main__":
    main()
