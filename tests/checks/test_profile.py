"""Profiles: what a user's own file may say, and what is said about mistakes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from gnomon.base import InputError, Level, Name
from gnomon.checks.profile import Persistence, Profile, load_profile


def load(folder: Path, text: str) -> Profile:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return load_profile(str(path))


def test_a_profile_of_ones_own_extends_the_default(tmp_path: Path) -> None:
    default = load_profile("default")
    own = load(
        tmp_path,
        'extends = "default"\n[levels]\n"del.lame/refused" = "error"\n[levels.T]\n"del.lame/refused" = "critical"\n',
    )
    assert own.name == "own"
    assert own.levels_of("S")["del.lame/refused"] is Level.ERROR
    assert own.levels_of("T")["del.lame/refused"] is Level.CRITICAL
    assert own.levels_of("T")["del.lame/servfail"] is default.levels_of("T")["del.lame/servfail"]
    assert own.levels_of("T")["soa.refresh/low"] is Level.PASS
    assert own.digest != default.digest
    assert load(tmp_path, 'extends = "default"\n').digest == default.digest


def test_the_default_is_not_changed_by_extending_it(tmp_path: Path) -> None:
    before = load_profile("default").digest
    load(tmp_path, 'extends = "default"\n[levels.T]\n"del.lame/refused" = "critical"\n')
    assert load_profile("default").digest == before


def test_the_example_of_the_how_to_works(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-profile.md"
    own, default = (
        load(tmp_path, page.read_text("utf-8").split("```toml\n")[1].split("```")[0]),
        load_profile("default"),
    )
    assert own.zone_class(Name.from_text("Bank.example")) == "K"
    assert own.zone_class(Name.from_text("shop.example")) == "S"
    assert own.levels_of("K")["del.ns-count-min/delegated-two"] is Level.ERROR
    assert own.levels_of("S")["del.ns-count-min/delegated-two"] is Level.NOTICE
    assert "edns.support/dropped" in own.masked and "hdr.unknown-type/dropped" not in own.masked
    assert own.persistence == Persistence(frozenset({"net.udp/silent", "net.tcp/no-answer"}), 5, 1800, "unknown")
    assert own.causes["mail.mx/dropped"] == ("edns.support/dropped",)
    assert own.causes["net.tc-fallback/fails"] == default.causes["net.tc-fallback/fails"]
    assert Profile.from_document(json.loads(json.dumps(own.document))) == own


def test_classes_follow_from_the_name() -> None:
    default = load_profile("default")
    named = {".": "R", "example": "T", "arpa": "A", "2.in-addr.arpa": "A", "a.example": "S"}
    assert {text: default.zone_class(Name.from_text(text)) for text in named} == named
    critical = dataclasses.replace(default, others="K")
    assert {text: critical.zone_class(Name.from_text(text)) for text in named} == {**named, "a.example": "K"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[levels]\n"del.lame/nothing" = "error"\n', r"own\.toml: no check can yield 'del\.lame/nothing'"),
        (
            '[levels]\n"del.lame/refused" = "bad"\n',
            r"own\.toml: 'del\.lame/refused' = 'bad' is no level; use one of not-app",
        ),
        ('[levels]\n"del.lame/refused" = 3\n', r"own\.toml: 'del\.lame/refused' = 3 is no level"),
        (
            '[levels.X]\n"del.lame/refused" = "error"\n',
            r"own\.toml: \[levels\.X\] is no class of zone; use one of R, T, A, K, S",
        ),
        ('[level]\n"del.lame/refused" = "error"\n', r"own\.toml: 'level' is not understood"),
        ("levels = 3\n", r"own\.toml: 'levels' is not understood"),
        ('extends = "other"\n', r"extends = 'other' is not possible"),
        ("zones = 3\n", r"own\.toml: 'zones' is not understood; a profile has \[levels\], \[levels\.T\], \[zones\]"),
        ('[zones]\nX = ["a.example"]\n', r"own\.toml: \[zones\] 'X' is no class of zone; use one of R, T, A, K, S"),
        ('[zones]\nK = ["a..example"]\n', r"own\.toml: \[zones\] K: the domain name 'a\.\.example' has an empty label"),
        ('[zones]\nK = "a.example"\n', r"own\.toml: \[zones\] K = 'a\.example' is no list of texts"),
        ('[masking]\nwords = ["net"]\n', r"own\.toml: \[masking\] has no 'words'; it has codes"),
        ('[masking]\ncodes = ["net.nothing"]\n', r"own\.toml: \[masking\] codes: 'net\.nothing' is no family, check"),
        ("[persistence]\nattempts = 0\n", r"\[persistence\] attempts = 0 is no whole number from 1 to 1000"),
        ("[persistence]\nover_s = 1.5\n", r"\[persistence\] over_s = 1\.5 is no whole number from 0 to"),
        ("[persistence]\nattempts = true\n", r"\[persistence\] attempts = True is no whole number"),
        ('[persistence]\nbefore = "never"\n', r"before = 'never' is not possible; write \"as-seen\" or \"unknown\""),
        ("[persistence]\nbefore = []\n", r"before = \[\] is not possible"),
        ('[causes]\n"net.udp" = ["gone"]\n', r"own\.toml: \[causes\] 'net\.udp': 'gone' is no family, check or code"),
        ('[causes]\n"net.udp" = "net.tcp"\n', r"own\.toml: \[causes\] 'net\.udp' = 'net\.tcp' is no list of texts"),
        (
            'extends = "default"\n[causes]\n"net.udp/silent" = ["net.tcp/no-answer"]\n'
            '"net.tcp/no-answer" = ["net.udp/silent"]\n',
            r"own\.toml: \[causes\] go round in a circle: 'net\.",
        ),
        ("[levels\n", r"own\.toml is not valid TOML"),
        ('[levels]\n"del.lame/refused" = "error"\n', r"codes no level; write extends"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(tmp_path, text)


@pytest.mark.parametrize("name", ["nothing", "no/such/file.toml", "", ".."])
def test_no_such_profile(name: str) -> None:
    with pytest.raises(InputError, match="there is no profile"):
        load_profile(name)
