"""A small judged run to show: a world of 60 zones in the process, some of them broken, surveyed and judged."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from gnomon.base import Name
from gnomon.evidence import EvidenceDir, Plan, RunInfo, Tool, ZoneSource
from gnomon.insight.tables import write_tables
from gnomon.judge import judge
from gnomon.lab import LabEngine, Placement, World, build_world
from gnomon.lab.spec import SoaSpec, ZoneSpec
from gnomon.survey.plan import Plan as Questions
from gnomon.survey.runner import run_survey

RUN_ID = "01REVIEWTEST"
EXTRA_ZONES = 56
NAMES = tuple(Name.from_text(text) for text in (".", "test.", "example.test.", "other.test.")) + tuple(
    Name.from_text(f"z{number:02}.test.") for number in range(EXTRA_ZONES)
)
FAULTS = (
    Placement("edns-version-ignored", "ns1.other.test."),
    Placement("version-shown", "ns1.other.test."),
    Placement("lame-refused", "ns1.other.test.", Name.from_text("z03.test.")),
    Placement("stale-serial", "ns1.other.test.", Name.from_text("z05.test.")),
    Placement("dead", "ns2.other.test."),
)


def make_run(directory: Path) -> Path:
    """Survey and judge the world into `directory`; returns it."""
    world = _world()
    questions = Questions()
    run = RunInfo(
        run_id=RUN_ID,
        tool=Tool("gnomon", "test"),
        started_at="2026-11-01T00:00:00Z",
        vantage="in-process",
        source=ZoneSource("names", "a test world", "2026-11-01", sha256(b"test").hexdigest(), len(NAMES)),
        plan=Plan(questions.digest, questions.codes),
        limits={},
        hints={str(name): tuple(map(str, addresses)) for name, addresses in world.hints().items()},
        trust_anchors=world.trust_anchors(),
        undelegated={},
    )
    evidence = EvidenceDir.create(directory, run, NAMES)
    run_survey(evidence, LabEngine(world))
    judge(directory)
    write_tables(directory)
    return directory


def _world() -> World:
    base = build_world()
    one, two = Name.from_text("ns1.other.test."), Name.from_text("ns2.other.test.")
    extra = [
        ZoneSpec(name, (one,) if index % 7 == 3 else (one, two), SoaSpec(one, Name.from_text("hostmaster.test.")))
        for index, name in enumerate(NAMES[4:])
    ]
    return World([*base.zones.values(), *extra], base.hosts, faults=FAULTS, networks=base.networks)
