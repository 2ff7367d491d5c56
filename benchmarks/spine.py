"""What one whole run costs: build, world, survey, verdicts, evidence, memory.

    python benchmarks/spine.py [--root-zone FILE] [--asn FILE]... [--tlds N] [--jobs 2] [--skip-build]

Serves a population of TLDs from the lab on loopback, surveys and judges it, and prints one table. Without --root-zone
the world is the embedded one. CPU is what the operating system accounts to the processes, so that other work on the
same cores does not distort it; seconds on the clock are as they were. The query rate beside peers is in
`engine.py`.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gnomon.base import Address
from gnomon.cli.lab import build_world
from gnomon.cli.measure import LAB, Circumstances, new_run
from gnomon.engine import NetworkEngine
from gnomon.evidence import EvidenceDir, ZoneSource, verify
from gnomon.insight.tables import write_tables
from gnomon.judge import judge, replay
from gnomon.lab.process import LabProcess
from gnomon.lab.store import save
from gnomon.sources import read_address_map, read_routes
from gnomon.survey.runner import run_survey

RUST = Path(__file__).parents[1] / "rust"


@dataclass(slots=True)
class Cost:
    """Seconds on the clock, and CPU seconds of this process and of the children that ended meanwhile."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    cost, wall, cpu = Cost(), time.monotonic(), _cpu_s()
    yield cost
    cost.wall_s, cost.cpu_s = time.monotonic() - wall, _cpu_s() - cpu


def _cpu_s() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


def process_cpu_s(pid: int) -> float:
    """CPU seconds of a running process, from its accounting in /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root-zone", type=Path)
    parser.add_argument("--asn", type=Path, action="append", default=[])
    parser.add_argument("--tlds", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--skip-build", action="store_true", help="do not time a clean build of the native core")
    args = parser.parse_args()
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="gnomon-spine-") as folder:
        if not args.skip_build:
            rows += build_core(Path(folder))
        rows += run(Path(folder), args)
    width = max(len(what) for what, _ in rows)
    for what, value in rows:
        print(f"{what:{width}}  {value:>20}")


def build_core(folder: Path) -> list[tuple[str, str]]:
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--target-dir", str(folder / "target")]
    with measured() as cost:
        subprocess.run(command, cwd=RUST, check=True)
    return [("clean build of the native core, s", f"{cost.wall_s:,.0f} (CPU {cost.cpu_s:,.0f})")]


def run(folder: Path, args: argparse.Namespace) -> list[tuple[str, str]]:
    lab, evidence = folder / "lab", folder / "evidence"
    with measured() as world_cost:
        world = build_world(args.root_zone, args.tlds)
        save(world, lab)
    zones = len(world.population)
    source = ZoneSource("lab", "benchmark", None, None, zones)
    store = new_run(evidence, world.population, source, Circumstances(lab=lab), LAB)
    mapped = read_address_map(lab / "addresses.csv").loopback
    with measured() as survey_cost, LabProcess(lab) as serving:
        loopback: dict[Address, tuple[str, int]] = {a: (str(to), serving.port) for a, to in mapped.items()}
        with NetworkEngine(LAB.limits, address_map=loopback) as engine:
            done = run_survey(store, engine, plan=LAB.plan)
        lab_cpu_s = process_cpu_s(serving.pid)
    client_cpu_s = survey_cost.cpu_s - lab_cpu_s
    tables = args.asn or ([lab / "asn.csv"] if (lab / "asn.csv").is_file() else [])
    with measured() as judge_cost:
        routing = read_routes(tables) if tables else None
        summary = judge(evidence, routing=routing, jobs=args.jobs)
    with measured() as tables_cost:
        write_tables(evidence)
    with measured() as verify_cost:
        checked = verify(evidence)
    with measured() as replay_cost:
        again = replay(evidence, jobs=args.jobs)
    stored = sum(m.file_size_octets for m in EvidenceDir.open(evidence).manifests())
    peak_self = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak_child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    wall = survey_cost.wall_s + judge_cost.wall_s
    return [
        ("zones", f"{zones:,}"),
        ("server addresses", f"{len(mapped):,}"),
        ("world built and stored, s", f"{world_cost.wall_s:,.1f}"),
        ("exchanges", f"{done.exchanges:,}"),
        ("survey, s", f"{survey_cost.wall_s:,.1f}"),
        ("  exchanges per second", f"{done.exchanges / survey_cost.wall_s:,.0f}"),
        ("  client CPU per exchange, µs", f"{1e6 * client_cpu_s / done.exchanges:,.0f}"),
        ("  lab CPU per exchange, µs", f"{1e6 * lab_cpu_s / done.exchanges:,.0f}"),
        ("  zones per second", f"{zones / survey_cost.wall_s:,.0f}"),
        (f"verdicts, s ({args.jobs} processes)", f"{judge_cost.wall_s:,.1f}"),
        ("  zones per second", f"{zones / judge_cost.wall_s:,.0f}"),
        ("  CPU per zone, ms", f"{1000 * judge_cost.cpu_s / zones:,.1f}"),
        ("  verdicts", f"{summary.verdicts:,}"),
        ("survey and verdicts, s (target: 120)", f"{wall:,.1f}"),
        ("derived tables, s (1 process)", f"{tables_cost.wall_s:,.1f}"),
        ("verify, exchanges per second", f"{checked.rows / verify_cost.wall_s:,.0f}"),
        ("  problems", f"{len(checked.problems)}"),
        ("replay, s", f"{replay_cost.wall_s:,.1f}"),
        ("  differences", f"{len(again.differences)}"),
        ("evidence per exchange, octets", f"{stored / done.exchanges:,.0f}"),
        ("peak memory of this process, MB", f"{peak_self:,.0f}"),
        ("peak memory of the largest child, MB", f"{peak_child:,.0f}"),
    ]


if __name__ == "__main__":
    main()
