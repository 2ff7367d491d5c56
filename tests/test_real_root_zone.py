"""The whole pipeline over the real root zone, served by the lab: every TLD, real names, addresses and algorithms."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from gnomon.base import Name, parse_address
from gnomon.evidence import EvidenceDir
from gnomon.insight.indicator import open_tables
from gnomon.judge import replay
from gnomon.judge.store import read_made
from gnomon.sources import ParentZone, read_parent_zone

_BESIDE = Path(__file__).parents[2] / "shared" / "data" / "root-zone" / "root.2026073102.zone.gz"
ROOT_ZONE = Path(os.environ.get("ROOT_ZONE") or _BESIDE)

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not ROOT_ZONE.is_file(), reason="no root zone file: set ROOT_ZONE"),
]


@pytest.fixture(scope="module")
def root() -> ParentZone:
    return read_parent_zone(ROOT_ZONE)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a whole demo run, and what it printed."""
    folder = tmp_path_factory.mktemp("real") / "demo"
    command = [sys.executable, "-m", "gnomon", "demo", str(folder), "--root-zone", str(ROOT_ZONE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_every_tld_is_measured_and_judged(demo: tuple[Path, str], root: ParentZone) -> None:
    folder, printed = demo
    assert EvidenceDir.open(folder / "evidence").finished_zones() == {str(Name(zone.key)) for zone in root.ns}
    assert f"{len(root.ns):,} zones were judged" in printed
    made = read_made(folder / "evidence", "default")
    assert (made.zones, made.internal_errors) == (len(root.ns), 0)
    assert "Simulated." in (folder / "report.html").read_text("utf-8")


def test_names_addresses_and_ds_are_those_of_the_root_zone(demo: tuple[Path, str], root: ParentZone) -> None:
    seen: dict[str, dict[str, set[object]]] = defaultdict(lambda: defaultdict(set))
    with open_tables(demo[0] / "evidence") as tables:
        for zone, host, address in tables.execute("SELECT zone, ns_name, address FROM servers").fetchall():
            seen[zone][host].add(parse_address(address))
        ds = tables.execute("SELECT zone, algorithm, digest_type FROM keys WHERE kind = 'ds'").fetchall()
    for zone, hosts in root.ns.items():
        with_addresses = {host for host in hosts if root.addresses.get(host)}
        found = seen[str(Name(zone.key))]
        assert {str(Name(host.key)) for host in with_addresses} <= set(found)
        for host in with_addresses:
            assert found[str(Name(host.key))] == set(root.addresses[host])
    real = sorted((str(Name(zone.key)), d.algorithm, d.digest_type) for zone, all_ds in root.ds.items() for d in all_ds)
    assert sorted(ds) == real


def test_the_verdicts_come_out_the_same_again(demo: tuple[Path, str]) -> None:
    assert replay(demo[0] / "evidence", jobs=2).differences == ()
