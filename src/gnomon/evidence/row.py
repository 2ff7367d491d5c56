"""Exchanges as stored rows: their columns in Parquet, to and fro.

docs/formats/segment.md is the specification; `ROW_VERSION` is raised with any change of it. The canonical octets of a
row, their hashes and the order of rows are the native core's (rust/gnomon-core/src/evidence).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, pairwise, repeat, starmap
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gnomon._core import Recording, Rows, leaf_checks
from gnomon.base import Name, Transport, parse_address, printable
from gnomon.engine import Status
from gnomon.evidence.exchange import EvidenceRef, Exchange

ROW_VERSION = 1
# Every row group but the last has so many rows: damage is named by row group where it cannot be named by row, and
# a reader holds one row group at a time.
ROW_GROUP_ROWS = 8192
TEXT_COLUMNS = ("subject", "address", "ask", "server_name", "vantage")
CHECK_COLUMN = "leaf_check"
_LEAF_OCTETS = 32
COLUMNS = pa.schema(
    [
        pa.field("subject", pa.string(), nullable=False),
        pa.field("address", pa.string(), nullable=False),
        pa.field("ask", pa.string(), nullable=False),
        pa.field("attempt", pa.uint16(), nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("server_name", pa.string()),
        pa.field("port", pa.uint16(), nullable=False),
        pa.field("transport", pa.uint8(), nullable=False),
        pa.field("sent_at_ns", pa.int64(), nullable=False),
        pa.field("rtt_us", pa.uint32()),
        pa.field("local_port", pa.uint16(), nullable=False),
        pa.field("status", pa.uint8(), nullable=False),
        pa.field("os_error", pa.int32(), nullable=False),
        pa.field("query", pa.binary(), nullable=False),
        pa.field("response", pa.binary()),
        pa.field("vantage", pa.string(), nullable=False),
        pa.field(CHECK_COLUMN, pa.uint32(), nullable=False),
    ]
)
# Text columns are read as indices into their dictionary.
COLUMNS_READ = pa.schema(
    [
        field.with_type(pa.dictionary(pa.int32(), field.type)) if field.name in TEXT_COLUMNS else field
        for field in COLUMNS
    ]
)

READ_ERRORS = (pa.ArrowException, OSError, ValueError, LookupError, OverflowError, MemoryError)
"""What reading a damaged file can raise."""


def reason(error: BaseException) -> str:
    """One line, fit to be printed, of what a library said about a damaged file."""
    return printable(str(error).strip().split("\n", 1)[0][:120])


T = TypeVar("T")


def record(recording: Recording, exchange: Exchange) -> None:
    """Add an exchange to the recording of its subject.

    Raises:
        OverflowError, TypeError: a value outside the range of its column.
    """
    x = exchange
    name = None if x.server_name is None else _name_text(x.server_name.wire)
    recording.add(
        x.seq, x.ask, name, _address_text(x.address), x.port, x.transport, x.attempt, x.sent_at_ns, x.rtt_us,
        x.local_port, x.status, x.os_error, x.query, x.response, x.vantage,
    )  # fmt: skip


def leaf_hashes(exchanges: Iterable[Exchange]) -> list[bytes]:
    """The leaf hash of each of a few exchanges, in their order; raises as `record`."""
    leaves = []
    for exchange in exchanges:
        recording = Recording(exchange.subject)
        record(recording, exchange)
        leaves.append(Rows.of([recording]).leaves())
    return leaves


def split_leaves(leaves: bytes) -> list[bytes]:
    """The leaf hashes one by one."""
    return [leaves[at : at + _LEAF_OCTETS] for at in range(0, len(leaves), _LEAF_OCTETS)]


def table_of(rows: Rows, leaves: bytes, first: int = 0, count: int = ROW_GROUP_ROWS) -> pa.Table:
    """The Parquet columns of `count` rows from `first` on, with their checks; `leaves` are those of all rows."""
    count = max(min(count, len(rows) - first), 0)
    checks = leaf_checks(leaves[first * _LEAF_OCTETS : (first + count) * _LEAF_OCTETS])
    columns = {**rows.columns(first, count), CHECK_COLUMN: (0, None, checks)}
    arrays = [_array(field, count, columns[field.name]) for field in COLUMNS_READ]
    return pa.Table.from_arrays(arrays, schema=COLUMNS_READ)


def _array(field: Any, count: int, column: tuple[Any, ...]) -> pa.Array:
    if field.name not in TEXT_COLUMNS:
        return pa.Array.from_buffers(field.type, count, list(map(_buffer, column[1:])))
    *buffers, words = column[1:]
    indices = pa.Array.from_buffers(pa.int32(), count, list(map(_buffer, buffers)))
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string()))


def _buffer(octets: bytes | None) -> pa.Buffer | None:
    return None if octets is None else pa.py_buffer(octets)


def rows_of(table: pa.Table) -> Rows:
    """The rows of Parquet columns, as they are.

    Raises:
        ValueError: a text is not UTF-8, or the columns do not fit together, as in a damaged file.
    """
    columns = {}
    for name in COLUMNS.names[:-1]:
        column = _whole(table.column(name))
        array, words = (column.indices, [column.dictionary.to_pylist()]) if name in TEXT_COLUMNS else (column, [])
        present, *values = array.buffers()
        columns[name] = (array.offset, None if present is None else _octets(present), *map(_octets, values), *words)
    return Rows.read(table.num_rows, columns)


def _octets(buffer: pa.Buffer | None) -> memoryview | bytes:
    """What a buffer holds, not copied."""
    return memoryview(buffer).cast("B") if buffer else b""


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece, its text with one dictionary."""
    if column.num_chunks == 1:
        return column.chunk(0)
    array = column.unify_dictionaries().combine_chunks()
    return pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array


