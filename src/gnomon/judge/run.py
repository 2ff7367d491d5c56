"""Judging a whole run, in one process or several, and judging it again to compare."""

from __future__ import annotations

import functools
import gc
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Protocol

import pyarrow as pa  # type: ignore[import-untyped]

from gnomon import __version__
from gnomon._core import VerdictColumns
from gnomon.base import Address, InputError, Level
from gnomon.base.executor import executor
from gnomon.checks.profile import Profile, load_profile
from gnomon.checks.view import Routing, ZoneView
from gnomon.evidence import EvidenceDir
from gnomon.evidence.subject import zone_text
from gnomon.judge import store
from gnomon.judge.byzone import ByZone
from gnomon.judge.columns import plain
from gnomon.judge.store import Made, StoredRoutes
from gnomon.judge.verdict import INTERNAL_ERROR, Judged, Verdict
from gnomon.judge.views import ViewMaker
from gnomon.judge.zone import chosen, judge_side_by_side
from gnomon.sources import RoutingTable
from gnomon.sources.routing import Route

MAX_DIFFERENCES = 1000
_SIDE_BY_SIDE = 10  # zones
_OBJECTS_LEFT = 500_000  # more than what is kept at hand from one zone to another


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
    """What judging again came to; no differences means that the same verdicts came out.

    `differences` are the first, at most `MAX_DIFFERENCES`; `different` counts all. `partial` zones cannot be judged
    again, since exchanges that they rest on were withheld: they are not compared.
    """

    zones: int
    verdicts: int
    code_version: str
    differences: tuple[Difference, ...]
    different: int
    partial: tuple[str, ...] = ()


def judge(
    evidence_dir: Path,
    profile: Profile | str = "default",
    *,
    routing: RoutingTable | None = None,
    only: Collection[str] | None = None,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
    derive: Callable[[], Derive] | None = None,
    derived: Callable[[Mapping[str, pa.Table]], None] | None = None,
    each: Callable[[ZoneView, Sequence[Judged]], None] | None = None,
) -> JudgeSummary:
    """Judge every finished zone of a run and store the verdicts; what was stored for the profile before is replaced.

    Args:
        only: ids or families of checks; all if None.
        jobs: processes; the result does not depend on it.
        progress: called with zones done and zones in all.
        derive: makes what makes further tables of the same views; can be sent to another process.
        derived: called with these tables, batch by batch.
        each: called with every zone's view and verdicts; only in this process, with one job.

    Raises:
        InputError: the evidence, the profile or `only` cannot be used, or the directory cannot be written.
        RetryLater: no space left.
    """
    evidence = EvidenceDir.open(evidence_dir)
    profile = load_profile(profile) if isinstance(profile, str) else profile
    only = None if only is None else tuple(sorted(only))
    chosen(only)
    zones = evidence.finished_zones()
    levels: Counter[str] = Counter()
    routes: dict[Address, Route | None] = {}
    done = errors = 0
    with ByZone(zones) as rows, ByZone(zones) as digests:
        for batch in _batches(evidence_dir, _Judge(profile, routing, only, derive, each), jobs):
            rows.add(batch.verdicts)
            digests.add(batch.digests)
            levels.update(batch.levels)
            routes.update(batch.routes)
            errors += batch.internal_errors
            done += batch.digests.num_rows
            if derived is not None:
                derived(batch.derived)
            if progress is not None:
                progress(done, len(zones))
        in_order = dict(sorted(routes.items(), key=lambda item: (item[0].version, item[0].packed)))
        made = Made(
            run_id=evidence.run.run_id,
            code_version=__version__,
            profile=profile,
            only=only,
            routing=None if routing is None else StoredRoutes(in_order, routing.provenance),
            zones=done,
            verdicts=levels.total(),
            levels={level.word: levels[level.word] for level in sorted(Level, reverse=True) if level.word in levels},
            internal_errors=errors,
            digest=store.run_digest(digests.tables()),
        )
        path = store.write(evidence_dir, rows.tables(), made)
    return JudgeSummary(path, profile.name, made.zones, made.verdicts, made.levels, errors, made.digest)


def replay(evidence_dir: Path, profile: str = "default", *, jobs: int = 1) -> Replay:
    """Judge again with the stored profile, routes and selection of checks, and compare row by row.

    Raises:
        InputError: the run was not judged with that profile, or evidence or verdicts are damaged or were changed.
    """
    made = store.read_made(evidence_dir, profile)
    # Codes that are younger than the stored verdicts have the default level.
    default = load_profile("default")
    known = replace(made.profile, levels={**default.levels, **made.profile.levels})
    zones = EvidenceDir.open(evidence_dir).finished_zones()
    done = count = 0
    partial: set[str] = set()
    with ByZone(zones) as rows, ByZone(zones) as digests:
        for batch in _batches(evidence_dir, _Judge(known, made.routing, made.only), jobs):
            rows.add(batch.verdicts)
            digests.add(batch.digests)
            done += batch.digests.num_rows
            count += batch.verdicts.num_rows
            partial |= batch.partial
        found = _differences(store.stored_tables(evidence_dir, profile), rows.tables())
        found = (difference for difference in found if difference.verdict.zone not in partial)
        differences = tuple(islice(found, MAX_DIFFERENCES))
        more = sum(1 for _ in found)
        digest = store.run_digest(digests.tables())
    if not differences and not partial and digest != made.digest:
        raise InputError(f"the digest in {evidence_dir}/verdicts/{profile}.json is not that of its rows; judge again")
    return Replay(done, count, made.code_version, differences, len(differences) + more, tuple(sorted(partial)))


