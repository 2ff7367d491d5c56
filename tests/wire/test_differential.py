"""Our reading of real captures against dnspython's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.exception
import dns.message
import dns.rrset
from wire_corpus import captured_messages, recorded_messages

from gnomon import _core
from gnomon.wire import Message
from gnomon.wire.presentation import dig
from gnomon.wire.rdata import MalformedRdata

Row = tuple[bytes, int, int, int, bytes]

TYPE_TSIG = 250
DNSPYTHON_MAX_TTL_S = 2**31 - 1


def corpus(data: Path) -> Iterator[bytes]:
    for path in sorted((data / "wire").rglob("*.pcap*")):
        yield from captured_messages(path, limit=600)
    yield from recorded_messages(data / "measurements" / "zonemaster-real.jsonl.gz", step=4)
    yield from recorded_messages(data / "measurements" / "zonemaster-lab.jsonl.gz", step=10)


def ours(message: Message) -> list[list[Row]]:
    """Our records with the known differences taken out."""
    sections = []
    for records in (message.answer, message.authority, message.additional):
        rows = []
        for record in records:
            if record.rtype == TYPE_TSIG:
                continue  # dnspython keeps a TSIG apart from the sections.
            # dnspython reads such a TTL as 0 (RFC 2181 section 8); we keep what came.
            ttl_s = 0 if record.ttl_s > DNSPYTHON_MAX_TTL_S else record.ttl_s
            canonical = _core.canonical_rdatas(record.rtype, [record.rdata])[0]
            rows.append((record.owner.key, int(record.rtype), record.rclass, ttl_s, canonical))
        sections.append(rows)
    return sections


def theirs(message: dns.message.Message) -> list[list[Row]]:
    return [[row(rrset) for rrset in section] for section in (message.answer, message.authority, message.additional)]


def row(rrset: dns.rrset.RRset) -> Row:
    owner = rrset.name.to_wire()
    assert owner is not None
    # In updates dnspython moves the class ANY or NONE to `deleting`.
    rclass = int(rrset.rdclass if rrset.deleting is None else rrset.deleting)
    return (owner.lower(), int(rrset.rdtype), rclass, rrset.ttl, rrset[0].to_digestable() if len(rrset) else b"")


def test_real_messages_read_as_dnspython_reads_them(shared_data: Path) -> None:
    same = refused = 0
    for octets in set(corpus(shared_data)):
        message = Message(octets)
        try:
            other = dns.message.from_wire(octets, ignore_trailing=True, one_rr_per_rrset=True)
        except (dns.exception.DNSException, ValueError):
            refused += 1
            continue
        assert message.malformed is None, octets.hex()
        assert ours(message) == theirs(other), octets.hex()
        assert (int(message.rcode), message.edns is None) == (int(other.rcode()), other.edns == -1)
        same += 1
    assert same > 4000 and refused > 20


def test_fuzz_seeds_of_other_projects_are_read(shared_data: Path) -> None:
    import tarfile

    read = 0
    with tarfile.open(shared_data / "wire" / "fuzz-seeds.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            octets = file.read(65535)
            message = Message(octets)
            assert dig(message)
            for record in message.answer + message.authority + message.additional:
                _try_decoders(record.rdata)
            read += 1
    assert read > 500


def _try_decoders(octets: bytes) -> None:
    from gnomon.wire import rdata

    for decode in (rdata.soa, rdata.txt, rdata.dnskey, rdata.rrsig, rdata.nsec, rdata.nsec3):
        try:
            decode(octets)
        except MalformedRdata:
            continue
