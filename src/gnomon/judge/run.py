"""Judging a whole run, in one process or several, and judging it again to compare."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]

from gnomon import __version__
from gnomon.base import Address, InputError, Level
from gnomon.checks.profile import Profile, load_profile
from gnomon.checks.view import Routing
from gnomon.evidence import EvidenceDir
from gnomon.evidence.subject import zone_text
from gnomon.judge import store
from gnomon.judge.store import Made, StoredRoutes
from gnomon.judge.verdict import INTERNAL_ERROR, Verdict, chosen, judge_rows
from gnomon.judge.views import ViewMaker
from gnomon.sources import RoutingTable
from gnomon.sources.routing import Route


@dataclass(frozen=True, slots=True)
class JudgeSummary:
    """What judging a run came to.

    `levels` counts verdicts by level word, worst first, levels without any left out; `digest` is over all rows.
    """

    path: Path
    profile: str
    zones: int
    verdicts: int
    levels: Mapping[str, int]
    internal_errors: int
    digest: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A verdict that is stored but is not found any more (`is_new` False), or the other way round."""

    verdict: Verdict
    is_new: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """What judging again came to; no differences means that the same verdicts came out."""

    zones: int
    verdicts: int
    code_version: str
    differences: tuple[Difference, ...]


def judge(
    evidence_dir: Path,
    profile: Profile | str = "default",
    *,
    routing: RoutingTable | None = None,
    only: Collection[str] | None = None,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> JudgeSummary:
    """Judge every finished zone of a run and store the verdicts; what was stored for the profile before is replaced.

    Args:
        only: ids or families of checks; all if None.
        jobs: processes; the result does not depend on it.
        progress: called with zones done and zones in all.

    Raises:
        InputError: the evidence, the profile or `only` cannot be used, or the directory cannot be written.
        RetryLater: no space left.
    """
    evidence = EvidenceDir.open(evidence_dir)
    profile = load_profile(profile) if isinstance(profile, str) else profile
    only = None if only is None else tuple(sorted(only))
    chosen(only)
    total = len(evidence.finished_zones())
    tables: list[pa.Table] = []
    digests: dict[str, str] = {}
    levels: Counter[str] = Counter()
    routes: dict[Address, Route | None] = {}
    errors = 0
    for batch in _batches(evidence_dir, _Judge(profile, routing, only), jobs):
        tables.append(batch.table)
        digests.update(batch.digests)
        levels.update(batch.levels)
        routes.update(batch.routes)
        errors += batch.internal_errors
        if progress is not None:
            progress(len(digests), total)
    in_order = dict(sorted(routes.items(), key=lambda item: (item[0].version, item[0].packed)))
    made = Made(
        run_id=evidence.run.run_id,
        code_version=__version__,
        profile=profile,
        only=only,
        routing=None if routing is None else StoredRoutes(in_order, routing.provenance),
        zones=len(digests),
        verdicts=levels.total(),
        levels={level.word: levels[level.word] for level in sorted(Level, reverse=True) if level.word in levels},
        internal_errors=errors,
        digest=store.run_digest(digests),
    )
    path = store.write(evidence_dir, tables, made)
    return JudgeSummary(path, profile.name, made.zones, made.verdicts, made.levels, errors, made.digest)


def replay(evidence_dir: Path, profile: str = "default", *, jobs: int = 1) -> Replay:
    """Judge again with the stored profile, routes and selection of checks, and compare row by row.

    Raises:
        InputError: the run was not judged with that profile, or evidence or verdicts are damaged or were changed.
    """
    made = store.read_made(evidence_dir, profile)
    # Codes that are younger than the stored verdicts have the default level.
    default = load_profile("default")
    known = Profile(made.profile.name, {**default.levels, **made.profile.levels}, made.profile.overrides)
    stored: dict[str, list[Verdict]] = {}
    for verdict in store.verdicts(evidence_dir, profile):
        stored.setdefault(verdict.zone, []).append(verdict)
    differences: list[Difference] = []
    digests: dict[str, str] = {}
    count = 0
    for batch in _batches(evidence_dir, _Judge(known, made.routing, made.only, keep=True), jobs):
        digests.update(batch.digests)
        for zone, now in batch.verdicts.items():
            count += len(now)
            differences += _compare(stored.pop(zone, []), now)
    differences += [Difference(verdict, False) for rows in stored.values() for verdict in rows]
    if not differences and store.run_digest(digests) != made.digest:
        raise InputError(f"the digest in {evidence_dir}/verdicts/{profile}.json is not that of its rows; judge again")
    differences.sort(key=lambda difference: (difference.verdict.row, difference.is_new))
    return Replay(len(digests), count, made.code_version, tuple(differences))


def _compare(stored: list[Verdict], now: list[Verdict]) -> Iterator[Difference]:
    before, after = Counter(v.row for v in stored), Counter(v.row for v in now)
    if before == after:
        return
    for verdicts, other, is_new in ((stored, after, False), (now, before, True)):
        yield from (Difference(verdict, is_new) for verdict in verdicts if verdict.row not in other)


@dataclass(frozen=True, slots=True)
class _Judge:
    """What every process needs; `keep` hands back the verdicts themselves instead of a table."""

    profile: Profile
    routing: Routing | None
    only: tuple[str, ...] | None
    keep: bool = False


@dataclass(slots=True)
class _Batch:
    """The verdicts of the zones that one segment finishes."""

    digests: dict[str, str] = field(default_factory=dict)
    levels: Counter[str] = field(default_factory=Counter)
    routes: dict[Address, Route | None] = field(default_factory=dict)
    internal_errors: int = 0
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)
    table: pa.Table | None = None


class _Worker:
    def __init__(self, evidence_dir: Path, task: _Judge) -> None:
        evidence = EvidenceDir.open(evidence_dir)
        self._task = task
        self._maker = ViewMaker(evidence, task.routing)
        self._partitions = list(evidence.zone_partitions())

    def batch(self, index: int) -> _Batch:
        batch, task, rows = _Batch(), self._task, list[Verdict]()
        for view in self._maker.views(self._partitions[index]):
            judged = judge_rows(view, task.profile, task.only)
            verdicts, zone = [verdict for _, verdict in judged], zone_text(view.zone)
            batch.digests[zone] = store.zone_digest(row for row, _ in judged)
            batch.levels.update(v.level for v in verdicts)
            batch.internal_errors += sum(v.code == INTERNAL_ERROR for v in verdicts)
            if task.routing is not None:
                batch.routes.update((address, task.routing.route(address)) for address in view.addresses)
            if task.keep:
                batch.verdicts[zone] = verdicts
            else:
                rows += verdicts
        batch.table = store.to_table(rows, task.profile.name)
        return batch


def _batches(evidence_dir: Path, task: _Judge, jobs: int) -> Iterable[_Batch]:
    """One batch per segment that finishes zones, in the order of the segments."""
    count = sum(1 for _ in EvidenceDir.open(evidence_dir).zone_partitions())
    if min(jobs, count) <= 1:
        worker = _Worker(evidence_dir, task)
        yield from map(worker.batch, range(count))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, count), context, _start, (evidence_dir, task)) as pool:
        yield from pool.map(_run, range(count))


_workers: list[_Worker] = []  # one in each process of the pool


def _start(evidence_dir: Path, task: _Judge) -> None:
    _workers.append(_Worker(evidence_dir, task))


def _run(index: int) -> _Batch:
    return _workers[0].batch(index)
