"""Reading C-DNS files (RFC 8618).

C-DNS keeps what a message says, not its octets: what is read is put together anew, without name compression.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, cast

import cbor2

from gnomon.base import Address, InputError, Transport
from gnomon.base.codes import OPT
from gnomon.capture.heard import Heard, Skipped, exactly, open_capture

_BLOCK_OCTETS_MAX = 64 << 20
_DEPTH_MAX = 16
_DAMAGED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, struct.error)
HAS_QUERY, HAS_RESPONSE, QUERY_OPT, RESPONSE_OPT, NO_QUESTION = 1, 2, 4, 8, 16
TRANSPORTS = {0: Transport.UDP, 1: Transport.TCP, 2: Transport.DOT}
# Header flags in the order of C-DNS, lowest bit first: CD, AD, Z, RA, RD, TC, AA.
FLAGS = (0x0010, 0x0020, 0x0040, 0x0080, 0x0100, 0x0200, 0x0400)


def is_cdns(head: bytes) -> bool:
    """Whether a file begins like C-DNS: an array, then the text "C-DNS"."""
    return head[:1] in (b"\x83", b"\x9f") and head[1:7] == b"\x65C-DNS"


def read_cdns(path: Path, skipped: Skipped) -> Iterator[Heard]:
    """The messages of a C-DNS file, each query before its response.

    Raises:
        InputError: not C-DNS of version 1, or a block is damaged: names it; what came before was given.
    """
    with open_capture(path) as file:
        if not is_cdns(exactly(file, 7)):
            raise InputError(f"{path} is no C-DNS file")
        limited = _Limited(file)
        preamble = _decoded(path, limited, "its preamble")
        try:
            parameters = preamble[3]
            if preamble[0] != 1:
                raise InputError(f"{path} is C-DNS of version {preamble[0]!r}; this Gnomon reads version 1")
        except _DAMAGED:
            raise InputError(f"{path} is damaged: its preamble is not that of C-DNS") from None
        for number in _blocks(path, limited):
            block = _decoded(path, limited, f"block {number}")
            try:
                tables = _Tables(block, parameters)
                items: Sequence[Any] = block.get(3, ())
                malformed: Sequence[Any] = block.get(5, ())
            except _DAMAGED:
                raise InputError(f"{path} is damaged in block {number}: it is not a block of C-DNS") from None
            for read, found in ((tables.messages, items), (tables.malformed, malformed)):
                for item in found:
                    try:
                        yield from read(item)
                    except _DAMAGED:
                        skipped["items that are malformed"] += 1


def _blocks(path: Path, file: _Limited) -> Iterator[int]:
    """The numbers of the blocks, the file standing before each."""
    file.left = 9
    head = file.read(1)
    kind, size = (head[0] >> 5, head[0] & 31) if head else (0, 0)
    if kind != 4 or size in (28, 29, 30):
        raise InputError(f"{path} is damaged: its preamble is not followed by blocks")
    if 24 <= size <= 27:
        size = int.from_bytes(file.read(1 << (size - 24)), "big")
    for number in count(1) if size == 31 else range(1, size + 1):
        if file.peek() in (b"", b"\xff"):
            return
        yield number


def _decoded(path: Path, file: _Limited, what: str) -> Any:
    file.left = _BLOCK_OCTETS_MAX
    try:
        return cbor2.load(cast(BinaryIO, file), max_depth=_DEPTH_MAX)
    except (cbor2.CBORDecodeError, EOFError, MemoryError, *_DAMAGED):
        raise InputError(f"{path} is damaged in {what}: it is no CBOR, or more than 64 MiB") from None


class _Limited:
    """A file that gives one block no more than its share of memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._next = b""
        self.left = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False  # or the decoder would read ahead

    def peek(self) -> bytes:
        """The next octet, which stays; empty at the end."""
        self._next = self._next or exactly(self._file, 1)
        return self._next

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= self.left:
            raise ValueError("too many octets")
        self.left -= size
        first, self._next = (self._next, b"") if size else (b"", self._next)
        return first + exactly(self._file, size - len(first))


