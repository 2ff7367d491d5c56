"""The append-only log: keys, notes, entries, receipts, and what happens when somebody tampers with one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.base import InputError, RetryLater
from gnomon.evidence import EvidenceDir, Exchange
from gnomon.evidence.log import Document, EvidenceLog, _locked
from gnomon.evidence.logged import check_receipts, enter
from gnomon.evidence.note import Checkpoint, Note, SignerKey, VerifierKey
from gnomon.evidence.receipt import Growth, Receipt

# Published with the Go package golang.org/x/mod/sumdb/note.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""


def documents(*numbers: int) -> list[Document]:
    return [Document("01JBC", f"manifests/{number:06d}.json", f"{number:064x}") for number in numbers]


@pytest.fixture
def log(tmp_path: Path) -> EvidenceLog:
    return EvidenceLog.create(tmp_path / "log", "example.org/review")


def test_a_published_note() -> None:
    note = Note.from_octets(NOTE.encode(), "the note")
    assert note.to_octets() == NOTE.encode()
    assert VerifierKey.from_text(PETER).has_signed(note)
    assert not VerifierKey.from_text(PETER).has_signed(Note(note.text + " ", note.signatures))
    signer = SignerKey.from_text(PETERS)
    assert (str(signer.verifier), signer.to_text()) == (PETER, PETERS)
    assert signer.sign(note.text) == note
    assert PETERS[-20:] not in repr(signer)


def test_keys_and_notes_that_are_none() -> None:
    for text in ("", "a+b", PETER[:-4], PETER.replace("c7", "c8"), "Peter Neumann" + PETER[12:]):
        with pytest.raises(InputError):
            VerifierKey.from_text(text)
    for text in ("", PETER, PETERS[:-4], PETERS.replace("c7", "c8")):
        with pytest.raises(InputError) as error:
            SignerKey.from_text(text)
        assert PETERS[-20:] not in str(error.value)
    for name in ("", "a b", "a+b", "é", "x" * 300):
        with pytest.raises(InputError, match="cannot name a log"):
            SignerKey.new(name)


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode) | st.just(NOTE.encode() * 2))
def test_any_octets_as_note_receipt_or_growth(octets: bytes) -> None:
    for kind in (Note, Receipt, Growth):
        try:
            read = kind.from_octets(octets, "it")  # type: ignore[attr-defined]
        except InputError:
            continue
        assert read.to_octets() == octets


def test_only_what_is_new_is_entered(log: EvidenceLog) -> None:
    assert log.append(documents(1, 2, 3)) == 3
    assert log.append(documents(2, 3)) == 0
    again = EvidenceLog.open(log.path)
    assert again.append([Document("01JBC", "manifests/000002.json", "f" * 64), *documents(4)]) == 2
    assert [entry.document.sha256[-1] for entry in again.entries] == ["1", "2", "3", "f", "4"]
    assert again.checkpoints() == [3, 5]
    assert [again.check_one(size) for size in (3, 5)] == [None, None]
    assert again.append([]) == 0
    assert (log.path / "signer.key").stat().st_mode & 0o777 == 0o600


def test_receipts_need_no_log(log: EvidenceLog) -> None:
    log.append(documents(*range(1, 14)))
    for document in documents(*range(1, 14)):
        octets = log.receipt(document).to_octets()
        receipt = Receipt.from_octets(octets, "receipt")
        assert receipt.to_octets() == octets
        assert receipt.is_sound("receipt") and log.verifier.has_signed(receipt.checkpoint)
        forged = Receipt(receipt.entry.replace(b"0", b"1"), receipt.index, receipt.path, receipt.checkpoint)
        assert not forged.is_sound("receipt")
        assert not Receipt(receipt.entry, receipt.index, receipt.path[:-1], receipt.checkpoint).is_sound("receipt")
    with pytest.raises(InputError, match="no signed entry"):
        log.receipt(documents(14)[0])


def test_growth_is_proven_and_a_rewritten_log_is_not(log: EvidenceLog, tmp_path: Path) -> None:
    log.append(documents(1, 2, 3))
    old = Checkpoint.from_note(log.checkpoint(3), "old")
    log.append(documents(*range(4, 12)))
    octets = log.growth(old).to_octets()
    assert Growth.from_octets(octets, "growth").to_octets() == octets
    assert Growth.from_octets(octets, "growth").follows(old, "growth")

    other = EvidenceLog.create(tmp_path / "other", "example.org/review")
    other.append(documents(1, 2, 30, *range(4, 12)))
    with pytest.raises(InputError, match="does not begin with"):
        other.growth(old)
    forged = Growth(3, log.growth(old).path, other.checkpoint(11))
    assert not forged.follows(old, "growth")


@pytest.mark.parametrize("size", [0, 1, 7])
def test_an_interrupted_append_is_not_believed(log: EvidenceLog, size: int) -> None:
    log.append(documents(*range(1, size + 1)))
    before = (log.path / "entries").read_bytes()
    with (log.path / "entries").open("ab") as file:
        file.write(b'{"at":"2026-11-01T00:00:00Z","name":"mani')
    again = EvidenceLog.open(log.path)
    assert len(again.entries) == size
    again.append(documents(50))
    assert (log.path / "entries").read_bytes().startswith(before)
    assert [entry.document for entry in EvidenceLog.open(log.path).entries][-1] == documents(50)[0]
    assert again.check_one(size + 1) is None


def test_entries_without_their_checkpoint_are_signed_by_the_next_append(log: EvidenceLog) -> None:
    log.append(documents(1))
    log.append(documents(2))
    (log.path / "checkpoints" / f"{2:012d}").unlink()
    assert EvidenceLog.open(log.path).append(documents(2)) == 0
    assert EvidenceLog.open(log.path).checkpoints() == [1, 2]


def test_every_changed_octet_is_noticed(log: EvidenceLog) -> None:
    log.append(documents(1, 2))
    log.append(documents(3))
    for name in ("entries", f"checkpoints/{3:012d}"):
        file = log.path / name
        whole = file.read_bytes()
        for place in range(0, len(whole), 7):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(InputError):
                EvidenceLog.open(log.path)
        file.write_bytes(whole)
    (log.path / "checkpoints" / f"{2:012d}").write_bytes(log.checkpoint(3).to_octets())
    assert "3 entries" in str(EvidenceLog.open(log.path).check_one(2))


def test_another_key_cannot_sign(log: EvidenceLog, tmp_path: Path) -> None:
    log.append(documents(1))
    other = EvidenceLog.create(tmp_path / "other", "example.org/review")
    (other.path / "signer.key").replace(log.path / "signer.key")
    with pytest.raises(InputError, match="not the key of this log"):
        log.append(documents(2))
    with pytest.raises(InputError, match="not empty"):
        EvidenceLog.create(log.path, "x")
    with pytest.raises(InputError, match="no log"):
        EvidenceLog.open(tmp_path)


def test_one_writer_at_a_time(log: EvidenceLog) -> None:
    with _locked(log.path), pytest.raises(RetryLater, match="another process"):
        log.append(documents(1))


def test_receipts_beside_the_evidence(
    log: EvidenceLog, make: Callable[..., Exchange], store: Callable[..., EvidenceDir], tmp_path: Path
) -> None:
    run = store([make("zone a."), make("zone b.")], ["a."], ["b."])
    assert enter(log, run.path) == (3, 3)
    assert enter(log, run.path) == (0, 0)
    report = check_receipts(run.path, log.verifier)
    assert (report.logged, report.unlogged, report.origins) == (3, (), ("example.org/review",))
    assert report.signed and not report.problems and not check_receipts(run.path).signed

    other = EvidenceLog.create(tmp_path / "other", "example.org/review")
    assert len(check_receipts(run.path, other.verifier).problems) == 3
    (run.path / "receipts" / "run.json.tlog-proof").unlink()
    receipts = run.path / "receipts" / "manifests"
    (receipts / "000001.json.tlog-proof").replace(receipts / "000002.json.tlog-proof")
    report = check_receipts(run.path, log.verifier)
    assert (report.logged, report.unlogged) == (0, ("run.json", "manifests/000001.json"))
    assert "another document" in report.problems[0]
    assert enter(log, run.path) == (0, 3)
    assert not check_receipts(run.path, log.verifier).problems
