"""`gnomon demo`: everything once, on real code paths, without a network."""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path

import click

from gnomon.base import Broken, InputError
from gnomon.cli.judge import judge_run, levels_text
from gnomon.cli.lab import build_world, describe
from gnomon.cli.measure import LAB, Circumstances, measure, new_run, survey_note
from gnomon.cli.report import store_report
from gnomon.cli.terminal import console, counted, progress_bar, row, say, table
from gnomon.evidence import EvidenceDir, ZoneSource, verify
from gnomon.insight.drill import Graph
from gnomon.insight.indicator import compute
from gnomon.lab.store import save
from gnomon.report import gather

_MARKER = "made-by-gnomon-demo"
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="demo")
@click.option("--root-zone", type=_FILE, help="Take TLDs, servers, addresses and algorithms from this root zone file.")
@click.option("--asn", multiple=True, type=_FILE, help="Routing table for that root zone, CSV first,last,asn[,name].")
@click.option("--tlds", type=click.IntRange(1), help="How many TLDs of the embedded world; default: all.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes for judging.")
def command(folder: Path, root_zone: Path | None, asn: tuple[Path, ...], tlds: int | None, jobs: int) -> None:
    """Measure, judge, verify, review and report a population of TLDs in FOLDER, all on loopback."""
    began = time.monotonic()
    lab, evidence, workspace, page = (folder / name for name in ("lab", "evidence", "workspace", "report.html"))
    _make_room(folder)

    say(("1. A simulated identifier system", "bold"))
    world = build_world(root_zone, tlds)
    save(world, lab)
    say(f"   {describe(world)}")

    say(("2. Survey: every question to every server, every packet recorded", "bold"))
    origin = f"root zone file {root_zone.name}" if root_zone else "figures about the real root zone and real TLD names"
    kind = "lab-root-zone" if root_zone else "lab-embedded"
    source = ZoneSource(kind, f"lab built from {origin}", None, None, len(world.population))
    run = new_run(evidence, world.population, source, Circumstances(lab=lab, vantage="lab"), LAB)
    with progress_bar("surveying", "zones") as tell:
        measure(run, Circumstances(lab=lab), LAB, lambda p: tell(p.zones_done, p.zones_total, survey_note(p)))

    say(("3. Verdicts: the published checks over the evidence", "bold"))
    tables = asn or ((lab / "asn.csv",) if (lab / "asn.csv").is_file() else ())
    summary = judge_run(evidence, "default", tables, (), jobs)
    say(f"   {levels_text(summary)}")

    say(("4. Is the evidence complete and unchanged?", "bold"))
    checked = verify(evidence)
    if checked.problems:
        raise Broken(f"the evidence just written does not verify: {checked.problems[0]}")
    say(f"   {counted(checked.rows, 'exchange')} in {counted(checked.segments, 'segment')}: yes")

    say(("5. Indicators and a failure drill", "bold"))
    indicators = compute(evidence, EvidenceDir.open(evidence).run.run_id)
    made = table("", "", headings=False)
    for indicator in indicators:
        row(made, f"   {indicator.title}", indicator.text)
    console().print(made)
    for worst in Graph.of_run(evidence).rank("operator", 1):
        say(
            f"   Without the operator {worst.label}: {counted(worst.dark, 'zone')} dark, {worst.brittle:,} left brittle"
        )

    say(("6. A review: five areas, findings linked to measured facts", "bold"))
    from gnomon.review import reported, setup  # Django is needed from here on only

    setup(workspace)
    from gnomon.review.demo import seed

    password = secrets.token_urlsafe(9)
    review = reported(seed(evidence, indicators, password))
    recommendations = {advice.id for finding in review.findings for advice in finding.advice}
    say(
        f"   {len(review.areas)} areas, {len(review.findings)} findings, "
        f"{len(recommendations)} recommendations with a measure"
    )

    store_report(gather(evidence, review=review), "default", page)
    say()
    say((f"{summary.zones:,} zones were judged", "bold"), f" in {time.monotonic() - began:,.0f} s.")
    say(f"Report:    {page}")
    say(f"Workspace: gnomon serve {workspace}   (or: make serve)")
    say(f"Sign in:   as ines (chair) or nora (rapporteur) with the password {password}")


def _make_room(folder: Path) -> None:
    """An empty folder, or what an earlier demo left there; anything else is not ours to remove."""
    marker = folder / _MARKER
    if folder.exists() and any(folder.iterdir()) and not marker.is_file():
        raise InputError(f"{folder} is not empty and was not made by this command; name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    marker.touch()
