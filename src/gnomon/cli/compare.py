"""`gnomon compare`: our verdicts on a zone beside another tool's report."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gnomon.base import InputError, Name
from gnomon.cli.terminal import console, counted, row, say, table
from gnomon.evidence import EvidenceDir
from gnomon.evidence.subject import zone_text
from gnomon.judge import verdicts
from gnomon.judge.compare import Compared, compare, peer_name, read_report

_MEANING = {
    "both": "both say it",
    "theirs": "they say it, our check found otherwise",
    "no counterpart": "they say it, no check of ours does",
    "ours": "we say it, they could but do not",
    "only ours": "we say it, no message of theirs could",
}


@click.command("compare")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("report", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--zone", help="Which zone; default: the one that the report is about.")
@click.option("--profile", default="default", show_default=True, help="Verdicts of which profile.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(evidence: Path, report: Path, zone: str | None, profile: str, form: str) -> None:
    """Compare the verdicts in EVIDENCE with REPORT: the output of `zonemaster-cli --json` or of `dnsviz grok`.

    Their notices and above, our warnings and above; what means the same is told by the identifiers of `gnomon checks`.
    """
    wanted = Name.from_text(zone) if zone else None
    read = read_report(report, wanted)
    name = zone_text(wanted) if wanted else read.zone
    if not name:
        raise InputError(f"{report} does not say which zone it is about; give --zone")
    if name not in EvidenceDir.open(evidence).finished_zones():
        raise InputError(f"{evidence} has nothing about {name}")
    rows = compare(read, (verdict for verdict in verdicts(evidence, profile) if verdict.zone == name))
    if form == "json":
        click.echo(json.dumps([_plain(one) for one in rows], indent=1))
        return
    say((f"{name}: {peer_name(read)} and Gnomon", "bold"))
    if not rows:
        say("Neither finds anything.")
    for kind, meaning in _MEANING.items():
        of = [one for one in rows if one.kind == kind]
        if of:
            say()
            say((f"{counted(len(of), 'message')}: {meaning}", "bold"))
            made = table("", "", headings=False)
            for one in of:
                theirs = f"  {_said(one)}" if one.said else ""
                row(made, theirs, ", ".join(f"{code} ({level})" for code, level in one.codes))
            console().print(made)


def _said(one: Compared) -> str:
    said = one.said
    return f"{said.tag} ({said.level}{f', {said.times} times' if said.times > 1 else ''})" if said else ""


def _plain(one: Compared) -> dict[str, object]:
    said = one.said and {"tag": one.said.tag, "level": one.said.level, "times": one.said.times}
    return {"kind": one.kind, "theirs": said, "ours": [{"code": code, "level": level} for code, level in one.codes]}
