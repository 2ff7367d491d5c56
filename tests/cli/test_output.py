"""What is printed: nothing that a terminal would act on, complete in a pipe, and as wide as the terminal."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.conftest import GNOMON, Gnomon, is_refusal, outside
from gnomon.base import Level, printable
from gnomon.checks.registry import all_checks
from gnomon.cli.assess import FORMATS
from gnomon.cli.terminal import console, row, say, table
from gnomon.cli.verdicts import Assessed, print_all
from gnomon.judge import Verdict

CHECKS = [(check, code) for check in all_checks().values() for code in check.codes]
ODD = "\x00\x07\x08\x1b\x7f\x85\x9b\u202e\u2066\u200f\u2028\ufeff\n\r[]{}:"
NASTY = st.text(st.characters() | st.sampled_from(ODD))
VALUES = NASTY | st.integers() | st.none() | st.lists(NASTY, max_size=15)


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    check, code = draw(st.sampled_from(CHECKS))
    names = draw(st.sets(st.sampled_from(["server", "servers", "names", "says", "count", "total", "rcode", "zone_"])))
    return Verdict(
        zone=draw(NASTY), check_id=check.id, check_version=1, subject=draw(NASTY),
        properties=tuple(p.value for p in check.properties), code=code, state="observed",
        level=draw(st.sampled_from(Level)).word, args={name: draw(VALUES) for name in names},
        evidence=(draw(NASTY),),
    )  # fmt: skip


def printed(form: str, zone: str, found: list[Verdict]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print_all([Assessed(zone, found, 2, 30, "2026-11-01 00:00 UTC")], form, all_outcomes=True)
    return out.getvalue()


@settings(max_examples=60, deadline=None)
@given(zone=NASTY, found=st.lists(verdicts(), max_size=3), form=st.sampled_from(FORMATS))
def test_no_verdict_acts_on_a_terminal(zone: str, found: list[Verdict], form: str) -> None:
    text = printed(form, zone, found)
    assert all(line == printable(line) for line in text.split("\n"))
    if form != "text":
        assert text.isascii()
    if form == "json":
        assert [v["args"] for v in json.loads(text)[0]["verdicts"]] == [dict(v.args) for v in found]
    elif form != "text":
        assert all(isinstance(json.loads(line), dict) for line in text.splitlines())


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(NASTY, min_size=1, max_size=4))
def test_neither_do_lines_and_tables(texts: list[str]) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        say(*texts)
        say((texts[0], "bold"))
        made = table(*("heading" for _ in texts))
        row(made, *texts)
        console().print(made)
    assert all(line == printable(line) for line in out.getvalue().split("\n"))
    assert printable(texts[0]).split() == [] or printable(texts[0]).split()[0] in out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize(
    "arguments",
    [
        ["doctor"], ["checks"], ["checks", "del.lame"], ["lab", "faults"], ["indicators", "RUN"], ["--help"],
        ["drill", "RUN", "operator"], ["drill", "RUN", "as"], ["verify", "RUN"], ["assess", "--help"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_line_is_wider_than_the_terminal(
    gnomon: Gnomon, judged: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    done = gnomon(*(judged if argument == "RUN" else argument for argument in arguments))
    assert done.status == 0
    assert max(len(line.rstrip()) for line in done.out.splitlines()) <= width


def test_no_line_is_broken_in_a_pipe(gnomon: Gnomon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = gnomon("checks").out.splitlines()
    for check in all_checks().values():
        assert sum(line.startswith(f"{check.id} ") and line.rstrip().endswith(check.rule) for line in lines) == 1


def test_machine_formats_are_ascii(gnomon: Gnomon, judged: Path) -> None:
    for arguments in (
        ["indicators", judged, "--format", "json"], ["drill", judged, "operator", "--format", "json"],
        ["checks", "--format", "json"],
    ):  # fmt: skip
        out = gnomon(*arguments).out
        assert out.isascii() and json.loads(out)
    head, *rows = gnomon("indicators", judged, "--format", "csv").out.splitlines()
    assert head.startswith("indicator,slice,numerator") and len(rows) > 10


def test_an_exchange_is_shown_safely(gnomon: Gnomon, judged: Path) -> None:
    root = next((judged / "segments").iterdir()).stem
    shown = gnomon("evidence", "show", judged, f"{root[:16]}:3").out
    assert shown.startswith(f";; exchange {root[:16]}:3") and ";; QUERY" in shown and ";; RESPONSE" in shown
    assert all(line == printable(line) for line in shown.replace("\t", " ").split("\n"))


def test_a_reader_who_leaves_early_changes_nothing() -> None:
    process = subprocess.Popen([*GNOMON, "checks"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(60), process.stderr.read()) == (0, b"")
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_output_that_cannot_be_written() -> None:
    with Path("/dev/full").open("w") as full:
        done = outside("checks", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr.startswith("gnomon: what is printed cannot be written") and done.stderr.count("\n") == 1


def test_a_terminal_that_lacks_characters_and_one_that_is_not_there() -> None:
    plain = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = outside("assess", "münchen..example", env=plain)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    closed = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *GNOMON, "doctor"], capture_output=True, timeout=60)
    assert (closed.returncode, closed.stderr) == (0, b"")


def test_progress_is_for_terminals_only(lab: Path, tmp_path: Path) -> None:
    done = outside("survey", "--lab", lab, "--evidence", tmp_path / "run")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"Next: gnomon judge {tmp_path / 'run'}\n")


def test_errors_are_one_line_whatever_is_in_them(gnomon: Gnomon) -> None:
    refused = gnomon("assess", "net.", "--hints", "no\x1b[2Jsuch\nfile")
    assert is_refusal(refused, "\\x1b[2Jsuch")
