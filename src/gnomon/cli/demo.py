"""`gnomon demo`: everything once, on real code paths, without a network."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import click
from rich.console import Console

from gnomon.base import Broken, InputError, Level
from gnomon.cli.judge import judge_run
from gnomon.cli.lab import build_world, describe
from gnomon.cli.measure import LAB, Circumstances, measure, new_run, progress_bar, survey_note
from gnomon.evidence import EvidenceDir, ZoneSource, verify
from gnomon.insight import Graph, compute
from gnomon.lab.store import save
from gnomon.report import gather, render

_MARKER = "made-by-gnomon-demo"
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="demo")
@click.option("--root-zone", type=_FILE, help="Take TLDs, servers, addresses and algorithms from this root zone file.")
@click.option("--asn", multiple=True, type=_FILE, help="Routing table for that root zone, CSV first,last,asn[,name].")
@click.option("--tlds", type=click.IntRange(1), help="How many TLDs of the embedded world; default: all.")
@click.option("--jobs", default=2, show_default=True, help="Processes for judging.")
def command(folder: Path, root_zone: Path | None, asn: tuple[Path, ...], tlds: int | None, jobs: int) -> None:
    """Measure, judge, verify, review and report a population of TLDs in FOLDER, all on loopback."""
    console, began = Console(highlight=False), time.monotonic()
    lab, evidence, workspace, page = (folder / name for name in ("lab", "evidence", "workspace", "report.html"))
    _make_room(folder)

    console.print("[bold]1. A simulated identifier system[/]")
    world = build_world(root_zone, tlds)
    save(world, lab)
    console.print(f"   {describe(world)}")

    console.print("[bold]2. Survey: every question to every server, every packet recorded[/]")
    origin = f"root zone file {root_zone.name}" if root_zone else "figures about the real root zone and real TLD names"
    kind = "lab-root-zone" if root_zone else "lab-embedded"
    source = ZoneSource(kind, f"lab built from {origin}", None, None, len(world.population))
    run = new_run(evidence, world.population, source, Circumstances(lab=lab, vantage="lab"), LAB)
    with progress_bar("surveying", "zones") as tell:
        measure(run, Circumstances(lab=lab), LAB, lambda p: tell(p.zones_done, p.zones_total, survey_note(p)))

    console.print("[bold]3. Verdicts: the published checks over the evidence[/]")
    tables = asn or ((lab / "asn.csv",) if (lab / "asn.csv").is_file() else ())
    summary = judge_run(evidence, "default", tables, (), jobs)
    counts = ", ".join(
        f"{summary.levels[x.word]:,} {x.word}" for x in sorted(Level, reverse=True) if summary.levels.get(x.word)
    )
    console.print(f"   {summary.verdicts:,} verdicts: {counts}")

    console.print("[bold]4. Is the evidence complete and unchanged?[/]")
    checked = verify(evidence)
    if checked.problems:
        raise Broken(f"the evidence just written does not verify: {checked.problems[0]}")
    console.print(f"   {checked.rows:,} exchanges in {checked.segments:,} segments: yes")

    console.print("[bold]5. Indicators and a failure drill[/]")
    indicators = compute(evidence, EvidenceDir.open(evidence).run.run_id)
    for indicator in indicators:
        console.print(f"   {indicator.title:55} {indicator.text}")
    for worst in Graph.of_run(evidence).rank("operator", 1):
        console.print(
            f"   If the operator {worst.label} goes away, {worst.dark:,} zones go dark, "
            f"{worst.brittle:,} are left brittle."
        )

    console.print("[bold]6. A review: five areas, findings linked to measured facts[/]")
    from gnomon.review import reported, setup  # Django is needed from here on only
    from gnomon.review.instance import configure

    setup(workspace)
    configure(workspace)
    from gnomon.review.demo import seed

    review = reported(seed(evidence, indicators))
    recommendations = {advice.id for finding in review.findings for advice in finding.advice}
    console.print(
        f"   {len(review.areas)} areas, {len(review.findings)} findings, "
        f"{len(recommendations)} recommendations with a measure"
    )

    page.write_text(render(gather(evidence, review=review)), "utf-8")
    console.print()
    console.print(f"[bold]{summary.zones:,} zones were judged[/] in {time.monotonic() - began:,.0f} s.")
    console.print(f"Report:    {page}")
    console.print(f"Workspace: gnomon serve {workspace}   (or: make serve)", soft_wrap=True)


def _make_room(folder: Path) -> None:
    """An empty folder, or what an earlier demo left there; anything else is not ours to remove."""
    marker = folder / _MARKER
    if folder.exists() and any(folder.iterdir()) and not marker.is_file():
        raise InputError(f"{folder} is not empty and was not made by this command; name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    marker.touch()
