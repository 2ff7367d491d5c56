"""Writing C-DNS files (RFC 8618).

C-DNS is lossy: name compression, and EDNS flags of a query other than DO, have no place in it. A message that cannot
be parsed is kept as it is, as a malformed one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, BinaryIO

import cbor2

from gnomon.base import Address
from gnomon.capture.cdns import FLAGS, HAS_QUERY, HAS_RESPONSE, NO_QUESTION, QUERY_OPT, RESPONSE_OPT, TRANSPORTS
from gnomon.capture.heard import Heard
from gnomon.capture.transactions import messages_of
from gnomon.evidence import Exchange
from gnomon.wire import Message
from gnomon.wire.message import SECTIONS

_TICKS = 1_000_000
_BLOCK_ITEMS = 5_000
# Which fields the items have (RFC 8618 section 7.3.1.1.1): all but the client's hop limit and the processing data.
_HINTS = {0: 0x3FFFF & ~(1 << 5 | 1 << 10), 1: 0x1FFFF, 2: 3, 3: 1}
_CODES = {transport: code for code, transport in TRANSPORTS.items()}
_ADDRESSES, _CLASS_TYPES, _NAMES_AND_RDATA, _SIGNATURES, _QUESTION_LISTS, _QUESTIONS = range(6)
_RECORD_LISTS, _RECORDS, _MALFORMED = 6, 7, 8


def write_cdns(file: BinaryIO, exchanges: Iterable[Exchange], version: str) -> int:
    """Write recorded exchanges, 5,000 in a block; returns how many. Those that were not sent are left out."""
    storage = {0: _TICKS, 1: _BLOCK_ITEMS, 2: _HINTS, 3: list(range(16)), 4: list(range(1, 65_536))}
    preamble = {0: 1, 1: 0, 3: [{0: storage, 1: {8: f"gnomon {version}"}}]}
    file.write(b"\x83\x65C-DNS" + cbor2.dumps(preamble) + b"\x9f")
    count, block = 0, _Block()
    for exchange in exchanges:
        messages = list(messages_of([exchange]))
        if messages:
            block.add(messages[0], messages[1] if len(messages) > 1 else None)
            count += 1
        if block.items >= _BLOCK_ITEMS:
            file.write(block.to_octets())
            block = _Block()
    if block.items:
        file.write(block.to_octets())
    file.write(b"\xff")
    return count


class _Block:
    """A block in the making: what items have in common goes to tables, once."""

    def __init__(self) -> None:
        self._tables: dict[int, dict[Hashable, int]] = {}
        self._began_us: int | None = None
        self._items: list[dict[int, Any]] = []
        self._malformed: list[dict[int, Any]] = []

    @property
    def items(self) -> int:
        return len(self._items) + len(self._malformed)

    def add(self, query: Heard, response: Heard | None) -> None:
        heard = [one for one in (query, response) if one is not None]
        if self._began_us is None:
            self._began_us = query.at_ns // 1000
        messages = [Message(one.octets) for one in heard]
        if not all(map(_is_whole, messages)):
            for one in heard:
                self._add_malformed(one)
            return
        asked, answer = messages[0], messages[1] if response else None
        item: dict[int, Any] = {
            0: query.at_ns // 1000 - self._began_us,
            1: self._index(_ADDRESSES, query.source.packed),
            2: query.source_port,
            3: asked.id,
            4: self._signature(query, asked, answer),
            8: len(query.octets),
        }
        questions = asked.questions or (answer.questions if answer else ())
        if questions:
            item[7] = self._index(_NAMES_AND_RDATA, questions[0].name.wire)
        if response is not None:
            item |= {6: (response.at_ns - query.at_ns) // 1000, 9: len(response.octets)}
        for key, message in ((11, asked), (12, answer)):
            extended = {} if message is None else self._extended(message, with_opt=key == 12)
            if extended:
                item[key] = extended
        self._items.append(item)

    def _add_malformed(self, heard: Heard) -> None:
        client, server = (heard.destination, heard.source) if heard.is_response else (heard.source, heard.destination)
        ports = heard.destination_port, heard.source_port
        client_port, server_port = ports if heard.is_response else ports[::-1]
        data = (
            (0, self._index(_ADDRESSES, server.packed)), (1, server_port), (2, _transport_flags(heard, server)),
            (3, heard.octets),
        )  # fmt: skip
        assert self._began_us is not None
        self._malformed.append(
            {
                0: heard.at_ns // 1000 - self._began_us,
                1: self._index(_ADDRESSES, client.packed),
                2: client_port,
                3: self._index(_MALFORMED, data),
            }
        )

    def _signature(self, query: Heard, asked: Message, answer: Message | None) -> int:
        has = HAS_QUERY | (HAS_RESPONSE if answer else 0) | (0 if asked.questions else NO_QUESTION)
        has |= QUERY_OPT if asked.edns else 0
        flags = _flags(asked) | (0x80 if asked.edns and asked.edns.do else 0)
        if answer is not None:
            has |= (RESPONSE_OPT if answer.edns else 0) | (0 if answer.questions else NO_QUESTION << 1)
            flags |= _flags(answer) << 8
        fields: dict[int, int] = {
            0: self._index(_ADDRESSES, query.destination.packed),
            1: query.destination_port,
            2: _transport_flags(query, query.destination),
            4: has,
            5: asked.opcode,
            6: flags,
            7: int(asked.rcode),
            **dict(enumerate(asked.counts, 9)),
        }
        questions = asked.questions or (answer.questions if answer else ())
        if questions:
            fields[8] = self._class_type(int(questions[0].qtype), questions[0].qclass)
        if asked.edns:
            options = asked.opt_records()[0][2]
            fields |= {13: asked.edns.version, 14: asked.edns.udp_size_octets}
            fields[15] = self._index(_NAMES_AND_RDATA, options)
        if answer is not None:
            fields[16] = int(answer.rcode)
        return self._index(_SIGNATURES, tuple(sorted(fields.items())))

    def _extended(self, message: Message, *, with_opt: bool) -> dict[int, int]:
        """The questions but the first, and the records of each section, as indices of lists."""
        extended = {}
        if len(message.questions) > 1:
            rest = [(q.name.wire, int(q.qtype), q.qclass) for q in message.questions[1:]]
            indices = [self._index(_QUESTIONS, self._named(*one)) for one in rest]
            extended[0] = self._index(_QUESTION_LISTS, tuple(indices))
        for key, section in enumerate(SECTIONS, 1):
            records = [(r.owner.wire, int(r.rtype), r.rclass, r.ttl_s, r.rdata) for r in getattr(message, section)]
            if section == "additional" and with_opt:
                records += [(owner, 41, size, ttl, rdata) for size, ttl, rdata, owner in message.opt_records()]
            if records:
                indices = [self._record(*record) for record in records]
                extended[key] = self._index(_RECORD_LISTS, tuple(indices))
        return extended

    def _record(self, owner: bytes, rtype: int, rclass: int, ttl: int, rdata: bytes) -> int:
        data = (2, ttl), (3, self._index(_NAMES_AND_RDATA, rdata))
        return self._index(_RECORDS, (*self._named(owner, rtype, rclass), *data))

    def _named(self, name: bytes, rtype: int, rclass: int) -> tuple[tuple[int, int], tuple[int, int]]:
        return (0, self._index(_NAMES_AND_RDATA, name)), (1, self._class_type(rtype, rclass))

    def _class_type(self, rtype: int, rclass: int) -> int:
        return self._index(_CLASS_TYPES, ((0, rtype), (1, rclass)))

    def _index(self, table: int, entry: Hashable) -> int:
        entries = self._tables.setdefault(table, {})
        return entries.setdefault(entry, len(entries))

    def to_octets(self) -> bytes:
        maps = (_CLASS_TYPES, _SIGNATURES, _QUESTIONS, _RECORDS, _MALFORMED)
        tables = {
            number: [dict(entry) if number in maps else entry for entry in entries]  # type: ignore[call-overload]
            for number, entries in sorted(self._tables.items())
        }
        began = self._began_us or 0
        block = {0: {0: [began // _TICKS, began % _TICKS], 1: 0}, 2: tables, 3: self._items}
        if self._malformed:
            block[5] = self._malformed
        return cbor2.dumps(block)


def _is_whole(message: Message) -> bool:
    """Whether C-DNS can say all that the message says."""
    return message.malformed is None and not message.trailing_octets and len(message.opt_records()) < 2


def _flags(message: Message) -> int:
    return sum(1 << place for place, bit in enumerate(FLAGS) if message.flags & bit)


def _transport_flags(heard: Heard, server: Address) -> int:
    return (server.version == 6) | _CODES[heard.transport] << 1
