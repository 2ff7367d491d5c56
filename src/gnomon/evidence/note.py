"""Signed notes and the checkpoints of a log: text that a person can read and any C2SP tool can check.

Sources: c2sp.org/signed-note, c2sp.org/tlog-checkpoint; signatures are Ed25519 (RFC 8032).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gnomon.base import InputError, printable
from gnomon.evidence.proof import HASH_OCTETS

_ED25519 = b"\x01"
_KEY_OCTETS = 32
_SIGNATURE = "— "
_NOTE_OCTETS_MAX = 1 << 20
# A log's name: no space, no plus sign, nothing that does not print.
_NAME = re.compile(r"[!-*,-~]{1,255}")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A log's public key under its name. Text form: `name+hash+key`, as Go's note package has it."""

    name: str
    public: bytes

    @property
    def hash(self) -> bytes:
        """The four octets by which a signature names its key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a key.

        Raises:
            InputError: not `name+hash+key` of an Ed25519 key.
        """
        name, _, rest = text.strip().partition("+")
        digest, _, key = rest.partition("+")
        octets = _base64(key)
        if not _NAME.fullmatch(name) or octets is None or octets[:1] != _ED25519 or len(octets) != 1 + _KEY_OCTETS:
            raise InputError(f"{printable(text.strip()[:80])!r} is no Ed25519 verifier key; write name+hash+key")
        read = cls(name, octets[1:])
        if read.hash.hex() != digest:
            raise InputError(f"the verifier key of {name} is damaged: its hash is {read.hash.hex()}, not {digest}")
        return read

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{_text(_ED25519 + self.public)}"

    def has_signed(self, note: Note) -> bool:
        """Whether one of the note's signatures is by this key, and valid."""
        for name, key_hash, signature in note.signatures:
            if name == self.name and key_hash == self.hash:
                try:
                    Ed25519PublicKey.from_public_bytes(self.public).verify(signature, note.text.encode())
                except InvalidSignature:
                    return False
                return True
        return False


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A log's private key. Text form: `PRIVATE+KEY+name+hash+key`, as Go's note package has it."""

    name: str
    private: bytes

    @classmethod
    def new(cls, name: str) -> Self:
        """A fresh key.

        Raises:
            InputError: `name` cannot be the name of a log.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{printable(name)!r} cannot name a log: write a domain name with a path, without spaces and plus signs"
            )
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a key.

        Raises:
            InputError: not a private key of this form; its octets are not repeated in the message.
        """
        parts = text.strip().split("+", 4)
        octets = _base64(parts[4]) if len(parts) == 5 else None
        if (
            parts[:2] != ["PRIVATE", "KEY"]
            or octets is None
            or octets[:1] != _ED25519
            or len(octets) != 1 + _KEY_OCTETS
        ):
            raise InputError("the file holds no Ed25519 signer key PRIVATE+KEY+name+hash+key; restore it from a copy")
        read = cls(parts[2], octets[1:])
        if read.verifier.hash.hex() != parts[3]:
            raise InputError(f"the signer key of {printable(parts[2])} is damaged; restore it from a copy")
        return read

    @property
    def verifier(self) -> VerifierKey:
        private = Ed25519PrivateKey.from_private_bytes(self.private)
        return VerifierKey(self.name, private.public_key().public_bytes_raw())

    def to_text(self) -> str:
        return f"PRIVATE+KEY+{self.name}+{self.verifier.hash.hex()}+{_text(_ED25519 + self.private)}"

    def __repr__(self) -> str:
        return f"SignerKey({self.name!r})"

    def sign(self, text: str) -> Note:
        """`text`, which ends with a newline, with our signature."""
        signature = Ed25519PrivateKey.from_private_bytes(self.private).sign(text.encode())
        return Note(text, ((self.name, self.verifier.hash, signature),))


@dataclass(frozen=True, slots=True)
class Note:
    """A text with signatures: each a key's name, the hash of the key, and the signature's octets."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    @classmethod
    def from_octets(cls, octets: bytes, where: object) -> Self:
        """Read a note; `where` names it in messages.

        Raises:
            InputError: no signed note.
        """
        wrong = InputError(f"{where} is no signed note; restore it from a copy")
        try:
            whole = octets.decode()
        except UnicodeDecodeError:
            raise wrong from None
        text, found, rest = whole.rpartition("\n\n")
        if not found or not rest.endswith("\n") or len(octets) > _NOTE_OCTETS_MAX:
            raise wrong
        signatures = []
        for line in rest[:-1].split("\n"):
            name, _, value = line.removeprefix(_SIGNATURE).partition(" ")
            signature = _base64(value)
            if not line.startswith(_SIGNATURE) or not name or signature is None or len(signature) < 5:
                raise wrong
            signatures.append((name, signature[:4], signature[4:]))
        return cls(text + "\n", tuple(signatures))

    def to_octets(self) -> bytes:
        lines = "".join(f"{_SIGNATURE}{name} {_text(key + octets)}\n" for name, key, octets in self.signatures)
        return f"{self.text}\n{lines}".encode()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log states with its signature: the root over its first `size` entries."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def from_note(cls, note: Note, where: object) -> Self:
        """Read the text of a note.

        Raises:
            InputError: no checkpoint.
        """
        lines = note.text.split("\n")
        root = _base64(lines[2]) if len(lines) > 3 else None
        if root is None or len(root) != HASH_OCTETS or not lines[0] or not re.fullmatch(r"0|[1-9]\d{0,17}", lines[1]):
            raise InputError(f"{where} is a signed note, but no checkpoint of a log")
        return cls(lines[0], int(lines[1]), root)

    def to_text(self) -> str:
        return f"{self.origin}\n{self.size}\n{_text(self.root)}\n"


def base64_lines(hashes: list[bytes]) -> str:
    """Hashes, one per line."""
    return "".join(f"{_text(one)}\n" for one in hashes)


def hash_of_line(line: str) -> bytes | None:
    """The 32 octets of such a line; None if it is none."""
    octets = _base64(line)
    return octets if octets is not None and len(octets) == HASH_OCTETS else None


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _base64(text: str) -> bytes | None:
    try:
        octets = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return octets if _text(octets) == text else None
