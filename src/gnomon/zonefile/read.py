"""Reading a master file of any size, plain or gzip, into the native core."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from gnomon import _core
from gnomon.base import InputError, Name
from gnomon.base.provenance import Provenance
from gnomon.sources.files import provenance_of

_CHUNK_OCTETS = 1 << 20


@dataclass(frozen=True, slots=True)
class LoadedZone:
    """The zone in a file; `apex` is None if the file has no SOA record and no origin was given."""

    path: Path
    provenance: Provenance
    apex: Name | None
    zone: _core.Zone

    @property
    def faults(self) -> list[str]:
        """What could not be read, as "file, line N: reason"."""
        return [f"{self.path}, line {line}: {reason}" for line, _, reason in self.zone.faults]


def load_zone(path: Path, origin: Name | None = None) -> LoadedZone:
    """Read a file; what is no record in it is in `faults`, and left out.

    Args:
        origin: the apex, and what relative names are relative to. Without it the owner of the first SOA record is
            the apex, and relative names need an $ORIGIN.

    Raises:
        InputError: missing, unreadable, or not gzip though its name ends in .gz.
    """
    provenance = provenance_of(path)
    reader = _core.ZoneReader(origin.key if origin else None)
    try:
        with _open(path) as file:
            while octets := file.read(_CHUNK_OCTETS):
                if not reader.feed(octets):
                    break
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} cannot be unpacked: {error}; fetch it again") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    zone = reader.finish()
    apex = Name(zone.apex) if zone.apex is not None else origin
    return LoadedZone(path, provenance, apex, zone)


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")
