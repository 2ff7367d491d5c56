"""Copies of a run in an S3-compatible store and in a folder: whole, gone on with, refused, damaged."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import obstore
import pytest
from moto.server import ThreadedMotoServer  # type: ignore[import-untyped]
from obstore.store import from_url

from gnomon.base import InputError, RetryLater
from gnomon.evidence import EvidenceDir, Exchange, verify
from gnomon.evidence.log import EvidenceLog
from gnomon.evidence.logged import check_receipts, enter
from gnomon.evidence.mirror import pull, push


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["s3", "folder"])
def url(request: pytest.FixtureRequest, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "folder":
        (tmp_path / "copies").mkdir()
        return f"file://{tmp_path}/copies"
    settings = {"ENDPOINT_URL": s3, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "REGION": "us-east-1"}
    for name, value in {**settings, "ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    bucket = tmp_path.name.replace("_", "-").lower()
    with urllib.request.urlopen(urllib.request.Request(f"{s3}/{bucket}", method="PUT")):
        return f"s3://{bucket}/runs/one"


@pytest.fixture
def run(make: Callable[..., Exchange], store: Callable[..., EvidenceDir], tmp_path: Path) -> EvidenceDir:
    run = store([make("zone a."), make("server 198.41.0.4"), make("zone b.")], ["a."], ["b."])
    log = EvidenceLog.create(tmp_path / "log", "example.org/review")
    enter(log, run.path)
    return run


def test_there_and_back(run: EvidenceDir, url: str, tmp_path: Path) -> None:
    (run.path / "segments" / f"{'0' * 64}.parquet").write_bytes(b"interrupted: no manifest names it")
    told: list[tuple[int, int]] = []
    assert push(run.path, url, lambda *done: told.append(done)) == 9
    assert told[-1][0] == told[-1][1]
    assert push(run.path, url) == 0
    assert pull(url, tmp_path / "copy") == 9
    assert not verify(tmp_path / "copy").problems
    assert [x.seq for x in EvidenceDir.open(tmp_path / "copy").exchanges()] == [x.seq for x in run.exchanges()]
    assert check_receipts(tmp_path / "copy").logged == 3
    with pytest.raises(InputError, match="not empty"):
        pull(url, tmp_path / "copy")


def test_a_copy_goes_on_where_it_was(run: EvidenceDir, url: str, tmp_path: Path) -> None:
    push(run.path, url)
    copies = from_url(url)
    lost = [f"manifests/{run.manifests()[1].name}", run.manifests()[1].file, "receipts/run.json.tlog-proof"]
    obstore.delete(copies, lost)
    pull(url, tmp_path / "part")
    assert not verify(tmp_path / "part").problems
    assert push(run.path, url) == 3
    with pytest.raises(InputError, match=r"more of this run.*pull"):
        push(tmp_path / "part", url)


def test_another_run_is_not_mixed_in(run: EvidenceDir, url: str, make: Callable[..., Exchange], tmp_path: Path) -> None:
    push(run.path, url)
    other = EvidenceDir.create(tmp_path / "other", run.run, run.zones())
    with other.writer() as writer:
        writer.add(make("zone a."))
        writer.finish_zone(run.zones()[0])
    with pytest.raises(InputError, match="another run"):
        push(other.path, url)


def test_only_what_a_run_may_have_is_taken(run: EvidenceDir, url: str, tmp_path: Path) -> None:
    push(run.path, url)
    copies = from_url(url)
    for name in ("segments/evil.parquet", "a.sh", "receipts/x/../../evil.json.tlog-proof", "verdicts/.hidden.json"):
        try:
            obstore.put(copies, name, b"evil")
        except ValueError:  # the store itself refuses dots
            continue
    pull(url, tmp_path / "copy")
    assert not [file for file in tmp_path.rglob("*") if "evil" in file.name and "copies" not in file.parts]
    obstore.put(copies, run.manifests()[0].file, b"damaged")
    pull(url, tmp_path / "damaged")
    assert verify(tmp_path / "damaged").problems


def test_a_store_that_is_not_there(run: EvidenceDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    with pytest.raises(RetryLater, match="does not answer"):
        push(run.path, "s3://bucket/x")
    for wrong in ("nonsense", "gopher://x/y"):
        with pytest.raises(InputError, match="s3://bucket/prefix"):
            push(run.path, wrong)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no run"):
        pull(f"file://{tmp_path}/empty", tmp_path / "new")
