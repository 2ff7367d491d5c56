"""One exchange as a stored row: its columns in Parquet, and the canonical octets that are hashed.

docs/formats/segment.md is the specification; `ROW_VERSION` is raised with any change of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from ipaddress import ip_address
from itertools import pairwise
from operator import attrgetter, itemgetter
from struct import Struct
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from gnomon.base import Address, Name, Transport
from gnomon.engine import Status
from gnomon.evidence.exchange import EvidenceRef, Exchange

ROW_VERSION = 1
# Damage is named by row group where it cannot be named by row, and a reader holds one row group at a time.
ROW_GROUP_ROWS = 8192
TEXT_COLUMNS = ("subject", "address", "ask", "server_name", "vantage")
CHECK_COLUMN = "leaf_check"
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

READ_ERRORS = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)
"""What reading a damaged file can raise."""

Row = tuple[Any, ...]
"""The values of one row in the order of `COLUMNS`, without the check."""

order_of = itemgetter(0, 1, 2, 3, 4)
"""The key by which the rows of a segment are sorted; text compares by code point, as its UTF-8 octets do."""

_FIELDS = attrgetter(*COLUMNS.names[:-1])
_HEADER = Struct(">BBqqIHHHBBi7I")
_HAS_NAME, _HAS_RTT, _HAS_RESPONSE = 1, 2, 4


def rows_of(exchanges: Iterable[Exchange]) -> list[Row]:
    """The rows of `exchanges`, in the order they come."""
    # Addresses and names are shared objects in a survey: the text of each object is made once. They stay alive
    # in the rows' source while this runs, so their ids are theirs alone.
    texts: dict[int, str | None] = {id(None): None}
    out = []
    for subject, address, ask, attempt, seq, name, *rest in map(_FIELDS, exchanges):
        address_text = texts.get(id(address))
        if address_text is None:
            address_text = texts[id(address)] = str(address)
        if id(name) not in texts:
            texts[id(name)] = str(name)
        out.append((subject, address_text, ask, attempt, seq, texts[id(name)], *rest))
    return out


def leaf_hashes(rows: Iterable[Row]) -> Iterator[bytes]:
    """SHA-256(0x00 || canonical row) of each row: 32 octets.

    Raises:
        struct.error, UnicodeEncodeError: a value outside the range of its column.
    """
    pack, octets = _HEADER.pack, _Memo(str.encode)
    for (
        subject, address, ask, attempt, seq, name, port, transport, sent, rtt, local_port, status, os_error,
        query, response, vantage,
    ) in rows:  # fmt: skip
        subject_, address_, ask_, vantage_ = octets[subject], octets[address], octets[ask], octets[vantage]
        name_ = b"" if name is None else octets[name]
        response_ = b"" if response is None else response
        present = (name is not None) | (rtt is not None) << 1 | (response is not None) << 2
        header = pack(
            ROW_VERSION, present, seq, sent, rtt or 0, port, local_port, attempt, transport, status, os_error,
            len(subject_), len(address_), len(ask_), len(name_), len(vantage_), len(query), len(response_),
        )  # fmt: skip
        yield sha256(b"".join((b"\x00", header, subject_, address_, ask_, name_, vantage_, query, response_))).digest()


def leaf_check(leaf: bytes) -> int:
    """The short check of a row that is stored beside it: the first 4 octets of its leaf hash, big-endian."""
    return int.from_bytes(leaf[:4], "big")


def columns_from(rows: Sequence[Row], leaves: Iterable[bytes]) -> pa.Table:
    """The Parquet columns of `rows` with their checks.

    Raises:
        pyarrow.ArrowInvalid, OverflowError: a value outside the range of its column.
    """
    values: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * (len(COLUMNS) - 1)
    values.append([leaf_check(leaf) for leaf in leaves])
    arrays = [pa.array(column, field.type) for column, field in zip(values, COLUMNS, strict=True)]
    return pa.Table.from_arrays(arrays, schema=COLUMNS)


def rows_from(columns: pa.Table) -> Iterator[Row]:
    """The rows of Parquet columns as they are stored (text columns may be dictionary encoded)."""
    for batch in columns.select(COLUMNS.names[:-1]).to_batches():
        yield from zip(*map(values_of, batch.columns), strict=True)


def exchanges_from(columns: pa.Table, segment: str, first_row: int) -> Iterator[Exchange]:
    """The exchanges of Parquet columns; their references begin with row `first_row` of `segment`.

    Raises:
        ValueError, InputError: a text that is no address or name, or a number without meaning.
    """
    addresses: dict[str, Address] = _Memo(ip_address)
    names: dict[str | None, Name | None] = _Memo(Name.from_text)
    names[None] = None
    transports, statuses = {int(t): t for t in Transport}, {int(s): s for s in Status}
    row = first_row
    for (
        subject, address, ask, attempt, seq, name, port, transport, sent, rtt, local_port, status, os_error,
        query, response, vantage,
    ) in rows_from(columns):  # fmt: skip
        yield Exchange(
            seq, subject, ask, names[name], addresses[address], port, transports[transport], attempt, sent, rtt,
            local_port, statuses[status], os_error, query, response, vantage, EvidenceRef(segment, row),
        )  # fmt: skip
        row += 1


class _Memo(dict[Any, Any]):
    """Remembers the results of a function of one argument."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> Any:
        value = self[key] = self._make(key)
        return value


_CODES: dict[Any, Any] = {pa.uint8(): "B", pa.uint16(): "H", pa.uint32(): "I", pa.int32(): "i", pa.int64(): "q"}


def values_of(array: pa.Array | pa.ChunkedArray) -> Sequence[Any]:
    """Python values of one column; several times faster than `to_pylist` for the types of a segment."""
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in values_of(chunk)]
    if pa.types.is_dictionary(array.type):
        words = [*array.dictionary.to_pylist(), None]
        return [words[index] for index in values_of(array.indices.fill_null(len(words) - 1))]
    if not len(array):
        return ()
    buffers, start, stop = array.buffers(), array.offset, array.offset + len(array)
    values: list[Any]
    if array.type in _CODES:
        values = list(memoryview(buffers[1]).cast(_CODES[array.type])[start:stop])
    elif pa.types.is_binary(array.type):
        ends = memoryview(buffers[1]).cast("i")[start : stop + 1].tolist()
        octets = memoryview(buffers[2] or b"")
        values = [bytes(octets[a:b]) for a, b in pairwise(ends)]
    else:
        return array.to_pylist()  # type: ignore[no-any-return]
    if array.null_count:
        for row in pc.indices_nonzero(array.is_null()).to_pylist():
            values[row] = None
    return values
