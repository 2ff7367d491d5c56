"""Hypothesis strategies of names, records and messages."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from gnomon.base import Name
from gnomon.wire import Edns, Record

labels = st.binary(min_size=1, max_size=63)
u16 = st.integers(0, 0xFFFF)


def _join(parts: list[bytes]) -> Name:
    while sum(map(len, parts)) + len(parts) > 254:
        parts = parts[1:]
    return Name(b"".join(bytes([len(part)]) + part for part in parts) + b"\0")


names = st.lists(labels, max_size=6).map(_join)
edns = st.builds(
    Edns,
    udp_size_octets=u16,
    version=st.integers(0, 255),
    flags=u16,
    options=st.lists(st.tuples(u16, st.binary(max_size=40)), max_size=4).map(tuple),
)


def _soa(mname: Name, rname: Name, numbers: bytes) -> bytes:
    return mname.wire + rname.wire + numbers


rdatas = st.one_of(
    st.tuples(st.just(1), st.binary(min_size=4, max_size=4)),
    st.tuples(st.just(2), names.map(lambda name: name.wire)),
    st.tuples(st.just(6), st.builds(_soa, names, names, st.binary(min_size=20, max_size=20))),
    st.tuples(st.just(15), names.map(lambda name: b"\0\5" + name.wire)),
    st.tuples(st.just(46), st.builds(lambda n, s: b"\0" * 18 + n.wire + s, names, st.binary(max_size=64))),
    st.tuples(st.integers(1000, 60000), st.binary(max_size=80)),
)


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, list[list[tuple[Name, int, int, int, bytes]]]]:
    """A message with records, some owners as pointers to the question; and the records of its sections."""
    question = draw(names)
    sections: list[list[tuple[Name, int, int, int, bytes]]] = []
    body = question.wire + struct.pack("!HH", draw(u16), 1)
    for _ in range(3):
        records = []
        for _ in range(draw(st.integers(0, 3))):
            rtype, rdata = draw(rdatas)
            pointed = draw(st.booleans())
            owner = question if pointed else draw(names)
            rclass, ttl_s = draw(u16), draw(st.integers(0, 0xFFFFFFFF))
            body += b"\xc0\x0c" if pointed else owner.wire
            body += struct.pack("!HHIH", rtype, rclass, ttl_s, len(rdata)) + rdata
            records.append((owner, rtype, rclass, ttl_s, rdata))
        sections.append(records)
    head = struct.pack("!HHHHHH", draw(u16), draw(u16), 1, *(len(records) for records in sections))
    return head + body, sections


def as_tuples(records: tuple[Record, ...]) -> list[tuple[Name, int, int, int, bytes]]:
    return [(r.owner, int(r.rtype), r.rclass, r.ttl_s, r.rdata) for r in records]
