"""Captures: our own round trips, damaged and hostile files, the corpora of other projects where they are at hand."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import struct
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path

import cbor2
import dns.message
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon.base import InputError, Name, Transport
from gnomon.base.codes import SOA
from gnomon.capture.cdns import read_cdns
from gnomon.capture.files import WRITERS, format_of, import_capture, read_capture
from gnomon.capture.heard import Heard, Skipped
from gnomon.capture.packets import Reader
from gnomon.capture.pcap import read_pcap, write_pcap
from gnomon.capture.transactions import ASK, exchanges_of
from gnomon.engine import Status
from gnomon.evidence import EvidenceDir, Exchange, verify
from gnomon.lab import Placement, build_world
from gnomon.wire import Edns
from gnomon.wire.compose import query
from worlds import survey

WIRE = Path(__file__).parents[3] / "shared" / "data" / "wire"
corpora = pytest.mark.skipif(not WIRE.is_dir(), reason="the corpora are not beside the checkout")

V4, V6, US4, US6 = map(ip_address, ("28.7.7.53", "2a0e::53", "28.1.1.1", "2a0e::1"))
ASKED = query(Name.from_text("Example.test."), SOA, edns=Edns(1232, 0, 0x8000, ((3, b""),)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> EvidenceDir:
    """A survey of a small world: some thousand octets of everything that a survey records."""
    world = build_world({}, [Placement("tls", "ns1.example.test.")])
    return survey(world, tmp_path_factory.mktemp("capture") / "run")


def written(run: EvidenceDir, form: str, path: Path) -> Path:
    with path.open("wb") as file:
        assert WRITERS[form](file, run.exchanges()) > 10
    return path


def without_ref(exchanges: Iterable[Exchange]) -> list[Exchange]:
    return sorted((replace(x, ref=None) for x in exchanges), key=lambda x: x.seq)


def test_dnstap_keeps_everything(run: EvidenceDir, tmp_path: Path) -> None:
    file = written(run, "dnstap", tmp_path / "run.dnstap")
    skipped = Skipped()
    assert without_ref(read_capture(file, "x", skipped)) == without_ref(run.exchanges())
    assert not skipped
    import_capture(file, tmp_path / "again", "x", skipped)
    again = EvidenceDir.open(tmp_path / "again")
    assert not verify(again.path).problems
    assert without_ref(again.exchanges()) == without_ref(run.exchanges())
    assert again.finished_zones() == run.finished_zones()


def test_pcap_keeps_the_messages(run: EvidenceDir, tmp_path: Path) -> None:
    file = written(run, "pcap", tmp_path / "run.pcap")
    skipped = Skipped()
    read = list(read_capture(file, "x", skipped))
    shown = [x for x in run.exchanges() if x.transport is not Transport.DOT]
    assert Counter((x.address, x.query, x.response) for x in read) == Counter(
        (x.address, x.query, x.response) for x in shown
    )
    assert {x.transport for x in read} == {Transport.UDP, Transport.TCP}
    assert {x.address.version for x in read} == {4, 6} and {x.ask for x in read} == {ASK}
    assert not skipped


def test_cdns_keeps_what_the_messages_say(run: EvidenceDir, tmp_path: Path) -> None:
    file = written(run, "cdns", tmp_path / "run.cdns")
    skipped = Skipped()
    read = list(read_capture(file, "x", skipped))
    messages = [x for x in run.exchanges() if x.status is not Status.SECURED]
    assert len(read) == len(messages) and not skipped and Transport.DOT in {x.transport for x in read}

    def said(x: Exchange) -> tuple[object, ...]:
        both = [dns.message.from_wire(octets, keyring=False) for octets in (x.query, x.response) if octets]
        for one in both:
            one.ednsflags &= ~0x7FFF & 0xFFFFFFFF  # C-DNS has no place for a query's flags other than DO
        return (x.address, x.sent_at_ns // 1000, *(one.to_text() for one in both))

    assert Counter(map(said, read)) == Counter(map(said, messages))


@pytest.mark.parametrize("form", list(WRITERS))
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_packed_captures(run: EvidenceDir, form: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    file = written(run, form, tmp_path / "plain")
    packed = tmp_path / "packed"
    packed.write_bytes(pack(file.read_bytes()))
    assert format_of(packed) == format_of(file) == form
    one, two = Skipped(), Skipped()
    assert list(read_capture(packed, "x", one)) == list(read_capture(file, "x", two))


def heard(octets: bytes, at_ns: int = 0, *, back: bool = False, transport: Transport = Transport.UDP) -> Heard:
    ends = ((US4, 40_000), (V4, 53))[:: -1 if back else 1]
    return Heard(at_ns, *ends[0], *ends[1], transport, octets)


def test_a_response_needs_its_query() -> None:
    answer = bytes([ASKED[0], ASKED[1], 0x84, 0]) + ASKED[4:]
    other = bytes([ASKED[0] ^ 1]) + answer[1:]
    late = 31 * 10**9
    messages = [heard(ASKED), heard(other, 1000, back=True), heard(answer.lower(), 5000, back=True), heard(b"short")]
    messages += [heard(ASKED, 10**9), heard(ASKED, 10**9 + late), heard(answer, 2 * 10**9 + late, back=True)]
    skipped = Skipped()
    found = list(exchanges_of(messages, "x", skipped))
    assert [(x.rtt_us, x.status) for x in found] == [
        (5, Status.ANSWERED), (None, Status.TIMEOUT), (10**6, Status.ANSWERED)
    ]  # fmt: skip
    assert skipped == {"responses without their query": 1, "messages shorter than a header": 1}


def tcp(sequence: int, data: bytes, flags: int = 0x18) -> bytes:
    """A frame (raw IP) with a TCP segment from us to a server."""
    segment = struct.pack("!HHIIBBHHH", 40_000, 53, sequence & 0xFFFFFFFF, 0, 0x50, flags, 65535, 0, 0) + data
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0, US4.packed, V4.packed) + segment


@given(st.lists(st.integers(1, 40), max_size=12), st.randoms(), st.integers(0, 0xFFFFFFFF))
def test_segments_in_any_order_and_twice(cuts: list[int], random: object, begin: int) -> None:
    messages = [bytes([number]) * size for number, size in enumerate((1, 0, 30, 12, 200), 1)]
    data = b"".join(len(one).to_bytes(2, "big") + one for one in messages)
    places = sorted({0, len(data), *(sum(cuts[:at]) % len(data) for at in range(len(cuts)))})
    segments = [tcp(begin + 1 + a, data[a:b]) for a, b in pairwise(places)]
    segments += segments[:3]
    random.shuffle(segments)  # type: ignore[attr-defined]
    reader, skipped = Reader(Skipped()), Skipped()
    found = list(reader.frame(0, 101, tcp(begin, b"", 2)))
    for segment in segments:
        found += reader.frame(0, 101, segment)
    assert [one.octets for one in found] == messages and not skipped


def test_a_gap_gives_a_stream_up_and_says_so() -> None:
    skipped = Skipped()
    reader = Reader(skipped)
    list(reader.frame(0, 101, tcp(0, b"", 2)))
    for number in range(2_000):
        assert not list(reader.frame(0, 101, tcp(100 + number * 100, b"x" * 100)))
    assert skipped["TCP streams with a gap"] >= 1


def test_fragments() -> None:
    datagram = struct.pack("!HHHH", 40_000, 53, 8 + len(ASKED), 0) + ASKED

    def fragment(offset: int, data: bytes, more: bool) -> bytes:
        field = offset // 8 | 0x2000 * more
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 7, field, 64, 17, 0, US4.packed, V4.packed) + data

    parts = [fragment(0, datagram[:16], True), fragment(16, datagram[16:32], True), fragment(32, datagram[32:], False)]
    reader = Reader(Skipped())
    for order in (parts, parts[::-1]):
        found = [one for part in order for one in reader.frame(0, 101, part)]
        assert [one.octets for one in found] == [ASKED]
    skipped = Skipped()
    flooded = Reader(skipped)
    for number in range(1_500):
        packet = fragment(0, datagram[:16], True)
        list(flooded.frame(0, 101, packet[:4] + struct.pack("!H", number) + packet[6:]))
    assert skipped["fragments of datagrams that never became whole"] >= 400


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data(), st.sampled_from(list(WRITERS)))
def test_damaged_captures(
    run: EvidenceDir, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, form: str
) -> None:
    """Any octet changed, anything cut off or put in: what can be read is, or one sentence says where it breaks."""
    whole = _whole(run, form)
    at = data.draw(st.integers(0, min(len(whole) - 1, 3_000)))
    kind = data.draw(st.sampled_from(("change", "cut", "put")))
    some = data.draw(st.binary(min_size=1, max_size=9))
    rest = {"change": whole[at + len(some) :], "cut": b"", "put": whole[at:]}
    file = tmp_path_factory.getbasetemp() / "damaged"
    file.write_bytes(whole[:at] + some * (kind != "cut") + rest[kind])
    try:
        list(read_capture(file, "x", Skipped()))
    except InputError as error:
        assert str(file) in str(error)


_WHOLE: dict[str, bytes] = {}


def _whole(run: EvidenceDir, form: str) -> bytes:
    if form not in _WHOLE:
        out = io.BytesIO()
        WRITERS[form](out, list(run.exchanges())[:60])
        _WHOLE[form] = out.getvalue()
    return _WHOLE[form]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.sampled_from((0, 1, 101, 113, 276, 12345)))
def test_any_frame(octets: bytes, link: int) -> None:
    skipped = Skipped()
    list(Reader(skipped).frame(0, link, octets))


@pytest.mark.parametrize(
    ("octets", "word"),
    [
        (b"", "no capture"),
        (b"GIF89a", "no capture"),
        (b"\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x02", "no dnstap"),
        (b"\x83\x65C-DNS" + b"\x9b" + b"\xff" * 8, "preamble"),
        (b"\x83\x65C-DNS" + b"\x81" * 5_000, "preamble"),
        (b"\x83\x65C-DNS\xa1\x00\x02\x80", "damaged"),
        (b"\x83\x65C-DNS" + cbor2.dumps({0: 9, 3: []}), "version 9"),
        (b"\x83\x65C-DNS" + cbor2.dumps({0: 1, 3: []}) + b"\x9f\x5b" + b"\x7f" * 8, "64 MiB"),
        (struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 9, 1) + struct.pack("<IIII", 0, 0, 1 << 30, 9), "octet 24"),
        (b"\x0a\x0d\x0d\x0a\xff\xff\xff\x7f\x4d\x3c\x2b\x1a", "a block of"),
    ],
)
def test_captures_that_are_none(octets: bytes, word: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(octets)
    with pytest.raises(InputError, match=word):
        list(read_capture(file, "x", Skipped()))


@given(st.lists(st.tuples(st.binary(max_size=1500), st.booleans(), st.integers(0, 2**60)), max_size=5))
def test_pcap_round_trip(rows: list[tuple[bytes, bool, int]]) -> None:
    messages = []
    for octets, is_tcp, at_ns in rows:
        ends = (V6, 53, US6, 40_000) if is_tcp else (US4, 1024, V4, 53)
        at_ns %= 2**32 * 10**9
        messages.append(Heard(at_ns, *ends, Transport.TCP if is_tcp else Transport.UDP, octets))
    path = Path(tempfile.gettempdir()) / f"gnomon-{os.getpid()}.pcap"
    with path.open("wb") as file:
        write_pcap(file, messages)
    assert list(read_pcap(path, Skipped())) == messages


@corpora
@pytest.mark.parametrize("folder", ["dnscap", "dnsjit", "ndpi", "packetq", "tcpdump", "zeek"])
def test_packets_of_other_projects(folder: str) -> None:
    """Every message that is found is one, or one that dnspython refuses too: what is no DNS is not taken for it."""
    found = refused = 0
    for file in sorted((WIRE / "pcap" / folder).iterdir()):
        for one in read_pcap(file, Skipped()):
            found += 1
            try:
                dns.message.from_wire(one.octets, ignore_trailing=True)
            except Exception:
                refused += 1
    figures = {"dnscap": (369, 0), "dnsjit": (199, 0), "ndpi": (1215, 6), "packetq": (103, 0), "tcpdump": (70, 5)}
    assert (found, refused) == figures.get(folder, (227, 23))


@corpora
def test_the_same_traffic_as_pcap_and_as_cdns() -> None:
    def said(messages: Iterable[Heard]) -> Counter[tuple[object, ...]]:
        return Counter(
            (x.at_ns // 1000, x.source, x.source_port, x.destination, dns.message.from_wire(x.octets).to_text())
            for x in messages
        )

    folder = WIRE / "c-dns" / "compactor"
    one, other = Skipped(), Skipped()
    pcap, cdns = said(read_pcap(folder / "gold.pcap.xz", one)), said(read_cdns(folder / "gold.cbor.xz", other))
    assert pcap == cdns and pcap.total() == 1998 and not one and not other
    root = list(read_cdns(WIRE / "c-dns" / "ithitools" / "tiny-capture.cdns", other))
    assert (len(root), sum(x.is_response for x in root)) == (9776, 4860)


@corpora
def test_dnstap_of_a_server() -> None:
    skipped = Skipped()
    found = list(read_capture(WIRE / "dnstap" / "test.dnstap", "x", skipped))
    # The last response has another question than its query: somebody changed its first label's length.
    assert [x.status for x in found] == [Status.ANSWERED] * 4 + [Status.TIMEOUT]
    assert skipped == {"responses without their query": 1}
