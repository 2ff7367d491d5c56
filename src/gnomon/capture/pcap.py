"""pcap and pcapng files: messages out of them, and messages into a pcap file.

Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import BinaryIO

from gnomon.base import Address, InputError, Transport
from gnomon.capture.heard import Heard, Skipped, exactly, open_capture
from gnomon.capture.packets import Reader

_MAGICS = {  # octets -> byte order, nanoseconds per unit
    b"\xa1\xb2\xc3\xd4": (">", 1000), b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1), b"\x4d\x3c\xb2\xa1": ("<", 1),
}  # fmt: skip
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 1, 2, 3, 6
_TIME_UNIT, _TIME_OFFSET = 9, 14
_FRAME_OCTETS_MAX, _BLOCK_OCTETS_MAX = 1 << 20, 16 << 20
_RAW = 101
_SNAP_OCTETS = 262_144


def is_pcap(magic: bytes) -> bool:
    """Whether a file that begins with these four octets is pcap or pcapng."""
    return magic in _MAGICS or magic == _PCAPNG


def read_pcap(path: Path, skipped: Skipped) -> Iterator[Heard]:
    """The DNS messages of a capture, to or from port 53, in the order of the file.

    Args:
        skipped: counts what gave no message.

    Raises:
        InputError: neither pcap nor pcapng, or a block is damaged: names the octet; what came before was given.
    """
    reader = Reader(skipped)
    with open_capture(path) as file:
        magic = exactly(file, 4)
        frames = _pcapng(path, file, skipped) if magic == _PCAPNG else _pcap(path, file, magic, skipped)
        for at_ns, link, octets in frames:
            yield from reader.frame(at_ns, link, octets)


def _pcap(path: Path, file: BinaryIO, magic: bytes, skipped: Skipped) -> Iterator[tuple[int, int, bytes]]:
    rest = exactly(file, 20)
    if magic not in _MAGICS or len(rest) < 20:
        raise InputError(f"{path} is no capture: it begins neither like pcap nor like pcapng")
    order, unit_ns = _MAGICS[magic]
    (link,) = struct.unpack_from(order + "I", rest, 16)
    record, at = struct.Struct(order + "IIII"), 24
    while len(header := exactly(file, record.size)) == record.size:
        seconds, units, size, original = record.unpack(header)
        if size > _FRAME_OCTETS_MAX:
            raise InputError(f"{path} is damaged at octet {at}: a frame of {size:,} octets")
        octets = exactly(file, size)
        if len(octets) < size:
            header = b"-"
            break
        if original > size:
            skipped["frames that the capture cut off"] += 1
        yield seconds * 10**9 + units * unit_ns, link & 0xFFFF, octets
        at += record.size + size
    if header:
        skipped["octets at a torn end"] += 1


def _pcapng(path: Path, file: BinaryIO, skipped: Skipped) -> Iterator[tuple[int, int, bytes]]:
    order, interfaces, at = "<", list[tuple[int, int, int]](), 0
    kind_octets = _PCAPNG
    while True:
        lengths = exactly(file, 4)
        body = b""
        if kind_octets == _PCAPNG:
            body = exactly(file, 4)
            order, interfaces = ("<" if body == b"\x4d\x3c\x2b\x1a" else ">"), []
        if len(lengths) < 4:
            skipped["octets at a torn end"] += 1
            return
        (size,) = struct.unpack(order + "I", lengths)
        if size % 4 or not 12 <= size <= _BLOCK_OCTETS_MAX:
            raise InputError(f"{path} is damaged at octet {at}: a block of {size:,} octets")
        body += exactly(file, size - 8 - len(body))
        if len(body) < size - 8:
            skipped["octets at a torn end"] += 1
            return
        (kind,) = struct.unpack(order + "I", kind_octets)
        try:
            yield from _block(order, kind, body[:-4], interfaces)
        except (struct.error, IndexError):
            skipped["blocks that are malformed"] += 1
        at += size
        kind_octets = exactly(file, 4)
        if len(kind_octets) < 4:
            return


def _block(
    order: str, kind: int, body: bytes, interfaces: list[tuple[int, int, int]]
) -> Iterator[tuple[int, int, bytes]]:
    """The frame of a packet block; an interface block is remembered: link type, units a second, offset in s."""
    if kind == _INTERFACE:
        (link,) = struct.unpack_from(order + "H", body)
        interfaces.append((link, *_clock(order, body[8:])))
    elif kind in (_PACKET, _OLD_PACKET):
        form = order + ("IIIII" if kind == _PACKET else "HHIIII")
        fields = struct.unpack_from(form, body)
        index, (high, low, size, _) = fields[0], fields[-4:]
        link, units, offset_s = interfaces[index]
        at_ns = (high << 32 | low) * 10**9 // units + offset_s * 10**9
        yield at_ns, link, body[20 : 20 + size]
    elif kind == _SIMPLE_PACKET:
        yield 0, interfaces[0][0], body[4:]


def _clock(order: str, options: bytes) -> tuple[int, int]:
    units, offset_s, at = 10**6, 0, 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from(order + "HH", options, at)
        value = options[at + 4 : at + 4 + size]
        if code == _TIME_UNIT and size == 1:
            units = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** min(value[0], 18)
        elif code == _TIME_OFFSET and size == 8:
            (offset_s,) = struct.unpack(order + "q", value)
        elif code == 0:
            break
        at += 4 + size + (-size) % 4
    return units, offset_s


def write_pcap(file: BinaryIO, messages: Iterable[Heard]) -> int:
    """Write messages as a pcap file with times in nanoseconds and raw IP packets; returns how many.

    Each message over TCP becomes one connection of its own: a handshake, and one segment. Those over TLS are left out:
    on the wire nobody could have read them.
    """
    file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, _SNAP_OCTETS, _RAW))
    count = 0
    for heard in messages:
        if heard.transport is Transport.DOT:
            continue
        for packet in _packets(heard):
            seconds, ns = divmod(heard.at_ns, 10**9)
            file.write(struct.pack("<IIII", seconds, ns, len(packet), len(packet)) + packet)
        count += 1
    return count


def _packets(heard: Heard) -> Iterator[bytes]:
    ports = struct.pack("!HH", heard.source_port, heard.destination_port)
    if heard.transport == Transport.UDP:
        yield _ip(
            heard.source, heard.destination, 17, ports + struct.pack("!HH", 8 + len(heard.octets), 0), heard.octets
        )
        return
    data = len(heard.octets).to_bytes(2, "big") + heard.octets
    # IPv4 has no room for a longest message with its headers in one packet.
    parts = [data[at : at + 32_768] for at in range(0, len(data), 32_768)]
    yield _ip(heard.source, heard.destination, 6, ports + struct.pack("!IIBBHHH", 0, 0, 0x50, 2, 65535, 0, 0), b"")
    sequence = 1
    for part in parts:
        header = ports + struct.pack("!IIBBHHH", sequence, 1, 0x50, 0x18, 65535, 0, 0)
        yield _ip(heard.source, heard.destination, 6, header, part)
        sequence += len(part)


def _ip(source: Address, destination: Address, protocol: int, header: bytes, data: bytes) -> bytes:
    """An IP packet; checksums of IP and of the transport are set."""
    size = len(header) + len(data)
    pseudo = source.packed + destination.packed + struct.pack("!IBBH", size, 0, 0, protocol)
    place = 6 if protocol == 17 else 16
    checksum = _checksum(pseudo + header + data) or 0xFFFF
    header = header[:place] + checksum.to_bytes(2, "big") + header[place + 2 :]
    if isinstance(source, IPv4Address):
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + size, 0, 0, 64, protocol, 0) + source.packed + destination.packed
        ip = ip[:10] + _checksum(ip).to_bytes(2, "big") + ip[12:]
    else:
        ip = struct.pack("!IHBB", 6 << 28, size, protocol, 64) + source.packed + destination.packed
    return ip + header + data


def _checksum(octets: bytes) -> int:
    """RFC 1071."""
    octets += b"\x00" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
