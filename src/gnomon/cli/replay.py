"""`gnomon replay`: judge again and compare."""

from __future__ import annotations

from pathlib import Path

import click

from gnomon.cli.terminal import counted, say
from gnomon.judge import replay, sentence

_SHOWN = 50


@click.command("replay")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--profile", default="default", show_default=True, help="Verdicts of which profile.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
def command(evidence: Path, profile: str, jobs: int) -> int:
    """Judge the evidence in EVIDENCE again, with the stored profile, and report any difference.

    Exit status 0: none. 1: the differences are listed; `-` was stored, `+` comes out now.
    """
    result = replay(evidence, profile, jobs=jobs)
    for difference in result.differences[:_SHOWN]:
        v = difference.verdict
        sign = "+" if difference.is_new else "-"
        say(f"{sign} {v.zone} {v.level} {v.check_id}/{v.code}: {sentence(v)}")
    if result.different > _SHOWN:
        say(f"... and {result.different - _SHOWN:,} more")
    if result.partial:
        shown = ", ".join(result.partial[:10])
        say(f"Not compared, since exchanges were withheld: {shown}{' ...' if len(result.partial) > 10 else ''}")
    verdicts = f"{counted(result.verdicts, 'verdict')} over {counted(result.zones, 'zone')}"
    if result.different:
        say(
            f"{counted(result.different, 'difference')} to the stored {verdicts}, "
            f"which Gnomon {result.code_version} made."
        )
        return 1
    say("All others came out the same." if result.partial else f"{verdicts} came out the same.")
    return 0
