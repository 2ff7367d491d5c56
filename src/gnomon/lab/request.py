"""Reading a query as the lab's servers do: quickly, strictly, never raising."""

from __future__ import annotations

from typing import NamedTuple

from gnomon.base import Transport, codes

_TSIG = codes.TSIG.to_bytes(2, "big")


class RequestEdns(NamedTuple):
    """The OPT record of a query (RFC 6891 section 6.1.2). `flags` are its 16 bits, DO included."""

    size_octets: int
    version: int
    flags: int
    options: tuple[tuple[int, bytes], ...]

    @property
    def do(self) -> bool:
        return bool(self.flags & 0x8000)

    def asks(self, option: int) -> bool:
        return any(code == option for code, _ in self.options)


class Request(NamedTuple):
    """One query. `asked` is the question as it came; `name` the queried name in lower case.

    `opcode` is what the server takes the query for; the response carries the opcode of `flags`.
    `error` is the response code that the octets themselves call for, if any. `tsig` is the TSIG record as it came,
    empty if there is none.
    """

    octets: bytes
    flags: int
    opcode: int
    asked: bytes
    name: bytes
    qtype: int
    qclass: int
    edns: RequestEdns | None
    transport: Transport
    error: int = 0
    tsig: bytes = b""

    @property
    def do(self) -> bool:
        return self.edns is not None and self.edns.flags & 0x8000 != 0


def read_request(octets: bytes, transport: Transport) -> Request | None:
    """The query in these octets; None if no server would answer them (short header, or a response)."""
    if len(octets) < 12 or octets[2] & 0x80:
        return None
    flags = octets[2] << 8 | octets[3]
    opcode = flags >> 11 & 15
    end = _skip_name(octets, 12, pointers=False) if octets[4:6] == b"\0\1" else 0
    if end == 0 or end + 4 > len(octets) or end > 12 + 255:
        # No question that can be read; of another opcode there need not be one.
        error = codes.FORMERR if opcode == 0 or octets[4:6] == b"\0\1" else codes.NOERROR
        return Request(octets, flags, opcode, b"", b"\0", 0, 0, None, transport, error)
    edns, error, tsig = None, codes.NOERROR, b""
    if octets[6:12] != b"\0\0\0\0\0\0":
        try:
            edns, tsig = _find_edns(octets, end + 4)
        except _Malformed:
            error = codes.FORMERR
    qtype = octets[end] << 8 | octets[end + 1]
    qclass = octets[end + 2] << 8 | octets[end + 3]
    name = octets[12:end].lower()
    return Request(octets, flags, opcode, octets[12 : end + 4], name, qtype, qclass, edns, transport, error, tsig)


class _Malformed(Exception):
    pass


def _find_edns(octets: bytes, at: int) -> tuple[RequestEdns | None, bytes]:
    """The OPT record, and the octets of the TSIG record."""
    others = (octets[6] << 8 | octets[7]) + (octets[8] << 8 | octets[9])
    edns, tsig = None, b""
    for index in range(others + (octets[10] << 8 | octets[11])):
        start = at
        at = _skip_name(octets, at, pointers=True)
        if at == 0 or at + 10 > len(octets):
            raise _Malformed
        end = at + 10 + (octets[at + 8] << 8 | octets[at + 9])
        if end > len(octets):
            raise _Malformed
        if octets[at] == 0 and octets[at + 1] == codes.OPT:
            # One OPT, owned by the root, in the additional section (RFC 6891 section 6.1.1).
            if edns is not None or octets[start] or index < others:
                raise _Malformed
            size = octets[at + 2] << 8 | octets[at + 3]
            edns_flags = octets[at + 6] << 8 | octets[at + 7]
            edns = RequestEdns(size, octets[at + 5], edns_flags, _options(octets[at + 10 : end]))
        elif octets[at : at + 2] == _TSIG:
            tsig = octets[start:end]
        at = end
    return edns, tsig


def _options(rdata: bytes) -> tuple[tuple[int, bytes], ...]:
    out, at = [], 0
    while at < len(rdata):
        if at + 4 > len(rdata):
            raise _Malformed
        length = rdata[at + 2] << 8 | rdata[at + 3]
        if at + 4 + length > len(rdata):
            raise _Malformed
        out.append((rdata[at] << 8 | rdata[at + 1], rdata[at + 4 : at + 4 + length]))
        at += 4 + length
    return tuple(out)


def _skip_name(octets: bytes, at: int, *, pointers: bool) -> int:
    """Where the name ends, or 0 if it cannot be read."""
    size = len(octets)
    while at < size:
        length = octets[at]
        if length == 0:
            return at + 1
        if length > 63:
            return at + 2 if pointers and length >= 192 and at + 2 <= size else 0
        at += length + 1
    return 0
