"""Full disks, unwritable directories, kills: nothing stored is lost, and writing goes on later."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from gnomon.base import InputError, Name, RetryLater
from gnomon.evidence import EvidenceDir, Exchange, RunInfo, verify
from gnomon.evidence.durable import explain

Make = Callable[..., Exchange]


@contextmanager
def _file_size_limit(octets: int) -> Iterator[None]:
    """The kernel refuses longer files, as it does on a full disk; Python ignores the signal that comes along."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "disk"
    path.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", path], capture_output=True)
    if mount.returncode:
        pytest.skip("cannot mount a small disk here")
    yield path
    subprocess.run(["umount", path], check=True)


def _goes_on(evidence: EvidenceDir, make: Make, room: Callable[[], object]) -> None:
    """A flush fails; when there is room again, the same flush stores all."""
    with evidence.writer() as writer:
        writer.add(make("zone a."))
        writer.finish_zone(Name.from_text("a."))
        assert writer.flush() is not None
        for _ in range(4000):
            writer.add(make("zone b.", response=os.urandom(100)))
        writer.finish_zone(Name.from_text("b."))
        with pytest.raises(RetryLater, match="nothing that was stored is lost"):
            writer.flush()
        assert EvidenceDir.open(evidence.path).finished_zones() == {"a."}
        assert verify(evidence.path).problems == ()
        room()
        assert writer.flush() is not None
    again = EvidenceDir.open(evidence.path)
    assert again.finished_zones() == {"a.", "b."}
    assert sum(1 for _ in again.exchanges()) == 4001
    assert verify(evidence.path).problems == ()


def test_a_file_size_limit_stops_a_flush_only_for_now(tmp_path: Path, run_info: RunInfo, make: Make) -> None:
    evidence = EvidenceDir.create(tmp_path / "run", run_info, [])
    with ExitStack() as limited:
        limited.enter_context(_file_size_limit(100_000))
        _goes_on(evidence, make, limited.close)


def test_a_full_disk_stops_a_flush_only_for_now(small_disk: Path, run_info: RunInfo, make: Make) -> None:
    evidence = EvidenceDir.create(small_disk / "run", run_info, [])
    _goes_on(evidence, make, lambda: subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True))


def test_a_full_disk_leaves_no_half_run_behind(small_disk: Path, run_info: RunInfo) -> None:
    zones = [Name.from_text(f"zone{number}.example.") for number in range(30_000)]
    with pytest.raises(RetryLater, match="No space left"):
        EvidenceDir.create(small_disk / "run", run_info, zones)
    with pytest.raises(InputError, match="no evidence directory"):
        EvidenceDir.open(small_disk / "run")
    EvidenceDir.create(small_disk / "run", run_info, zones[:10])


def test_a_directory_that_cannot_be_used(tmp_path: Path, run_info: RunInfo, make: Make) -> None:
    evidence = EvidenceDir.create(tmp_path / "run", run_info, [])
    with evidence.writer() as writer:
        writer.add(make("zone a."))
        writer.finish_zone(Name.from_text("a."))
        (tmp_path / "run" / "segments").rmdir()
        with pytest.raises(InputError, match="cannot be used"):
            writer.flush()
        (tmp_path / "run" / "segments").mkdir()
    assert verify(tmp_path / "run").problems == ()
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match="cannot be used"):
        EvidenceDir.create(file / "run", run_info, [])


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        (errno.EACCES, InputError, "write permission"),
        (errno.EROFS, InputError, "write permission"),
        (errno.ENOSPC, RetryLater, "free some space"),
        (errno.EDQUOT, RetryLater, "free some space"),
        (errno.EIO, RetryLater, "nothing that was stored is lost"),
    ],
)
def test_each_trouble_has_one_clear_sentence(number: int, kind: type[Exception], text: str) -> None:
    error = explain(OSError(number, os.strerror(number)), Path("dir/segments/x"))
    assert isinstance(error, kind) and text in str(error) and os.strerror(number) in str(error)


def test_an_unwritable_directory(tmp_path: Path, run_info: RunInfo) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="write permission"):
        EvidenceDir.create(tmp_path / "run", run_info, [])


_WRITES_UNTIL_KILLED = """
import itertools, sys
from dataclasses import replace
from pathlib import Path
from gnomon.base import Name
from gnomon.evidence import EvidenceDir

evidence = EvidenceDir.open(Path(sys.argv[1]))
sample = next(evidence.exchanges())
start = len(evidence.manifests())
with evidence.writer() as writer:
    for number in itertools.count(start):
        for row in range(300):
            writer.add(replace(sample, seq=number * 1000 + row, subject=f"zone z{number}."))
        writer.finish_zone(Name.from_text(f"z{number}."))
        writer.flush()
        print(number, flush=True)
"""


def test_after_a_kill_all_that_was_acknowledged_is_there(store: Callable[..., EvidenceDir], make: Make) -> None:
    path = store([make("zone z0.")], ["z0."]).path
    acknowledged = {"z0."}
    for flushes in (2, 7, 12):
        child = subprocess.Popen([sys.executable, "-c", _WRITES_UNTIL_KILLED, path], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(flushes):
            acknowledged.add(f"z{int(child.stdout.readline())}.")
        child.send_signal(signal.SIGKILL)
        acknowledged |= {f"z{line.strip()}." for line in child.stdout}
        child.wait()
        EvidenceDir.open(path).writer().close()  # clears what was interrupted
        assert verify(path).problems == ()
        assert acknowledged <= EvidenceDir.open(path).finished_zones()
