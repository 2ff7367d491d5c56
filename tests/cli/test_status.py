"""Exit statuses of `assess`: 0 done, 1 something is at or above --fail-level, 2 not done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Gnomon
from gnomon.base import Level
from gnomon.cli.verdicts import Assessed, print_all
from gnomon.judge import Verdict


@pytest.fixture(scope="module")
def own_profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Makes what every healthy zone has a warning."""
    path = tmp_path_factory.mktemp("profile") / "strict.toml"
    path.write_text('extends = "default"\n[levels]\n"del.lame/none-lame" = "warning"\n', "utf-8")
    return path


@pytest.mark.parametrize(
    ("fail_level", "status"),
    [("never", 0), ("critical", 0), ("error", 0), ("warning", 1), ("notice", 1), ("info", 1)],
)
def test_fail_level(
    gnomon: Gnomon, lab: Path, zones: list[str], own_profile: Path, fail_level: str, status: int
) -> None:
    done = gnomon("assess", zones[0], "--lab", lab, "--only", "del.lame", "--profile", own_profile, "--format", "jsonl",
                  "--fail-level", fail_level)  # fmt: skip
    assert (done.status, done.err) == (status, "")
    assert [json.loads(line)["level"] for line in done.out.splitlines()] == [Level.WARNING.word]


def test_a_zone_that_does_not_exist_is_found_out_not_an_error(gnomon: Gnomon, lab: Path) -> None:
    done = gnomon("assess", "no-such-zone.", "--lab", lab)
    assert (done.status, done.err) == (1, "")
    assert "del.zone-exists/no-such-zone" in done.out


def test_why_next_to_nothing_is_known_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = Verdict(
        "nobody.test.", "del.zone-exists", 1, "", ("reliability",), "no-parent-answer", "unknown", "unknown", {}, ()
    )
    print_all([Assessed("nobody.test.", [verdict], 0, 0, None)], "text")
    out = capsys.readouterr().out
    assert "nothing asked" in out
    assert "No server of the parent of nobody.test answered." in out


def test_zones_in_any_spelling_are_assessed_once(gnomon: Gnomon, lab: Path, zones: list[str], tmp_path: Path) -> None:
    zone = zones[0].rstrip(".")
    done = gnomon("assess", zone.upper(), zone, f"{zone}.", "--lab", lab, "--format", "json", "--evidence",
                  tmp_path / "kept")  # fmt: skip
    assert done.status == 0
    assert [found["zone"] for found in json.loads(done.out)] == [f"{zone}."]
    assert gnomon("verify", tmp_path / "kept").status == 0


def test_the_lab_brings_its_routing_table(gnomon: Gnomon, lab: Path, zones: list[str]) -> None:
    done = gnomon("assess", zones[0], "--lab", lab, "--only", "res.as-diversity", "--format", "jsonl")
    assert all(json.loads(line)["state"] != "unknown" for line in done.out.splitlines())
