"""Tables whose texts, which come again and again, are indices into the different ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from gnomon._core import TextColumn

TEXTS = pa.dictionary(pa.int32(), pa.string())
TEXT_LISTS = pa.list_(TEXTS)
Piece = tuple[int, int, int]
"""Rows of one of several tables: which table, its first row, how many."""
_INDEX_OCTETS = 4


def numbers(octets: bytes) -> pa.Int32Array:
    """A column of int32."""
    return pa.Array.from_buffers(pa.int32(), len(octets) // _INDEX_OCTETS, [None, pa.py_buffer(octets)])


def texts(indices: bytes, words: tuple[bytes, bytes]) -> pa.DictionaryArray:
    """A column of `TEXTS`, as the core makes it."""
    ends, octets = words
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(octets)]
    different = pa.Array.from_buffers(pa.string(), len(ends) // _INDEX_OCTETS - 1, buffers)
    return pa.DictionaryArray.from_arrays(numbers(indices), different, safe=False)


def text_lists(ends: bytes, of: tuple[bytes, tuple[bytes, bytes]]) -> pa.ListArray:
    """A column of `TEXT_LISTS`, as the core makes it."""
    return pa.ListArray.from_arrays(numbers(ends), texts(*of))


def plain(table: pa.Table) -> pa.Table:
    """The same table with texts in place of indices, as it is read back."""
    for at, field in enumerate(table.schema):
        if field.type == TEXTS:
            table = table.set_column(at, field.name, _whole(table.column(at)).dictionary_decode())
        elif field.type == TEXT_LISTS:
            lists = _whole(table.column(at))
            lists = pa.ListArray.from_arrays(lists.offsets, lists.values.dictionary_decode())
            table = table.set_column(at, field.name, lists)
    return table


class Gathering:
    """Takes rows of several tables with the same columns, and has no more words for them than they use."""

    def __init__(self, tables: Sequence[pa.Table]) -> None:
        self._schema = tables[0].schema
        self._columns = [_column(kind, [_whole(table.column(at)) for table in tables])
                         for at, kind in enumerate(self._schema.types)]  # fmt: skip

    def take(self, pieces: Sequence[Piece]) -> pa.Table:
        """The rows of one piece or more, in their order.

        Words are in the order in which they first appear: they do not depend on where the rows came from.
        """
        arrays = []
        for kind, column in zip(self._schema.types, self._columns, strict=True):
            if isinstance(column, TextColumn):
                ends, of = column.take(pieces)
                arrays.append(text_lists(ends, of) if kind == TEXT_LISTS else texts(*of))
            else:
                arrays.append(pa.concat_arrays([column[part].slice(first, count) for part, first, count in pieces]))
        return pa.Table.from_arrays(arrays, schema=self._schema)


def _column(kind: pa.DataType, parts: list[pa.Array]) -> TextColumn | list[pa.Array]:
    if kind == TEXTS:
        return TextColumn([(None, *_indices_and_words(part)) for part in parts])
    if kind == TEXT_LISTS:
        return TextColumn([(_int32(part.offsets), *_indices_and_words(part.values)) for part in parts])
    return parts


def _indices_and_words(array: pa.DictionaryArray) -> tuple[memoryview, tuple[memoryview, memoryview]]:
    words = array.dictionary
    _, ends, octets = words.buffers()
    return _int32(array.indices), (_octets(ends, words.offset, len(words) + 1), memoryview(octets or b"").cast("B"))


def _int32(array: pa.Int32Array) -> memoryview:
    return _octets(array.buffers()[1], array.offset, len(array))


def _octets(buffer: pa.Buffer | None, first: int, count: int) -> memoryview:
    octets = memoryview(buffer or b"").cast("B")
    return octets[first * _INDEX_OCTETS : (first + count) * _INDEX_OCTETS]


def _whole(column: pa.ChunkedArray) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.unify_dictionaries().chunks)
