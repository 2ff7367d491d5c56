"""The log and the claims as their users meet them: begun, added to, handed on, checked by a stranger, tampered with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from cli.conftest import Gnomon, is_refusal
from gnomon.evidence import EvidenceDir
from gnomon.evidence.sealed import seal


@pytest.fixture
def run(judged: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(judged, tmp_path / "run"))


@pytest.fixture
def log(gnomon: Gnomon, tmp_path: Path) -> Path:
    begun = gnomon("log", "init", tmp_path / "log", "example.org/review")
    assert begun.status == 0 and "example.org/review+" in begun.out and "PRIVATE" not in begun.out
    return tmp_path / "log"


def test_a_run_in_a_log(gnomon: Gnomon, run: Path, log: Path, tmp_path: Path) -> None:
    key = log / "verifier.key"
    before = gnomon("verify", run, "--log-key", key)
    assert before.status == 1 and "Not in a log: run.json" in before.out
    added = gnomon("log", "add", log, run)
    assert added.status == 0 and "example.org/review" in added.out
    assert "0 new entries" in gnomon("log", "add", log, run).out
    for option in (key, key.read_text().strip()):
        proven = gnomon("verify", run, "--log-key", option)
        assert proven.status == 0 and "signed by example.org/review" in proven.out
    assert "give --log-key" in gnomon("verify", run).out
    assert "complete and unchanged" in gnomon("log", "check", log).out

    other = tmp_path / "other"
    assert gnomon("log", "init", other, "example.org/review").status == 0
    forged = gnomon("verify", run, "--log-key", other / "verifier.key")
    assert forged.status == 1 and "not signed by the key" in forged.out
    assert is_refusal(gnomon("verify", run, "--log-key", "nothing"), "neither a verifier key")
    assert is_refusal(gnomon("log", "init", log, "again"), "not empty")
    assert is_refusal(gnomon("log", "add", run, run), "no log")


def test_what_an_outsider_kept_shows_that_a_log_only_grew(gnomon: Gnomon, run: Path, log: Path, tmp_path: Path) -> None:
    key, old, proof = log / "verifier.key", tmp_path / "kept", tmp_path / "proof"
    assert gnomon("log", "add", log, run).status == 0
    shutil.copy(next((log / "checkpoints").iterdir()), old)
    manifest = next((run / "manifests").iterdir())
    assert gnomon("judge", run, "--only", "del").status == 0  # other verdicts: a further entry
    assert "1 new entry," in gnomon("log", "add", log, run).out
    proof.write_text(gnomon("log", "growth", log, old).out)
    followed = gnomon("log", "follows", old, proof, "--log-key", key)
    assert followed.status == 0 and "nothing was changed" in followed.out

    entries = (log / "entries").read_bytes()
    (log / "entries").write_bytes(entries.replace(manifest.name.encode(), b"999999.json"))
    assert is_refusal(gnomon("log", "check", log), "not those that were signed")
    (log / "entries").write_bytes(entries)
    proof.write_text(proof.read_text().replace("old ", "old 1"))
    assert gnomon("log", "follows", old, proof, "--log-key", key).status == 1
    assert is_refusal(gnomon("log", "follows", old, old, "--log-key", key), "no proof")


def test_a_claim_is_checked_and_judged_without_its_run(gnomon: Gnomon, run: Path, log: Path, tmp_path: Path) -> None:
    assert gnomon("log", "add", log, run).status == 0
    zone = next(iter(EvidenceDir.open(run).finished_zones()))
    file = tmp_path / "claim.json"
    made = gnomon("claim", run, zone, "--out", file)
    assert made.status == 0 and str(file) in made.out
    shutil.rmtree(run)
    checked = gnomon("verify", file, "--log-key", log / "verifier.key")
    assert checked.status == 0, checked.out
    assert "Judged again: the same" in checked.out and "signed by a log" in checked.out

    document = json.loads(file.read_bytes())
    document.pop("sha256")
    rows = document["segments"][0]["rows"]
    rows[-1]["exchanges"][-1]["rtt_us"] = 7
    file.write_bytes(seal(document))
    refused = gnomon("verify", file)
    assert refused.status == 1 and "not those that were recorded" in refused.out
    document["verdicts"].pop()
    file.write_bytes(seal(document))
    assert "1 others do" in gnomon("verify", file).out
    file.write_bytes(seal(document).replace(b"critical", b"pass"))
    file.write_bytes(file.read_bytes()[:-9])
    assert is_refusal(gnomon("verify", file), "damaged")


def test_a_zone_that_is_not_there(gnomon: Gnomon, run: Path) -> None:
    assert is_refusal(gnomon("claim", run, "nowhere.example"), "no verdicts on the zone nowhere.example.")


def test_evidence_for_other_tools_and_back(gnomon: Gnomon, run: Path, tmp_path: Path) -> None:
    zone = next(iter(EvidenceDir.open(run).finished_zones()))
    for form in ("pcap", "dnstap", "cdns"):
        file = tmp_path / f"run.{form}"
        written = gnomon("evidence", "export", run, file, "--zone", zone)
        assert written.status == 0 and f"as {form}" in written.out
        read = gnomon("evidence", "import", file, tmp_path / form, "--vantage", "elsewhere")
        assert read.status == 0 and "exchanges" in read.out and "Left out" not in read.out
        assert gnomon("verify", tmp_path / form).status == 0
    assert is_refusal(gnomon("evidence", "export", run, tmp_path / "run.zip"), ".pcap, .dnstap, .cdns")
    assert is_refusal(
        gnomon("evidence", "export", run, tmp_path / "x.pcap", "--zone", "nowhere.example"), "no exchange"
    )
    assert not (tmp_path / "x.pcap").exists()
    assert is_refusal(gnomon("evidence", "import", run / "run.json", tmp_path / "x"), "no capture")


def test_withholding_a_zone(gnomon: Gnomon, run: Path) -> None:
    zone = next(iter(EvidenceDir.open(run).finished_zones()))
    done = gnomon("evidence", "withhold", run, "--zone", zone, "--reason", "asked for", "--yes")
    assert done.status == 0 and "withheld" in done.out
    assert gnomon("verify", run).status == 0
    replayed = gnomon("replay", run)
    assert replayed.status == 0 and f"Not compared, since exchanges were withheld: {zone}" in replayed.out
    assert is_refusal(
        gnomon("evidence", "withhold", run, "--zone", "no.example", "--reason", "x", "--yes"), "no exchange"
    )


def test_a_report_follows_from_its_evidence_or_not(gnomon: Gnomon, run: Path, tmp_path: Path) -> None:
    page = tmp_path / "out" / "page.html"
    page.parent.mkdir()
    assert gnomon("report", run, "--out", page).status == 0
    data = page.with_suffix(".json")
    checked = gnomon("verify", data, "--evidence", run)
    assert checked.status == 0 and "every statement of the report follows" in checked.out, checked.out

    document = json.loads(data.read_bytes())
    document.pop("sha256")
    value = document["report"]["indicators"][0]
    for name, changed in {"numerator": -1, "denominator": 7}.items():
        kept, value[name] = value[name], changed
        data.write_bytes(seal(document))
        refused = gnomon("verify", data, "--evidence", run)
        assert refused.status == 1 and f"indicators' does not follow from the evidence: [0].{name}" in refused.out
        value[name] = kept
    data.write_bytes(seal(document))
    page.write_text(page.read_text().replace("</h1>", "!</h1>"))
    assert "was changed after it was written" in gnomon("verify", data, "--evidence", run).out
    data.write_bytes(b"{}")
    assert is_refusal(gnomon("verify", data, "--evidence", run), "no digest")


def test_an_independent_program_comes_to_the_same(gnomon: Gnomon, run: Path, log: Path) -> None:
    """docs/formats/check.py shares no code with Gnomon: it was written from the specifications."""
    assert gnomon("log", "add", log, run).status == 0
    zone = next(iter(EvidenceDir.open(run).finished_zones()))
    withheld = gnomon("evidence", "withhold", run, "--zone", zone, "--reason", "asked for", "--yes")
    assert withheld.status == 0
    program = Path(__file__).parents[2] / "docs" / "formats" / "check.py"
    command = [sys.executable, str(program), str(run), (log / "verifier.key").read_text().strip()]
    checked = subprocess.run(command, capture_output=True, text=True, cwd=run)
    assert checked.returncode == 0 and "unchanged" in checked.stdout, checked.stderr

    segment = next((run / "segments").iterdir())
    table = pq.read_table(segment)
    row = table.column_names.index("rtt_us")
    changed = [None if value is None else value + 1 for value in table.column("rtt_us").to_pylist()]
    pq.write_table(table.set_column(row, "rtt_us", [changed]).cast(table.schema), segment)
    refused = subprocess.run(command, capture_output=True, text=True, cwd=run)
    assert refused.returncode == 1 and "were changed" in refused.stderr
