"""`gnomon checks`: the table, one specification, machine form, and the pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Gnomon, is_refusal
from gnomon.checks.catalogue import render_html
from gnomon.checks.docs import render_pages
from gnomon.checks.profile import load_profile
from gnomon.checks.registry import HEADINGS, all_checks
from gnomon.checks.sentence import for_several


def test_the_table_has_every_check(gnomon: Gnomon) -> None:
    out = gnomon("checks").out
    assert all(f"\n{check.id} " in out and check.rule in out for check in all_checks().values())
    assert f"{len(all_checks())} checks." in out


@pytest.mark.parametrize("check", all_checks().values(), ids=lambda check: check.id)
def test_one_check_in_full(gnomon: Gnomon, check) -> None:  # type: ignore[no-untyped-def]
    out = gnomon("checks", check.id).out
    assert out.startswith(f"{check.id}   version {check.version}, {check.properties[0].value}")
    assert all(check.section(heading) in out for heading in HEADINGS)
    levels = load_profile("default").levels
    for code, sentence in check.codes.items():
        assert for_several(sentence) in out
        assert any(line.split()[:2] == [levels[f"{check.id}/{code}"].word, code] for line in out.splitlines())


def test_what_chooses(gnomon: Gnomon) -> None:
    def chosen(*words: str) -> list[str]:
        return [check["id"] for check in json.loads(gnomon("checks", *words, "--format", "json").out)]

    assert chosen() == list(all_checks())
    assert chosen("del.lame/refused") == ["del.lame"]
    assert "hdr.any" in chosen("RFC 8482")
    assert chosen("soa") == [id for id, check in all_checks().items() if check.family == "soa"]
    assert "del.ns-count-min" in chosen("delegation01")
    assert chosen("iterations") == ["denial.nsec3-iterations"]
    assert chosen("del.lame", "soa.expire") == ["del.lame", "soa.expire"]
    assert is_refusal(gnomon("checks", "x\x1b"), "'x\\x1b'")


def test_a_profile_of_ones_own(gnomon: Gnomon, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('extends = "default"\n[levels]\n"del.lame/refused" = "critical"\n', "utf-8")
    found = json.loads(gnomon("checks", "del.lame", "--format", "json", "--profile", own).out)
    assert found[0]["codes"]["refused"]["level"] == "critical"


def test_pages_are_written(gnomon: Gnomon, tmp_path: Path) -> None:
    vanished = tmp_path / "new" / "pages" / "gone.md"
    vanished.parent.mkdir(parents=True)
    vanished.write_text("# A family that is no more\n", "utf-8")
    assert gnomon("checks", "--write", tmp_path / "new" / "pages").status == 0
    written = {file.name: file.read_text("utf-8") for file in (tmp_path / "new" / "pages").iterdir()}
    assert written == {**render_pages(), "index.html": render_html()}
    assert is_refusal(gnomon("checks", "--write", "/dev/null/pages"), "/dev/null")
