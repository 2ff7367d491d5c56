"""`gnomon report`: one HTML file about a judged run, with the findings of a review if there is one."""

from __future__ import annotations

from pathlib import Path

import click

from gnomon.cli.terminal import say
from gnomon.evidence import durable
from gnomon.report import Report, freeze, gather, render


@click.command("report")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write. Default: EVIDENCE/report.html."
)
@click.option(
    "--workspace", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Workspace whose review's findings go into the report.",
)  # fmt: skip
@click.option("--review", "short_name", default="demo", show_default=True, help="Short name of that review.")
@click.option("--profile", default="default", show_default=True, help="Verdicts of which profile.")
def command(evidence: Path, out: Path | None, workspace: Path | None, short_name: str, profile: str) -> None:
    """Write the report of the judged run in EVIDENCE: summary, findings, indicators, drills, how to repeat it.

    One self-contained page without scripts, and beside it the same as data (.json), from which `gnomon verify` shows
    that every statement follows from the evidence. The same evidence and findings give the same files.
    """
    review = None
    if workspace is not None:
        from gnomon.review import open_existing, reported  # the workspace needs Django, the report alone does not

        open_existing(workspace)
        review = reported(short_name)
    path = out or evidence / "report.html"
    store_report(gather(evidence, profile, review), profile, path)
    say(
        f"Report: {path} ({path.stat().st_size / 1000:,.0f} kB); to check it: gnomon verify "
        f"{path.with_suffix('.json')}{'' if path.parent == evidence else f' --evidence {evidence}'}"
    )


def store_report(report: Report, profile: str, path: Path) -> None:
    """The page at `path`, and its data beside it."""
    page = render(report)
    durable.store(path, page.encode())
    durable.store(path.with_suffix(".json"), freeze(report, profile, page))
