"""An evidence directory: one run with its zones, segments and manifests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from gnomon.base import InputError, Name, RetryLater, printable
from gnomon.evidence import durable
from gnomon.evidence.exchange import Exchange
from gnomon.evidence.manifest import Manifest, all_manifests
from gnomon.evidence.row import (
    COLUMNS,
    READ_ERRORS,
    ROW_GROUP_ROWS,
    column_values,
    exchanges_from,
    open_segment,
    reason,
    rows_of,
    split_leaves,
)
from gnomon.evidence.run import RunInfo
from gnomon.evidence.subject import ZONE, zone_text
from gnomon.evidence.withheld import WithheldRow, read_withheld
from gnomon.evidence.writer import SegmentWriter


class EvidenceDir:
    """The evidence of one run. Reading needs no lock and sees what was flushed when `open` was called."""

    path: Path
    run: RunInfo

    def __init__(self, path: Path, run: RunInfo, manifests: tuple[Manifest, ...]) -> None:
        """Use `create` or `open`."""
        self.path = path
        self.run = run
        self._manifests = manifests
        self._kept_withheld: dict[int, Mapping[int, WithheldRow]] = {}

    @classmethod
    def create(cls, path: Path, run: RunInfo, zones: Iterable[Name]) -> EvidenceDir:
        """Begin a run in a new or empty directory.

        Raises:
            InputError: the directory is not empty, or cannot be made or written.
            RetryLater: no space left.
        """
        octets = "".join(f"{zone_text(zone)}\n" for zone in zones).encode()
        run = replace(run, zones_sha256=sha256(octets).hexdigest())
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not _is_unused(path):
                raise InputError(f"{path} is not empty: a run needs a new directory; name another one, or resume")
            (path / "segments").mkdir(exist_ok=True)
            (path / "manifests").mkdir(exist_ok=True)
            durable.store(path / "zones.txt", octets)
            durable.store(path / "run.json", run.to_octets())
        except FileExistsError:
            raise InputError(f"{path} is a file: a run needs a new directory; name another one") from None
        except OSError as error:
            raise durable.explain(error, path) from None
        except RetryLater:
            # Nothing has begun: leave the directory as empty as it was, so that the same call can succeed.
            (path / "zones.txt").unlink(missing_ok=True)
            (path / "segments").rmdir()
            (path / "manifests").rmdir()
            raise
        return cls(path, run, ())

    @classmethod
    def open(cls, path: Path) -> EvidenceDir:
        """Open what `create` made.

        Raises:
            InputError: no evidence directory, or run.json or a manifest is damaged; says which and what to do.
        """
        if not (path / "run.json").is_file():
            raise InputError(f"{path} is no evidence directory: it has no run.json")
        run = RunInfo.from_octets(durable.read(path / "run.json"), str(path / "run.json"))
        return cls(path, run, all_manifests(path, run.run_id))

    def zones(self) -> list[Name]:
        """The zones asked for, in their order.

        Raises:
            InputError: zones.txt is damaged.
        """
        octets = durable.read(self.path / "zones.txt")
        if sha256(octets).hexdigest() != self.run.zones_sha256:
            raise InputError(f"{self.path / 'zones.txt'} was changed after it was written; restore it from a copy")
        return [Name.from_text(line) for line in octets.decode().splitlines()]

    def manifests(self) -> tuple[Manifest, ...]:
        """The manifests in their sequence."""
        return self._manifests

    def finished_zones(self) -> set[str]:
        """The zones that need not be asked again, in text form and lower case."""
        return {zone for manifest in self._manifests for zone in manifest.zones}

    def writer(self) -> SegmentWriter:
        """The one writer of this directory; see there for what it raises."""
        return SegmentWriter(self.path, self.run.run_id)

    def read_segment(self, manifest: Manifest) -> Iterator[Exchange]:
        """The exchanges of one segment in row order, with their references, a row group at a time.

        Raises:
            InputError: the segment is missing or damaged.
        """
        return self._read(manifest, 0, manifest.rows)

    def leaves(self, manifest: Manifest) -> list[bytes]:
        """The leaf hashes of a segment's rows, from which its Merkle root and all proofs follow.

        Raises:
            InputError: the segment is missing or damaged.
        """
        path = self.path / manifest.file
        parquet = _open(path)
        leaves: list[bytes] = []
        for index in _groups(0, manifest.rows):
            try:
                leaves += split_leaves(rows_of(_row_group(path, parquet, index)).leaves())
            except READ_ERRORS as error:
                raise _damaged(path, error) from None
        for row, withheld in self._withheld(manifest).items():
            leaves[row] = bytes.fromhex(withheld.leaf)
        return leaves

    def withheld_subjects(self) -> set[str]:
        """The subjects that are not whole any more: rows of them were withheld.

        Raises:
            InputError: a record of withheld rows, or a segment, is missing or damaged.
        """
        found = set()
        for manifest in self._manifests:
            rows = self._withheld(manifest)
            if rows:
                path = self.path / manifest.file
                subjects = column_values(_open(path).read(columns=["subject"]).column(0))
                found |= {subjects[row] for row in rows}
        return found

    def _withheld(self, manifest: Manifest) -> Mapping[int, WithheldRow]:
        if manifest.sequence not in self._kept_withheld:
            found = read_withheld(self.path, manifest)
            self._kept_withheld[manifest.sequence] = found.rows if found else {}
        return self._kept_withheld[manifest.sequence]

    def exchanges(self, subjects: Collection[str] | None = None) -> Iterator[Exchange]:
        """All exchanges, or those of some subjects, segment by segment in row order.

        Raises:
            InputError: a segment is missing or damaged.
        """
        for manifest in self._manifests:
            for exchange in self.read_segment(manifest):
                if subjects is None or exchange.subject in subjects:
                    yield exchange

    def shared_exchanges(self) -> Iterator[Exchange]:
        """The exchanges of shared subjects (cut, name, server) of all segments: what a resumed run knows already.

        Raises:
            InputError: a segment is missing or damaged.
        """
        for manifest in self._manifests:
            yield from self._read(manifest, 0, manifest.shared_rows)

    def shared(self, subject: str) -> tuple[Exchange, ...]:
        """The exchanges of one shared subject in the order of their segments; empty if there are none.

        Raises:
            InputError: a segment is missing or damaged.
        """
        return tuple(
            exchange
            for manifest, first, count in self._shared_index.get(subject, ())
            for exchange in self._pick(manifest, first, first + count)
        )

    def exchange(self, ref: str) -> Exchange:
        """The exchange of a reference, with 16 or all 64 hexadecimal digits.

        Raises:
            InputError: no reference, of another run, or its segment is missing or damaged.
        """
        digits, _, row_text = ref.partition(":")
        if len(digits) < 16 or not (row_text.isascii() and row_text.isdigit() and len(row_text) < 12):
            raise InputError(f"{ref!r} is no evidence reference such as 0123456789abcdef:42")
        row = int(row_text)
        for manifest in self._manifests:
            if manifest.segment_root.startswith(digits.lower()) and row < manifest.rows:
                if withheld := self._withheld(manifest).get(row):
                    raise InputError(f"{ref} was withheld on {withheld.at}: {printable(withheld.reason)}")
                return next(self._pick(manifest, row, row + 1))
        raise InputError(f"{ref} is not in {self.path}: it has no such segment, or not so many rows in it")

    def zone_partitions(self) -> Iterator[ZonePartition]:
        """One partition per segment that finishes zones; they can be judged in parallel."""
        for manifest in self._manifests:
            if manifest.zones:
                yield ZonePartition(self, manifest)

    def _read(self, manifest: Manifest, first: int, stop: int) -> Iterator[Exchange]:
        """Rows `first` to `stop` (not included) of a segment, for reading on."""
        if first < stop:
            path = self.path / manifest.file
            parquet = _open(path)
            for index in _groups(first, stop):
                group = _row_group(path, parquet, index)
                yield from self._given(manifest, _exchanges(manifest, path, group, index, first, stop))

    def _pick(self, manifest: Manifest, first: int, stop: int) -> Iterator[Exchange]:
        """The same for few rows here and there: keeps the row groups for the next time."""
        path = self.path / manifest.file
        for index in _groups(first, stop):
            group = _kept_row_group(path, index)
            yield from self._given(manifest, _exchanges(manifest, path, group, index, first, stop))

    def _given(self, manifest: Manifest, exchanges: list[Exchange]) -> list[Exchange]:
        """Without those that were withheld."""
        withheld = self._withheld(manifest)
        return [x for x in exchanges if x.ref is None or x.ref.row not in withheld] if withheld else exchanges

    @cached_property
    def _shared_index(self) -> dict[str, list[tuple[Manifest, int, int]]]:
        index: dict[str, list[tuple[Manifest, int, int]]] = {}
        for manifest in self._manifests:
            row = 0
            for subject, rows in groupby(self._subjects(manifest)):
                count = sum(1 for _ in rows)
                index.setdefault(subject, []).append((manifest, row, count))
                row += count
        return index

    def _subjects(self, manifest: Manifest) -> Iterator[str]:
        """The subjects of the shared rows of a segment."""
        path, rest = self.path / manifest.file, manifest.shared_rows
        if not rest:
            return
        parquet = _open(path)
        for index in _groups(0, rest):
            try:
                column = parquet.read_row_group(index, columns=["subject"]).column(0)
                yield from column_values(column.slice(0, rest - index * ROW_GROUP_ROWS))
            except READ_ERRORS as error:
                raise _damaged(path, error) from None


def _is_unused(path: Path) -> bool:
    """Whether a directory is empty, or has only what a `create` left that was killed: run.json comes last."""
    left = {"segments", "manifests", "zones.txt", f"zones.txt{durable.STALE_SUFFIX}", f"run.json{durable.STALE_SUFFIX}"}
    found = {file.name for file in path.iterdir()}
    folders = (path / name for name in ("segments", "manifests"))
    return found <= left and not any(any(folder.iterdir()) for folder in folders if folder.is_dir())


class ZonePartition:
    """The zones that one segment finishes, with their exchanges; can be sent to another process."""

    zones: tuple[str, ...]

    def __init__(self, directory: EvidenceDir, manifest: Manifest) -> None:
        self._directory = directory
        self._manifest = manifest
        self.zones = manifest.zones

    def __iter__(self) -> Iterator[tuple[Name, list[Exchange]]]:
        """Each finished zone with its own exchanges, in the order of the zones' text.

        Raises:
            InputError: the segment is missing or damaged.
        """
        own = self._directory._read(self._manifest, self._manifest.shared_rows, self._manifest.rows)
        groups = groupby(own, key=lambda exchange: exchange.subject[len(ZONE) :])
        waiting = iter(self.zones)
        for text, exchanges in groups:
            for zone in waiting:
                if zone == text:
                    break
                yield Name.from_text(zone), []
            yield Name.from_text(text), list(exchanges)
        for zone in waiting:
            yield Name.from_text(zone), []

    def shared(self, subject: str) -> tuple[Exchange, ...]:
        """The exchanges of one shared subject, wherever in the run they were recorded."""
        return self._directory.shared(subject)


def _groups(first: int, stop: int) -> range:
    """The row groups that hold rows `first` to `stop` (not included): all but the last have the same size."""
    return range(first // ROW_GROUP_ROWS, -(-stop // ROW_GROUP_ROWS))


def _open(path: Path) -> Any:
    try:
        return open_segment(path)
    except FileNotFoundError:
        raise InputError(f"{path} is missing; restore it from a copy") from None
    except READ_ERRORS as error:
        raise _damaged(path, error) from None


def _row_group(path: Path, parquet: Any, index: int) -> pa.Table:
    try:
        return parquet.read_row_group(index, columns=COLUMNS.names[:-1], use_threads=False)
    except READ_ERRORS as error:
        raise _damaged(path, error) from None


@lru_cache(maxsize=32)
def _kept_row_group(path: Path, index: int) -> pa.Table:
    # The file's name is the digest of its rows, so what is kept cannot be out of date.
    return _row_group(path, _open(path), index)


def _exchanges(manifest: Manifest, path: Path, group: pa.Table, index: int, first: int, stop: int) -> list[Exchange]:
    """Those of the rows `first` to `stop` that are in row group `index`."""
    start = index * ROW_GROUP_ROWS
    a, b = max(first, start), min(stop, start + ROW_GROUP_ROWS)
    rows = group.slice(a - start, b - a)
    if rows.num_rows != b - a:
        raise _damaged(path, ValueError(f"row {start + group.num_rows} is missing"))
    try:
        return exchanges_from(rows, manifest.segment_root, a)
    except (*READ_ERRORS, InputError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} is damaged ({reason(error)}); run verify to learn which rows, or restore it from a copy")
