"""The real root zone, snapshot by snapshot, each at a time when it was valid."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from gnomon.base import Level
from gnomon.zonefile import AuditReport, audit, load_zone

FOLDER = Path(os.environ.get("GNOMON_SHARED") or Path(__file__).parents[3] / "shared") / "data/root-zone"
pytestmark = [pytest.mark.real, pytest.mark.skipif(not FOLDER.is_dir(), reason="no real data; set GNOMON_SHARED")]

# serial, valid from (UTC), records, RRsets signed, ZONEMD
SNAPSHOTS = [
    (2026073102, "2026-07-31T19", 24877, 2792, "verified"),
    (2023110500, "2023-11-05T04", 25097, 2813, "not-checkable"),
    (2023080300, "2023-08-03T04", 24914, 2822, "none"),
    (2020101902, "2020-10-19T18", 21591, 2884, "none"),
    (2020020102, "2020-02-01T16", 22049, 2896, "none"),
    (2019012200, "2019-01-22T04", 22468, 2928, "none"),
    (2019010300, "2019-01-03T04", 22469, 2928, "none"),
    (2018080101, "2018-08-01T16", 22540, 2942, "none"),
    (2018030202, "2018-03-02T21", 22549, 2947, "none"),
    (2017112902, "2017-11-29T20", 22493, 2940, "none"),
    (2017082100, "2017-08-21T04", 22772, 2950, "none"),
    (2014071301, "2014-07-12T23", 8145, 1094, "none"),
    (2014062501, "2014-06-24T23", 7971, 1067, "none"),
]


def unix_s(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}:00:00+00:00").timestamp())


def judged(path: Path, at: str) -> tuple[AuditReport, set[str]]:
    report = audit(load_zone(path), unix_s(at), 2)
    bad = {f"{v.check_id}/{v.code}".removeprefix("zonefile.") for v in report.verdicts
           if Level.from_word(v.level) >= Level.WARNING}  # fmt: skip
    return report, bad - {"ds/digest-deprecated", "ds/algorithm-deprecated"}


@pytest.mark.parametrize(("serial", "at", "records", "rrsets", "zonemd"), SNAPSHOTS)
def test_every_snapshot_is_right_at_its_time(serial: int, at: str, records: int, rrsets: int, zonemd: str) -> None:
    report, bad = judged(FOLDER / f"root.{serial}.zone.gz", at)
    summary = report.summary
    assert bad == set()
    assert (summary["serial"], summary["records"], summary["rrsets_validly_signed"]) == (serial, records, rrsets)
    assert [v.code for v in report.verdicts if v.check_id == "zonefile.zonemd"] == [zonemd]
    assert {"complete", "valid"} <= {v.code for v in report.verdicts if v.check_id[9:] in ("nsec", "signatures")}


Spoil = Callable[[list[str]], None]


def _flip(lines: list[str]) -> None:
    at = next(i for i in range(len(lines) // 2, len(lines)) if "\tRRSIG\tDS " in lines[i])
    lines[at] = lines[at][:-21] + ("B" if lines[at][-21] == "A" else "A") + lines[at][-20:]


def _drop_nsec(lines: list[str]) -> None:
    at = next(i for i in range(len(lines) // 2, len(lines)) if "\tNSEC\t" in lines[i])
    owner = lines[at].split()[0]
    lines[:] = [x for x in lines if x.split()[0] != owner or not ("\tNSEC\t" in x or "\tRRSIG\tNSEC " in x)]


def _change_glue(lines: list[str]) -> None:
    at = next(i for i in range(len(lines) // 2, len(lines)) if "\tA\t" in lines[i])
    head, _, last = lines[at].strip().rpartition(".")
    lines[at] = f"{head}.{(int(last) + 1) % 256}\n"


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_flip, {"signatures/invalid", "zonemd/mismatch"}),
        (_drop_nsec, {"nsec/missing", "zonemd/mismatch"}),
        (_change_glue, {"zonemd/mismatch"}),
    ],
)
def test_what_is_spoiled_is_found(tmp_path: Path, spoil: Spoil, expected: set[str]) -> None:
    lines = gzip.decompress((FOLDER / "root.2026073102.zone.gz").read_bytes()).decode().splitlines(keepends=True)
    spoil(lines)
    (tmp_path / "root").write_text("".join(lines))
    assert judged(tmp_path / "root", "2026-08-01T00")[1] == expected
