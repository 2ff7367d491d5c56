"""DNS messages out of link-layer frames: IPv4, IPv6, their fragments, UDP, and TCP streams put together."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from gnomon.base import Address, Transport
from gnomon.capture.heard import DNS_PORT, Heard, Skipped

_IPV4, _IPV6 = 0x0800, 0x86DD
_VLANS = {0x8100, 0x88A8, 0x9100}
_TCP, _UDP, _FRAGMENT = 6, 17, 44
_EXTENSIONS = {0, 43, 60, 135}  # hop-by-hop, routing, destination options, mobility
_FIN, _SYN, _RST = 0x01, 0x02, 0x04
# Somebody's capture must not fill our memory: what is not complete by then is given up.
_DATAGRAMS_MAX, _FRAGMENTS_MAX, _STREAMS_MAX = 1_000, 64, 1_000
_AHEAD_OCTETS_MAX, _AHEAD_SEGMENTS_MAX = 128 << 10, 256


class Reader:
    """Takes frames in their order and gives the DNS messages in them."""

    def __init__(self, skipped: Skipped) -> None:
        self._skipped = skipped
        self._datagrams: OrderedDict[tuple[object, ...], list[tuple[int, bool, bytes]]] = OrderedDict()
        self._streams: OrderedDict[tuple[Address, int, Address, int], _Stream] = OrderedDict()

    def frame(self, at_ns: int, link: int, octets: bytes) -> Iterator[Heard]:
        """The messages that this frame completes; `link` is the type of the link layer as libpcap numbers it."""
        unwrap = _LINKS.get(link)
        if unwrap is None:
            self._skipped[f"frames of the unknown link type {link}"] += 1
            return
        try:
            yield from self._packet(at_ns, unwrap(octets))
        except (struct.error, IndexError, ValueError):
            self._skipped["frames that are cut off or malformed"] += 1

    def _packet(self, at_ns: int, octets: bytes) -> Iterator[Heard]:
        if not octets or octets[0] >> 4 not in (4, 6):
            self._skipped["frames without an IP packet"] += 1
            return
        found = self._ipv4(octets) if octets[0] >> 4 == 4 else self._ipv6(octets)
        if found is None:
            return
        source, destination, protocol, payload = found
        if protocol == _UDP:
            yield from self._udp(at_ns, source, destination, payload)
        elif protocol == _TCP:
            yield from self._tcp(at_ns, source, destination, payload)
        else:
            self._skipped["packets that are neither UDP nor TCP"] += 1

    def _ipv4(self, octets: bytes) -> tuple[Address, Address, int, bytes] | None:
        header, length, identity, fragment, protocol = struct.unpack_from("!BxHHHxB", octets)
        size = (header & 15) * 4
        if size < 20 or not size <= length <= len(octets):
            raise ValueError("an IPv4 packet whose length is wrong")
        source, destination = IPv4Address(octets[12:16]), IPv4Address(octets[16:20])
        payload: bytes | None = octets[size:length]
        if fragment & 0x3FFF:
            key = (source, destination, protocol, identity)
            payload = self._whole(key, (fragment & 0x1FFF) * 8, bool(fragment & 0x2000), octets[size:length])
        return None if payload is None else (source, destination, protocol, payload)

    def _ipv6(self, octets: bytes) -> tuple[Address, Address, int, bytes] | None:
        length, protocol = struct.unpack_from("!4xHB", octets)
        source, destination = IPv6Address(octets[8:24]), IPv6Address(octets[24:40])
        payload = octets[40 : 40 + length]
        if len(payload) < length:
            raise ValueError("an IPv6 packet that is cut off")
        while protocol in _EXTENSIONS:
            protocol, units = payload[0], payload[1]
            payload = payload[8 + units * 8 :]
        if protocol == _FRAGMENT:
            protocol, fragment, identity = struct.unpack_from("!BxHI", payload)
            whole = self._whole(
                (source, destination, protocol, identity), fragment & 0xFFF8, bool(fragment & 1), payload[8:]
            )
            return None if whole is None else (source, destination, protocol, whole)
        return source, destination, protocol, payload

    def _whole(self, key: tuple[object, ...], offset: int, more: bool, octets: bytes) -> bytes | None:
        """The payload of a datagram once its last missing fragment has come."""
        parts = self._datagrams.setdefault(key, [])
        parts.append((offset, more, octets))
        self._datagrams.move_to_end(key)
        end = 0
        for start, goes_on, part in sorted(parts, key=lambda one: one[0]):
            if start > end:
                break
            end = max(end, start + len(part))
            if not goes_on:
                del self._datagrams[key]
                whole = bytearray(end)
                for at, _, piece in parts:
                    whole[at : at + len(piece)] = piece
                return bytes(whole[:end])
        if len(parts) > _FRAGMENTS_MAX or len(self._datagrams) > _DATAGRAMS_MAX:
            dropped = key if len(parts) > _FRAGMENTS_MAX else next(iter(self._datagrams))
            self._skipped["fragments of datagrams that never became whole"] += len(self._datagrams.pop(dropped))
        return None

    def _udp(self, at_ns: int, source: Address, destination: Address, payload: bytes) -> Iterator[Heard]:
        source_port, destination_port, length = struct.unpack_from("!HHH", payload)
        if DNS_PORT not in (source_port, destination_port):
            self._skipped["packets of other services"] += 1
        elif not 8 <= length <= len(payload):
            raise ValueError("a UDP datagram whose length is wrong")
        else:
            octets = payload[8:length]
            yield Heard(at_ns, source, source_port, destination, destination_port, Transport.UDP, octets)

    def _tcp(self, at_ns: int, source: Address, destination: Address, payload: bytes) -> Iterator[Heard]:
        source_port, destination_port, sequence, offset, flags = struct.unpack_from("!HHI4xBB", payload)
        if DNS_PORT not in (source_port, destination_port):
            self._skipped["packets of other services"] += 1
            return
        key = (source, source_port, destination, destination_port)
        if flags & _SYN:
            self._streams.pop(key, None)
        stream = self._streams.setdefault(key, _Stream(sequence + bool(flags & _SYN)))
        self._streams.move_to_end(key)
        begin = (offset >> 4) * 4
        if begin < 20:
            raise ValueError("a TCP segment whose header is too short")
        data = payload[begin:] if not flags & _SYN else b""
        for octets in stream.take(sequence, data):
            yield Heard(at_ns, source, source_port, destination, destination_port, Transport.TCP, octets)
        if stream.has_gap and not stream.is_lost:
            self._skipped["TCP streams with a gap"] += 1
            stream.lose()
        if flags & (_FIN | _RST):
            del self._streams[key]
        elif len(self._streams) > _STREAMS_MAX:
            self._streams.popitem(last=False)


@dataclass(slots=True)
class _Stream:
    """One direction of a connection: the sequence number expected next, and the octets not yet given."""

    expected: int
    octets: bytearray = field(default_factory=bytearray)
    ahead: dict[int, bytes] = field(default_factory=dict)
    is_lost: bool = False

    def lose(self) -> None:
        """Take nothing more: where the next message begins cannot be known."""
        self.is_lost = True
        self.octets.clear()
        self.ahead.clear()

    @property
    def has_gap(self) -> bool:
        octets = sum(map(len, self.ahead.values()))
        return octets > _AHEAD_OCTETS_MAX or len(self.ahead) > _AHEAD_SEGMENTS_MAX

    def take(self, sequence: int, data: bytes) -> Iterator[bytes]:
        """The messages that a segment completes."""
        if data and not self.is_lost:
            self.ahead.setdefault(sequence, data)
        while self._next():
            pass
        while len(self.octets) >= 2:
            size = int.from_bytes(self.octets[:2], "big")
            if len(self.octets) < 2 + size:
                break
            yield bytes(self.octets[2 : 2 + size])
            del self.octets[: 2 + size]

    def _next(self) -> bool:
        """Move one segment that continues the stream to its octets."""
        for sequence, data in self.ahead.items():
            known = (self.expected - sequence) & 0xFFFFFFFF
            if known <= 0x7FFFFFFF and known <= len(data):
                self.octets += data[known:]
                self.expected = (self.expected + len(data) - known) & 0xFFFFFFFF
                del self.ahead[sequence]
                return True
            if known <= 0x7FFFFFFF:  # came a second time
                del self.ahead[sequence]
                return True
        return False


def _ethernet(octets: bytes) -> bytes:
    at = 12
    (kind,) = struct.unpack_from("!H", octets, at)
    while kind in _VLANS:
        at += 4
        (kind,) = struct.unpack_from("!H", octets, at)
    return octets[at + 2 :] if kind in (_IPV4, _IPV6) else b""


# https://www.tcpdump.org/linktypes.html
_LINKS: dict[int, Callable[[bytes], bytes]] = {
    0: lambda octets: octets[4:],  # NULL
    1: _ethernet,
    12: bytes,  # RAW, as some systems number it
    14: bytes,
    101: bytes,  # RAW
    108: lambda octets: octets[4:],  # LOOP
    113: lambda octets: octets[16:],  # Linux cooked
    228: bytes,  # IPv4
    229: bytes,  # IPv6
    276: lambda octets: octets[20:],  # Linux cooked, version 2
}
