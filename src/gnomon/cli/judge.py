"""`gnomon judge`: verdicts from recorded evidence."""

from __future__ import annotations

from pathlib import Path

import click

from gnomon.base import Level
from gnomon.checks.profile import Profile
from gnomon.cli.judging import chosen_checks, chosen_profile, judging_options
from gnomon.cli.terminal import counted, progress_bar, say
from gnomon.insight.tables import judge_with_tables
from gnomon.judge import JudgeSummary
from gnomon.sources import read_routes


@click.command("judge")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False))
@judging_options
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Processes; the verdicts are the same for any number.",
)
def command(
    evidence: Path, profile: str, zone_class: str, asn: tuple[Path, ...], only: tuple[str, ...], jobs: int
) -> None:
    """Run the checks over the evidence in the folder EVIDENCE, and store verdicts and derived tables there.

    No packet is sent. Judging the same evidence again gives the same verdicts, byte for byte.
    """
    summary = judge_run(evidence, chosen_profile(profile, zone_class), asn, only, jobs)
    say(f"{counted(summary.zones, 'zone')} judged, {levels_text(summary)}.")
    if summary.internal_errors:
        failed = f"{counted(summary.internal_errors, 'check')} failed with an error of our own"
        say((failed, "bold red"), "; please report it.")
    say(f"Verdicts: {summary.path}  digest {summary.digest[:16]}")
    say(f"Next: gnomon report {evidence}, or verify, replay, indicators, drill")


def levels_text(summary: JudgeSummary) -> str:
    """The verdicts by level, worst first."""
    words = (level.word for level in sorted(Level, reverse=True))
    counts = ", ".join(f"{summary.levels[word]:,} {word}" for word in words if summary.levels.get(word))
    return f"{counted(summary.verdicts, 'verdict')}: {counts or 'none'}"


def judge_run(
    evidence: Path, profile: Profile | str, asn: tuple[Path, ...], only: tuple[str, ...], jobs: int
) -> JudgeSummary:
    """Judge with progress shown; writes the derived tables too."""
    with progress_bar("judging", "zones") as tell:
        routing, checks = read_routes(asn) if asn else None, chosen_checks(only)
        return judge_with_tables(evidence, profile, routing=routing, only=checks, jobs=jobs, progress=tell)
