"""`gnomon drill`: lose an operator, an AS or an address, and see which zones go with it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from gnomon.insight import KINDS, DrillResult, Graph


@click.command("drill")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("lost", required=False)
@click.option("--most", default=20, show_default=True, help="Lines of the ranking, or zones listed.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(evidence: Path, kind: str, lost: str | None, most: int, form: str) -> None:
    """Take LOST away from the judged run in EVIDENCE and list the zones that suffer.

    KIND is `operator` (registrable domain of server names), `as` (AS64496) or `address`. Without LOST, the single
    losses of that kind are ranked by the zones they darken.
    """
    graph = Graph.of_run(evidence)
    console = Console()
    if lost is None:
        ranking = graph.rank(kind, most)
        if form == "json":
            click.echo(json.dumps([asdict(r) for r in ranking], indent=1, ensure_ascii=False))
            return
        table = Table("lost", "touched", "brittle", "dark", box=None, header_style="bold")
        for r in ranking:
            table.add_row(r.label, f"{r.touched:,}", f"{r.brittle:,}", f"[bold]{r.dark:,}[/]")
        console.print(table)
        return
    result = graph.drill(kind, lost)
    if form == "json":
        click.echo(json.dumps(asdict(result), indent=1, ensure_ascii=False))
    else:
        _print(console, result, most)


def _print(console: Console, result: DrillResult, most: int) -> None:
    console.print(
        f"[bold]If {result.label} goes away[/]: of {result.zones:,} zones {result.count('dark'):,} go dark, "
        f"{result.count('brittle'):,} are left brittle, {result.count('degraded'):,} degraded, "
        f"{result.count('touched'):,} lose a server and stand. ({result.already_dark:,} were dark before.)"
    )
    for word in ("dark", "brittle", "degraded"):
        zones = [a for a in result.affected if a.result == word]
        for a in zones[:most]:
            console.print(f"  {word:9} {a.zone:24} {a.left} of {a.before} addresses; {a.why}", highlight=False)
        if len(zones) > most:
            console.print(f"  … and {len(zones) - most:,} more {word} (--format json lists all)")
    console.print(
        "Cold caches; server names outside the population are taken as resolvable; glue as published.", style="dim"
    )
