"""How verdicts are printed for people."""

from __future__ import annotations

from collections import Counter
from textwrap import fill
from typing import TYPE_CHECKING

from rich.text import Text

from gnomon.base import Level, Property, printable
from gnomon.base.words import tr
from gnomon.checks.registry import all_checks
from gnomon.judge import Verdict, explanations, sentence

if TYPE_CHECKING:
    from rich.console import Console

    from gnomon.cli.verdicts import Assessed

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


def print_text(out: Console, zone: Assessed, *, all_outcomes: bool, explain: bool) -> None:
    """One zone: how many verdicts of each property passed, and those that did not (or all), worst first."""
    out.print(
        Text.assemble(
            (printable(zone.zone), "bold"),
            (
                "   "
                + tr("{observed}, {addresses} server addresses, {exchanges} messages sent").format(
                    observed=zone.observed or tr("nothing asked"), addresses=zone.addresses, exchanges=zone.exchanges
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
            (v for v in mine if Level.from_word(v.level) >= least or _tells_why(v)),
            key=lambda v: (-Level.from_word(v.level), v.check_id, v.subject),
        )
        for verdict in shown:
            _print_verdict(out, verdict, explain)
    out.print()


def _tells_why(verdict: Verdict) -> bool:
    """Whether it says why much else is unknown: nobody knows of the zone, or it was too much work to ask all."""
    return verdict.level == Level.UNKNOWN.word and verdict.check_id in ("del.zone-exists", "net.work-limit")


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
