"""Rows of many zones put in the order of the zones, in bounded memory."""

from __future__ import annotations

import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]

from gnomon.evidence.row import column_values
from gnomon.judge.columns import Gathering, Piece

_RANGE_ZONES = 4096
_ROWS_HELD = 400_000
_TABLE_ROWS = 65_536


class ByZone:
    """Takes tables with a column `zone` in any order of zones, gives them back sorted by zone.

    The population is cut into ranges of zones, each small enough to be sorted in memory; what is taken in beyond a
    limit waits in temporary files until `close`. Rows of one zone keep the order in which they came.
    """

    def __init__(self, zones: Iterable[str], *, range_zones: int = _RANGE_ZONES, rows_held: int = _ROWS_HELD) -> None:
        """`zones` are all that may come, in text form; ranges of the same zones are always the same."""
        self._starts = sorted(zones)[::range_zones]
        self._rows_held = rows_held
        self._held: dict[int, list[pa.Table]] = {}
        self._rows = 0
        self._files = ExitStack()
        self._folder: Path | None = None

    def __enter__(self) -> ByZone:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary files."""
        self._files.close()

    def add(self, table: pa.Table) -> None:
        """Take rows in; those of one zone must stand together."""
        at = 0
        for index, zones in groupby(_zones(table), key=lambda found: self._range_of(found[0])):
            count = sum(count for _, (_, count) in zones)
            self._held.setdefault(index, []).append(table.slice(at, count))
            at += count
        self._rows += table.num_rows
        if self._rows > self._rows_held:
            self._put_away()

    def tables(self) -> Iterator[pa.Table]:
        """All rows sorted by zone, in tables of some ten thousand rows; those of one zone are in one table."""
        for index in range(len(self._starts)):
            parts = [*self._fetched(index), *self._held.pop(index, ())]
            if parts:
                gathering = Gathering(parts)
                found = ((zone, part, *rows) for part, table in enumerate(parts) for zone, rows in _zones(table))
                for pieces in _portions((part, first, count) for _, part, first, count in sorted(found)):
                    yield gathering.take(pieces)

    def _range_of(self, zone: str) -> int:
        return bisect_right(self._starts, zone) - 1

    def _put_away(self) -> None:
        """Append what is held to one file for each range."""
        if self._folder is None:
            self._folder = Path(self._files.enter_context(tempfile.TemporaryDirectory(prefix="gnomon-")))
        for index, parts in self._held.items():
            with (self._folder / str(index)).open("ab") as file:
                for part in parts:
                    with pa.ipc.new_stream(file, part.schema) as stream:
                        stream.write_table(part)
        self._held.clear()
        self._rows = 0

    def _fetched(self, index: int) -> Iterator[pa.Table]:
        path = self._folder and self._folder / str(index)
        if path is None or not path.is_file():
            return
        with path.open("rb") as file:
            size = path.stat().st_size
            while file.tell() < size:
                with pa.ipc.open_stream(file) as stream:
                    yield stream.read_all()
        path.unlink()


def _zones(table: pa.Table) -> Iterator[tuple[str, tuple[int, int]]]:
    """The zones as they come, each with its first row and the number of its rows."""
    at = 0
    for zone, rows in groupby(column_values(table["zone"])):
        count = len(list(rows))
        yield zone, (at, count)
        at += count


def _portions(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """The pieces of one table after the other."""
    portion, rows = list[Piece](), 0
    for piece in pieces:
        count = piece[2]
        if portion and rows + count > _TABLE_ROWS:
            yield portion
            portion, rows = [], 0
        portion.append(piece)
        rows += count
    if portion:
        yield portion
