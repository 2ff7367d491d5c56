"""Composing queries, ordinary ones and those that test what a server makes of odd ones."""

from __future__ import annotations

from gnomon import _core
from gnomon.base import Name
from gnomon.base.codes import CLASS_IN
from gnomon.wire.edns import Edns


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
