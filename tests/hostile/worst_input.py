"""The worst input that we know for each entry point: octets of any size, and what reads them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gnomon import _core
from gnomon.base import InputError, Name
from gnomon.capture.files import read_capture
from gnomon.capture.heard import Skipped
from gnomon.sources import read_address_map, read_anchors, read_hints, read_parent_zone, read_routes, read_zone_list
from gnomon.wire import Message, rdata
from gnomon.wire.presentation import dig
from gnomon.zonefile import audit, load_zone

WHOLE = 10_000_000
MESSAGE = 65_535
NOW = 1_800_000_000
EX = Name.from_text("ex.")


@dataclass(frozen=True, slots=True)
class Case:
    """Some octets of about a size, and a reader: it returns what came of them, and raises only InputError."""

    name: str
    make: Callable[[int], bytes]
    read: Callable[[bytes, Path], object]
    size: int = WHOLE


def cases() -> Iterator[Case]:
    yield from messages()
    yield from primitives()
    yield from zone_files()
    yield from other_files()


# Messages


def read_message(octets: bytes, _: Path) -> Message:
    """Touch every part."""
    message = Message(octets)
    for section in ("answer", "authority", "additional"):
        for record in message.records(section):
            for decode in (rdata.soa, rdata.txt, rdata.dnskey, rdata.rrsig, rdata.nsec, rdata.nsec3):
                try:
                    decode(record.rdata)
                except rdata.MalformedRdata:
                    continue
    assert message.edns is None or message.opt_count
    return message


def print_message(octets: bytes, _: Path) -> int:
    return len(dig(Message(octets)))


def filled(begin: bytes, unit: bytes, size: int) -> bytes:
    return begin + unit * ((size - len(begin)) // len(unit))


def header(*counts: int) -> bytes:
    return struct.pack("!HHHHHH", 1, 0x8400, *counts)


LONG_NAME = b"\1a" * 127 + b"\0"
ONE_LETTER_LABELS = header(1, 65535, 65535, 65535) + LONG_NAME + b"\0\1\0\1"


def chain(size: int) -> bytes:
    """Pointers that each lead to the one before, then records whose names begin at the longest chain allowed."""
    links = b"\0\0" + b"".join(struct.pack("!H", 0xC000 | 29 + 2 * number) for number in range(127))
    question = header(1, 65535, 0, 0) + b"\0" + b"\0\1\0\1" + b"\0\0\x10\0\1\0\0\0\0" + struct.pack("!H", len(links))
    return filled(question + links, struct.pack("!H", 0xC000 | 29 + 2 * 126) + b"\0\1\0\1\0\0\0\0\0\0", size)


def messages() -> Iterator[Case]:
    soa = b"\0\6\0\1\0\0\0\0\0\x18\xc0\x0c\xc0\x0c" + bytes(20)
    record = b"\0\0\1\0\1\0\0\0\0\0\0"
    octets: dict[str, Callable[[int], bytes]] = {
        "zeros": bytes,
        "every bit": lambda size: b"\xff" * size,
        "records of 11 octets, 196,605 claimed": lambda size: filled(header(0, 65535, 65535, 65535), record, size),
        "the longest name by a pointer, in each record": lambda size: filled(
            ONE_LETTER_LABELS, b"\xc0\x0c\0\1\0\1\0\0\0\0\0\0", size
        ),
        "the longest name three times in each record": lambda size: filled(ONE_LETTER_LABELS, b"\xc0\x0c" + soa, size),
        "pointers to pointers": chain,
        "OPT records": lambda size: filled(header(0, 0, 0, 65535), b"\0\0\x29\4\0\0\0\0\0\0\0", size),
        "options of no octets": lambda size: (
            header(0, 0, 0, 1)
            + b"\0\0\x29\4\0\0\0\0\0"
            + struct.pack("!H", (size - 23) // 4 * 4)
            + bytes((size - 23) // 4 * 4)
        ),
        "one TXT": lambda size: (
            header(0, 1, 0, 0) + b"\0\0\x10\0\1\0\0\0\0" + struct.pack("!H", size - 23) + b"\0" * (size - 23)
        ),
        "questions": lambda size: filled(header(65535, 0, 0, 0), b"\0\0\1\0\1", size),
    }
    for name, make in octets.items():
        yield Case(f"message: {name}", make, read_message, MESSAGE)
        yield Case(f"message printed: {name}", make, print_message, MESSAGE // 4)
    yield Case("message: more octets than a message can have", octets["pointers to pointers"], read_message)


# Single values


def primitives() -> Iterator[Case]:
    def verify(octets: bytes, _: Path) -> str:
        key = b"\1\0\3\x0d" + octets
        rrsig = b"\0\1\x0d" + bytes(13) + struct.pack("!H", _core.key_tag(key)) + b"\0" + octets
        outcomes = [
            _core.verify_rrsig(b"\0", 1, 1, [octets], rrsig, key),
            _core.verify_rrsig(octets, 2, 1, [octets], octets, octets),
            _core.verify_rrsig(b"\0", 1, 1, [b"\1\2\3\4"], rrsig, b"\1\0\3\x08" + octets),
        ]
        return " ".join(outcomes)

    def many_rdatas(octets: bytes, _: Path) -> int:
        return len(_core.canonical_rdatas(6, [octets[at : at + 50] for at in range(0, len(octets), 50)]))

    yield Case("signature and key", lambda size: b"\3" * size, verify)
    yield Case("RSA key with a modulus of megabits", lambda size: b"\1\3" + b"\xff" * size, verify)
    yield Case("RSA key with an exponent of megabits", lambda size: b"\0\xff\xff" + b"\xff" * size, verify)
    yield Case("digest of a key", bytes, lambda octets, _: _core.ds_digest(b"\0", octets, 4))
    yield Case("rdatas of one RRset", lambda size: bytes(range(250)) * (size // 250), many_rdatas)
    yield Case("hash of no name", bytes, lambda octets, _: _core.nsec3_hash(octets, 1, 50, bytes(255)))
    yield Case("query for no name", bytes, no_query)


def no_query(octets: bytes, _: Path) -> str:
    try:
        return _core.compose_query(octets, 1, 1, 0, (0, 1232, 0, [(1, octets)])).hex()
    except ValueError as error:
        return str(error)


# Zone files

SIGNED = (
    b"@ 1 SOA a b 1 1 1 1 1\n@ 1 NS a\na 1 A 192.0.2.1\n@ 1 DNSKEY 257 3 13 " + b"A" * 86 + b"==\n"
    b"@ 1 NSEC3PARAM 1 0 0 -\n"
)
COSTLY = SIGNED + b"@ 1 NSEC3PARAM 1 0 50 -\n"


def read_zone(octets: bytes, folder: Path) -> set[str]:
    """What an audit says: the codes, without those of sound things."""
    path = folder / "zone"
    path.write_bytes(octets)
    return {f"{verdict.check_id}/{verdict.code}" for verdict in audit(load_zone(path, EX), NOW, 2).verdicts}


def numbered(line: str, begin: bytes = SIGNED) -> Callable[[int], bytes]:
    """Lines that differ in a number."""
    octets = len(line.format(0)) + 3
    return lambda size: begin + "".join(line.format(number) for number in range(size // octets)).encode()


def deep(size: int) -> bytes:
    """Names with as many labels as a name can have, each below a label of its own."""
    labels = ".".join("x" * 122)
    return COSTLY + b"".join(b"%s.%x 1 A 192.0.2.1\n" % (labels.encode(), number) for number in range(size // 262))


def zone_files() -> Iterator[Case]:
    def line_of(octet: bytes) -> Callable[[int], bytes]:
        return lambda size: octet * size

    octets: dict[str, Callable[[int], bytes]] = {
        **{
            f"only {octet!r}": line_of(octet)
            for octet in (b"x", b"(", b")", b'"', b"\\", b";", b" ", b"\n", b"\0", b"$")
        },
        "one line": lambda size: b"a 1 TXT " + b"x " * (size // 2),
        "quotes without partner": lambda size: b'a 1 TXT "x\n' * (size // 11),
        "gigantic TTLs": lambda size: b"a 4294967296 A 192.0.2.1\n" * (size // 25),
        "a TTL of ten million digits": lambda size: b"a " + b"9" * size + b" A 192.0.2.1\n",
        "comments": lambda size: b"(;\n" * (size // 3),
        "strings of 64 kilooctets": lambda size: (b"a 1 TXT " + b"x " * 32_767 + b"\n") * (size // 65_543),
        "one RRset": numbered("a 1 TXT {0}\n"),
        "one RRset with signatures": numbered("a 1 RRSIG TXT 13 2 1 20300101000000 20200101000000 {0} ex. AAAA\n"),
        "one key many times": lambda size: SIGNED + b"@ 1 DNSKEY 257 3 13 AAAA\n" * (size // 25),
        "keys": numbered("@ 1 TYPE48 \\# 8 01010D0D{0:08x}\n"),
        "signatures by each key": numbered(
            "t{0} 1 A 192.0.2.1\nt{0} 1 RRSIG A 13 2 1 20300101000000 20200101000000 1 ex. AAAA\n"
        ),
        "NSEC3 parameters": numbered("@ 1 NSEC3PARAM 1 0 0 {0:08x}\n"),
        "NSEC3 records of other parameters": numbered(
            "2t7b4g4vsa5smi47k61mv5bv1a22bojr 1 TYPE50 \\# 9 0100000004{0:08x}\n"
        ),
        "many iterations": numbered("n{0} 1 A 192.0.2.1\n", COSTLY),
        "deep names": deep,
        "ZONEMD of every kind": numbered("@ 1 TYPE63 \\# 18 00000001{0:04x}" + "00" * 12 + "\n"),
        "ZONEMD of one kind": lambda size: SIGNED + b"@ 1 ZONEMD 1 1 1 %s\n" % (b"00" * 48) * (size // 115),
        "servers with much beside their address": numbered("d{0} 1 NS host\nhost 1 TXT {0}\n"),
        "CNAME at one name": numbered("c 1 CNAME n{0}\n"),
        "types at one name": numbered("t 1 TYPE{0} \\# 0\n"),
        "delegations inside each other": lambda size: (
            SIGNED
            + b"".join(b"%s 1 NS a.%s\n" % ((b"d." * number)[:-1], (b"d." * number)[:-1]) for number in range(1, 120))
            * (size // 30_000 + 1)
        ),
        "wildcards": numbered("*.w{0} 1 A 192.0.2.1\nw{0}.y 1 NS q.w{0}\n"),
        "generated records": lambda size: SIGNED + b"$GENERATE 1-65536 g${0,99} 1 TXT " + b"$ " * 400 + b"\n" * size,
        "generators": lambda size: SIGNED + b"$GENERATE 1-2147483647 g$ 1 A 192.0.2.1\n" * (size // 40),
        "binary": lambda size: bytes(range(256)) * (size // 256),
    }
    for name, make in octets.items():
        yield Case(f"zone file: {name}", make, read_zone)


# Other files


def reader(read: Callable[[Path], object], name: str = "file") -> Callable[[bytes, Path], object]:
    def run(octets: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(octets)
        try:
            return read(path)
        except InputError as error:
            assert len(str(error)) < 2000
            return "InputError"

    return run


def other_files() -> Iterator[Case]:
    readers: dict[str, Callable[[Path], object]] = {
        "zone list": read_zone_list,
        "hints": read_hints,
        "anchors": read_anchors,
        "address map": read_address_map,
        "routes": lambda path: read_routes([path]),
        "parent zone": lambda path: read_parent_zone(path, EX),
    }
    bombs: dict[str, Callable[[int], bytes]] = {
        "one line": lambda size: b"x" * size,
        "parentheses": lambda size: (b"(" * 99 + b"\n") * (size // 100),
        "binary": lambda size: bytes(range(256)) * (size // 256),
        "nested elements": lambda size: b"<TrustAnchor>" + b"<a>" * (size // 3),
        "entities": lambda size: (
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
            b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><TrustAnchor>'
            + b"&d;"
            * (size // 3)
        ),
    }
    for name, read in readers.items():
        for bomb, make in bombs.items():
            yield Case(f"{name}: {bomb}", make, reader(read))

    def captured(path: Path) -> int:
        return sum(1 for _ in read_capture(path, "here", Skipped()))

    pcap = b"\xd4\xc3\xb2\xa1\2\0\4\0" + bytes(8) + b"\xff\xff\0\0\1\0\0\0"
    captures: dict[str, Callable[[int], bytes]] = {
        "pcap, packets of no octets": lambda size: filled(pcap, bytes(16), size),
        "pcap, a packet of 4 GiB": lambda size: filled(pcap + bytes(8) + b"\xff" * 8, b"\0", size),
        "pcapng, blocks of 12 octets": lambda size: filled(
            bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000"),
            bytes.fromhex("050000000c0000000c000000"),
            size,
        ),
        "C-DNS, nested arrays": lambda size: filled(b"\x83\x65C-DNS", b"\x81", size),
        "C-DNS, an array of 2^64 items": lambda size: filled(b"\x83\x65C-DNS\x9b" + b"\xff" * 8, b"\0", size),
        "C-DNS, a string of 2^63 octets": lambda size: filled(b"\x83\x65C-DNS\x5b\x7f" + b"\xff" * 7, b"\0", size),
        "dnstap, a frame of 4 GiB": lambda size: filled(
            bytes.fromhex("00000000000000220000000200000001000000160000") + b"protobuf:dnstap.Dnstap" + b"\xff" * 4,
            b"\0",
            size,
        ),
    }
    for name, make in captures.items():
        yield Case(f"capture: {name}", make, reader(captured))
