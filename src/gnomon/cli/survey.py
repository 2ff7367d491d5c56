"""`gnomon survey`: measure a population and keep every packet as evidence."""

from __future__ import annotations

from pathlib import Path

import click

from gnomon.base import InputError, Name
from gnomon.cli.measure import (
    LAB,
    LOCAL,
    SURVEY,
    circumstances,
    measure,
    measuring_options,
    new_run,
    survey_note,
)  # fmt: skip
from gnomon.cli.terminal import counted, progress_bar, say
from gnomon.evidence import EvidenceDir, ZoneSource
from gnomon.sources import read_parent_zone, read_zone_list
from gnomon.sources.tlds import default_tlds

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("survey")
@click.argument("names", nargs=-1, metavar="[ZONE]...")
@click.option("--tlds", is_flag=True, help="Every top-level domain (names from the packaged list).")
@click.option("--zones", type=_FILE, help="The zones listed in this file, one per line.")
@click.option("--zone-file", type=_FILE, help="Every delegation in this zone file (root zone, registry export).")
@click.option("--lab", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Ask this lab, not the DNS.")
@click.option("--evidence", type=click.Path(path_type=Path), required=True, help="Folder for the evidence.")
@click.option("--resume", is_flag=True, help="Go on with the interrupted survey in the evidence folder.")
@measuring_options
def command(
    names: tuple[str, ...],
    tlds: bool,
    zones: Path | None,
    zone_file: Path | None,
    lab: Path | None,
    evidence: Path,
    resume: bool,
    hints: Path | None,
    trust_anchor: Path | None,
    allow_net: tuple[str, ...],
    vantage: str,
    opt_out: Path | None,
    send_from: tuple[str, ...],
    contact: str,
) -> None:
    """Ask every server of every zone the questions of the plan, within limits, and record every packet.

    The population is one of: ZONE names, --tlds, --zones FILE, --zone-file FILE, or the lab's own. A survey may be
    stopped at any moment; --resume goes on where it stopped.
    """
    at = circumstances(
        hints, trust_anchor, vantage, lab,
        allow_net=allow_net, opt_out=opt_out, send_from=send_from, contact=contact,
    )  # fmt: skip
    manner = LAB if lab else SURVEY
    if resume:
        if names or tlds or zones or zone_file or hints or trust_anchor or contact or vantage != LOCAL:
            raise InputError(
                "--resume goes on with the zones, hints, anchors, contact and vantage of the run; leave them out"
            )
        run = EvidenceDir.open(evidence)
    else:
        population, source = _population(names, tlds, zones, zone_file, lab)
        run = new_run(evidence, population, source, at, manner)
    with progress_bar("surveying", "zones") as tell:
        done = measure(run, at, manner, lambda p: tell(p.zones_done, p.zones_total, survey_note(p)))
    now = f"{done.exchanges:,} exchanges now" if done.exchanges else "nothing was left to ask"
    say(f"{counted(done.zones_total, 'zone')} recorded in {evidence} ({now}).")
    if done.cut_short:
        say(f"{done.cut_short:,} of them met a bound of the plan; their verdicts say so.")
    say(f"Next: gnomon judge {evidence}")


def _population(
    names: tuple[str, ...], tlds: bool, zones: Path | None, zone_file: Path | None, lab: Path | None
) -> tuple[list[Name], ZoneSource]:
    chosen = [bool(names), tlds, zones is not None, zone_file is not None]
    if sum(chosen) > 1 or not (any(chosen) or lab):
        raise InputError(
            "say which zones to survey: ZONE names, or one of --tlds, --zones FILE, --zone-file FILE, --lab DIR"
        )
    if names:
        found = list(dict.fromkeys(Name.from_text(name) for name in names))
        return found, ZoneSource("names", "the command line", None, None, len(found))
    if tlds:
        listed = default_tlds()
        return list(listed.zones), ZoneSource(
            "tlds", listed.provenance.origin, listed.provenance.date, listed.provenance.sha256, len(listed.zones)
        )
    if zone_file:
        parent = read_parent_zone(zone_file)
        p = parent.provenance
        found = list(parent.ns)
        return found, ZoneSource(
            "zone-file", f"delegations of {parent.origin} in {p.origin}", p.date, p.sha256, len(found)
        )
    path = zones if zones is not None else lab / "zones.txt" if lab else None
    if path is None:
        raise InputError("no population was given")
    read = read_zone_list(path)
    kind, origin = ("lab", f"the lab in {lab.name}") if lab and zones is None else ("zone-list", read.provenance.origin)
    return list(read.zones), ZoneSource(kind, origin, read.provenance.date, read.provenance.sha256, len(read.zones))
