"""Healthy zones on real name servers get no verdict of warning or above but what is explained here: it is true."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("servers.py")
# What the server's own code does, seen with plain sockets too; docs/conformance.md tells of it.
PDNS = {"hdr.unknown-opcode/dropped"}
# Those first that wait longest for answers that do not come: the others run meanwhile.
EXPLAINED = {
    "pdns nsec": PDNS,
    "pdns nsec3": PDNS,
    "pdns narrow": PDNS,
    "yadifa": set[str](),
    "tinydns": {
        "del.ns-count-v6/apex-none", "del.ns-count-v6/delegated-none", "edns.support/ignored",
        "hdr.unknown-opcode/opcode-changed",
    },
    "knot nsec": set(),
    "knot nsec3": set(),
    "knot online": set(),
    "three kinds": set(),
    "two signers": set(),
    "nsd nsec": set(),
    "nsd nsec3": set(),
    "bind nsec": set(),
    "bind nsec3": set(),
    "bind inline": set(),
    "bind cookies": set(),
    "bind limited": set(),
    "gdnsd": set(),
    "unbound": {
        "dnssec.ds-at-child/error", "exp.recursion/offered", "hdr.type-sweep/error", "hdr.wellformed/trailing-octets",
    },
    "dnsdist": set(),
    "dnsdist tcp": set(),
}  # fmt: skip
PROGRAMS = (
    "nsd", "knotd", "named", "pdns_server", "yadifad", "gdnsd", "tinydns", "axfrdns", "tcpserver", "unbound", "dnsdist",
)  # fmt: skip
AT_ONCE = 6

Result = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def assessed() -> Iterator[dict[str, Future[Result]]]:
    """What the program prints for each setup, several at once."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a network namespace needs root")
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        pytest.skip(f"{' and '.join(missing)} not installed")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {setup: pool.submit(run, setup) for setup in EXPLAINED}


def run(setup: str) -> Result:
    command = ["unshare", "-n", sys.executable, str(PROGRAM), setup]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.netns
@pytest.mark.parametrize("setup", EXPLAINED)
def test_a_healthy_zone_on_real_servers(setup: str, assessed: dict[str, Future[Result]]) -> None:
    done = assessed[setup].result()
    if "unshare failed" in done.stderr:
        pytest.skip("this machine does not allow network namespaces")
    assert done.returncode == 0, done.stderr
    verdicts = json.loads(done.stdout)[setup]
    bad = {f"{v['check']}/{v['code']}" for v in verdicts if v["level"] in ("warning", "error", "critical")}
    assert bad == EXPLAINED[setup]
    over_tls = {v["code"] for v in verdicts if v["check"] == "net.encrypted-auth"}
    assert over_tls == {"offers" if "bind" in setup or setup in ("three kinds", "two signers") else "none"}
