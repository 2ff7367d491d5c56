from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gnomon.base import Broken, InputError, Name, RetryLater
from gnomon.evidence import EvidenceDir, Exchange, RunInfo, verify

Make = Callable[..., Exchange]
Store = Callable[..., EvidenceDir]


def test_what_was_written_is_read_back(store: Store, make: Make) -> None:
    written = [
        make("zone a.example.", rtt_us=None, response=None, status=1),
        make("zone b.example.", server_name=None, address="2001:db8::1"),
        make("cut example.", "C1"),
        make("server 198.41.0.4", "S1"),
        make("zone a.example.", "Q2"),
    ]
    evidence = store(written, ["a.example."], ["b.example."])
    read = list(evidence.exchanges())
    assert sorted((replace(e, ref=None) for e in read), key=lambda e: e.seq) == written
    assert [e.subject for e in read] == [
        "cut example.", "server 198.41.0.4", "zone a.example.", "zone a.example.", "zone b.example.",
    ]  # fmt: skip
    assert evidence.finished_zones() == {"a.example.", "b.example."}
    assert evidence.zones() == [Name.from_text("a.example."), Name.from_text("b.example.")]
    assert [m.shared_rows for m in evidence.manifests()] == [2, 0]
    for exchange in read:
        assert exchange.ref is not None
        assert evidence.exchange(exchange.ref) == exchange
        assert evidence.exchange(exchange.ref.short) == exchange
        assert exchange.ref == f"{exchange.ref.segment}:{exchange.ref.row}"


def test_partitions_give_each_zone_its_own_and_the_shared_exchanges(store: Store, make: Make) -> None:
    written = [
        make("zone b.example."),
        make("server 198.41.0.4", "S1"),
        make("zone c.example."),
        make("server 198.41.0.4", "S2"),
        make("zone b.example.", "Q2"),
    ]
    evidence = store(written, ["b.example.", "silent.example."], ["a.example.", "c.example."])
    partitions = list(evidence.zone_partitions())
    got = [[(str(zone), [e.ask for e in own]) for zone, own in partition] for partition in partitions]
    assert got == [
        [("b.example.", ["Q1", "Q2"]), ("silent.example.", [])],
        [("a.example.", []), ("c.example.", ["Q1"])],
    ]
    assert [e.ask for e in partitions[1].shared("server 198.41.0.4")] == ["S1", "S2"]
    assert partitions[1].shared("server 192.0.2.1") == ()
    assert [e.ask for e in evidence.shared_exchanges()] == ["S1", "S2"]


def test_an_unfinished_zone_is_not_stored(store: Store, make: Make) -> None:
    evidence = store([make("zone a."), make("zone b.")], ["a."])
    assert [e.subject for e in evidence.exchanges()] == ["zone a."]


def test_a_run_goes_on_where_it_stopped(tmp_path: Path, store: Store, make: Make) -> None:
    store([make("zone a.")], ["a."])
    segments = tmp_path / "run" / "segments"
    (segments / ("0" * 64 + ".parquet")).write_bytes(b"stored, but interrupted before its manifest")
    (segments / "half.parquet.tmp").write_bytes(b"half")
    with EvidenceDir.open(tmp_path / "run").writer() as writer:
        writer.add(make("zone b."))
        writer.finish_zone(Name.from_text("B"))
        with pytest.raises(Broken, match="twice"):
            writer.finish_zone(Name.from_text("a"))
        with pytest.raises(Broken, match="after the zone was finished"):
            writer.add(make("zone a."))
        with pytest.raises(RetryLater, match="another process is writing"):
            EvidenceDir.open(tmp_path / "run").writer()
    evidence = EvidenceDir.open(tmp_path / "run")
    assert evidence.finished_zones() == {"a.", "b."}
    assert sorted(file.name for file in segments.iterdir()) == sorted(Path(m.file).name for m in evidence.manifests())


def test_a_run_needs_a_new_directory(tmp_path: Path, run_info: RunInfo) -> None:
    (tmp_path / "something").write_text("of mine")
    with pytest.raises(InputError, match="not empty"):
        EvidenceDir.create(tmp_path, run_info, [])
    with pytest.raises(InputError, match="is a file"):
        EvidenceDir.create(tmp_path / "something", run_info, [])
    with pytest.raises(InputError, match="no evidence directory"):
        EvidenceDir.open(tmp_path)


def test_a_writer_never_clears_what_another_one_stored(store: Store, make: Make) -> None:
    stale = store([make("zone a.")], ["a."])
    with EvidenceDir.open(stale.path).writer() as writer:
        writer.add(make("zone b."))
        writer.finish_zone(Name.from_text("b."))
    stale.writer().close()
    assert verify(stale.path).problems == ()
    assert EvidenceDir.open(stale.path).finished_zones() == {"a.", "b."}


def test_a_broken_chain_is_not_written_to(store: Store, make: Make) -> None:
    evidence = store([make("zone a."), make("zone b.")], ["a."], ["b."])
    (evidence.path / "manifests" / "000001.json").unlink()
    for use in (evidence.writer, lambda: EvidenceDir.open(evidence.path)):
        with pytest.raises(InputError, match=r"lacks manifest 000001\.json"):
            use()
    assert len(list((evidence.path / "segments").iterdir())) == 2


@pytest.mark.parametrize("ref", ["", "x", "0123456789abcdef", "0123456789abcdef:0", "0123456789abcdef:x", ":1", "²:²"])
def test_a_reference_to_nothing_is_refused(store: Store, make: Make, ref: str) -> None:
    with pytest.raises(InputError):
        store([make("zone a.")], ["a."]).exchange(ref)


def test_reading_a_damaged_segment_says_what_to_do(store: Store, make: Make) -> None:
    evidence = store([make("zone a."), make("server 192.0.2.1")], ["a."])
    file = evidence.path / evidence.manifests()[0].file
    octets = bytearray(file.read_bytes())
    for at in range(4, len(octets) // 2):
        octets[at] ^= 0xFF
    file.write_bytes(octets)
    for use in (
        lambda: list(evidence.exchanges()),
        lambda: evidence.shared("server 192.0.2.1"),
        lambda: [list(partition) for partition in evidence.zone_partitions()],
    ):
        with pytest.raises(InputError, match=r"is damaged .* run verify"):
            use()
    file.unlink()
    with pytest.raises(InputError, match="is missing"):
        list(evidence.exchanges())
