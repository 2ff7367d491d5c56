from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_zones import signed

from gnomon.cli import run

AT = "2027-01-15T08:00:00Z"


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    path = tmp_path / "zone"
    path.write_text("\n".join(signed("nsec")) + "\n")
    return path


def test_audit(zone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["zonefile", "audit", str(zone), "--at", AT]) == 0
    out = capsys.readouterr().out
    assert "zonefile.nsec/complete" in out and out.endswith("Verdict: pass\n")
    assert run(["zonefile", "audit", str(zone), "--at", "2027-02-15"]) == 1
    assert "zonefile.signatures/expired" in capsys.readouterr().out
    assert run(["zonefile", "audit", str(zone), "--at", "2027-02-15", "--fail-level", "critical"]) == 0


def test_formats(zone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["zonefile", "audit", str(zone), "--at", AT, "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["zone"] == "ex." and report["summary"]["delegations"] == 4 and len(report["sha256"]) == 64
    assert run(["zonefile", "audit", str(zone), "--at", AT, "--format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows == report["verdicts"]
    keys = {"zone", "check_id", "check_version", "subject", "properties", "code", "state", "level", "args", "evidence"}
    assert set(rows[0]) == keys | {"sentence"}


def test_bad_input(zone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["audit", str(zone), "--at", "never"],
        ["audit", str(zone), "--at", "9999-01-01"],
        ["audit", str(zone), "--origin", "a..b"],
        ["audit", str(tmp_path / "absent")],
        ["diff", str(zone), str(tmp_path / "other")],
    ):
        (tmp_path / "other").write_text("o. 1 IN SOA a. b. 1 1 1 1 1\n")
        assert run(["zonefile", *arguments]) == 2
        assert capsys.readouterr().err.startswith("gnomon: ")
    zone.write_text(zone.read_text() + "wrong\n")
    assert run(["zonefile", "diff", str(zone), str(zone)]) == 2
    assert "line " in capsys.readouterr().err


def test_diff(zone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = tmp_path / "new"
    lines = [line.replace("192.0.2.4", "192.0.2.44") for line in signed("nsec") if " RRSIG MX " not in line]
    new.write_text("\n".join(reversed(lines)) + "\nfar.ex. 60 IN NS NS.other.test.\n")
    assert run(["zonefile", "diff", str(zone), str(zone)]) == 0
    capsys.readouterr()
    assert run(["zonefile", "diff", str(zone), str(new)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "+ far.ex. 60 IN NS ns.other.test.",
        "- ns1.ins.ex. 3600 IN A 192.0.2.4",
        "+ ns1.ins.ex. 3600 IN A 192.0.2.44",
        "1 records removed, 2 added; 1 further changes of records that signing makes",
    ]
