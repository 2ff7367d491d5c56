"""What bears on a level besides its outcome: class, echo, masking, persistence; each is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gnomon.base import Level, Name
from gnomon.checks.levels import Persistence, Profile
from gnomon.checks.outcome import Outcome, State, outcome
from gnomon.checks.profile import load_profile
from gnomon.checks.registry import all_checks
from gnomon.checks.view import ZoneView
from gnomon.judge import explanations, judge, judge_zone, replay, verdicts
from gnomon.judge.views import ViewMaker
from gnomon.judge.weigh import Weighed, weigh
from gnomon.lab import Placement, build_world
from gnomon.sources import RoutingTable
from worlds import ZONE, routes, survey

NO_TCP = Placement("no-tcp", "ns2.example.test.", Name.from_text(ZONE))


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> ZoneView:
    """A healthy zone with a routing table."""
    folder = tmp_path_factory.mktemp("weigh")
    world = build_world()
    evidence = survey(world, folder / "run")
    view = ViewMaker(evidence, routes(world, folder / "asn.csv")).view_of(Name.from_text(ZONE))
    assert view is not None
    return view


def profile(**changed: object) -> Profile:
    bare = Profile("own", load_profile("default").levels, {})
    return dataclasses.replace(bare, **changed)  # type: ignore[arg-type]


def weighed(code: str, found: Outcome, level: Level) -> Weighed:
    return Weighed(all_checks()[code.partition("/")[0]], found, level)


def at(view: ZoneView, code: str, *indices: int) -> Outcome:
    """An outcome about the addresses of these numbers."""
    labels = tuple(view.server_label(view.addresses[index]) for index in indices)
    return outcome(code, servers=labels)


def test_a_fault_of_one_server_is_masked_where_enough_are_well(routed: ZoneView) -> None:
    own = profile(masked=frozenset({"net.udp/silent"}))
    found = [weighed("net.udp/silent", at(routed, "silent", 0), Level.ERROR)]
    weigh(routed, own, found)
    assert found[0].level is Level.WARNING
    assert explanations(ZONE, found[0].notes) == [
        "Lowered from error: 5 other addresses are well, in two ASes or more of each IP version."
    ]


@pytest.mark.parametrize(
    ("changed", "about"),
    [
        ({"masked": frozenset[str]()}, (0,)),
        ({"masked": frozenset({"net.udp/silent"})}, ()),
    ],
)
def test_what_is_not_masked(routed: ZoneView, changed: dict[str, object], about: tuple[int, ...]) -> None:
    found = [weighed("net.udp/silent", at(routed, "silent", *about), Level.ERROR)]
    weigh(routed, profile(**changed), found)
    assert found[0].level is Level.ERROR and not found[0].notes


def test_nothing_is_masked_where_most_are_ill_or_no_routes_are_known(routed: ZoneView) -> None:
    own = profile(masked=frozenset({"net.udp/silent"}))
    most = [
        weighed("net.udp/silent", at(routed, "silent", index), Level.ERROR) for index in range(len(routed.addresses))
    ]
    weigh(routed, own, most)
    unrouted = ZoneView(routed.zone, routed.exchanges)
    one = [weighed("net.udp/silent", at(unrouted, "silent", 0), Level.ERROR)]
    weigh(unrouted, own, one)
    assert {found.level for found in (*most, *one)} == {Level.ERROR}


def test_an_echo_is_unknown_and_names_its_cause(routed: ZoneView) -> None:
    own = profile(causes={"net.tc-fallback/fails": ("net.tcp/no-answer",)})
    cause = weighed("net.tcp/no-answer", at(routed, "no-answer", 0, 1), Level.ERROR)
    echo = weighed("net.tc-fallback/fails", at(routed, "fails", 1), Level.ERROR)
    elsewhere = weighed("net.tc-fallback/fails", at(routed, "fails", 1, 2), Level.ERROR)
    weigh(routed, own, [echo, cause, elsewhere])
    assert (echo.level, echo.state) == (Level.UNKNOWN, State.UNKNOWN)
    assert (cause.level, elsewhere.level) == (Level.ERROR, Level.ERROR)
    assert explanations(ZONE, echo.notes) == [
        "Would be error, but follows from net.tcp/no-answer, which is reported by itself."
    ]


def test_a_cause_about_servers_is_none_for_the_zone(routed: ZoneView) -> None:
    own = profile(causes={"net.tc-fallback/fails-everywhere": ("net.tcp/no-answer",)})
    cause = weighed("net.tcp/no-answer", at(routed, "no-answer", 0), Level.ERROR)
    zone = weighed("net.tc-fallback/fails-everywhere", outcome("fails-everywhere"), Level.CRITICAL)
    weigh(routed, own, [zone, cause])
    assert zone.level is Level.CRITICAL


def test_what_was_seen_once_says_so(routed: ZoneView) -> None:
    shown = routed.asked("Q1")[0]
    code = frozenset({"net.udp/silent"})
    one, other = (weighed("net.udp/silent", outcome("silent", shown), Level.ERROR) for _ in range(2))
    weigh(routed, profile(persistence=Persistence(code, 3, 600)), [one])
    weigh(routed, profile(persistence=Persistence(code, 3, 600, "unknown")), [other])
    assert (one.level, other.level, other.state) == (Level.ERROR, Level.UNKNOWN, State.UNKNOWN)
    (told,) = explanations(ZONE, one.notes)
    assert told.startswith("As seen in this run, by 1 attempt within 0 s")
    assert [note.rule for note in other.notes] == ["not-lasting"]
    lasting = weighed("net.udp/silent", outcome("silent", shown), Level.ERROR)
    weigh(routed, profile(persistence=Persistence(code, 1, 0)), [lasting])
    assert not lasting.notes


def test_the_class_of_the_zone_is_told(routed: ZoneView) -> None:
    own = profile(overrides={"S": {"net.udp/silent": Level.NOTICE}})
    found = weighed("net.udp/silent", at(routed, "silent", 0), Level.NOTICE)
    weigh(routed, own, [found])
    assert explanations(ZONE, found.notes) == ["notice is the level for zones of class S; for others it is error."]


def test_a_run_is_judged_with_all_of_it_and_again(tmp_path: Path) -> None:
    world = build_world({}, [NO_TCP])
    run = survey(world, tmp_path / "run").path
    table: RoutingTable = routes(world, tmp_path / "asn.csv")
    judge(run, dataclasses.replace(load_profile("default"), others="K"), routing=table)
    silent = [v for v in verdicts(run) if v.check_id == "net.tcp" and v.code == "no-answer"]
    assert silent and all("as-seen" in [note.rule for note in v.explanation] for v in silent)
    assert replay(run).differences == ()


def test_a_zone_that_is_named_critical(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(f'extends = "default"\n[zones]\nK = ["{ZONE}"]\n[levels.K]\n"syn.zone-hyphen/fine" = "info"\n')
    evidence, levels = survey(build_world(), tmp_path / "run"), load_profile(str(own))
    view = ViewMaker(evidence, zone_class=levels.zone_class).view_of(Name.from_text(ZONE))
    assert view is not None and view.zone_class == "K"
    assert [v.level for v in judge_zone(view, levels, ["syn.zone-hyphen"])] == ["info"]
