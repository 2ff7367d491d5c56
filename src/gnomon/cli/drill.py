"""`gnomon drill`: lose an operator, an AS or an address, and see which zones go with it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from gnomon.base import InputError
from gnomon.cli.terminal import console, row, say, table
from gnomon.insight.drill import KINDS, DrillResult, Graph


@click.command("drill")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("lost", required=False)
@click.option(
    "--most", type=click.IntRange(1), default=20, show_default=True, help="Lines of the ranking, or zones listed."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(evidence: Path, kind: str, lost: str | None, most: int, form: str) -> None:
    """Take LOST away from the judged run in EVIDENCE and list the zones that suffer.

    KIND is `operator` (registrable domain of server names), `as` (AS64496) or `address`. Without LOST, the single
    losses of that kind are ranked by the zones they darken.
    """
    graph = Graph.of_run(evidence)
    if lost is None:
        ranking = graph.rank(kind, most)
        if form == "json":
            click.echo(json.dumps([asdict(r) for r in ranking], indent=1))
            return
        if not ranking:
            how = "judge the run again with a routing table, --asn FILE" if kind == "as" else "survey other zones"
            raise InputError(f"{evidence} has no {kind} to take away: {how}")
        made = table("if this goes away", "dark>", "brittle>", "touched>")
        for r in ranking:
            row(made, r.label, (f"{r.dark:,}", "bold"), f"{r.brittle:,}", f"{r.touched:,}")
        console().print(made)
        return
    result = graph.drill(kind, lost)
    if form == "json":
        click.echo(json.dumps(asdict(result), indent=1))
    else:
        _print(result, most)


def _print(result: DrillResult, most: int) -> None:
    say(
        (f"If {result.label} goes away", "bold"),
        f": of {result.zones:,} zones {result.count('dark'):,} go dark, {result.count('brittle'):,} are left brittle, "
        f"{result.count('degraded'):,} degraded, {result.count('touched'):,} lose a server and stand. "
        f"({result.already_dark:,} were dark before.)",
    )
    for word in ("dark", "brittle", "degraded"):
        zones = [a for a in result.affected if a.result == word]
        made = table("", "", "", "", headings=False)
        for a in zones[:most]:
            row(made, f"  {word:8}", a.zone, f"{a.left} of {a.before} addresses", a.why)
        if zones:
            console().print(made)
        if len(zones) > most:
            say(f"  ... and {len(zones) - most:,} more {word} (--format json lists all)")
    say(("Cold caches; server names outside the population are taken as resolvable; glue as published.", "dim"))
