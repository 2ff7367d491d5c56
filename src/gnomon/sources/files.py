"""Reading input files: line by line with numbers, plain or gzip, always with their digest."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path
from typing import IO, cast

from gnomon.base import InputError, printable
from gnomon.base.provenance import Provenance

# No line of any format we read is near this; what is longer is not such a file.
_LINE_OCTETS_MAX = 1 << 20


def provenance_of(path: Path, date: str | None = None) -> Provenance:
    """The file's path and digest.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return Provenance(str(path), date, file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise _unreadable(path, error) from None


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of each line without its end; unpacks a name in .gz.

    Raises:
        InputError: missing, not gzip, not UTF-8 (names the line), or a line over 1 MiB.
    """
    number = 0
    try:
        with _open(path) as file:
            while octets := file.readline(_LINE_OCTETS_MAX):
                number += 1
                if len(octets) == _LINE_OCTETS_MAX:
                    raise InputError(f"{path}, line {number}: longer than a mebibyte; this is no text file")
                yield number, octets.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise InputError(f"{path}, line {number}: not UTF-8 text") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} cannot be unpacked after line {number}: {error}; fetch it again") from None
    except OSError as error:
        raise _unreadable(path, error) from None


def text(path: Path, octets_max: int = 1 << 20) -> str:
    """A small file as a whole.

    Raises:
        InputError: missing, over `octets_max`, or not UTF-8.
    """
    try:
        with _open(path) as file:
            octets = file.read(octets_max + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} cannot be unpacked: {error}; fetch it again") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(octets) > octets_max:
        raise InputError(f"{path} is longer than {octets_max} octets; this is not the file that is meant")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text") from None


def table(path: Path, header: tuple[str, ...], columns: range) -> Iterator[tuple[int, list[str]]]:
    """Number and fields of each line of a CSV file; `header`, or its beginning, may be the first line.

    Raises:
        InputError: as `lines`, or a line with a number of fields that is not in `columns`.
    """
    for number, line in lines(path):
        if not line or line.startswith("#"):
            continue
        fields = split_csv(line, path, number)
        if number == 1 and fields == list(header[: len(fields)]):
            continue
        if len(fields) not in columns:
            wanted = ",".join(header[: columns.stop - 1])
            raise InputError(f"{path}, line {number}: {len(fields)} fields instead of {wanted}")
        yield number, fields


def split_csv(line: str, path: Path, number: int) -> list[str]:
    """The fields of one CSV line (RFC 4180); a field never goes on in the next line.

    Raises:
        InputError: a field that is far too long.
    """
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader((line,)))
    except csv.Error as error:
        raise at_line(path, number, error) from None


def at_line(path: Path, number: int, reason: object) -> InputError:
    """The error that names a line; the reason may quote the file's own text."""
    return InputError(f"{path}, line {number}: {printable(str(reason))}")


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be read: {error.strerror or error}")
