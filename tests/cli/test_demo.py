"""The demo end to end, on a small world, and worlds built from the real root zone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from cli.conftest import Gnomon, outside
from gnomon.sources import read_parent_zone

DATA = Path(__file__).parents[3] / "shared" / "data" / "root-zone"
ROOT_ZONES = [Path(os.environ["ROOT_ZONE"])] if os.environ.get("ROOT_ZONE") else sorted(DATA.glob("root.*.zone.gz"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `gnomon demo FOLDER --tlds 12` leaves; the sentences it prints are in `printed`."""
    folder = tmp_path_factory.mktemp("cli") / "demo"
    done = outside("demo", folder, "--tlds", 12)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "printed").write_text(done.stdout, "utf-8")
    return folder


def test_it_leaves_a_lab_a_run_a_workspace_and_a_report(demo: Path, gnomon: Gnomon) -> None:
    printed = (demo / "printed").read_text("utf-8")
    assert "12 zones were judged" in printed and str(demo / "report.html") in printed
    assert f"gnomon serve {demo / 'workspace'}" in printed
    for file in ("lab/world.jsonl", "evidence/run.json", "evidence/verdicts/default.parquet", "workspace/secret.key"):
        assert (demo / file).is_file()
    page = (demo / "report.html").read_text("utf-8")
    for indicator in json.loads(gnomon("indicators", demo / "evidence", "--format", "json").out):
        assert indicator["method"]["title"] in page
    assert "<script" not in page and page.rstrip().endswith("</html>")


def test_its_evidence_holds(demo: Path, gnomon: Gnomon) -> None:
    assert gnomon("verify", demo / "evidence").status == 0
    replayed = gnomon("replay", demo / "evidence")
    assert replayed.status == 0 and "over 12 zones came out the same" in replayed.out


def test_a_flipped_bit_is_named(demo: Path, gnomon: Gnomon, tmp_path: Path) -> None:
    shutil.copytree(demo / "evidence", tmp_path / "run")
    segment = next((tmp_path / "run" / "segments").iterdir())
    octets = bytearray(segment.read_bytes())
    octets[len(octets) // 3] ^= 1
    segment.write_bytes(octets)
    done = gnomon("verify", tmp_path / "run")
    assert done.status == 1
    assert f"segments/{segment.name}, row" in done.out


def test_it_is_made_again_over_itself(demo: Path) -> None:
    before = (demo / "lab" / "world.jsonl").read_bytes()
    again = outside("demo", demo, "--tlds", 2)
    assert again.returncode == 0 and (demo / "lab" / "world.jsonl").read_bytes() != before


@pytest.mark.real
@pytest.mark.skipif(not ROOT_ZONES, reason="no real root zone here")
def test_a_lab_of_the_real_root_zone(gnomon: Gnomon, tmp_path: Path) -> None:
    path = ROOT_ZONES[-1]
    parent = read_parent_zone(path)
    lab, chosen = tmp_path / "lab", tmp_path / "chosen"
    assert gnomon("lab", "build", lab, "--root-zone", path).status == 0
    population = (lab / "zones.txt").read_text("ascii").split()
    assert len(population) == len(parent.ns)
    chosen.write_text("\n".join(population[:5]), "ascii")
    assert gnomon("survey", "--lab", lab, "--zones", chosen, "--evidence", tmp_path / "run").status == 0
    judged = gnomon("judge", tmp_path / "run")
    assert judged.status == 0 and judged.out.startswith("5 zones judged")
    found = json.loads(gnomon("indicators", tmp_path / "run", "--only", "i.signed", "--format", "json").out)[0]
    signed = sum(str(name).lower() in population[:5] for name in parent.ds)
    assert (found["numerator"], found["denominator"]) == (signed, 5)
