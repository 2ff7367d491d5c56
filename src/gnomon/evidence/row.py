"""One exchange as a stored row: its columns in Parquet, and the canonical octets that are hashed.

docs/formats/segment.md is the specification; `ROW_VERSION` is raised with any change of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise, repeat
from operator import attrgetter
from pathlib import Path
from struct import Struct
from typing import Any, TypeVar

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from gnomon.base import Name, Transport, parse_address, printable
from gnomon.engine import Status
from gnomon.evidence.exchange import EvidenceRef, Exchange

ROW_VERSION = 1
# Every row group but the last has so many rows: damage is named by row group where it cannot be named by row, and
# a reader holds one row group at a time.
ROW_GROUP_ROWS = 8192
TEXT_COLUMNS = ("subject", "address", "ask", "server_name", "vantage")
CHECK_COLUMN = "leaf_check"
# The first columns are the key by which rows are sorted.
ORDER_COLUMNS = 5
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

Values = list[Sequence[Any]]
"""The values of rows, column by column in the order of `COLUMNS`, without the check."""

_HEADER = Struct(">BBqqIHHHBBi7I")
_HAS_NAME, _HAS_RTT, _HAS_RESPONSE = 1, 2, 4


def in_order(by_subject: Mapping[str, Sequence[Exchange]]) -> list[Exchange]:
    """Exchanges, given by subject, in the order of a segment: subject, address, ask, attempt, seq.

    Text compares by code point, as its UTF-8 octets do.
    """
    out: list[Exchange] = []
    for subject in sorted(by_subject):
        group = by_subject[subject]
        addresses = _texts([e.address for e in group], _address_text)
        keys = [(text, e.ask, e.attempt, e.seq, at) for at, (text, e) in enumerate(zip(addresses, group, strict=True))]
        out += [group[key[-1]] for key in sorted(keys)]
    return out


def values_from(exchanges: Sequence[Exchange]) -> Values:
    """What is stored of exchanges."""
    values: Values = [list(map(attrgetter(name), exchanges)) for name in COLUMNS.names[:-1]]
    values[_ADDRESS] = _texts(values[_ADDRESS], _address_text)
    values[_NAME] = _texts(values[_NAME], lambda name: None if name is None else _name_text(name.wire))
    return values


def leaf_hashes(values: Values) -> list[bytes]:
    """SHA-256(0x00 || canonical row) of each row: 32 octets.

    Raises:
        struct.error, UnicodeEncodeError: a value outside the range of its column.
    """
    pack, join, octets = _HEADER.pack, b"".join, _Memo(str.encode)
    leaves = []
    for (
        subject, address, ask, attempt, seq, name, port, transport, sent, rtt, local_port, status, os_error,
        query, response, vantage,
    ) in zip(*values, strict=True):  # fmt: skip
        present = 0
        if name is None:
            name = ""
        else:
            present = _HAS_NAME
        if rtt is None:
            rtt = 0
        else:
            present |= _HAS_RTT
        if response is None:
            response = b""
        else:
            present |= _HAS_RESPONSE
        subject, address, ask = octets[subject], octets[address], octets[ask]
        name, vantage = octets[name], octets[vantage]
        header = pack(
            ROW_VERSION, present, seq, sent, rtt, port, local_port, attempt, transport, status, os_error,
            len(subject), len(address), len(ask), len(name), len(vantage), len(query), len(response),
        )  # fmt: skip
        row = join((b"\x00", header, subject, address, ask, name, vantage, query, response))
        leaves.append(sha256(row).digest())
    return leaves


def leaf_checks(leaves: Sequence[bytes]) -> Sequence[int]:
    """The short check of each row that is stored beside it: the first 4 octets of its leaf hash, big-endian."""
    return Struct(f">{len(leaves)}I").unpack(b"".join(leaf[:4] for leaf in leaves))


def table_from(values: Values, leaves: Sequence[bytes]) -> pa.Table:
    """The Parquet columns of rows with their checks.

    Raises:
        pyarrow.ArrowInvalid, OverflowError: a value outside the range of its column.
    """
    columns = [*values, leaf_checks(leaves)]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, COLUMNS, strict=True)]
    return pa.Table.from_arrays(arrays, schema=COLUMNS)


def stored_values(table: pa.Table) -> Values:
    """What is stored in Parquet columns, as it is.

    Raises:
        UnicodeDecodeError: a text is not UTF-8.
    """
    return [column_values(table.column(name)) for name in COLUMNS.names[:-1]]


def exchanges_from(table: pa.Table, segment: str, first_row: int) -> list[Exchange]:
    """The exchanges of Parquet columns; their references begin with row `first_row` of `segment`.

    Raises:
        ValueError, KeyError, InputError: a text that is no address or name, or a number without meaning.
    """
    rows = range(first_row, first_row + table.num_rows)
    refs = _filled(EvidenceRef, len(rows), {"segment": repeat(segment), "row": rows})
    columns = {name: column_values(table.column(name), _MEANING.get(name)) for name in COLUMNS.names[:-1]}
    return _filled(Exchange, len(rows), {**columns, "ref": refs})


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
        return [value for chunk in array.chunks for value in column_values(chunk, meaning)]
    if pa.types.is_dictionary(array.type):
        array.validate(full=True)  # in a damaged page an index may point beyond the dictionary
        if len(array) < len(array.dictionary):
            return column_values(array.dictionary_decode(), meaning)
        words = [*map(meaning or str, array.dictionary.to_pylist()), None]
        return [words[index] for index in column_values(array.indices.fill_null(len(words) - 1))]
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
        values = [octets[a - base : b - base] for a, b in pairwise(ends)]
    else:
        values = array.to_pylist()
    if meaning is not None:
        values = [None if value is None else meaning(value) for value in values]
    if array.null_count:
        for row in pc.indices_nonzero(array.is_null()).to_pylist():
            values[row] = None
    return values


def _texts(objects: Sequence[Any], text: Callable[[Any], str | None]) -> list[str | None]:
    """The text of each object, made once for objects that are the same one, as they mostly are in a survey."""
    ids = list(map(id, objects))
    texts = {key: text(one) for key, one in dict(zip(ids, objects, strict=True)).items()}
    return [texts[key] for key in ids]


def _filled(kind: type[T], size: int, fields: Mapping[str, Iterable[Any]]) -> list[T]:
    """`size` frozen objects of a slotted class, field by field: three times as fast as calling it for each."""
    objects = list(map(kind.__new__, repeat(kind, size)))
    for name, values in fields.items():
        deque(map(getattr(kind, name).__set__, objects, values), maxlen=0)
    return objects


class _Memo(dict[Any, Any]):
    """Remembers the results of a function of one argument."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> Any:
        value = self[key] = self._make(key)
        return value


_ADDRESS, _NAME = COLUMNS.names.index("address"), COLUMNS.names.index("server_name")
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
