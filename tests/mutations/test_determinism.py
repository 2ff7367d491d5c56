"""The same evidence gives the same rows in every process: no check may depend on the order of a set.

Python hashes texts and octets differently in every process; judged are all fault worlds, each fault at one server, so
that servers differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gnomon.judge.verdict import INTERNAL_ERROR
from gnomon.lab import FAULTS
from mutations import world_with
from worlds import ZONE, survey

# Prints the rows of every run in a directory, with the name of the run before each.
_JUDGE = """
import sys
from pathlib import Path
from gnomon.checks.profile import load_profile
from gnomon.evidence import EvidenceDir
from gnomon.judge import judge_zone, views

profile = load_profile("default")
for path in sorted(Path(sys.argv[1]).iterdir()):
    for view in views(EvidenceDir.open(path)):
        for verdict in judge_zone(view, profile):
            print(path.name, verdict.row)
"""


def test_rows_do_not_depend_on_the_process(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    for fault in sorted(FAULTS):
        survey(world_with(fault, "ns2.example.test."), runs / fault, [ZONE])
    first, second = (judged(runs, tmp_path / seed, seed) for seed in ("1", "2"))
    with first as one, second as other:
        assert (one.wait(), other.wait()) == (0, 0)
    rows, again = ((tmp_path / seed).read_text().splitlines() for seed in ("1", "2"))
    assert len(rows) > 100 * len(FAULTS)
    assert [row for row in rows if INTERNAL_ERROR in row] == []
    assert [pair for pair in zip(rows, again, strict=True) if pair[0] != pair[1]] == []


def judged(runs: Path, rows: Path, seed: str) -> subprocess.Popen[bytes]:
    """A process that writes the rows of all runs."""
    with rows.open("wb") as file:
        command = [sys.executable, "-c", _JUDGE, str(runs)]
        return subprocess.Popen(command, env={**os.environ, "PYTHONHASHSEED": seed}, stdout=file)
