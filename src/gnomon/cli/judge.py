"""`gnomon judge`: verdicts from recorded evidence."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from gnomon.base import Level
from gnomon.cli.assess import chosen_checks, judging_options
from gnomon.cli.measure import progress_bar
from gnomon.insight import write_tables
from gnomon.judge import JudgeSummary, judge
from gnomon.sources import read_routes


@click.command("judge")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False))
@judging_options
@click.option("--jobs", default=2, show_default=True, help="Processes; the verdicts are the same for any number.")
def command(evidence: Path, profile: str, asn: tuple[Path, ...], only: tuple[str, ...], jobs: int) -> None:
    """Run the checks over the evidence in the folder EVIDENCE, and store verdicts and derived tables there.

    No packet is sent. Judging the same evidence again gives the same verdicts, byte for byte.
    """
    summary = judge_run(evidence, profile, asn, only, jobs)
    console = Console(highlight=False)
    counts = ", ".join(
        f"{summary.levels[x.word]:,} {x.word}" for x in sorted(Level, reverse=True) if x.word in summary.levels
    )
    console.print(f"{summary.zones:,} zones judged, {summary.verdicts:,} verdicts: {counts}")
    if summary.internal_errors:
        console.print(
            f"[bold red]{summary.internal_errors:,} checks failed with an error of their own[/]; please report it"
        )
    console.print(f"Verdicts: {summary.path}  digest {summary.digest[:16]}")


def judge_run(evidence: Path, profile: str, asn: tuple[Path, ...], only: tuple[str, ...], jobs: int) -> JudgeSummary:
    """Judge with progress shown, then write the derived tables."""
    with progress_bar("judging", "zones") as tell:
        routing = read_routes(asn) if asn else None
        summary = judge(evidence, profile, routing=routing, only=chosen_checks(only), jobs=jobs, progress=tell)
    with progress_bar("tables", "zones") as tell:
        write_tables(evidence, summary.profile, tell)
    return summary
