"""Evidence directories of surveys in a world of 120 small zones.

As a program (evidence directory, port of the lab): a survey over sockets that waits in the middle to be killed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from driving import name, tree, zone_spec

from gnomon.engine import LAB_LIMITS, NetworkEngine
from gnomon.evidence import EvidenceDir, RunInfo, Tool, Undelegated, ZoneSource
from gnomon.evidence import Plan as RunPlan
from gnomon.lab.world import World
from gnomon.survey.plan import Plan
from gnomon.survey.runner import Progress, run_survey

ZONES = [f"z{n}.test." for n in range(120)]


def small_world() -> World:
    """Zones with one server of their own, and one of ten at a common host."""
    hosts = {f"ns.z{n}.test.": [f"28.2.0.{n + 1}"] for n in range(120)}
    common = {f"ns{n}.host.test.": [f"28.3.0.{n + 1}"] for n in range(10)}
    zones = [zone_spec(zone, [f"ns.{zone}", f"ns{n % 10}.host.test."]) for n, zone in enumerate(ZONES)]
    return tree([*zones, zone_spec("host.test.", list(common))], hosts | common)


def new_evidence(
    path: Path,
    zones: list[str],
    world: World,
    *,
    plan: Plan | None = None,
    undelegated: dict[str, Undelegated] | None = None,
) -> EvidenceDir:
    plan = plan or Plan()
    run = RunInfo(
        run_id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
        tool=Tool("gnomon", "0"),
        started_at="2026-11-01T00:00:00Z",
        vantage="lab",
        source=ZoneSource("names", "a test", None, None, len(zones)),
        plan=RunPlan(plan.digest, plan.codes),
        limits={},
        hints={str(host): tuple(map(str, addresses)) for host, addresses in world.hints().items()},
        trust_anchors=world.trust_anchors(),
        undelegated=undelegated or {},
    )
    return EvidenceDir.create(path, run, [name(zone) for zone in zones])


def recorded(path: Path) -> list[tuple[str, str, str, bytes]]:
    """Everything asked, without what differs between runs of the same zones: time, and which zone came first."""
    return sorted(
        (x.subject, x.ask, str(x.address), b"" if x.subject.startswith("server ") else x.query[2:].lower())
        for x in EvidenceDir.open(path).exchanges()
    )


def network_engine(world: World, port: int) -> NetworkEngine:
    """Asks the lab that serves this world on loopback."""
    loopback = {real: (str(local), port) for real, local in world.loopback.items()}
    return NetworkEngine(LAB_LIMITS, address_map=loopback)


def main() -> None:
    """After the first stored segment say how many zones are stored, and wait."""

    def wait(progress: Progress) -> None:
        if progress.zones_stored:
            print(progress.zones_stored, flush=True)
            time.sleep(3600)

    with network_engine(small_world(), int(sys.argv[2])) as engine:
        run_survey(EvidenceDir.open(Path(sys.argv[1])), engine, progress=wait, concurrency=7)


if __name__ == "__main__":
    main()
