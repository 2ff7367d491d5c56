"""What a capture has: one DNS message on its way from one socket to another."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from gnomon.base import Address, InputError, Transport

DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class Heard:
    """One message. `at_ns` is Unix time in nanoseconds; `octets` the DNS message without a TCP length."""

    at_ns: int
    source: Address
    source_port: int
    destination: Address
    destination_port: int
    transport: Transport
    octets: bytes

    @property
    def is_response(self) -> bool:
        """The QR bit; False for what is shorter than a header."""
        return len(self.octets) > 2 and bool(self.octets[2] & 0x80)


class Skipped(Counter[str]):
    """What of a capture gave no message, counted by reason."""

    def text(self) -> str:
        return ", ".join(f"{count:,} {reason}" for reason, count in self.most_common())


def open_capture(path: Path) -> BinaryIO:
    """A capture file for reading; gzip, xz and bzip2 are unpacked on the way.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(6)
        if magic[:2] == b"\x1f\x8b":
            return cast(BinaryIO, gzip.open(path))
        if magic == b"\xfd7zXZ\x00":
            return cast(BinaryIO, lzma.open(path))
        if magic[:3] == b"BZh":
            return cast(BinaryIO, bz2.open(path))
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def exactly(file: BinaryIO, size: int) -> bytes:
    """The next `size` octets; fewer at the end of the file or where its compression is damaged."""
    try:
        return file.read(size)
    except (EOFError, OSError, lzma.LZMAError, ValueError):
        return b""
