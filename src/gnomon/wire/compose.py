"""Composing queries, ordinary ones and those that test what a server makes of odd ones."""

from __future__ import annotations

import struct

from gnomon import _core
from gnomon.base import Name
from gnomon.base.codes import ANY, CLASS_IN, SOA, TSIG
from gnomon.wire.edns import Edns

_UNKNOWN_KEY = Name.from_text("gnomon-unknown-key.invalid.")
_HMAC_SHA256 = Name.from_text("hmac-sha256.")


def query(
    qname: Name,
    qtype: int,
    *,
    qclass: int = CLASS_IN,
    rd: bool = False,
    flags: int | None = None,
    opcode: int = 0,
    edns: Edns | None = None,
) -> bytes:
    """One query message with ID 0 (the engine writes a random one) and one question.

    Args:
        flags: the 16 bits after the ID, raw; then `rd` and `opcode` are not looked at.
        edns: the OPT record to add, None for none.

    Raises:
        ValueError: an option over 65,535 octets.
    """
    if flags is None:
        flags = (opcode & 15) << 11 | (0x0100 if rd else 0)
    opt = (edns.version, edns.udp_size_octets, edns.flags, edns.options) if edns else None
    return _core.compose_query(qname.wire, qtype, qclass, flags, opt)


def with_questions(wire: bytes, count: int) -> bytes:
    """The query of one question with that question `count` times, or without any; nothing else about it changes."""
    end = 12
    while wire[end]:
        end += wire[end] + 1
    end += 5
    return wire[:4] + count.to_bytes(2, "big") + wire[6:12] + wire[12:end] * count + wire[end:]


def with_authority_soa(wire: bytes, zone: Name, serial: int = 0) -> bytes:
    """The query with an SOA record of that serial in its authority section, as an IXFR query has (RFC 1995)."""
    record = zone.wire + struct.pack("!HHIH", SOA, CLASS_IN, 0, 22) + b"\0\0" + struct.pack("!5I", serial, 0, 0, 0, 0)
    return wire[:8] + (int.from_bytes(wire[8:10], "big") + 1).to_bytes(2, "big") + wire[10:] + record


def with_unknown_tsig(wire: bytes) -> bytes:
    """The query signed with a key that nobody has, and no valid MAC (RFC 8945 section 4.2): BADKEY is due."""
    rdata = _HMAC_SHA256.wire + struct.pack("!HIHH", 0, 0, 300, 32) + bytes(32) + wire[:2] + bytes(4)
    record = _UNKNOWN_KEY.wire + struct.pack("!HHIH", TSIG, ANY, 0, len(rdata)) + rdata
    return wire[:10] + (int.from_bytes(wire[10:12], "big") + 1).to_bytes(2, "big") + wire[12:] + record
