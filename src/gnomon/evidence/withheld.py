"""Rows that are not given out, or were erased: their content goes, their leaf hashes stay, so all proofs still hold.

docs/formats/withheld.md is the specification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from gnomon.base import InputError
from gnomon.evidence import durable
from gnomon.evidence.fields import Fields
from gnomon.evidence.manifest import Manifest
from gnomon.evidence.row import CHECK_COLUMN, COLUMNS, READ_ERRORS, open_segment, rows_of, split_leaves
from gnomon.evidence.sealed import seal, unseal
from gnomon.evidence.writer import segment_writer

SCHEMA_VERSION = 1
FOLDER = "withheld"
# What stays of a row: its place among the others, and the check of its content.
_KEPT = ("subject", "address", "ask", "attempt", "seq", CHECK_COLUMN)


@dataclass(frozen=True, slots=True)
class WithheldRow:
    """What stays of a row: its leaf hash in hexadecimal digits; why and when (UTC, ISO 8601) it was withheld."""

    leaf: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """The withheld rows of one segment, by number, and the segment's file without them."""

    run_id: str
    segment_root: str
    file_sha256: str
    file_size_octets: int
    rows: Mapping[int, WithheldRow]

    def to_octets(self) -> bytes:
        return seal(
            {
                "schema_version": SCHEMA_VERSION,
                "run_id": self.run_id,
                "segment_root": self.segment_root,
                "file_sha256": self.file_sha256,
                "file_size_octets": self.file_size_octets,
                "rows": [
                    {"row": number, "leaf": row.leaf, "reason": row.reason, "at": row.at}
                    for number, row in sorted(self.rows.items())
                ],
            }
        )

    @classmethod
    def from_octets(cls, octets: bytes, where: str, manifest: Manifest) -> Withheld:
        """Read a record; `where` names it in messages.

        Raises:
            InputError: damaged, changed, of a version that this Gnomon does not know, or of another segment.
        """
        fields = Fields(unseal(octets, where), where)
        version = fields.count("schema_version")
        if version != SCHEMA_VERSION:
            raise InputError(f"{where} has schema version {version}; this Gnomon reads version {SCHEMA_VERSION}")
        run_id, root = fields.text("run_id"), fields.digest("segment_root")
        digest, size = fields.digest("file_sha256"), fields.count("file_size_octets")
        rows = {
            inner.count("row"): WithheldRow(inner.digest("leaf"), inner.text("reason"), inner.text("at"))
            for inner in fields.list("rows")
        }
        fields.end()
        if (run_id, root) != (manifest.run_id, manifest.segment_root) or max(rows, default=0) >= manifest.rows:
            raise InputError(f"{where} is not about the segment {manifest.segment_root}; restore it from a copy")
        return cls(run_id, root, digest, size, rows)


def read_withheld(path: Path, manifest: Manifest) -> Withheld | None:
    """The withheld rows of a segment; None if there are none.

    Raises:
        InputError: the record is damaged.
    """
    file = _file(path, manifest)
    return Withheld.from_octets(durable.read(file), str(file), manifest) if file.is_file() else None


def withhold(
    path: Path,
    manifest: Manifest,
    rows: Iterable[int],
    reason: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Take the content of rows out of a segment for good; returns how many rows had one. The directory is locked.

    First the record is stored, then the segment without the rows: whoever is interrupted in between does it again.

    Raises:
        InputError: a number that is no row, or the segment is missing or damaged.
        RetryLater: no space left; nothing was changed.
    """
    wanted = sorted(set(rows))
    if any(row >= manifest.rows for row in wanted):
        raise InputError(f"{manifest.file} has {manifest.rows} rows; row {wanted[-1]} is not one of them")
    known = read_withheld(path, manifest)
    before = dict(known.rows) if known else {}
    at = now().isoformat(timespec="seconds").replace("+00:00", "Z")
    file = path / manifest.file
    sink = pa.BufferOutputStream()
    try:
        parquet = open_segment(file)
        with segment_writer(sink, manifest.run_id) as writer:
            first = 0
            for index in range(parquet.metadata.num_row_groups):
                group = parquet.read_row_group(index)
                inside = range(first, first + group.num_rows)
                here = [row for row in {*wanted, *before} if row in inside]
                leaves = split_leaves(rows_of(group).leaves()) if here else []
                for row in here:
                    before.setdefault(row, WithheldRow(leaves[row - first].hex(), reason, at))
                writer.write_table(_without(group, [row - first for row in here]))
                first += group.num_rows
    except FileNotFoundError:
        raise InputError(f"{file} is missing; restore it from a copy") from None
    except READ_ERRORS as error:
        raise InputError(f"{file} is damaged ({error}); run verify to learn which rows") from None
    content = sink.getvalue().to_pybytes()
    record = Withheld(manifest.run_id, manifest.segment_root, sha256(content).hexdigest(), len(content), before)
    _file(path, manifest).parent.mkdir(exist_ok=True)
    durable.store(_file(path, manifest), record.to_octets())
    durable.store(file, content)
    return len(before) - (len(known.rows) if known else 0)


def _file(path: Path, manifest: Manifest) -> Path:
    return path / FOLDER / manifest.name


def _without(group: pa.Table, rows: list[int]) -> pa.Table:
    """A row group in which only place and check are left of some rows."""
    if not rows:
        return group
    import pyarrow.compute as pc  # type: ignore[import-untyped]  # slow: only where something is withheld

    mask = pa.array([at in set(rows) for at in range(group.num_rows)])
    for place, field in enumerate(COLUMNS):
        if field.name not in _KEPT:
            blank = pa.scalar(_blank(field), field.type)
            column = pc.if_else(mask, blank, group.column(place).cast(field.type))
            group = group.set_column(place, group.schema.field(place), column.cast(group.schema.field(place).type))
    return group


def _blank(field: Any) -> Any:
    if field.nullable:
        return None
    return {pa.string(): "", pa.binary(): b""}.get(field.type, 0)


def is_blank(group: pa.Table, row: int) -> bool:
    """Whether nothing is left of a row of a row group but its place and check."""
    fields = (field for field in COLUMNS if field.name not in _KEPT)
    return all(group.column(field.name)[row].as_py() == _blank(field) for field in fields)
