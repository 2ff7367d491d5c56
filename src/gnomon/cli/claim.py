"""`gnomon claim`: one zone's verdicts with all their evidence and proofs, in one file."""

from __future__ import annotations

import re
from pathlib import Path

import click

from gnomon.base import Name
from gnomon.cli.terminal import counted, say
from gnomon.evidence import durable
from gnomon.judge.claim import make_claim


@click.command("claim")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("zone")
@click.option("--profile", default="default", show_default=True, help="Verdicts of which profile.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; default: ZONE.claim.json.")
def command(evidence: Path, zone: str, profile: str, out: Path | None) -> None:
    """Write what was found about ZONE, with every exchange that it rests on and the proofs, into one file.

    Whoever gets the file can check it with `gnomon verify FILE`, without a network and without the rest of the run.
    """
    claim = make_claim(evidence, Name.from_text(zone), profile)
    octets = claim.to_octets()
    # A name may hold anything; a file name gets what no file system minds.
    safe = re.sub(r"[^a-z0-9.-]", "_", str(claim.zone).lower()).strip(".") or "root"
    out = out or Path(f"{safe}.claim.json")
    durable.store(out, octets)
    exchanges = sum(len(part.exchanges) for segment in claim.segments for part in segment.rows)
    say(f"{out}: {counted(len(claim.verdicts), 'verdict')} on {claim.zone}, {counted(exchanges, 'exchange')}, "
        f"{len(octets) / 1000:,.0f} kB. To check it: gnomon verify {out}")  # fmt: skip
