"""Files that are either there as a whole, on the disk, or not there at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gnomon.base import GnomonError, InputError, RetryLater

STALE_SUFFIX = ".tmp"

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def store(path: Path, content: bytes) -> None:
    """Write `content` to a temporary file, flush it to the disk and move it to `path`; replaces what is there.

    Raises:
        RetryLater: no space left, or another passing trouble of the disk; `path` is as it was before.
        InputError: the directory cannot be written; `path` is as it was before.
    """
    temporary = path.with_name(path.name + STALE_SUFFIX)
    try:
        _write_and_sync(temporary, content)
        temporary.rename(path)
        _sync_directory(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise explain(error, path) from None


@contextmanager
def storing(path: Path) -> Iterator[BinaryIO]:
    """Like `store`, for content that is written bit by bit: the file to write to.

    Raises:
        RetryLater, InputError: as `store`.
    """
    temporary = path.with_name(path.name + STALE_SUFFIX)
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise explain(error, path) from None
    finally:
        temporary.unlink(missing_ok=True)


def store_new(path: Path, content: bytes) -> None:
    """Like `store`, but never replaces: the one who comes second is refused.

    Raises:
        FileExistsError: `path` is there already; nothing was changed.
        RetryLater, InputError: as `store`.
    """
    temporary = path.with_name(path.name + STALE_SUFFIX)
    try:
        _write_and_sync(temporary, content)
        os.link(temporary, path)  # fails where a rename would replace
        _sync_directory(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise explain(error, path) from None
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path) -> bytes:
    """A small file's octets.

    Raises:
        InputError, RetryLater: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise explain(error, path) from None


def explain(error: OSError, path: Path) -> GnomonError:
    """What a failed file operation means for the caller, as an error to raise."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return RetryLater(
            f"{path} cannot be written: {reason}; free some space and go on, nothing that was stored is lost"
        )
    if error.errno in _FORBIDDEN:
        return InputError(f"{path} cannot be written: {reason}; give the directory write permission")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError(f"{path} cannot be used: {reason}")
    return RetryLater(f"{path} cannot be read or written: {reason}; nothing that was stored is lost")


def _write_and_sync(path: Path, content: bytes) -> None:
    with path.open("wb", buffering=0) as file:
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
