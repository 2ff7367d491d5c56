"""Lab worlds surveyed in the process: evidence and views for the tests of checks and of the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gnomon.base import Name
from gnomon.checks.view import ZoneView
from gnomon.evidence import EvidenceDir, Plan, RunInfo, Tool, Undelegated, ZoneSource
from gnomon.judge import views
from gnomon.lab import LabEngine, Scenario, World
from gnomon.lab.scenario import LOOKUP
from gnomon.sources import RoutingTable, read_routes
from gnomon.survey.plan import ASSESS_PLAN, QUESTIONS
from gnomon.survey.plan import Plan as SurveyPlan
from gnomon.survey.runner import run_survey

ZONE = "example.test."


def survey(
    world: World,
    path: Path,
    zones: Sequence[str] = (ZONE,),
    undelegated: Mapping[str, Undelegated] | None = None,
    plan: SurveyPlan = ASSESS_PLAN,
) -> EvidenceDir:
    """The evidence of a survey of the world, in a new directory."""
    run = RunInfo(
        run_id="01JTESTRUN0000000000000000",
        tool=Tool("gnomon", "test"),
        started_at="2026-11-01T00:00:00Z",
        vantage="lab",
        source=ZoneSource("names", "test", None, None, len(zones)),
        plan=Plan(plan.digest, tuple(question.code for question in QUESTIONS)),
        limits={},
        hints={str(name): tuple(map(str, addresses)) for name, addresses in world.hints().items()},
        trust_anchors=world.trust_anchors(),
        undelegated=undelegated or {},
    )
    evidence = EvidenceDir.create(path, run, [Name.from_text(zone) for zone in zones])
    run_survey(evidence, LabEngine(world), plan=plan)
    return EvidenceDir.open(path)


def routes(world: World, path: Path) -> RoutingTable:
    """The world's routing table, written to `path`."""
    rows = (f"{n.first},{n.last},{n.asn},{n.name}\n" for n in world.networks)
    path.write_text("".join(rows), encoding="utf-8")
    return read_routes([path])


def view_of(scenario: Scenario, folder: Path) -> ZoneView:
    """The view of a scenario's zone after a survey of its world."""
    world, zone, given = scenario.build(), str(scenario.zone), scenario.undelegated
    undelegated = {zone: Undelegated(tuple(given["ns"]), tuple(given.get("ds", ())))} if given else {}
    plan = replace(ASSESS_PLAN, **scenario.bounds)
    plan = replace(plan, prefix_lookup=LOOKUP) if "lookup" in scenario.world else plan
    evidence = survey(world, folder / "run", [zone], undelegated, plan)
    return next(views(evidence, routing=routes(world, folder / "asn.csv") if scenario.routing else None))
