"""RRsets of the lab and the octets of a response: names compressed (RFC 1035 section 4.1.4), nothing checked."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from gnomon.base import codes

_NAME_RDATA = frozenset({codes.NS, codes.CNAME, codes.PTR})
_FIXED = struct.Struct("!HHI")
_OPT = struct.Struct("!HHBBHH")
HEADER = struct.Struct("!HHHHH")  # flags and the four counts: what follows the ID

SERVER_UDP_SIZE_OCTETS = 1232  # what the lab's servers announce and send at most over UDP (DNS Flag Day 2020)


@dataclass(slots=True, eq=False)
class RRset:
    """Records of one owner and type. `owner` is in lower case; `signature` is filled by the zone at first use.

    `original_ttl_s` differs from `ttl_s` only for the SOA of negative answers (RFC 2308 section 3).
    """

    owner: bytes
    rtype: int
    ttl_s: int
    rdatas: tuple[bytes, ...]
    original_ttl_s: int = -1
    signature: RRset | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.original_ttl_s < 0:
            self.original_ttl_s = self.ttl_s


@dataclass(slots=True)
class Response:
    """A response before it is octets; faults change it in place."""

    rcode: int = 0
    aa: bool = False
    tc: bool = False
    ra: bool = False
    answer: list[RRset] = field(default_factory=list)
    authority: list[RRset] = field(default_factory=list)
    additional: list[RRset] = field(default_factory=list)
    # The additional section holds glue without which a resolver cannot go on: TC if it does not fit (RFC 9471).
    needs_additional: bool = False
    oversize: bool = False  # sent over UDP whatever its size
    edns: bool = True
    edns_flags: int = 0
    edns_options: list[tuple[int, bytes]] = field(default_factory=list)
    # Of an NXDOMAIN: the octets of the closest existing ancestor. Names that share it share the rest of the answer.
    encloser: bytes | None = None

    def empty(self, rcode: int) -> None:
        """Nothing but a header with this response code."""
        self.rcode, self.aa, self.encloser = rcode, False, None
        self.answer, self.authority, self.additional = [], [], []


@dataclass(frozen=True, slots=True)
class Rendered:
    """A response as octets, without what differs from query to query: ID, case of the name, NSID, size limit.

    `flags` are the 16 bits after the ID without the request's own RD and CD; `body` follows the question; `opt` is
    the OPT record, last in the message, empty if there is none.
    """

    flags: int
    counts: tuple[int, int, int]
    body: bytes
    additional_at: int
    needs_additional: bool
    oversize: bool
    opt: bytes


def render(
    response: Response, name: bytes, question_octets: int, *, opcode: int = 0, edns: bool = False, do: bool = False
) -> Rendered:
    """The octets of a response to a question about `name` (lower case), with an OPT record if the query has one."""
    out = bytearray(12 + question_octets)
    seen: dict[bytes, int] = {}
    seed = name if response.encloser is None else response.encloser
    at = 12 + len(name) - len(seed)
    while seed[0]:
        seen[seed] = at
        at += seed[0] + 1
        seed = seed[seed[0] + 1 :]
    counts = []
    additional_at = 0
    for section in (response.answer, response.authority, response.additional):
        additional_at = len(out)
        counts.append(sum(_write_rrset(out, seen, rrset) for rrset in section))
    start = 12 + question_octets
    flags = 0x8000 | opcode << 11 | response.aa << 10 | response.tc << 9 | response.ra << 7 | (response.rcode & 15)
    return Rendered(
        flags,
        (counts[0], counts[1], counts[2]),
        bytes(out[start:]),
        additional_at - start,
        response.needs_additional,
        response.oversize,
        _opt(response, do) if edns and response.edns else b"",
    )


def _opt(response: Response, do: bool) -> bytes:
    """The OPT record of a response (RFC 6891 section 6.1.2)."""
    rdata = b"".join(
        code.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data for code, data in response.edns_options
    )
    flags = do << 15 | response.edns_flags
    return b"\0" + _OPT.pack(codes.OPT, SERVER_UDP_SIZE_OCTETS, response.rcode >> 4, 0, flags, len(rdata)) + rdata


def with_option(opt: bytes, code: int, data: bytes) -> bytes:
    """An OPT record with one option more."""
    length = int.from_bytes(opt[9:11], "big") + 4 + len(data)
    option = code.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
    return opt[:9] + length.to_bytes(2, "big") + opt[11:] + option


def bad_key(tsig: bytes) -> bytes:
    """The TSIG record of an answer to a query whose key is not known: no MAC, and BADKEY (RFC 8945 section 5.2.1)."""
    key = tsig[: _name_end(tsig, 0)]
    fixed, rdata = tsig[len(key) : len(key) + 8], tsig[len(key) + 10 :]
    head = rdata[: _name_end(rdata, 0) + 8]  # algorithm, time, fudge
    return key + fixed + (len(head) + 8).to_bytes(2, "big") + head + b"\0\0\0\0\0\x11\0\0"


def _write_rrset(out: bytearray, seen: dict[bytes, int], rrset: RRset) -> int:
    rtype = rrset.rtype
    fixed = _FIXED.pack(rtype, 1, rrset.ttl_s)
    for rdata in rrset.rdatas:
        _write_name(out, seen, rrset.owner)
        out += fixed
        if rtype in _NAME_RDATA or rtype in (codes.SOA, codes.MX):
            length_at = len(out)
            out += b"\0\0"
            if rtype == codes.SOA:
                mname = _name_end(rdata, 0)
                rname = _name_end(rdata, mname)
                _write_name(out, seen, rdata[:mname])
                _write_name(out, seen, rdata[mname:rname])
                out += rdata[rname:]
            elif rtype == codes.MX:
                out += rdata[:2]
                _write_name(out, seen, rdata[2:])
            else:
                _write_name(out, seen, rdata)
            out[length_at : length_at + 2] = (len(out) - length_at - 2).to_bytes(2, "big")
        else:
            out += len(rdata).to_bytes(2, "big")
            out += rdata
    return len(rrset.rdatas)


def _write_name(out: bytearray, seen: dict[bytes, int], name: bytes) -> None:
    while name[0]:
        at = seen.get(name)
        if at is not None:
            out += (0xC000 | at).to_bytes(2, "big")
            return
        if len(out) < 0x4000:
            seen[name] = len(out)
        length = name[0] + 1
        out += name[:length]
        name = name[length:]
    out.append(0)


def _name_end(octets: bytes, at: int) -> int:
    while octets[at]:
        at += octets[at] + 1
    return at + 1
