"""`gnomon indicators`: numbers over the whole population of a judged run."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import click
from rich.table import Table

from gnomon.base import printable
from gnomon.cli.terminal import console, row, say, table
from gnomon.evidence import EvidenceDir
from gnomon.insight.indicator import Indicator, compute


@click.command("indicators")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--only", metavar="ID", help="Only this indicator (for example i.signed).")
@click.option("--profile", default="default", show_default=True, help="Verdicts of which profile.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
def command(evidence: Path, only: str | None, profile: str, form: str) -> None:
    """Compute the indicators of the judged run in the folder EVIDENCE.

    Every value is printed with numerator and denominator; `unknown` objects are in neither.
    """
    found = compute(evidence, EvidenceDir.open(evidence).run.run_id, profile, only)
    if form == "json":
        click.echo(json.dumps([i.as_dict() for i in found], indent=1))
    elif form == "csv":
        _write_csv(found, sys.stdout)
    else:
        if found:
            say(found[0].population)
        console().print(_table(found))


def _write_csv(found: Iterable[Indicator], out: TextIO) -> None:
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["indicator", "slice", "numerator", "denominator", "unknown", "method_digest", "run"])
    for i in found:
        rows.writerow([i.id, "", i.numerator, i.denominator, i.unknown, i.method.digest, i.run_id])
        rows.writerows(
            [i.id, printable(s.label), s.numerator, s.denominator, "", i.method.digest, i.run_id] for s in i.slices
        )


def _table(found: tuple[Indicator, ...]) -> Table:
    made = table("", "share>", "count>", "of>", "unknown>")
    for i in found:
        row(made, (i.title, "bold"), *_numbers(i.value, i.numerator, i.denominator), f"{i.unknown:,}")
        row(made, f"  {i.id}", "", "", "", "", style="dim")
        for s in i.slices:
            share = None if s.share is None else 100 * s.share
            row(made, f"    {s.label}", *_numbers(share, s.numerator, s.denominator), "", style="dim")
    return made


def _numbers(percent: float | None, numerator: int, denominator: int) -> tuple[str, str, str]:
    return "-" if percent is None else f"{percent:.1f} %", f"{numerator:,}", f"{denominator:,}"
