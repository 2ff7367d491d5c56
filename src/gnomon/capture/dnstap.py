"""dnstap files: Frame Streams of protocol-buffer messages, read and written.

Sources: dnstap.proto (dnstap.info); the Frame Streams format (fstrm). Only the few fields of dnstap are read, so a
protocol-buffer library with generated code would be more to keep than the two field types that matter here.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import BinaryIO

from gnomon.base import Address, InputError, Name, Transport
from gnomon.capture.heard import Heard, Skipped, exactly, open_capture
from gnomon.engine import Status
from gnomon.evidence import Exchange

_CONTENT = b"protobuf:dnstap.Dnstap"
_START, _STOP = 2, 3
_CONTENT_TYPE = 1
_FRAME_OCTETS_MAX, _CONTROL_OCTETS_MAX = 1 << 20, 512
# Fields of Dnstap and of its Message.
_IDENTITY, _VERSION, _EXTRA, _MESSAGE, _TYPE = 1, 2, 3, 14, 15
_M_TYPE, _M_FAMILY, _M_PROTOCOL = 1, 2, 3
_M_QUERY_ADDRESS, _M_RESPONSE_ADDRESS, _M_QUERY_PORT, _M_RESPONSE_PORT = 4, 5, 6, 7
_M_QUERY_S, _M_QUERY_NS, _M_QUERY = 8, 9, 10
_M_RESPONSE_S, _M_RESPONSE_NS, _M_RESPONSE = 12, 13, 14
_TOOL_QUERY, _TOOL_RESPONSE = 11, 12
_TRANSPORTS = {1: Transport.UDP, 2: Transport.TCP, 3: Transport.DOT}
_CODES = {transport: code for code, transport in _TRANSPORTS.items()}
_Fields = Mapping[int, int | bytes]


def is_dnstap(head: bytes) -> bool:
    """Whether a file begins like an (unidirectional) Frame Stream."""
    return head[:4] == b"\x00\x00\x00\x00"


def read_dnstap(path: Path, skipped: Skipped) -> Iterator[Heard | Exchange]:
    """The DNS messages of a dnstap file; whole exchanges where it is one of ours, with all that we know of them.

    Raises:
        InputError: not a Frame Stream with dnstap in it, or a frame is damaged: names the octet.
    """
    with open_capture(path) as file:
        _begin(path, file)
        at = file.tell()
        while len(head := exactly(file, 4)) == 4:
            (size,) = struct.unpack("!I", head)
            if size == 0:
                return  # a control frame: STOP
            if size > _FRAME_OCTETS_MAX:
                raise InputError(f"{path} is damaged at octet {at}: a frame of {size:,} octets")
            frame = exactly(file, size)
            if len(frame) < size:
                break
            try:
                yield from _frame(frame, skipped)
            except (ValueError, KeyError, TypeError, struct.error, InputError):
                skipped["frames that are malformed"] += 1
            at += 4 + size
        skipped["streams without their end"] += 1


def _begin(path: Path, file: BinaryIO) -> None:
    head = exactly(file, 12)
    if len(head) == 12 and is_dnstap(head):
        size, kind = struct.unpack("!4xII", head)
        control = exactly(file, size - 4) if 4 <= size <= _CONTROL_OCTETS_MAX else b""
        if kind == _START and control.endswith(_CONTENT):
            return
    raise InputError(f"{path} is no dnstap file: it does not begin a Frame Stream of {_CONTENT.decode()}")


def _frame(frame: bytes, skipped: Skipped) -> Iterator[Heard | Exchange]:
    outer = _fields(frame)
    m = _fields(_octets(outer, _MESSAGE))
    extra = outer.get(_EXTRA)
    ours = _ours(extra) if isinstance(extra, bytes) and extra[:1] == b"{" else None
    if ours is not None:
        yield _exchange(m, ours)
        return
    transport = _TRANSPORTS.get(_number(m, _M_PROTOCOL))
    if transport is None:
        skipped["messages over other transports"] += 1
        return
    asker, server = _address(m, _M_QUERY_ADDRESS), _address(m, _M_RESPONSE_ADDRESS)
    ports = _number(m, _M_QUERY_PORT), _number(m, _M_RESPONSE_PORT, 53)
    if isinstance(query := m.get(_M_QUERY), bytes):
        at_ns = _number(m, _M_QUERY_S) * 10**9 + _number(m, _M_QUERY_NS)
        yield Heard(at_ns, asker, ports[0], server, ports[1], transport, query)
    if isinstance(response := m.get(_M_RESPONSE), bytes):
        at_ns = _number(m, _M_RESPONSE_S) * 10**9 + _number(m, _M_RESPONSE_NS)
        yield Heard(at_ns, server, ports[1], asker, ports[0], transport, response)


def _ours(extra: bytes) -> dict[str, object] | None:
    """What our own export put beside the message; None for what somebody else put there."""
    document = json.loads(extra)
    return document["gnomon"] if isinstance(document, dict) and "gnomon" in document else None


def _exchange(m: _Fields, ours: dict[str, object]) -> Exchange:
    name, response = ours["server_name"], m.get(_M_RESPONSE)
    return Exchange(
        seq=_int(ours["seq"]),
        subject=str(ours["subject"]),
        ask=str(ours["ask"]),
        server_name=None if name is None else Name.from_text(str(name)),
        address=_address(m, _M_RESPONSE_ADDRESS),
        port=_number(m, _M_RESPONSE_PORT),
        transport=Transport(_int(ours["transport"])),
        attempt=_int(ours["attempt"]),
        sent_at_ns=_number(m, _M_QUERY_S) * 10**9 + _number(m, _M_QUERY_NS),
        rtt_us=None if ours["rtt_us"] is None else _int(ours["rtt_us"]),
        local_port=_number(m, _M_QUERY_PORT),
        status=Status(_int(ours["status"])),
        os_error=_int(ours["os_error"]),
        query=_octets(m, _M_QUERY),
        response=response if isinstance(response, bytes) else None,
        vantage=str(ours["vantage"]),
    )


def write_dnstap(file: BinaryIO, exchanges: Iterable[Exchange], version: str) -> int:
    """Write recorded exchanges as TOOL_QUERY and TOOL_RESPONSE messages; returns how many.

    What dnstap has no field for is in `extra` as JSON, so that reading the file again gives the same exchanges.
    """
    start = struct.pack("!III", _START, _CONTENT_TYPE, len(_CONTENT)) + _CONTENT
    file.write(struct.pack("!II", 0, len(start)) + start)
    count = 0
    for x in exchanges:
        frame = _to_frame(x, version.encode())
        file.write(struct.pack("!I", len(frame)) + frame)
        count += 1
    file.write(struct.pack("!III", 0, 4, _STOP))
    return count


def _to_frame(x: Exchange, version: bytes) -> bytes:
    extra = {
        "seq": x.seq, "subject": x.subject, "ask": x.ask, "attempt": x.attempt, "transport": int(x.transport),
        "server_name": None if x.server_name is None else str(x.server_name), "rtt_us": x.rtt_us,
        "status": int(x.status), "os_error": x.os_error, "vantage": x.vantage,
    }  # fmt: skip
    seconds, ns = divmod(x.sent_at_ns, 10**9)
    fields: list[tuple[int, int | bytes]] = [
        (_M_TYPE, _TOOL_QUERY if x.response is None else _TOOL_RESPONSE),
        (_M_FAMILY, 1 if x.address.version == 4 else 2),
        (_M_PROTOCOL, _CODES[x.transport]),
        (_M_RESPONSE_ADDRESS, x.address.packed),
        (_M_QUERY_PORT, x.local_port),
        (_M_RESPONSE_PORT, x.port),
        (_M_QUERY_S, seconds),
        (_M_QUERY_NS, ns),
        (_M_QUERY, x.query),
    ]
    if x.response is not None:
        seconds, ns = divmod(x.sent_at_ns + (x.rtt_us or 0) * 1000, 10**9)
        fields += [(_M_RESPONSE_S, seconds), (_M_RESPONSE_NS, ns), (_M_RESPONSE, x.response)]
    outer: list[tuple[int, int | bytes]] = [
        (_IDENTITY, x.vantage.encode()),
        (_VERSION, b"gnomon " + version),
        (_EXTRA, json.dumps({"gnomon": extra}, sort_keys=True).encode()),
        (_MESSAGE, _to_octets(fields)),
        (_TYPE, 1),
    ]
    return _to_octets(outer)


def _to_octets(fields: Iterable[tuple[int, int | bytes]]) -> bytes:
    """Fields in the protocol-buffer encoding; the two nanosecond fields are fixed32, other numbers are varints."""
    out = bytearray()
    for number, value in fields:
        if isinstance(value, bytes):
            out += _varint(number << 3 | 2) + _varint(len(value)) + value
        elif number in (_M_QUERY_NS, _M_RESPONSE_NS):
            out += _varint(number << 3 | 5) + struct.pack("<I", value)
        else:
            out += _varint(number << 3) + _varint(value)
    return bytes(out)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _fields(octets: bytes) -> dict[int, int | bytes]:
    """The fields of a message; of a repeated one the last, as protocol buffers have it.

    Raises:
        ValueError: malformed.
    """
    fields: dict[int, int | bytes] = {}
    at = 0
    while at < len(octets):
        key, at = _read_varint(octets, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            fields[number], at = _read_varint(octets, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            if at + size > len(octets):
                raise ValueError("a number that is cut off")
            fields[number] = int.from_bytes(octets[at : at + size], "little")
            at += size
        elif kind == 2:
            size, at = _read_varint(octets, at)
            if at + size > len(octets):
                raise ValueError("octets that are cut off")
            fields[number] = octets[at : at + size]
            at += size
        else:
            raise ValueError(f"a field of the unknown kind {kind}")
    return fields


def _read_varint(octets: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(octets):
            break
        value |= (octets[at] & 0x7F) << shift
        at += 1
        if octets[at - 1] < 0x80:
            return value, at
    raise ValueError("a number that does not end")


def _number(fields: _Fields, number: int, default: int = 0) -> int:
    return _int(fields.get(number, default))


def _int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise ValueError("a field that is no number")
    return value


def _octets(fields: _Fields, number: int) -> bytes:
    value = fields[number]
    if not isinstance(value, bytes):
        raise ValueError("a field that has no octets")
    return value


def _address(m: _Fields, number: int) -> Address:
    """An address of a message; the unspecified one where it is not told, as servers do with their own."""
    if number in m:
        return ip_address(_octets(m, number))
    return IPv6Address(0) if _number(m, _M_FAMILY) == 2 else IPv4Address(0)
