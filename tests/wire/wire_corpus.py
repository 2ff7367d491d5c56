"""DNS messages from captures and recordings, for tests; needs the data folder (see conftest)."""

from __future__ import annotations

import base64
import gzip
import io
import json
import lzma
import struct
from collections.abc import Iterator
from pathlib import Path

DNS_PORTS = {53, 5353, 8053}


def recorded_messages(path: Path, step: int = 1) -> Iterator[bytes]:
    """Every `step`-th message of a JSON-lines recording."""
    with gzip.open(path, "rt") as lines:
        for at, line in enumerate(lines):
            if at % step == 0:
                yield base64.b64decode(json.loads(line)["wire"])


def captured_messages(path: Path, limit: int) -> Iterator[bytes]:
    """The UDP payloads to or from a DNS port of the first `limit` frames of a pcap file."""
    packed = {".gz": gzip.decompress, ".xz": lzma.decompress}.get(path.suffix, bytes)
    with io.BytesIO(packed(path.read_bytes())) as file:
        head = file.read(24)
        if head[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
            order = "<"
        elif head[:4] in (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d"):
            order = ">"
        else:
            return
        link = struct.unpack(order + "I", head[20:24])[0] & 0xFFFF
        for _ in range(limit):
            frame_head = file.read(16)
            if len(frame_head) < 16:
                return
            frame = file.read(struct.unpack(order + "I", frame_head[8:12])[0])
            payload = _udp_payload(_network_layer(link, frame))
            if payload:
                yield payload


def _network_layer(link: int, frame: bytes) -> bytes:
    if link == 1:  # Ethernet, maybe with VLAN tags
        at = 12
        while frame[at : at + 2] in (b"\x81\x00", b"\x88\xa8"):
            at += 4
        return frame[at + 2 :]
    return frame[{0: 4, 101: 0, 113: 16, 276: 20}.get(link, len(frame)) :]


def _udp_payload(packet: bytes) -> bytes | None:
    if len(packet) > 28 and packet[0] >> 4 == 4:
        fragment = int.from_bytes(packet[6:8], "big") & 0x3FFF
        protocol, udp = packet[9], packet[(packet[0] & 15) * 4 :]
        if fragment:
            return None
    elif len(packet) > 48 and packet[0] >> 4 == 6:
        protocol, udp = packet[6], packet[40:]
    else:
        return None
    if protocol != 17 or len(udp) < 9:
        return None
    source, target, length = struct.unpack("!HHH", udp[:6])
    return udp[8:length] if DNS_PORTS & {source, target} else None
