"""Damage is found, and named as narrowly as it can be told."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon._core import leaf_checks
from gnomon.evidence import EvidenceDir, Exchange, Manifest, RunInfo, verify
from gnomon.evidence.row import COLUMNS_READ, ROW_GROUP_ROWS, TEXT_COLUMNS, rows_of
from gnomon.evidence.verify import Problem

Make = Callable[..., Exchange]
Store = Callable[..., EvidenceDir]

ROWS = ROW_GROUP_ROWS + 100


@pytest.fixture
def evidence(store: Store, make: Make) -> EvidenceDir:
    """Two segments; the first has two row groups."""
    exchanges = [make("zone a.", response=os.urandom(40)) for _ in range(ROWS - 1)]
    return store([make("server 192.0.2.1", "S1"), *exchanges, make("zone b.")], ["a."], ["b."])


def _file(evidence: EvidenceDir, index: int = 0) -> Path:
    return evidence.path / evidence.manifests()[index].file


Row = dict[str, object]


def _rewrite(file: Path, change: Callable[[list[Row]], list[Row]], *, new_checks: bool = False) -> None:
    """Change rows in a well-formed file, as somebody might who means to deceive."""
    table = pq.read_table(file, read_dictionary=list(TEXT_COLUMNS))
    changed = pa.Table.from_pylist(change(table.to_pylist()), COLUMNS_READ)
    if new_checks:
        checks = leaf_checks(rows_of(changed).leaves())
        new = pa.Array.from_buffers(pa.uint32(), changed.num_rows, [None, pa.py_buffer(checks)])
        changed = changed.set_column(16, COLUMNS_READ.field(16), new)
    pq.write_table(changed, file, row_group_size=ROW_GROUP_ROWS)


def _problems(evidence: EvidenceDir) -> tuple[Problem, ...]:
    return verify(evidence.path).problems


def test_nothing_is_wrong_and_progress_is_told(evidence: EvidenceDir) -> None:
    told: list[tuple[int, int]] = []
    report = verify(evidence.path, lambda done, total: told.append((done, total)))
    assert report.problems == ()
    assert (report.segments, report.rows) == (2, ROWS + 1)
    assert told == [(ROW_GROUP_ROWS, ROWS + 1), (ROWS, ROWS + 1), (ROWS + 1, ROWS + 1)]


def test_a_changed_row_is_named(evidence: EvidenceDir) -> None:
    row = ROW_GROUP_ROWS + 17

    def change(rows: list[Row]) -> list[Row]:
        return [*rows[:row], {**rows[row], "response": b"forged"}, *rows[row + 1 :]]

    _rewrite(_file(evidence), change)
    digest, changed = _problems(evidence)
    assert "digest differs" in digest.what
    assert changed.rows == range(row, row + 1)
    assert changed.segment == evidence.manifests()[0].segment_root
    assert str(changed) == f"{evidence.manifests()[0].file}, row {row}: the row was changed: its check differs"


def test_changed_checks_do_not_hide_a_changed_row(evidence: EvidenceDir) -> None:
    _rewrite(_file(evidence), lambda rows: [{**rows[0], "rtt_us": 1}, *rows[1:]], new_checks=True)
    _, root = _problems(evidence)
    assert "Merkle root differs" in root.what and root.rows == range(ROWS)


def test_rows_out_of_order_are_named(evidence: EvidenceDir) -> None:
    _rewrite(_file(evidence), lambda rows: [*rows[:5], rows[6], rows[5], *rows[7:]], new_checks=True)
    assert [(p.rows, p.what[:12]) for p in _problems(evidence)[1:]] == [(range(6, 7), "out of order")]


def test_a_row_of_a_zone_that_is_not_finished_here_is_named(evidence: EvidenceDir) -> None:
    _rewrite(_file(evidence, 1), lambda rows: [{**rows[0], "subject": "zone c."}], new_checks=True)
    assert "zone c. is not among" in _problems(evidence)[1].what


def test_missing_rows_are_told(evidence: EvidenceDir) -> None:
    _rewrite(_file(evidence), lambda rows: rows[:-3], new_checks=True)
    assert f"has {ROWS - 3} rows, not {ROWS}" in _problems(evidence)[1].what


def test_a_flipped_bit_in_a_response_names_row_and_column(evidence: EvidenceDir) -> None:
    file, row = _file(evidence), 5000
    octets = bytearray(file.read_bytes())
    # Random octets are stored as they are, so the response can be found in the file.
    response = next(e for e in evidence.exchanges() if e.ref and e.ref.row == row).response
    assert response is not None
    at = octets.find(response[8:24])
    assert at > 0
    octets[at] ^= 4
    file.write_bytes(octets)
    _, changed = _problems(evidence)
    assert (changed.rows, changed.columns) == (range(row, row + 1), ("response",))


def test_octets_that_cannot_be_unpacked_name_the_row_group_and_the_column(evidence: EvidenceDir) -> None:
    file = _file(evidence)
    column = pq.ParquetFile(file).metadata.row_group(1).column(13)
    assert column.path_in_schema == "query"
    octets = bytearray(file.read_bytes())
    start = column.data_page_offset
    octets[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    file.write_bytes(octets)
    _, lost = _problems(evidence)
    assert (lost.rows, lost.columns) == (range(ROW_GROUP_ROWS, ROWS), ("query",))
    assert "lost" in lost.what


def test_a_file_that_is_no_parquet_is_named(evidence: EvidenceDir) -> None:
    _file(evidence, 1).write_bytes(b"PAR1 no more")
    assert "footer" in _problems(evidence)[1].what
    pq.write_table(pa.table({"x": [1]}), _file(evidence, 1))
    assert "it is no segment" in _problems(evidence)[1].what
    table = pq.read_table(_file(evidence)).slice(0, 0)
    pq.write_table(table.append_column("more", pa.array([], pa.int8())), _file(evidence, 1))
    assert "not those of a segment" in _problems(evidence)[1].what


def test_missing_and_extra_files_are_named(evidence: EvidenceDir) -> None:
    shutil.copy(_file(evidence), _file(evidence).with_name("f" * 64 + ".parquet"))
    _file(evidence, 1).unlink()
    (evidence.path / "segments" / "note.txt").write_text("x")
    (evidence.path / "segments" / "half.parquet.tmp").write_text("x")
    found = {problem.file: problem.what for problem in _problems(evidence)}
    assert set(found) == {f"segments/{'f' * 64}.parquet", evidence.manifests()[1].file, "segments/note.txt"}
    assert "missing" in found[evidence.manifests()[1].file]


def test_a_missing_manifest_is_told(evidence: EvidenceDir) -> None:
    (evidence.path / "manifests" / "000001.json").unlink()
    problems = _problems(evidence)
    assert any("lacks manifest 000001.json" in problem.what for problem in problems)
    assert any(problem.segment == evidence.manifests()[0].segment_root for problem in problems)


def test_damaged_json_and_zones_are_told(evidence: EvidenceDir) -> None:
    for file in ("run.json", "zones.txt", "manifests/000002.json"):
        with (evidence.path / file).open("ab") as out:
            out.write(b" ")
    assert [p.file.partition("/")[0] for p in _problems(evidence)] == ["run.json", "manifests", "segments"]
    shutil.rmtree(evidence.path / "manifests")
    (evidence.path / "run.json").unlink()
    assert _problems(evidence)[0].what.startswith("run.json") or "run.json" in _problems(evidence)[0].file


def test_a_changed_zone_list_is_told(evidence: EvidenceDir) -> None:
    (evidence.path / "zones.txt").write_text("c.\n")
    assert [problem.file for problem in _problems(evidence)] == ["zones.txt"]


def test_a_zone_finished_twice_is_told(evidence: EvidenceDir) -> None:
    first, second = evidence.manifests()
    forged = replace(second, zones=("a.", "b."))
    (evidence.path / "manifests" / second.name).write_bytes(forged.to_octets())
    assert ["a. is listed as finished a second time" in p.what for p in _problems(evidence)] == [True]
    assert first.name == "000001.json"


def test_a_manifest_of_another_run_is_told(evidence: EvidenceDir) -> None:
    first, second = evidence.manifests()
    forged = replace(second, run_id="another", previous_sha256="1" * 64)
    (evidence.path / "manifests" / second.name).write_bytes(forged.to_octets())
    text = " ".join(problem.what for problem in _problems(evidence))
    assert "of another run" in text and "does not follow" in text and first.sequence == 1


def test_no_directory_and_an_empty_one(tmp_path: Path) -> None:
    assert [p.what for p in verify(tmp_path / "none").problems] == ["there is no such directory"]
    assert verify(tmp_path).problems != ()


def test_complaints_are_bounded(evidence: EvidenceDir) -> None:
    _rewrite(_file(evidence), lambda rows: [{**row, "rtt_us": 7} for row in rows])
    problems = _problems(evidence)
    assert len(problems) == 101
    assert f"{ROWS + 1 - 100} more problems" in problems[-1].what


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_flipped_bit_escapes_and_none_raises(
    tmp_path: Path, run_info: RunInfo, make: Make, store: Store, data: st.DataObject
) -> None:
    if not (tmp_path / "run").exists():
        store([make("zone a.", response=os.urandom(20)) for _ in range(300)], ["a."])
    path = tmp_path / "run"
    file = data.draw(st.sampled_from(sorted(file for file in path.rglob("*") if file.is_file())))
    before = file.read_bytes()
    octets = bytearray(before)
    if data.draw(st.booleans()):
        octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del octets[data.draw(st.integers(0, len(octets) - 1)) :]
    file.write_bytes(octets)
    try:
        problems = verify(path).problems
        assert problems
        assert any(file.name in str(problem) for problem in problems)
    finally:
        file.write_bytes(before)
    assert sha256(file.read_bytes()).digest() == sha256(before).digest()
    assert isinstance(EvidenceDir.open(path).manifests()[0], Manifest)
