"""The questions of a survey, put to a world directly, and their answers read by dnspython."""

from __future__ import annotations

from collections.abc import Iterator

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype

from gnomon.base import Address, Name, Transport
from gnomon.lab import RESET, World

ZONE = "example.test."
UDP, TCP = Transport.UDP, Transport.TCP


def query(
    name: str,
    rtype: str | int,
    *,
    edns: bool = True,
    version: int = 0,
    flags: int = 0,
    options: tuple[tuple[int, bytes], ...] = (),
    size: int = 1232,
    opcode: int = 0,
    rd: bool = False,
    rclass: int = 1,
    do: bool = True,
) -> bytes:
    message = dns.message.QueryMessage(id=0x1234)
    message.flags = (dns.flags.RD if rd else 0) | opcode << 11
    rdtype = dns.rdatatype.RdataType.make(rtype)
    message.find_rrset(
        message.question, dns.name.from_text(name), dns.rdataclass.RdataClass(rclass), rdtype, create=True
    )
    if edns:
        generic = [dns.edns.GenericOption(code, data) for code, data in options]
        message.use_edns(version, flags | (0x8000 if do else 0), size, options=generic)
    return message.to_wire()


PROBES: dict[str, tuple[Transport, bytes]] = {
    "Q1": (UDP, query(ZONE, "SOA", edns=False)),
    "Q2": (UDP, query("eXaMple.TEST.", "SOA", options=((3, b""), (10, b"abcdefgh")))),
    "Q3": (UDP, query(ZONE, "NS")),
    "Q4": (UDP, query(ZONE, "DNSKEY")),
    "Q5": (UDP, query("qzxwvutsrqponmlk.example.test.", "A")),
    "Q6": (UDP, query(ZONE, 65280)),
    "Q7": (TCP, query(ZONE, "SOA")),
    "Q8": (UDP, query(ZONE, "CDS")),
    "Q9": (UDP, query("ns1.example.test.", "A")),
    "S1": (UDP, query(ZONE, "SOA", version=1, do=False)),
    "S2": (UDP, query(ZONE, "SOA", options=((65001, b"test"),))),
    "S3": (UDP, query(ZONE, "SOA", flags=0x0040, do=False)),
    "S7": (UDP, query(ZONE, "SOA", edns=False, opcode=15)),
    "S10": (UDP, query("x7.recursion-test.invalid.", "A", edns=False, rd=True)),
    "S11": (UDP, query(".", "NS", edns=False)),
    "S17": (UDP, query("version.bind.", "TXT", edns=False, rclass=3)),
    "S20": (TCP, query(ZONE, "AXFR", edns=False)),
}


def address_of(world: World, host: str, version: int = 4) -> Address:
    return next(a for a in world.addresses_of(Name.from_text(host)) if a.version == version)


def ask(world: World, host: str | Address, octets: bytes, transport: Transport = UDP) -> dns.message.Message:
    address = address_of(world, host) if isinstance(host, str) else host
    reply = world.respond(address, transport, octets)
    assert reply and reply is not RESET
    return dns.message.from_wire(reply[0])


def all_answers(world: World) -> Iterator[tuple[tuple[str, Address], object]]:
    """((probe, address), reply) for every probe at every address of the zone, and the delegation at the parent."""
    for address in world.servers_of(world.zones[Name.from_text(ZONE)]):
        for code, (transport, octets) in PROBES.items():
            yield (code, address), world.respond(address, transport, octets)
    for address in world.servers_of(world.zones[Name.from_text("test.")]):
        for code, rtype in (("P1", "NS"), ("P2", "DS")):
            yield (code, address), world.respond(address, UDP, query(ZONE, rtype))
        yield ("T1", address), world.respond(address, UDP, query("test.", "SOA"))
        yield ("T5", address), world.respond(address, UDP, query("nothing-here.test.", "A"))
