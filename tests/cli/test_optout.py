"""Who opted out is not asked, and nothing is held against them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq

from cli.conftest import Gnomon, is_refusal
from gnomon.base import Name
from gnomon.engine import Status
from gnomon.evidence import EvidenceDir
from gnomon.wire import Message


def test_a_zone_that_opted_out(gnomon: Gnomon, lab: Path, zones: list[str], tmp_path: Path) -> None:
    out, kept = zones[0], zones[1]
    (tmp_path / "out.txt").write_text(f"zone {out}\n", "ascii")
    run = tmp_path / "run"
    options = ["--evidence", run, "--lab", lab, "--opt-out", tmp_path / "out.txt", "--contact", "noc@example.net"]
    assert gnomon("assess", out, kept, *options, "--fail-level", "error").status == 0

    info = json.loads((run / "run.json").read_text("utf-8"))
    assert "noc@example.net" in info["identification"] and info["opt_out"]["sha256"]
    gone = Name.from_text(out)
    about = set()
    for exchange in EvidenceDir.open(run).exchanges():
        question = Message(exchange.query).question
        if question is not None and question.name.is_subdomain_of(gone):
            about.add(exchange.status)
    assert about == {Status.NOT_SENT_OPTOUT}
    levels = {(row["zone"], row["level"]) for row in pq.read_table(run / "verdicts" / "default.parquet").to_pylist()}
    assert not {(out, level) for level in ("notice", "warning", "error", "critical")} & levels
    assert (out, "unknown") in levels and (kept, "pass") in levels

    # The list cannot be lost on the way.
    refused = gnomon("survey", "--lab", lab, "--evidence", run, "--resume")
    assert is_refusal(refused, "--opt-out")


def test_addresses_to_send_from(gnomon: Gnomon, lab: Path) -> None:
    assert is_refusal(gnomon("assess", "net.", "--lab", lab, "--send-from", "127.0.0.1"), "leave out")
    assert is_refusal(gnomon("assess", "net.", "--send-from", "here"), "'here'")
    assert is_refusal(gnomon("assess", "net.", "--send-from", "192.0.2.1"), "name an address of this host")
