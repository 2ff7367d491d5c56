"""A survey that is killed (signal 9) at random moments, again and again, and goes on: nothing finished is lost."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from gnomon.base import Name
from gnomon.evidence import EvidenceDir, Plan, RunInfo, Tool, ZoneSource, verify
from gnomon.lab import LabEngine, World, build_world
from gnomon.survey import runner
from gnomon.survey.plan import Plan as SurveyPlan
from gnomon.survey.runner import run_survey

KILLS = 200
PLAN = SurveyPlan()
ZONES = [Name.from_text(zone) for zone in ("example.test.", "test.", "other.test.", ".", "nobody.test.", "a.b.test.")]
_INTERRUPTED = "no manifest names this segment"


def start(path: Path, world: World) -> EvidenceDir:
    run = RunInfo(
        run_id="01JTESTRUN0000000000000000",
        tool=Tool("gnomon", "test"),
        started_at="2026-11-01T00:00:00Z",
        vantage="lab",
        source=ZoneSource("names", "test", None, None, len(ZONES)),
        plan=Plan(PLAN.digest, ()),
        limits={},
        hints={str(name): tuple(map(str, addresses)) for name, addresses in world.hints().items()},
        trust_anchors=world.trust_anchors(),
        undelegated={},
    )
    return EvidenceDir.create(path, run, ZONES)


def survey(path: Path) -> None:
    """Begin or go on; every zone gets a segment of its own."""
    runner._SEGMENT_ZONES = 1
    runner.ZONES_IN_WORK = 2
    world = build_world()
    there = (path / "run.json").is_file()
    run_survey(EvidenceDir.open(path) if there else start(path, world), LabEngine(world), plan=PLAN)


def in_a_process_of_its_own(path: Path) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            survey(path)
            status = 0
        finally:
            os._exit(status)
    return child


def stored(path: Path) -> dict[str, bytes]:
    """What a run has for good: segments with a manifest, and manifests."""
    if not (path / "run.json").is_file():
        return {}
    files = [name for m in EvidenceDir.open(path).manifests() for name in (m.file, f"manifests/{m.name}")]
    return {name: (path / name).read_bytes() for name in files}


def test_killed_at_random_moments(tmp_path: Path) -> None:
    chance = random.Random(9)
    began = time.monotonic()
    assert os.waitpid(in_a_process_of_its_own(tmp_path / "whole"), 0)[1] == 0
    usual_s, kills, runs = time.monotonic() - began, 0, 0
    while kills < KILLS:
        path = tmp_path / f"run{runs}"
        runs += 1
        before: dict[str, bytes] = {}
        while True:
            child = in_a_process_of_its_own(path)
            time.sleep(chance.uniform(0, usual_s))
            os.kill(child, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert status in (0, -signal.SIGKILL)
            kills += status != 0
            after = stored(path)
            assert after.items() >= before.items()
            before = after
            if path.exists() and (path / "run.json").is_file():
                problems = [problem for problem in verify(path).problems if _INTERRUPTED not in problem.what]
                assert not problems
            if status == 0:
                break
        assert EvidenceDir.open(path).finished_zones() == {str(zone) for zone in ZONES}
        assert not verify(path).problems
    assert kills >= KILLS
