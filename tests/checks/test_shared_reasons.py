"""The reasons for not judging that many checks share, each in the few worlds where all these checks must give it.

Together with the scenarios and the crafted cases they reach every outcome code of every check that is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from crafted import Change, altered, both, message, on, rcode, record, remade, silence
from crafted_cases import AT_ROOT, CASES
from gnomon.base import ROOT, Name, parse_address
from gnomon.checks.registry import all_checks
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.lab import Placement, Scenario, load_scenarios
from gnomon.lab.scenario import ZONE
from telling import told
from worlds import view_of

World = Callable[[Path], ZoneView]
ONE = parse_address("28.8.8.53")
BY_HAND = {"ns": ["ns1.example.test./28.7.7.53", "ns2.example.test."]}
GLUELESS = {"ns": ["ns1.other.test.", "ns2.other.test."], "glue": {"ns1.other.test.": [], "ns2.other.test.": []}}


def world(
    *faults: str, at: str = "all", zone: Name = ZONE, undelegated: Mapping[str, Any] | None = None, **changes: Any
) -> World:
    """The healthy world with these faults and changes, surveyed."""
    placed = tuple(Placement(fault, at, zone) for fault in faults)
    return lambda folder: view_of(Scenario("", (), (), changes, placed, zone, undelegated), folder)


def then(made: World, *changes: Change) -> World:
    """That world, with its evidence changed."""
    return lambda folder: both(*changes)(made(folder))


def only(keep: Callable[[Exchange], bool]) -> Change:
    return lambda view: remade(view, [x for x in view.exchanges if keep(x)])


def of_servers(ask: str) -> bool:
    """A question to the zone's own servers: about the zone, its services, or of the compliance pack."""
    return ask[0] in "QZS"


def mute(which: Callable[[str], bool]) -> Change:
    """No answer to these questions."""

    def change(view: ZoneView) -> ZoneView:
        for ask in filter(which, view.asks):
            view = altered(view, ask, silence)
        return view

    return change


def at_one_server(change: Change) -> Change:
    """The change to what was exchanged with one of the servers alone."""

    def apply(view: ZoneView) -> ZoneView:
        there = change(remade(view, [x for x in view.exchanges if x.address == ONE]))
        return remade(view, [*(x for x in view.exchanges if x.address != ONE), *there.exchanges])

    return apply


def with_cds(view: ZoneView) -> ZoneView:
    """The root with a CDS record."""
    beside = message(lambda m: m.answer.append(record(f". 60 IN CDS 1 13 2 {'00' * 32}")))
    asked = [replace(x, ask="Q8", response=beside(x.response)) for x in view.asked("Q8N") if x.response is not None]
    return remade(view, [*view.exchanges, *asked])


def without_anchors(view: ZoneView) -> ZoneView:
    return ZoneView(view.zone, view.exchanges)


cut_short = only(lambda x: not of_servers(x.ask) or x.ask == "Q1")

