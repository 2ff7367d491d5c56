"""What the pages read of a measured run: zones, verdicts and single exchanges, in place, from its directory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from gnomon.base import InputError, Level, Property
from gnomon.evidence import EvidenceDir, Exchange, Manifest, RunInfo
from gnomon.judge import explanations, sentence_for

PROPERTIES: tuple[str, ...] = tuple(p.value for p in Property)
PAGE_ROWS = 50
TROUBLE = (Level.CRITICAL, Level.ERROR, Level.WARNING, Level.NOTICE)

_RANK = "CASE level " + " ".join(f"WHEN '{level.word}' THEN {int(level)}" for level in Level) + " END"
_COLUMNS = "zone, check_id, check_version, subject, properties, code, state, level, args, evidence, explanation"


@dataclass(frozen=True, slots=True)
class Row:
    """One verdict as the pages show it; `evidence` holds full references (`<segment root hex>:<row>`)."""

    zone: str
    check_id: str
    check_version: int
    subject: str
    properties: tuple[str, ...]
    code: str
    state: str
    level: Level
    args: dict[str, Any]
    evidence: tuple[str, ...]
    notes: tuple[tuple[str, dict[str, Any]], ...]

    @property
    def explanations(self) -> list[str]:
        """What the level comes from, where it is not the one that every zone has."""
        return explanations(self.zone, self.notes)

    @property
    def sentence(self) -> str:
        """What was seen, with the names and numbers of this zone in it."""
        return sentence_for(self.check_id, self.code, self.zone, self.args)

    @property
    def full_code(self) -> str:
        return f"{self.check_id}/{self.code}"


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """One zone in a list: its worst level and how many verdicts it has at each."""

    zone: str
    worst: Level
    counts: dict[Level, int]


@dataclass(frozen=True, slots=True)
class ZoneFilter:
    """Which zones to list; empty fields do not filter. `page` counts from 1."""

    level: str = ""
    property: str = ""
    text: str = ""
    check: str = ""
    code: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class ZonePage:
    """A page of a zone list: `shown` of `matching` zones that the filter lets through, of `total`."""

    rows: tuple[ZoneRow, ...]
    matching: int
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.matching // PAGE_ROWS))

    @property
    def hidden(self) -> int:
        return self.total - self.matching


@dataclass(frozen=True, slots=True)
class CodeCount:
    """How often a check came out as `code`."""

    check_id: str
    code: str
    level: Level
    zones: int
    verdicts: int


@dataclass(frozen=True, slots=True)
class Selection:
    """All verdicts of one check and code: what an evidence item of form `verdicts` holds."""

    rows: tuple[Row, ...]
    zones: int
    judged: int
    worst: Level
    sha256: str


class Measurements:
    """A judged run, opened for reading.

    Raises:
        InputError: the directory holds no run, or no verdicts of that profile; says which command makes them.
    """

    def __init__(self, directory: Path, profile: str = "default") -> None:
        self.directory = directory
        self.profile = profile
        self.verdict_file = directory / "verdicts" / f"{profile}.parquet"
        self.store = EvidenceDir.open(directory)
        if not self.verdict_file.is_file():
            raise InputError(f"{directory} has no verdicts of the profile {profile!r}; run: gnomon judge {directory}")
        # DDL takes no parameters; the file name is quoted as an SQL string.
        quoted = str(self.verdict_file).replace("'", "''")
        self._db = duckdb.connect(config={"threads": 2})
        self._db.execute(
            f"CREATE VIEW verdicts AS SELECT {_COLUMNS}, {_RANK} AS rank, properties[1] AS property "
            f"FROM read_parquet('{quoted}')"
        )
        tallies = ", ".join(f"count(*) FILTER (rank = {int(level)}) AS n{int(level)}" for level in Level)
        self._db.execute(
            f"CREATE TABLE tally AS SELECT zone, property, max(rank) AS worst, {tallies} FROM verdicts "
            "GROUP BY zone, property"
        )

    @property
    def run(self) -> RunInfo:
        return self.store.run

    def _all(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._db.cursor() as cursor:
            return cursor.execute(sql, list(values)).fetchall()

    def _rows(self, where: str, values: Sequence[object], order: str, limit: int = -1) -> tuple[Row, ...]:
        tail = f" LIMIT {limit}" if limit >= 0 else ""
        found = self._all(f"SELECT {_COLUMNS} FROM verdicts WHERE {where} ORDER BY {order}{tail}", values)
        return tuple(
            Row(zone, check, version, subject, tuple(properties), code, state, Level.from_word(level),
                json.loads(args), tuple(refs), tuple(json.loads(notes)))
            for zone, check, version, subject, properties, code, state, level, args, refs, notes in found
        )  # fmt: skip

    def zone(self, zone: str) -> tuple[Row, ...]:
        """All verdicts on one zone, worst first."""
        return self._rows("zone = ?", [zone], "rank DESC, check_id, subject, code")

    def verdicts(self, zone: str, check_id: str) -> tuple[Row, ...]:
        """The verdicts of one check on one zone, worst first."""
        return self._rows("zone = ? AND check_id = ?", [zone, check_id], "rank DESC, subject, code")

    def has_zone(self, zone: str) -> bool:
        return bool(self._all("SELECT 1 FROM tally WHERE zone = ? LIMIT 1", [zone]))

    def zones(self, wanted: ZoneFilter) -> ZonePage:
        """The zones the filter lets through, worst first, 50 to a page."""
        where, values = ["TRUE"], list[object]()
        if wanted.text:
            where.append("contains(zone, ?)")
            values.append(wanted.text)
        if wanted.property:
            where.append("property = ?")
            values.append(wanted.property)
        if wanted.check:
            level = "AND level = ?" if wanted.level else ""
            code = "AND code = ?" if wanted.code else ""
            where.append(f"zone IN (SELECT zone FROM verdicts WHERE check_id = ? {code} {level})")
            values += [value for value in (wanted.check, wanted.code, wanted.level) if value]
        elif wanted.level:
            where.append(f"n{int(Level.from_word(wanted.level))} > 0")
        sums = ", ".join(f"sum(n{int(level)})::BIGINT AS n{int(level)}" for level in Level)
        worst_first = ", ".join(f"n{int(level)} DESC" for level in TROUBLE)
        listing = f"SELECT zone, max(worst) AS worst, {sums} FROM tally WHERE {' AND '.join(where)} GROUP BY zone"
        matching = int(self._all(f"SELECT count(*) FROM ({listing})", values)[0][0])
        page = min(max(1, wanted.page), max(1, -(-matching // PAGE_ROWS)))
        found = self._all(
            f"{listing} ORDER BY worst DESC, {worst_first}, zone LIMIT {PAGE_ROWS} OFFSET ?",
            [*values, (page - 1) * PAGE_ROWS],
        )
        total = int(self._all("SELECT count(DISTINCT zone) FROM tally")[0][0])
        rows = tuple(
            ZoneRow(zone, Level(worst), dict(zip(Level, map(int, counts), strict=True)))
            for zone, worst, *counts in found
        )
        return ZonePage(rows, matching, total, page)

    def levels(self) -> dict[Level, int]:
        """How many zones have each level as their worst."""
        found = self._all(
            "SELECT worst, count(*) FROM (SELECT max(worst) AS worst FROM tally GROUP BY zone) GROUP BY 1"
        )
        counts = {Level(worst): int(n) for worst, n in found}
        return {level: counts.get(level, 0) for level in sorted(Level, reverse=True)}

    def code_counts(self, check_id: str | None = None) -> tuple[CodeCount, ...]:
        """How every check (or one) came out, worst and most frequent first."""
        where, values = ("WHERE check_id = ?", [check_id]) if check_id else ("", [])
        found = self._all(
            f"SELECT check_id, code, rank, count(DISTINCT zone), count(*) FROM verdicts {where} "
            "GROUP BY check_id, code, rank ORDER BY rank DESC, 4 DESC, check_id, code",
            values,
        )
        return tuple(CodeCount(check, code, Level(rank), int(z), int(v)) for check, code, rank, z, v in found)

    def trouble(self) -> dict[str, tuple[Level, int]]:
        """Each check that came out as notice or worse: its worst level and in how many zones; worst first."""
        found = self._all(
            "SELECT check_id, max(rank) AS worst, count(DISTINCT zone) AS zones FROM verdicts WHERE rank >= ? "
            "GROUP BY check_id ORDER BY worst DESC, zones DESC, check_id",
            [int(Level.NOTICE)],
        )
        return {check_id: (Level(worst), int(zones)) for check_id, worst, zones in found}

    def judged(self, check_id: str) -> int:
        """How many zones the check could be evaluated for: neither unknown nor not applicable."""
        sql = "SELECT count(DISTINCT zone) FROM verdicts WHERE check_id = ? AND state = 'observed'"
        return int(self._all(sql, [check_id])[0][0])

    def select(self, check_id: str, code: str) -> Selection:
        """Every verdict that came out as that code, with the digest of the whole set.

        Raises:
            InputError: there is none.
        """
        rows = self._rows("check_id = ? AND code = ?", [check_id, code], "zone, subject, args")
        if not rows:
            raise InputError(f"no verdict of this run is {check_id}/{code}")
        digest = hashlib.sha256()
        for row in rows:
            line = [row.zone, row.check_id, row.check_version, row.subject, row.code, row.state, row.level.word,
                    row.args, list(row.evidence)]  # fmt: skip
            digest.update(json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
            digest.update(b"\n")
        zones = len({row.zone for row in rows})
        worst = max(row.level for row in rows)
        return Selection(rows, zones, self.judged(check_id), worst, digest.hexdigest())

    def observed(self) -> tuple[int, int]:
        """When the first and the last packet of the run were sent, in nanoseconds of Unix time."""
        manifests = self.store.manifests()
        firsts = [m.first_sent_at_ns for m in manifests if m.first_sent_at_ns is not None]
        lasts = [m.last_sent_at_ns for m in manifests if m.last_sent_at_ns is not None]
        return min(firsts, default=0), max(lasts, default=0)

    def verdict_digest(self) -> str:
        """The digest of all verdicts, as `gnomon judge` prints it."""
        made = json.loads(self.verdict_file.with_suffix(".json").read_text("utf-8"))
        return str(made["digest"])

    def exchange(self, ref: str) -> Exchange:
        """The recorded exchange that a reference points to.

        Raises:
            InputError: no reference, or not of this run.
        """
        return self.store.exchange(ref)

    def segment(self, exchange: Exchange) -> Manifest | None:
        """The manifest of the segment in which an exchange lies."""
        root = exchange.ref.segment if exchange.ref else ""
        return next((m for m in self.store.manifests() if m.segment_root == root), None)


@lru_cache(maxsize=4)
def _opened(directory: str, profile: str, _stamp: tuple[int, int]) -> Measurements:
    return Measurements(Path(directory), profile)


def open_measurements(directory: str, profile: str) -> Measurements:
    """A judged run, opened once per process and version of its verdict file.

    Raises:
        InputError: no run or no verdicts (any more) there.
    """
    file = Path(directory) / "verdicts" / f"{profile}.parquet"
    stamp = (file.stat().st_mtime_ns, file.stat().st_size) if file.is_file() else (0, 0)
    return _opened(directory, profile, stamp)
