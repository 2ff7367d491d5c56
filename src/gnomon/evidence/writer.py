"""Writing segments: exchanges are kept until their zone is finished, then stored together with a manifest."""

from __future__ import annotations

import fcntl
import os
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gnomon._core import MerkleTree, Recording, Rows
from gnomon.base import Broken, Name, RetryLater
from gnomon.evidence import durable
from gnomon.evidence.exchange import Exchange
from gnomon.evidence.manifest import NO_PREVIOUS, Manifest, all_manifests
from gnomon.evidence.row import COLUMNS_READ, ROW_GROUP_ROWS, ROW_VERSION, TEXT_COLUMNS, record, table_of
from gnomon.evidence.subject import SHARED, ZONE, zone_text

_COMPRESSION_LEVEL = 3


class SegmentWriter:
    """The one writer of an evidence directory; a context manager that flushes at a clean end.

    Nothing is lost when a flush fails: its exchanges stay here, and the next flush tries again.
    """

    def __init__(self, path: Path, run_id: str) -> None:
        """Lock the directory and clear what interrupted writers left; use `EvidenceDir.writer`.

        Raises:
            RetryLater: another process writes here.
            InputError: the directory cannot be written, or a manifest is damaged.
        """
        self._path = path
        self._run_id = run_id
        self._open: dict[str, list[Recording]] = {}
        self._ready: list[Recording] = []
        self._shared_rows = 0
        self._ready_rows = 0
        self._zones: list[str] = []
        self._lock = _lock(path)
        try:
            # Only under the lock: what another writer has just stored must not pass for a leftover.
            manifests = all_manifests(path, run_id)
            _clear_leftovers(path, {manifest.segment_root for manifest in manifests})
        except BaseException:
            self.close()
            raise
        self._last = manifests[-1] if manifests else None
        self._finished = {zone for manifest in manifests for zone in manifest.zones}

    def add(self, exchange: Exchange) -> None:
        """Take one exchange; as `add_recording`, which is faster."""
        recording = Recording(exchange.subject)
        try:
            record(recording, exchange)
        except (OverflowError, TypeError, UnicodeEncodeError) as error:
            raise Broken(f"an exchange has a value that cannot be stored: {error}") from None
        self.add_recording(recording)

    def add_recording(self, recording: Recording) -> None:
        """Take the exchanges of a subject; nothing may be added to the recording afterwards.

        They are stored by the first flush after their zone is finished, shared ones by the next.

        Raises:
            Broken: the subject is of no known kind, or its zone is finished already.
        """
        subject = recording.subject
        if subject.startswith(ZONE):
            zone = subject[len(ZONE) :]
            if zone in self._finished:
                raise Broken(f"an exchange of {zone} came after the zone was finished")
            self._open.setdefault(zone, []).append(recording)
        elif subject.startswith(SHARED):
            self._ready.append(recording)
            self._shared_rows += len(recording)
            self._ready_rows += len(recording)
        else:
            raise Broken(f"an exchange has a subject of no known kind: {subject!r}")

    def finish_zone(self, zone: Name) -> None:
        """All exchanges of `zone` have been added.

        Raises:
            Broken: it was finished before.
        """
        text = zone_text(zone)
        if text in self._finished:
            raise Broken(f"the zone {text} was finished twice")
        self._finished.add(text)
        self._zones.append(text)
        own = self._open.pop(text, [])
        self._ready += own
        self._ready_rows += sum(map(len, own))

    @property
    def ready_rows(self) -> int:
        """Exchanges that the next flush stores; flush at some ten thousand."""
        return self._ready_rows

    def flush(self) -> Manifest | None:
        """Store what is ready as one segment with its manifest, durable on return; None if nothing is ready.

        Raises:
            RetryLater: no space left, or the like; nothing was stored, nothing lost, call again later.
            InputError: the directory cannot be written.
        """
        if not self._ready and not self._zones:
            return None
        try:
            rows = Rows.of(self._ready)
        except (ValueError, UnicodeEncodeError) as error:
            raise Broken(f"an exchange has a value that cannot be stored: {error}") from None
        root, content = encode_segment(rows, self._run_id)
        first_ns, last_ns = rows.sent_at_ns
        manifest = Manifest(
            sequence=self._last.sequence + 1 if self._last else 1,
            run_id=self._run_id,
            previous_sha256=self._last.sha256() if self._last else NO_PREVIOUS,
            segment_root=root,
            file_sha256=sha256(content).hexdigest(),
            file_size_octets=len(content),
            rows=len(rows),
            shared_rows=self._shared_rows,
            zones=tuple(sorted(self._zones)),
            first_sent_at_ns=first_ns,
            last_sent_at_ns=last_ns,
        )
        durable.store(self._path / manifest.file, content)
        try:
            durable.store_new(self._path / "manifests" / manifest.name, manifest.to_octets())
        except FileExistsError:
            raise Broken(f"{self._path} has manifest {manifest.name} already: somebody else wrote here") from None
        self._last = manifest
        self._ready, self._zones, self._ready_rows, self._shared_rows = [], [], 0, 0
        return manifest

    def close(self) -> None:
        """Give the directory free; what was not flushed is dropped. May be called twice."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.flush()
        finally:
            self.close()


def encode_segment(rows: Rows, run_id: str) -> tuple[str, bytes]:
    """The Merkle root (hex) and the Parquet file of rows in their order."""
    sink = pa.BufferOutputStream()
    leaves = rows.leaves()
    with segment_writer(sink, run_id) as parquet:
        for first in range(0, len(rows), ROW_GROUP_ROWS):
            table = table_of(rows, leaves, first).replace_schema_metadata(parquet.schema.metadata)
            parquet.write_table(table, row_group_size=ROW_GROUP_ROWS)
    tree = MerkleTree()
    tree.extend(leaves)
    return tree.root().hex(), sink.getvalue().to_pybytes()


def segment_writer(sink: Any, run_id: str) -> Any:
    """A Parquet writer with the settings of a segment, to be closed."""
    return pq.ParquetWriter(
        sink,
        COLUMNS_READ.with_metadata({"gnomon.row_version": str(ROW_VERSION), "gnomon.run_id": run_id}),
        compression="zstd",
        compression_level=_COMPRESSION_LEVEL,
        # Wire octets hardly repeat: a dictionary only costs.
        use_dictionary=list(TEXT_COLUMNS),
        write_statistics=["subject", "sent_at_ns"],
        write_page_checksum=True,
    )


def _lock(path: Path) -> int:
    handle = -1
    try:
        handle = os.open(path, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RetryLater(f"another process is writing to {path}; wait until it is done") from None
    except OSError as error:
        if handle >= 0:
            os.close(handle)
        raise durable.explain(error, path) from None
    return handle


def _clear_leftovers(path: Path, roots: set[str]) -> None:
    try:
        for folder in (path, path / "segments", path / "manifests"):
            for stale in folder.glob(f"*{durable.STALE_SUFFIX}"):
                stale.unlink()
        for segment in (path / "segments").glob("*.parquet"):
            # Stored, but interrupted before its manifest: it does not exist, and its zones will be asked again.
            if segment.stem not in roots:
                segment.unlink()
    except OSError as error:
        raise durable.explain(error, path) from None
