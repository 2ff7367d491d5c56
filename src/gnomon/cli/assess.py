"""`gnomon assess`: measure and judge zones now."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from gnomon.base import GnomonError, InputError, Level, Name, parse_address, reverse_name
from gnomon.cli.judging import chosen_checks, chosen_profile, judging_options
from gnomon.cli.measure import (
    ASSESS,
    circumstances,
    given_delegation,
    measure,
    measuring_options,
    new_run,
    survey_note,
)  # fmt: skip
from gnomon.cli.terminal import progress_bar
from gnomon.evidence import Undelegated, ZoneSource
from gnomon.survey.explain import Extent
from gnomon.survey.given import read_given

if TYPE_CHECKING:
    from gnomon.checks.profile import Profile
    from gnomon.sources import RoutingTable

NEVER = "never"
FORMATS = ("text", "json", "jsonl", "zonemaster")
LEVELS = [*(level.word for level in sorted(Level, reverse=True) if level >= Level.INFO), NEVER]


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
    names = list(dict.fromkeys(map(_zone, zones)))
    if (ns or ds) and len(names) != 1:
        raise InputError("--ns and --ds describe one zone; give one ZONE")
    undelegated = {names[0]: given_delegation(names[0], ns, ds)} if ns or ds else {}
    lookup = Name.from_text(prefix_lookup) if prefix_lookup else None
    manner = replace(ASSESS, plan=replace(ASSESS.plan, prefix_lookup=lookup))
    if explain_plan:
        from gnomon.cli.plan_text import print_plan

        for zone in names:
            extent = _extent(zone, undelegated)
            usual = Extent(parent=0) if zone.is_root else Extent()
            print_plan(zone, manner.plan, extent or usual, extent is not None, form, evidence)
        return 0
    at = circumstances(
        hints, trust_anchor, vantage, lab,
        allow_net=allow_net, opt_out=opt_out, send_from=send_from, contact=contact, undelegated=undelegated,
    )  # fmt: skip
    with ExitStack() as stack:
        judging = cache(partial(_judging, profile, zone_class, only, asn, lab))
        if profile != "default" or only or asn:
            judging()  # a mistake in these is told before anything is asked
        where = evidence or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gnomon-"))) / "run"
        source = ZoneSource("names", "the command line", None, None, len(names))
        run = new_run(where, names, source, at, manner)
        # Somebody waits: what judges is loaded while the network is waited for.
        loading = Thread(target=_quietly, args=(judging, form))
        loading.start()
        try:
            with progress_bar("asking", "zones") as tell:
                measure(run, at, manner, lambda p: tell(p.zones_done, p.zones_total, survey_note(p)))
        finally:
            loading.join()
        levels, checks, routing = judging()
        from gnomon.cli.verdicts import Assessed, print_all
        from gnomon.judge import judge

        found: list[Assessed] = []
        judge(where, levels, routing=routing, only=checks, each=lambda *of: found.append(Assessed.of(*of)))
        found.sort(key=lambda zone: zone.zone)
        print_all(found, form, all_outcomes=all_outcomes, explain=explain)
    if fail_level == NEVER:
        return 0
    worst = max((Level.from_word(v.level) for zone in found for v in zone.verdicts), default=Level.PASS)
    return 1 if worst >= Level.from_word(fail_level) else 0


def _zone(text: str) -> Name:
    """The zone that somebody wrote.

    Raises:
        InputError: no domain name, or what holds or stands for one: an address, a URL, a mail address.
    """
    if "://" in text:
        host = urlsplit(text).hostname or "example.com"
        raise InputError(f"{text!r} is a URL, not the name of a zone; give the domain alone, such as {host}")
    if "@" in text:
        raise InputError(f"{text!r} is a mail address; give what stands behind its @: {text.rpartition('@')[2]}")
    try:
        address = parse_address(text)
    except InputError:
        return Name.from_text(text)
    raise InputError(f"{text!r} is an address, not the name of a zone; its reverse name is {reverse_name(address)}")


def _extent(zone: Name, undelegated: Mapping[Name, Undelegated]) -> Extent | None:
    """The servers that were given for the zone, None if none were."""
    given = undelegated.get(zone)
    if given is None or not given.ns:
        return None
    read = read_given(given)
    inside = sum(name.is_subdomain_of(zone) for name in read.ns_names)
    addresses = len({address for of in read.glue.values() for address in of})
    return Extent(addresses=max(addresses, 1), inside=inside, outside=len(read.ns_names) - inside, parent=0)


def _quietly(judging: Callable[[], object], form: str) -> None:
    """Load what judges and prints; whether it can be used is told to who asks for it."""
    import gnomon.cli.verdicts
    import gnomon.judge

    if form == "text":
        import gnomon.cli.verdict_text  # noqa: F401
    with suppress(GnomonError):
        judging()


def _judging(
    profile: str, zone_class: str, only: tuple[str, ...], asn: tuple[Path, ...], lab: Path | None
) -> tuple[Profile, tuple[str, ...] | None, RoutingTable | None]:
    """The profile, the checks and the routing table to judge with; without any given, the lab's own table.

    Raises:
        InputError: one of them cannot be used.
    """
    from gnomon.sources import read_routes

    if not asn and lab is not None and (lab / "asn.csv").is_file():
        asn = (lab / "asn.csv",)
    return chosen_profile(profile, zone_class), chosen_checks(only), read_routes(asn) if asn else None