def _differences(stored: Iterator[pa.Table], now: Iterator[pa.Table]) -> Iterator[Difference]:
    """What only one of two sequences of tables sorted by zone has, zone by zone."""
    stored_rows = store.Rows(stored)
    for table in now:
        before = stored_rows.take(table.num_rows)
        if not plain(table).equals(before):
            # From here on the two no longer run in step.
            yield from _by_zone(chain([before], stored_rows.rest()), chain([table], now))
            return
    yield from _by_zone(stored_rows.rest(), iter(()))


def _by_zone(stored: Iterable[pa.Table], now: Iterable[pa.Table]) -> Iterator[Difference]:
    sides = (_zones(stored, False), _zones(now, True))
    for _, of_zone in groupby(merge(*sides, key=lambda part: part[0]), key=lambda part: part[0]):
        rows = {is_new: verdicts for _, is_new, verdicts in of_zone}
        before, after = (Counter(v.row for v in rows.get(is_new, ())) for is_new in (False, True))
        if before != after:
            only = [Difference(v, False) for v in rows.get(False, ()) if v.row not in after]
            only += [Difference(v, True) for v in rows.get(True, ()) if v.row not in before]
            yield from sorted(only, key=lambda difference: (difference.verdict.row, difference.is_new))


def _zones(tables: Iterable[pa.Table], is_new: bool) -> Iterator[tuple[str, bool, list[Verdict]]]:
    for zone, verdicts in groupby(store.read_rows(tables), key=lambda v: v.zone):
        yield zone, is_new, list(verdicts)


class Derive(Protocol):
    """Makes further tables of the views that are judged, a batch of zones at a time."""

    def add(self, view: ZoneView) -> None: ...

    def take(self) -> Mapping[str, pa.Table]:
        """The rows of the views since the last time, as tables by name."""


@dataclass(frozen=True, slots=True)
class _Judge:
    """What every process needs."""

    profile: Profile
    routing: Routing | None
    only: tuple[str, ...] | None
    derive: Callable[[], Derive] | None = None
    each: Callable[[ZoneView, Sequence[Judged]], None] | None = None


@dataclass(slots=True)
class _Batch:
    """The verdicts of the zones that one segment finishes."""

    verdicts: pa.Table
    digests: pa.Table
    levels: Counter[str]
    routes: dict[Address, Route | None]
    internal_errors: int
    derived: Mapping[str, pa.Table]
    partial: frozenset[str]


class _Worker:
    def __init__(self, evidence_dir: Path, task: _Judge) -> None:
        evidence = EvidenceDir.open(evidence_dir)
        self._task = task
        self._maker = ViewMaker(evidence, task.routing, task.profile.zone_class)
        self._partitions = list(evidence.zone_partitions())
        self._derive = task.derive() if task.derive is not None else None

    def batch(self, index: int) -> _Batch:
        task, verdicts, digests = self._task, VerdictColumns(), dict[str, str]()
        routes: dict[Address, Route | None] = {}
        for view, judged in self._judged(index):
            text = zone_text(view.zone)
            digests[text] = verdicts.add(text, judged)
            if task.routing is not None:
                routes.update((address, task.routing.route(address)) for address in view.addresses)
            if self._derive is not None:
                self._derive.add(view)
            if task.each is not None:
                task.each(view, judged)
        levels: Counter[str] = Counter()
        for kind, count in verdicts.kinds:
            levels[kind.level] += count
        return _Batch(
            store.to_table(verdicts, task.profile.name),
            store.digests_table(digests),
            levels,
            routes,
            sum(count for kind, count in verdicts.kinds if kind.code == INTERNAL_ERROR),
            self._derive.take() if self._derive is not None else {},
            frozenset(self._maker.partial.intersection(digests)),
        )

    def _judged(self, index: int) -> Iterator[tuple[ZoneView, list[Judged]]]:
        views = self._maker.views(self._partitions[index])
        while some := list(islice(views, _SIDE_BY_SIDE)):
            yield from zip(some, judge_side_by_side(some, self._task.profile, self._task.only), strict=True)


def _batches(evidence_dir: Path, task: _Judge, jobs: int) -> Iterable[_Batch]:
    """One batch per segment that finishes zones, in the order of the segments."""
    count = sum(1 for _ in EvidenceDir.open(evidence_dir).zone_partitions())
    was_enabled = gc.isenabled()
    try:
        yield from executor(min(jobs, count)).map(functools.partial(_start, evidence_dir, task), range(count))
    finally:
        if was_enabled:
            gc.enable()


def _start(evidence_dir: Path, task: _Judge) -> Callable[[int], _Batch]:
    # Views hold no cycles. Looking for some among all that a batch keeps finds none and takes long: it is done between
    # batches, when little is left to look at, and only if there is more left than expected.
    gc.disable()
    worker = _Worker(evidence_dir, task)

    def batch(index: int) -> _Batch:
        made = worker.batch(index)
        if gc.get_count()[0] > _OBJECTS_LEFT:
            gc.collect(0)
        return made

    return batch
