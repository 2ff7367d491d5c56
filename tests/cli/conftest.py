"""A small lab, and a run over it that was surveyed and judged with the commands themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gnomon.cli import run

GNOMON = (sys.executable, "-c", "from gnomon.cli import main; main()")
TLDS = 4


@dataclass(frozen=True, slots=True)
class Result:
    status: int
    out: str
    err: str


Gnomon = Callable[..., Result]


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def gnomon(capsys: pytest.CaptureFixture[str]) -> Gnomon:
    """Run one command line in this process."""

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        return Result(status, *capsys.readouterr())

    return call


def outside(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run one command line in a process of its own, to its end."""
    plain = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    options = {"capture_output": True, "timeout": 120, "env": plain, **options}
    return subprocess.run([*GNOMON, *map(str, arguments)], text=True, **options)  # type: ignore[call-overload,no-any-return]


def is_refusal(result: Result, *words: str) -> bool:
    """Exit status 2, nothing printed, and one line on standard error with all those words."""
    one_line = result.err.startswith("gnomon: ") and result.err.count("\n") == 1 and result.err.endswith("\n")
    return (result.status, result.out, one_line) == (2, "", True) and all(word in result.err for word in words)


def must(arguments: Sequence[object]) -> None:
    """Run a command line that sets a test up."""
    done = outside(*arguments)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of a few healthy TLDs."""
    path = tmp_path_factory.mktemp("cli") / "lab"
    must(["lab", "build", path, "--tlds", TLDS, "--faults", 0])
    return path


@pytest.fixture(scope="session")
def zones(lab: Path) -> list[str]:
    return (lab / "zones.txt").read_text("ascii").split()


@pytest.fixture(scope="session")
def judged(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over the lab, judged with its routing table; not to be changed."""
    path = tmp_path_factory.mktemp("cli") / "run"
    must(["survey", "--lab", lab, "--evidence", path])
    must(["judge", path, "--asn", lab / "asn.csv"])
    return path


@pytest.fixture
def copy(judged: Path, tmp_path: Path) -> Path:
    """The run, to be damaged."""
    path = tmp_path / "run"
    shutil.copytree(judged, path)
    return path