WORLDS: dict[str, World] = {
    "cut short after the first question": then(world(), cut_short),
    "cut short at one server": then(world(), at_one_server(cut_short)),
    "cut short at the root": then(world(zone=ROOT), cut_short),
    "cut short before the parent was asked": then(world(), only(lambda x: x.ask[0] != "P")),
    "cut short before any server was asked": then(world(), only(lambda x: not of_servers(x.ask))),
    "cut short after the parent was asked": then(world(**GLUELESS), only(lambda x: x.ask[0] == "P")),
    "silent after the first question": then(world(), mute(lambda ask: of_servers(ask) and ask != "Q1")),
    "silent but for keys": then(world(), mute(lambda ask: of_servers(ask) and ask not in ("Q1", "Q4"))),
    "servers silent": then(world(), mute(of_servers)),
    "everybody silent": then(world(), mute(lambda ask: True)),
    "the root is silent after the first question": then(
        world(zone=ROOT), mute(lambda ask: of_servers(ask) and ask != "Q1")
    ),
    "parent silent": then(world(), mute(lambda ask: ask[0] == "P")),
    "parent silent but for the delegation": then(world(cds="match"), mute(lambda ask: ask[0] == "P" and ask != "P1")),
    "answers about NS and DNSKEY fail": then(world(), *(on(ask, rcode("SERVFAIL"), "") for ask in ("Q3", "Q4"))),
    "negative answers fail": then(world(), *(on(ask, rcode("SERVFAIL"), "") for ask in ("Q5", "Q6", "Q8P", "Q8N"))),
    "one lame": world("lame-refused", at="ns2.example.test."),
    "lame over UDP": then(world(), on("Q1", rcode("REFUSED"), "")),
    "lame, over TCP only": world("lame-refused", "no-udp"),
    "the root is lame": world("lame-refused", zone=ROOT),
    "no EDNS": world("no-edns"),
    "no EDNS, and silent without": then(world("no-edns"), mute(lambda ask: ask in ("Q3N", "Q5N"))),
    "no EDNS, large keys, no TCP at one": world("no-edns", "no-tcp", at="ns2.example.test.", algorithm=8),
    "EDNS dropped, large keys, no TCP": world("edns-dropped", "no-tcp", algorithm=8),
    "no EDNS and no keys at the root": world("no-edns", "dnskey-dropped", zone=ROOT),
    "the root, without an anchor": then(world(zone=ROOT), without_anchors),
    "the root with a CDS record": then(world(zone=ROOT), with_cds),
    "given by hand": world(undelegated=BY_HAND),
    "given by hand, with CDS": world(undelegated=BY_HAND, cds="match"),
}
REASONS = {
    "not-asked": [title for title in WORLDS if title.startswith("cut short")],
    "not-looked-up": ["cut short after the parent was asked"],
    "no-answer": [title for title in WORLDS if "silent" in title],
    "not-serving": [title for title in WORLDS if "lame" in title],
    "no-edns": [title for title in WORLDS if "EDNS" in title],
    "none-seen": ["no EDNS", "negative answers fail"],
    "parent-no-answer": ["parent silent", "parent silent but for the delegation"],
    "root": [title for title in WORLDS if title.startswith("the root")],
    "given": [title for title in WORLDS if title.startswith("given by hand")],
}


def _alone() -> set[str]:
    """The codes that a scenario or a crafted case of the check makes appear."""
    seen = {*CASES, *AT_ROOT}
    for path in Path(__file__).parent.glob("*/*.toml"):
        seen |= {f"{path.stem}/{code}" for scenario in load_scenarios(path) for code in scenario.must}
    return seen


CHECKS = [check for check in all_checks().values() if not check.needs]
CODES = {f"{check.id}/{code}" for check in CHECKS for code in check.codes}
LEFT = sorted(CODES - _alone())


@cache
def codes_in(title: str) -> Mapping[str, frozenset[str]]:
    """By check, the codes that come out in a world; every sentence has what it needs."""
    found = {}
    with TemporaryDirectory() as folder:
        view = WORLDS[title](Path(folder))
        for check in CHECKS:
            outcomes = list(check.judge(view))
            found[check.id] = frozenset(o.code for o in outcomes)
            for o in outcomes:
                assert o.code in check.codes, f"{check.id} has no code {o.code}"
                assert told(check.codes[o.code], str(view.zone), o.args)
            # Of a zone without any known server most checks have nothing to say.
            assert outcomes or not view.addresses, f"{check.id} says nothing"
    return found


@pytest.mark.parametrize("title", WORLDS)
def test_every_check_says_something(title: str) -> None:
    """Even where most is missing, and only with codes that it has."""
    assert codes_in(title)


@pytest.mark.parametrize("code", LEFT)
def test_every_code_is_reached(code: str) -> None:
    """By a scenario, by a crafted case, or for a reason that the check shares with others here."""
    check_id, _, word = code.partition("/")
    assert word in REASONS, f"{code} is reached by no scenario and no crafted case"
    assert any(word in codes_in(title)[check_id] for title in REASONS[word])
