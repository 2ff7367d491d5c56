"""`gnomon assess`: measure and judge zones now."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gnomon.base import InputError, Level, Name
from gnomon.checks.peers import load_peers
from gnomon.checks.profile import Profile, load_profile
from gnomon.cli.measure import (
    ASSESS,
    circumstances,
    given_delegation,
    measure,
    measuring_options,
    new_run,
    progress_bar,
    survey_note,
)  # fmt: skip
from gnomon.cli.plan_text import print_plan
from gnomon.cli.verdict_text import FORMATS, assessed, print_all
from gnomon.evidence import Undelegated, ZoneSource
from gnomon.judge import judge
from gnomon.judge.zone import chosen
from gnomon.sources import RoutingTable, read_routes
from gnomon.survey import read_given
from gnomon.survey.explain import Extent

NEVER = "never"
LEVELS = [*(level.word for level in sorted(Level, reverse=True) if level >= Level.INFO), NEVER]


def judging_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how evidence is judged."""
    for option in (
        click.option(
            "--class", "zone_class", type=click.Choice(["K", "S"]), default="S", show_default=True,
            help="Judge zones that are neither the root, top level nor under arpa as critical (K) or as any other (S).",
        ),
        click.option("--profile", default="default", show_default=True, help="Packaged profile, or a TOML file."),
        click.option(
            "--asn", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="Routing table, CSV first,last,asn[,name] (repeatable); without one, network diversity stays unknown.",
        ),
        click.option("--only", multiple=True, metavar="ID", help="Only this check, family or Zonemaster test case."),
    ):  # fmt: skip
        function = option(function)
    return function


def chosen_profile(name_or_path: str, zone_class: str) -> Profile:
    """The profile of --profile and --class.

    Raises:
        InputError: it cannot be used.
    """
    return replace(load_profile(name_or_path), others="K" if zone_class == "K" else "S")


def chosen_checks(only: tuple[str, ...]) -> tuple[str, ...] | None:
    """The checks that --only names: ids and families as they are, a Zonemaster test case by its counterparts here.

    Raises:
        InputError: a word is neither check, family nor test case.
    """
    if not only:
        return None
    cases: dict[str, set[str]] = {}
    for code, tags in load_peers("zonemaster").items():
        for tag in tags:
            cases.setdefault(tag.testcase.lower(), set()).add(code.partition("/")[0])
    named = tuple(sorted({check for word in only for check in cases.get(word.lower(), {word})}))
    chosen(named)
    return named


@click.command("assess")
@click.argument("zones", nargs=-1, required=True, metavar="ZONE...")
@measuring_options
@judging_options
@click.option(
    "--ns", multiple=True, metavar="NAME[/ADDR]", help="Test with these name servers, not the delegated ones."
)
@click.option("--ds", multiple=True, metavar="TAG,ALG,TYPE,DIGEST", help="Test with these DS, not the parent's.")
@click.option(
    "--prefix-lookup",
    metavar="ZONE",
    help="Ask this look-up zone (TXT records as Team Cymru's) where each server address is announced; the service "
    "learns of them. Counts before --asn.",
)
@click.option("--evidence", type=click.Path(path_type=Path), help="Keep the evidence in this new folder.")
@click.option(
    "--explain-plan",
    is_flag=True,
    help="Send nothing: print what would be asked and how often; with the --evidence of a run, also what was.",
)
@click.option("--lab", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Ask this lab, not the DNS.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--all", "all_outcomes", is_flag=True, help="Also print what passed (text).")
@click.option("-v", "--verbose", "explain", is_flag=True, help="Also tell what a level comes from (text).")
@click.option(
    "--fail-level", type=click.Choice(LEVELS), default="error", show_default=True, help="Exit 1 from this level on."
)
def command(
    zones: tuple[str, ...],
    hints: Path | None,
    trust_anchor: Path | None,
    allow_net: tuple[str, ...],
    vantage: str,
    opt_out: Path | None,
    send_from: tuple[str, ...],
    contact: str,
    profile: str,
    zone_class: str,
    asn: tuple[Path, ...],
    only: tuple[str, ...],
    ns: tuple[str, ...],
    ds: tuple[str, ...],
    prefix_lookup: str | None,
    evidence: Path | None,
    explain_plan: bool,
    lab: Path | None,
    form: str,
    all_outcomes: bool,
    explain: bool,
    fail_level: str,
) -> int:
    """Measure each ZONE now, from the root servers down, judge it, and print what was found.

    Grouped by property, worst first, with what to do about it. Nothing is sent to special-purpose addresses unless
    --allow-net names them. Exit status: 0 done, 1 something is at or above --fail-level, 2 not done.
    """
    names = list(dict.fromkeys(Name.from_text(zone) for zone in zones))
    if (ns or ds) and len(names) != 1:
        raise InputError("--ns and --ds describe one zone; give one ZONE")
    undelegated = {names[0]: given_delegation(names[0], ns, ds)} if ns or ds else {}
    # A mistake in these is told before anything is asked.
    levels, checks, routing = chosen_profile(profile, zone_class), chosen_checks(only), _routes(asn, lab)
    lookup = Name.from_text(prefix_lookup) if prefix_lookup else None
    manner = replace(ASSESS, plan=replace(ASSESS.plan, prefix_lookup=lookup))
    if explain_plan:
        for zone in names:
            extent = _extent(zone, undelegated)
            print_plan(zone, manner.plan, extent or Extent(), extent is not None, form, evidence)
        return 0
    at = circumstances(
        hints, trust_anchor, vantage, lab,
        allow_net=allow_net, opt_out=opt_out, send_from=send_from, contact=contact, undelegated=undelegated,
    )  # fmt: skip
    with ExitStack() as stack:
        where = evidence or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gnomon-"))) / "run"
        source = ZoneSource("names", "the command line", None, None, len(names))
        run = new_run(where, names, source, at, manner)
        with progress_bar("asking", "zones") as tell:
            measure(run, at, manner, lambda p: tell(p.zones_done, p.zones_total, survey_note(p)))
        judge(where, levels, routing=routing, only=checks)
        found = list(assessed(where, levels.name))
        print_all(found, form, all_outcomes=all_outcomes, explain=explain)
    if fail_level == NEVER:
        return 0
    worst = max((Level.from_word(v.level) for zone in found for v in zone.verdicts), default=Level.PASS)
    return 1 if worst >= Level.from_word(fail_level) else 0


def _extent(zone: Name, undelegated: Mapping[Name, Undelegated]) -> Extent | None:
    """The servers that were given for the zone, None if none were."""
    given = undelegated.get(zone)
    if given is None or not given.ns:
        return None
    read = read_given(given)
    inside = sum(name.is_subdomain_of(zone) for name in read.ns_names)
    addresses = len({address for of in read.glue.values() for address in of})
    return Extent(addresses=max(addresses, 1), inside=inside, outside=len(read.ns_names) - inside, parent=0)


def _routes(tables: tuple[Path, ...], lab: Path | None) -> RoutingTable | None:
    """The routing tables that were given, or else the lab's own."""
    if not tables and lab is not None and (lab / "asn.csv").is_file():
        tables = (lab / "asn.csv",)
    return read_routes(tables) if tables else None
