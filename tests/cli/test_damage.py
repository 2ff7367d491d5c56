"""Damaged evidence and verdicts: verify names the damage, what needs them refuses, judging again mends verdicts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Gnomon, is_refusal


def segment(run: Path) -> Path:
    return next((run / "segments").iterdir())


def manifest(run: Path) -> Path:
    return next((run / "manifests").iterdir())


def flip(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 4
    path.write_bytes(octets)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def scramble(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[100:400] = bytes(octet ^ 0x55 for octet in octets[100:400])
    path.write_bytes(octets)


def other_version(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace('"schema_version": 1', '"schema_version": 9'), "utf-8")


EVIDENCE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a flipped bit in the segment": (lambda run: flip(segment(run)), "segments/"),
    "a truncated segment": (lambda run: truncate(segment(run)), "segments/"),
    "an empty segment": (lambda run: segment(run).write_bytes(b""), "segments/"),
    "a missing segment": (lambda run: segment(run).unlink(), "segments/"),
    "no segments at all": (lambda run: shutil.rmtree(run / "segments"), "segments"),
    "a flipped bit in the manifest": (lambda run: flip(manifest(run)), "manifests"),
    "a manifest of another version": (lambda run: other_version(manifest(run)), "manifests"),
    "a flipped bit in run.json": (lambda run: flip(run / "run.json"), "run.json"),
    "run.json of another version": (lambda run: other_version(run / "run.json"), "run.json"),
    "an empty run.json": (lambda run: (run / "run.json").write_bytes(b""), "run.json"),
}


@pytest.mark.parametrize("damage", EVIDENCE)
def test_evidence(gnomon: Gnomon, copy: Path, damage: str) -> None:
    harm, where = EVIDENCE[damage]
    harm(copy)
    stored = (copy / "verdicts" / "default.parquet").read_bytes()
    verified = gnomon("verify", copy)
    assert (verified.status, verified.err) == (1, "")
    assert f"damaged  {where}" in verified.out and "problem" in verified.out
    assert is_refusal(gnomon("judge", copy), str(copy))
    assert is_refusal(gnomon("replay", copy), str(copy))
    assert (copy / "verdicts" / "default.parquet").read_bytes() == stored


VERDICTS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "verdicts truncated": (
        lambda run: truncate(run / "verdicts" / "default.parquet"), ("replay", "indicators", "report", "drill"),
    ),
    "verdicts scrambled": (lambda run: scramble(run / "verdicts" / "default.parquet"), ("replay", "report")),
    "what they were made with is no JSON": (
        lambda run: (run / "verdicts" / "default.json").write_text("{"), ("replay", "report"),
    ),
    "a table is something else": (
        lambda run: (run / "tables" / "servers.parquet").write_text("x"), ("indicators", "report", "drill"),
    ),
    "a table has other columns": (
        lambda run: shutil.copy(run / "verdicts" / "default.parquet", run / "tables" / "servers.parquet"),
        ("indicators", "report", "drill"),
    ),
    "no verdicts": (lambda run: shutil.rmtree(run / "verdicts"), ("replay", "indicators", "report", "drill")),
    "no tables": (lambda run: shutil.rmtree(run / "tables"), ("indicators", "report", "drill")),
}  # fmt: skip


@pytest.mark.parametrize("damage", VERDICTS)
def test_verdicts_and_tables_are_made_again(gnomon: Gnomon, copy: Path, damage: str) -> None:
    harm, commands = VERDICTS[damage]
    harm(copy)
    for command in commands:
        refused = gnomon(command, copy, *(["operator"] if command == "drill" else []))
        assert is_refusal(refused, str(copy), "judge"), (command, refused)
    assert gnomon("judge", copy).status == 0
    for command in commands:
        assert gnomon(command, copy, *(["operator"] if command == "drill" else [])).status == 0


def test_a_file_where_a_folder_is_needed(gnomon: Gnomon, copy: Path) -> None:
    shutil.rmtree(copy / "verdicts")
    (copy / "verdicts").touch()
    assert is_refusal(gnomon("judge", copy), "verdicts", "File exists")


def test_zones_that_were_changed(gnomon: Gnomon, lab: Path, copy: Path) -> None:
    (copy / "zones.txt").write_text("other.\n", "ascii")
    assert is_refusal(gnomon("survey", "--lab", lab, "--evidence", copy, "--resume"), "zones.txt", "changed")
    assert "damaged  zones.txt" in gnomon("verify", copy).out


def test_a_name_with_pattern_characters(gnomon: Gnomon, judged: Path, tmp_path: Path) -> None:
    odd = tmp_path / "it's [a]*? run [bold]"
    shutil.copytree(judged, odd)
    for command in ("verify", "judge", "replay", "indicators", "report"):
        done = gnomon(command, odd)
        assert (done.status, done.err) == (0, ""), command
    assert str(odd) in gnomon("report", odd).out
