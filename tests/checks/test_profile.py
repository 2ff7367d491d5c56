"""Profiles: what a user's own file may say, and what is said about mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gnomon.base import InputError, Level
from gnomon.checks.profile import Profile, load_profile


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
    assert own.level("del.lame/refused", "S") is Level.ERROR
    assert own.level("del.lame/refused", "T") is Level.CRITICAL
    assert own.level("del.lame/servfail", "T") is default.level("del.lame/servfail", "T")
    assert own.level("soa.refresh/low", "T") is Level.PASS
    assert own.digest != default.digest
    assert load(tmp_path, 'extends = "default"\n').digest == default.digest


def test_the_default_is_not_changed_by_extending_it(tmp_path: Path) -> None:
    before = load_profile("default").digest
    load(tmp_path, 'extends = "default"\n[levels.T]\n"del.lame/refused" = "critical"\n')
    assert load_profile("default").digest == before


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
