"""`gnomon replay`: judge again and compare."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from gnomon.base import printable
from gnomon.judge import replay, sentence

_SHOWN = 50


@click.command("replay")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--profile", default="default", show_default=True, help="Verdicts of which profile.")
@click.option("--jobs", default=2, show_default=True, help="Processes.")
def command(evidence: Path, profile: str, jobs: int) -> int:
    """Judge the evidence in EVIDENCE again, with the stored profile, and report any difference.

    Exit status 0: none. 1: the differences are listed; `-` was stored, `+` comes out now.
    """
    result = replay(evidence, profile, jobs=jobs)
    console = Console(highlight=False)
    for difference in result.differences[:_SHOWN]:
        v = difference.verdict
        sign = "+" if difference.is_new else "-"
        console.print(f"{sign} {printable(v.zone)} {v.level} {v.check_id}/{v.code}: {sentence(v)}", markup=False)
    if len(result.differences) > _SHOWN:
        console.print(f"… and {len(result.differences) - _SHOWN:,} more")
    verdicts = f"{result.verdicts:,} verdicts over {result.zones:,} zones"
    if result.differences:
        console.print(
            f"{len(result.differences):,} differences to the stored {verdicts} (judged by {result.code_version})."
        )
        return 1
    console.print(f"{verdicts} came out the same.")
    return 0
