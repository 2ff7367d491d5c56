"""The append-only log: which documents existed, with what digest and when; docs/formats/log.md is the specification.

A log is one directory of a person or organisation and outlives the runs that it has entries of.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Self

from gnomon.base import InputError, RetryLater
from gnomon.evidence import durable
from gnomon.evidence.fields import Fields
from gnomon.evidence.note import Checkpoint, Note, SignerKey, VerifierKey
from gnomon.evidence.proof import consistency_path, inclusion_path, leaf_hash, tree_root
from gnomon.evidence.receipt import Growth, Receipt

_ENTRIES, _CHECKPOINTS, _SIGNER, _VERIFIER = "entries", "checkpoints", "signer.key", "verifier.key"


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a log knows it.

    `of` is what it belongs to (the id of a run, or of a review), `name` its path there, `sha256` the digest of its
    octets in hexadecimal digits.
    """

    of: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a log: a document, and `at`, the time (UTC, ISO 8601) at which it was entered."""

    document: Document
    at: str

    def to_octets(self) -> bytes:
        """The line without its newline; the leaf of the tree is the hash of it."""
        fields = {**asdict(self.document), "at": self.at}
        return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_octets(cls, octets: bytes, where: str) -> Self:
        """Read a line; `where` names it in messages.

        Raises:
            InputError: not an entry in its one form.
        """
        try:
            fields = Fields(json.loads(octets), where)
        except (ValueError, RecursionError):
            raise InputError(f"{where} is damaged: it is not JSON; restore it from a copy") from None
        entry = cls(Document(fields.text("of"), fields.text("name"), fields.digest("sha256")), fields.text("at"))
        fields.end()
        if entry.to_octets() != octets:
            raise InputError(f"{where} was changed after it was written; restore it from a copy")
        return entry


class EvidenceLog:
    """A log directory. Reading needs no lock; appending locks, writes the lines, then the signed checkpoint."""

    def __init__(self, path: Path, verifier: VerifierKey, entries: Sequence[Entry]) -> None:
        """Use `create` or `open`."""
        self.path = path
        self.verifier = verifier
        self.entries = list(entries)
        self._leaves = [leaf_hash(entry.to_octets()) for entry in entries]

    @classmethod
    def create(cls, path: Path, name: str) -> Self:
        """Begin a log with a fresh key in a new or empty directory.

        Args:
            name: the log's name for ever, such as "example.org/ssr-review".

        Raises:
            InputError: the name cannot be used, or the directory is not empty or cannot be written.
            RetryLater: no space left.
        """
        signer = SignerKey.new(name)
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise InputError(f"{path} is not empty: a log needs a new directory; name another one")
            (path / _CHECKPOINTS).mkdir()
            handle = os.open(path / _SIGNER, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(signer.to_text() + "\n")
            durable.store(path / _VERIFIER, f"{signer.verifier}\n".encode())
            durable.store(path / _ENTRIES, b"")
        except FileExistsError:
            raise InputError(f"{path} is a file: a log needs a new directory; name another one") from None
        except OSError as error:
            raise durable.explain(error, path) from None
        return cls(path, signer.verifier, [])

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open what `create` made, and compare the entries with the newest checkpoint.

        Raises:
            InputError: no log, or its entries are not those that were signed.
        """
        if not (path / _ENTRIES).is_file():
            raise InputError(
                f"{path} is no log: it has no file {_ENTRIES}; begin one with: gnomon log init {path} NAME"
            )
        verifier = VerifierKey.from_text(durable.read(path / _VERIFIER).decode("ascii", "replace"))
        log = cls(path, verifier, list(_read_entries(path)))
        if log.checkpoints():
            problem = log.check_one(log.checkpoints()[-1])
            if problem:
                raise InputError(problem)
        return log

    def documents(self) -> dict[tuple[str, str], str]:
        """The digest that was entered last for each document, by what it belongs to and name."""
        return {(e.document.of, e.document.name): e.document.sha256 for e in self.entries}

    def append(self, documents: Iterable[Document], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> int:
        """Enter documents whose last entry does not say the same already, and sign a checkpoint; returns how many.

        Raises:
            InputError: the signer key is missing or damaged, or the directory cannot be written.
            RetryLater: another process appends, or no space is left.
        """
        with _locked(self.path):
            fresh = type(self).open(self.path)
            signer = fresh._signer()
            known, at = fresh.documents(), now().isoformat(timespec="seconds").replace("+00:00", "Z")
            new = []
            for document in documents:
                if known.get((document.of, document.name)) != document.sha256:
                    known[document.of, document.name] = document.sha256
                    new.append(Entry(document, at))
            signed = fresh.checkpoints()
            if new:
                _append_lines(self.path / _ENTRIES, b"".join(entry.to_octets() + b"\n" for entry in new))
            self.entries = fresh.entries + new
            self._leaves = fresh._leaves + [leaf_hash(entry.to_octets()) for entry in new]
            size = len(self.entries)
            if size and (not signed or signed[-1] != size):
                note = signer.sign(Checkpoint(signer.name, size, tree_root(self._leaves)).to_text())
                durable.store(self._checkpoint_path(size), note.to_octets())
        return len(new)

    def checkpoints(self) -> list[int]:
        """The sizes for which there is a checkpoint, smallest first."""
        return sorted(int(file.name) for file in (self.path / _CHECKPOINTS).iterdir() if file.name.isdigit())

    def checkpoint(self, size: int) -> Note:
        """The signed checkpoint of that size.

        Raises:
            InputError: there is none, or it is damaged.
        """
        path = self._checkpoint_path(size)
        return Note.from_octets(durable.read(path), path)

    def check_one(self, size: int) -> str | None:
        """What is wrong with the checkpoint of that size, as a sentence; None if it is signed and fits the entries."""
        path = self._checkpoint_path(size)
        try:
            note = self.checkpoint(size)
            stated = Checkpoint.from_note(note, path)
        except InputError as error:
            return str(error)
        if not self.verifier.has_signed(note) or stated.origin != self.verifier.name:
            return f"{path} is not signed by the log's own key"
        if stated.size != size or size > len(self._leaves):
            return f"{path} is about {stated.size} entries; {self.path / _ENTRIES} has {len(self._leaves)} of them"
        if stated.root != tree_root(self._leaves[:size]):
            return f"{self.path / _ENTRIES} was changed: its first {size} lines are not those that were signed"
        return None

    def receipt(self, document: Document) -> Receipt:
        """The proof that the newest signed tree has a document.

        Raises:
            InputError: it has not, or nothing was signed yet.
        """
        sizes = self.checkpoints()
        for index in range((sizes or [0])[-1] - 1, -1, -1):
            if self.entries[index].document == document:
                path = inclusion_path(self._leaves[: sizes[-1]], index)
                return Receipt(self.entries[index].to_octets(), index, tuple(path), self.checkpoint(sizes[-1]))
        raise InputError(f"{self.path} has no signed entry of {document.name} of {document.of} with this digest")

    def growth(self, old: Checkpoint) -> Growth:
        """The proof that the newest signed tree begins with the tree of an older checkpoint.

        Raises:
            InputError: it does not, or nothing was signed yet.
        """
        sizes = self.checkpoints()
        if not sizes or not 0 < old.size <= sizes[-1] or tree_root(self._leaves[: old.size]) != old.root:
            raise InputError(f"{self.path} does not begin with the {old.size} entries of that checkpoint: it is of "
                             "another log, or this one was changed")  # fmt: skip
        path = consistency_path(self._leaves[: sizes[-1]], old.size)
        return Growth(old.size, tuple(path), self.checkpoint(sizes[-1]))

    def _checkpoint_path(self, size: int) -> Path:
        return self.path / _CHECKPOINTS / f"{size:012d}"

    def _signer(self) -> SignerKey:
        signer = SignerKey.from_text(durable.read(self.path / _SIGNER).decode("ascii", "replace"))
        if signer.verifier != self.verifier:
            raise InputError(f"{self.path / _SIGNER} is not the key of this log; restore it from a copy")
        return signer


def file_document(of: str, folder: Path, file: Path) -> Document:
    """A file as a document.

    Raises:
        InputError, RetryLater: it cannot be read.
    """
    return Document(of, file.relative_to(folder).as_posix(), sha256(durable.read(file)).hexdigest())


def _read_entries(path: Path) -> Iterator[Entry]:
    octets = durable.read(path / _ENTRIES)
    # What follows the last newline was being written when the writer was stopped: no checkpoint speaks of it.
    for number, line in enumerate(octets.split(b"\n")[:-1]):
        yield Entry.from_octets(line, f"{path / _ENTRIES}, line {number + 1}")


def _append_lines(path: Path, lines: bytes) -> None:
    try:
        with path.open("r+b", buffering=0) as file:
            whole = path.read_bytes().rfind(b"\n") + 1
            file.truncate(whole)
            file.seek(whole)
            rest = memoryview(lines)
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
    except OSError as error:
        raise durable.explain(error, path) from None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RetryLater(f"another process is writing to {path}; wait until it is done") from None
    try:
        yield
    finally:
        os.close(handle)
