"""Copies of evidence directories in an object store (S3-compatible, or any other that obstore knows).

A run is always written to a local directory, which an outage of the store cannot stop. Here it is copied: what never
changes is put create-only, a manifest after its segment, so a copy is at every moment a whole run up to some manifest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnomon.base import InputError, RetryLater, printable
from gnomon.evidence import durable
from gnomon.evidence.directory import EvidenceDir

if TYPE_CHECKING:
    from obstore.store import ObjectStore

# What a run may have, in the order in which a copy is made. Nothing else is taken from a store.
_PARTS = (
    re.compile(r"(run\.json|zones\.txt)"),
    re.compile(r"segments/[0-9a-f]{64}\.parquet"),
    re.compile(r"withheld/[0-9]{6}\.json"),
    re.compile(r"manifests/[0-9]{6}\.json"),
    re.compile(r"verdicts/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}\.(parquet|json)"),
    re.compile(r"receipts/(run|manifests/[0-9]{6}|withheld/[0-9]{6}|verdicts/[A-Za-z0-9_.-]{1,100})\.json\.tlog-proof"),
)
_RUN, _SEGMENTS, _MANIFESTS, _RECEIPTS = 0, 1, 3, 5
_OBJECT_OCTETS_MAX = 1 << 31

Progress = Callable[[int, int], None]
"""Called with the files done and the files in all."""


def push(path: Path, url: str, progress: Progress | None = None) -> int:
    """Copy a run to a store, for the first time or once more; returns how many files were sent.

    Args:
        url: such as s3://bucket/prefix; S3 takes address and credentials from the AWS_ variables.

    Raises:
        InputError: no evidence directory, the URL cannot be used, or another run is there.
        RetryLater: the store does not answer; what was sent stays, the next call goes on.
    """
    store = _open(url)
    evidence = EvidenceDir.open(path)
    there = dict(_listed(store, url))
    _must_be_the_same_run(evidence, store, there, url)
    segments = {manifest.file: manifest.file_size_octets for manifest in evidence.manifests()}
    names = _in_order(file.relative_to(path).as_posix() for file in path.rglob("*"))
    sent = 0
    for done, (part, name) in enumerate(names, 1):
        # A segment without manifest does not exist; one that is there has the rows that its name says, unless
        # some of them were withheld since.
        if part == _SEGMENTS:
            wanted = name in segments and there.get(name) != (path / name).stat().st_size
        else:
            wanted = name not in there or part not in (_RUN, _MANIFESTS, _RECEIPTS)
        if wanted:
            sent += _put(store, name, durable.read(path / name), create=name not in there)
        if progress is not None:
            progress(done, len(names))
    return sent


def pull(url: str, path: Path, progress: Progress | None = None) -> int:
    """Copy a run from a store into a new or empty directory; returns how many files came. Verify it afterwards.

    Raises:
        InputError: no run there, an object too large for what it claims to be, or the directory is not empty.
        RetryLater: the store does not answer, or no space is left.
    """
    store = _open(url)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} is not empty: a copy needs a new directory; name another one")
    sizes = dict(_listed(store, url))
    names = _in_order(sizes)
    if "run.json" not in sizes:
        raise InputError(f"{url} has no run: there is no run.json")
    for done, (_, name) in enumerate(names, 1):
        content = _get(store, name, min(sizes[name], _OBJECT_OCTETS_MAX))
        try:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise durable.explain(error, path) from None
        durable.store(path / name, content)
        if progress is not None:
            progress(done, len(names))
    return len(names)


def _must_be_the_same_run(evidence: EvidenceDir, store: Any, there: dict[str, int], url: str) -> None:
    """Compares run.json and the newest manifest that is there: it carries the digests of those before it."""
    manifests = [f"manifests/{manifest.name}" for manifest in evidence.manifests()]
    common = [name for name in manifests if name in there][-1:]
    beyond = [name for name in there if _part(name) == _MANIFESTS and name not in manifests]
    for name in ("run.json", *common):
        if name in there and _get(store, name, there[name]) != durable.read(evidence.path / name):
            raise InputError(f"{url} has another {name}: it is a copy of another run; name another place")
    if beyond:
        raise InputError(f"{url} has more of this run than {evidence.path}: {beyond[0]}; pull that copy first")


def _part(name: str) -> int:
    return next((index for index, pattern in enumerate(_PARTS) if pattern.fullmatch(name)), -1)


def _in_order(names: Iterable[str]) -> list[tuple[int, str]]:
    """The names that a run may have, segments before manifests; others are left out."""
    return sorted((part, name) for name in names if (part := _part(name)) >= 0)


def _open(url: str) -> ObjectStore:
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError:
        raise InputError("object stores need the package obstore; install gnomon[store]") from None
    try:
        return from_url(url, retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=60)})
    except (BaseError, ValueError) as error:
        raise InputError(f"{printable(url)} cannot be used: {_first_line(error)}; write s3://bucket/prefix") from None


def _listed(store: Any, url: str) -> Iterator[tuple[str, int]]:
    """The names of all objects, and their sizes in octets."""
    import obstore

    try:
        for batch in obstore.list(store):
            for found in batch:
                yield found["path"], found["size"]
    except (obstore.exceptions.BaseError, OSError) as error:
        raise _unreachable(url, error) from None


def _put(store: Any, name: str, content: bytes, *, create: bool) -> bool:
    import obstore

    try:
        obstore.put(store, name, content, mode="create" if create else "overwrite")
    except obstore.exceptions.AlreadyExistsError:
        if _get(store, name, len(content)) != content:
            raise InputError(f"somebody else has put another {name} there; name another place") from None
        return False
    except (obstore.exceptions.BaseError, OSError) as error:
        raise _unreachable(name, error) from None
    return True


def _get(store: Any, name: str, octets_max: int) -> bytes:
    import obstore

    try:
        found = obstore.get(store, name)
        if found.meta["size"] > octets_max:
            raise InputError(f"{name} has {found.meta['size']:,} octets there, more than it can have")
        return bytes(found.bytes())
    except (obstore.exceptions.BaseError, OSError) as error:
        raise _unreachable(name, error) from None


def _unreachable(what: str, error: Exception) -> RetryLater:
    reason = _first_line(error)
    return RetryLater(f"{printable(what)}: the store does not answer ({reason}); try again, what is there stays")


def _first_line(error: Exception) -> str:
    return printable(str(error).strip().split("\n", 1)[0][:200])
