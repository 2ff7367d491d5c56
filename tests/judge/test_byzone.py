"""Rows of many zones put in order, in memory and by way of files."""

from __future__ import annotations

import pyarrow as pa
import pytest

from gnomon.judge.byzone import ByZone


def batch(zones: list[str], first: int) -> pa.Table:
    rows = [(zone, first + at) for zone in zones for at in range(3)]
    texts = pa.array([f"row {at}" for _, at in rows]).dictionary_encode()
    return pa.table({"zone": [zone for zone, _ in rows], "at": [at for _, at in rows], "text": texts})


@pytest.mark.parametrize("held", [1, 10, 1000])
def test_order_of_zones_and_of_their_rows(held: int) -> None:
    zones = [f"z{number:02}." for number in range(20)]
    with ByZone(zones, range_zones=3, rows_held=held) as rows:
        for first, of in ((0, zones[5:9]), (100, zones[:5]), (200, zones[14:]), (300, zones[9:14])):
            rows.add(batch(of, first))
        found = [row for table in rows.tables() for row in table.to_pylist()]
    assert [row["zone"] for row in found] == [zone for zone in zones for _ in range(3)]
    assert all(row["text"] == f"row {row['at']}" for row in found)
    assert [row["at"] for row in found[:3]] == [100, 101, 102]


def test_no_rows() -> None:
    with ByZone([]) as rows:
        rows.add(batch([], 0))
        assert list(rows.tables()) == []
