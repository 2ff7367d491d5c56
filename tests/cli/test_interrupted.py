"""Surveys that are stopped, killed or run out of disk go on where they were; nothing that was stored is lost."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import GNOMON, Gnomon, is_refusal, must, outside
from gnomon.base import Name
from gnomon.cli.measure import SURVEY, Circumstances, new_run
from gnomon.evidence import EvidenceDir, ZoneSource

TLDS = 60  # more than one segment


@pytest.fixture(scope="module")
def large_lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "lab"
    must(["lab", "build", path, "--tlds", TLDS, "--faults", 0])
    return path


def begin(lab: Path, run: Path) -> subprocess.Popen[str]:
    """A survey that has stored its first segment and is not done."""
    command = [*GNOMON, "survey", "--lab", str(lab), "--evidence", str(run)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(run.glob("manifests/*.json")) and process.poll() is None:
        time.sleep(0.01)
    return process


def test_stopped_and_killed_and_resumed(gnomon: Gnomon, large_lab: Path, lab: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = begin(large_lab, run)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    if process.returncode:  # a quick machine may have been done
        assert (process.returncode, out) == (2, "")
        assert err.startswith("gnomon: stopped after ") and "--resume" in err and err.count("\n") == 1
    stored = {file.relative_to(run): file.read_bytes() for file in run.rglob("*") if file.is_file()}
    assert gnomon("verify", run).status == 0

    killed = subprocess.Popen([*GNOMON, "survey", "--lab", str(large_lab), "--evidence", str(run), "--resume"])
    time.sleep(1)
    killed.kill()
    killed.wait()

    assert is_refusal(gnomon("survey", "--evidence", run, "--resume"), "--lab")
    assert is_refusal(gnomon("survey", "--evidence", run, "--resume", "--lab", lab), "another lab")
    done = gnomon("survey", "--evidence", run, "--resume", "--lab", large_lab)
    assert (done.status, done.err) == (0, "")
    assert len(EvidenceDir.open(run).finished_zones()) == TLDS
    assert gnomon("verify", run).status == 0
    assert {name: (run / name).read_bytes() for name in stored} == stored
    again = gnomon("survey", "--evidence", run, "--resume", "--lab", large_lab)
    assert again.status == 0 and "nothing was left to ask" in again.out


def test_a_run_of_the_live_dns_is_not_resumed_against_a_lab(gnomon: Gnomon, lab: Path, tmp_path: Path) -> None:
    source = ZoneSource("names", "test", None, None, 1)
    new_run(tmp_path / "run", [Name.from_text("net.")], source, Circumstances(), SURVEY)
    assert is_refusal(gnomon("survey", "--evidence", tmp_path / "run", "--resume", "--lab", lab), "live DNS")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(options, capture_output=True).returncode:
        pytest.skip("this machine does not allow mounting")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path, left_octets: int = 0) -> Path:
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - left_octets))
    return filler


def test_a_full_disk(gnomon: Gnomon, lab: Path, judged: Path, small_disk: Path) -> None:
    run, filler = small_disk / "run", fill(small_disk, 48 << 10)
    assert is_refusal(gnomon("survey", "--lab", lab, "--evidence", run), "No space left", "free some space")
    filler.unlink()
    assert gnomon("survey", "--lab", lab, "--evidence", run, "--resume").status == 0
    fill(small_disk, 8 << 10)
    assert is_refusal(gnomon("judge", run), "No space left")
    assert gnomon("verify", run).status == 0
    assert not list(run.rglob("*.tmp"))
    fill(small_disk)
    assert is_refusal(gnomon("report", judged, "--out", small_disk / "page.html"), "page.html", "No space left")
    assert is_refusal(gnomon("checks", "--write", small_disk / "pages"), "No space left")


def test_ports_that_are_taken(gnomon: Gnomon, lab: Path) -> None:
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        port = tcp.getsockname()[1]
        refused = gnomon("lab", "serve", lab, "--port", port)
    assert is_refusal(refused, f"port {port}", "choose another one")


def test_a_lab_is_served_until_it_is_stopped(lab: Path) -> None:
    command = [*GNOMON, "lab", "serve", str(lab), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "serving on port" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0


def test_a_command_that_is_stopped_says_so(judged: Path) -> None:
    command = [*GNOMON, "replay", str(judged)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode in (2, 0) and err.strip() in ("gnomon: stopped", ""), (out, err)


def test_a_folder_that_cannot_be_written(lab: Path) -> None:
    assert outside("survey", "--lab", lab, "--evidence", "/dev/null/run").stderr.startswith("gnomon: /dev/null/run")
    refused = outside("lab", "build", "/dev/null/lab", "--tlds", 2)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1 and "/dev/null/lab" in refused.stderr
