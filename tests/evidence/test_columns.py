"""Columns read into Python values, rows without a value among them."""

from __future__ import annotations

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.evidence.row import column_values

VALUES = {
    "uint32": (pa.uint32(), st.integers(0, 2**32 - 1)),
    "string": (pa.dictionary(pa.int32(), pa.string()), st.sampled_from(("a", "b", ""))),
    "binary": (pa.binary(), st.binary(max_size=4)),
}


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_values_and_gaps_come_as_they_were_put_in_from_any_row_on(kind: str, data: st.DataObject) -> None:
    arrow, one = VALUES[kind]
    values = data.draw(st.lists(st.none() | one, max_size=40))
    start = data.draw(st.integers(0, len(values)))
    array = pa.array(values, arrow)[start:]
    assert list(column_values(array)) == values[start:]
    assert list(column_values(pa.chunked_array([array, array]))) == 2 * values[start:]
