"""Reading a master file of any size, plain or gzip, into the native core."""

from __future__ import annotations

import gzip
import os
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import IO, cast

from gnomon import _core
from gnomon.base import InputError, Name, printable
from gnomon.base.provenance import Provenance
from gnomon.sources.files import provenance_of

_CHUNK_OCTETS = 1 << 20


# Bounds on files that include each other: what is deeper, or more, is refused.
MAX_INCLUDE_DEPTH = 10
MAX_INCLUDED_FILES = 1000


@dataclass(frozen=True, slots=True)
class LoadedZone:
    """The zone in a file; `apex` is None if the file has no SOA record and no origin was given.

    `included` are the files that `$INCLUDE` brought in, in order of reading. The core counts lines as if these stood
    where they are included; `place` tells which line of which file such a number means.
    """

    path: Path
    provenance: Provenance
    apex: Name | None
    zone: _core.Zone
    included: tuple[Provenance, ...] = ()
    _parts: tuple[tuple[int, Path, int], ...] = ()

    def place(self, line: int) -> str:
        """`line N`, with the file before it unless that is the one given."""
        first, path, offset = (1, self.path, 1)
        if self._parts:
            first, path, offset = self._parts[bisect_right(self._parts, line, key=itemgetter(0)) - 1]
        where = f"line {line - first + offset}"
        return where if path == self.path else f"{path}, {where}"

    @property
    def faults(self) -> list[str]:
        """What could not be read, as "file, line N: reason"."""
        places = [(self.place(line), reason) for line, _, reason in self.zone.faults]
        return [f"{self.path}, {at}: {why}" if at.startswith("line ") else f"{at}: {why}" for at, why in places]


def load_zone(path: Path, origin: Name | None = None, *, includes: bool = False) -> LoadedZone:
    """Read a file; what is no record in it is in `faults`, and left out.

    Args:
        origin: the apex, and what relative names are relative to. Without it the owner of the first SOA record is
            the apex, and relative names need an $ORIGIN.
        includes: follow `$INCLUDE`, relative to the file that has it, but never outside the folder of `path`.

    Raises:
        InputError: missing, unreadable, or not gzip though its name ends in .gz.
    """
    provenance = provenance_of(path)
    reading = _Reading(path, _core.ZoneReader(origin.key if origin else None, includes))
    reading.file(path)
    zone = reading.reader.finish()
    apex = Name(zone.apex) if zone.apex is not None else origin
    return LoadedZone(path, provenance, apex, zone, tuple(reading.included), tuple(reading.parts))


class _Reading:
    """One file after another into one reader, with the parts of files in the order of their lines."""

    def __init__(self, path: Path, reader: _core.ZoneReader) -> None:
        self.reader = reader
        self.included: list[Provenance] = []
        self.parts: list[tuple[int, Path, int]] = []
        self._folder = path.parent.resolve()
        self._depth = 0

    def file(self, path: Path) -> None:
        """Feed the whole file and those that it includes."""
        self.parts.append((self.reader.line, path, 1))
        try:
            with _open(path) as file:
                while (octets := file.read(_CHUNK_OCTETS)) and self._feed(path, octets):
                    pass
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{path} cannot be unpacked: {error}; fetch it again") from None
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
        self.reader.end_file()
        while self.reader.include is not None:  # in the last line
            self._include(path)
            self.reader.end_file()

    def _feed(self, path: Path, octets: bytes) -> bool:
        more = self.reader.feed(octets)
        while self.reader.include is not None:
            self._include(path)
            more = self.reader.feed(b"")
        return more

    def _include(self, above: Path) -> None:
        """Read the file that the reader asks for, or refuse it."""
        wanted = os.fsdecode(self.reader.include or b"")
        refusal = self._refusal(above, wanted)
        if refusal:
            self.reader.refuse_include(f"$INCLUDE of {printable(wanted)} is refused: {refusal}")
            return
        path = above.parent / wanted
        self.included.append(provenance_of(path))
        first, _, offset = self.parts[-1]
        after = self.reader.line - first + offset
        self.reader.enter_include()
        self._depth += 1
        self.file(path)
        self._depth -= 1
        self.parts.append((self.reader.line, above, after))

    def _refusal(self, above: Path, wanted: str) -> str:
        if self._depth >= MAX_INCLUDE_DEPTH:
            return f"files include each other more than {MAX_INCLUDE_DEPTH} deep"
        if len(self.included) >= MAX_INCLUDED_FILES:
            return f"more than {MAX_INCLUDED_FILES} files"
        try:
            path = (above.parent / wanted).resolve()
            if not path.is_relative_to(self._folder):
                return f"it is outside the folder {self._folder}"
            return "" if path.is_file() else "there is no such file"
        except (OSError, ValueError):  # a name that no file can have
            return "there is no such file"


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")
