"""An evidence directory and a log: entering what the directory holds, and checking the receipts kept beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gnomon.base import InputError, RetryLater
from gnomon.evidence import durable
from gnomon.evidence.directory import EvidenceDir
from gnomon.evidence.log import Document, Entry, EvidenceLog, file_document
from gnomon.evidence.note import VerifierKey
from gnomon.evidence.receipt import RECEIPT_SUFFIX, Receipt

RECEIPTS = "receipts"
# All else in the directory is named by digest in one of these.
_LOGGED = ("run.json", "manifests/*.json", "withheld/*.json", "verdicts/*.json")


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """What the receipts of a directory are worth.

    `logged` documents have a sound receipt, `unlogged` have none. `origins` are the logs that signed, as they call
    themselves; `signed` tells whether the signatures were checked with a given key. `problems` are sentences.
    """

    logged: int
    unlogged: tuple[str, ...]
    origins: tuple[str, ...]
    signed: bool
    problems: tuple[str, ...]


def documents(evidence: EvidenceDir) -> Iterator[Document]:
    """What a log is told of a run: run.json, manifests, records of withheld rows, verdicts.

    Raises:
        InputError, RetryLater: a file cannot be read.
    """
    for pattern in _LOGGED:
        for file in sorted(evidence.path.glob(pattern)):
            yield file_document(evidence.run.run_id, evidence.path, file)


def enter(log: EvidenceLog, path: Path) -> tuple[int, int]:
    """Enter the documents of a run and keep a receipt of each; returns the new entries and the new receipts.

    Raises:
        InputError, RetryLater: log or evidence is damaged or cannot be written.
    """
    found = list(documents(EvidenceDir.open(path)))
    entered = log.append(found)
    written = 0
    for document in found:
        file = _receipt_file(path, document)
        if _receipt_problem(file, document, log.verifier) is not None:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise durable.explain(error, file.parent) from None
            durable.store(file, log.receipt(document).to_octets())
            written += 1
    return entered, written


def check_receipts(path: Path, key: VerifierKey | None = None) -> ReceiptReport:
    """Check the receipt of each document of a run, without the log.

    Args:
        key: the log's public key; without it only the proofs are checked, not who signed.

    Raises:
        InputError: no evidence directory.
    """
    unlogged, problems, origins, logged = [], [], set[str](), 0
    for document in documents(EvidenceDir.open(path)):
        file = _receipt_file(path, document)
        if not file.is_file():
            unlogged.append(document.name)
            continue
        problem = _receipt_problem(file, document, key)
        if problem is not None:
            problems.append(problem)
            continue
        origins.add(Receipt.from_octets(durable.read(file), file).checkpoint.text.partition("\n")[0])
        logged += 1
    return ReceiptReport(logged, tuple(unlogged), tuple(sorted(origins)), key is not None, tuple(problems))


def _receipt_file(path: Path, document: Document) -> Path:
    return path / RECEIPTS / f"{document.name}{RECEIPT_SUFFIX}"


def _receipt_problem(file: Path, document: Document, key: VerifierKey | None) -> str | None:
    try:
        octets = durable.read(file)
    except (InputError, RetryLater) as error:
        return str(error)
    return receipt_problem(octets, str(file), document, key)


def receipt_problem(octets: bytes, where: str, document: Document, key: VerifierKey | None) -> str | None:
    """What is wrong with a receipt, as a sentence; None if it proves that the document is in the log.

    Args:
        where: names the receipt in the sentence.
        key: the log's public key; without it only the proof is checked, not who signed.
    """
    try:
        receipt = Receipt.from_octets(octets, where)
        entry = Entry.from_octets(receipt.entry, f"the entry in {where}")
        if entry.document != document:
            return f"{where} is for another document than {document.name} is now; if it may change, enter it again"
        if not receipt.is_sound(where):
            return f"{where} does not lead to the root that was signed; restore it from a copy"
    except InputError as error:
        return str(error)
    if key is not None and not key.has_signed(receipt.checkpoint):
        return f"{where} is not signed by the key of {key.name}"
    return None
