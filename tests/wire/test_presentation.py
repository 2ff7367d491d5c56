from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from gnomon.base import Name, RRType
from gnomon.wire import Edns, Message, Record, compose
from gnomon.wire.presentation import dig, hexdump, option_text, rdata_text, record_text

ZONE = Name.from_text("example.test.")


def test_a_whole_message() -> None:
    opt = Edns(flags=0x8040, options=((3, b"gp\x1b"), (15, b"\0\x16h\xc3\xa4\x1b"), (65001, b"ab"), (10, b"")))
    query = compose.query(ZONE, 6, flags=0x8580, edns=opt)
    soa = b"\xc0\x0c" + struct.pack("!HHIH", 6, 1, 3600, 24) + b"\xc0\x0c\xc0\x0c" + struct.pack("!5I", 1, 2, 3, 4, 5)
    octets = query[:6] + b"\0\1" + query[8:30] + soa + query[30:]
    assert dig(Message(octets + b"!")).split("\n") == [
        ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 0",
        ";; flags: qr aa rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1",
        "",
        ";; OPT PSEUDOSECTION:",
        "; EDNS: version: 0, flags: do MBZ: 0x0040; udp: 1232",
        '; NSID: 67 70 1b ("gp\\027")',
        '; EDE: 22 (No Reachable Authority): "hä\\x1b"',
        "; OPT=65001: 6162",
        "; COOKIE",
        "",
        ";; QUESTION SECTION:",
        ";example.test.\t\tIN\tSOA",
        "",
        ";; ANSWER SECTION:",
        "example.test.\t3600\tIN\tSOA\texample.test. example.test. 1 2 3 4 5",
        "",
        ";; TRAILING: 1 octets after the last record",
        f";; SIZE: {len(octets) + 1} octets",
    ]


def test_a_fault_is_named_with_its_place() -> None:
    query = compose.query(ZONE, 6, flags=0x8000)
    text = dig(Message(query[:6] + b"\0\1" + query[8:] + b"\xc0\x1e"))
    assert ";; MALFORMED at octet 30 (answer section): pointer-loop, a compression pointer does not lead" in text
    assert dig(Message(b"")).startswith(";; MALFORMED at octet 0 (question section): short-header")


@given(st.integers(0, 300) | st.integers(0, 65535), st.binary(max_size=60))
def test_rdata_is_always_one_printable_line(rtype: int, octets: bytes) -> None:
    text = rdata_text(rtype, octets)
    assert text and text.isprintable()
    record = Record(ZONE, RRType(rtype), 1, 5, octets)
    assert record_text(record).startswith("example.test.\t5\tIN\t")


@given(st.integers(0, 65535), st.binary(max_size=60))
def test_options_are_printable(code: int, data: bytes) -> None:
    assert option_text(code, data).isprintable()


def test_rdata_without_a_form() -> None:
    assert rdata_text(1, b"\x01\x02\x03") == "\\# 3 010203"
    assert rdata_text(65280, b"") == "\\# 0"
    assert rdata_text(1, b"\xc0\x00\x02\x01") == "192.0.2.1"
    assert rdata_text(16, b"\x03a\x1b\xff") == '"a\\027\\255"'
    # Octets that a reader would take for a pointer into the rdata itself have no honest text form.
    assert rdata_text(64, b"\x00\x01\xc0\x00").startswith("\\# ")


def test_hexdump() -> None:
    assert hexdump(b"") == ""
    assert hexdump(bytes(range(60, 80))).split("\n") == [
        "0000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b  |<=>?@ABCDEFGHIJK|",
        "0010  4c 4d 4e 4f                                       |LMNO|",
    ]
