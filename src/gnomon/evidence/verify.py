"""Is the evidence still what was recorded? Finds damage and names it as narrowly as it can be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from gnomon._core import MerkleTree, Rows
from gnomon.base import InputError, RetryLater, printable
from gnomon.evidence.durable import STALE_SUFFIX, read
from gnomon.evidence.manifest import Manifest, read_manifests
from gnomon.evidence.row import (
    COLUMNS,
    READ_ERRORS,
    changed_rows,
    column_values,
    open_segment,
    reason,
    rows_of,
    split_leaves,
)
from gnomon.evidence.run import RunInfo
from gnomon.evidence.subject import ZONE
from gnomon.evidence.withheld import WithheldRow, is_blank, read_withheld

# One replaced file must not fill the memory with complaints.
_PROBLEMS_PER_SEGMENT_MAX = 100

Progress = Callable[[int, int], None]
"""Called with the rows looked at so far and the rows of all manifests."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    `file` is a path inside the evidence directory. `segment` is the Merkle root (hex) of the segment concerned;
    `rows` are the rows concerned, a range of one where the row is known exactly; `columns` those whose octets
    were damaged. None or empty: it does not concern a segment, rows or columns.
    """

    file: str
    what: str
    segment: str | None = None
    rows: range | None = None
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One sentence for a person."""
        where = self.file
        if self.rows is not None:
            first, last = self.rows[0], self.rows[-1]
            where += f", row {first}" if first == last else f", rows {first} to {last}"
        if self.columns:
            where += f", column {', '.join(self.columns)}"
        return f"{where}: {self.what}"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found; nothing is wrong when `problems` is empty. `segments` and `rows` were looked at."""

    problems: tuple[Problem, ...]
    segments: int
    rows: int


def verify(path: Path, progress: Progress | None = None) -> VerifyReport:
    """Check run.json, zones.txt, all manifests and every row of every segment; a row group in memory at a time.

    Never raises for what is in the directory, whatever it is.
    """
    if not path.is_dir():
        return VerifyReport((Problem(str(path), "there is no such directory"),), 0, 0)
    problems: list[Problem] = []
    run_id = _check_run(path, problems)
    manifests: list[Manifest] = []
    for item in read_manifests(path, run_id):
        if isinstance(item, Manifest):
            manifests.append(item)
        else:
            problems.append(Problem("manifests", str(item)))
    problems += _finished_twice(manifests)
    problems += _other_files(path, manifests)
    total, done = sum(manifest.rows for manifest in manifests), 0
    for manifest in manifests:
        check = _SegmentCheck(path, manifest)
        for rows in check.run():
            done += rows
            if progress is not None:
                progress(done, total)
        problems += check.problems
    return VerifyReport(tuple(problems), len(manifests), done)


def _check_run(path: Path, problems: list[Problem]) -> str | None:
    try:
        run = RunInfo.from_octets(read(path / "run.json"), "run.json")
    except (InputError, RetryLater) as error:
        problems.append(Problem("run.json", str(error)))
        return None
    try:
        if sha256(read(path / "zones.txt")).hexdigest() != run.zones_sha256:
            problems.append(Problem("zones.txt", "changed after it was written: its digest is not that in run.json"))
    except (InputError, RetryLater) as error:
        problems.append(Problem("zones.txt", str(error)))
    return run.run_id


def _finished_twice(manifests: Iterable[Manifest]) -> Iterator[Problem]:
    finished: set[str] = set()
    for manifest in manifests:
        for zone in manifest.zones:
            if zone in finished:
                what = f"the zone {printable(zone)} is listed as finished a second time"
                yield Problem(f"manifests/{manifest.name}", what, manifest.segment_root)
            finished.add(zone)


def _other_files(path: Path, manifests: Iterable[Manifest]) -> Iterator[Problem]:
    expected = {manifest.file for manifest in manifests} | {f"manifests/{manifest.name}" for manifest in manifests}
    for folder, kind in (("segments", ".parquet"), ("manifests", ".json")):
        try:
            found = sorted(file.name for file in (path / folder).iterdir())
        except OSError as error:
            yield Problem(folder, f"cannot be read: {error.strerror}")
            continue
        for name in found:
            file = f"{folder}/{printable(name)}"
            if file in expected or name.endswith(STALE_SUFFIX):
                continue
            if not name.endswith(kind):
                yield Problem(file, "does not belong here; remove it")
            elif folder == "segments":
                yield Problem(
                    file,
                    "no manifest names this segment: its manifest is lost, or its writing was interrupted (then "
                    "resuming the run clears it)",
                    name.removesuffix(kind),
                )


class _SegmentCheck:
    """The check of one segment; `run` yields the rows done since its last yield."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.problems: list[Problem] = []
        self._path = path / manifest.file
        self._manifest = manifest
        self._zones = {ZONE + zone for zone in manifest.zones}
        self._tree: MerkleTree | None = MerkleTree()
        self._above: Rows | None = None
        self._suppressed = 0
        self._withheld: Mapping[int, WithheldRow] = {}
        self._file_sha256 = manifest.file_sha256
        try:
            withheld = read_withheld(path, manifest)
        except (InputError, RetryLater) as error:
            self._problem(str(error))
            return
        if withheld:
            self._withheld, self._file_sha256 = withheld.rows, withheld.file_sha256

    def run(self) -> Iterator[int]:
        try:
            with self._path.open("rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
            if self._withheld and digest == self._manifest.file_sha256:
                self._problem("the rows that are to be withheld are still in it: withhold them again")
            elif digest != self._file_sha256:
                self._problem("its octets are not those that were stored: the file's digest differs")
            parquet = open_segment(self._path)
        except FileNotFoundError:
            self._problem("the segment is missing; restore it from a copy", self._all_rows())
            return
        except READ_ERRORS as error:
            what = f"cannot be read at all: its footer is damaged, or it is no segment ({reason(error)})"
            self._problem(what, self._all_rows())
            return
        metadata = parquet.metadata
        sizes: list[int] = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
        first = 0
        for index, size in enumerate(sizes):
            self._check_group(parquet, index, range(first, first + size))
            first += size
            yield size
        self._check_whole(first)
        if self._suppressed:
            self._problems_end()

    def _check_group(self, parquet: Any, index: int, rows: range) -> None:
        damaged: list[str] = []
        try:
            group, values = _read_group(parquet, index)
        except READ_ERRORS:
            damaged = [name for name in COLUMNS.names if not _readable(parquet, index, name)]
            # The page checksums tell the column. Most damage still unpacks, and then the checks tell the row.
            unchecked = open_segment(self._path, check_pages=False)
            lost = [name for name in damaged if not _readable(unchecked, index, name)] or damaged
            try:
                group, values = _read_group(unchecked, index)
            except READ_ERRORS:
                what = "the octets cannot be unpacked any more; one or more of these rows are lost"
                self._problem(what, rows, lost)
                self._tree = None
                return
        leaves = self._with_withheld(values.leaves(), group, rows)
        if self._tree is not None:
            self._tree.extend(leaves)
        changed = changed_rows(group, leaves)
        for row in changed:
            self._problem("the row was changed: its check differs", rows[row : row + 1], damaged)
        if damaged and not changed:
            self._problem("octets were changed here, but none that a row is made of", rows, damaged)
        for row in values.out_of_order(self._above):
            self._problem("out of order: it sorts before the row above it", rows[row : row + 1])
        self._above = values
        self._check_subjects(values, rows)

    def _with_withheld(self, leaves: bytes, group: pa.Table, rows: range) -> bytes:
        """The leaves, with those of withheld rows as they were recorded."""
        here = [row for row in self._withheld if row in rows]
        if not here:
            return leaves
        each = split_leaves(leaves)
        for row in here:
            each[row - rows.start] = bytes.fromhex(self._withheld[row].leaf)
            if not is_blank(group, row - rows.start):
                self._problem("it is to be withheld, but not all of it is gone: withhold it again", range(row, row + 1))
        return b"".join(each)

    def _check_subjects(self, values: Rows, rows: range) -> None:
        shared_rows, zones = self._manifest.shared_rows, self._zones
        start = rows.start
        for subject, count in values.subjects():
            first, start = start, start + count
            is_own = subject.startswith(ZONE)
            if first >= shared_rows and subject in zones if is_own else start <= shared_rows:
                continue
            for row in range(first, start):
                if is_own != (row >= shared_rows):
                    what = "on the wrong side of the manifest's shared_rows"
                elif is_own and subject not in zones:
                    what = f"{printable(subject)} is not among the zones that the manifest finishes"
                else:
                    continue
                self._problem(what, range(row, row + 1))

    def _check_whole(self, rows: int) -> None:
        if rows != self._manifest.rows:
            self._problem(f"has {rows} rows, not {self._manifest.rows} as its manifest says")
            return
        differs = self._tree is not None and self._tree.root().hex() != self._manifest.segment_root
        if differs and not any(problem.rows is not None for problem in self.problems):
            what = "the rows are not those that were stored, though each fits its check: the Merkle root differs"
            self._problem(what, self._all_rows())

    def _all_rows(self) -> range | None:
        return range(self._manifest.rows) if self._manifest.rows else None

    def _problem(self, what: str, rows: range | None = None, columns: Iterable[str] = ()) -> None:
        if len(self.problems) >= _PROBLEMS_PER_SEGMENT_MAX:
            self._suppressed += 1
            return
        manifest = self._manifest
        self.problems.append(Problem(manifest.file, what, manifest.segment_root, rows or None, tuple(columns)))

    def _problems_end(self) -> None:
        manifest = self._manifest
        what = f"{self._suppressed} more problems in this segment"
        self.problems.append(Problem(manifest.file, what, manifest.segment_root))


def _read_group(parquet: Any, index: int) -> tuple[pa.Table, Rows]:
    group = parquet.read_row_group(index, use_threads=False)  # the columns of one group are too small to share out
    return group, rows_of(group)


def _readable(parquet: Any, index: int, name: str) -> bool:
    try:
        column_values(parquet.read_row_group(index, columns=[name]).column(0))
    except READ_ERRORS:
        return False
    return True