class _Tables:
    """One block: its items refer to what they have in common by index."""

    def __init__(self, block: Mapping[int, Any], parameters: Sequence[Mapping[int, Any]]) -> None:
        preamble = block[0]
        self._ticks = parameters[preamble.get(1, 0)][0][0]
        if not 0 < self._ticks <= 10**9:
            raise ValueError("a clock that does not tick")
        seconds, ticks = preamble[0]
        self._began_ns = int(seconds) * 10**9 + self._ns(ticks)
        self._tables = block.get(2, {})

    def _ns(self, ticks: int) -> int:
        return int(ticks) * 10**9 // int(self._ticks)

    def _entry(self, table: int, index: int) -> Any:
        if index < 0:
            raise IndexError("an index below zero")
        return self._tables[table][index]

    def _address(self, index: int, transport_flags: int) -> Address:
        """Addresses may be cut to a prefix: zeros stand for what is not told."""
        octets: bytes = self._entry(0, index)
        if transport_flags & 1:
            return IPv6Address(octets.ljust(16, b"\x00"))
        return IPv4Address(octets.ljust(4, b"\x00"))

    def messages(self, item: Mapping[int, Any]) -> Iterator[Heard]:
        """Query and response of one item, as far as it has them."""
        signature = self._entry(3, item[4])
        has, transport_flags = signature.get(4, HAS_QUERY | HAS_RESPONSE), signature.get(2, 0)
        transport = TRANSPORTS[transport_flags >> 1 & 15]
        client, server = self._address(item[1], transport_flags), self._address(signature[0], transport_flags)
        ports = int(item.get(2, 0)), int(signature.get(1, 53))
        at_ns = self._began_ns + self._ns(item[0])
        if has & HAS_QUERY:
            octets = self._message(item, signature, is_response=False)
            yield Heard(at_ns, client, ports[0], server, ports[1], transport, octets)
        if has & HAS_RESPONSE:
            delay_ns = self._ns(item.get(6, 0))
            octets = self._message(item, signature, is_response=True)
            yield Heard(at_ns + delay_ns, server, ports[1], client, ports[0], transport, octets)

    def malformed(self, item: Mapping[int, Any]) -> Iterator[Heard]:
        """The octets of a message that could not be parsed, in the direction that its QR bit tells."""
        data = self._entry(8, item[3])
        transport_flags = data.get(2, 0)
        client, server = self._address(item[1], transport_flags), self._address(data[0], transport_flags)
        ports = int(item.get(2, 0)), int(data.get(1, 53))
        heard = Heard(
            self._began_ns + self._ns(item[0]), client, ports[0], server, ports[1],
            TRANSPORTS[transport_flags >> 1 & 15], bytes(data[3]),
        )  # fmt: skip
        if heard.is_response:
            heard = Heard(heard.at_ns, server, ports[1], client, ports[0], heard.transport, heard.octets)
        yield heard

    def _message(self, item: Mapping[int, Any], signature: Mapping[int, Any], *, is_response: bool) -> bytes:
        extended = item.get(12 if is_response else 11, {})
        has, rcode = signature.get(4, 0), signature.get(16 if is_response else 7, 0)
        dns_flags = signature.get(6, 0) >> (8 if is_response else 0)
        flags = sum(bit for place, bit in enumerate(FLAGS) if dns_flags >> place & 1)
        flags |= 0x8000 * is_response | (signature.get(5, 0) & 15) << 11 | rcode & 15
        questions = b""
        asked = 0
        if not has & (NO_QUESTION << is_response) and 7 in item:
            questions, asked = self._question(item[7], signature[8]), 1
        for index in self._list(4, extended.get(0)):
            question = self._entry(5, index)
            questions += self._question(question[0], question[1])
            asked += 1
        sections = [[self._record(index) for index in self._list(6, extended.get(key))] for key in (1, 2, 3)]
        if not is_response and has & QUERY_OPT:
            sections[2].append(self._query_opt(signature))
        header = struct.pack("!HHHHHH", item.get(3, 0) & 0xFFFF, flags, asked, *map(len, sections))
        return header + questions + b"".join(record for section in sections for record in section)

    def _list(self, table: int, index: int | None) -> Sequence[int]:
        return () if index is None else self._entry(table, index)

    def _question(self, name: int, classtype: int) -> bytes:
        of = self._entry(1, classtype)
        return bytes(self._entry(2, name)) + struct.pack("!HH", of[0], of[1])

    def _record(self, index: int) -> bytes:
        record = self._entry(7, index)
        data = bytes(self._entry(2, record[3])) if 3 in record else b""
        return self._question(record[0], record[1]) + struct.pack("!IH", record.get(2, 0), len(data)) + data

    def _query_opt(self, signature: Mapping[int, Any]) -> bytes:
        data = bytes(self._entry(2, signature[15])) if 15 in signature else b""
        do = 0x8000 * (signature.get(6, 0) >> 7 & 1)
        rcode = signature.get(7, 0) >> 4 & 0xFF
        fixed = struct.pack("!HHBBHH", OPT, signature.get(14, 512), rcode, signature.get(13, 0), do, len(data))
        return b"\x00" + fixed + data
