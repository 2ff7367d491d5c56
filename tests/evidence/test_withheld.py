"""Withheld rows: their content is gone from the disk, and all that is said about the others can still be proven."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from gnomon.base import InputError, Name
from gnomon.evidence import EvidenceDir, verify
from gnomon.evidence.excerpt import excerpt
from gnomon.evidence.log import EvidenceLog
from gnomon.evidence.logged import check_receipts, enter
from gnomon.evidence.withheld import read_withheld, withhold
from gnomon.judge import judge, replay
from gnomon.judge.claim import check_claim, make_claim
from gnomon.lab import build_world
from worlds import survey

SECRET = b"\x07example\x04test"


@pytest.fixture
def run(tmp_path: Path) -> EvidenceDir:
    run = survey(build_world(), tmp_path / "run", ["example.test.", "test."])
    judge(run.path)
    return run


def rows_of(run: EvidenceDir, subject: str) -> list[int]:
    return [x.ref.row for x in run.exchanges({subject}) if x.ref is not None]


def test_what_is_withheld_is_gone_and_the_rest_is_proven(run: EvidenceDir, tmp_path: Path) -> None:
    log = EvidenceLog.create(tmp_path / "log", "example.org/review")
    enter(log, run.path)
    (manifest,) = run.manifests()
    rows = rows_of(run, "zone example.test.")
    some = next(run.exchanges({"zone example.test."}))
    before, leaves = list(run.exchanges()), run.leaves(manifest)

    assert withhold(run.path, manifest, rows, "asked for by the registrant") == len(rows) > 10
    after = EvidenceDir.open(run.path)
    assert list(after.exchanges()) == [x for x in before if x.subject != "zone example.test."]
    report = verify(run.path)
    assert not report.problems and report.rows == len(before)
    assert after.leaves(manifest) == leaves
    assert check_receipts(run.path, log.verifier).unlogged == ("withheld/000001.json",)
    assert not check_receipts(run.path, log.verifier).problems
    octets = (run.path / manifest.file).read_bytes()
    table = pq.read_table(run.path / manifest.file)
    assert all(table.column("query")[row].as_py() == b"" for row in rows) and some.query not in octets
    with pytest.raises(InputError, match=r"withheld on .*asked for by the registrant"):
        after.exchange(some.ref or "")

    for part in excerpt(after, after.exchanges({"zone test."})):
        assert not list(part.problems())
    claim = make_claim(run.path, Name.from_text("test."))
    assert not check_claim(claim, log.verifier).problems


def test_replay_names_what_cannot_be_judged_again(run: EvidenceDir) -> None:
    assert replay(run.path).partial == ()
    (manifest,) = run.manifests()
    withhold(run.path, manifest, rows_of(run, "zone example.test.")[:1], "x")
    again = replay(run.path)
    assert again.partial == ("example.test.",) and not again.differences
    withhold(run.path, manifest, rows_of(EvidenceDir.open(run.path), "cut .")[:1], "shared by all")
    assert replay(run.path).partial == ("example.test.", "test.")


def test_twice_and_interrupted(run: EvidenceDir, tmp_path: Path) -> None:
    (manifest,) = run.manifests()
    whole = (run.path / manifest.file).read_bytes()
    assert withhold(run.path, manifest, [3], "first") == 1
    assert withhold(run.path, manifest, [3, 4], "second") == 1
    record = read_withheld(run.path, manifest)
    assert record is not None and {row: one.reason for row, one in record.rows.items()} == {3: "first", 4: "second"}
    assert not verify(run.path).problems

    (run.path / manifest.file).write_bytes(whole)  # stopped between the record and the segment
    assert any("withhold them again" in str(problem) for problem in verify(run.path).problems)
    withhold(run.path, manifest, [], "again")
    assert not verify(run.path).problems

    shutil.copytree(run.path, tmp_path / "copy")
    record_file = tmp_path / "copy" / "withheld" / manifest.name
    record_file.write_bytes(record_file.read_bytes().replace(b"first", b"never"))
    assert any("changed after it was written" in str(problem) for problem in verify(tmp_path / "copy").problems)
    with pytest.raises(InputError, match="not one of them"):
        withhold(run.path, manifest, [10**6], "x")


def test_a_forged_record_hides_nothing(run: EvidenceDir) -> None:
    """Who puts another leaf hash into the record, to exchange a row, changes the root."""
    (manifest,) = run.manifests()
    withhold(run.path, manifest, [3], "x")
    record = read_withheld(run.path, manifest)
    assert record is not None
    forged = type(record)(
        record.run_id, record.segment_root, record.file_sha256, record.file_size_octets,
        {3: type(record.rows[3])("0" * 64, "x", record.rows[3].at)},
    )  # fmt: skip
    (run.path / "withheld" / manifest.name).write_bytes(forged.to_octets())
    assert verify(run.path).problems
