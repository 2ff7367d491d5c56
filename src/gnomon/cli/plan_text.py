"""The plan in print: every question, when it is asked, what it feeds, and what it costs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click

from gnomon.base import InputError, Name
from gnomon.checks.registry import Check, all_checks
from gnomon.cli.terminal import console, counted, row, say, table
from gnomon.evidence import EvidenceDir
from gnomon.judge import views
from gnomon.survey.explain import Extent, times
from gnomon.survey.plan import QUESTIONS, Plan
from gnomon.survey.question import Question

_PARTS = {
    "P": "The parent's servers", "Q": "Each server of the zone", "Z": "Records of the zone, at some of its servers",
    "H": "Names elsewhere", "A": "Names elsewhere", "R": "Names elsewhere", "C": "The zones above",
    "S": "The compliance pack, once for each server address in a whole run",
}  # fmt: skip


def print_plan(zone: Name, plan: Plan, extent: Extent, known: bool, form: str, run: Path | None) -> None:
    """Print what `plan` asks about the zone; nothing is sent.

    Args:
        known: the number of the zone's addresses is known; else those of an ordinary zone are shown.
        run: a run with the zone in it: what it was really asked is shown beside.

    Raises:
        InputError: the run cannot be read or does not have the zone.
    """
    asked = _asked(zone, run) if run is not None else None
    counts = {index: times(question, plan, zone, extent) for index, question in enumerate(QUESTIONS)}
    checks = _fed()
    if form != "text":
        rows = [_plain(one, counts[index], checks) for index, one in enumerate(QUESTIONS)]
        click.echo(json.dumps({"zone": str(zone), "bounds": plan.describe()["bounds"], "questions": rows}, indent=1))
        return
    say((str(zone), "bold"), f": what an assessment asks if the zone is signed and well, has {_words(extent)}.")
    if not known:
        say(("Its servers are not known before the first question; these are numbers of an ordinary zone.", "dim"))
    titles = list(dict.fromkeys(_PARTS.values()))
    for title in titles:
        of = {i: one for i, one in enumerate(QUESTIONS) if _PARTS[one.code[0]] == title and not one.only_after}
        _print_part(title, of, counts, checks, asked)
    _print_part("Only after trouble, to tell what it is", {i: q for i, q in enumerate(QUESTIONS) if q.only_after},
                counts, checks, asked)  # fmt: skip
    own = sum(counts[i] for i, one in enumerate(QUESTIONS) if one.code[0] in "QSZ")
    each = f"{own / extent.addresses:.0f} to each of {counted(extent.addresses, 'address', 'addresses')}"
    say()
    say((f"{counted(sum(counts.values()), 'message')} in all, {own} of them to the zone's servers: {each}.", "bold"))
    if asked is not None:
        say(f"{counted(sum(asked.values()), 'message')} are in the evidence.")
    say((f"Never more than {plan.zone_queries:,} to the parent's and the zone's own servers, nor after "
         f"{plan.longest_zone_s:.0f} seconds.", "dim"))  # fmt: skip


def _words(extent: Extent) -> str:
    names = counted(extent.inside + extent.outside, "name server")
    servers = f"{names} ({extent.inside} inside it) with {counted(extent.addresses, 'address', 'addresses')}"
    if not extent.parent:
        return f"{servers}, and no parent that is asked"
    return f"{servers}, and a parent with {counted(extent.parent, 'address', 'addresses')}"


def _print_part(
    title: str,
    questions: Mapping[int, Question],
    counts: Mapping[int, int],
    checks: Mapping[str, list[str]],
    asked: Counter[str] | None,
) -> None:
    say()
    say((title, "bold"))
    columns = ("", "message", "over", "when", "feeds", "times>") + (("asked>",) if asked is not None else ())
    made, shown = table(*columns), set[str]()
    for index, one in questions.items():
        cells = [one.code, one.asks, one.transport.name, one.when, _summary(checks.get(one.code, []))]
        cells.append(str(counts[index]) if not one.only_after else "")
        if asked is not None:
            cells.append("" if one.code in shown else str(asked[one.code] or ""))
        shown.add(one.code)
        row(made, *cells)
    console().print(made)


def _summary(checks: list[str]) -> str:
    """The families of these checks with their number."""
    families = Counter(check.partition(".")[0] for check in checks)
    return ", ".join(f"{family} {count}" for family, count in sorted(families.items()))


def _fed() -> dict[str, list[str]]:
    """The checks that each question feeds, by its code."""
    fed: dict[str, list[str]] = {}
    check: Check
    for check in all_checks().values():
        for code in check.asked:
            fed.setdefault(code, []).append(check.id)
    return fed


def _plain(question: Question, count: int, checks: Mapping[str, list[str]]) -> dict[str, object]:
    return {
        "code": question.code, "asks": question.asks, "type": str(question.qtype),
        "transport": question.transport.name, "when": question.when, "once_per": list(question.per),
        "only_after_trouble": question.only_after, "parts": list(question.parts), "times": count,
        "feeds": checks.get(question.code, []),
    }  # fmt: skip


def _asked(zone: Name, run: Path) -> Counter[str]:
    """How many messages of each code a run has about the zone."""
    for view in views(EvidenceDir.open(run)):
        if view.zone == zone:
            return Counter(x.ask for x in view.exchanges)
    raise InputError(f"{run} has no finished survey of {zone}; name a run that has, or leave --evidence out")
