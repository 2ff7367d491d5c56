"""How verdicts are printed: for people, as JSON, one a line, or in Zonemaster's words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from textwrap import fill

import click
from rich.console import Console
from rich.text import Text

from gnomon.base import Level, Property, printable
from gnomon.base.words import tr
from gnomon.checks.peers import load_peers
from gnomon.checks.registry import all_checks
from gnomon.cli.terminal import console
from gnomon.evidence import EvidenceDir
from gnomon.judge import Verdict, explanations, sentence, verdicts, views

_INDENT, _WIDTH = 12 * " ", 110

_STYLES = {
    Level.CRITICAL: "bold white on red",
    Level.ERROR: "bold red",
    Level.WARNING: "bold yellow",
    Level.NOTICE: "cyan",
    Level.INFO: "dim",
    Level.PASS: "green",
    Level.UNKNOWN: "dim",
}


@dataclass(frozen=True, slots=True)
class Assessed:
    """One zone's verdicts and the circumstances that go with them."""

    zone: str
    verdicts: Sequence[Verdict]
    addresses: int
    exchanges: int
    observed: str


def assessed(evidence: Path, profile: str) -> Iterator[Assessed]:
    """The zones of a judged run, in order of name."""
    seen = {str(view.zone).lower(): view for view in views(EvidenceDir.open(evidence))}
    for zone, group in groupby(verdicts(evidence, profile), key=lambda v: v.zone):
        view = seen[zone]
        at = datetime.fromtimestamp(view.observed_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        yield Assessed(zone, list(group), len(view.addresses), len(view.exchanges), at)


def print_all(zones: Iterable[Assessed], form: str, *, all_outcomes: bool = False, explain: bool = False) -> None:
    """Print to standard output as `form` says: text, json, jsonl or zonemaster."""
    if form == "text":
        out = console()
        for zone in zones:
            _print_text(out, zone, all_outcomes, explain)
    elif form == "json":
        click.echo(json.dumps([{"zone": z.zone, "observed": z.observed, "verdicts": [plain(v) for v in z.verdicts]}
                               for z in zones], indent=1))  # fmt: skip
    elif form == "jsonl":
        for zone in zones:
            for verdict in zone.verdicts:
                click.echo(json.dumps(plain(verdict)))
    else:
        peers = load_peers("zonemaster")
        for zone in zones:
            for verdict in zone.verdicts:
                for peer in peers.get(f"{verdict.check_id}/{verdict.code}", ()):
                    line = {"zone": zone.zone, "testcase": peer.testcase, "tag": peer.tag, "level": peer.level}
                    click.echo(json.dumps({**line, "args": dict(verdict.args)}))


def plain(verdict: Verdict) -> dict[str, object]:
    """A verdict as JSON values, with its sentence."""
    return {
        "zone": verdict.zone,
        "check": verdict.check_id,
        "version": verdict.check_version,
        "code": verdict.code,
        "state": verdict.state,
        "level": verdict.level,
        "properties": list(verdict.properties),
        "subject": verdict.subject,
        "args": dict(verdict.args),
        "sentence": sentence(verdict),
        "explanation": explanations(verdict.zone, verdict.explanation),
        "evidence": list(verdict.evidence),
    }


def _print_text(out: Console, zone: Assessed, all_outcomes: bool, explain: bool) -> None:
    out.print(
        Text.assemble(
            (printable(zone.zone), "bold"),
            (
                "   "
                + tr("{observed}, {addresses} server addresses, {exchanges} messages exchanged").format(
                    observed=zone.observed, addresses=zone.addresses, exchanges=zone.exchanges
                ),
                "dim",
            ),
        )
    )
    least = Level.NOT_APPLICABLE if all_outcomes else Level.NOTICE
    for prop in Property:
        mine = [v for v in zone.verdicts if v.properties[0] == prop.value]
        counts = Counter(Level.from_word(v.level) for v in mine)
        out.print()
        out.print(_heading(prop, counts))
        shown = sorted(
            (v for v in mine if Level.from_word(v.level) >= least),
            key=lambda v: (-Level.from_word(v.level), v.check_id, v.subject),
        )
        for verdict in shown:
            _print_verdict(out, verdict, explain)
    out.print()


def _heading(prop: Property, counts: Counter[Level]) -> Text:
    bad = [f"{counts[x]} {tr(x.word)}" for x in sorted(_STYLES, reverse=True) if x >= Level.NOTICE and counts[x]]
    fine = [tr("{count} passed").format(count=counts[Level.PASS] + counts[Level.INFO])]
    if counts[Level.UNKNOWN]:
        fine.append(f"{counts[Level.UNKNOWN]} {tr(Level.UNKNOWN.word)}")
    worst = max((x for x in counts if counts[x]), default=Level.PASS)
    return Text.assemble((f"{tr(prop.value).upper():17}", "bold"), (", ".join(bad + fine), _STYLES.get(worst, "")))


def _print_verdict(out: Console, verdict: Verdict, explain: bool) -> None:
    level = Level.from_word(verdict.level)
    head = Text.assemble(
        "  ", (f"{tr(level.word):9}", _STYLES.get(level, "")), (f"{verdict.check_id}/{verdict.code}", "dim")
    )
    out.print(head)
    out.print(Text(_wrapped(out, sentence(verdict))))
    for text in explanations(verdict.zone, verdict.explanation) if explain else ():
        out.print(Text(_wrapped(out, tr("Level: {text}").format(text=text)), "dim"))
    doing = tr(all_checks()[verdict.check_id].section("Do"))
    if doing and level >= Level.NOTICE:
        out.print(Text(_wrapped(out, tr("What to do: {advice}").format(advice=doing)), "dim"))


def _wrapped(out: Console, text: str) -> str:
    return fill(text, min(out.width, _WIDTH), initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)
