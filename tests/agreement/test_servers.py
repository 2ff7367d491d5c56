"""Real name servers with a healthy signed zone get no verdict of warning or above, or one that is explained here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("servers.py")
# What the server's own code does; seen with plain sockets too (PowerDNS 4.7: no answer at all to such messages).
EXPLAINED = {
    "nsd": set[str](),
    "knot": set[str](),
    "bind": set[str](),
    "pdns": {"hdr.flags/dropped", "hdr.unknown-opcode/dropped"},
}
COMMANDS = {"nsd": "nsd", "knot": "knotd", "bind": "named", "pdns": "pdns_server"}


@pytest.mark.netns
@pytest.mark.parametrize("server", sorted(EXPLAINED))
def test_a_healthy_zone_on_a_real_server(server: str) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a network namespace needs root")
    if shutil.which(COMMANDS[server]) is None:
        pytest.skip(f"{COMMANDS[server]} is not installed")
    command = ["unshare", "-n", sys.executable, str(PROGRAM), server]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if "unshare failed" in done.stderr:
        pytest.skip("this machine does not allow network namespaces")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {f"{server} nsec", f"{server} nsec3"}
    for verdicts in found.values():
        bad = {f"{v['check']}/{v['code']}" for v in verdicts if v["level"] in ("warning", "error", "critical")}
        assert bad == EXPLAINED[server]
        over_tls = {v["code"] for v in verdicts if v["check"] == "net.encrypted-auth"}
        assert over_tls == {"offers" if server == "bind" else "none"}
