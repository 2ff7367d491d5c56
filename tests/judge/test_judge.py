"""Judging a run: what is stored, that it is the same however it is made, and judging again."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from gnomon.base import InputError, Level, Name
from gnomon.checks import registry
from gnomon.checks.outcome import Outcome, outcome
from gnomon.checks.profile import load_profile
from gnomon.checks.view import ZoneView
from gnomon.evidence import EvidenceDir, Undelegated
from gnomon.judge import judge, judge_zone, replay, sentence, sentence_for, verdicts, views
from gnomon.judge.store import digests_table, read_made, run_digest
from gnomon.judge.verdict import NOTHING_SEEN
from gnomon.lab import Placement, build_world
from gnomon.sources import RoutingTable
from worlds import routes, survey

ZONES = [".", "test.", "other.test.", "example.test.", "nobody.test."]
FAULTS = [
    Placement("lame-refused", "28.7.7.53", Name.from_text("example.test.")),
    Placement("no-tcp", "ns2.example.test.", Name.from_text("example.test.")),
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Evidence of two zones."""
    return survey(build_world({}, FAULTS), tmp_path / "run", ZONES[:2]).path


@pytest.fixture
def table(tmp_path: Path) -> RoutingTable:
    return routes(build_world(), tmp_path / "asn.csv")


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Evidence of five zones with one zone to a segment."""
    monkeypatch.setattr("gnomon.survey.runner._SEGMENT_ZONES", 1)
    path = tmp_path / "several"
    evidence = survey(build_world({}, FAULTS), path, ZONES)
    assert len(list(evidence.zone_partitions())) > 2
    return path


def files(evidence: Path, profile: str = "default") -> tuple[bytes, bytes]:
    path = evidence / "verdicts" / f"{profile}.parquet"
    return path.read_bytes(), path.with_suffix(".json").read_bytes()


def test_summary_and_rows(several: Path) -> None:
    told: list[tuple[int, int]] = []
    summary = judge(several, progress=lambda done, total: told.append((done, total)))
    rows = list(verdicts(several))
    assert summary.zones == 5 and told[-1] == (5, 5)
    assert summary.verdicts == len(rows) == sum(summary.levels.values())
    assert summary.internal_errors == 0
    assert {verdict.zone for verdict in rows} == set(ZONES)
    assert [v.row for v in rows] == sorted(v.row for v in rows)
    refused = [v for v in rows if (v.zone, v.check_id, v.code) == ("example.test.", "del.lame", "refused")]
    assert [(v.subject, v.level, v.properties) for v in refused] == [
        ("ns1.example.test./28.7.7.53", "warning", ("reliability", "resiliency"))
    ]
    assert sentence(refused[0]) == "ns1.example.test/28.7.7.53 refuses to answer for example.test."
    evidence = EvidenceDir.open(several)
    shown = [evidence.exchange(ref) for ref in refused[0].evidence]
    assert {(x.ask, str(x.address)) for x in shown} == {("Q1", "28.7.7.53")}


def test_parquet_columns(several: Path) -> None:
    judge(several)
    table = pq.read_table(several / "verdicts" / "default.parquet")
    assert table.column_names == [
        "zone", "check_id", "check_version", "subject", "property", "properties", "code", "state", "level", "args",
        "evidence", "explanation", "profile",
    ]  # fmt: skip
    row = table.slice(0, 1).to_pylist()[0]
    assert row["property"] == row["properties"][0]
    assert row["profile"] == "default"
    assert json.dumps(json.loads(row["args"]), sort_keys=True, separators=(",", ":")) == row["args"]


def test_rows_are_the_same_in_small_row_groups(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(several)
    before = [verdict.row for verdict in verdicts(several)]
    monkeypatch.setattr("gnomon.judge.byzone._TABLE_ROWS", 7)
    judge(several)
    assert pq.ParquetFile(several / "verdicts" / "default.parquet").num_row_groups > 1
    assert [verdict.row for verdict in verdicts(several)] == before
    assert replay(several).differences == ()


def test_digest_can_be_computed_from_the_rows(several: Path) -> None:
    summary = judge(several)
    by_zone: dict[str, list[str]] = {}
    for verdict in verdicts(several):
        by_zone.setdefault(verdict.zone, []).append(verdict.row)
    digests = {zone: sha256("\n".join(of).encode()).hexdigest() for zone, of in sorted(by_zone.items())}
    assert run_digest([digests_table(digests)]) == summary.digest
    assert read_made(several, "default").digest == summary.digest


def test_same_octets_with_one_process_or_two(several: Path, table: RoutingTable) -> None:
    judge(several, routing=table)
    one = files(several)
    judge(several, routing=table, jobs=2)
    assert files(several) == one
    assert replay(several, jobs=2).differences == ()


@pytest.mark.parametrize(("seed", "zone"), [("1", "UTC"), ("2", "Asia/Tokyo"), ("3", "America/St_Johns")])
def test_same_octets_with_any_hash_seed_and_time_zone(several: Path, seed: str, zone: str) -> None:
    judge(several)
    before = files(several)
    code = "import sys, pathlib, gnomon.judge as j; j.judge(pathlib.Path(sys.argv[1]))"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
    subprocess.run([sys.executable, "-c", code, str(several)], env=environment, check=True)
    assert files(several) == before


def test_replay_finds_nothing_when_nothing_changed(several: Path) -> None:
    judge(several)
    result = replay(several)
    assert result.differences == ()
    assert result.zones == 5 and result.verdicts == len(list(verdicts(several)))


def test_replay_shows_what_another_rule_would_say(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(several)
    check = registry.all_checks()["cons.soa-mname"]

    def other(view: ZoneView) -> Iterator[Outcome]:
        yield outcome("one", value="somebody else", count=1)

    instead(monkeypatch, check, other)
    differences = replay(several).differences
    assert {d.verdict.check_id for d in differences} == {"cons.soa-mname"}
    assert {d.is_new for d in differences} == {True, False}


def test_replay_uses_the_stored_profile(several: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('extends = "default"\n[levels]\n"del.lame/refused" = "critical"\n')
    judge(several, load_profile(str(own)))
    own.unlink()
    assert replay(several, "own").differences == ()
    assert any(v.level == "critical" and v.code == "refused" for v in verdicts(several, "own"))


def test_replay_uses_the_stored_routes(run: Path, table: RoutingTable) -> None:
    judge(run, routing=table)
    assert any(v.code == "v4-diverse" for v in verdicts(run))
    assert replay(run).differences == ()


def test_only_some_checks(several: Path) -> None:
    judge(several, only=["syn", "net.udp"])
    assert {v.check_id.partition(".")[0] for v in verdicts(several)} == {"syn", "net"}
    assert {v.check_id for v in verdicts(several) if v.check_id.startswith("net")} == {"net.udp"}
    assert replay(several).differences == ()


def test_input_errors(several: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no check and no family of checks is called 'del\.nothing'"):
        judge(several, only=["del.nothing"])
    with pytest.raises(InputError, match="there is no profile 'strange'"):
        judge(several, "strange")
    with pytest.raises(InputError, match="no verdicts of the profile 'default'"):
        next(verdicts(several))
    with pytest.raises(InputError, match="no verdicts of the profile 'default'"):
        replay(several)
    judge(several)
    (several / "verdicts" / "default.json").write_text("{}")
    with pytest.raises(InputError, match="is damaged"):
        replay(several)
    (several / "verdicts" / "default.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="is damaged"):
        list(verdicts(several))


def test_a_check_that_raises_is_counted_and_does_not_stop_the_run(
    several: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = registry.all_checks()["cons.soa-mname"]

    def broken(view: ZoneView) -> Iterator[Outcome]:
        yield outcome("one", value="x", count=1)
        raise ZeroDivisionError(str(view))

    instead(monkeypatch, check, broken)
    summary = judge(several, only=["cons"])
    assert summary.internal_errors == 5
    failed = [v for v in verdicts(several) if v.code == "internal-error"]
    assert {(v.check_id, v.state, v.level) for v in failed} == {("cons.soa-mname", "unknown", "unknown")}
    assert sentence(failed[0]).startswith(
        "The check failed on . with an error of its own (ZeroDivisionError in broken)"
    )
    assert not [v for v in verdicts(several) if v.check_id == "cons.soa-mname" and v.code == "one"]


def test_judge_zone_in_memory(run: Path) -> None:
    view = next(view for view in views(EvidenceDir.open(run)) if view.is_tld)
    found = judge_zone(view, load_profile("default"), ["del"])
    assert {v.check_id.partition(".")[0] for v in found} == {"del"}
    assert [v.level for v in found if v.code == "delegated-two"] == ["notice"]


def test_undelegated_zone(tmp_path: Path) -> None:
    given = Undelegated(("ns1.example.test./28.7.7.53", "ns2.example.test./28.8.8.53"), ("1,13,2," + "AB" * 32,))
    evidence = survey(build_world(), tmp_path / "run", ["example.test."], {"example.test.": given})
    view = next(views(evidence))
    delegation = view.delegation()
    assert delegation is not None and delegation.given
    assert [str(name) for name in delegation.ns_names] == ["ns1.example.test.", "ns2.example.test."]
    assert delegation.ds is not None and delegation.ds.rdatas == (b"\x00\x01\x0d\x02" + b"\xab" * 32,)
    codes = {v.code for v in judge_zone(view, load_profile("default"), ["del.zone-exists", "del.any-server-works"])}
    assert codes == {"given", "works"}


def test_undelegated_ds_that_cannot_be_read(tmp_path: Path) -> None:
    given = Undelegated(("ns1.example.test./28.7.7.53",), ("1 13 2 XY",))
    evidence = survey(build_world(), tmp_path / "run", ["example.test."], {"example.test.": given})
    with pytest.raises(InputError, match="is no DS record"):
        next(views(evidence))


def test_no_check_passes_by_silence() -> None:
    """Of a zone of which nothing was recorded each check says that it is not known, or does not apply."""
    verdicts = judge_zone(ZoneView(Name.from_text("example.test."), ()), load_profile("default"))
    assert {v.check_id for v in verdicts} == set(registry.all_checks())
    silent = [v for v in verdicts if v.code == NOTHING_SEEN]
    assert silent and {v.level for v in silent} == {"unknown"}
    assert sentence(silent[0]) == "Nothing was seen of example.test that this could be judged by."


def test_sentences_are_safe_to_print() -> None:
    assert (
        sentence_for("del.lame", "refused", "x.", {"server": "a\x1b[31m\u202eb"})
        == "a\\x1b[31m\\u202eb refuses to answer for x."
    )
    assert sentence_for("del.lame", "refused", "x.", {}) == "del.lame/refused"
    assert sentence_for("del.gone", "code", "x.", {}) == "del.gone/code"
    many = {"names": [f"ns{i}.example." for i in range(40)], "count": 40}
    assert sentence_for("del.ns-count-min", "apex-enough", ".", many).endswith("ns11.example and 28 more.")
    assert sentence_for("del.ns-count-max", "no-names", ".", {}) == ". has no NS names."


def test_levels_come_from_the_profile(run: Path) -> None:
    view = next(view for view in views(EvidenceDir.open(run)) if view.is_root)
    levels = {v.level for v in judge_zone(view, load_profile("default"))}
    assert levels <= {level.word for level in Level}
    assert "not-applicable" in levels


def instead(monkeypatch: pytest.MonkeyPatch, check: registry.Check, judge: registry.Judge) -> None:
    """Let the check be judged by another function."""
    checks = {**registry.all_checks(), check.id: dataclasses.replace(check, judge=judge)}
    monkeypatch.setattr("gnomon.judge.zone.all_checks", lambda: checks)
