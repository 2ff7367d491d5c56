"""What a log hands out: proofs that travel with the evidence and are checked without the log.

Sources: c2sp.org/tlog-proof for receipts; the growth of a log in the form of c2sp.org/tlog-witness (add-checkpoint).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Self

from gnomon.base import InputError
from gnomon.evidence.note import Checkpoint, Note, base64_lines, hash_of_line
from gnomon.evidence.proof import is_consistent, leaf_hash, root_of_inclusion

RECEIPT_SUFFIX = ".tlog-proof"
_MAGIC = "c2sp.org/tlog-proof@v1"
# A tree of 2^63 entries has no longer path.
_HASHES_MAX = 64


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry of a log, its place, and the path from there to the root of a signed checkpoint."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: Note

    def to_octets(self) -> bytes:
        extra = base64.b64encode(self.entry).decode()
        head = f"{_MAGIC}\nextra {extra}\nindex {self.index}\n{base64_lines(list(self.path))}\n"
        return head.encode() + self.checkpoint.to_octets()

    @classmethod
    def from_octets(cls, octets: bytes, where: object) -> Self:
        """Read a receipt; `where` names it in messages.

        Raises:
            InputError: no receipt.
        """
        head, rest = _parts(octets, where)
        wrong = InputError(f"{where} is damaged: it is no proof of a log; restore it from a copy")
        if len(head) < 3 or head[0] != _MAGIC or not head[1].startswith("extra "):
            raise wrong
        index = _number(head[2], "index ")
        try:
            entry = base64.b64decode(head[1].removeprefix("extra "), validate=True)
        except ValueError:
            raise wrong from None
        if index is None:
            raise wrong
        return cls(entry, index, _hashes(head[3:], wrong), Note.from_octets(rest, where))

    def is_sound(self, where: object) -> bool:
        """Whether the path leads from the entry to the checkpoint's root; says nothing about its signature.

        Raises:
            InputError: what is signed is no checkpoint.
        """
        stated = Checkpoint.from_note(self.checkpoint, where)
        try:
            return root_of_inclusion(leaf_hash(self.entry), self.index, stated.size, self.path) == stated.root
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Growth:
    """The proof that the tree of a checkpoint begins with the first `old` entries of an older one."""

    old: int
    path: tuple[bytes, ...]
    checkpoint: Note

    def to_octets(self) -> bytes:
        return f"old {self.old}\n{base64_lines(list(self.path))}\n".encode() + self.checkpoint.to_octets()

    @classmethod
    def from_octets(cls, octets: bytes, where: object) -> Self:
        """Read such a proof; `where` names it in messages.

        Raises:
            InputError: it is none.
        """
        head, rest = _parts(octets, where)
        wrong = InputError(f"{where} is damaged: it is no proof of a log's growth; restore it from a copy")
        old = _number(head[0], "old ") if head else None
        if old is None:
            raise wrong
        return cls(old, _hashes(head[1:], wrong), Note.from_octets(rest, where))

    def follows(self, old: Checkpoint, where: object) -> bool:
        """Whether the new checkpoint's tree begins with that of `old`; says nothing about signatures.

        Raises:
            InputError: what is signed is no checkpoint.
        """
        new = Checkpoint.from_note(self.checkpoint, where)
        consistent = is_consistent(old.root, old.size, new.root, new.size, self.path)
        return self.old == old.size and old.origin == new.origin and consistent


def _parts(octets: bytes, where: object) -> tuple[list[str], bytes]:
    """The lines before the first empty one, and the octets after it."""
    head, found, rest = octets.partition(b"\n\n")
    if not found or not head.isascii():
        raise InputError(f"{where} is damaged: it is no proof of a log; restore it from a copy")
    return head.decode("ascii").split("\n"), rest


def _number(line: str, word: str) -> int | None:
    digits = line.removeprefix(word)
    return int(digits) if line.startswith(word) and digits.isdigit() and len(digits) < 19 else None


def _hashes(lines: list[str], wrong: InputError) -> tuple[bytes, ...]:
    hashes = [hash_of_line(line) for line in lines]
    if len(hashes) > _HASHES_MAX or any(one is None for one in hashes):
        raise wrong
    return tuple(one for one in hashes if one is not None)
