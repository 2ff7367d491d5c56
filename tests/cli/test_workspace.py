"""`init`, `serve` and `report` with workspaces that are none, damaged, or begun wrongly."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from cli.conftest import GNOMON, outside

PASSWORD = "correct horse battery staple"


def refused(*arguments: object) -> str:
    """The one sentence with which a command line is refused."""
    done = outside(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    return done.stderr


def init(folder: Path, account: str, *more: object) -> list[object]:
    return ["init", folder, "--account", account, "--name", "Kee Per", "--password", PASSWORD, *more]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "workspace"
    done = outside(*init(path, "keeper", "--review", "A review", "first"))
    assert (done.returncode, done.stderr) == (0, "")
    return path


def test_what_init_refuses_leaves_the_workspace_as_it_was(workspace: Path, tmp_path: Path) -> None:
    preset = tmp_path / "odd.toml"
    packaged = (files("gnomon.review") / "presets" / "ssr-review.toml").read_text("utf-8")
    preset.write_text(f"foo = 1\n{packaged}", "utf-8")
    assert "already exists" in refused(*init(workspace, "keeper"))
    assert "'foo'" in refused(*init(workspace, "second", "--review", "R", "r", "--preset", preset))
    assert "no preset 'nope'" in refused(*init(workspace, "second", "--review", "R", "r", "--preset", "nope"))
    assert "first" in refused(*init(workspace, "second", "--review", "R", "first"))
    assert "cannot add" in refused(*init(workspace, "bad\x1b[1mname"))
    assert outside(*init(workspace, "second")).returncode == 0


def test_folders_that_are_no_workspace_stay_as_they_are(workspace: Path, judged: Path, tmp_path: Path) -> None:
    assert "gnomon init" in refused("serve", tmp_path)
    assert "gnomon init" in refused("report", judged, "--workspace", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert "'nope'" in refused("report", judged, "--workspace", workspace, "--review", "nope")
    assert "no evidence directory" in refused("serve", workspace, "--attach", tmp_path)


def test_a_damaged_workspace(workspace: Path, tmp_path: Path) -> None:
    shutil.copytree(workspace, tmp_path / "workspace")
    (tmp_path / "workspace" / "gnomon.sqlite3").write_text("garbage")
    assert "gnomon.sqlite3" in refused("serve", tmp_path / "workspace")


def test_serving_stops_at_once_and_refuses_a_taken_port(workspace: Path) -> None:
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        port = tcp.getsockname()[1]
        assert f"port {port}" in refused("serve", workspace, "--port", port)
    command = [*GNOMON, "serve", str(workspace), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (0, False)
