"""The frozen report: everything the page shows, gathered once from a judged run and from a review's findings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gnomon import __version__
from gnomon.base import Level, Property
from gnomon.checks.registry import all_checks
from gnomon.evidence import EvidenceDir, Manifest, RunInfo
from gnomon.insight.drill import KINDS, DrillResult, Graph, Ranked
from gnomon.insight.indicator import Indicator, compute, open_tables
from gnomon.judge import sentence_for
from gnomon.judge.store import read_made

PROPERTIES = tuple(p.value for p in (Property.SEC, Property.STA, Property.REL, Property.RES, Property.IOP))
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Source:
    """One piece of evidence that a finding rests on: what it shows, its references, how to get it again."""

    id: str
    title: str
    shows: str
    refs: tuple[str, ...]
    command: str


@dataclass(frozen=True, slots=True)
class Advice:
    """A recommendation: its text, who should act, its measure in words, and what the measure gives today."""

    id: str
    text: str
    addressee: str
    measure: str
    today: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of the review, as the report prints it."""

    id: str
    area: str
    statement: str
    explanation: str
    properties: tuple[str, ...]
    sources: tuple[Source, ...]
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """The review that the report belongs to."""

    name: str
    areas: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One zone with a problem: the sentence for it and the exchanges that show it."""

    zone: str
    sentence: str
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One outcome code at warning or above: how many zones have it, and examples."""

    check_id: str
    code: str
    level: Level
    properties: tuple[str, ...]
    zones: int
    rule: str
    action: str
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Drill:
    """The ranking of single losses of one kind, and the worst of them in full."""

    kind: str
    what: str
    ranking: tuple[Ranked, ...]
    worst: DrillResult | None


@dataclass(frozen=True, slots=True)
class Report:
    """All that is printed. `worst` has (property, worst level, zones); `folder` is the evidence's folder name."""

    run: RunInfo
    version: str
    folder: str
    zones: int
    exchanges: int
    segments: tuple[str, ...]
    verdicts: int
    verdicts_digest: str
    observed: tuple[int, int]
    worst: tuple[tuple[str, Level, int], ...]
    problems: tuple[Problem, ...]
    indicators: tuple[Indicator, ...]
    drills: tuple[Drill, ...]
    review: Review | None


def gather(evidence: Path, profile: str = "default", review: Review | None = None) -> Report:
    """Read a judged run and freeze what the report says.

    Raises:
        InputError: no evidence there, it has not been judged, or something is damaged; names the file.
    """
    store = EvidenceDir.open(evidence)
    manifests = list(store.manifests())
    with open_tables(evidence, profile) as db:
        zones = _count(db, "SELECT count(*) FROM zones")
        verdicts = _count(db, "SELECT count(*) FROM verdicts")
        worst = tuple(_worst(db))
        problems = tuple(_problems(db))
    graph = Graph.of_run(evidence, profile)
    return Report(
        run=store.run,
        version=__version__,
        folder=evidence.name,
        zones=zones,
        exchanges=sum(m.rows for m in manifests),
        segments=tuple(m.segment_root for m in manifests),
        verdicts=verdicts,
        verdicts_digest=read_made(evidence, profile).digest,
        observed=_observed(manifests),
        worst=worst,
        problems=problems,
        indicators=compute(evidence, store.run.run_id, profile),
        drills=tuple(_drill(graph, kind) for kind in ("operator", "as")),
        review=review,
    )


def _observed(manifests: Sequence[Manifest]) -> tuple[int, int]:
    """When the first and the last exchange were sent, Unix time in nanoseconds; zeros without any."""
    first = [m.first_sent_at_ns for m in manifests if m.first_sent_at_ns is not None]
    last = [m.last_sent_at_ns for m in manifests if m.last_sent_at_ns is not None]
    return min(first, default=0), max(last, default=0)


def _count(db: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = db.execute(sql).fetchone()
    return int(row[0]) if row else 0


_RANK = "CASE level " + " ".join(f"WHEN '{level.word}' THEN {int(level)}" for level in Level) + " END"


def _worst(db: duckdb.DuckDBPyConnection) -> Sequence[tuple[str, Level, int]]:
    rows = db.execute(
        f"SELECT property, worst, count(*) FROM (SELECT property, zone, max({_RANK}) AS worst FROM verdicts "
        "GROUP BY property, zone) GROUP BY property, worst"
    ).fetchall()
    counts = {(p, int(worst)): int(n) for p, worst, n in rows}
    return [(p, level, counts.get((p, int(level)), 0)) for p in PROPERTIES for level in sorted(Level, reverse=True)]


def _problems(db: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    rows = db.execute(
        f"SELECT check_id, code, max({_RANK}) AS worst, count(DISTINCT zone) AS zones, any_value(properties) "
        f"FROM verdicts WHERE {_RANK} >= {int(Level.WARNING)} GROUP BY check_id, code "
        "ORDER BY worst DESC, zones DESC, check_id, code"
    ).fetchall()
    checks = all_checks()
    for check_id, code, worst, zones, properties in rows:
        examples = db.execute(
            f"SELECT zone, args, evidence FROM verdicts WHERE check_id = ? AND code = ? AND {_RANK} >= ? "
            "QUALIFY row_number() OVER (PARTITION BY zone ORDER BY subject) = 1 ORDER BY zone LIMIT ?",
            [check_id, code, int(Level.WARNING), _EXAMPLES],
        ).fetchall()
        check = checks[check_id]
        yield Problem(
            check_id=check_id,
            code=code,
            level=Level(worst),
            properties=tuple(properties),
            zones=zones,
            rule=check.rule,
            action=check.section("Do"),
            examples=tuple(
                Example(zone, sentence_for(check_id, code, zone, json.loads(args)), tuple(refs[:4]))
                for zone, args, refs in examples
            ),
        )


def _drill(graph: Graph, kind: str) -> Drill:
    ranking = tuple(graph.rank(kind, 10))
    return Drill(kind, KINDS[kind], ranking, graph.drill(kind, ranking[0].lost) if ranking else None)