def changed_rows(table: pa.Table, leaves: bytes) -> list[int]:
    """The rows whose check in the table is not that of their leaf."""
    checks, column = leaf_checks(leaves), table.column(CHECK_COLUMN)
    if column.num_chunks == 1 and _octets(column.chunk(0).buffers()[1]) == checks:
        return []  # mostly so, and 100 times faster
    stored = column_values(column)
    return [row for row, check in enumerate(memoryview(checks).cast("I")) if check != stored[row]]


def exchanges_from(table: pa.Table, segment: str, first_row: int) -> list[Exchange]:
    """The exchanges of Parquet columns; their references begin with row `first_row` of `segment`.

    Raises:
        ValueError, KeyError, InputError: a text that is no address or name, or a number without meaning.
    """
    refs = [EvidenceRef(f"{segment}:{row}") for row in range(first_row, first_row + table.num_rows)]
    columns = {name: column_values(table.column(name), _MEANING.get(name)) for name in COLUMNS.names[:-1]}
    return _filled(Exchange, len(refs), {**columns, "ref": refs})


def open_segment(path: Path, *, check_pages: bool = True) -> Any:
    """The Parquet file of a segment, opened for reading.

    Args:
        check_pages: refuse pages whose CRC does not fit.

    Raises:
        FileNotFoundError; READ_ERRORS: damaged, or it has not the columns and row groups of a segment.
    """
    parquet = pq.ParquetFile(path, read_dictionary=list(TEXT_COLUMNS), page_checksum_verification=check_pages)
    metadata = parquet.metadata
    sizes = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    full = [ROW_GROUP_ROWS] * len(sizes[:-1])
    if not parquet.schema_arrow.equals(COLUMNS_READ) or sizes[:-1] != full or max(sizes, default=0) > ROW_GROUP_ROWS:
        raise ValueError("its columns or row groups are not those of a segment")
    return parquet


def column_values(array: pa.Array | pa.ChunkedArray, meaning: Callable[[Any], Any] | None = None) -> Sequence[Any]:
    """Python values of one column, each passed through `meaning`; faster than `to_pylist` for a segment's types."""
    if isinstance(array, pa.ChunkedArray):
        chunks = [column_values(chunk, meaning) for chunk in array.chunks]
        return chunks[0] if len(chunks) == 1 else list(chain.from_iterable(chunks))
    if pa.types.is_dictionary(array.type):
        array.validate(full=True)  # in a damaged page an index may point beyond the dictionary
        if len(array) < len(array.dictionary):
            return column_values(array.dictionary_decode(), meaning)
        words = list(map(meaning or str, array.dictionary.to_pylist()))
        indices = column_values(array.indices)
        if not array.null_count:
            return list(map(words.__getitem__, indices))
        return [None if index is None else words[index] for index in indices]
    if not len(array):
        return []
    buffers, start, stop = array.buffers(), array.offset, array.offset + len(array)
    values: list[Any]
    if array.type in _CODES:
        values = list(memoryview(buffers[1]).cast(_CODES[array.type])[start:stop])
    elif pa.types.is_binary(array.type):
        ends = memoryview(buffers[1]).cast("i")[start : stop + 1].tolist()
        base = ends[0]
        octets = bytes(memoryview(buffers[2])[base : ends[-1]]) if buffers[2] else b""
        starts = [end - base for end in ends] if base else ends
        values = list(map(octets.__getitem__, starmap(slice, pairwise(starts))))
    else:
        values = array.to_pylist()
    if meaning is not None:
        values = [None if value is None else meaning(value) for value in values]
    if array.null_count:
        for row in _nulls(array):
            values[row] = None
    return values


def _nulls(array: pa.Array) -> Iterator[int]:
    """The rows without a value, read from the bitmap: what Arrow has for it takes longer to import than one zone."""
    bits = format(int.from_bytes(array.buffers()[0], "little"), "b")[::-1].ljust(array.offset + len(array), "0")
    row = bits.find("0", array.offset)
    while 0 <= row < array.offset + len(array):
        yield row - array.offset
        row = bits.find("0", row + 1)


def _filled(kind: type[T], size: int, fields: Mapping[str, Iterable[Any]]) -> list[T]:
    """`size` frozen objects of a slotted class, field by field: three times as fast as calling it for each."""
    objects = list(map(kind.__new__, repeat(kind, size)))
    for name, values in fields.items():
        deque(map(getattr(kind, name).__set__, objects, values), maxlen=0)
    return objects


_CODES: dict[Any, Any] = {
    pa.uint8(): "B", pa.uint16(): "H", pa.uint32(): "I", pa.int32(): "i", pa.int64(): "q",
}  # fmt: skip
# A survey meets the same addresses and names all the time.
_address_text = lru_cache(maxsize=1 << 16)(str)
_name_text = lru_cache(maxsize=1 << 16)(lambda wire: str(Name(wire)))
_name = lru_cache(maxsize=1 << 16)(Name.from_text)
_MEANING: dict[str, Callable[[Any], Any]] = {
    "address": parse_address,
    "server_name": _name,
    "transport": {int(transport): transport for transport in Transport}.__getitem__,
    "status": {int(status): status for status in Status}.__getitem__,
}
